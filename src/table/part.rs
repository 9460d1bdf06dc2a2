//! A part of a table: sorted rows in memory, or a sorted file in the temporary folder.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;

use polars_core::prelude::*;
use polars_parquet::write::{CompressionOptions, StatisticsOptions};

use super::batch::Batch;
use super::columns::{Columns, column_of, failed};
use super::dedup;
use super::row::Row;
use super::row_group_writer::RowGroupWriter;
use super::row_groups::RowGroups;
use crate::model::error::{Error, ErrorKind};

/// How many rows are read at once where they are read as rows.
pub(super) const BATCH: usize = 2048;
/// Rows of a row group of a written part: large enough for its columns to be scanned fast, small enough for one row of it to be
/// read fast.
pub(super) const GROUP: usize = 2048;
/// A column of stored parts that no output shows: the row's number in the order of arrival.
pub(super) const NUMBER: &str = "_number";
/// A column of stored parts that no output shows: the instant a row is filed under, see `Row::began`.
pub(super) const BEGAN: &str = "_began";

#[derive(Debug)]
pub(super) enum Part {
    /// Rows with their numbers, sorted. Of their columns only those are made that a query names.
    Held(Vec<(u64, Box<Row>)>),
    Written(Box<Written>),
}

/// A file in the temporary folder.
#[derive(Debug)]
pub(super) struct Written {
    path: PathBuf,
    rows: usize,
    /// What the file says of its groups, once rows of it are read: of many files that is much.
    groups: OnceLock<RowGroups>,
}

pub(super) fn unwritable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Output, format!("startups could not be written to the temporary folder: {error}"))
        .help("free some space there, name another folder with TMPDIR, or raise --memory")
}

/// Rows in order as a frame of at most [`GROUP`] of them; none: there are none left.
pub(super) fn next_frame(rows: &mut impl Iterator<Item = (u64, Box<Row>)>) -> Result<Option<DataFrame>, Error> {
    let some: Vec<(u64, Box<Row>)> = rows.take(GROUP).collect();
    if some.is_empty() {
        return Ok(None);
    }
    frame(&some, None).map(Some)
}

/// Columns of rows: all, or these and what is written beside them.
fn frame(rows: &[(u64, Box<Row>)], columns: Option<&[&str]>) -> Result<DataFrame, Error> {
    let mut all = Row::write(&rows.iter().map(|(_, row)| &**row).collect::<Vec<_>>(), columns).map_err(failed)?;
    if columns.is_none_or(|columns| columns.contains(&BEGAN)) {
        let began: Vec<Option<i64>> = rows.iter().map(|(_, row)| row.began().map(|time| time.0)).collect();
        all.push(Series::new(BEGAN.into(), began).into_column());
    }
    if columns.is_none_or(|columns| columns.contains(&NUMBER)) {
        let numbers: Vec<u64> = rows.iter().map(|(number, _)| *number).collect();
        all.push(Series::new(NUMBER.into(), numbers).into_column());
    }
    DataFrame::new(rows.len(), all).map_err(failed)
}

/// Writes sorted frames, a group of rows each, until there is none: packed as fast as they are read, for the file lives
/// as long as the run.
pub(super) fn write(path: PathBuf, next: &mut dyn FnMut() -> Result<Option<DataFrame>, Error>) -> Result<Part, Error> {
    let (mut writer, mut rows) = (None, 0);
    while let Some(frame) = next()? {
        let writer = match &mut writer {
            Some(writer) => writer,
            None => {
                let file = File::create(&path).map_err(unwritable)?;
                let fields = frame.schema().iter_fields();
                let statistics = StatisticsOptions::empty();
                writer.insert(
                    RowGroupWriter::new(file, fields, CompressionOptions::Lz4Raw, statistics).map_err(unwritable)?,
                )
            }
        };
        writer.write(&frame).map_err(unwritable)?;
        rows += frame.height();
    }
    if let Some(writer) = &mut writer {
        writer.finish(Vec::new()).map_err(unwritable)?;
    }
    Ok(Part::Written(Box::new(Written { path, rows, groups: OnceLock::new() })))
}

impl Written {
    fn groups(&self) -> Result<&RowGroups, Error> {
        match self.groups.get() {
            Some(groups) => Ok(groups),
            None => {
                let groups = RowGroups::open(&self.path).map_err(failed)?;
                Ok(self.groups.get_or_init(|| groups))
            }
        }
    }
}

