//! The records of a chunk, held so that a line costs no memory of its own: their fields and texts lie one after another, and what
//! they lay in is used again for the next chunk. Each gets its own once it is taken, by the one thread that also frees it.

use std::collections::VecDeque;

use super::field_buffer::{FieldBuffer, Mark, Place};
use crate::model::record::Record;

/// Records in the order of their lines.
#[derive(Clone, Debug, Default)]
pub struct Records {
    heads: VecDeque<Head>,
    fields: FieldBuffer,
}

/// A record without its fields, and where they lie.
#[derive(Clone, Debug)]
struct Head {
    record: Record,
    fields: Place,
}

impl Records {
    /// Where the fields of the next record are to be put.
    pub(super) fn fields(&mut self) -> &mut FieldBuffer {
        &mut self.fields
    }

    /// Adds a record with the fields that came since.
    pub(super) fn push(&mut self, record: Record, since: Mark) {
        let fields = self.fields.end(since, record.fact.is_shown());
        self.heads.push_back(Head { record, fields });
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Each, without its fields and text.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn heads_mut(&mut self) -> impl Iterator<Item = &mut Record> {
        self.heads.iter_mut().map(|head| &mut head.record)
    }

    /// Lets go of memory that far more records needed: thousands of sources may hold a chunk each.
    pub(crate) fn shrink(&mut self) {
        if self.heads.capacity() / 4 > self.heads.len() {
            self.heads.shrink_to_fit();
            self.fields.shrink();
        }
    }

    /// Its memory, if it has any.
    pub(crate) fn emptied(mut self) -> Option<Self> {
        self.heads.clear();
        self.fields.clear();
        (self.heads.capacity() > 0).then_some(self)
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let Head { mut record, fields } = self.heads.pop_front()?;
        record.fields = self.fields.fields(&fields);
        Some(record)
    }
}
