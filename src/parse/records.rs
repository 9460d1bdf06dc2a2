//! The records of a chunk, held so that a line costs no memory of its own: their fields and texts lie one after another, and what
//! they lay in is used again for the next chunk. Each gets its own once it is taken, by the one thread that also frees it.

use std::collections::VecDeque;

use crate::model::fields::Fields;
use crate::model::record::{Field, MAX_EVIDENCE_BYTES, Record, Value, cut_text};

/// Records in the order of their lines.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Without fields and text.
    records: VecDeque<Head>,
    fields: VecDeque<(Field, Value)>,
    texts: String,
    /// How much of the texts was taken.
    taken: usize,
}

#[derive(Clone, Debug)]
struct Head {
    record: Record,
    fields: usize,
    text: usize,
}

impl Records {
    /// Adds a record with these fields and as much of the text as is kept.
    pub(super) fn push(&mut self, record: Record, fields: &mut Vec<(Field, Value)>, text: &str) {
        let before = self.texts.len();
        let (kept, is_cut) = cut_text(text, MAX_EVIDENCE_BYTES);
        self.texts.push_str(kept);
        self.texts.push_str(if is_cut { "…" } else { "" });
        self.records.push_back(Head { record, fields: fields.len(), text: self.texts.len() - before });
        self.fields.extend(fields.drain(..));
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Each, without its fields and text.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn heads_mut(&mut self) -> impl Iterator<Item = &mut Record> {
        self.records.iter_mut().map(|head| &mut head.record)
    }

    /// Lets go of all, and of memory that far more records needed: thousands of sources may hold a chunk each.
    pub(crate) fn shrink(&mut self) {
        if self.records.capacity() / 4 > self.records.len() {
            self.records.shrink_to_fit();
            self.fields.shrink_to_fit();
            self.texts.shrink_to_fit();
        }
    }

    /// Empties it and keeps its memory, if it has any.
    pub(crate) fn emptied(mut self) -> Option<Self> {
        self.records.clear();
        self.fields.clear();
        self.texts.clear();
        self.taken = 0;
        (self.records.capacity() > 0).then_some(self)
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let Head { mut record, fields, text } = self.records.pop_front()?;
        let fields: Vec<_> = self.fields.drain(..fields.min(self.fields.len())).collect();
        record.fields = Fields::from(fields);
        record.text = self.texts.get(self.taken..self.taken + text).unwrap_or_default().into();
        self.taken += text;
        Some(record)
    }
}
