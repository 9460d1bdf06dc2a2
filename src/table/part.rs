//! A part of a table: sorted rows in memory, or a sorted file in the temporary folder.

use std::ops::Range;

use super::batch::Batch;
use super::dedup;
use super::held_rows::{Group, HeldRows};
use super::row::Row;
use super::row_file::RowFile;
use crate::model::error::Error;
use crate::model::phase::Phase;

#[derive(Debug)]
pub(super) enum Part {
    Held(HeldRows),
    Written(Box<RowFile>),
}

impl Part {
    pub(super) fn len(&self) -> usize {
        match self {
            Part::Held(rows) => rows.len(),
            Part::Written(file) => file.len(),
        }
    }

    /// Gives columns of all rows, group by group, each with how many rows it has. What is not named is not read.
    fn groups(&self, columns: &[&str], take: &mut dyn FnMut(Group, usize) -> Result<(), Error>) -> Result<(), Error> {
        match self {
            Part::Held(rows) => rows.groups(Some(columns)).try_for_each(|(group, count)| take(group, count)),
            Part::Written(file) => file.scan(columns, take),
        }
    }

    /// The same as batches.
    pub(super) fn scan(
        &self,
        number: usize,
        columns: &[&str],
        take: &mut dyn FnMut(&Batch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut first = 0;
        self.groups(columns, &mut |group, count| {
            take(&Batch::new(group.frame(columns, count)?, number, first))?;
            first += count;
            Ok(())
        })
    }

    /// Gives the phase of each span, and the least that it took in seconds.
    pub(super) fn least_of_spans(&self, take: &mut dyn FnMut(Phase, f64)) -> Result<(), Error> {
        self.groups(&["spans.phase", "spans.min_s"], &mut |group, _| {
            let spans = group.spans();
            spans.phase.iter().zip(&spans.min_s).for_each(|(phase, least)| take(*phase, *least));
            Ok(())
        })
    }

    /// Some rows that lie one after another.
    pub(super) fn rows(&self, range: Range<usize>) -> Result<Vec<Row>, Error> {
        self.at(&(range.start..range.end.min(self.len())).collect::<Vec<_>>())
    }

    /// The numbers of its rows in the order of arrival.
    pub(super) fn numbers(&self) -> Result<Vec<u64>, Error> {
        match self {
            Part::Held(rows) => Ok(rows.numbers()),
            Part::Written(file) => file.numbers(),
        }
    }

    /// The rows at these places, which are in order, each once.
    pub(super) fn at(&self, places: &[usize]) -> Result<Vec<Row>, Error> {
        match self {
            Part::Held(rows) => Ok(places.iter().filter_map(|place| rows.row(*place)).collect()),
            Part::Written(file) => file.at(places),
        }
    }

    /// Removes the rows whose numbers are marked.
    pub(super) fn remove_rows(&mut self, lost: &[bool]) -> Result<(), Error> {
        let stays = |number: u64| !dedup::is_marked(lost, number);
        match self {
            Part::Held(rows) => rows.retain(stays),
            Part::Written(_) if self.numbers()?.into_iter().all(stays) => {}
            Part::Written(file) => **file = file.filtered(&stays)?,
        }
        Ok(())
    }
}
