//! Scheduling delay (scheduler, capacity, gates, node not ready).

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "scheduling-wait",
    title: "Scheduling delay (scheduler, capacity, gates, node not ready)",
    advice: &[Advice::new(0, "add capacity or relax constraints; check the pod's events for FailedScheduling").side_effect("idle nodes cost money")],
    text: "\
What it means
The time between the creation of the pod and the kubelet's first line about it. The kubelet has no part in it, but its SLO value includes it.

How it is detected
From creation (the API server's clock, whole seconds) to `SyncLoop ADD`. Below 3 s it may be rounding, the watch or admission webhooks.

What to do
Read the FailedScheduling events; check scheduling gates, unbound volumes, taints, preemption and cluster autoscaling.

When it misleads
If the clocks of node and API server differ, that adds or hides seconds; the creation timestamp is truncated to whole seconds.
",
    baseline: Nanos(SECOND),
    threshold: Nanos(2 * SECOND),
    rationale: "creation is truncated to whole seconds, and an idle scheduler with its watch takes a few hundred milliseconds; the longest wait of cached starts in captures was 1.6 s",
    shown_by: &[Evidence::KubeletLog],
    phases: &[Phase::Scheduling],
    logs: Some(|_| Some(Match::default())),
    metrics: None,
};
