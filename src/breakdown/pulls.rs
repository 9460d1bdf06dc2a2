//! The runtime's pulls, and whose they are. A `PullImage` line names an image but no pod; which pod waited for it is told
//! by what surrounds it: the container created right after, the record's pulling time, the image a failure names.

use std::collections::{BTreeMap, VecDeque};

use crate::breakdown::steps::{self, ContainerRun};
use crate::model::record::{Fact, Field, Record, SourceLine};
use crate::model::startup::{Repull, Startup, Transfer};
use crate::model::time::{Nanos, SECOND, Time};

/// How many pulls of a node are remembered.
const REMEMBERED: usize = 8192;
/// Of so many pulls, the latest, it is looked at whether they had the same image.
const LOOKED_BACK: usize = 1024;
/// How far ends may be out of their order.
const DISORDER: Nanos = Nanos(5 * SECOND);
/// Lines of one instant may stand some milliseconds apart.
const SLACK: Nanos = Nanos(SECOND / 50);
/// The kubelet reports a failed pull right after the runtime does; under load within some seconds.
const FAILURE_LAG: Nanos = Nanos(5 * SECOND);

/// The kubelet asks for the pull some 10 to 100 ms after the sandbox is there and sees its end as much later than the
/// runtime; the middle of what captures show.
const ASKING: Nanos = Nanos(3 * SECOND / 100);
/// A pull that begins within this after another one's end was queued behind it.
const TURN: Nanos = Nanos(SECOND / 100);

/// A node's pulls, in the order they ended.
#[derive(Debug, Default)]
pub struct Pulls {
    under_way: Vec<(Box<str>, Time)>,
    done: VecDeque<Done>,
    /// When the kubelet removed images to free disk.
    collected: VecDeque<(Time, SourceLine)>,
}

#[derive(Debug)]
struct Done {
    transfer: Transfer,
    /// containerd writes two lines at the end; the second has not come yet.
    to_return: bool,
    taken: bool,
}

impl Pulls {
    /// How many pulls it holds.
    pub fn held(&self) -> usize {
        self.under_way.len() + self.done.len() + self.collected.len()
    }

    /// Takes a line about images being removed.
    pub fn collected(&mut self, time: Time, place: SourceLine) {
        self.collected.push_back((time, place));
        if self.collected.len() > REMEMBERED {
            self.collected.pop_front();
        }
    }

    /// Pulls that ended after an instant, and some before, with their numbers: they are kept in about the order of their ends.
    fn since(&self, from: Time) -> impl Iterator<Item = (usize, &Done)> {
        let first = self.done.partition_point(|done| done.transfer.ended < from - DISORDER);
        self.done.range(first..).enumerate().map(move |(number, done)| (first + number, done))
    }

    /// Pulls that ended between two instants, and some around them, with their numbers.
    fn between(&self, from: Time, to: Time) -> impl Iterator<Item = (usize, &Done)> {
        self.since(from).take_while(move |(_, done)| done.transfer.ended <= to + DISORDER)
    }

    /// When the kubelet removed images.
    pub fn removals(&self) -> VecDeque<(Time, SourceLine)> {
        self.collected.clone()
    }

    /// Whether an image had been pulled before this instant, and what became of it.
    fn again(&self, image: &str, before: Time, collected: &VecDeque<(Time, SourceLine)>) -> Option<Repull> {
        let earlier = self.done.iter().rev().take(LOOKED_BACK).map(|done| &done.transfer);
        let mut earlier = earlier.filter(|known| known.ok && known.ended < before);
        let last = earlier.find(|known| *known.image == *image)?.ended;
        let removed = collected.iter().rfind(|(time, _)| *time > last && *time < before);
        Some(removed.map_or(Repull::Present, |(_, place)| Repull::Collected(*place)))
    }

