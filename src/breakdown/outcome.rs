//! How a startup ended, by the best evidence there is: the record, else the runtime's last StartContainer, else the
//! kubelet's relist.

use super::anomaly::Anomaly;
use super::bounded_instant::BoundedInstant;
use super::container_run::ContainerRun;
use super::failures::failures;
use super::object_outcome;
use super::timeline::{Timeline, TimelineSource};
use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Startup, State};
use crate::model::time::{Nanos, SECOND, Time};
use crate::parse::value;

/// How long a container that exited waits before it is started again the first time.
const BACKOFF: Nanos = Nanos(10 * SECOND);
/// How long at most.
const LONGEST_BACKOFF: Nanos = Nanos(300 * SECOND);
/// A waiting container is looked at again after this (captures: every 10 to 15 s).
const BACKOFF_SYNC: Nanos = Nanos(15 * SECOND);

/// How a startup ended.
pub(super) struct Outcome {
    pub(super) state: State,
    /// The instant its breakdown reaches to.
    pub(super) end: Time,
    /// When all its containers ran.
    pub(super) ran: Option<BoundedInstant>,
    /// `end` is where its start ended, or how far the log shows it.
    pub(super) end_known: bool,
}

impl Outcome {
    fn ran(at: BoundedInstant) -> Self {
        Outcome { state: State::Running, end: at.at, ran: Some(at), end_known: true }
    }

    pub(super) fn did_not_come_up(state: State, end: Time) -> Self {
        Outcome { state, end, ran: None, end_known: true }
    }
}

/// The outcome of a startup that was created and seen on the watch at these instants, where they are known.
pub(super) fn outcome(
    startup: &Startup,
    timeline: &Timeline,
    created: Option<Time>,
    watched: Option<Time>,
    anomalies: &mut Vec<Anomaly>,
) -> Outcome {
    if startup.by_objects {
        return object_outcome::outcome(startup, timeline, anomalies);
    }
    if startup.observed.is_some() {
        if let Some(outcome) = crash_loop(startup, timeline) {
            anomalies.push(Anomaly::CrashLoop);
            return outcome;
        }
        let ran = by_record(startup, timeline, created, watched);
        let end = watched.unwrap_or(startup.last_event);
        return Outcome { state: State::Running, end, ran, end_known: watched.is_some() && created.is_some() };
    }
    if let Some(rejected) = startup.rejected {
        return Outcome::did_not_come_up(State::Failed, rejected);
    }
    if let Some(ran) = by_runtime(startup, timeline).or_else(|| by_relist(startup, timeline)) {
        if startup.mirror.is_none() {
            anomalies.push(Anomaly::NoRecord);
        }
        return Outcome::ran(object_outcome::after_hook(startup, ran));
    }
    if startup.mirror.is_some() {
        // Its mirror was seen running, which shows nothing of when it began to.
        return Outcome { state: State::Running, end: startup.last_event, ran: None, end_known: false };
    }
    match (startup.deleted, ended(startup)) {
        (Some(deleted), _) => Outcome::did_not_come_up(State::Gone, deleted),
        (None, Some(ended)) if failures(startup).next().is_some() => Outcome::did_not_come_up(State::Gone, ended),
        (None, Some(ended)) => Outcome { state: State::Ended, end: ended, ran: None, end_known: false },
        (None, None) => Outcome::did_not_come_up(State::Starting, startup.context.log_end.max(startup.last_event)),
    }
}

/// A container that the record counts as running exited at once, and again: the pod is up when it stays.
fn crash_loop(startup: &Startup, timeline: &Timeline) -> Option<Outcome> {
    let running = startup.running().or(startup.observed_at.map(|(written, _)| written))?;
    let waits = startup
        .events
        .iter()
        .rfind(|event| event.time > running && event.fields.text(Field::Reason) == Some("CrashLoopBackOff"));
    let started = |run: &&ContainerRun| run.started.is_some_and(|started| started.low > running);
    let last = timeline.runs.iter().filter(started).max_by_key(|run| run.started.map(|started| started.at));
    if waits.is_none() && last.is_none() {
        return None;
    }
    let waits = waits.filter(|waits| last.and_then(|run| run.started).is_none_or(|last| waits.time > last.at));
    let log_end = startup.context.log_end.max(startup.last_event);
    let shows_starts = timeline.runs.iter().any(|run| run.started.is_some());
    let up = match (waits, last) {
        // Where no line shows starts: it is started when its back-off is over, and the line comes again if it exits again. Kubelets
        // before 1.33 write it with each sync meanwhile.
        (Some(waits), None) if !shows_starts => {
            let high = waits.time + back_off(waits) + BACKOFF_SYNC;
            (log_end - high > BACKOFF_SYNC).then(|| BoundedInstant::between(waits.time, high, Some(waits.place)))
        }
        (None, Some(run)) if stayed(startup, run) => run.started,
        _ => None,
    };
    let down = || match startup.deleted {
        Some(deleted) => Outcome::did_not_come_up(State::Gone, deleted),
        None => Outcome::did_not_come_up(State::Starting, log_end),
    };
    Some(up.map_or_else(down, Outcome::ran))
}

/// How long a container waits by a line that says so: `back-off 1m20s restarting failed container=…`.
fn back_off(waits: &Event) -> Nanos {
    let error = waits.fields.text(Field::Error).unwrap_or(waits.fields.line());
    let length = error.split_once("back-off ").and_then(|(_, rest)| value::duration(rest.split(' ').next()?));
    length.unwrap_or(LONGEST_BACKOFF).clamp(BACKOFF, LONGEST_BACKOFF)
}

