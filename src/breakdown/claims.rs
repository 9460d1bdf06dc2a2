//! What evidence claims of a startup, and the tiling of claims into spans.

use super::steps::{self, Evidence, Mark, Step, Steps};
use super::{Piece, Precision, within};
use crate::parse::observed::is_overflow;
use crate::phase::Phase;
use crate::record::{Fact, Field, Noted};
use crate::startup::{Event, Startup, Transfer};
use crate::time::{SECOND, Span, Time};

/// A phase's claim on an interval; the rank decides where claims overlap, the lower one wins.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    phase: Phase,
    from: Mark,
    to: Mark,
    rank: u8,
    /// The length, when that is known better than the ends.
    length: Option<Span>,
    about: Option<Box<str>>,
}

/// Ranks: what a line tells of one moment before what merely spans it.
mod rank {
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
}

struct Claims {
    list: Vec<Claim>,
}

impl Claims {
    fn add(&mut self, phase: Phase, rank: u8, from: Mark, to: Mark) -> &mut Claim {
        let number = self.list.len();
        self.list.push(Claim { phase, from, to, rank, length: None, about: None });
        // Just pushed, so it is there.
        &mut self.list[number]
    }
}

/// Everything the evidence claims of `begin..end`; the pod ran from `running` on.
pub(super) fn of(startup: &Startup, steps: &Steps, begin: Time, running: Time, end: Time) -> Vec<Claim> {
    let mut claims = Claims { list: Vec::new() };
    let observed_place = startup.observed_at.map(|(_, place)| place);
    let exact = |time: Time| Mark { place: observed_place, ..within(time, time) };
    let kubelet: Vec<&Event> =
        startup.events.iter().filter(|event| !event.by_runtime && event.fact != Fact::StartupObserved).collect();
    let before_running = |event: &&&Event| event.time <= running;
    if startup.running().is_some() {
        claims.add(Phase::Watch, rank::WATCH, exact(running), exact(end));
    }
    if let Some(first) = kubelet.iter().find(before_running) {
        let added = kubelet.iter().find(|event| event.fact == Fact::PodAdded);
        let to = match added {
            Some(added) if added.time <= first.time + Span(SECOND) => Mark::exact(added.time, added.place),
            _ => Mark::between(begin, first.time, Some(first.place)),
        };
        claims.add(Phase::Scheduling, rank::SCHEDULING, exact(begin), to);
    }
    volumes(startup, steps, running, &mut claims);
    network(startup, running, &mut claims);
    if let (Some(asked), Some(ready)) = (steps.sandbox_asked, steps.sandbox_ready) {
        claims.add(Phase::Sandbox, rank::SANDBOX, asked, ready);
    } else if let (Some(asked), None, true) = (steps.sandbox_asked, steps.sandbox_ready, steps.sandbox_attempts > 0) {
        claims.add(Phase::Sandbox, rank::SANDBOX, asked, exact(end));
    }
    containers(startup, steps, running, &mut claims);
    if steps.steps.is_empty() {
        record_alone(startup, begin, running, &mut claims);
    }
    reporting(startup, steps, running, &mut claims);
    claims.list
}

fn mark(event: &Event) -> Mark {
    Mark::exact(event.time, event.place)
}

/// First volume work, or the worker's start, → the sandbox could be asked for.
fn volumes(startup: &Startup, steps: &Steps, running: Time, claims: &mut Claims) {
    let limit = steps.sandbox_asked.map_or(running, |mark| mark.at.min(running));
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
            && !event.by_runtime
            && (volume || matches!(event.fact, Fact::SyncBegan | Fact::SandboxNeeded))
    };
    let Some(first) = startup.events.iter().find(work) else { return };
    let ready = startup.all(Fact::VolumesReady).rfind(|event| event.time <= limit).map(mark);
    let needed = startup.all(Fact::SandboxNeeded).rfind(|event| event.time <= limit).map(mark);
    // Remounts come again and again; only what was there before the sandbox was asked for is of the start.
    let mounted = startup.all(Fact::VolumeMounted).rfind(|event| event.time <= limit);
    let mounted = mounted.map(|event| Mark {
        at: event.time,
        low: event.time,
        high: limit.max(event.time),
        inferred: false,
        place: Some(event.place),
    });
    let failing = startup.all(Fact::VolumeFailed).rfind(|event| event.time <= running);
    let stuck = steps
        .sandbox_asked
        .is_none()
        .then_some(failing)
        .flatten()
        .map(|event| Mark { place: Some(event.place), ..within(running, running) });
    if let Some(done) = ready.or(stuck).or(needed).or(mounted) {
        claims.add(Phase::Volumes, rank::VOLUMES, mark(first), done);
    }
}

