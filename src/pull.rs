//! The runtime's pulls, and whose they are. A `PullImage` line names an image but no pod; which pod waited for it is told
//! by what surrounds it: the container created right after, the record's pulling time, the image a failure names.

use std::collections::VecDeque;

use crate::breakdown::steps::{self, Step};
use crate::record::{Fact, Field, Record};
use crate::startup::{Startup, Transfer};
use crate::time::{SECOND, Span, Time};

/// How many pulls of a node are remembered.
const REMEMBERED: usize = 8192;
/// Lines of one instant may stand some milliseconds apart.
const SLACK: Span = Span(SECOND / 50);
/// The kubelet reports a failed pull right after the runtime does; under load within some seconds.
const FAILURE_LAG: Span = Span(5 * SECOND);

/// The kubelet asks for the pull some 10 to 100 ms after the sandbox is there and sees its end as much later than the
/// runtime; the middle of what captures show.
const ASKING: Span = Span(3 * SECOND / 100);
/// A pull that begins within this after another one's end was queued behind it.
const TURN: Span = Span(SECOND / 100);

/// A node's pulls, in the order they ended.
#[derive(Debug, Default)]
pub struct Pulls {
    under_way: Vec<(Box<str>, Time)>,
    done: VecDeque<Done>,
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
        self.under_way.len() + self.done.len()
    }

    /// Takes a line about a pull.
    pub fn push(&mut self, record: &Record, time: Time) {
        let Some(image) = record.text_of(Field::Image) else { return };
        if record.fact == Fact::TransferBegan {
            self.under_way.push((image.into(), time));
            if self.under_way.len() > REMEMBERED {
                self.under_way.remove(0);
            }
            return;
        }
        let ok = record.fact == Fact::TransferEnded;
        let took = record.length(Field::Duration);
        if ok
            && took.is_none()
            && let Some(done) = self.done.iter_mut().rev().find(|done| done.to_return && *done.transfer.image == *image)
        {
            done.to_return = false;
            return;
        }
        // With several pulls of one image under way the printed duration tells which one ended.
        let expected = took.map(|took| time - took);
        let mine = self.under_way.iter().enumerate().filter(|(_, (known, _))| **known == *image);
        let mine = mine.min_by_key(|(_, (_, began))| expected.map_or(began.0, |expected| (*began - expected).0.abs()));
        let began = match (mine.map(|(number, _)| number), expected) {
            (Some(number), _) => self.under_way.remove(number).1,
            (None, Some(expected)) => expected,
            (None, None) => return,
        };
        let bytes = record.number(Field::Bytes).filter(|bytes| *bytes > 0);
        let transfer = Transfer {
            image: image.into(),
            began,
            ended: time,
            ok,
            bytes,
            place: record.place,
            text: record.text.clone(),
            behind: None,
            queued_since: None,
        };
        self.done.push_back(Done { transfer, to_return: ok && took.is_some(), taken: false });
        if self.done.len() > REMEMBERED {
            self.done.pop_front();
        }
    }
}

/// Gives a startup the pulls that are its own.
pub fn assign(startup: &mut Startup, pulls: &mut Pulls) {
    if steps::never_pulled(startup) {
        return;
    }
    let steps = steps::of(startup);
    let mut taken: Vec<usize> = Vec::new();
    if let Some(ready) = steps.sandbox_ready {
        let mut from = ready.at;
        let gaps: Vec<(Time, Time)> = steps.steps.iter().filter_map(|step| gap(step, &mut from)).collect();
        let alone = gaps.len() == 1;
        for (from, to) in gaps {
            let free = pulls.done.iter().enumerate().filter(|(number, done)| !done.taken && !taken.contains(number));
            let fits = free.filter(|(_, done)| {
                let Transfer { began, ended, ok, .. } = &done.transfer;
                *ok && *began >= from - SLACK && *ended <= to + SLACK
            });
            let expected = expected_end(startup, from, to, alone);
            let near = |done: &Done| (done.transfer.ended - expected - ASKING).0.abs();
            let best = fits.min_by_key(|(_, done)| near(done));
            taken.extend(best.map(|(number, _)| number));
        }
    }
    // Failed attempts: the kubelet tells of each right after the runtime does, and names the image.
    for event in startup.all(Fact::SyncFailed).filter(|event| event.text_of(Field::Reason) == Some("ErrImagePull")) {
        let free = pulls.done.iter().enumerate().filter(|(number, done)| !done.taken && !taken.contains(number));
        let fits = free.filter(|(_, done)| {
            let lag = event.time - done.transfer.ended;
            !done.transfer.ok && lag >= Span(0) - SLACK && lag <= FAILURE_LAG && event.tells(&done.transfer.image)
        });
        taken.extend(fits.min_by_key(|(_, done)| (event.time - done.transfer.ended).0.abs()).map(|(number, _)| number));
    }
    let since = steps.sandbox_ready.map_or(startup.touched, |ready| ready.at);
    for number in taken {
        let Some(mut transfer) = pulls.done.get(number).map(|done| done.transfer.clone()) else { continue };
        let others =
            || pulls.done.iter().enumerate().filter(|(other, _)| *other != number).map(|(_, done)| &done.transfer);
        let overlap = |other: &Transfer| other.ended.min(transfer.began) - other.began.max(since);
        let most = others().max_by_key(|other| overlap(other)).filter(|other| overlap(other) > Span(0));
        let turn = others()
            .filter(|other| other.ended <= transfer.began && transfer.began - other.ended <= TURN)
            .max_by_key(|other| other.ended);
        let (behind, queued_since) = (most.map(|other| other.image.clone()), turn.map(|other| other.began));
        (transfer.behind, transfer.queued_since) = (behind, queued_since);
        startup.transfers.push(transfer);
        if let Some(done) = pulls.done.get_mut(number) {
            done.taken = true;
        }
    }
    startup.transfers.sort_by_key(|transfer| (transfer.began, transfer.place));
}

/// Between what came before a container and its creation: there its image was pulled, if it was.
fn gap(step: &Step, from: &mut Time) -> Option<(Time, Time)> {
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
