//! The containers of a startup one after another, and its sandbox: each instant with how well it is known. Built from
//! the best evidence there is: the runtime's lines, else the kubelet's events (`-v=3`), else what its relist noticed.

use super::bounded_instant::BoundedInstant;
use super::container_run::ContainerRun;
use super::{object_timeline, relist, unlogged_exits};
use crate::model::record::{Fact, Field, RecordedTime, SourceLine, StartupRecord};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, Time};

/// Which lines the steps stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimelineSource {
    /// The runtime's own lines.
    Runtime,
    /// The kubelet's events, in its log from `-v=3`.
    Events,
    /// The kubelet's relist: instants are known to the relist only.
    Relist,
}

/// A startup's sandbox and containers.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What they stand on.
    pub source: TimelineSource,
    /// The times of the runtime's lines are known to the second only.
    pub whole_seconds: bool,
    /// The sandbox was asked for.
    pub sandbox_requested: Option<BoundedInstant>,
    /// It is ready.
    pub sandbox_ready: Option<BoundedInstant>,
    /// How often it was asked for.
    pub sandbox_attempts: usize,
    /// The containers in the order they were asked for.
    pub runs: Vec<ContainerRun>,
}

/// Whether the record proves that the pod pulled nothing.
pub fn never_pulled(startup: &Startup) -> bool {
    let Some(observed) = startup.observed.as_deref() else { return false };
    // A mirror's pulls are counted under the static pod's uid, so its record never shows any.
    if startup.static_pod {
        return false;
    }
    match (observed.sessions, observed.open_sessions) {
        (Some(ended), Some(open)) => ended == 0 && open == 0,
        _ => observed.first_pull == RecordedTime::Never,
    }
}

/// The record's own pulling time, from the first ask to the last end: waiting, back-off and, in older records, all that
/// lay between two pulls included.
pub fn pulling_time(observed: &StartupRecord) -> Option<Nanos> {
    if let Some(total) = observed.pulling {
        return Some(total);
    }
    if let (Some(first), Some(last)) = (observed.first_pull.time(), observed.last_pull.time()) {
        return Some(last - first);
    }
    // JSON logging loses the times, but the two durations differ by the pulling time.
    let (slo, e2e) = (observed.slo?, observed.e2e?);
    (observed.json && !crate::parse::startup_record::is_overflow(slo))
        .then(|| (e2e - Nanos::from_seconds(slo)).max(Nanos(0)))
}

/// Lays out a startup's sandbox and containers.
pub fn build(startup: &Startup) -> Timeline {
    if startup.by_objects {
        return of_objects(startup);
    }
    let by_runtime = startup.events.iter().any(|event| event.from_runtime && event.fact == Fact::ContainerRequested);
    let by_events = startup.events.iter().any(|event| !event.from_runtime && event.fact == Fact::ContainerStarted);
    let source = match (by_runtime, by_events) {
        (true, _) => TimelineSource::Runtime,
        (false, true) => TimelineSource::Events,
        _ => TimelineSource::Relist,
    };
    let mut sandboxes: Vec<&str> =
        startup.all(Fact::SandboxReady).filter_map(|event| event.fields.text(Field::Sandbox)).collect();
    if sandboxes.is_empty()
        && let Some(first) = startup.all(Fact::ContainerRequested).find_map(|event| event.fields.text(Field::Sandbox))
    {
        sandboxes.push(first);
    }
    if sandboxes.is_empty() {
        sandboxes.extend(relist::relisted_sandbox(startup));
    }
    let mut runs = match source {
        TimelineSource::Runtime => from_runtime(startup),
        TimelineSource::Events => from_events(startup),
        TimelineSource::Relist => Vec::new(),
    };
    if source != TimelineSource::Events {
        relist::relist(startup, &sandboxes, &mut runs, source == TimelineSource::Relist);
    } else {
        relist::relist_in_order(startup, &sandboxes, &mut runs);
    }
    runs.retain(|run| run.first_instant().is_some());
    runs.sort_by_key(ContainerRun::first_instant);
    if source == TimelineSource::Runtime {
        unlogged_exits::add(startup, &mut runs);
    }
    mark_init(startup, &mut runs);
    probes(startup, &mut runs);
    let (sandbox_requested, sandbox_ready, sandbox_attempts) = sandbox(startup, &sandboxes, &runs);
    let whole_seconds = startup.events.iter().any(|event| event.whole_second);
    Timeline { source, whole_seconds, sandbox_requested, sandbox_ready, sandbox_attempts, runs }
}

/// The same for a start that only the API's objects show.
fn of_objects(startup: &Startup) -> Timeline {
    let mut runs = from_events(startup);
    object_timeline::complete(startup, &mut runs);
    let sandbox_ready = object_timeline::sandbox_ready(startup, &runs);
    let failed = startup.all(Fact::SandboxFailed).count();
    Timeline {
        source: TimelineSource::Events,
        whole_seconds: false,
        sandbox_requested: None,
        sandbox_ready,
        sandbox_attempts: failed + usize::from(sandbox_ready.is_some()),
        runs,
    }
}

