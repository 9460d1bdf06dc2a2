//! The kubelet was down or restarting when the pod was bound.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND, Time};

/// A kubelet that has started takes the pods it finds within seconds; a pod that comes later waited for something else.
const UP: Nanos = Nanos(30 * SECOND);

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "kubelet-restart",
    title: "The kubelet was down or restarting when the pod was bound.",
    advice: &[Advice::new(0, "restart kubelets one node at a time, drained").side_effect("slower maintenance")],
    text: "\
What it means
The kubelet process started after the pod was created, or while it was on its way; until then nobody on the node looked at the pod.

How it is recognised
A kubelet start (its version line, or its main loop) lies between the pod's creation and the kubelet taking it, or within its start.

What to do
Look for why the kubelet restarted (crash, update, configuration push); drain the node before planned restarts.

When it misleads
A pod that also waited for the scheduler while the kubelet was down: the log cannot tell the two apart.
",
    baseline: Nanos(SECOND),
    threshold: Nanos(SECOND),
    rationale: "creation is cut to whole seconds: up to one of them is rounding",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Scheduling, Phase::Unattributed],
    counts_as_loss: true,
    check: |case| {
        let start = case.startup.restarts.first()?;
        let taken = case.startup.events.iter().find(|event| !event.by_runtime)?.time;
        if start.time > taken + Nanos(SECOND) {
            // The kubelet had the pod already: what it waited before is not of the restart.
            return Some(Match { within: Some((start.time, Time(i64::MAX))), ..Match::at(start) });
        }
        let before = Match { within: Some((Time(i64::MIN), taken + Nanos(SECOND))), ..Match::at(start) };
        (taken - start.time <= UP).then_some(before)
    },
};
