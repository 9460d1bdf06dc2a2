//! Pods were delayed in kubelet admission.

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::metrics::families::name;
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "admission-wait",
    title: "Pods were delayed in kubelet admission",
    advice: &[Advice::new(0, "check device plugins and the topology manager policy; check that the sync loop is not blocked (PLEG, housekeeping)")],
    text: "\
What it means
The kubelet has the pod, but admission (device allocation, topology hints) takes long, or the pod's worker starts late.

How it is detected
The time from `SyncLoop ADD` to the first log line of the pod's worker or of its volumes that no other phase covers. In metrics: device allocation took 0.5 s or more per start.

What to do
Check the Allocate calls of the node's device plugins. One slow admission delays all pods behind it, because the sync loop is a single goroutine.

When it misleads
At -v=2, a pod without volumes has no log line between the ADD and its sandbox, so its first line may come late.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(2 * SECOND),
    rationale: "admission and worker start take a few hundredths of a second (captures: up to 0.2 s)",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Unattributed],
    logs: Some(|case| {
        let added = case.startup.first(Fact::PodAdded)?;
        let works = |fact| {
            matches!(
                fact,
                Fact::SyncStarted
                    | Fact::VolumesAwaited
                    | Fact::VolumeVerifyStarted
                    | Fact::VolumeMountStarted
                    | Fact::SandboxNeeded
                    | Fact::SandboxRequested
            )
        };
        let work = case.startup.events.iter().find(|event| event.time >= added.time && works(event.fact))?;
        let shown = case.startup.first(Fact::PodAdmitted).unwrap_or(added);
        Some(Match { within: vec![(added.time, work.time)], ..Match::at(shown) })
    }),
    metrics: Some(|case| {
        let (mean, _) = case.mean(name::DEVICES, "").filter(|(mean, _)| *mean >= MIN_MEAN_S)?;
        Some(MetricClaim::up_to(mean, format!("device allocation took {} per start", format_duration(mean))))
    }),
};
