//! A node's pulls in a queue with so many slots. Pulls under way share what the node moves; time goes by as each pull's own.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// How pulls that are under way at once get on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SharingModel {
    /// Each as if it were alone.
    Keep,
    /// They share, equally, so many times what one of them gets alone.
    Share(f64),
}

impl SharingModel {
    /// How fast each gets on, with so many under way; alone it is 1.
    fn pace(self, pulls: usize) -> f64 {
        match self {
            SharingModel::Keep => 1.0,
            SharingModel::Share(capacity) => (capacity / pulls.max(1) as f64).min(1.0),
        }
    }
}

/// One pull: after how long it is asked for (since the one before it in the same start ended; the first: since the node's
/// beginning), and how much of its own time it takes. Seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PullRequest {
    pub after: f64,
    pub work: f64,
    /// It needs no slot and no time: the image is there.
    pub present: bool,
}

/// An instant that orders a heap; ties go by the start's number.
#[derive(Clone, Copy, Debug, PartialEq)]
struct At(f64, usize);

impl Eq for At {}
impl PartialOrd for At {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for At {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

/// Runs the pulls of a node's starts through its queue: first asked, first served. Gives when the last pull of each start ended.
pub(super) fn run(starts: &[Vec<PullRequest>], slots: Option<usize>, model: SharingModel) -> Vec<f64> {
    let slots = slots.unwrap_or(usize::MAX).max(1);
    let mut ends = vec![0.0; starts.len()];
    let mut next = vec![0usize; starts.len()];
    // Asked for and not yet come; waiting for a slot; under way, by the own time at which each ends.
    let mut coming: BinaryHeap<Reverse<At>> =
        starts.iter().enumerate().filter_map(|(at, requests)| Some(Reverse(At(requests.first()?.after, at)))).collect();
    let mut waiting: BinaryHeap<Reverse<At>> = BinaryHeap::new();
    let mut under_way: BinaryHeap<Reverse<At>> = BinaryHeap::new();
    let (mut now, mut own) = (0.0f64, 0.0f64);
    let request = |start: usize, number: usize| starts.get(start).and_then(|requests| requests.get(number)).copied();
    loop {
        let pace = model.pace(under_way.len());
        let arrives = coming.peek().map(|Reverse(at)| at.0);
        let finishes = under_way.peek().map(|Reverse(at)| now + (at.0 - own).max(0.0) / pace);
        let (at, arrival) = match (arrives, finishes) {
            (None, None) => break,
            (Some(arrives), Some(finishes)) if arrives <= finishes => (arrives, true),
            (Some(arrives), None) => (arrives, true),
            (_, Some(finishes)) => (finishes, false),
        };
        let at = at.max(now);
        own += (at - now) * if under_way.is_empty() { 1.0 } else { pace };
        now = at;
        let ended = if arrival {
            let Some(Reverse(At(_, start))) = coming.pop() else { break };
            let number = next.get(start).copied().unwrap_or_default();
            if request(start, number).is_some_and(|request| request.present) {
                Some(start)
            } else {
                waiting.push(Reverse(At(now, start)));
                None
            }
        } else {
            let Some(Reverse(At(due, start))) = under_way.pop() else { break };
            own = own.max(due);
            Some(start)
        };
        if let Some(start) = ended
            && let (Some(end), Some(number)) = (ends.get_mut(start), next.get_mut(start))
        {
            *end = now;
            *number += 1;
            if let Some(request) = request(start, *number) {
                coming.push(Reverse(At(now + request.after.max(0.0), start)));
            }
        }
        while under_way.len() < slots {
            let Some(Reverse(At(_, start))) = waiting.pop() else { break };
            let work = next.get(start).and_then(|number| request(start, *number)).map_or(0.0, |request| request.work);
            under_way.push(Reverse(At(own + work.max(0.0), start)));
        }
    }
    ends
}

/// How much of its own time each pull had, between when it began and when it ended, where they went on at once as observed.
pub(super) fn service_times(pulls: &[(f64, f64)], model: SharingModel) -> Vec<f64> {
    let mut cuts: Vec<(f64, i64)> = pulls.iter().flat_map(|(began, ended)| [(*began, 1), (*ended, -1)]).collect();
    cuts.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (mut open, mut own) = (0i64, 0.0f64);
    let mut passed: Vec<(f64, f64)> = Vec::with_capacity(cuts.len());
    for (at, step) in cuts {
        let before = passed.last().map_or(at, |(before, _)| *before);
        own += (at - before) * model.pace(usize::try_from(open).unwrap_or(0));
        open += step;
        passed.push((at, own));
    }
    let at = |time: f64| {
        let number = passed.partition_point(|(at, _)| *at < time);
        passed.get(number).map_or(own, |(_, own)| *own)
    };
    pulls.iter().map(|(began, ended)| (at(*ended) - at(*began)).max(0.0)).collect()
}
