//! Records on their way from several sources to the tracker, put in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::model::record::{Record, SourceLine};
use crate::model::time::{Nanos, SECOND, Time};

/// Lines of one node's logs are out of order by up to half a second under load; records wait this long, in log time, to
/// be put in order.
const REORDER_WINDOW: Nanos = Nanos(2 * SECOND);

/// A record with its instant, in the order the tracker takes them.
pub(super) struct Dated {
    pub time: Time,
    pub record: Record,
    pub host: Option<Rc<str>>,
    pub source: usize,
}

/// Records taken, until none before them can come. They stay where they are while their order changes: a record is large.
pub(super) struct ReorderBuffer {
    order: BinaryHeap<Reverse<(Time, SourceLine, usize)>>,
    held: Vec<Option<Dated>>,
    free: Vec<usize>,
    horizon: Time,
    /// How many came too late to be put in order.
    pub late: u64,
}

impl ReorderBuffer {
    pub(super) fn new() -> Self {
        ReorderBuffer { order: BinaryHeap::new(), held: Vec::new(), free: Vec::new(), horizon: Time(i64::MIN), late: 0 }
    }

    pub(super) fn push(&mut self, dated: Dated) {
        self.late += u64::from(dated.time + REORDER_WINDOW < self.horizon);
        self.horizon = self.horizon.max(dated.time);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.held.push(None);
            self.held.len() - 1
        });
        self.order.push(Reverse((dated.time, dated.record.place, slot)));
        if let Some(held) = self.held.get_mut(slot) {
            *held = Some(dated);
        }
    }

    /// The first record, when none before it can come any more.
    pub(super) fn pop_ready(&mut self) -> Option<Dated> {
        let Reverse((first, _, _)) = self.order.peek()?;
        if *first + REORDER_WINDOW < self.horizon { self.first() } else { None }
    }

    /// The first record.
    pub(super) fn first(&mut self) -> Option<Dated> {
        let Reverse((_, _, slot)) = self.order.pop()?;
        self.free.push(slot);
        self.held.get_mut(slot)?.take()
    }
}
