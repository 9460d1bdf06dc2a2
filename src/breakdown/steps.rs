//! The containers of a startup one after another, and its sandbox: each instant with how well it is known. Built from
//! the best evidence there is: the runtime's lines, else the kubelet's events (`-v=3`), else what its relist noticed.

use crate::model::record::{Fact, Field, RecordedTime, SourceLine, StartupRecord};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, SECOND, Time};

/// An instant, with how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundedInstant {
    /// The instant the breakdown works with: the latest possible one when it is not exact.
    pub at: Time,
    /// It was not before.
    pub low: Time,
    /// It was not after.
    pub high: Time,
    /// It follows from other lines by a rule that is nearly always right, not from a line that says it.
    pub inferred: bool,
    /// The line it stands on.
    pub place: Option<SourceLine>,
}

impl BoundedInstant {
    /// An instant that a line tells.
    pub fn exact(at: Time, place: SourceLine) -> Self {
        BoundedInstant { at, low: at, high: at, inferred: false, place: Some(place) }
    }

    /// An instant between two others; it is put at the later one, so that each phase reaches up to the first evidence
    /// of what follows it.
    pub fn between(low: Time, high: Time, place: Option<SourceLine>) -> Self {
        BoundedInstant { at: high, low: low.min(high), high, inferred: false, place }
    }

    /// The same, known from a rule.
    #[must_use]
    pub fn by_rule(mut self) -> Self {
        self.inferred = true;
        self
    }

    /// No bound of it is later than `end`.
    #[must_use]
    pub fn not_after(self, end: Time) -> Self {
        BoundedInstant { at: self.at.min(end), low: self.low.min(end), high: self.high.min(end), ..self }
    }
}

/// Which lines the steps stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The runtime's own lines.
    Runtime,
    /// The kubelet's events, in its log from `-v=3`.
    Events,
    /// The kubelet's relist: instants are known to the relist only.
    Relist,
}

/// One container's way.
#[derive(Clone, Debug)]
pub struct ContainerRun {
    /// Its name, when a line tells it.
    pub name: Option<Box<str>>,
    /// Its id, when a line tells it.
    pub id: Option<Box<str>>,
    /// `CreateContainer` began; with events: its image was there.
    pub asked: Option<BoundedInstant>,
    /// It runs.
    pub started: Option<BoundedInstant>,
    /// It ended.
    pub exited: Option<BoundedInstant>,
    /// The relist noticed that it runs.
    pub noticed: Option<(Time, SourceLine)>,
    /// The relist noticed that it ended.
    pub exit_noticed: Option<(Time, SourceLine)>,
    /// It is a regular init container.
    pub init: bool,
    /// A sidecar's start-up probe passed.
    pub probed: Option<(Time, SourceLine)>,
}

impl ContainerRun {
    fn new(name: Option<&str>, id: Option<&str>) -> Self {
        ContainerRun {
            name: name.map(Into::into),
            id: id.map(Into::into),
            asked: None,
            started: None,
            exited: None,
            noticed: None,
            exit_noticed: None,
            init: false,
            probed: None,
        }
    }

    /// When the kubelet could go on to the next container.
    pub fn done(&self) -> Option<Time> {
        if self.init || self.started.is_none() {
            let exited = self.exit_noticed.map(|(time, _)| time).or(self.exited.map(|mark| mark.at));
            return exited.or(self.started.map(|mark| mark.at));
        }
        self.probed.map(|(time, _)| time).or(self.started.map(|mark| mark.at))
    }

    fn begins(&self) -> Option<Time> {
        self.asked
            .or(self.started)
            .map(|mark| mark.at)
            .or(self.noticed.map(|(time, _)| time))
            .or(self.exit_noticed.map(|(time, _)| time))
    }
}

/// A startup's sandbox and containers.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// What they stand on.
    pub evidence: Evidence,
    /// The sandbox was asked for.
    pub sandbox_asked: Option<BoundedInstant>,
    /// It is ready.
    pub sandbox_ready: Option<BoundedInstant>,
    /// How often it was asked for.
    pub sandbox_attempts: usize,
    /// The containers in the order they were asked for.
    pub steps: Vec<ContainerRun>,
}