/// Whether a container that had exited before stays this time: until the pod is deleted, or for longer than what fails at once.
fn stayed(startup: &Startup, run: &ContainerRun) -> bool {
    let exited = run.exited.map(|exited| exited.at).or(run.exit_noticed.map(|(noticed, _)| noticed));
    let (Some(started), Some(exited)) = (run.started, exited) else { return run.started.is_some() };
    exited - started.at >= BACKOFF || startup.deleted.is_some_and(|deleted| deleted <= exited)
}

/// By the record. JSON logging and truncated records leave only the watch's instant: it ran before that, and after its
/// last container started.
fn by_record(
    startup: &Startup,
    timeline: &Timeline,
    created: Option<Time>,
    watched: Option<Time>,
) -> Option<BoundedInstant> {
    let place = startup.observed_at.map(|(_, place)| place);
    if let Some(running) = startup.running() {
        return Some(BoundedInstant { at: running, low: running, high: running, inferred: false, place });
    }
    let watched = watched?;
    let main = timeline.runs.iter().filter(|run| !run.init).filter_map(|run| run.started);
    let started = main.map(|started| started.low).filter(|low| *low <= watched).max();
    Some(BoundedInstant::between(started.or(created)?, watched, place))
}

/// When the pod was being taken down after an instant.
fn ended(startup: &Startup) -> Option<Time> {
    let last_start = startup.all(Fact::SandboxRequested).next_back().map(|event| event.time);
    let removed = startup.all(Fact::SandboxRemoved).find(|event| last_start.is_none_or(|start| event.time > start));
    let unmounted = startup.first(Fact::VolumeUnmounted);
    removed.into_iter().chain(unmounted).map(|event| event.time).min()
}

/// The last container that the runtime started, unless something still was to come after it.
fn by_runtime(startup: &Startup, timeline: &Timeline) -> Option<BoundedInstant> {
    if timeline.source != TimelineSource::Runtime {
        return None;
    }
    let last = timeline.runs.iter().max_by_key(|run| run.requested.or(run.started).map(|mark| mark.at))?;
    let started = last.started?;
    let failed_later = startup.events.iter().any(|event| {
        matches!(event.fact, Fact::SyncFailed | Fact::NetworkNotReady | Fact::ContainerFailed)
            && event.time > started.at
    });
    let taken_down = [startup.deleted, ended(startup)].into_iter().flatten().min();
    // What exits by itself is an init container's, a Job's, or comes again: only a Job's pod is taken down then.
    let stays = last.exited.is_none() || last.stopped || taken_down.is_some() || was_up(startup, timeline, last);
    (!failed_later && stays && !last.init).then_some(started)
}

/// Whether the last container was up, though it has exited since and no line shows the pod's end: it ran for longer than what fails
/// at once, or nothing came after it for longer than the first back-off.
fn was_up(startup: &Startup, timeline: &Timeline, last: &ContainerRun) -> bool {
    let (Some(started), Some(exited)) = (last.started, last.exited) else { return false };
    let again = timeline.runs.iter().filter(|run| run.name == last.name).count() > 1;
    let quiet = startup.context.log_end - exited.at;
    !again && (exited.at - started.at >= BACKOFF || quiet > BACKOFF + BACKOFF)
}

/// The last container that the relist noticed, where two things live: one of them is the sandbox.
fn by_relist(startup: &Startup, timeline: &Timeline) -> Option<BoundedInstant> {
    let relisted = |kind: &'static str| {
        startup.all(Fact::PlegEvent).filter(move |event| event.fields.text(Field::Type) == Some(kind))
    };
    let deleted = startup.deleted.unwrap_or(Time(i64::MAX));
    let id = |event: &Event| event.fields.text(Field::ContainerId).map(Box::<str>::from);
    let died_later = |started: &Event| {
        relisted("ContainerDied")
            .any(|died| id(died) == id(started) && died.time >= started.time && died.time < deleted)
    };
    let alive: Vec<&Event> =
        relisted("ContainerStarted").filter(|started| started.time < deleted && !died_later(started)).collect();
    let mut ids: Vec<_> = alive.iter().filter_map(|event| id(event)).collect();
    ids.sort_unstable();
    ids.dedup();
    let first_notice = |wanted: &str| alive.iter().find(|event| id(event).as_deref() == Some(wanted)).copied();
    let last = ids.iter().filter_map(|id| first_notice(id)).max_by_key(|event| event.time)?;
    let last_failure =
        startup.events.iter().rfind(|event| matches!(event.fact, Fact::SyncFailed | Fact::NetworkNotReady));
    let init_later =
        timeline.runs.iter().any(|run| run.init && run.exit_noticed.is_some_and(|(time, _)| time > last.time));
    if ids.len() < 2 || last_failure.is_some_and(|failure| failure.time >= last.time) || init_later {
        return None;
    }
    // One relist may notice the sandbox after its containers: the bound is theirs.
    let started = timeline.runs.iter().filter(|run| run.id.as_ref().is_some_and(|id| ids.contains(id)));
    let low = started.filter_map(|run| run.started).map(|started| started.low).max().unwrap_or(last.time);
    Some(BoundedInstant::between(low, last.time, Some(last.place)))
}