/// The node's network is not ready: each sync fails at once, until one does not.
fn network(startup: &Startup, running: Time, claims: &mut Claims) {
    let failures: Vec<&Event> = startup.all(Fact::NetworkNotReady).filter(|event| event.time <= running).collect();
    let (Some(first), Some(last)) = (failures.first(), failures.last()) else { return };
    let next = |event: &&Event| {
        matches!(event.fact, Fact::SandboxNeeded | Fact::SyncBegan | Fact::SandboxAsked) && event.time > last.time
    };
    let to = startup.events.iter().find(next).map_or(mark(last), mark);
    claims.add(Phase::RestartBackoff, rank::RETRY, mark(first), to).about = Some("the node's network".into());
}

/// Failed tries to start a container: when, and whether it was the image.
struct Failure {
    at: Mark,
    pull: bool,
}

fn failures(startup: &Startup) -> Vec<Failure> {
    let failed = startup.all(Fact::SyncFailed).filter_map(|event| {
        let pull = match event.text_of(Field::Reason)? {
            "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" | "ErrImageNeverPull" => true,
            "CreatePodSandboxError" => return None,
            _ if event.text.contains("unmounted volumes") => return None,
            _ => false,
        };
        Some(Failure { at: mark(event), pull })
    });
    failed.collect()
}

fn containers(startup: &Startup, steps: &Steps, running: Time, claims: &mut Claims) {
    let Some(ready) = steps.sandbox_ready.or(steps
        .steps
        .first()
        .and_then(|step| step.asked.or(step.started))
        .map(|mark| Mark { at: mark.low, ..mark }))
    else {
        return;
    };
    let failures = failures(startup);
    let mut before = ready;
    let pulled_gaps = gaps_with_pulls(startup, steps, ready);
    let relist = steps.evidence == Evidence::Relist;
    let mut pulling_left = steps::pulling_of(startup).filter(|_| relist);
    let mut unseen = steps::pulling_of(startup).filter(|pulling| pulling.0 > 0);
    for (number, step) in steps.steps.iter().enumerate() {
        if step.asked.or(step.started).is_some_and(|mark| mark.low > running) {
            break;
        }
        let asked = step.asked.unwrap_or_else(|| {
            step.started.map_or(before, |started| Mark {
                at: started.at,
                low: before.low.min(started.at),
                high: started.high,
                inferred: false,
                place: started.place,
            })
        });
        let pulled = if relist {
            relisted_pulls(startup, steps, before, asked, &mut pulling_left, claims)
        } else {
            pulls(startup, before, asked, pulled_gaps, claims)
                .or_else(|| unseen_pull(startup, before, asked, pulled_gaps, &mut unseen, claims))
        };
        retries(&failures, before, asked, claims);
        let from = match (step.asked, pulled) {
            (Some(asked), _) => asked,
            (None, Some(pulled)) => pulled,
            (None, None) => Mark { inferred: false, ..before },
        };
        let started = step.started.or(step.exited).unwrap_or(within(from.at, from.at.max(running)));
        claims.add(Phase::Start, rank::START, from, started);
        before = started;
        if step.init {
            before = init(startup, steps, step, started, claims);
        } else if let Some((time, place)) = step.probed {
            // The kubelet counts a sidecar as started when its start-up probe has passed.
            let passed = Mark::exact(time, place);
            claims.add(Phase::Start, rank::START, started, passed).about = step.name.clone();
            before = passed;
        } else if let (Some(exited), Some(next)) = (step.exited, steps.steps.get(number + 1))
            && next.name.is_some()
            && next.name == step.name
            && let Some(again) = next.asked
        {
            claims.add(Phase::RestartBackoff, rank::RETRY, exited, again).about = step.name.clone();
            before = exited;
        }
    }
    // What failed after the last step and was still failing.
    let open = Mark { place: None, ..within(running, running) };
    if startup.running().is_none() {
        retries(&failures, before, open, claims);
    }
}

