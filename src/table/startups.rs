//! The table of startups at rest: its rows in order, its columns batch by batch, single rows by their place.

use std::collections::BTreeMap;

use polars_core::prelude::*;
use tempfile::TempDir;

use super::batch::Batch;
use super::columns::{Columns, failed};
use super::merge::Rows;
use super::part::Part;
use super::row::Row;
use crate::model::error::Error;

/// Bytes of columns that are held at once for figures.
const COLUMNS: usize = 16 << 20;

/// Rows at rest: sorted, each once.
#[derive(Debug)]
pub struct Table {
    pub(super) parts: Vec<Part>,
    pub(super) rows: usize,
    /// Rows that a filter left out.
    pub filtered: u64,
    /// Rows that were there twice.
    pub duplicates: u64,
    /// Of the keys of the rows that were pushed, whatever their order.
    pub digest: u64,
    /// Removed with the table.
    pub(super) _folder: Option<TempDir>,
}

/// Which rows of a batch are wanted.
pub(crate) type Keep<'a> = &'a dyn Fn(&Batch) -> Result<Vec<bool>, Error>;

impl Table {
    /// Every row, in order: by creation, name and uid.
    pub fn rows(&self) -> Rows<'_> {
        Rows::of(&self.parts)
    }

    /// Identifies the run that made it: the same input gives the same, in whatever format the result is stored.
    #[must_use]
    pub fn run(&self) -> String {
        format!("{:016x}", self.digest)
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// How many columns of numbers a figure may hold in memory at once: all there are of a few startups, one of many.
    pub(crate) fn columns_at_once(&self) -> usize {
        (COLUMNS / (8 * self.rows.max(1))).max(1)
    }

    /// Gives some columns of all rows, batch by batch. Written parts are read one after another, and what is not named is not
    /// read.
    pub(crate) fn scan(
        &self,
        columns: &[&str],
        take: &mut dyn FnMut(&Batch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.parts.iter().enumerate().try_for_each(|(number, part)| part.scan(number, columns, take))
    }

    /// Some columns of all rows as one frame in memory.
    ///
    /// # Errors
    /// When there is no such column, or a written part cannot be read.
    pub fn frame(&self, columns: &[&str]) -> Result<DataFrame, Error> {
        let none = DataFrame::new(0, Row::write([], None).map_err(failed)?).map_err(failed)?;
        let mut all = none.select(columns.iter().copied()).map_err(failed)?;
        self.scan(columns, &mut |batch| all.vstack_mut(batch.frame()).map(drop).map_err(failed))?;
        Ok(all)
    }

    /// Rows by their part and their place in it, in the order they are asked for. They are held in memory: for few.
    pub(crate) fn at(&self, places: &[(usize, usize)]) -> Result<Vec<Row>, Error> {
        let mut wanted: Vec<(usize, usize)> = places.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let mut found: BTreeMap<(usize, usize), Row> = BTreeMap::new();
        for of_part in wanted.chunk_by(|(a, _), (b, _)| a == b) {
            let Some(part) = of_part.first().and_then(|(part, _)| self.parts.get(*part)) else { continue };
            let at: Vec<usize> = of_part.iter().map(|(_, at)| *at).collect();
            found.extend(of_part.iter().copied().zip(part.at(&at)?));
        }
        Ok(places.iter().filter_map(|place| found.get(place).cloned()).collect())
    }

    /// Gives some columns of the rows that are wanted, one by one, batch by batch; other columns are as in an empty row. What
    /// `keep` looks at is among the columns.
    pub(crate) fn each(&self, columns: &[&str], keep: Keep<'_>, take: &mut dyn FnMut(Row)) -> Result<(), Error> {
        self.scan(columns, &mut |batch| {
            let mask: BooleanChunked = keep(batch)?.into_iter().map(Some).collect();
            let kept = batch.frame().filter(&mask).map_err(failed)?;
            Row::read(&kept)?.into_iter().for_each(&mut *take);
            Ok(())
        })
    }

    /// The rows that are wanted by some of their columns, in order. They are held in memory: for few.
    pub(crate) fn find(&self, columns: &[&str], keep: Keep<'_>) -> Result<Vec<Row>, Error> {
        let mut places = Vec::new();
        self.scan(columns, &mut |batch| {
            let kept = keep(batch)?.into_iter().enumerate().filter(|(_, keep)| *keep);
            places.extend(kept.map(|(row, _)| (batch.part, batch.first + row)));
            Ok(())
        })?;
        let mut rows = self.at(&places)?;
        rows.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(rows)
    }
}
