//! Wait before the kubelet took the pod (scheduler, capacity, or a late kubelet).

use super::{Advice, Case, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "scheduling-wait",
    title: "Wait before the kubelet took the pod (scheduler, capacity, or a late kubelet)",
    advice: &[Advice::new(0, "read the FailedScheduling events and scheduling gates of the pod: relax what it asks for, or add capacity; if its Scheduled event came early, look at the kubelet of its node").side_effect("idle nodes cost money")],
    text: "\
What it means
The time between the creation of the pod and the kubelet's first line about it: the scheduler's time, or that of a kubelet that took the pod late. The kubelet's log cannot separate them; with the pod's events beside it, the time after the pod was bound is shown apart, as unattributed.

How it is detected
From creation (the API server's clock, whole seconds) to `SyncLoop ADD`. Without logs: until the Scheduled event, or until now if the pod's status has nothing of its kubelet yet. Below 3 s it may be rounding, the watch or admission webhooks.

What to do
Look at the pod's Scheduled event. If it came late: read the FailedScheduling events; check scheduling gates, unbound volumes, taints, preemption and cluster autoscaling. If it came early: the kubelet's watch or its client-side rate limit was slow; look for throttling lines (the part in which the kubelet's request for its pods waited is `api-client-throttled`).

When it misleads
If the clocks of node and API server differ, that adds or hides seconds; the creation timestamp is truncated to whole seconds.
",
    baseline: Nanos(SECOND),
    threshold: Nanos(2 * SECOND),
    rationale: "creation is truncated to whole seconds, and an idle scheduler with its watch takes a few hundred milliseconds; the longest wait of cached starts in captures was 1.6 s",
    shown_by: &[Evidence::KubeletLog, Evidence::Events],
    phases: &[Phase::Scheduling],
    logs: Some(|case| {
        let unacknowledged = case.spans(Phase::Unattributed).find(|span| {
            matches!(span.waited_for, Some(WaitedFor::UnacknowledgedByKubelet | WaitedFor::NodeNotReady))
        });
        if let Some(unacknowledged) = unacknowledged {
            return Some(Match {
                place: unacknowledged.place,
                waited_for: unacknowledged.waited_for.clone(),
                failing: unacknowledged.waited_for == Some(WaitedFor::NodeNotReady),
                also: &[Phase::Unattributed],
                ..Match::default()
            });
        }
        let matched = why(case).map_or_else(Match::default, Match::failing);
        // What the kubelet's own rate limit held back has a cause of its own.
        let Some(list) = case.throttled_list() else { return Some(matched) };
        let others = case.spans(Phase::Scheduling).filter(|span| *span != list);
        let within: Vec<_> = others.map(|span| (span.from, span.to)).collect();
        (!within.is_empty()).then_some(Match { within, ..matched })
    }),
    metrics: None,
};

/// Why the scheduler had no place for the pod, by its events: what an autoscaler does about it tells the most, what the scheduler
/// last said is what was in the way until the end.
fn why<'a>(case: &Case<'a>) -> Option<&'a Event> {
    let until = case.spans(Phase::Scheduling).map(|span| span.to).max()?;
    let failed = || {
        case.startup.scheduling.iter().filter(move |event| event.fact == Fact::SchedulingFailed && event.time <= until)
    };
    let scales = |event: &&Event| {
        matches!(event.fields.text(Field::Reason), Some("TriggeredScaleUp" | "NotTriggerScaleUp" | "Nominated"))
    };
    failed().rfind(scales).or_else(|| failed().next_back())
}
