//! The runtime's pulls, and whose they are. A `PullImage` line names an image but no pod; which pod waited for it is told
//! by what surrounds it: the container created right after, the record's pulling time, the image a failure names.

use std::collections::{BTreeMap, VecDeque};

use crate::breakdown::timeline::{self, ContainerRun};
use crate::model::record::{Fact, Field, Record, SourceLine};
use crate::model::startup::{Repull, Startup, Transfer};
use crate::model::time::{Nanos, SECOND, Time};

/// How many pulls of a node are remembered.
const MAX_REMEMBERED: usize = 8192;
/// Of so many pulls, the latest, it is looked at whether they had the same image.
const LOOKBACK: usize = 1024;
/// How far ends may be out of their order.
const CLOCK_SLACK: Nanos = Nanos(5 * SECOND);
/// Lines of one instant may stand some milliseconds apart.
const SLACK: Nanos = Nanos(SECOND / 50);
/// The kubelet reports a failed pull right after the runtime does; under load within some seconds.
const FAILURE_LAG: Nanos = Nanos(5 * SECOND);

/// The kubelet asks for the pull some 10 to 100 ms after the sandbox is there and sees its end as much later than the
/// runtime; the middle of what captures show.
const REQUEST_DELAY: Nanos = Nanos(3 * SECOND / 100);
/// A pull that begins within this after another one's end was queued behind it.
const QUEUE_HANDOVER: Nanos = Nanos(SECOND / 100);

/// A node's pulls, in the order they ended.
#[derive(Debug, Default)]
pub struct Pulls {
    in_progress: Vec<(Box<str>, Time)>,
    finished: VecDeque<FinishedPull>,
    /// When the kubelet removed images to free disk.
    removals: VecDeque<(Time, SourceLine)>,
}

#[derive(Debug)]
struct FinishedPull {
    transfer: Transfer,
    /// containerd writes two lines at the end; the second has not come yet.
    awaits_return_line: bool,
    assigned: bool,
}

impl Pulls {
    /// How many pulls it holds.
    pub fn held(&self) -> usize {
        self.in_progress.len() + self.finished.len() + self.removals.len()
    }

    /// Takes a line about images being removed.
    pub fn images_removed(&mut self, time: Time, place: SourceLine) {
        self.removals.push_back((time, place));
        if self.removals.len() > MAX_REMEMBERED {
            self.removals.pop_front();
        }
    }

    /// Pulls that ended after an instant, and some before, with their numbers: they are kept in about the order of their ends.
    fn since(&self, from: Time) -> impl Iterator<Item = (usize, &FinishedPull)> {
        let first = self.finished.partition_point(|finished| finished.transfer.finished < from - CLOCK_SLACK);
        self.finished.range(first..).enumerate().map(move |(number, finished)| (first + number, finished))
    }

    /// Pulls that ended between two instants, and some around them, with their numbers.
    fn between(&self, from: Time, to: Time) -> impl Iterator<Item = (usize, &FinishedPull)> {
        self.since(from).take_while(move |(_, finished)| finished.transfer.finished <= to + CLOCK_SLACK)
    }

    /// When the kubelet removed images.
    pub fn removals(&self) -> VecDeque<(Time, SourceLine)> {
        self.removals.clone()
    }

    /// Whether an image had been pulled before this instant, and what became of it.
    fn previous_pull(&self, image: &str, before: Time, removals: &VecDeque<(Time, SourceLine)>) -> Option<Repull> {
        let earlier = self.finished.iter().rev().take(LOOKBACK).map(|finished| &finished.transfer);
        let mut earlier = earlier.filter(|known| known.ok && known.finished < before);
        let last = earlier.find(|known| *known.image == *image)?.finished;
        let removed = removals.iter().rfind(|(time, _)| *time > last && *time < before);
        Some(removed.map_or(Repull::Present, |(_, place)| Repull::Collected(*place)))
    }