fn init(startup: &Startup, steps: &Steps, step: &Step, started: Mark, claims: &mut Claims) -> Mark {
    let Some(exited) = step.exited else { return started };
    let only = steps.steps.iter().filter(|step| step.init).count() == 1;
    let counted = startup.observed.as_deref().and_then(|observed| observed.init).filter(|init| only && init.0 > 0);
    let (mut from, mut to, mut length) = (started, exited, None);
    if let (Some(counted), Evidence::Relist | Evidence::Events) = (counted, steps.evidence) {
        // The record counts a single init container's run exactly: its end lies before the relist that noticed it.
        let end = exited.at.min(from.high + counted).max(from.low + counted);
        to = Mark { at: end, ..exited }.by_rule();
        from = Mark { at: end - counted, ..from }.by_rule();
        length = Some(counted);
    }
    let claim = claims.add(Phase::Init, rank::INIT, from, to);
    claim.about = step.name.clone();
    claim.length = length;
    match step.exit_noticed {
        Some((time, place)) if time > to.at => {
            let noticed = Mark::exact(time, place);
            claims.add(Phase::Detect, rank::DETECT, to, noticed);
            noticed
        }
        _ => to,
    }
}

/// In how many gaps before containers a pull was seen: with one alone the record's pulling time belongs to it.
fn gaps_with_pulls(startup: &Startup, _steps: &Steps, _ready: Mark) -> usize {
    startup.transfers.iter().filter(|transfer| transfer.ok).count()
}

/// The pulls between two known instants, by the kubelet's events and the runtime's transfers. Gives the end of the last.
fn pulls(startup: &Startup, before: Mark, asked: Mark, pulled_gaps: usize, claims: &mut Claims) -> Option<Mark> {
    let inside = |time: Time| time >= before.at - Span(SECOND / 20) && time <= asked.at + Span(SECOND / 20);
    let transfers: Vec<&Transfer> = startup.transfers.iter().filter(|transfer| inside(transfer.ended)).collect();
    let ended = startup.all(Fact::PullEnded).find(|event| inside(event.time) && !event.by_runtime);
    let success = transfers.iter().copied().rfind(|transfer| transfer.ok);
    let failed: Vec<&Transfer> = transfers.iter().copied().filter(|transfer| !transfer.ok).collect();
    let mut last_failure: Option<Mark> = None;
    for transfer in &failed {
        let (from, to) = (Mark::exact(transfer.began, transfer.place), Mark::exact(transfer.ended, transfer.place));
        if let Some(failure) = last_failure {
            claims.add(Phase::ImageBackoff, rank::BACKOFF, failure, from);
        }
        claims.add(Phase::ImagePull, rank::PULL, from, to).about = Some(transfer.image.clone());
        last_failure = Some(to);
    }
    let observed = startup.observed.as_deref();
    let counted =
        observed.and_then(steps::pulling).filter(|_| failed.is_empty() && pulled_gaps <= 1 && last_failure.is_none());
    // Where the kubelet's own times are: its event first, then its record, then the runtime's lines.
    let (wanted, began, done, image): (Option<Mark>, Mark, Mark, Option<Box<str>>) = match (ended, success) {
        (Some(event), _) => {
            let took = event.length(Field::Duration).unwrap_or_default();
            let waited = event.length(Field::Waited).unwrap_or(took);
            let done = mark(event);
            let began = Mark { at: done.at - took, low: done.low - took, high: done.high - took, ..done };
            (
                Some(Mark { at: done.at - waited, low: done.low - waited, high: done.high - waited, ..done }),
                began,
                done,
                event.text_of(Field::Image).map(Into::into),
            )
        }
        (None, Some(transfer)) => {
            let began = Mark::exact(transfer.began, transfer.place);
            let runtime_end = Mark::exact(transfer.ended, transfer.place);
            let (wanted, done) = match (
                observed.and_then(|o| o.first_pull.time()),
                observed.and_then(|o| o.last_pull.time()),
                counted,
            ) {
                (Some(first), Some(last), Some(_))
                    if last >= runtime_end.at - Span(SECOND / 20) && last <= asked.at =>
                {
                    (
                        Some(Mark { at: first, low: first, high: first, ..began }),
                        Mark { at: last, low: last, high: last, ..runtime_end },
                    )
                }
                (_, _, Some(counted)) => {
                    let end = (before.at + counted).max(runtime_end.at).min(asked.at.max(runtime_end.at));
                    let end = Mark {
                        at: end,
                        low: runtime_end.at,
                        high: asked.at.max(runtime_end.at),
                        inferred: true,
                        ..runtime_end
                    };
                    (Some(Mark { at: end.at - counted, low: end.low - counted, high: end.high - counted, ..end }), end)
                }
                (Some(first), _, None) if failed.is_empty() && inside(first) => {
                    (Some(Mark { at: first, low: first, high: first, ..began }), runtime_end)
                }
                _ => (None, runtime_end),
            };
            (wanted, began, done, Some(transfer.image.clone()))
        }
        (None, None) => {
            if let Some(failure) = last_failure {
                claims.add(Phase::ImageBackoff, rank::BACKOFF, failure, asked);
            }
            return last_failure;
        }
    };
    let began = Mark { at: began.at.max(wanted.map_or(began.at, |wanted| wanted.at)), ..began };
    match (last_failure, wanted) {
        (Some(failure), _) => {
            // Back-off ends where the queue begins, which only the pull ahead in the queue shows.
            let queued = success.and_then(|transfer| transfer.queued_since).filter(|since| *since > failure.at);
            let asked = queued.map_or(began, |since| Mark {
                at: since,
                low: failure.at,
                high: began.at,
                inferred: true,
                place: began.place,
            });
            claims.add(Phase::ImageBackoff, rank::BACKOFF, failure, asked);
            claims.add(Phase::ImageWait, rank::WAIT, asked, began).about =
                success.and_then(|transfer| transfer.behind.clone()).map(|image| format!("behind {image}").into());
        }
        (None, wanted) => {
            // Without a line about the asking it came right after what went before.
            let wanted = wanted.unwrap_or(before.by_rule());
            claims.add(Phase::ImageWait, rank::WAIT, wanted, began).about =
                success.and_then(|transfer| transfer.behind.clone()).map(|image| format!("behind {image}").into());
        }
    }
    claims.add(Phase::ImagePull, rank::PULL, began, done).about = image;
    Some(done)
}

