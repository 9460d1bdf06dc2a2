//! Whose pull was it. A `PullImage` line names an image but no pod; which pod waited for it is shown by what surrounds it:
//! the container created right after, the record's pulling time, the image a failure names. Greedy, one pull at a time.

use super::bounded_instant::BoundedInstant;
use super::container_run::ContainerRun;
use super::timeline::{self, Timeline};
use super::whole_seconds::{SECOND_LONG, latest};
use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Startup, Transfer};
use crate::model::time::{Nanos, SECOND, Time};
use crate::track::{FinishedPull, NodePulls, Pulls};

/// Lines of one instant may stand some milliseconds apart.
const SLACK: Nanos = Nanos(SECOND / 50);
/// The kubelet reports a failed pull right after the runtime does; under load within some seconds.
const FAILURE_LAG: Nanos = Nanos(5 * SECOND);
/// The kubelet asks for the pull some 10 to 100 ms after the sandbox is there and sees its end as much later than the
/// runtime; the middle of what captures show.
const REQUEST_DELAY: Nanos = Nanos(3 * SECOND / 100);
/// Pulls that end within this of each other may each be the one.
const TIED: Nanos = Nanos(SECOND / 100);
/// A pull that begins within this after another one's end was queued behind it.
const QUEUE_HANDOVER: Nanos = Nanos(SECOND / 100);

/// A pull that is taken to be a startup's own: its number, and when it was asked for where that is known.
struct Own {
    number: usize,
    requested: Option<Time>,
    /// Before which container it was.
    container: Option<usize>,
}

/// Where an instant lies among the pulls: those of lines without fractions of a second are known by the order of the lines.
fn position(mark: BoundedInstant, timeline: &Timeline) -> Time {
    if timeline.whole_seconds { mark.low } else { mark.at }
}

/// Gives a startup the pulls that are its own.
pub(super) fn assign(startup: &mut Startup, timeline: &Timeline, node: NodePulls<'_>) {
    if timeline::never_pulled(startup) {
        return;
    }
    let NodePulls { pulls, removals } = node;
    let mut own = succeeded(startup, timeline, pulls);
    if startup.events.iter().all(|event| event.from_runtime) {
        failed_before(timeline, pulls, &mut own);
    } else {
        failed(startup, pulls, &mut own);
    }
    let since = timeline.sandbox_ready.map_or(startup.last_event, |ready| position(ready, timeline));
    let numbers: Vec<usize> = own.iter().map(|own| own.number).collect();
    for Own { number, requested, container } in own {
        if let Some(bytes) = pulls.get(number).and_then(|pull| size(startup, pull)) {
            pulls.set_bytes(number, bytes);
        }
        let Some(pull) = pulls.get(number) else { continue };
        let mut transfer = with_queue(pull, pulls, since, &numbers, &mut startup.parallel_pulls);
        transfer.before_container = container.filter(|_| pull.whole_seconds.1);
        transfer.repull = requested.and_then(|requested| pulls.previous_pull(&pull.image, requested, removals));
        let began = pull.failed_mirrors.last().map_or(pull.started, |mirror| mirror.to);
        transfer.rate = pull.bytes.and_then(|_| pulls.rate(began, pull.finished));
        let failed = pulls.unfinished(&pull.image, since, pull.started).filter(|_| pull.ok);
        let failed = failed.map(|attempt| Transfer {
            started: latest(attempt.started, attempt.whole_second),
            // No line shows when it failed, unless the runtime was started anew.
            finished: attempt.interrupted.unwrap_or(latest(attempt.started, attempt.whole_second)),
            whole_seconds: (attempt.whole_second, attempt.whole_second && attempt.interrupted.is_none()),
            ok: false,
            bytes: None,
            place: attempt.place,
            blocked_by: None,
            repull: None,
            rate: None,
            queued_since: None,
            failed_mirrors: Vec::new(),
            ..transfer.clone()
        });
        let failed: Vec<Transfer> = failed.collect();
        startup.transfers.extend(failed);
        startup.transfers.push(transfer);
        pulls.assign(number);
    }
    startup.transfers.sort_by_key(|transfer| (transfer.started, transfer.finished));
}

