//! Pods waited before a kubelet took them: scheduler, capacity, gates, or a node that was not ready.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "scheduling-wait",
    title: "Pods waited before a kubelet took them: scheduler, capacity, gates, or a node that was not ready.",
    advice: &[Advice::new(0, "more capacity or fewer constraints; look at the pod's events for FailedScheduling").side_effect("idle nodes cost money")],
    text: "\
What it means
Between the pod's creation and the kubelet's first line about it. The kubelet plays no part in it, but its SLO value contains it.

How it is recognised
Creation (the API server's clock, whole seconds) to `SyncLoop ADD`. Below 3 s it may be rounding, the watch and admission webhooks.

What to do
Read the FailedScheduling events; look at scheduling gates, unbound volumes, taints, preemption and cluster autoscaling.

When it misleads
Clocks of node and API server that differ add or hide seconds; the creation stamp is cut to whole seconds.
",
    baseline: Nanos(SECOND),
    threshold: Nanos(2 * SECOND),
    rationale: "creation is cut to whole seconds, and a quiet scheduler with its watch takes some hundred milliseconds; the longest of cached starts in captures took 1.6 s",
    shown_by: &[Evidence::KubeletLog],
    phases: &[Phase::Scheduling],
    counts_as_loss: true,
    check: |_| Some(Match::default()),
};