/// The record counts a pull of which the runtime's log shows nothing: it lies in the first gap that has room for it.
fn unseen_pull(
    startup: &Startup,
    before: Mark,
    asked: Mark,
    pulled_gaps: usize,
    unseen: &mut Option<Span>,
    claims: &mut Claims,
) -> Option<Mark> {
    let events = startup.all(Fact::PullEnded).any(|event| !event.by_runtime);
    let room = asked.at - before.at;
    let length = unseen.filter(|length| pulled_gaps == 0 && !events && *length <= room + Span(SECOND / 20))?;
    *unseen = None;
    let first =
        startup.observed.as_deref().and_then(|observed| observed.first_pull.time()).filter(|first| *first >= before.at);
    let from = first.unwrap_or(before.at).min(asked.at - length);
    let (from, to) = (within(from, from).by_rule(), within(from + length, from + length).by_rule());
    wait_and_pull(from, to, claims);
    Some(to)
}

/// What the kubelet's log alone tells of pulls before a container: the record's pulling time, and failures.
fn relisted_pulls(
    startup: &Startup,
    steps: &Steps,
    before: Mark,
    asked: Mark,
    left: &mut Option<Span>,
    claims: &mut Claims,
) -> Option<Mark> {
    let observed = startup.observed.as_deref()?;
    let failing =
        failures(startup).into_iter().filter(|failure| failure.pull && failure.at.at <= asked.at).collect::<Vec<_>>();
    if let (Some(first), Some(last)) = (failing.first(), failing.last()) {
        if first.at.at < before.low {
            return None;
        }
        let end = observed.last_pull.time().filter(|time| *time <= asked.at).unwrap_or(asked.at);
        let to = Mark { at: end, low: last.at.at.min(end), high: end, inferred: false, place: asked.place };
        claims.add(Phase::ImageBackoff, rank::BACKOFF, first.at, to);
        let rest = Mark { at: end, ..to };
        claims.add(Phase::ImagePull, rank::PULL, rest, Mark { low: end, ..rest }).length = None;
        *left = None;
        return Some(to);
    }
    if let Some(first) =
        observed.first_pull.time().filter(|first| *first <= asked.at && *first >= before.low - Span(SECOND))
    {
        let place = startup.observed_at.map(|(_, place)| place);
        let from = Mark { place, ..within(first, first) };
        let unknown = observed.last_pull == Noted::Never || observed.slo.is_some_and(is_overflow);
        let end = observed.last_pull.time().unwrap_or(asked.at);
        let (end, one) = (end.min(asked.at), steps.steps.len() == 1);
        let to = if unknown || !one { within(first, end) } else { within(end, end) };
        wait_and_pull(from, to, claims);
        *left = None;
        return Some(to);
    }
    let total = left.take().filter(|total| total.0 > 0)?;
    // The length is known, the place is not: it ends before the container runs and begins after the sandbox is there.
    let room = asked.at - before.low;
    let length = Span(total.0.min(room.0));
    let from = before.at.min(asked.at - length).max(before.low);
    let to = from + length;
    let from = Mark { at: from, low: before.low, high: from, inferred: true, place: asked.place };
    let to = Mark { at: to, low: to, high: asked.at, inferred: true, place: asked.place };
    wait_and_pull(from, to, claims);
    if let Some(claim) = claims.list.last_mut() {
        claim.length = Some(length);
    }
    // The sandbox was there when the pull was asked for.
    if let Some(sandbox) = claims.list.iter_mut().find(|claim| claim.phase == Phase::Sandbox) {
        sandbox.to.at = sandbox.to.at.min(from.at).max(sandbox.from.at);
    }
    if length < total {
        *left = Some(Span(total.0 - length.0));
    }
    Some(to)
}

