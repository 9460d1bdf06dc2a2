//! How a start ended that only the API's objects show.

use super::anomaly::Anomaly;
use super::bounded_instant::BoundedInstant;
use super::outcome::Outcome;
use super::timeline::Timeline;
use crate::model::pod_status::{ContainerStatus, PodStatus};
use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Startup, State};
use crate::model::time::{Nanos, SECOND, Time};

/// A container that waits to be started again so soon after its first start is in a crash loop; the longest back-off is 300 s.
const CRASH_LOOP: Nanos = Nanos(330 * SECOND);
/// A status that says so much later that all containers are ready does not tell when they ran.
const LATE_STATUS: Nanos = Nanos(60 * SECOND);

/// The outcome.
pub(super) fn outcome(startup: &Startup, timeline: &Timeline, anomalies: &mut Vec<Anomaly>) -> Outcome {
    let nothing = PodStatus::default();
    let status = startup.object.as_deref().unwrap_or(&nothing);
    let latest = startup.context.log_end.max(startup.last_event);
    let open = |state| Outcome::did_not_come_up(state, latest);
    let first_start = |name: &str| {
        let mine = timeline.runs.iter().filter(|run| run.name.as_deref() == Some(name));
        mine.filter_map(|run| run.started).min_by_key(|started| started.at)
    };
    let mains: Vec<&ContainerStatus> = status.main().collect();
    let mut ran: Option<BoundedInstant> = None;
    let mut unknown = false;
    if mains.is_empty() {
        // Events alone do not show whether a container is missing.
        let starts = || timeline.runs.iter().filter(|run| !run.init).filter_map(|run| run.started);
        ran = starts().max_by_key(|mark| mark.at);
        let soon = |event: &&Event| starts().any(|first| event.time - first.at < CRASH_LOOP);
        if let Some(waits) = back_offs(startup).filter(soon).map(|event| event.time).max() {
            note_crash_loop(anomalies);
            if ran.is_none_or(|last| last.at <= waits) {
                return open(State::Starting);
            }
        }
    }
    for container in &mains {
        let Some(first) = first_start(&container.name) else {
            if container.started.is_none() {
                return not_started(startup, status, latest);
            }
            let soon =
                |(started, _): (Time, Time)| status.created.is_some_and(|created| started - created < CRASH_LOOP);
            if !container.running && container.exited_quickly() && container.previous.is_some_and(soon) {
                note_crash_loop(anomalies);
                return open(State::Starting);
            }
            unknown = true;
            continue;
        };
        let back_off = back_offs(startup).find(|event| {
            event.fields.text(Field::Container) == Some(&container.name) && event.time - first.at < CRASH_LOOP
        });
        let soon = container.previous.is_some_and(|(started, _)| started - first.at < CRASH_LOOP);
        let quick = soon && container.exited_quickly();
        let start = match (back_off.is_some() || quick, container.running, container.started) {
            (false, ..) => first,
            (true, true, Some(again)) => {
                note_crash_loop(anomalies);
                let again = BoundedInstant::between(again, again + Nanos(SECOND), first.place);
                if again.at > first.at { again } else { first }
            }
            (true, ..) => {
                note_crash_loop(anomalies);
                return open(State::Starting);
            }
        };
        ran = Some(ran.filter(|ran| ran.at >= start.at).unwrap_or(start));
    }
    match ran {
        Some(ran) if !unknown => {
            let ran = seen_running(status, ran);
            Outcome { state: State::Running, end: ran.at, ran: Some(ran), end_known: true }
        }
        _ if unknown => Outcome { state: State::Running, end: latest, ran: None, end_known: false },
        _ => not_started(startup, status, latest),
    }
}

/// The waits before a container is started again.
fn back_offs(startup: &Startup) -> impl Iterator<Item = &Event> {
    let waits = |event: &&Event| event.fields.text(Field::Reason) == Some("CrashLoopBackOff");
    startup.all(Fact::ContainerFailed).filter(waits)
}

fn note_crash_loop(anomalies: &mut Vec<Anomaly>) {
    if !anomalies.contains(&Anomaly::CrashLoop) {
        anomalies.push(Anomaly::CrashLoop);
    }
}

fn not_started(startup: &Startup, status: &PodStatus, latest: Time) -> Outcome {
    if *status.phase == *"Failed" {
        let last = startup.events.iter().map(|event: &Event| event.time).max();
        return Outcome::did_not_come_up(State::Failed, last.or(status.latest).unwrap_or(latest));
    }
    match status.deleted {
        Some(deleted) => Outcome::did_not_come_up(State::Gone, deleted.min(latest)),
        None => Outcome::did_not_come_up(State::Starting, latest),
    }
}

/// The kubelet notices the last container, and sets the condition with the status in which all run; where no probe delays it,
/// that second tells when. It was after the container's start.
fn seen_running(status: &PodStatus, ran: BoundedInstant) -> BoundedInstant {
    let restarted = status.main().any(|container| container.restarts > 0);
    let Some(ready) = status.containers_ready.filter(|_| !status.probed && !restarted) else { return ran };
    let high = ready + Nanos(SECOND);
    if high < ran.low || !status.post_start && ready - ran.low > LATE_STATUS {
        return ran;
    }
    BoundedInstant {
        at: high.max(ran.low),
        low: ready.max(ran.low),
        high: high.max(ran.low),
        inferred: false,
        place: ran.place,
    }
}

/// The same of a start that logs show, but not its record: a postStart hook runs on after the last container has started, and the
/// kubelet says that the pod runs when it has ended.
pub(super) fn after_hook(startup: &Startup, ran: BoundedInstant) -> BoundedInstant {
    let status = startup.object.as_deref().filter(|status| status.post_start);
    status.map_or(ran, |status| seen_running(status, ran))
}
