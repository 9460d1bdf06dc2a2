//! postStart hook delayed the pod.

use super::{Advice, Cause, Evidence, Match};
use crate::breakdown::Span;
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "post-start-hook",
    title: "postStart hook delayed the pod",
    advice: &[Advice::new(0, "move the work of the hook to the container, a sidecar or an init container, or run it in the background").side_effect("the container may run before that work is done")],
    text: "\
What it means
The kubelet runs a container's postStart hook in the sync that started the container, and does not report the pod's status before the hook has ended.

How it is detected
At -v=4, the sync goes on after the last container has started. Otherwise a hook is likely (certain is 0) if the pod's status came late although its containers had been noticed at once, nothing was throttled, and statuses of other pods in the same half minute came quickly. If pod objects are given, only pods that have such a hook are named; then the hook is likely also where no line tells when the containers were noticed and when the status was written.

What to do
Measure the hook. If the hook waits until the service listens, use a startup probe instead.

When it misleads
Without -v=4, anything else that blocks the sync of one pod looks the same.
",
    baseline: Nanos(0),
    threshold: Nanos(2 * SECOND),
    rationale: "other reasons (a status write, a relist) take up to 1 or 2 s",
    shown_by: &[Evidence::KubeletLog, Evidence::Events, Evidence::Pods],
    phases: &[Phase::StatusUpdate, Phase::Start],
    logs: Some(|case| {
        if case.traits.is_some_and(|traits| !traits.post_start) {
            return None;
        }
        let started = case.last_started()?;
        let known = case.traits.is_some();
        if case.startup.by_objects || case.breakdown.running.is_none() && known {
            // The status says that the container runs when its hook has returned.
            let (_, ran) = case.breakdown.ran.filter(|_| known)?;
            return Some(Match { likely: true, within: vec![(started, case.breakdown.begin + ran)], ..Match::default() });
        }
        let running = case.breakdown.running?;
        let busy = case.startup.all(Fact::SyncFinished).find(|event| event.time >= started && event.time <= running);
        if let Some(busy) = busy {
            return Some(Match { within: vec![(started, busy.time)], ..Match::at(busy) });
        }
        let undivided = |span: &&Span| matches!(span.waited_for, Some(WaitedFor::DetectionOrUpdate));
        let throttled = case.node_event(Fact::Throttled).is_some();
        if known && !throttled && case.spans(Phase::Detection).any(|span| undivided(&span)) {
            let also = &[Phase::Detection];
            return Some(Match { likely: true, within: vec![(started, running)], also, ..Match::default() });
        }
        let alone = case.startup.context.neighbours.is_some_and(|others| others.reported < Nanos(SECOND / 2));
        let from = case.spans(Phase::StatusUpdate).map(|span| span.from).min()?;
        ((known || alone) && !throttled).then(|| Match { likely: true, within: vec![(from, running)], ..Match::default() })
    }),
    metrics: None,
};