/// Waiting and transfer that no line tells apart: the seconds stand under `image_pull`, either may be all of them.
fn wait_and_pull(from: Mark, to: Mark, claims: &mut Claims) {
    let whole = Mark { at: from.at, low: from.low, high: to.high, inferred: false, place: from.place };
    claims.add(Phase::ImageWait, rank::WAIT, from, whole);
    let begins = Mark { at: from.at, low: from.low, high: to.high, inferred: false, place: from.place };
    claims.add(Phase::ImagePull, rank::PULL, begins, to);
}

/// Waits after failed tries that are not the image's.
fn retries(failures: &[Failure], before: Mark, asked: Mark, claims: &mut Claims) {
    let mine = |failure: &&Failure| failure.at.at >= before.low && failure.at.at <= asked.at;
    let other: Vec<&Failure> = failures.iter().filter(mine).filter(|failure| !failure.pull).collect();
    if let (Some(first), Some(last)) = (other.first(), other.last()) {
        let to = if asked.low == asked.high { asked } else { Mark { low: last.at.at, ..asked } };
        claims.add(Phase::RestartBackoff, rank::RETRY, first.at, to);
    }
    let pulls: Vec<&Failure> = failures.iter().filter(mine).filter(|failure| failure.pull).collect();
    if let (Some(first), Some(last)) = (pulls.first(), pulls.last()) {
        let to = if asked.low == asked.high { asked } else { Mark { low: last.at.at, ..asked } };
        // Transfers, where known, outrank it; it covers what they leave.
        claims.add(Phase::ImageBackoff, rank::BACKOFF, first.at, to);
    }
}

/// The record without any other line: what it proves, and nothing more.
fn record_alone(startup: &Startup, begin: Time, running: Time, claims: &mut Claims) {
    let Some(observed) = startup.observed.as_deref() else { return };
    let place = startup.observed_at.map(|(_, place)| place);
    if let Some(first) = observed.first_pull.time() {
        let from = Mark { place, ..within(first, first) };
        let to = observed.last_pull.time().unwrap_or(running).min(running);
        // Everything between the first pull's start and the last one's end is in there.
        wait_and_pull(from, Mark { place, ..within(first, to) }, claims);
        return;
    }
    let mut at = begin;
    let mut place_length = |phase, rank, length: Option<Span>, claims: &mut Claims| {
        let Some(length) = length.filter(|length| length.0 > 0) else { return };
        let length = Span(length.0.min((running - at).0));
        let from = Mark { at, low: begin, high: running - length, inferred: true, place };
        let to = Mark { at: at + length, low: begin + length, high: running, inferred: true, place };
        claims.add(phase, rank, from, to).length = Some(length);
        at = at + length;
    };
    place_length(Phase::ImagePull, rank::PULL, steps::pulling(observed), claims);
    place_length(Phase::Init, rank::INIT, observed.init, claims);
}

