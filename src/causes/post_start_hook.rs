//! A postStart hook kept the pod from counting as started.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "post-start-hook",
    title: "A postStart hook ran on after its container had started.",
    advice: &[Advice::new(0, "move what the hook does into the container, a sidecar or an init container, or let it go on in the background").side_effect("the container may run before that work is done")],
    text: "\
What it means
The kubelet runs a container's postStart hook within the sync that started it, and reports nothing of the pod before the hook has ended.

How it is recognised
At -v=4 the sync goes on after the last container has started. Else the pod's status came late though its containers had been noticed at once, nothing was throttled, and other pods' statuses of the same half minute came quickly: then a hook is likely, and certain is 0. With pods given as objects, only those that have a hook are named.

What to do
Measure the hook. A hook that waits for the service to listen belongs into a start-up probe.

When it misleads
Without -v=4 another reason that holds up one pod's sync looks the same.
",
    baseline: Nanos(0),
    threshold: Nanos(2 * SECOND),
    rationale: "other reasons take up to a second or two: a status write, a relist",
    shown_by: &[Evidence::KubeletLog, Evidence::Pods],
    phases: &[Phase::Report, Phase::Start],
    counts_as_loss: true,
    check: |case| {
        if case.traits.is_some_and(|traits| !traits.post_start) {
            return None;
        }
        let started = case.last_started()?;
        let running = case.breakdown.running?;
        let busy = case.startup.all(Fact::SyncEnded).find(|event| event.time >= started && event.time <= running);
        if let Some(busy) = busy {
            return Some(Match { within: Some((started, busy.time)), ..Match::at(busy) });
        }
        let known = case.traits.is_some();
        let alone = case.startup.context.neighbours.is_some_and(|others| others.reported < Nanos(SECOND / 2));
        let throttled = case.node_event(Fact::Throttled).is_some();
        let from = case.spans(Phase::Report).map(|span| span.from).min()?;
        ((known || alone) && !throttled).then(|| Match { likely: true, within: Some((from, running)), ..Match::default() })
    },
};
