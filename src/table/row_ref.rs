//! References to rows that queries find, before they are read as rows.

use std::cmp::Ordering;

use polars_core::prelude::*;

use super::batch::Batch;
use super::held_rows::BEGAN;
use super::row::Row;
use super::startups::Table;
use crate::model::error::Error;

/// A row that a query found: where it is, how it compares to others, and what decides between equal ones. Rows as a whole
/// are read once it is known which few are wanted.
pub(super) struct RowRef {
    /// The part it lies in, and its place there.
    pub place: (usize, usize),
    /// How it compares.
    pub seconds: f64,
    /// As [`Row::order`].
    order: (Option<i64>, [String; 4]),
}

/// The columns of a batch that references are made of.
pub(super) struct RowRefs<'a> {
    batch: &'a Batch,
    began: Int64Chunked,
    names: [&'a StringChunked; 4],
}

impl<'a> RowRefs<'a> {
    /// What a query must read.
    pub(super) const COLUMNS: [&'static str; 5] = [BEGAN, "namespace", "pod", "uid", "node"];

    pub(super) fn of(batch: &'a Batch) -> Result<Self, Error> {
        let names = [batch.text("namespace")?, batch.text("pod")?, batch.text("uid")?, batch.text("node")?];
        Ok(RowRefs { batch, began: batch.integers(BEGAN)?, names })
    }

    /// A reference to a row of the batch.
    pub(super) fn get(&self, row: usize, seconds: f64) -> RowRef {
        let names = self.names.map(|column| column.get(row).unwrap_or_default().to_owned());
        RowRef { place: (self.batch.part, self.batch.first + row), seconds, order: (self.began.get(row), names) }
    }
}

impl RowRef {
    /// The longer one is first, of two equal ones the first in the order of rows.
    pub(super) fn cmp(&self, other: &RowRef) -> Ordering {
        other.seconds.total_cmp(&self.seconds).then_with(|| self.order.cmp(&other.order))
    }

    /// Whether a row with these seconds need not be compared: it is shorter, or as long but later in the same part.
    pub(super) fn outranks(&self, part: usize, seconds: f64) -> bool {
        self.seconds > seconds || (self.seconds == seconds && self.place.0 == part)
    }

    /// The rows, each group of rows read once.
    pub(super) fn rows(all: &[&RowRef], table: &Table) -> Result<Vec<Row>, Error> {
        table.at(&all.iter().map(|found| found.place).collect::<Vec<_>>())
    }
}
