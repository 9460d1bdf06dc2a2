//! A part of a table: sorted rows in memory, or a sorted file in the temporary folder.

use std::ops::Range;

use polars_core::prelude::*;

use super::batch::Batch;
use super::columns::{Columns, column_of, failed};
use super::dedup;
use super::row::Row;
use super::row_file::{GROUP, RowFile};
use crate::model::error::Error;

/// A column that no output shows: the instant a row is filed under, see `Row::began`.
pub(super) const BEGAN: &str = "_began";

/// A row, and its number in the order of arrival.
pub(super) type NumberedRow = (u64, Box<Row>);

#[derive(Debug)]
pub(super) enum Part {
    /// Sorted. Of their columns only those are made that a query names.
    Held(Vec<NumberedRow>),
    Written(Box<RowFile>),
}

/// Columns of rows in memory.
fn frame(rows: &[NumberedRow], columns: &[&str]) -> Result<DataFrame, Error> {
    let mut all = Row::write(&rows.iter().map(|(_, row)| &**row).collect::<Vec<_>>(), Some(columns)).map_err(failed)?;
    if columns.contains(&BEGAN) {
        let began: Vec<Option<i64>> = rows.iter().map(|(_, row)| row.began().map(|time| time.0)).collect();
        all.push(Series::new(BEGAN.into(), began).into_column());
    }
    DataFrame::new(rows.len(), all).map_err(failed)
}

impl Part {
    pub(super) fn len(&self) -> usize {
        match self {
            Part::Held(rows) => rows.len(),
            Part::Written(file) => file.len(),
        }
    }

    /// Leaves its rows in memory.
    #[cfg(feature = "cli")]
    pub(super) fn leak(self) {
        if let Part::Held(rows) = self {
            Vec::leak(rows);
        }
    }

    /// Its rows, where they are in memory.
    pub(super) fn held(&self) -> Option<impl Iterator<Item = &Row>> {
        if let Part::Held(rows) = self { Some(rows.iter().map(|(_, row)| &**row)) } else { None }
    }

    /// Gives columns of all rows, batch by batch. What is not named is not read; of `spans.phase` a written part reads all of `spans`.
    pub(super) fn scan(
        &self,
        number: usize,
        columns: &[&str],
        take: &mut dyn FnMut(&Batch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut outer: Vec<&str> = columns.iter().map(|column| column_of(column)).collect();
        outer.dedup();
        let mut first = 0;
        let mut give = |frame: DataFrame| {
            let frame = frame.select(outer.iter().copied()).map_err(failed)?;
            let height = frame.height();
            let done = take(&Batch::new(frame, number, first));
            first += height;
            done
        };
        match self {
            Part::Held(rows) => rows.chunks(GROUP).try_for_each(|rows| give(frame(rows, columns)?)),
            Part::Written(file) => file.scan(columns, &mut give),
        }
    }

    /// Some rows that lie one after another.
    pub(super) fn rows(&self, range: Range<usize>) -> Result<Vec<Row>, Error> {
        match self {
            Part::Held(rows) => {
                let range = range.start..range.end.min(rows.len());
                Ok(rows.get(range).unwrap_or_default().iter().map(|(_, row)| (**row).clone()).collect())
            }
            Part::Written(_) => self.at(&range.collect::<Vec<_>>()),
        }
    }

    /// The numbers of its rows in the order of arrival.
    pub(super) fn numbers(&self) -> Result<Vec<u64>, Error> {
        match self {
            Part::Held(rows) => Ok(rows.iter().map(|(number, _)| *number).collect()),
            Part::Written(file) => file.numbers(),
        }
    }

    /// The rows at these places, which are in order.
    pub(super) fn at(&self, places: &[usize]) -> Result<Vec<Row>, Error> {
        match self {
            Part::Held(rows) => {
                let at = |place: &usize| rows.get(*place).map(|(_, row)| (**row).clone());
                Ok(places.iter().filter_map(at).collect())
            }
            Part::Written(file) => file.at(places),
        }
    }

    /// Removes the rows whose numbers are marked.
    pub(super) fn remove_rows(&mut self, lost: &[bool]) -> Result<(), Error> {
        let stays = |number: u64| !dedup::is_marked(lost, number);
        match self {
            Part::Held(rows) => rows.retain(|(number, _)| stays(*number)),
            Part::Written(_) if self.numbers()?.into_iter().all(stays) => {}
            Part::Written(file) => **file = file.filtered(&stays)?,
        }
        Ok(())
    }
}
