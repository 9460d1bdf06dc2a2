//! What evidence claims of pulling: waiting, transfer and back-off before a container.

use super::bounded_instant::BoundedInstant;
use super::claims::{Claims, mark, rank};
use super::failures::{FailedStep, failures};
use super::timeline::{self, Timeline};
use super::whole_seconds::SECOND_LONG;
use super::within;
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field, RecordedTime, StartupRecord};
use crate::model::startup::{Event, Startup, Transfer};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;
use crate::parse::startup_record::is_overflow;

/// How many pulls that ended well the runtime shows: with one alone the record's pulling time belongs to it.
pub(super) fn runtime_pull_count(startup: &Startup) -> usize {
    startup.transfers.iter().filter(|transfer| transfer.ok).count()
}

/// A pull that ended well, as well as its instants are known.
struct FinishedPull {
    /// The kubelet asked for it; none: no line shows when.
    requested: Option<BoundedInstant>,
    started: BoundedInstant,
    finished: BoundedInstant,
    image: Option<Box<str>>,
}

/// Events of two programs about one instant are this far apart at most.
const SLACK: Nanos = Nanos(SECOND / 20);

/// A mirror that does not have an image says so in less (captures: milliseconds). A span for each would only be clutter.
const NOTICEABLE: Nanos = Nanos(SECOND / 10);

/// The pulls of images that are mounted as volumes: before any container, each with an event of its own.
pub(super) fn image_volumes(startup: &Startup, running: Time, claims: &mut Claims) {
    for event in startup.all(Fact::ImageVolumePulled).filter(|event| event.time <= running) {
        let FinishedPull { requested, started, finished, image } = pull_by_event(event);
        claims.add(Phase::ImageWait, rank::WAIT, requested.unwrap_or(started), started);
        claims.add(Phase::ImagePull, rank::PULL, started, finished).waited_for = image.map(WaitedFor::Image);
    }
}

/// The bounds of a transfer's instants: those known to the second lie between what came before and what follows.
fn bounds(transfer: &Transfer, before: BoundedInstant, asked: BoundedInstant) -> (BoundedInstant, BoundedInstant) {
    let mark = |at: Time, whole_second: bool| {
        if !whole_second {
            return BoundedInstant::exact(at, transfer.place);
        }
        let high = at.min(asked.high).max(at - SECOND_LONG);
        BoundedInstant::between((at - SECOND_LONG).max(before.low).min(high), high, Some(transfer.place))
    };
    (mark(transfer.started, transfer.whole_seconds.0), mark(transfer.finished, transfer.whole_seconds.1))
}

/// The pulls between two known instants, those before a container by its number, by the kubelet's events and the runtime's
/// transfers. Gives the end of the last.
pub(super) fn pulls(
    startup: &Startup,
    number: usize,
    before: BoundedInstant,
    asked: BoundedInstant,
    gaps_with_pulls: usize,
    claims: &mut Claims,
) -> Option<BoundedInstant> {
    let inside = |time: Time| time >= before.at - SLACK && time <= asked.at + SLACK;
    let mine = |transfer: &&Transfer| match transfer.before_container {
        Some(container) => container == number,
        None if transfer.whole_seconds.0 => {
            transfer.finished >= before.low - SLACK && transfer.finished <= asked.high + SLACK
        }
        None => inside(transfer.finished),
    };
    let transfers: Vec<&Transfer> = startup.transfers.iter().filter(mine).collect();
    let event = startup.all(Fact::PullFinished).find(|event| inside(mark(event).at) && !event.from_runtime);
    let success = transfers.iter().copied().rfind(|transfer| transfer.ok);
    let last_failure = failed_pulls(&transfers, before, asked, claims);
    // Where the kubelet's own times are: its event first, then its record, then the runtime's lines.
    let pull = match (event, success) {
        (Some(event), _) => pull_by_event(event),
        (None, Some(transfer)) => {
            let record = startup.observed.as_deref().filter(|_| last_failure.is_none());
            let alone = gaps_with_pulls <= 1;
            pull_by_runtime(transfer, record, alone, before, asked, inside)
        }
        (None, None) => {
            if let Some(failure) = last_failure {
                claims.add(Phase::ImageBackoff, rank::BACKOFF, failure, asked);
            }
            return last_failure;
        }
    };
    let FinishedPull { requested, started, finished, image } = pull;
    // The event's message has them, however well its instant is known.
    let lengths = event
        .filter(|event| event.whole_second)
        .and(requested)
        .map(|requested| (started.at - requested.at, finished.at - started.at));
    let started = BoundedInstant { at: started.at.max(requested.map_or(started.at, |at| at.at)), ..started };
    let queued = match last_failure {
        Some(failure) => {
            // Back-off ends where the queue begins, which only the pull ahead in the queue shows.
            let since = success.and_then(|transfer| transfer.queued_since).filter(|since| *since > failure.at);
            let queued = since.map_or(started, |since| BoundedInstant {
                at: since,
                low: failure.at,
                high: started.at,
                inferred: true,
                place: started.place,
            });
            claims.add(Phase::ImageBackoff, rank::BACKOFF, failure, queued);
            queued
        }
        // Without a line about the request it came right after what went before.
        None => after_restart(startup, requested.unwrap_or(before.inferred()), started),
    };
    let wait = claims.add(Phase::ImageWait, rank::WAIT, queued, started);
    wait.waited_for = success.and_then(|transfer| transfer.blocked_by.clone()).map(WaitedFor::PullAhead);
    wait.length = lengths.filter(|_| last_failure.is_none()).map(|(wait, _)| (wait, wait));
    if let Some(transfer) = success {
        failed_mirrors(transfer, started, finished, claims);
    }
    let pull = claims.add(Phase::ImagePull, rank::PULL, started, finished);
    pull.waited_for = image.map(WaitedFor::Image);
    pull.length = lengths.map(|(_, pull)| (pull, pull));
    Some(finished)
}

