//! Kubelet was down or restarting when the pod was bound.

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND, Time};

/// A kubelet that has started accepts the pods it finds within seconds; a pod that comes later waited for something else.
const UP: Nanos = Nanos(30 * SECOND);

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "kubelet-restart",
    title: "Kubelet was down or restarting when the pod was bound",
    advice: &[Advice::new(0, "restart kubelets one node at a time, drained").side_effect("slower maintenance")],
    text: "\
What it means
The kubelet process started after the pod was created, or during its startup. Until then, nothing on the node handled the pod.

How it is detected
A kubelet start (its version line, or its main loop) lies between the creation of the pod and its acceptance by the kubelet, or within its startup. In metrics: the kubelet restarted between the scrapes.

What to do
Find out why the kubelet restarted (crash, update, configuration change); drain the node before planned restarts.

When it misleads
If a pod also waited for the scheduler while the kubelet was down, the log cannot separate the two.
",
    baseline: Nanos(SECOND),
    threshold: Nanos(SECOND),
    rationale: "the creation timestamp is truncated to whole seconds: up to 1 s is rounding",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Scheduling, Phase::Unattributed],
    logs: Some(|case| {
        let start = case.startup.restarts.first()?;
        let taken = case.startup.events.iter().find(|event| !event.from_runtime)?.time;
        if start.time > taken + Nanos(SECOND) {
            // The kubelet had the pod already: it went down after its last line about it.
            let before = case.startup.events.iter().filter(|event| event.time < start.time && !event.from_runtime);
            let down = before.map(|event| event.time).max().unwrap_or(start.time);
            let later = case.spans(Phase::Unattributed).filter(|span| span.from >= down);
            let within = later.map(|span| (span.from, span.to)).chain([(down, start.time + UP)]).collect();
            // Changes of containers were noticed once it was up again.
            return Some(Match { within, also: &[Phase::Detection], ..Match::at(start) });
        }
        let before = Match { within: vec![(Time(i64::MIN), taken + Nanos(SECOND))], ..Match::at(start) };
        (taken - start.time <= UP).then_some(before)
    }),
    metrics: Some(|case| {
        let restarts = case.window.restarts;
        (restarts > 0).then(|| {
            let high = case.part(Phase::Scheduling).map_or(0.0, |part| part.high_s);
            MetricClaim::up_to(high, format!("the kubelet restarted {restarts} × between the scrapes"))
        })
    }),
};