/// Whether the record proves that the pod pulled nothing.
pub fn never_pulled(startup: &Startup) -> bool {
    let Some(observed) = startup.observed.as_deref() else { return false };
    // A mirror's pulls are counted under the static pod's uid, so its record never shows any.
    if startup.mirror {
        return false;
    }
    match (observed.sessions, observed.open_sessions) {
        (Some(ended), Some(open)) => ended == 0 && open == 0,
        _ => observed.first_pull == RecordedTime::Never,
    }
}

/// The record's own pulling time, from the first ask to the last end: waiting, back-off and, in older records, all that
/// lay between two pulls included.
pub fn pulling(observed: &StartupRecord) -> Option<Nanos> {
    if let Some(total) = observed.pulling {
        return Some(total);
    }
    if let (Some(first), Some(last)) = (observed.first_pull.time(), observed.last_pull.time()) {
        return Some(last - first);
    }
    // JSON logging loses the times, but the two durations differ by the pulling time.
    let (slo, e2e) = (observed.slo?, observed.e2e?);
    (observed.json && !crate::parse::observed::is_overflow(slo)).then(|| (e2e - Nanos::from_seconds(slo)).max(Nanos(0)))
}

/// Lays out a startup's sandbox and containers.
pub fn of(startup: &Startup) -> Timeline {
    let by_runtime = startup.events.iter().any(|event| event.by_runtime && event.fact == Fact::ContainerAsked);
    let by_events = startup.events.iter().any(|event| !event.by_runtime && event.fact == Fact::ContainerStarted);
    let evidence = match (by_runtime, by_events) {
        (true, _) => Evidence::Runtime,
        (false, true) => Evidence::Events,
        _ => Evidence::Relist,
    };
    let mut sandboxes: Vec<&str> =
        startup.all(Fact::SandboxReady).filter_map(|event| event.fields.text(Field::Sandbox)).collect();
    if sandboxes.is_empty()
        && let Some(first) = startup.all(Fact::ContainerAsked).find_map(|event| event.fields.text(Field::Sandbox))
    {
        sandboxes.push(first);
    }
    if sandboxes.is_empty() {
        sandboxes.extend(relisted_sandbox(startup));
    }
    let mut steps = match evidence {
        Evidence::Runtime => from_runtime(startup),
        Evidence::Events => from_events(startup),
        Evidence::Relist => Vec::new(),
    };
    if evidence != Evidence::Events {
        relist(startup, &sandboxes, &mut steps, evidence == Evidence::Relist);
    } else {
        relist_in_order(startup, &sandboxes, &mut steps);
    }
    steps.retain(|step| step.begins().is_some());
    steps.sort_by_key(ContainerRun::begins);
    mark_init(startup, &mut steps);
    probes(startup, &mut steps);
    let (sandbox_asked, sandbox_ready, sandbox_attempts) = sandbox(startup, &sandboxes, &steps);
    Timeline { evidence, sandbox_asked, sandbox_ready, sandbox_attempts, steps }
}

/// The sandbox's id by the relist alone. Within one relist the kubelet names the containers first and the sandbox last
/// (seen in every such case of the captures); a sandbox noticed on its own comes first.
fn relisted_sandbox(startup: &Startup) -> Option<&str> {
    let started: Vec<&Event> = startup
        .all(Fact::PlegEvent)
        .filter(|event| event.fields.text(Field::Type) == Some("ContainerStarted"))
        .collect();
    let first = started.first()?;
    // Lines of one relist are written within a millisecond or two.
    let mut together = started.iter().filter(|event| event.time - first.time < Nanos(SECOND / 20));
    together.next_back()?.fields.text(Field::ContainerId)
}

fn mark(event: &Event) -> BoundedInstant {
    BoundedInstant::exact(event.time, event.place)
}

