//! Who was ahead: the pulls of other pods that a startup's image waited for, and how long those pods had waited themselves.

use crate::model::error::Error;
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};
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
}

/// The queues of a startup's waits, in the order of its spans; empty where there was no wait, or nobody is known.
pub(super) fn of(report: &Report, row: &Row) -> Result<Vec<Queue>, Error> {
    let long = |span: &Span| span.phase == Phase::ImageWait && span.to - span.from >= LEAST;
    let mut queues = vec![Queue::default(); row.spans.len()];
    let Some(node) = row.node.as_deref().filter(|_| row.spans.iter().any(long)) else { return Ok(queues) };
    let mut all: Vec<Vec<BlockingPull>> = vec![Vec::new(); row.spans.len()];
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
            for (span, all) in row.spans.iter().zip(&mut all).filter(|(span, _)| long(span)) {
                let took = (ended.min(span.to) - began.max(span.from)).seconds();
                if took > 0.0 {
                    let waited = pull.wait_s.unwrap_or_default();
                    all.push(BlockingPull { pod: other.full_name(), image: image.clone(), took, waited });
                }
            }
        }
    })?;
    for (queue, mut all) in queues.iter_mut().zip(all) {
        all.sort_by(|a, b| b.took.total_cmp(&a.took).then_with(|| a.pod.cmp(&b.pod)));
        let others = all.split_off(all.len().min(NAMED));
        *queue = Queue { named: all, others: (others.len(), others.iter().map(|other| other.took).sum()) };
    }
    Ok(queues)
}
