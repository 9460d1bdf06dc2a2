//! A runtime's log whose times have no fraction of a second (CRI-O's JSON logging): each of its instants lies within a second.
//! The order of its lines, and the kubelet's lines about the same steps, make that narrower.

use super::bounded_instant::BoundedInstant;
use super::timeline::{self, Timeline};
use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, SECOND, Time};

/// How much later than its stamp an instant may be.
pub(super) const SECOND_LONG: Nanos = Nanos(SECOND);

/// The latest that an instant may be.
pub(super) fn latest(at: Time, whole_second: bool) -> Time {
    if whole_second { Time(at.0.div_euclid(SECOND) * SECOND) + SECOND_LONG } else { at }
}

/// Lines of the kubelet after which it asks the runtime for the sandbox.
fn precedes_sandbox(event: &Event) -> bool {
    let fact = matches!(
        event.fact,
        Fact::PodAdded
            | Fact::PodAdmitted
            | Fact::SyncStarted
            | Fact::SandboxNeeded
            | Fact::VolumeMounted
            | Fact::VolumesReady
    );
    fact && !event.from_runtime
}

/// Narrows the bounds of a timeline's instants by each other: they are in the order of their lines.
pub(super) fn narrow(startup: &Startup, timeline: &mut Timeline) {
    if !timeline.whole_seconds {
        return;
    }
    // So far each is a little later than the one before it.
    for mark in in_order(timeline).filter(|mark| mark.low < mark.high) {
        mark.high = latest(mark.low, true).min(mark.high);
        mark.low = mark.high - SECOND_LONG;
    }
    by_kubelet(startup, timeline);
    let mut chain: Vec<&mut BoundedInstant> = in_order(timeline).collect();
    let mut latest = Time(i64::MAX);
    for mark in chain.iter_mut().rev() {
        // What contradicts the order is no bound.
        latest = if latest < mark.low { mark.high } else { latest.min(mark.high) };
        mark.high = latest;
    }
    let mut earliest = Time(i64::MIN);
    for mark in &mut chain {
        earliest = if earliest > mark.high { mark.low } else { earliest.max(mark.low) };
        mark.low = earliest;
        // The kubelet's own line right before the request is the better time for it.
        mark.at = if mark.inferred { mark.at.clamp(mark.low, mark.high) } else { mark.high };
    }
    for run in &mut timeline.runs {
        if let (Some(started), Some(exited)) = (run.started, run.exited.as_mut()) {
            exited.low = exited.low.max(started.low).min(exited.high);
        }
    }
}

/// The instants of sandbox and containers, one after the other.
fn in_order(timeline: &mut Timeline) -> impl Iterator<Item = &mut BoundedInstant> {
    let runs = timeline.runs.iter_mut().flat_map(|run| run.requested.iter_mut().chain(&mut run.started));
    timeline.sandbox_requested.iter_mut().chain(&mut timeline.sandbox_ready).chain(runs)
}

/// What the kubelet's lines say of the same steps.
fn by_kubelet(startup: &Startup, timeline: &mut Timeline) {
    let observed = startup.observed.as_deref();
    let pulling = timeline::own_pulling_time(startup).filter(|_| timeline.runs.len() == 1);
    let first_pull = observed.and_then(|observed| observed.first_pull.time());
    let running = startup.running();
    if let Some(asked) = &mut timeline.sandbox_requested
        && let Some(before) = startup.events.iter().rfind(|event| precedes_sandbox(event) && event.time <= asked.high)
        && before.time >= asked.low
    {
        asked.low = before.time;
        if before.fact == Fact::SandboxNeeded {
            (asked.at, asked.inferred) = (before.time, true);
        }
    }
    let noticed = startup.all(Fact::PlegEvent).find(|event| {
        let id = event.fields.text(Field::ContainerId);
        id.is_some_and(|id| startup.all(Fact::SandboxReady).any(|ready| ready.fields.text(Field::Sandbox) == Some(id)))
    });
    let requested = timeline.runs.first().and_then(|run| run.requested).map(|requested| requested.high);
    if let Some(ready) = &mut timeline.sandbox_ready {
        // The pulling lies between the two.
        let before_pull = requested.zip(pulling).map(|(requested, pulling)| requested - pulling);
        for high in [noticed.map(|event| event.time), first_pull, before_pull].into_iter().flatten() {
            if high >= ready.low {
                ready.high = ready.high.min(high);
            }
        }
    }
    let mut exited: Option<Time> = None;
    let ready = timeline.sandbox_ready.map(|ready| ready.low);
    for (number, run) in timeline.runs.iter_mut().enumerate() {
        if let Some(requested) = &mut run.requested {
            let pulled = ready.zip(pulling).filter(|_| number == 0).map(|(ready, pulling)| ready + pulling);
            for low in [exited, pulled].into_iter().flatten() {
                if low <= requested.high {
                    requested.low = requested.low.max(low);
                }
            }
        }
        if let Some(started) = &mut run.started {
            let seen = [run.noticed, run.exit_noticed].into_iter().flatten().map(|(time, _)| time);
            for high in seen.chain(running.filter(|_| !run.init)) {
                if high >= started.low {
                    started.high = started.high.min(high);
                }
            }
        }
        // The container after an init container is asked for once the kubelet has noticed the end.
        exited = run.exit_noticed.map(|(time, _)| time).filter(|_| run.init);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breakdown::container_run::ContainerRun;
    use crate::breakdown::timeline::TimelineSource;

    fn second(from: i64) -> BoundedInstant {
        BoundedInstant::between(Time(from), Time(from) + SECOND_LONG, None)
    }

    fn timeline(asked: i64, ready: i64, requested: i64, started: i64) -> Timeline {
        let mut run = ContainerRun::new(Some("app"), Some("a1"));
        (run.requested, run.started) = (Some(second(requested)), Some(second(started)));
        Timeline {
            source: TimelineSource::Runtime,
            whole_seconds: true,
            sandbox_requested: Some(second(asked)),
            sandbox_ready: Some(second(ready)),
            sandbox_attempts: 1,
            runs: vec![run],
        }
    }

    #[test]
    fn instants_are_bounded_by_the_lines_around_them() {
        let mut of = timeline(0, 1, 2, 3);
        of.runs[0].noticed = Some((Time(SECOND / 2), Default::default()));
        narrow(&Startup::default(), &mut of);
        let bounds = |mark: Option<BoundedInstant>| mark.map(|mark| (mark.low.0, mark.at.0, mark.high.0)).unwrap();
        let half = SECOND / 2;
        // All four are before the relist that noticed the container.
        assert_eq!(bounds(of.sandbox_requested), (0, half, half));
        assert_eq!(bounds(of.sandbox_ready), (0, half, half));
        assert_eq!(bounds(of.runs[0].requested), (0, half, half));
        assert_eq!(bounds(of.runs[0].started), (0, half, half));
    }

    #[test]
    fn lines_that_contradict_the_order_are_no_bounds() {
        let mut of = timeline(0, 7 * SECOND, 2, 3);
        narrow(&Startup::default(), &mut of);
        for mark in [of.sandbox_requested, of.sandbox_ready, of.runs[0].requested, of.runs[0].started] {
            let mark = mark.unwrap();
            assert!(mark.low <= mark.at && mark.at <= mark.high, "{mark:?}");
        }
    }
}
