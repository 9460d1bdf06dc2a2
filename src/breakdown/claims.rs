//! What evidence claims of a startup, phase by phase. Pulls are in `pull_claims`; claims become spans in `tile`.

use super::bounded_instant::BoundedInstant;
use super::container_run::ContainerRun;
use super::failures::{self, FailedStep, Failure};
use super::timeline::{self, Timeline, TimelineSource};
use super::{pull_claims, resource_claims, within};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;

/// A phase's claim on an interval; the rank decides where claims overlap, the lower one wins.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) phase: Phase,
    pub(super) from: BoundedInstant,
    pub(super) to: BoundedInstant,
    pub(super) rank: u8,
    /// The least and the greatest length, when that is known better than the ends.
    pub(super) length: Option<(Nanos, Nanos)>,
    pub(super) waited_for: Option<WaitedFor>,
}

/// Ranks: what a line says of one moment before what merely spans it.
pub(super) mod rank {
    pub const WATCH: u8 = 0;
    pub const PULL: u8 = 1;
    pub const WAIT: u8 = 2;
    pub const BACKOFF: u8 = 3;
    pub const INIT: u8 = 4;
    pub const RETRY: u8 = 5;
    pub const SANDBOX: u8 = 6;
    pub const START: u8 = 7;
    pub const DETECT: u8 = 8;
    pub const VOLUMES: u8 = 9;
    pub const REPORT: u8 = 10;
    pub const SCHEDULING: u8 = 11;
    pub const GAP: u8 = 12;
}

/// A kubelet that is not late takes a pod within this after it was bound; what is longer is a span of its own.
const LATE: Nanos = Nanos(SECOND);

/// The claims made so far.
pub(super) struct Claims {
    pub(super) list: Vec<Claim>,
}

impl Claims {
    pub(super) fn add(&mut self, phase: Phase, rank: u8, from: BoundedInstant, to: BoundedInstant) -> &mut Claim {
        let number = self.list.len();
        self.list.push(Claim { phase, from, to, rank, length: None, waited_for: None });
        // Just pushed, so it is there.
        &mut self.list[number]
    }
}

/// Everything the evidence claims of `begin..end`; the pod ran from `running` on, its watch showed it at `watched`, and in a
/// crash loop it stayed up at `end`.
pub(super) fn collect(
    startup: &Startup,
    timeline: &Timeline,
    begin: Time,
    running: Time,
    watched: Time,
    end: Time,
) -> Vec<Claim> {
    let mut claims = Claims { list: Vec::new() };
    let observed_place = startup.observed_at.map(|(_, place)| place);
    let exact = |time: Time| BoundedInstant { place: observed_place, ..within(time, time) };
    let kubelet: Vec<&Event> =
        startup.events.iter().filter(|event| !event.from_runtime && event.fact != Fact::StartupObserved).collect();
    let before_running = |event: &&&Event| event.time <= running;
    if startup.running().is_some() {
        claims.add(Phase::Watch, rank::WATCH, exact(running), exact(watched));
    }
    if watched < end && startup.observed.is_some() {
        let again = timeline.runs.iter().rfind(|run| run.started.is_some_and(|started| started.low > running));
        let to =
            BoundedInstant { place: again.and_then(|run| run.started?.place).or(observed_place), ..within(end, end) };
        claims.add(Phase::RetryBackoff, rank::RETRY, exact(watched), to).waited_for =
            again.and_then(|run| run.name.clone()).map(WaitedFor::Container);
    }
    if let Some(first) = kubelet.iter().find(before_running).filter(|first| begins_in_start(startup, first, begin)) {
        let to = BoundedInstant { place: None, ..mark(first) };
        claims.add(Phase::Unattributed, rank::GAP, exact(begin), to).waited_for = Some(WaitedFor::LogBegin);
    } else if let Some(first) = kubelet.iter().find(before_running) {
        let added = kubelet.iter().find(|event| event.fact == Fact::PodAdded);
        let to = match added {
            Some(added) if added.time <= first.time + Nanos(SECOND) => BoundedInstant::exact(added.time, added.place),
            _ => BoundedInstant::between(begin, first.time, Some(first.place)),
        };
        scheduling(startup, exact(begin), to, &mut claims);
    }
    volumes(startup, timeline, running, &mut claims);
    failures::network(startup, running, &mut claims);
    resource_claims::dynamic_resources(startup, timeline, running, &mut claims);
    if let (Some(asked), Some(ready)) = (timeline.sandbox_requested, timeline.sandbox_ready) {
        claims.add(Phase::Sandbox, rank::SANDBOX, asked, ready);
    } else if let (Some(asked), None, true) =
        (timeline.sandbox_requested, timeline.sandbox_ready, timeline.sandbox_attempts > 0)
    {
        claims.add(Phase::Sandbox, rank::SANDBOX, asked, exact(end));
    } else if timeline.sandbox_requested.is_none() {
        failures::sandboxes(startup, timeline, begin, running, &mut claims);
    }
    containers(startup, timeline, running, &mut claims);
    if timeline.runs.is_empty() {
        let failing_pulls = failures::containers(startup, begin, running, &mut claims);
        claims_from_record(startup, begin, running, failing_pulls, &mut claims);
    }
    reporting(startup, timeline, running, &mut claims);
    claims.list
}