    /// Bytes a second that the node moved between two instants, by the pulls whose sizes are told.
    fn rate(&self, from: Time, to: Time) -> Option<f64> {
        let whole = (to - from).seconds();
        // What is still under way took its share, and does not tell how much.
        if self.under_way.iter().any(|(_, began)| *began < to) {
            return None;
        }
        // Two pulls of one image move it once.
        let mut moved: BTreeMap<&str, f64> = BTreeMap::new();
        for transfer in self.since(from).map(|(_, done)| &done.transfer).filter(|transfer| transfer.ok) {
            let shared = (transfer.ended.min(to) - transfer.began.max(from)).seconds();
            let took = (transfer.ended - transfer.began).seconds();
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
        if record.fact == Fact::TransferBegan {
            self.under_way.push((image.into(), time));
            if self.under_way.len() > REMEMBERED {
                self.under_way.remove(0);
            }
            return;
        }
        let ok = record.fact == Fact::TransferEnded;
        let took = record.fields.length(Field::Duration);
        if ok
            && took.is_none()
            && let Some(done) = self
                .done
                .iter_mut()
                .rev()
                .take(LOOKED_BACK)
                .find(|done| done.to_return && *done.transfer.image == *image)
        {
            done.to_return = false;
            return;
        }
        // With several pulls of one image under way the printed duration tells which one ended.
        let expected = took.map(|took| time - took);
        let mine = self.under_way.iter().enumerate().filter(|(_, (known, _))| **known == *image);
        let mine = mine.min_by_key(|(_, (_, began))| expected.map_or(began.0, |expected| (*began - expected).abs().0));
        let began = match (mine.map(|(number, _)| number), expected) {
            (Some(number), _) => self.under_way.remove(number).1,
            (None, Some(expected)) => expected,
            (None, None) => return,
        };
        let bytes = record.fields.number(Field::Bytes).filter(|bytes| *bytes > 0);
        let transfer = Transfer {
            image: image.into(),
            began,
            ended: time,
            ok,
            bytes,
            place: record.place,
            text: record.text.clone(),
            behind: None,
            again: None,
            rate: None,
            queued_since: None,
        };
        self.done.push_back(Done { transfer, to_return: ok && took.is_some(), taken: false });
        if self.done.len() > REMEMBERED {
            self.done.pop_front();
        }
    }
}

/// Gives a startup the pulls that are its own.
pub fn assign(startup: &mut Startup, pulls: &mut Pulls, removals: &VecDeque<(Time, SourceLine)>) {
    if steps::never_pulled(startup) {
        return;
    }
    let steps = steps::of(startup);
    let mut taken: Vec<usize> = Vec::new();
    let mut asked: Vec<(usize, Time)> = Vec::new();
    if let Some(ready) = steps.sandbox_ready {
        let mut from = ready.at;
        let gaps: Vec<(Time, Time)> = steps.steps.iter().filter_map(|step| gap(step, &mut from)).collect();
        let alone = gaps.len() == 1;
        for (from, to) in gaps {
            let free = pulls.between(from - SLACK, to + SLACK);
            let free = free.filter(|(number, done)| !done.taken && !taken.contains(number));
            let fits = free.filter(|(_, done)| {
                let Transfer { began, ended, ok, .. } = &done.transfer;
                *ok && *began >= from - SLACK && *ended <= to + SLACK
            });
            let expected = expected_end(startup, from, to, alone);
            let near = |done: &Done| (done.transfer.ended - expected - ASKING).abs();
            let best = fits.min_by_key(|(_, done)| near(done));
            if let Some((number, _)) = best {
                taken.push(number);
                asked.push((number, from));
            }
        }
    }
    // Failed attempts: the kubelet tells of each right after the runtime does, and names the image.
    for event in startup.all(Fact::SyncFailed).filter(|event| event.fields.text(Field::Reason) == Some("ErrImagePull"))
    {
        let free = pulls.between(event.time - FAILURE_LAG, event.time + SLACK);
        let free = free.filter(|(number, done)| !done.taken && !taken.contains(number));
        let fits = free.filter(|(_, done)| {
            let lag = event.time - done.transfer.ended;
            !done.transfer.ok && lag >= Nanos(0) - SLACK && lag <= FAILURE_LAG && event.tells(&done.transfer.image)
        });
        taken.extend(fits.min_by_key(|(_, done)| (event.time - done.transfer.ended).abs()).map(|(number, _)| number));
    }
    let since = steps.sandbox_ready.map_or(startup.touched, |ready| ready.at);
    for number in taken {
        let Some(mut transfer) = pulls.done.get(number).map(|done| done.transfer.clone()) else { continue };
        let own = (transfer.began, transfer.place);
        let others =
            || pulls.since(since).map(|(_, done)| &done.transfer).filter(|other| (other.began, other.place) != own);
        let overlap = |other: &Transfer| other.ended.min(transfer.began) - other.began.max(since);
        let most = others().max_by_key(|other| overlap(other)).filter(|other| overlap(other) > Nanos(0));
        // Half a second: lines of a serial queue stand some milliseconds across each other.
        let beside = |other: &Transfer| other.ended.min(transfer.ended) - other.began.max(transfer.began);
        startup.parallel |= others().any(|other| other.image != transfer.image && beside(other) > Nanos(SECOND / 2));
        let turn = others()
            .filter(|other| other.ended <= transfer.began && transfer.began - other.ended <= TURN)
            .max_by_key(|other| other.ended);
        let (behind, queued_since) = (most.map(|other| other.image.clone()), turn.map(|other| other.began));
        (transfer.behind, transfer.queued_since) = (behind, queued_since);
        let asked = asked.iter().find(|(known, _)| *known == number).map(|(_, asked)| *asked);
        transfer.again = asked.and_then(|asked| pulls.again(&transfer.image, asked, removals));
        transfer.rate = transfer.bytes.and_then(|_| pulls.rate(transfer.began, transfer.ended));
        startup.transfers.push(transfer);
        if let Some(done) = pulls.done.get_mut(number) {
            done.taken = true;
        }
    }
    startup.transfers.sort_by_key(|transfer| (transfer.began, transfer.place));
}

/// Between what came before a container and its creation: there its image was pulled, if it was.
fn gap(step: &ContainerRun, from: &mut Time) -> Option<(Time, Time)> {
    let to = step.asked?.at;
    let gap = (*from, to);
    *from = step.done().unwrap_or(to);
    (to > gap.0).then_some(gap)
}

/// When the pull in a gap should have ended: by the record where it says, else right before the container's creation.
fn expected_end(startup: &Startup, from: Time, to: Time, alone: bool) -> Time {
    let Some(observed) = startup.observed.as_deref() else { return to };
    match observed.last_pull.time() {
        Some(last) if last >= from - SLACK && last <= to + SLACK => last,
        _ => match steps::pulling(observed) {
            Some(pulling) if alone => (from + pulling).min(to),
            _ => to,
        },
    }
}