/// The size of a pull that the runtime does not log (CRI-O): the kubelet's event about it has it since 1.30.
fn size(startup: &Startup, pull: &FinishedPull) -> Option<i64> {
    let mut events = startup.all(Fact::PullFinished).filter(|event| !event.from_runtime && pull.ok);
    let ended = latest(pull.finished, pull.whole_seconds.1);
    let event = events.find(|event| {
        event.fields.text(Field::Image) == Some(&*pull.image)
            && (event.time - ended).abs() <= SECOND_LONG + REQUEST_DELAY
    })?;
    event.fields.number(Field::Bytes).filter(|bytes| *bytes > 0)
}

/// Pulls that ended well, one at most before each container.
fn succeeded(startup: &Startup, timeline: &Timeline, pulls: &Pulls) -> Vec<Own> {
    let mut own: Vec<Own> = Vec::new();
    let Some(ready) = timeline.sandbox_ready else { return own };
    let mut from = position(ready, timeline);
    let gaps = timeline.runs.iter().enumerate();
    let gaps = gaps.filter_map(|(number, run)| Some((number, gap(run, timeline, &mut from)?, run.name.as_deref())));
    let gaps: Vec<(usize, (Time, Time), Option<&str>)> = gaps.collect();
    let alone = gaps.len() == 1;
    for (run, (from, to), container) in gaps {
        // A failure that has nothing to do with the image does not name it.
        let named = naming_event(startup, container)
            .filter(|event| pulls.since(Time(0)).any(|(_, pull)| event.mentions(&pull.image)));
        let free = pulls.unassigned(from - SLACK, to + SLACK).filter(|(number, _)| !is_among(&own, *number));
        let begins_after = |pull: &FinishedPull| pull.started + late(pull.whole_seconds.0) >= from - SLACK;
        let fits = free.filter(|(_, pull)| pull.ok && begins_after(pull) && pull.finished <= to + SLACK);
        let expected = expected_end(startup, from, to, alone);
        let fits: Vec<_> = fits.filter(|(_, pull)| named.is_none_or(|event| event.mentions(&pull.image))).collect();
        if timeline.whole_seconds {
            // What is off by no more than the seconds that are not known is decided by the order of the lines.
            let lag =
                |pull: &FinishedPull| ((pull.finished - expected).abs() - SECOND_LONG - REQUEST_DELAY).max(Nanos(0));
            let in_order = fits.iter().filter(|(_, pull)| pull.finished <= to);
            let best = in_order.min_by_key(|(number, pull)| (lag(pull), to - pull.finished, *number));
            own.extend(best.map(|(number, _)| Own { number: *number, requested: Some(from), container: Some(run) }));
            continue;
        }
        let lag = |pull: &FinishedPull| (pull.finished - expected - REQUEST_DELAY).abs();
        let nearest = fits.iter().min_by_key(|(_, pull)| lag(pull)).map(|(_, pull)| pull.finished);
        let tied = fits.iter().filter(|(_, pull)| nearest.is_some_and(|end| (pull.finished - end).abs() <= TIED));
        let best = tied.min_by_key(|(number, pull)| (pull.started, *number));
        own.extend(best.map(|(number, _)| Own { number: *number, requested: Some(from), container: None }));
    }
    own
}

/// A line of the kubelet that names the image of a container.
fn naming_event<'a>(startup: &'a Startup, container: Option<&str>) -> Option<&'a Event> {
    startup.events.iter().find(|event| {
        let reason = event.fields.text(Field::Reason);
        let names = event.fields.text(Field::Image).is_some() || reason == Some("ErrImagePull");
        !event.from_runtime && names && container.is_some() && event.fields.text(Field::Container) == container
    })
}

/// Failed attempts: the kubelet reports each right after the runtime does, and names the image.
fn failed(startup: &Startup, pulls: &Pulls, own: &mut Vec<Own>) {
    let failures = startup.all(Fact::SyncFailed);
    for event in failures.filter(|event| event.fields.text(Field::Reason) == Some("ErrImagePull")) {
        let free = pulls.unassigned(event.time - FAILURE_LAG, event.time + SLACK);
        let fits = free.filter(|(number, pull)| {
            let lag = event.time - pull.finished;
            let in_time = lag >= Nanos(0) - SLACK && lag <= FAILURE_LAG;
            !is_among(own, *number) && !pull.ok && in_time && event.mentions(&pull.image)
        });
        let best = fits.min_by_key(|(_, pull)| (event.time - pull.finished).abs()).map(|(number, _)| number);
        own.extend(best.map(|number| Own { number, requested: None, container: None }));
    }
}