/// From creation until the kubelet took the pod: the scheduler's time and the kubelet's, which only the pod's event divides.
fn scheduling(startup: &Startup, created: BoundedInstant, taken: BoundedInstant, claims: &mut Claims) {
    let bound = startup.scheduling.iter().rfind(|event| event.fact == Fact::PodScheduled).map(BoundedInstant::of);
    throttled_list(startup, created, bound, taken, claims);
    match bound.filter(|bound| bound.low >= created.at && taken.at - bound.high > LATE) {
        Some(bound) => {
            claims.add(Phase::Scheduling, rank::SCHEDULING, created, bound);
            claims.add(Phase::Unattributed, rank::GAP, bound, taken).waited_for = Some(WaitedFor::LateKubelet);
        }
        None => {
            claims.add(Phase::Scheduling, rank::SCHEDULING, created, taken);
        }
    }
}

/// Of the time before the kubelet took the pod, what its request for its pods waited in its own rate limit: until that was sent it
/// could not see the pod. Without the pod's event it may not have been bound before, so that nothing of it is certain.
fn throttled_list(
    startup: &Startup,
    created: BoundedInstant,
    bound: Option<BoundedInstant>,
    taken: BoundedInstant,
    claims: &mut Claims,
) {
    let Some(list) = &startup.context.throttled_list else { return };
    let Some(delay) = list.fields.length(Field::Delay).filter(|delay| *delay > Nanos(0)) else { return };
    let known = bound.filter(|bound| bound.low >= created.at);
    // Known or not, it is the kubelet's time only where the kubelet is late.
    if known.is_some_and(|bound| taken.at - bound.high <= LATE) {
        return;
    }
    let from = (list.time - delay).max(known.map_or(created.at, |bound| bound.high));
    if from >= list.time || list.time > taken.at {
        return;
    }
    let sent = BoundedInstant::of(list);
    let phase = if known.is_some() { Phase::Unattributed } else { Phase::Scheduling };
    let claim = claims.add(phase, rank::SCHEDULING, BoundedInstant::exact(from, list.place), sent);
    claim.waited_for = Some(WaitedFor::ThrottledList);
    claim.length = known.is_none().then_some((Nanos(0), list.time - from));
}

/// Whether the log begins after a pod's creation with a line that does not show the kubelet taking it: scheduling and what followed
/// lie before.
fn begins_in_start(startup: &Startup, first: &Event, begin: Time) -> bool {
    // Syncs come again and again.
    let takes = matches!(first.fact, Fact::PodAdded | Fact::PodAdmitted | Fact::VolumeVerifyStarted);
    !takes && begin < first.time && startup.context.log_begin.is_some_and(|log| begin + Nanos(SECOND) < log)
}

pub(super) fn mark(event: &Event) -> BoundedInstant {
    BoundedInstant::of(event)
}