/// The part of a pull in which mirrors were asked that did not serve it. Added before the pull itself, so it goes first.
fn failed_mirrors(transfer: &Transfer, started: BoundedInstant, finished: BoundedInstant, claims: &mut Claims) {
    for mirror in &transfer.failed_mirrors {
        let to = BoundedInstant::exact(mirror.to.min(finished.at), mirror.place);
        let from = mirror.from.max(started.at).min(to.at);
        let high = mirror.from_high.max(from).min(to.at);
        let from = BoundedInstant { high, ..BoundedInstant::exact(from, mirror.place) };
        if to.at - from.at >= NOTICEABLE {
            claims.add(Phase::ImagePull, rank::PULL, from, to).waited_for =
                Some(WaitedFor::Mirror(mirror.host.clone()));
        }
    }
}

/// A kubelet that restarted meanwhile sent a new request: the one before is over.
fn after_restart(startup: &Startup, requested: BoundedInstant, started: BoundedInstant) -> BoundedInstant {
    let between = |restart: &&Event| restart.time > requested.at && restart.time < started.at;
    match startup.restarts.iter().rfind(between) {
        Some(restart) => {
            let again = BoundedInstant { at: started.at, low: restart.time, high: started.at, ..started };
            again.inferred()
        }
        None => requested,
    }
}

/// The transfers that failed, with the back-off between them. Gives the end of the last.
fn failed_pulls(
    transfers: &[&Transfer],
    before: BoundedInstant,
    asked: BoundedInstant,
    claims: &mut Claims,
) -> Option<BoundedInstant> {
    let mut last: Option<BoundedInstant> = None;
    for transfer in transfers.iter().filter(|transfer| !transfer.ok) {
        let (mut from, to) = bounds(transfer, before, asked);
        (from.at, from.high) = (from.at.min(to.at), from.high.min(to.high));
        if let Some(failure) = last {
            claims.add(Phase::ImageBackoff, rank::BACKOFF, failure, from);
        }
        failed_mirrors(transfer, from, to, claims);
        claims.add(Phase::ImagePull, rank::PULL, from, to).waited_for = Some(WaitedFor::Image(transfer.image.clone()));
        last = Some(to);
    }
    last
}

/// A pull as the kubelet's event has it: how long it took, with and without waiting.
fn pull_by_event(event: &Event) -> FinishedPull {
    let took = event.fields.length(Field::Duration).unwrap_or_default();
    let waited = event.fields.length(Field::Waited).unwrap_or(took);
    let finished = mark(event);
    FinishedPull {
        requested: Some(finished.earlier(waited)),
        started: finished.earlier(took),
        finished,
        image: event.fields.text(Field::Image).map(Into::into),
    }
}

/// A pull as the runtime's lines have it. The record, where no attempt failed, shows when the kubelet asked for it and saw its
/// end: by its instants, or by the pulling time, which is this pull's where it is `alone`.
fn pull_by_runtime(
    transfer: &Transfer,
    record: Option<&StartupRecord>,
    alone: bool,
    before: BoundedInstant,
    asked: BoundedInstant,
    inside: impl Fn(Time) -> bool,
) -> FinishedPull {
    let (started, runtime_end) = bounds(transfer, before, asked);
    let first = record.and_then(|record| record.first_pull.time());
    let last = record.and_then(|record| record.last_pull.time());
    let pulling_time = record.and_then(timeline::pulling_time).filter(|_| alone);
    let (requested, finished) = match (first, last, pulling_time) {
        (Some(first), Some(last), Some(_)) if last >= runtime_end.low - SLACK && last <= asked.at => {
            (Some(started.moved_to(first)), runtime_end.moved_to(last))
        }
        (_, _, Some(pulling_time)) => {
            let latest = asked.at.max(runtime_end.at);
            let at = (before.at + pulling_time).max(runtime_end.low).min(latest);
            let end = BoundedInstant { at, low: runtime_end.low, high: latest, inferred: true, ..runtime_end };
            (Some(end.earlier(pulling_time)), end)
        }
        (Some(first), _, None) if inside(first) => (Some(started.moved_to(first)), runtime_end),
        _ => (None, runtime_end),
    };
    FinishedPull { requested, started, finished, image: Some(transfer.image.clone()) }
}