fn from_runtime(startup: &Startup) -> Vec<ContainerRun> {
    let mut steps: Vec<ContainerRun> = Vec::new();
    for event in startup.events.iter().filter(|event| event.by_runtime) {
        let (name, id) = (event.fields.text(Field::Container), event.fields.text(Field::ContainerId));
        let by_id = |steps: &[ContainerRun]| steps.iter().rposition(|step| id.is_some() && step.id.as_deref() == id);
        match event.fact {
            Fact::ContainerAsked => {
                let mut step = ContainerRun::new(name, None);
                step.asked = Some(mark(event));
                steps.push(step);
            }
            Fact::ContainerCreated => {
                let open = steps.iter().rposition(|step| step.id.is_none() && step.name.as_deref() == name);
                if let Some(step) = open.and_then(|at| steps.get_mut(at)) {
                    step.id = id.map(Into::into);
                }
            }
            Fact::ContainerStarted => {
                if let Some(step) = by_id(&steps).and_then(|at| steps.get_mut(at)) {
                    step.started.get_or_insert(mark(event));
                }
            }
            Fact::ContainerExited => {
                if let Some(step) = by_id(&steps).and_then(|at| steps.get_mut(at)) {
                    step.exited.get_or_insert(mark(event));
                }
            }
            _ => {}
        }
    }
    // A quick container can end before the runtime has said that it started.
    for step in &mut steps {
        if let (Some(started), Some(exited)) = (step.started, step.exited)
            && exited.at < started.at
        {
            step.exited =
                Some(BoundedInstant { low: exited.at, ..BoundedInstant::between(exited.at, started.at, exited.place) });
        }
    }
    steps
}

fn from_events(startup: &Startup) -> Vec<ContainerRun> {
    let mut steps: Vec<ContainerRun> = Vec::new();
    for event in startup.events.iter().filter(|event| !event.by_runtime) {
        let Some(name) = event.fields.text(Field::Container) else { continue };
        let open = steps.iter_mut().rfind(|step| step.name.as_deref() == Some(name) && step.started.is_none());
        let init = event.fields.text(Field::Type).is_some_and(is_init);
        match event.fact {
            Fact::PullEnded | Fact::ImagePresent => match open {
                Some(step) => step.asked = Some(mark(event)),
                None => {
                    let mut step = ContainerRun::new(Some(name), None);
                    step.asked = Some(mark(event));
                    step.init = init;
                    steps.push(step);
                }
            },
            Fact::ContainerStarted => {
                if let Some(step) = open {
                    step.started = Some(mark(event));
                } else if !steps.iter().any(|step| step.name.as_deref() == Some(name)) {
                    let mut step = ContainerRun::new(Some(name), None);
                    step.started = Some(mark(event));
                    step.init = init;
                    steps.push(step);
                }
            }
            _ => {}
        }
    }
    steps
}

/// Adds what the relist noticed to steps known by id; with `make`, a container only the relist knows becomes a step.
fn relist(startup: &Startup, sandboxes: &[&str], steps: &mut Vec<ContainerRun>, make: bool) {
    for event in startup.events.iter().filter(|event| !event.by_runtime) {
        let Some(id) = event.fields.text(Field::ContainerId).filter(|id| !sandboxes.contains(id)) else { continue };
        let kind = match event.fact {
            Fact::PlegEvent => event.fields.text(Field::Type).unwrap_or_default(),
            Fact::ContainerExited => "ContainerDied",
            _ => continue,
        };
        if !matches!(kind, "ContainerStarted" | "ContainerDied") {
            continue;
        }
        let known = steps.iter().position(|step| step.id.as_deref() == Some(id));
        let number = match known {
            Some(number) => number,
            None if make => {
                steps.push(ContainerRun::new(None, Some(id)));
                steps.len() - 1
            }
            None => continue,
        };
        let Some(step) = steps.get_mut(number) else { continue };
        let noticed = (event.time, event.place);
        if kind == "ContainerStarted" {
            step.noticed.get_or_insert(noticed);
        } else {
            step.exit_noticed.get_or_insert(noticed);
        }
    }
    if make {
        bound(startup, steps);
    }
}