/// First volume work, or the worker's start, → the sandbox could be asked for.
fn volumes(startup: &Startup, timeline: &Timeline, running: Time, claims: &mut Claims) {
    let limit = timeline.sandbox_requested.map_or(running, |mark| mark.at.min(running));
    let work = |event: &&Event| {
        let volume = matches!(
            event.fact,
            Fact::VolumesAwaited
                | Fact::VolumeVerifyStarted
                | Fact::VolumeMountStarted
                | Fact::VolumeMounted
                | Fact::VolumeFailed
        );
        event.time <= limit
            && !event.from_runtime
            && (volume || matches!(event.fact, Fact::SyncStarted | Fact::SandboxNeeded))
    };
    let Some(first) = startup.events.iter().find(work) else { return };
    // The kubelet had the pod, and the first thing it says of its volumes is that one failed: it was at them before.
    let taken = startup.events.iter().find(|event| {
        !event.from_runtime && matches!(event.fact, Fact::PodAdded | Fact::PodAdmitted) && event.time < first.time
    });
    let from = match taken.filter(|_| first.fact == Fact::VolumeFailed) {
        Some(taken) => BoundedInstant { at: taken.time, low: taken.time, high: first.time, ..mark(first) },
        None => mark(first),
    };
    let ready = startup.all(Fact::VolumesReady).rfind(|event| event.time <= limit).map(mark);
    let needed = startup.all(Fact::SandboxNeeded).rfind(|event| event.time <= limit).map(mark);
    // Remounts come again and again; only what was there before the sandbox was asked for is of the start.
    let mounted = startup.all(Fact::VolumeMounted).rfind(|event| event.time <= limit);
    let mounted = mounted.map(|event| BoundedInstant {
        at: event.time,
        low: event.time,
        high: limit.max(event.time),
        inferred: false,
        place: Some(event.place),
    });
    // The kubelet asks for no sandbox before the volumes are mounted.
    let asked = timeline.sandbox_requested.filter(|asked| asked.at <= running).map(BoundedInstant::inferred);
    let failing = if asked.is_none() { failures::volumes_end(startup, running) } else { None };
    if let Some(done) = ready.or(failing).or(needed).or(mounted).or(asked) {
        claims.add(Phase::Volumes, rank::VOLUMES, from, done);
    }
}

pub(super) fn containers(startup: &Startup, timeline: &Timeline, running: Time, claims: &mut Claims) {
    let Some(ready) = timeline.sandbox_ready.or(timeline
        .runs
        .first()
        .and_then(|run| run.requested.or(run.started))
        .map(|mark| BoundedInstant { at: mark.low, ..mark }))
    else {
        return;
    };
    pull_claims::image_volumes(startup, running, claims);
    let failures: Vec<Failure> = failures::failures(startup).collect();
    let mut before = ready;
    let gaps_with_pulls = pull_claims::runtime_pull_count(startup);
    let relist = timeline.source == TimelineSource::Relist;
    let mut pulling_left = timeline::own_pulling_time(startup).filter(|_| relist);
    let mut unlogged = timeline::own_pulling_time(startup).filter(|pulling| pulling.0 > 0);
    for (number, run) in timeline.runs.iter().enumerate() {
        if run.requested.or(run.started).is_some_and(|mark| mark.low > running) {
            break;
        }
        let asked = run.requested.unwrap_or_else(|| {
            run.started.map_or(before, |started| BoundedInstant {
                at: started.at,
                low: before.low.min(started.at),
                high: started.high,
                inferred: false,
                place: started.place,
            })
        });
        let pulled = if relist {
            pull_claims::relisted_pulls(startup, timeline, before, asked, &mut pulling_left, claims)
        } else {
            pull_claims::pulls(startup, number, before, asked, gaps_with_pulls, claims)
                .or_else(|| pull_claims::unlogged_pull(startup, before, asked, gaps_with_pulls, &mut unlogged, claims))
        };
        retries(startup, &failures, before, asked, claims);
        let from = match (run.requested, pulled) {
            (Some(asked), _) => asked,
            (None, Some(pulled)) => pulled,
            (None, None) => BoundedInstant { inferred: false, ..before },
        };
        // One that never started is over when the next is asked for.
        let next = timeline.runs.get(number + 1).and_then(|next| next.requested.or(next.started));
        let over = next.map_or(running, |next| next.low.min(running)).max(from.at);
        let started = run.started.or(run.exited).unwrap_or(within(from.at, over));
        claims.add(Phase::Start, rank::START, from, started);
        before = started;
        if run.init {
            before = init(startup, timeline, run, started, claims);
        } else if let Some((time, place)) = run.probe_passed {
            // The kubelet counts a sidecar as started when its start-up probe has passed.
            let passed = BoundedInstant::exact(time, place);
            claims.add(Phase::Start, rank::START, started, passed).waited_for =
                run.name.clone().map(WaitedFor::Container);
            before = passed;
        } else if let (Some(exited), Some(next)) = (run.exited, timeline.runs.get(number + 1))
            && next.name.is_some()
            && next.name == run.name
            && let Some(again) = next.requested
        {
            claims.add(Phase::RetryBackoff, rank::RETRY, exited, again).waited_for =
                run.name.clone().map(WaitedFor::Container);
            before = exited;
        }
    }
    // What failed after the last step and was still failing.
    let open = BoundedInstant { place: None, ..within(running, running) };
    if startup.running().is_none() {
        retries(startup, &failures, before, open, claims);
    }
}