fn mark(event: &Event) -> BoundedInstant {
    BoundedInstant::of(event)
}

fn from_runtime(startup: &Startup) -> Vec<ContainerRun> {
    let mut runs: Vec<ContainerRun> = Vec::new();
    for event in startup.events.iter().filter(|event| event.from_runtime) {
        let (name, id) = (event.fields.text(Field::Container), event.fields.text(Field::ContainerId));
        let by_id = |runs: &[ContainerRun]| runs.iter().rposition(|run| id.is_some() && run.id.as_deref() == id);
        match event.fact {
            Fact::ContainerRequested => {
                let mut run = ContainerRun::new(name, None);
                run.requested = Some(mark(event));
                runs.push(run);
            }
            Fact::ContainerCreated => {
                let open = runs.iter().rposition(|run| run.id.is_none() && run.name.as_deref() == name);
                if let Some(run) = open.and_then(|at| runs.get_mut(at)) {
                    run.id = id.map(Into::into);
                }
            }
            Fact::ContainerStarted => {
                if let Some(run) = by_id(&runs).and_then(|at| runs.get_mut(at)) {
                    run.started.get_or_insert(mark(event));
                }
            }
            Fact::ContainerStopping => {
                if let Some(run) = by_id(&runs).and_then(|at| runs.get_mut(at)).filter(|run| run.exited.is_none()) {
                    run.stopped = true;
                }
            }
            Fact::ContainerExited => {
                if let Some(run) = by_id(&runs).and_then(|at| runs.get_mut(at)) {
                    run.exited.get_or_insert(mark(event));
                }
            }
            _ => {}
        }
    }
    // A quick container can end before the runtime has said that it started.
    for run in &mut runs {
        if let (Some(started), Some(exited)) = (run.started, run.exited)
            && exited.at < started.at
        {
            run.exited =
                Some(BoundedInstant { low: exited.at, ..BoundedInstant::between(exited.at, started.at, exited.place) });
        }
    }
    runs
}

fn from_events(startup: &Startup) -> Vec<ContainerRun> {
    let mut runs: Vec<ContainerRun> = Vec::new();
    for event in startup.events.iter().filter(|event| !event.from_runtime) {
        let Some(name) = event.fields.text(Field::Container) else { continue };
        let open = runs.iter_mut().rfind(|run| run.name.as_deref() == Some(name) && run.started.is_none());
        let init = event.fields.text(Field::Type).is_some_and(is_init);
        match event.fact {
            Fact::PullFinished | Fact::ImagePresent => match open {
                Some(run) => run.requested = Some(mark(event)),
                None => {
                    let mut run = ContainerRun::new(Some(name), None);
                    run.requested = Some(mark(event));
                    run.init = init;
                    runs.push(run);
                }
            },
            Fact::ContainerStarted => {
                if let Some(run) = open {
                    run.started = Some(mark(event));
                } else if !runs.iter().any(|run| run.name.as_deref() == Some(name)) {
                    let mut run = ContainerRun::new(Some(name), None);
                    run.started = Some(mark(event));
                    run.init = init;
                    runs.push(run);
                }
            }
            _ => {}
        }
    }
    runs
}

/// Events say `initContainers`, the kubelet's own line at `-v=4` says `init container`.
fn is_init(kind: &str) -> bool {
    kind.starts_with("init")
}

/// An init container ends before a container of another name is asked for the first time, and is not seen again.
fn mark_init(startup: &Startup, runs: &mut [ContainerRun]) {
    let typed = |run: &ContainerRun| {
        let name = run.name.as_deref()?;
        let event = startup.events.iter().find(|event| {
            event.fields.text(Field::Container) == Some(name) && event.fields.text(Field::Type).is_some()
        })?;
        event.fields.text(Field::Type).map(is_init)
    };
    // What ended after the pod ran was no init container.
    let ran = startup.running().or(startup.observed_at.map(|(written, _)| written)).unwrap_or(Time(i64::MAX));
    for number in 0..runs.len() {
        let Some((before, rest)) = runs.split_at_mut_checked(number + 1) else { break };
        let Some(run) = before.last() else { break };
        let ended = run.exited.map(|mark| mark.high).filter(|ended| *ended <= ran);
        let next = rest.iter().find(|later| later.name.is_none() || later.name != run.name);
        let again = |later: &ContainerRun| later.name.is_some() && later.name == run.name;
        // In a crash loop the same name comes again after others; an init container's does not once they have begun.
        let first_other = next.and_then(ContainerRun::first_instant);
        let comes_again = rest.iter().any(|later| again(later) && later.first_instant() > first_other);
        // One that fails is no init container that has done its work; one without a name may be any.
        let failed = run.name.is_none() && failed(startup, run);
        let by_order = !failed
            && matches!((ended, first_other), (Some(ended), Some(first_instant)) if ended <= first_instant)
            && !comes_again;
        // A sidecar is listed with the init containers, but goes on.
        let init = match typed(run) {
            Some(listed) => listed && ended.is_some() && by_order,
            None => by_order,
        };
        if let Some(run) = before.last_mut() {
            run.init = init;
        }
    }
}

