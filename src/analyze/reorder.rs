//! Records on their way from several sources to the tracker, put in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use crate::model::record::Record;
use crate::model::time::{Nanos, SECOND, Time};

/// Lines of one node's logs are out of order by up to half a second under load; records wait this long, in log time, to
/// be put in order.
pub(super) const REORDER_WINDOW: Nanos = Nanos(2 * SECOND);

/// A record with its instant, in the order the tracker takes them. It passes through several queues, and as a box it is not
/// copied at each.
pub(super) struct Dated {
    pub time: Time,
    pub record: Box<Record>,
    pub host: Option<Rc<str>>,
    pub source: usize,
}

/// Records taken, until none before them can come. They stay where they are while their order changes.
pub(super) struct ReorderBuffer {
    /// By time, source, and when it came.
    order: BinaryHeap<Reverse<(Time, usize, u64, usize)>>,
    came: u64,
    held: Vec<Option<Dated>>,
    free: Vec<usize>,
    horizon: Time,
    /// How many came too late to be put in order.
    pub late: u64,
}

impl ReorderBuffer {
    pub(super) fn new() -> Self {
        ReorderBuffer {
            order: BinaryHeap::new(),
            came: 0,
            held: Vec::new(),
            free: Vec::new(),
            horizon: Time(i64::MIN),
            late: 0,
        }
    }

    pub(super) fn push(&mut self, dated: Dated) {
        self.late += u64::from(dated.time + REORDER_WINDOW < self.horizon);
        self.horizon = self.horizon.max(dated.time);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.held.push(None);
            self.held.len() - 1
        });
        self.came += 1;
        self.order.push(Reverse((dated.time, dated.source, self.came, slot)));
        if let Some(held) = self.held.get_mut(slot) {
            *held = Some(dated);
        }
    }

    /// The first record, when none before it can come any more.
    pub(super) fn pop_ready(&mut self) -> Option<Dated> {
        let Reverse((first, ..)) = self.order.peek()?;
        if *first + REORDER_WINDOW < self.horizon { self.first() } else { None }
    }

    /// When the record is that comes next, as far as it is known.
    pub(super) fn next_time(&self) -> Option<Time> {
        self.order.peek().map(|Reverse((time, ..))| *time)
    }

    /// The first record.
    pub(super) fn first(&mut self) -> Option<Dated> {
        let Reverse((.., slot)) = self.order.pop()?;
        self.free.push(slot);
        self.held.get_mut(slot)?.take()
    }
}
