//! A part of a table: columns in memory, or a sorted file in the temporary folder.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;

use polars_core::prelude::*;
use polars_parquet::write::{CompressionOptions, StatisticsOptions};

use super::batch::Batch;
use super::columns::{Columns, failed};
use super::dedup;
use super::row::Row;
use super::row_group_writer::RowGroupWriter;
use super::row_groups::{RowGroups, overlaps};
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
    /// Frames of at most [`GROUP`] rows.
    Held(Vec<DataFrame>),
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
    let mut columns = Row::write(&some.iter().map(|(_, row)| &**row).collect::<Vec<_>>()).map_err(failed)?;
    let began: Vec<Option<i64>> = some.iter().map(|(_, row)| row.began().map(|time| time.0)).collect();
    let numbers: Vec<u64> = some.iter().map(|(number, _)| *number).collect();
    columns.push(Series::new(BEGAN.into(), began).into_column());
    columns.push(Series::new(NUMBER.into(), numbers).into_column());
    DataFrame::new(some.len(), columns).map(Some).map_err(failed)
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
            Part::Held(frames) => frames.iter().map(DataFrame::height).sum(),
            Part::Written(written) => written.rows,
        }
    }

    /// Gives columns of all rows, batch by batch. What is not named is not read.
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
        match self {
            Part::Held(frames) => {
                frames.iter().try_for_each(|frame| give(frame.select(columns.iter().copied()).map_err(failed)?))
            }
            // An empty part has no file.
            Part::Written(written) if written.rows == 0 => Ok(()),
            Part::Written(written) => {
                let groups = written.groups()?;
                let mut reader = groups.reader().map_err(failed)?;
                (0..groups.heights().count())
                    .try_for_each(|group| give(reader.read(group, None, columns).map_err(failed)?))
            }
        }
    }

    /// All columns of some rows, in one frame or several: polars gives lists another type where all of a frame are empty, so that
    /// frames cannot always be joined.
    pub(super) fn slices(&self, rows: Range<usize>) -> Result<Vec<DataFrame>, Error> {
        let frames = match self {
            Part::Held(frames) => frames,
            Part::Written(written) => return Ok(vec![written.groups()?.read(rows, None).map_err(failed)?]),
        };
        let slice = |(number, within): (usize, Range<usize>)| {
            let from = i64::try_from(within.start).unwrap_or(i64::MAX);
            frames.get(number).map(|frame| frame.slice(from, within.len()))
        };
        Ok(overlaps(frames.iter().map(DataFrame::height), rows).filter_map(slice).collect())
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
        let mut rows = Vec::with_capacity(places.len());
        let mut left = places;
        // What lies between is read too, but never more than a batch at once.
        while let Some(from) = left.first() {
            let near = left.partition_point(|place| place - from < BATCH);
            let (some, rest) = left.split_at(near);
            let mut first = *from;
            for frame in self.slices(*from..some.last().map_or(*from, |last| last + 1))? {
                let here = some.iter().filter(|place| (first..first + frame.height()).contains(place));
                let within = here.filter_map(|place| IdxSize::try_from(place - first).ok()).collect();
                let picked = frame.take(&IdxCa::from_vec("".into(), within)).map_err(failed)?;
                rows.extend(Row::read(&picked)?);
                first += frame.height();
            }
            left = rest;
        }
        Ok(rows)
    }

    /// Removes the rows whose numbers are marked.
    pub(super) fn remove_rows(&mut self, lost: &[bool]) -> Result<(), Error> {
        let numbers = self.numbers()?;
        if !numbers.iter().any(|number| dedup::is_marked(lost, *number)) {
            return Ok(());
        }
        let keep: Vec<bool> = numbers.iter().map(|number| !dedup::is_marked(lost, *number)).collect();
        let mut first = 0;
        let mut kept = |frame: &DataFrame| {
            let mask: BooleanChunked = keep.iter().skip(first).take(frame.height()).map(|keep| Some(*keep)).collect();
            first += frame.height();
            frame.filter(&mask).map_err(failed)
        };
        *self = match self {
            Part::Held(frames) => {
                let mut frames = frames.iter().map(kept).collect::<Result<Vec<_>, _>>()?;
                frames.retain(|frame| frame.height() > 0);
                Part::Held(frames)
            }
            Part::Written(written) => {
                let groups = written.groups()?;
                let mut slices = groups.slices(GROUP).into_iter();
                let mut next = || match slices.next() {
                    Some(rows) => kept(&groups.read(rows, None).map_err(failed)?).map(Some),
                    None => Ok(None),
                };
                write(written.path.with_extension("once.parquet"), &mut next)?
            }
        };
        Ok(())
    }
}
