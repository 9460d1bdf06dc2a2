//! A part of a table: columns in memory, or a sorted file in the temporary folder.

use std::fs::File;
use std::path::PathBuf;

use polars::prelude::*;

use super::cell::{Columns, failed};
use super::groups::Groups;
use super::noted::{Noted, Trouble};
use super::once;
use super::row::Row;
use crate::error::{Error, Kind};

/// How many rows are read at once where they are read as rows.
pub(super) const BATCH: usize = 2048;
/// Rows of a row group of a written part: large enough for its columns to be scanned fast, small enough for one row of it to be
/// read fast.
pub(super) const GROUP: usize = 2048;
/// A column of stored parts that no output shows: the row's number in the order of arrival.
pub(super) const NUMBER: &str = "_number";

#[derive(Debug)]
pub(super) enum Part {
    Held(DataFrame),
    Written(PathBuf, Box<Groups>),
}

pub(super) fn unwritable(trouble: impl std::fmt::Display) -> Error {
    Error::new(Kind::Output, format!("startups could not be written to the temporary folder: {trouble}"))
        .help("free some space there, name another folder with TMPDIR, or raise --memory")
}

/// Writes sorted frames, a group of rows each, until there is none: packed as fast as they are read, for the file lives
/// as long as the run.
pub(super) fn write(path: PathBuf, next: &mut dyn FnMut() -> Result<Option<DataFrame>, Error>) -> Result<Part, Error> {
    let (mut writer, trouble) = (None, Trouble::default());
    let told = |error| unwritable(trouble.or(error));
    while let Some(frame) = next()? {
        let writer = match &mut writer {
            Some(writer) => writer,
            None => {
                let file = File::create(&path).map_err(unwritable)?;
                let batched = ParquetWriter::new(Noted::new(file, &trouble))
                    .with_compression(ParquetCompression::Lz4Raw)
                    .with_statistics(StatisticsOptions::empty())
                    .batched(frame.schema());
                writer.insert(batched.map_err(told)?)
            }
        };
        writer.write_batch(&frame).map_err(told)?;
    }
    if let Some(writer) = &mut writer {
        writer.finish().map_err(told)?;
    }
    let groups = Groups::open(&path).map_err(unwritable)?;
    Ok(Part::Written(path, Box::new(groups)))
}

impl Part {
    pub(super) fn len(&self) -> usize {
        match self {
            Part::Held(frame) => frame.height(),
            Part::Written(_, groups) => groups.rows(),
        }
    }

    pub(super) fn lazy(&self) -> Result<LazyFrame, Error> {
        match self {
            Part::Held(frame) => Ok(frame.clone().lazy()),
            Part::Written(path, _) => {
                let args =
                    ScanArgsParquet { glob: false, cache: false, use_statistics: false, ..ScanArgsParquet::default() };
                LazyFrame::scan_parquet(PlRefPath::new(path.to_string_lossy()), args).map_err(failed)
            }
        }
    }

    pub(super) fn slice(&self, from: usize, length: usize) -> Result<DataFrame, Error> {
        match self {
            Part::Held(frame) => Ok(frame.slice(i64::try_from(from).unwrap_or(i64::MAX), length)),
            Part::Written(_, groups) => groups.read(from..from.saturating_add(length), None).map_err(failed),
        }
    }

    pub(super) fn numbers(&self) -> Result<Vec<u64>, Error> {
        let frame = self.lazy()?.select([col(NUMBER)]).collect().map_err(failed)?;
        let column = frame.column(NUMBER).map_err(failed)?;
        Ok(column.u64().map_err(failed)?.iter().flatten().collect())
    }

    /// The rows at these places, which are in order.
    pub(super) fn at(&self, places: &[usize]) -> Result<Vec<Row>, Error> {
        let (Some(first), Some(last)) = (places.first(), places.last()) else { return Ok(Vec::new()) };
        let mut rows = Vec::with_capacity(places.len());
        // What lies between is read too, but never more than a batch at once.
        let mut from = *first;
        while from <= *last {
            let frame = self.slice(from, BATCH.min(last - from + 1))?;
            let within: Vec<IdxSize> = places
                .iter()
                .filter(|place| **place >= from && **place < from + frame.height().max(1))
                .filter_map(|place| IdxSize::try_from(place - from).ok())
                .collect();
            let picked = frame.take(&IdxCa::from_vec("".into(), within)).map_err(failed)?;
            rows.extend(Row::read(&picked)?);
            from += frame.height().max(1);
        }
        Ok(rows)
    }

    /// Leaves rows out.
    pub(super) fn lose(&mut self, lost: &[bool]) -> Result<(), Error> {
        let keep: BooleanChunked = self.numbers()?.iter().map(|number| Some(!once::marked(lost, *number))).collect();
        if keep.all() {
            return Ok(());
        }
        let whole = self.slice(0, self.len())?;
        let kept = whole.filter(&keep).map_err(failed)?;
        *self = match self {
            Part::Held(_) => Part::Held(kept),
            Part::Written(path, _) => {
                let mut kept = Some(kept);
                write(path.with_extension("once.parquet"), &mut || Ok(kept.take()))?
            }
        };
        Ok(())
    }
}
