//! Who was ahead: the pulls of other pods that a startup's image waited for, and how long those pods had waited themselves.

use crate::model::error::Error;
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND, Time};
use crate::report::Report;
use crate::table::{Batch, Row, Span};

/// A wait shorter than this is no queue.
const LEAST: Nanos = Nanos(SECOND / 2);
/// So many are named, those that took most of the wait.
const NAMED: usize = 5;

/// A pull of another pod during a wait.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BlockingPull {
    /// Whose it was.
    pub pod: String,
    /// The image.
    pub image: Box<str>,
    /// How much of the wait it took, seconds.
    pub took: f64,
    /// How long that pod's pull had waited itself, seconds.
    pub waited: f64,
}

/// The pulls during one wait: those that took most of it, how many others there were, and how long they took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    pub(super) named: Vec<BlockingPull>,
    pub(super) others: (usize, f64),
    /// How many of them ran at the same time.
    pub(super) at_once: usize,
}

/// Pulls that overlap for a shorter part of the wait do so by the resolution of the logs.
const OVERLAP: f64 = 0.02;

/// How many of these intervals run at the same time for more than a small part of a wait.
fn at_once(intervals: &[(Time, Time)], wait: Nanos) -> usize {
    // At an instant ends come before beginnings.
    let mut edges: Vec<(Time, bool)> = intervals.iter().flat_map(|(from, to)| [(*from, true), (*to, false)]).collect();
    edges.sort_unstable();
    let (mut depth, mut last, mut spent) = (0_usize, None::<Time>, vec![0.0; intervals.len() + 1]);
    for (at, begins) in edges {
        if let (Some(last), Some(spent)) = (last, spent.get_mut(depth)) {
            *spent += (at - last).seconds();
        }
        depth = if begins { depth + 1 } else { depth.saturating_sub(1) };
        last = Some(at);
    }
    let (mut deeper, least) = (0.0, OVERLAP * wait.seconds());
    for (depth, spent) in spent.iter().enumerate().rev() {
        deeper += spent;
        if deeper > least {
            return depth;
        }
    }
    0
}

/// The queues of a startup's waits, in the order of its spans; empty where there was no wait, or nobody is known.
pub(super) fn of(report: &Report, row: &Row) -> Result<Vec<Queue>, Error> {
    let long = |span: &Span| span.phase == Phase::ImageWait && span.to - span.from >= LEAST;
    let mut queues = vec![Queue::default(); row.spans.len()];
    let Some(node) = row.node.as_deref().filter(|_| row.spans.iter().any(long)) else { return Ok(queues) };
    let mut all: Vec<Vec<BlockingPull>> = vec![Vec::new(); row.spans.len()];
    let mut intervals: Vec<Vec<(Time, Time)>> = vec![Vec::new(); row.spans.len()];
    let pulled_there = |batch: &Batch| {
        let (nodes, pulls) = (batch.text("node")?, batch.integers("pulls")?);
        let pulled = nodes.iter().zip(pulls.iter()).map(|(other, pulls)| other == Some(node) && pulls > Some(0));
        Ok(pulled.collect::<Vec<bool>>())
    };
    let columns = ["node", "pulls", "namespace", "pod", "uid", "image_pulls"];
    report.table.each(&columns, &pulled_there, &mut |other| {
        if other.pod == row.pod && other.namespace == row.namespace {
            return;
        }
        for pull in &other.image_pulls {
            let (Some(began), Some(ended), Some(image)) = (pull.started, pull.ended, &pull.image) else { continue };
            for ((span, all), intervals) in
                row.spans.iter().zip(&mut all).zip(&mut intervals).filter(|((span, _), _)| long(span))
            {
                let (from, to) = (began.max(span.from), ended.min(span.to));
                let took = (to - from).seconds();
                if took > 0.0 {
                    intervals.push((from, to));
                    let waited = pull.wait_s.unwrap_or_default();
                    all.push(BlockingPull { pod: other.full_name(), image: image.clone(), took, waited });
                }
            }
        }
    })?;
    for ((queue, mut all), (intervals, span)) in queues.iter_mut().zip(all).zip(intervals.iter().zip(&row.spans)) {
        all.sort_by(|a, b| b.took.total_cmp(&a.took).then_with(|| a.pod.cmp(&b.pod)));
        let others = all.split_off(all.len().min(NAMED));
        *queue = Queue {
            named: all,
            others: (others.len(), others.iter().map(|other| other.took).sum()),
            at_once: at_once(intervals, span.to - span.from),
        };
    }
    Ok(queues)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulls_in_slots_overlap_and_pulls_in_a_row_do_not() {
        let all = |seconds: &[(i64, i64)]| -> Vec<(Time, Time)> {
            seconds.iter().map(|(from, to)| (Time(from * SECOND), Time(to * SECOND))).collect()
        };
        let wait = Nanos(10 * SECOND);
        assert_eq!(at_once(&all(&[(0, 4), (4, 9), (9, 10)]), wait), 1);
        assert_eq!(at_once(&all(&[(0, 4), (0, 5), (3, 10), (9, 10)]), wait), 3);
        assert_eq!(at_once(&[], wait), 0);
        // By a tenth of a second, as logs stamp the end of one after the beginning of the next.
        let close = [(Time(0), Time(5 * SECOND + SECOND / 10)), (Time(5 * SECOND), Time(10 * SECOND))];
        assert_eq!(at_once(&close, wait), 1);
    }
}