    /// Bytes a second that the node moved between two instants, by the pulls whose sizes are told.
    fn rate(&self, from: Time, to: Time) -> Option<f64> {
        let whole = (to - from).seconds();
        // What is still under way took its share, and does not tell how much.
        if self.in_progress.iter().any(|(_, began)| *began < to) {
            return None;
        }
        // Two pulls of one image move it once.
        let mut moved: BTreeMap<&str, f64> = BTreeMap::new();
        for transfer in self.since(from).map(|(_, finished)| &finished.transfer).filter(|transfer| transfer.ok) {
            let shared = (transfer.finished.min(to) - transfer.started.max(from)).seconds();
            let took = (transfer.finished - transfer.started).seconds();
            if shared > 0.0 && took > 0.0 {
                let part = moved.entry(&transfer.image).or_default();
                *part = part.max(transfer.bytes? as f64 * shared / took);
            }
        }
        let moved: f64 = moved.values().sum();
        (whole > 0.0 && moved > 0.0).then(|| moved / whole)
    }

    /// Takes a line about a pull.
    pub fn push(&mut self, record: &Record, time: Time) {
        let Some(image) = record.fields.text(Field::Image) else { return };
        if record.fact == Fact::TransferStarted {
            self.in_progress.push((image.into(), time));
            if self.in_progress.len() > MAX_REMEMBERED {
                self.in_progress.remove(0);
            }
            return;
        }
        let ok = record.fact == Fact::TransferFinished;
        let took = record.fields.length(Field::Duration);
        if ok
            && took.is_none()
            && let Some(finished) = self
                .finished
                .iter_mut()
                .rev()
                .take(LOOKBACK)
                .find(|finished| finished.awaits_return_line && *finished.transfer.image == *image)
        {
            finished.awaits_return_line = false;
            return;
        }
        // With several pulls of one image under way the printed duration tells which one ended.
        let expected = took.map(|took| time - took);
        let mine = self.in_progress.iter().enumerate().filter(|(_, (known, _))| **known == *image);
        let mine = mine.min_by_key(|(_, (_, began))| expected.map_or(began.0, |expected| (*began - expected).abs().0));
        let started = match (mine.map(|(number, _)| number), expected) {
            (Some(number), _) => self.in_progress.remove(number).1,
            (None, Some(expected)) => expected,
            (None, None) => return,
        };
        let bytes = record.fields.number(Field::Bytes).filter(|bytes| *bytes > 0);
        let transfer = Transfer {
            image: image.into(),
            started,
            finished: time,
            ok,
            bytes,
            place: record.place,
            text: record.text.clone(),
            blocked_by: None,
            repull: None,
            rate: None,
            queued_since: None,
        };
        self.finished.push_back(FinishedPull { transfer, awaits_return_line: ok && took.is_some(), assigned: false });
        if self.finished.len() > MAX_REMEMBERED {
            self.finished.pop_front();
        }
    }
}

