//! Every row of a table, in order: a merge of its parts, each of which is sorted.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::held_rows::GROUP;
use super::part::Part;
use super::row::Row;
use crate::model::error::Error;

/// How many rows the readers of all parts hold together.
const READ: usize = 131_072;

struct Reader<'a> {
    part: &'a Part,
    slice: usize,
    next: usize,
    ready: VecDeque<Row>,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<Row>, Error> {
        if self.ready.is_empty() && self.next < self.part.len() {
            self.ready.extend(self.part.rows(self.next..self.next + self.slice)?);
            self.next += self.slice;
        }
        Ok(self.ready.pop_front())
    }
}

struct Ordered {
    row: Row,
    reader: usize,
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Ordered {}
impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.row.order().cmp(&other.row.order()).then(self.reader.cmp(&other.reader))
    }
}

/// See [`Table::rows`](super::Table::rows).
pub struct Rows<'a> {
    readers: Vec<Reader<'a>>,
    heap: BinaryHeap<Reverse<Ordered>>,
    error: Option<Error>,
}

impl<'a> Rows<'a> {
    /// The rows of these parts.
    pub(super) fn of(parts: &'a [Part]) -> Self {
        let slice = (READ / parts.len().max(1)).clamp(256, GROUP);
        let mut readers: Vec<Reader<'_>> =
            parts.iter().map(|part| Reader { part, slice, next: 0, ready: VecDeque::new() }).collect();
        let mut heap = BinaryHeap::new();
        let mut error = None;
        for (number, reader) in readers.iter_mut().enumerate() {
            match reader.next() {
                Ok(Some(row)) => heap.push(Reverse(Ordered { row, reader: number })),
                Ok(None) => {}
                Err(failure) => error = Some(failure),
            }
        }
        Rows { readers, heap, error }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.error.take() {
            self.heap.clear();
            return Some(Err(error));
        }
        let Reverse(Ordered { row, reader }) = self.heap.pop()?;
        match self.readers.get_mut(reader).map(Reader::next) {
            Some(Ok(Some(row))) => self.heap.push(Reverse(Ordered { row, reader })),
            Some(Err(error)) => self.error = Some(error),
            _ => {}
        }
        Some(Ok(row))
    }
}