/// The record counts a pull of which the runtime's log shows nothing: it lies in the first gap that has room for it.
pub(super) fn unlogged_pull(
    startup: &Startup,
    before: BoundedInstant,
    asked: BoundedInstant,
    gaps_with_pulls: usize,
    unlogged: &mut Option<Nanos>,
    claims: &mut Claims,
) -> Option<BoundedInstant> {
    let events = startup.all(Fact::PullFinished).any(|event| !event.from_runtime);
    let room = asked.at - before.at;
    let length = unlogged.filter(|length| gaps_with_pulls == 0 && !events && *length <= room + Nanos(SECOND / 20))?;
    *unlogged = None;
    let first =
        startup.observed.as_deref().and_then(|observed| observed.first_pull.time()).filter(|first| *first >= before.at);
    let from = first.unwrap_or(before.at).min(asked.at - length);
    let (from, to) = (within(from, from).inferred(), within(from + length, from + length).inferred());
    wait_and_pull(from, to, claims);
    Some(to)
}

/// What the kubelet's log alone says of pulls before a container: the record's pulling time, and failures.
pub(super) fn relisted_pulls(
    startup: &Startup,
    timeline: &Timeline,
    before: BoundedInstant,
    asked: BoundedInstant,
    left: &mut Option<Nanos>,
    claims: &mut Claims,
) -> Option<BoundedInstant> {
    let observed = startup.observed.as_deref()?;
    let failing = failures(startup)
        .filter(|failure| failure.step == FailedStep::Pull && failure.at.at <= asked.at)
        .collect::<Vec<_>>();
    if let (Some(first), Some(last)) = (failing.first(), failing.last()) {
        if first.at.at < before.low {
            return None;
        }
        let end = observed.last_pull.time().filter(|time| *time <= asked.at).unwrap_or(asked.at);
        let to = BoundedInstant { at: end, low: last.at.at.min(end), high: end, inferred: false, place: asked.place };
        claims.add(Phase::ImageBackoff, rank::BACKOFF, first.at, to);
        let rest = BoundedInstant { at: end, ..to };
        claims.add(Phase::ImagePull, rank::PULL, rest, BoundedInstant { low: end, ..rest }).length = None;
        *left = None;
        return Some(to);
    }
    if let Some(first) =
        observed.first_pull.time().filter(|first| *first <= asked.at && *first >= before.low - Nanos(SECOND))
    {
        let place = startup.observed_at.map(|(_, place)| place);
        let from = BoundedInstant { place, ..within(first, first) };
        let unknown = observed.last_pull == RecordedTime::Never || observed.slo.is_some_and(is_overflow);
        let end = observed.last_pull.time().unwrap_or(asked.at);
        let (end, one) = (end.min(asked.at), timeline.runs.len() == 1);
        let to = if unknown || !one { within(first, end) } else { within(end, end) };
        wait_and_pull(from, to, claims);
        *left = None;
        return Some(to);
    }
    let total = left.take().filter(|total| total.0 > 0)?;
    // The length is known, the place is not: it ends before the container runs and begins after the sandbox is there.
    let room = asked.at - before.low;
    let length = Nanos(total.0.min(room.0));
    let from = before.at.min(asked.at - length).max(before.low);
    let to = from + length;
    let from = BoundedInstant { at: from, low: before.low, high: from, inferred: true, place: asked.place };
    let to = BoundedInstant { at: to, low: to, high: asked.at, inferred: true, place: asked.place };
    wait_and_pull(from, to, claims);
    // The record counts the wait in the queue and the transfer together: either may be all of it.
    for claim in claims.list.iter_mut().rev().take(2) {
        claim.length = Some((Nanos(0), length));
    }
    // The sandbox was there when the pull was asked for.
    if let Some(sandbox) = claims.list.iter_mut().find(|claim| claim.phase == Phase::Sandbox) {
        sandbox.to.at = sandbox.to.at.min(from.at).max(sandbox.from.at);
    }
    if length < total {
        *left = Some(total - length);
    }
    Some(to)
}

/// Waiting and transfer that no line separates: the seconds stand under `image_pull`, either may be all of them.
pub(super) fn wait_and_pull(from: BoundedInstant, to: BoundedInstant, claims: &mut Claims) {
    let whole = BoundedInstant { at: from.at, low: from.low, high: to.high, inferred: false, place: from.place };
    claims.add(Phase::ImageWait, rank::WAIT, from, whole);
    let begins = BoundedInstant { at: from.at, low: from.low, high: to.high, inferred: false, place: from.place };
    claims.add(Phase::ImagePull, rank::PULL, begins, to);
}