/// From the last container's start to the API's acceptance.
fn reporting(startup: &Startup, steps: &Steps, running: Time, claims: &mut Claims) {
    let main = steps.steps.iter().filter(|step| !step.init && step.started.is_some_and(|mark| mark.low <= running));
    let Some(last) = main.max_by_key(|step| step.started.map(|mark| mark.at)) else { return };
    let Some(mut started) = last.started else { return };
    if startup.running().is_none() && startup.observed.is_none() {
        return;
    }
    let end = Mark { place: startup.observed_at.map(|(_, place)| place), ..within(running, running) };
    // The sync that started it goes on while its postStart hook runs (`-v=4` shows the sync's end).
    let busy = startup.all(Fact::SyncEnded).find(|event| event.time >= started.at && event.time <= running);
    if let Some(busy) = busy {
        claims.add(Phase::Start, rank::START, started, mark(busy));
        started = mark(busy);
    }
    let noticed = last.noticed.filter(|(time, _)| *time <= running);
    let noticed = match noticed {
        Some((time, place)) => Mark::exact(time.max(started.at), place),
        None if startup.running().is_some() => Mark::between(started.at, running, None),
        // JSON logging does not tell when the API accepted it.
        None => Mark::between(started.at, running, None),
    };
    claims.add(Phase::Detect, rank::DETECT, started, noticed);
    let end = if startup.running().is_some() { end } else { Mark::between(noticed.at, running, end.place) };
    claims.add(Phase::Report, rank::REPORT, noticed, end);
}

/// Tiles `begin..end` with claims; the rest is unattributed.
pub(super) fn tile(claims: Vec<Claim>, begin: Time, end: Time) -> Vec<Piece> {
    let clip = |time: Time| time.max(begin).min(end);
    let mut cuts: Vec<Time> = vec![begin, end];
    cuts.extend(claims.iter().flat_map(|claim| [clip(claim.from.at), clip(claim.to.at)]));
    cuts.sort_unstable();
    cuts.dedup();
    let mut owners: Vec<(Time, Time, Option<usize>)> = Vec::new();
    for pair in cuts.windows(2) {
        let &[from, to] = pair else { continue };
        let covering =
            claims.iter().enumerate().filter(|(_, claim)| clip(claim.from.at) <= from && clip(claim.to.at) >= to);
        let owner = covering.min_by_key(|(number, claim)| (claim.rank, *number)).map(|(number, _)| number);
        match owners.last_mut() {
            Some(last) if last.2 == owner => last.1 = to,
            _ => owners.push((from, to, owner)),
        }
    }
    // A claim whose ends coincide has no seconds, but may have had some: it is kept for its bounds.
    for (number, claim) in claims.iter().enumerate() {
        let (from, to) = (clip(claim.from.at), clip(claim.to.at));
        let empty = to <= from && claim.to.high > claim.from.low && claim.to.high > begin;
        if empty && !owners.iter().any(|(_, _, owner)| *owner == Some(number)) {
            // Never inside another span: at its end.
            let inside = owners.iter().find(|(other, until, _)| *other < from && from < *until);
            let at = inside.map_or(from, |(_, until, _)| *until);
            owners.push((at, at, Some(number)));
        }
    }
    owners.sort_by_key(|(from, to, _)| (*from, *to));
    owners
        .into_iter()
        .map(|(from, to, owner)| piece(from, to, owner.and_then(|number| claims.get(number)), begin, end))
        .collect()
}

fn piece(from: Time, to: Time, claim: Option<&Claim>, begin: Time, end: Time) -> Piece {
    let length = to - from;
    let Some(claim) = claim else {
        return Piece {
            phase: Phase::Unattributed,
            from,
            to,
            precision: Precision::Exact,
            min: length,
            max: length,
            place: None,
            about: None,
        };
    };
    let clip = |time: Time| time.max(begin).min(end);
    let whole_from = clip(claim.from.at) == from;
    let whole_to = clip(claim.to.at) == to;
    // Another claim may have cut an end off: a sure end is then the cut, an unsure one stays unsure.
    let ends = |mark: Mark, whole: bool, at: Time| {
        if whole || mark.low < mark.high { (clip(mark.low).min(at), clip(mark.high).max(at)) } else { (at, at) }
    };
    let (from_low, from_high) = ends(claim.from, whole_from, from);
    let (to_low, to_high) = ends(claim.to, whole_to, to);
    let exact = from_low == from_high && to_low == to_high;
    let (mut min, mut max) = (Span((to_low - from_high).0.max(0)), to_high - from_low);
    if let (Some(known), true) = (claim.length, whole_from && whole_to) {
        (min, max) = (known, known);
    }
    let inferred = claim.from.inferred || claim.to.inferred;
    let precision = match (inferred, exact && min == max) {
        (false, true) => Precision::Exact,
        (true, _) if min == max => Precision::Inferred,
        (true, true) => Precision::Inferred,
        _ => Precision::Bounded,
    };
    let (min, max) = (min.min(length), max.max(length));
    Piece {
        phase: claim.phase,
        from,
        to,
        precision,
        min,
        max,
        place: claim.to.place.or(claim.from.place),
        about: claim.about.clone(),
    }
}