/// Whether a run ended with an error, where the kubelet says how it ended.
fn failed(startup: &Startup, run: &ContainerRun) -> bool {
    let of_run = |event: &&Event| run.id.is_some() && event.fields.text(Field::ContainerId) == run.id.as_deref();
    let mut exits = startup.all(Fact::ContainerExited).filter(of_run);
    exits.any(|event| event.fields.number(Field::ExitCode).is_some_and(|code| code != 0))
}

/// A sidecar's start-up probe keeps the containers after it waiting: its passing is a line of its own.
fn probes(startup: &Startup, runs: &mut [ContainerRun]) {
    let passed: Vec<(Time, SourceLine)> = startup
        .all(Fact::ProbeResult)
        .filter(|event| event.fields.text(Field::Status) == Some("started"))
        .map(|event| (event.time, event.place))
        .collect();
    for number in 0..runs.len() {
        let next = runs.get(number + 1).and_then(ContainerRun::first_instant);
        let Some(run) = runs.get_mut(number) else { break };
        let (Some(started), Some(next), false) = (run.started, next, run.init) else { continue };
        run.probe_passed = passed.iter().copied().find(|(time, _)| *time > started.low && *time <= next);
    }
}

fn sandbox(
    startup: &Startup,
    sandboxes: &[&str],
    runs: &[ContainerRun],
) -> (Option<BoundedInstant>, Option<BoundedInstant>, usize) {
    let first_run = runs.iter().find_map(|run| run.requested.or(run.started));
    // The runtime's lines before the kubelet's own (`-v=4`), which lie around them.
    let build = |fact, from_runtime| startup.all(fact).filter(move |event: &&Event| event.from_runtime == from_runtime);
    let runtime_asks = build(Fact::SandboxRequested, true).count();
    let from_runtime = runtime_asks > 0;
    let mut ready = build(Fact::SandboxReady, from_runtime).next().map(mark);
    let needed: Vec<&Event> = startup.all(Fact::SandboxNeeded).collect();
    let noticed = startup
        .all(Fact::PlegEvent)
        .find(|event| event.fields.text(Field::ContainerId).is_some_and(|id| sandboxes.contains(&id)));
    let failed = startup.events.iter().find(|event| {
        event.fact == Fact::SandboxFailed || event.fields.text(Field::Reason) == Some("CreatePodSandboxError")
    });
    let requested = match build(Fact::SandboxRequested, from_runtime).next() {
        Some(event) => Some(mark(event)),
        // The last "no sandbox" line before anything came of it is where the volumes are done and the request follows.
        None => {
            let relisted = startup.first(Fact::PlegEvent).map(|event| event.time);
            let until = [failed.map(|event| event.time), ready.map(|m| m.at), relisted, startup.running()];
            let until = until.into_iter().flatten().min();
            let last = needed.iter().rfind(|event| until.is_none_or(|until| event.time <= until));
            last.map(|event| mark(event).inferred())
        }
    };
    // The kubelet's own lines lie around the runtime's call by what a loaded node takes to get there and back.
    if let (Some(requested), Some(ready), false) = (requested, ready.as_mut(), from_runtime) {
        ready.low = requested.at.min(ready.at);
    }
    let ready = ready.or_else(|| {
        let requested = requested?;
        let observed = startup.observed.as_deref();
        let first_pull = observed.and_then(|observed| observed.first_pull.time());
        let seen = noticed.map(|event| (event.time, event.place));
        let began =
            first_run.filter(|mark| mark.low == mark.high).map(|mark| (mark.at, mark.place.unwrap_or_default()));
        let pulled = first_pull.and_then(|time| Some((time, startup.observed_at?.1)));
        let (high, place) = [seen, began, pulled].into_iter().flatten().min()?;
        // While it still failed it was not there.
        let failing = startup
            .all(Fact::SyncFailed)
            .rfind(|event| event.time <= high && event.fields.text(Field::Reason) == Some("CreatePodSandboxError"));
        let low = failing.map_or(requested.low, |event| event.time).min(high);
        let mark = BoundedInstant::between(low, high, Some(place));
        // The first pull is asked for right after the sandbox is there.
        Some(if pulled.is_some_and(|(time, _)| time == high) { mark.inferred() } else { mark })
    });
    let failures = startup
        .all(Fact::SyncFailed)
        .filter(|event| event.fields.text(Field::Reason) == Some("CreatePodSandboxError"))
        .count();
    let attempts = if from_runtime { runtime_asks } else { failures + usize::from(ready.is_some()) };
    (requested, ready, attempts)
}

/// The record's pulling time, when it is the pod's own.
pub fn own_pulling_time(startup: &Startup) -> Option<Nanos> {
    pulling_time(startup.observed.as_deref()?)
}