fn init(
    startup: &Startup,
    timeline: &Timeline,
    run: &ContainerRun,
    started: BoundedInstant,
    claims: &mut Claims,
) -> BoundedInstant {
    let Some(exited) = run.exited else { return started };
    let only = timeline.runs.iter().filter(|run| run.init).count() == 1;
    let counted = startup.observed.as_deref().and_then(|observed| observed.init).filter(|init| only && init.0 > 0);
    let (mut from, mut to, mut length) = (started, exited, None);
    if let (Some(counted), TimelineSource::Relist | TimelineSource::Events) = (counted, timeline.source) {
        // The record counts a single init container's run exactly: its end lies before the relist that noticed it.
        let end = exited.at.min(from.high + counted).max(from.low + counted);
        to = BoundedInstant { at: end, ..exited }.inferred();
        from = BoundedInstant { at: end - counted, ..from }.inferred();
        length = Some(counted);
    }
    let claim = claims.add(Phase::Init, rank::INIT, from, to);
    claim.waited_for = run.name.clone().map(WaitedFor::Container);
    claim.length = length.map(|length| (length, length));
    match run.exit_noticed {
        Some((time, place)) if time > to.at => {
            let noticed = BoundedInstant::exact(time, place);
            claims.add(Phase::Detection, rank::DETECT, to, noticed);
            noticed
        }
        _ => to,
    }
}

/// Waits after failed tries that are not the image's.
fn retries(
    startup: &Startup,
    failures: &[Failure],
    before: BoundedInstant,
    asked: BoundedInstant,
    claims: &mut Claims,
) {
    let mine = |failure: &&Failure| failure.at.at >= before.low && failure.at.at <= asked.at;
    let other: Vec<&Failure> =
        failures.iter().filter(mine).filter(|failure| failure.step == FailedStep::Container).collect();
    if let (Some(first), Some(last)) = (other.first(), other.last()) {
        let to = if asked.low == asked.high { asked } else { BoundedInstant { low: last.at.at, ..asked } };
        claims.add(Phase::RetryBackoff, rank::RETRY, first.at, to);
    }
    let pulls: Vec<&Failure> =
        failures.iter().filter(mine).filter(|failure| failure.step == FailedStep::Pull).collect();
    if let (Some(first), Some(last)) = (pulls.first(), pulls.last()) {
        let to = if asked.low == asked.high { asked } else { BoundedInstant { low: last.at.at, ..asked } };
        // It ends with the pull that went well.
        let pulled =
            startup.transfers.iter().filter(|pull| pull.ok && pull.started >= last.at.at && pull.finished <= to.at);
        let to = pulled.map(|pull| pull.finished).min().map_or(to, |finished| to.not_after(finished.max(first.at.at)));
        // Transfers, where known, outrank it; it covers what they leave.
        claims.add(Phase::ImageBackoff, rank::BACKOFF, first.at, to);
    }
}

