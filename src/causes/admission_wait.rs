//! Pods waited in the kubelet before any work was done for them.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "admission-wait",
    title: "Pods waited in the kubelet, after it took them and before any work was done for them.",
    advice: &[Advice::new(0, "look at device plugins, DRA drivers and the topology manager's policy; see that the sync loop does not stand still (PLEG, housekeeping)")],
    text: "\
What it means
The kubelet has the pod, but admission (device allocation, DRA, topology hints) or the worker that runs it takes long.

How it is recognised
The time from `SyncLoop ADD` to the first line of the pod's worker or volumes that no other phase covers. Metrics: topology manager, device plugin and DRA durations, and kubelet_pod_worker_start_duration_seconds.

What to do
Look at the Allocate calls of the node's device plugins and at DRA drivers' logs. One slow admission holds all pods behind it up: the sync loop is one goroutine.

When it misleads
At -v=2 the first line after the ADD may come late for pods without volumes, whose first line is that of the sandbox.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(2 * SECOND),
    rationale: "admission and the worker's start take some hundredths of a second (captures: up to 0.2 s)",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Unattributed],
    counts_as_loss: true,
    check: |case| {
        let added = case.startup.first(Fact::PodAdded)?;
        let works = |fact| {
            matches!(
                fact,
                Fact::SyncBegan
                    | Fact::VolumesAwaited
                    | Fact::VolumeVerifyStarted
                    | Fact::VolumeMountStarted
                    | Fact::SandboxNeeded
                    | Fact::SandboxAsked
            )
        };
        let work = case.startup.events.iter().find(|event| event.time >= added.time && works(event.fact))?;
        let shown = case.startup.first(Fact::PodAdmitted).unwrap_or(added);
        Some(Match { within: Some((added.time, work.time)), ..Match::at(shown) })
    },
};