/// With events, ids are not known by name: the relist's containers are told apart by their order.
fn relist_in_order(startup: &Startup, sandboxes: &[&str], steps: &mut [ContainerRun]) {
    let mut noticed = Vec::new();
    relist(startup, sandboxes, &mut noticed, true);
    noticed.sort_by_key(|step| step.noticed.map(|(time, _)| time));
    steps.sort_by_key(ContainerRun::begins);
    let mut left = noticed.into_iter();
    for step in steps.iter_mut() {
        let Some(started) = step.started else { continue };
        // A notice before the start belongs to a container that is no step (it failed to start).
        let Some(relisted) =
            left.by_ref().find(|r| r.noticed.is_none_or(|(time, _)| time >= started.at - Nanos(SECOND / 10)))
        else {
            break;
        };
        step.noticed = relisted.noticed;
        step.exit_noticed = relisted.exit_noticed;
        step.id = relisted.id;
        if let Some((time, place)) = step.exit_noticed {
            step.exited = Some(BoundedInstant::between(started.at, time, Some(place)));
        }
    }
}

/// Bounds for containers only the relist knows: each started after the one before was noticed, and ended after it was
/// last seen alive.
fn bound(startup: &Startup, steps: &mut [ContainerRun]) {
    steps.sort_by_key(|step| step.noticed.or(step.exit_noticed).map(|(time, _)| time));
    let asked = startup.all(Fact::SandboxNeeded).next_back().map(|event| event.time);
    let mut before = asked.or(startup.events.first().map(|event| event.time)).unwrap_or_default();
    for step in steps {
        if let Some((time, place)) = step.noticed {
            step.started = Some(BoundedInstant::between(before, time, Some(place)));
        }
        if let Some((time, place)) = step.exit_noticed {
            let alive = step.noticed.map_or(before, |(time, _)| time);
            step.exited = Some(BoundedInstant::between(alive, time, Some(place)));
        }
        before = step.exit_noticed.or(step.noticed).map_or(before, |(time, _)| time);
    }
}

/// Events say `initContainers`, the kubelet's own line at `-v=4` says `init container`.
fn is_init(kind: &str) -> bool {
    kind.starts_with("init")
}

/// An init container ends before a container of another name is asked for the first time, and is not seen again.
fn mark_init(startup: &Startup, steps: &mut [ContainerRun]) {
    let typed = |step: &ContainerRun| {
        let name = step.name.as_deref()?;
        let event = startup.events.iter().find(|event| {
            event.fields.text(Field::Container) == Some(name) && event.fields.text(Field::Type).is_some()
        })?;
        event.fields.text(Field::Type).map(is_init)
    };
    for number in 0..steps.len() {
        let Some((before, rest)) = steps.split_at_mut_checked(number + 1) else { break };
        let Some(step) = before.last() else { break };
        let ended = step.exited.map(|mark| mark.high);
        let next = rest.iter().find(|later| later.name.is_none() || later.name != step.name);
        let again = |later: &ContainerRun| later.name.is_some() && later.name == step.name;
        // In a crash loop the same name comes again after others; an init container's does not once they have begun.
        let first_other = next.and_then(ContainerRun::begins);
        let comes_again = rest.iter().any(|later| again(later) && later.begins() > first_other);
        let by_order = matches!((ended, first_other), (Some(ended), Some(begins)) if ended <= begins) && !comes_again;
        // A sidecar is listed with the init containers, but goes on.
        let init = match typed(step) {
            Some(listed) => listed && ended.is_some() && by_order,
            None => by_order,
        };
        if let Some(step) = before.last_mut() {
            step.init = init;
        }
    }
}