/// The record without any other line: what it proves, and nothing more.
fn claims_from_record(startup: &Startup, begin: Time, running: Time, failing_pulls: bool, claims: &mut Claims) {
    let Some(observed) = startup.observed.as_deref() else { return };
    let place = startup.observed_at.map(|(_, place)| place);
    if let Some(first) = observed.first_pull.time().filter(|_| !failing_pulls) {
        let from = BoundedInstant { place, ..within(first, first) };
        let to = observed.last_pull.time().unwrap_or(running).min(running);
        // Everything between the first pull's start and the last one's end is in there.
        pull_claims::wait_and_pull(from, BoundedInstant { place, ..within(first, to) }, claims);
        return;
    }
    let mut at = begin;
    let mut place_length = |phases: &[(Phase, u8)], length: Option<Nanos>, claims: &mut Claims| {
        let Some(length) = length.filter(|length| length.0 > 0) else { return };
        let length = Nanos(length.0.min((running - at).0));
        let from = BoundedInstant { at, low: begin, high: running - length, inferred: true, place };
        let to = BoundedInstant { at: at + length, low: begin + length, high: running, inferred: true, place };
        // Phases that the record counts together may each be all of it, or nothing.
        let least = if phases.len() == 1 { length } else { Nanos(0) };
        for (number, (phase, rank)) in phases.iter().enumerate() {
            let to = if number + 1 < phases.len() { BoundedInstant { at: from.at, low: from.low, ..to } } else { to };
            claims.add(*phase, *rank, from, to).length = Some((least, length));
        }
        at = at + length;
    };
    let pulling = [(Phase::ImageWait, rank::WAIT), (Phase::ImagePull, rank::PULL)];
    place_length(&pulling, timeline::pulling_time(observed).filter(|_| !failing_pulls), claims);
    place_length(&[(Phase::Init, rank::INIT)], observed.init, claims);
}

/// From the last container's start to the API's acceptance.
fn reporting(startup: &Startup, timeline: &Timeline, running: Time, claims: &mut Claims) {
    let main = timeline.runs.iter().filter(|run| !run.init && run.started.is_some_and(|mark| mark.low <= running));
    let Some(last) = main.max_by_key(|run| run.started.map(|mark| mark.at)) else { return };
    let Some(mut started) = last.started else { return };
    if startup.running().is_none() && startup.observed.is_none() {
        if startup.object.as_deref().is_some_and(|status| status.post_start) {
            claims.add(Phase::Start, rank::START, started, within(running, running));
        }
        return;
    }
    let end = BoundedInstant { place: startup.observed_at.map(|(_, place)| place), ..within(running, running) };
    // The sync that started it goes on while its postStart hook runs (`-v=4` shows the sync's end).
    let busy = startup.all(Fact::SyncFinished).find(|event| event.time >= started.at && event.time <= running);
    if let Some(busy) = busy {
        claims.add(Phase::Start, rank::START, started, mark(busy));
        started = mark(busy);
    }
    let relisted = last.noticed.filter(|(time, _)| *time <= running);
    let noticed = match relisted {
        Some((time, place)) => BoundedInstant::exact(time.max(started.at), place),
        None if startup.running().is_some() => BoundedInstant::between(started.at, running, None),
        // JSON logging does not show when the API accepted it.
        None => BoundedInstant::between(started.at, running, None),
    };
    claims.add(Phase::Detection, rank::DETECT, started, noticed).waited_for =
        relisted.is_none().then_some(WaitedFor::DetectionOrUpdate);
    let end = if startup.running().is_some() { end } else { BoundedInstant::between(noticed.at, running, end.place) };
    claims.add(Phase::StatusUpdate, rank::REPORT, noticed, end);
}
