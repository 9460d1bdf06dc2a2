//! What evidence claims of pulling: waiting, transfer and back-off before a container.

use super::claims::{Claims, failures, mark, rank};
use super::timeline::{self, BoundedInstant, Timeline};
use super::within;
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field, RecordedTime};
use crate::model::startup::{Startup, Transfer};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;
use crate::parse::startup_record::is_overflow;

/// How many pulls that ended well the runtime shows: with one alone the record's pulling time belongs to it.
pub(super) fn runtime_pull_count(startup: &Startup) -> usize {
    startup.transfers.iter().filter(|transfer| transfer.ok).count()
}

/// The pulls between two known instants, by the kubelet's events and the runtime's transfers. Gives the end of the last.
pub(super) fn pulls(
    startup: &Startup,
    before: BoundedInstant,
    asked: BoundedInstant,
    gaps_with_pulls: usize,
    claims: &mut Claims,
) -> Option<BoundedInstant> {
    let inside = |time: Time| time >= before.at - Nanos(SECOND / 20) && time <= asked.at + Nanos(SECOND / 20);
    let transfers: Vec<&Transfer> = startup.transfers.iter().filter(|transfer| inside(transfer.finished)).collect();
    let ended = startup.all(Fact::PullFinished).find(|event| inside(event.time) && !event.from_runtime);
    let success = transfers.iter().copied().rfind(|transfer| transfer.ok);
    let failed: Vec<&Transfer> = transfers.iter().copied().filter(|transfer| !transfer.ok).collect();
    let mut last_failure: Option<BoundedInstant> = None;
    for transfer in &failed {
        let (from, to) = (
            BoundedInstant::exact(transfer.started, transfer.place),
            BoundedInstant::exact(transfer.finished, transfer.place),
        );
        if let Some(failure) = last_failure {
            claims.add(Phase::ImageBackoff, rank::BACKOFF, failure, from);
        }
        claims.add(Phase::ImagePull, rank::PULL, from, to).waited_for = Some(WaitedFor::Image(transfer.image.clone()));
        last_failure = Some(to);
    }
    let observed = startup.observed.as_deref();
    let counted = observed
        .and_then(timeline::pulling_time)
        .filter(|_| failed.is_empty() && gaps_with_pulls <= 1 && last_failure.is_none());
    // Where the kubelet's own times are: its event first, then its record, then the runtime's lines.
    let (wanted, began, done, image): (Option<BoundedInstant>, BoundedInstant, BoundedInstant, Option<Box<str>>) =
        match (ended, success) {
            (Some(event), _) => {
                let took = event.fields.length(Field::Duration).unwrap_or_default();
                let waited = event.fields.length(Field::Waited).unwrap_or(took);
                let done = mark(event);
                let began = BoundedInstant { at: done.at - took, low: done.low - took, high: done.high - took, ..done };
                (
                    Some(BoundedInstant {
                        at: done.at - waited,
                        low: done.low - waited,
                        high: done.high - waited,
                        ..done
                    }),
                    began,
                    done,
                    event.fields.text(Field::Image).map(Into::into),
                )
            }
            (None, Some(transfer)) => {
                let began = BoundedInstant::exact(transfer.started, transfer.place);
                let runtime_end = BoundedInstant::exact(transfer.finished, transfer.place);
                let (wanted, done) = match (
                    observed.and_then(|o| o.first_pull.time()),
                    observed.and_then(|o| o.last_pull.time()),
                    counted,
                ) {
                    (Some(first), Some(last), Some(_))
                        if last >= runtime_end.at - Nanos(SECOND / 20) && last <= asked.at =>
                    {
                        (
                            Some(BoundedInstant { at: first, low: first, high: first, ..began }),
                            BoundedInstant { at: last, low: last, high: last, ..runtime_end },
                        )
                    }
                    (_, _, Some(counted)) => {
                        let end = (before.at + counted).max(runtime_end.at).min(asked.at.max(runtime_end.at));
                        let end = BoundedInstant {
                            at: end,
                            low: runtime_end.at,
                            high: asked.at.max(runtime_end.at),
                            inferred: true,
                            ..runtime_end
                        };
                        (
                            Some(BoundedInstant {
                                at: end.at - counted,
                                low: end.low - counted,
                                high: end.high - counted,
                                ..end
                            }),
                            end,
                        )
                    }
                    (Some(first), _, None) if failed.is_empty() && inside(first) => {
                        (Some(BoundedInstant { at: first, low: first, high: first, ..began }), runtime_end)
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
    let began = BoundedInstant { at: began.at.max(wanted.map_or(began.at, |wanted| wanted.at)), ..began };
    match (last_failure, wanted) {
        (Some(failure), _) => {
            // Back-off ends where the queue begins, which only the pull ahead in the queue shows.
            let queued = success.and_then(|transfer| transfer.queued_since).filter(|since| *since > failure.at);
            let asked = queued.map_or(began, |since| BoundedInstant {
                at: since,
                low: failure.at,
                high: began.at,
                inferred: true,
                place: began.place,
            });
            claims.add(Phase::ImageBackoff, rank::BACKOFF, failure, asked);
            claims.add(Phase::ImageWait, rank::WAIT, asked, began).waited_for =
                success.and_then(|transfer| transfer.blocked_by.clone()).map(WaitedFor::PullAhead);
        }
        (None, wanted) => {
            // Without a line about the asking it came right after what went before.
            let wanted = wanted.unwrap_or(before.inferred());
            claims.add(Phase::ImageWait, rank::WAIT, wanted, began).waited_for =
                success.and_then(|transfer| transfer.blocked_by.clone()).map(WaitedFor::PullAhead);
        }
    }
    claims.add(Phase::ImagePull, rank::PULL, began, done).waited_for = image.map(WaitedFor::Image);
    Some(done)
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

/// What the kubelet's log alone tells of pulls before a container: the record's pulling time, and failures.
pub(super) fn relisted_pulls(
    startup: &Startup,
    timeline: &Timeline,
    before: BoundedInstant,
    asked: BoundedInstant,
    left: &mut Option<Nanos>,
    claims: &mut Claims,
) -> Option<BoundedInstant> {
    let observed = startup.observed.as_deref()?;
    let failing =
        failures(startup).into_iter().filter(|failure| failure.pull && failure.at.at <= asked.at).collect::<Vec<_>>();
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

/// Waiting and transfer that no line tells apart: the seconds stand under `image_pull`, either may be all of them.
pub(super) fn wait_and_pull(from: BoundedInstant, to: BoundedInstant, claims: &mut Claims) {
    let whole = BoundedInstant { at: from.at, low: from.low, high: to.high, inferred: false, place: from.place };
    claims.add(Phase::ImageWait, rank::WAIT, from, whole);
    let begins = BoundedInstant { at: from.at, low: from.low, high: to.high, inferred: false, place: from.place };
    claims.add(Phase::ImagePull, rank::PULL, begins, to);
}