/// Failed attempts where no line of the kubelet names them: those at an image that the pod pulled in the end, from its sandbox
/// on. It never waits for one that it does not have.
fn failed_before(timeline: &Timeline, pulls: &Pulls, own: &mut Vec<Own>) {
    let Some(ready) = timeline.sandbox_ready else { return };
    let from = position(ready, timeline) - SLACK;
    let mut failed: Vec<Own> = Vec::new();
    for pulled in own.iter().filter_map(|own| pulls.get(own.number)) {
        let tried = pulls.unassigned(from, pulled.started);
        let tried = tried.filter(|(number, pull)| {
            !pull.ok && pull.image == pulled.image && pull.started >= from && !is_among(&failed, *number)
        });
        let tried: Vec<usize> = tried.map(|(number, _)| number).collect();
        failed.extend(tried.into_iter().map(|number| Own { number, requested: None, container: None }));
    }
    own.extend(failed);
}

fn is_among(own: &[Own], number: usize) -> bool {
    own.iter().any(|own| own.number == number)
}

/// A pull with what its node's other pulls show of the wait before it, from `since` on. No pull waits for the pod's `own`, nor
/// for an attempt at the same image that failed: that one is tried again.
fn with_queue(pull: &FinishedPull, pulls: &Pulls, since: Time, own: &[usize], parallel: &mut bool) -> Transfer {
    let other = |(number, other): &(usize, &FinishedPull)| {
        !own.contains(number) && (other.ok || other.image != pull.image || other.finished > pull.started)
    };
    let others = || pulls.since(since).filter(other).map(|(_, other)| other);
    let overlap = |other: &FinishedPull| other.finished.min(pull.started) - other.started.max(since);
    let most = others().max_by_key(|other| overlap(other)).filter(|other| overlap(other) > Nanos(0));
    // Half a second: lines of a serial queue stand some milliseconds across each other.
    let beside = |other: &FinishedPull| other.finished.min(pull.finished) - other.started.max(pull.started);
    *parallel |= others().any(|other| other.image != pull.image && beside(other) > Nanos(SECOND / 2));
    let ahead = others()
        .filter(|other| other.finished <= pull.started && pull.started - other.finished <= QUEUE_HANDOVER)
        .max_by_key(|other| other.finished);
    let finished = latest(pull.finished, pull.whole_seconds.1);
    Transfer {
        image: pull.image.clone(),
        started: latest(pull.started, pull.whole_seconds.0).min(finished),
        finished,
        whole_seconds: pull.whole_seconds,
        before_container: None,
        ok: pull.ok,
        bytes: pull.bytes,
        place: pull.place,
        text: pull.text.clone(),
        blocked_by: most.map(|other| other.image.clone()),
        repull: None,
        rate: None,
        queued_since: ahead.map(|other| latest(other.started, other.whole_seconds.0)),
        failed_mirrors: pull.failed_mirrors.clone(),
    }
}

/// Between what came before a container and its creation: there its image was pulled, if it was.
fn gap(run: &ContainerRun, timeline: &Timeline, from: &mut Time) -> Option<(Time, Time)> {
    let to = position(run.requested?, timeline);
    let gap = (*from, to);
    let started = run.started.filter(|_| timeline.whole_seconds && run.exited.is_none());
    *from = started.map(|started| started.low).or(run.done()).unwrap_or(to);
    (to + late(timeline.whole_seconds) > gap.0).then_some(gap)
}

/// By how much an instant may be later that is known to the second.
fn late(whole_second: bool) -> Nanos {
    if whole_second { SECOND_LONG } else { Nanos(0) }
}

/// When the pull in a gap should have ended: by the record where it says, else right before the container's creation.
fn expected_end(startup: &Startup, from: Time, to: Time, alone: bool) -> Time {
    let Some(observed) = startup.observed.as_deref() else { return to };
    match observed.last_pull.time() {
        // The record's is the kubelet's own time, some milliseconds after the runtime's.
        Some(last) if last >= from - SLACK && last <= to + SLACK => last - REQUEST_DELAY,
        _ => match timeline::pulling_time(observed) {
            Some(pulling) if alone => (from + pulling).min(to),
            _ => to,
        },
    }
}