/// Gives a startup the pulls that are its own.
pub fn assign(startup: &mut Startup, pulls: &mut Pulls, removals: &VecDeque<(Time, SourceLine)>) {
    if timeline::never_pulled(startup) {
        return;
    }
    let timeline = timeline::build(startup);
    let mut assigned: Vec<usize> = Vec::new();
    let mut asked: Vec<(usize, Time)> = Vec::new();
    if let Some(ready) = timeline.sandbox_ready {
        let mut from = ready.at;
        let gaps: Vec<(Time, Time)> = timeline.runs.iter().filter_map(|run| gap(run, &mut from)).collect();
        let alone = gaps.len() == 1;
        for (from, to) in gaps {
            let free = pulls.between(from - SLACK, to + SLACK);
            let free = free.filter(|(number, finished)| !finished.assigned && !assigned.contains(number));
            let fits = free.filter(|(_, finished)| {
                let Transfer { started, finished, ok, .. } = &finished.transfer;
                *ok && *started >= from - SLACK && *finished <= to + SLACK
            });
            let expected = expected_end(startup, from, to, alone);
            let near = |finished: &FinishedPull| (finished.transfer.finished - expected - REQUEST_DELAY).abs();
            let best = fits.min_by_key(|(_, finished)| near(finished));
            if let Some((number, _)) = best {
                assigned.push(number);
                asked.push((number, from));
            }
        }
    }
    // Failed attempts: the kubelet tells of each right after the runtime does, and names the image.
    for event in startup.all(Fact::SyncFailed).filter(|event| event.fields.text(Field::Reason) == Some("ErrImagePull"))
    {
        let free = pulls.between(event.time - FAILURE_LAG, event.time + SLACK);
        let free = free.filter(|(number, finished)| !finished.assigned && !assigned.contains(number));
        let fits = free.filter(|(_, finished)| {
            let lag = event.time - finished.transfer.finished;
            !finished.transfer.ok
                && lag >= Nanos(0) - SLACK
                && lag <= FAILURE_LAG
                && event.mentions(&finished.transfer.image)
        });
        assigned.extend(
            fits.min_by_key(|(_, finished)| (event.time - finished.transfer.finished).abs()).map(|(number, _)| number),
        );
    }
    let since = timeline.sandbox_ready.map_or(startup.last_event, |ready| ready.at);
    for number in assigned {
        let Some(mut transfer) = pulls.finished.get(number).map(|finished| finished.transfer.clone()) else { continue };
        let own = (transfer.started, transfer.place);
        let others = || {
            pulls
                .since(since)
                .map(|(_, finished)| &finished.transfer)
                .filter(|other| (other.started, other.place) != own)
        };
        let overlap = |other: &Transfer| other.finished.min(transfer.started) - other.started.max(since);
        let most = others().max_by_key(|other| overlap(other)).filter(|other| overlap(other) > Nanos(0));
        // Half a second: lines of a serial queue stand some milliseconds across each other.
        let beside = |other: &Transfer| other.finished.min(transfer.finished) - other.started.max(transfer.started);
        startup.parallel_pulls |=
            others().any(|other| other.image != transfer.image && beside(other) > Nanos(SECOND / 2));
        let turn = others()
            .filter(|other| other.finished <= transfer.started && transfer.started - other.finished <= QUEUE_HANDOVER)
            .max_by_key(|other| other.finished);
        (transfer.blocked_by, transfer.queued_since) =
            (most.map(|other| other.image.clone()), turn.map(|other| other.started));
        let asked = asked.iter().find(|(known, _)| *known == number).map(|(_, asked)| *asked);
        transfer.repull = asked.and_then(|asked| pulls.previous_pull(&transfer.image, asked, removals));
        transfer.rate = transfer.bytes.and_then(|_| pulls.rate(transfer.started, transfer.finished));
        startup.transfers.push(transfer);
        if let Some(finished) = pulls.finished.get_mut(number) {
            finished.assigned = true;
        }
    }
    startup.transfers.sort_by_key(|transfer| (transfer.started, transfer.place));
}

/// Between what came before a container and its creation: there its image was pulled, if it was.
fn gap(run: &ContainerRun, from: &mut Time) -> Option<(Time, Time)> {
    let to = run.requested?.at;
    let gap = (*from, to);
    *from = run.done().unwrap_or(to);
    (to > gap.0).then_some(gap)
}

/// When the pull in a gap should have ended: by the record where it says, else right before the container's creation.
fn expected_end(startup: &Startup, from: Time, to: Time, alone: bool) -> Time {
    let Some(observed) = startup.observed.as_deref() else { return to };
    match observed.last_pull.time() {
        Some(last) if last >= from - SLACK && last <= to + SLACK => last,
        _ => match timeline::pulling_time(observed) {
            Some(pulling) if alone => (from + pulling).min(to),
            _ => to,
        },
    }
}
