//! A part of a table: columns in memory, or a sorted file in the temporary folder.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;

use polars::prelude::*;

use super::cell::{Columns, failed};
use super::groups::Groups;
use super::noted::{Noted, Trouble};
use super::once;
use super::row::Row;
use crate::model::error::{Error, ErrorKind};

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
    Written(Box<Written>),
}

/// A file in the temporary folder.
#[derive(Debug)]
pub(super) struct Written {
    path: PathBuf,
    rows: usize,
    /// What the file says of its groups, once rows of it are asked for: of many files that is much.
    groups: OnceLock<Groups>,
    /// The file as a query. All queries are made of this one, so that polars keeps what it learns of the file.
    scan: DslPlan,
}

pub(super) fn unwritable(trouble: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Output, format!("startups could not be written to the temporary folder: {trouble}"))
        .help("free some space there, name another folder with TMPDIR, or raise --memory")
}

/// Writes sorted frames, a group of rows each, until there is none: packed as fast as they are read, for the file lives
/// as long as the run.
pub(super) fn write(path: PathBuf, next: &mut dyn FnMut() -> Result<Option<DataFrame>, Error>) -> Result<Part, Error> {
    let (mut writer, mut rows, trouble) = (None, 0, Trouble::default());
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
        rows += frame.height();
    }
    if let Some(writer) = &mut writer {
        writer.finish().map_err(told)?;
    }
    let args = ScanArgsParquet { glob: false, cache: false, use_statistics: false, ..ScanArgsParquet::default() };
    let scan = LazyFrame::scan_parquet(PlRefPath::new(path.to_string_lossy()), args).map_err(failed)?.logical_plan;
    Ok(Part::Written(Box::new(Written { path, rows, groups: OnceLock::new(), scan })))
}

impl Written {
    fn read(&self, rows: Range<usize>) -> PolarsResult<DataFrame> {
        match self.groups.get() {
            Some(groups) => groups.read(rows, None),
            None => {
                let groups = Groups::open(&self.path)?;
                self.groups.get_or_init(|| groups).read(rows, None)
            }
        }
    }
}

impl Part {
    pub(super) fn len(&self) -> usize {
        match self {
            Part::Held(frame) => frame.height(),
            Part::Written(written) => written.rows,
        }
    }

    pub(super) fn lazy(&self) -> LazyFrame {
        match self {
            Part::Held(frame) => frame.clone().lazy(),
            Part::Written(written) => written.scan.clone().into(),
        }
    }

    pub(super) fn slice(&self, from: usize, length: usize) -> Result<DataFrame, Error> {
        match self {
            Part::Held(frame) => Ok(frame.slice(i64::try_from(from).unwrap_or(i64::MAX), length)),
            Part::Written(written) => written.read(from..from.saturating_add(length)).map_err(failed),
        }
    }

    pub(super) fn numbers(&self) -> Result<Vec<u64>, Error> {
        let frame = self.lazy().select([col(NUMBER)]).collect().map_err(failed)?;
        let column = frame.column(NUMBER).map_err(failed)?;
        Ok(column.u64().map_err(failed)?.iter().flatten().collect())
    }

    /// The rows at these places, which are in order.
    pub(super) fn at(&self, places: &[usize]) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::with_capacity(places.len());
        let mut left = places;
        // What lies between is read too, but never more than a batch at once.
        while let Some(from) = left.first() {
            let near = left.partition_point(|place| place - from < BATCH);
            let (some, rest) = left.split_at(near);
            let frame = self.slice(*from, some.last().map_or(0, |last| last - from + 1))?;
            let within = some.iter().filter_map(|place| IdxSize::try_from(place - from).ok()).collect();
            let picked = frame.take(&IdxCa::from_vec("".into(), within)).map_err(failed)?;
            rows.extend(Row::read(&picked)?);
            left = rest;
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
            Part::Written(written) => {
                let mut kept = Some(kept);
                write(written.path.with_extension("once.parquet"), &mut || Ok(kept.take()))?
            }
        };
        Ok(())
    }
}