/// A sidecar's start-up probe keeps the containers after it waiting: its passing is a line of its own.
fn probes(startup: &Startup, steps: &mut [ContainerRun]) {
    let passed: Vec<(Time, SourceLine)> = startup
        .all(Fact::ProbeResult)
        .filter(|event| event.fields.text(Field::Status) == Some("started"))
        .map(|event| (event.time, event.place))
        .collect();
    for number in 0..steps.len() {
        let next = steps.get(number + 1).and_then(ContainerRun::begins);
        let Some(step) = steps.get_mut(number) else { break };
        let (Some(started), Some(next), false) = (step.started, next, step.init) else { continue };
        step.probed = passed.iter().copied().find(|(time, _)| *time > started.at && *time <= next);
    }
}

fn sandbox(
    startup: &Startup,
    sandboxes: &[&str],
    steps: &[ContainerRun],
) -> (Option<BoundedInstant>, Option<BoundedInstant>, usize) {
    let first_step = steps.iter().find_map(|step| step.asked.or(step.started));
    // The runtime's lines before the kubelet's own (`-v=4`), which lie around them.
    let of = |fact, by_runtime| startup.all(fact).filter(move |event: &&Event| event.by_runtime == by_runtime);
    let runtime_asks = of(Fact::SandboxAsked, true).count();
    let by_runtime = runtime_asks > 0;
    let mut ready = of(Fact::SandboxReady, by_runtime).next().map(mark);
    let needed: Vec<&Event> = startup.all(Fact::SandboxNeeded).collect();
    let noticed = startup
        .all(Fact::PlegEvent)
        .find(|event| event.fields.text(Field::ContainerId).is_some_and(|id| sandboxes.contains(&id)));
    let failed = startup.events.iter().find(|event| {
        event.fact == Fact::SandboxFailed || event.fields.text(Field::Reason) == Some("CreatePodSandboxError")
    });
    let asked = match of(Fact::SandboxAsked, by_runtime).next() {
        Some(event) => Some(mark(event)),
        // The last "no sandbox" line before anything came of it stands where the volumes are done and the ask follows.
        None => {
            let relisted = startup.first(Fact::PlegEvent).map(|event| event.time);
            let until = [failed.map(|event| event.time), ready.map(|m| m.at), relisted, startup.running()];
            let until = until.into_iter().flatten().min();
            let last = needed.iter().rfind(|event| until.is_none_or(|until| event.time <= until));
            last.map(|event| mark(event).by_rule())
        }
    };
    // The kubelet's own lines lie around the runtime's call by what a loaded node takes to get there and back.
    if let (Some(asked), Some(ready), false) = (asked, ready.as_mut(), by_runtime) {
        ready.low = asked.at.min(ready.at);
    }
    let ready = ready.or_else(|| {
        let asked = asked?;
        let observed = startup.observed.as_deref();
        let first_pull = observed.and_then(|observed| observed.first_pull.time());
        let seen = noticed.map(|event| (event.time, event.place));
        let began =
            first_step.filter(|mark| mark.low == mark.high).map(|mark| (mark.at, mark.place.unwrap_or_default()));
        let pulled = first_pull.and_then(|time| Some((time, startup.observed_at?.1)));
        let (high, place) = [seen, began, pulled].into_iter().flatten().min()?;
        // While it still failed it was not there.
        let failing = startup
            .all(Fact::SyncFailed)
            .rfind(|event| event.time <= high && event.fields.text(Field::Reason) == Some("CreatePodSandboxError"));
        let low = failing.map_or(asked.low, |event| event.time).min(high);
        let mark = BoundedInstant::between(low, high, Some(place));
        // The first pull is asked for right after the sandbox is there.
        Some(if pulled.is_some_and(|(time, _)| time == high) { mark.by_rule() } else { mark })
    });
    let failures = startup
        .all(Fact::SyncFailed)
        .filter(|event| event.fields.text(Field::Reason) == Some("CreatePodSandboxError"))
        .count();
    let attempts = if by_runtime { runtime_asks } else { failures + usize::from(ready.is_some()) };
    (asked, ready, attempts)
}

/// The record's pulling time, when it is the pod's own.
pub fn pulling_of(startup: &Startup) -> Option<Nanos> {
    pulling(startup.observed.as_deref()?)
}