impl Part {
    pub(super) fn len(&self) -> usize {
        match self {
            Part::Held(rows) => rows.len(),
            Part::Written(written) => written.rows,
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
        let mut first = 0;
        let mut give = |frame: DataFrame| {
            let height = frame.height();
            let done = take(&Batch::new(frame, number, first));
            first += height;
            done
        };
        let mut outer: Vec<&str> = columns.iter().map(|column| column_of(column)).collect();
        outer.dedup();
        match self {
            Part::Held(rows) => rows.chunks(GROUP).try_for_each(|rows| {
                let frame = frame(rows, Some(columns))?;
                give(frame.select(outer.iter().copied()).map_err(failed)?)
            }),
            // An empty part has no file.
            Part::Written(written) if written.rows == 0 => Ok(()),
            Part::Written(written) => {
                let groups = written.groups()?;
                let mut reader = groups.reader().map_err(failed)?;
                (0..groups.heights().count())
                    .try_for_each(|group| give(reader.read(group, None, &outer).map_err(failed)?))
            }
        }
    }

    /// Some rows that lie one after another.
    pub(super) fn rows(&self, range: Range<usize>) -> Result<Vec<Row>, Error> {
        match self {
            Part::Held(rows) => {
                let range = range.start..range.end.min(rows.len());
                Ok(rows.get(range).unwrap_or_default().iter().map(|(_, row)| (**row).clone()).collect())
            }
            Part::Written(written) => Row::read(&written.groups()?.read(range, None).map_err(failed)?),
        }
    }

    /// The numbers of its rows in the order of arrival.
    pub(super) fn numbers(&self) -> Result<Vec<u64>, Error> {
        let mut all = Vec::with_capacity(self.len());
        self.scan(0, &[NUMBER], &mut |batch| {
            let column = batch.frame().column(NUMBER).map_err(failed)?;
            all.extend(column.u64().map_err(failed)?.iter().flatten());
            Ok(())
        })?;
        Ok(all)
    }

    /// The rows at these places, which are in order.
    pub(super) fn at(&self, places: &[usize]) -> Result<Vec<Row>, Error> {
        let written = match self {
            Part::Held(rows) => {
                let at = |place: &usize| rows.get(*place).map(|(_, row)| (**row).clone());
                return Ok(places.iter().filter_map(at).collect());
            }
            Part::Written(written) => written,
        };
        let mut rows = Vec::with_capacity(places.len());
        let mut left = places;
        // What lies between is read too, but never more than a batch at once.
        while let Some(from) = left.first() {
            let near = left.partition_point(|place| place - from < BATCH);
            let (some, rest) = left.split_at(near);
            let range = *from..some.last().map_or(*from, |last| last + 1);
            let frame = written.groups()?.read(range, None).map_err(failed)?;
            let within = some.iter().filter_map(|place| IdxSize::try_from(place - from).ok()).collect();
            let picked = frame.take(&IdxCa::from_vec("".into(), within)).map_err(failed)?;
            rows.extend(Row::read(&picked)?);
            left = rest;
        }
        Ok(rows)
    }

    /// Removes the rows whose numbers are marked.
    pub(super) fn remove_rows(&mut self, lost: &[bool]) -> Result<(), Error> {
        if let Part::Held(rows) = self {
            rows.retain(|(number, _)| !dedup::is_marked(lost, *number));
            return Ok(());
        }
        let numbers = self.numbers()?;
        if !numbers.iter().any(|number| dedup::is_marked(lost, *number)) {
            return Ok(());
        }
        let Part::Written(written) = self else { return Ok(()) };
        let mut keep = numbers.into_iter().map(|number| Some(!dedup::is_marked(lost, number)));
        let groups = written.groups()?;
        let mut slices = groups.slices(GROUP).into_iter();
        let mut next = || {
            let Some(rows) = slices.next() else { return Ok(None) };
            let frame = groups.read(rows, None).map_err(failed)?;
            let mask: BooleanChunked = keep.by_ref().take(frame.height()).collect();
            frame.filter(&mask).map(Some).map_err(failed)
        };
        *self = write(written.path.with_extension("once.parquet"), &mut next)?;
        Ok(())
    }
}
