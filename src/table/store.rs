//! Where finished startups go: rows in, a table out. Rows are held as columns; beyond a budget they are written to a temporary
//! folder as sorted Parquet files, and every figure is scanned from there.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use polars::prelude::*;
use tempfile::TempDir;

use super::cell::{Columns, failed};
use super::groups::Groups;
use super::once;
use super::query::BEGAN;
use super::row::Row;
use crate::error::{Error, Kind};
use crate::filter::Filter;
use crate::workload::Owners;

/// How many rows are turned into columns at once.
const BATCH: usize = 2048;
/// Rows of a row group of a written part: large enough for its columns to be scanned fast, small enough to be held.
const GROUP: usize = 8192;
/// How many rows the readers of all parts hold together.
const READ: usize = 131_072;
/// How many bytes of rows wait for that at most, roughly.
const WAITING: usize = 8 << 20;
/// A column of stored parts that no output shows: the row's number in the order of arrival.
const NUMBER: &str = "_number";

/// Temporary files and folders: they remove themselves, but for a process that is ended in haste. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Made(Arc<Mutex<Vec<PathBuf>>>);

impl Made {
    /// Notes a path.
    pub fn add(&self, path: &Path) {
        if let Ok(mut all) = self.0.lock() {
            all.push(path.into());
        }
    }

    /// Removes what is still there.
    pub fn remove(&self) {
        let all = self.0.lock().map(|mut all| std::mem::take(&mut *all)).unwrap_or_default();
        for path in all {
            let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        }
    }
}

/// How rows are held.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Bytes of columns in memory, beyond which they are written out.
    pub memory: usize,
    /// No written part is smaller (bytes of columns), however small the budget: each costs every query something.
    pub part: usize,
    /// Where the temporary folder is made.
    pub temp: PathBuf,
    /// What was made and goes when the run ends.
    pub made: Made,
}

impl Budget {
    /// 256 MiB: some hundred thousand startups, and little on any machine that has a cluster to look after.
    pub const MEMORY: usize = 256 << 20;
    /// 8 MiB.
    pub const PART: usize = 8 << 20;

    /// The default budget, with its folder under `temp`.
    pub fn under(temp: &Path) -> Self {
        Budget { memory: Self::MEMORY, part: Self::PART, temp: temp.into(), made: Made::default() }
    }
}

/// Takes rows.
#[derive(Debug)]
pub struct Store {
    budget: Budget,
    filter: Filter,
    /// Who owns the pods, where objects tell.
    pub owners: Owners,
    waiting: Vec<Row>,
    weight: usize,
    frames: Vec<DataFrame>,
    held: usize,
    parts: Vec<Part>,
    folder: Option<TempDir>,
    /// Hashes of the rows' keys by their number: what may be there twice.
    keys: Vec<(u64, u64)>,
    taken: u64,
    filtered: u64,
}

#[derive(Debug)]
enum Part {
    Held(DataFrame),
    Written(PathBuf, Box<Groups>),
}

/// Rows at rest: sorted, each once.
#[derive(Debug)]
pub struct Table {
    parts: Vec<Part>,
    rows: usize,
    /// Rows that a filter left out.
    pub filtered: u64,
    /// Rows that were there twice.
    pub duplicates: u64,
    /// Of the keys of the rows that were pushed, whatever their order.
    pub digest: u64,
    /// Removed with the table.
    _folder: Option<TempDir>,
}

fn unwritable(trouble: impl std::fmt::Display) -> Error {
    Error::new(Kind::Output, format!("startups could not be written to the temporary folder: {trouble}"))
        .help("free some space there, name another folder with TMPDIR, or raise --memory")
}

impl Store {
    /// An empty store that keeps what passes the filter.
    pub fn new(budget: Budget, filter: Filter) -> Self {
        Store {
            budget,
            filter,
            owners: Owners::default(),
            waiting: Vec::new(),
            weight: 0,
            frames: Vec::new(),
            held: 0,
            parts: Vec::new(),
            folder: None,
            keys: Vec::new(),
            taken: 0,
            filtered: 0,
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When rows must be written out and cannot be.
    pub fn push(&mut self, mut row: Row) -> Result<(), Error> {
        if let Some(owner) = self.owners.workload(&row.namespace, &row.pod, row.uid.as_deref()) {
            row.workload = format!("{}/{owner}", row.namespace).into();
        }
        if !self.filter.passes(&row) {
            self.filtered += 1;
            return Ok(());
        }
        self.keys.push((once::short(&row), self.taken));
        self.taken += 1;
        let texts: usize = row.lines.iter().map(|line| line.text.len() + 64).sum();
        self.weight += texts + 160 * row.spans.len() + 1024;
        self.waiting.push(row);
        if self.waiting.len() >= BATCH || self.weight >= WAITING.min(self.share()) { self.pack() } else { Ok(()) }
    }

    /// How much is held before it is written: sorting and writing need some times as much.
    fn share(&self) -> usize {
        (self.budget.memory / 4).max(self.budget.part)
    }

    /// Turns the waiting rows into columns.
    fn pack(&mut self) -> Result<(), Error> {
        let rows = std::mem::take(&mut self.waiting);
        self.weight = 0;
        if rows.is_empty() {
            return Ok(());
        }
        let first = self.taken - rows.len() as u64;
        let mut columns = Row::write(&rows.iter().collect::<Vec<_>>()).map_err(failed)?;
        let began: Vec<Option<i64>> = rows.iter().map(|row| row.began().map(|time| time.0)).collect();
        let numbers: Vec<u64> = (first..self.taken).collect();
        columns.push(Series::new(BEGAN.into(), began).into_column());
        columns.push(Series::new(NUMBER.into(), numbers).into_column());
        let frame = DataFrame::new(rows.len(), columns).map_err(failed)?;
        self.held += frame.estimated_size();
        self.frames.push(frame);
        if self.held > self.share() { self.spill() } else { Ok(()) }
    }

    /// Everything held, as one sorted frame.
    fn sorted(&mut self) -> Result<Option<DataFrame>, Error> {
        self.held = 0;
        let mut frames = std::mem::take(&mut self.frames).into_iter();
        let Some(mut all) = frames.next() else { return Ok(None) };
        for frame in frames {
            all.vstack_mut_owned(frame).map_err(failed)?;
        }
        all.rechunk_mut_par();
        let order = [BEGAN, "namespace", "pod", "uid", "node"];
        Ok(Some(all.sort(order, SortMultipleOptions::default()).map_err(failed)?))
    }

    fn spill(&mut self) -> Result<(), Error> {
        let Some(frame) = self.sorted()? else { return Ok(()) };
        let folder = match &self.folder {
            Some(folder) => folder,
            None => {
                let made =
                    tempfile::Builder::new().prefix("podlag-").tempdir_in(&self.budget.temp).map_err(unwritable)?;
                self.budget.made.add(made.path());
                self.folder.insert(made)
            }
        };
        let path = folder.path().join(format!("{}.parquet", self.parts.len()));
        let part = write(frame, path)?;
        self.parts.push(part);
        Ok(())
    }

    /// The table of what was pushed.
    ///
    /// # Errors
    /// When rows must be written out and cannot be.
    pub fn finish(mut self) -> Result<Table, Error> {
        self.pack()?;
        if let Some(frame) = self.sorted()? {
            self.parts.push(Part::Held(frame));
        }
        let digest = self.keys.iter().fold(self.taken, |sum, (key, _)| sum.wrapping_add(*key));
        let (lost, duplicates) = self.twice()?;
        if duplicates > 0 {
            for part in &mut self.parts {
                part.lose(&lost)?;
            }
        }
        let rows = self.parts.iter().map(Part::len).sum();
        Ok(Table { parts: self.parts, rows, filtered: self.filtered, duplicates, digest, _folder: self.folder })
    }

    /// Which rows' startups are told better by another row, and how many they are.
    fn twice(&mut self) -> Result<(Vec<bool>, u64), Error> {
        let Some(suspects) = once::suspects(std::mem::take(&mut self.keys), self.taken) else {
            return Ok((Vec::new(), 0));
        };
        let (mut best, mut lost, mut count) = (once::Best::default(), vec![false; suspects.len()], 0);
        for part in &self.parts {
            let numbers = part.numbers()?;
            let places = numbers.iter().enumerate().filter(|(_, number)| once::marked(&suspects, **number));
            let places: Vec<usize> = places.map(|(at, _)| at).collect();
            for some in places.chunks(BATCH) {
                for (at, row) in some.iter().zip(part.at(some)?) {
                    if let Some(number) = best.take(&row, numbers.get(*at).copied().unwrap_or_default()) {
                        once::mark(&mut lost, number);
                        count += 1;
                    }
                }
            }
        }
        Ok((lost, count))
    }
}

/// Writes a sorted frame: packed as fast as it is read, for it lives as long as the run.
fn write(mut frame: DataFrame, path: PathBuf) -> Result<Part, Error> {
    let file = File::create(&path).map_err(unwritable)?;
    let writer = ParquetWriter::new(file)
        .with_compression(ParquetCompression::Lz4Raw)
        .with_statistics(StatisticsOptions::empty())
        .with_row_group_size(Some(GROUP));
    writer.finish(&mut frame).map_err(unwritable)?;
    let groups = Groups::open(&path).map_err(unwritable)?;
    Ok(Part::Written(path, Box::new(groups)))
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Part::Held(frame) => frame.height(),
            Part::Written(_, groups) => groups.rows(),
        }
    }

    fn lazy(&self) -> Result<LazyFrame, Error> {
        match self {
            Part::Held(frame) => Ok(frame.clone().lazy()),
            Part::Written(path, _) => {
                let args =
                    ScanArgsParquet { glob: false, cache: false, use_statistics: false, ..ScanArgsParquet::default() };
                LazyFrame::scan_parquet(PlRefPath::new(path.to_string_lossy()), args).map_err(failed)
            }
        }
    }

    fn slice(&self, from: usize, length: usize) -> Result<DataFrame, Error> {
        match self {
            Part::Held(frame) => Ok(frame.slice(i64::try_from(from).unwrap_or(i64::MAX), length)),
            Part::Written(_, groups) => groups.read(from..from.saturating_add(length), None).map_err(failed),
        }
    }

    fn numbers(&self) -> Result<Vec<u64>, Error> {
        let frame = self.lazy()?.select([col(NUMBER)]).collect().map_err(failed)?;
        let column = frame.column(NUMBER).map_err(failed)?;
        Ok(column.u64().map_err(failed)?.iter().flatten().collect())
    }

    /// The rows at these places, which are in order.
    fn at(&self, places: &[usize]) -> Result<Vec<Row>, Error> {
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
    fn lose(&mut self, lost: &[bool]) -> Result<(), Error> {
        let keep: BooleanChunked = self.numbers()?.iter().map(|number| Some(!once::marked(lost, *number))).collect();
        if keep.all() {
            return Ok(());
        }
        let whole = self.slice(0, self.len())?;
        let kept = whole.filter(&keep).map_err(failed)?;
        *self = match self {
            Part::Held(_) => Part::Held(kept),
            Part::Written(path, _) => write(kept, path.with_extension("once.parquet"))?,
        };
        Ok(())
    }
}

impl Table {
    /// A table of these rows, held in memory.
    ///
    /// # Errors
    /// As [`Store::finish`].
    pub fn of(rows: Vec<Row>) -> Result<Self, Error> {
        let budget = Budget { memory: usize::MAX, part: Budget::PART, temp: PathBuf::new(), made: Made::default() };
        let mut store = Store::new(budget, Filter::default());
        rows.into_iter().try_for_each(|row| store.push(row))?;
        store.finish()
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The parts it lies in, each as a query: for figures that are made part by part.
    pub(crate) fn parts(&self) -> Result<Vec<LazyFrame>, Error> {
        self.parts.iter().map(Part::lazy).collect()
    }

    /// Some columns of all of it as a query. Written parts are read one after another, and what is not selected is not read.
    ///
    /// # Errors
    /// When a written part cannot be read.
    pub fn select(&self, columns: &[Expr]) -> Result<LazyFrame, Error> {
        let mut all: Option<DataFrame> = None;
        for part in self.parts()? {
            let frame = part.select(columns).collect().map_err(failed)?;
            match &mut all {
                Some(all) => drop(all.vstack_mut_owned(frame).map_err(failed)?),
                None => all = Some(frame),
            }
        }
        match all {
            Some(frame) => Ok(frame.lazy()),
            None => {
                let mut none = Row::write(&[]).map_err(failed)?;
                none.push(Series::new(BEGAN.into(), Vec::<i64>::new()).into_column());
                Ok(DataFrame::new(0, none).map_err(failed)?.lazy().select(columns))
            }
        }
    }

    /// A row by its part and its place in it.
    pub(crate) fn row(&self, part: usize, at: usize) -> Result<Option<Row>, Error> {
        let Some(part) = self.parts.get(part) else { return Ok(None) };
        Ok(part.at(&[at])?.pop())
    }

    /// The rows a query keeps, in order. They are held in memory: for few.
    ///
    /// # Errors
    /// When the query fails.
    pub fn find(&self, keep: &Expr) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        for part in self.parts()? {
            rows.extend(Row::read(&part.filter(keep.clone()).collect().map_err(failed)?)?);
        }
        rows.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(rows)
    }

    /// Every row, in order: by creation, name and uid.
    pub fn rows(&self) -> Rows<'_> {
        let slice = (READ / self.parts.len().max(1)).clamp(256, GROUP);
        let mut readers: Vec<Reader<'_>> =
            self.parts.iter().map(|part| Reader { part, slice, next: 0, ready: VecDeque::new() }).collect();
        let mut heap = BinaryHeap::new();
        let mut trouble = None;
        for (number, reader) in readers.iter_mut().enumerate() {
            match reader.next() {
                Ok(Some(row)) => heap.push(Reverse(Ordered { row, reader: number })),
                Ok(None) => {}
                Err(error) => trouble = Some(error),
            }
        }
        Rows { readers, heap, trouble }
    }
}

struct Reader<'a> {
    part: &'a Part,
    slice: usize,
    next: usize,
    ready: VecDeque<Row>,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<Row>, Error> {
        if self.ready.is_empty() && self.next < self.part.len() {
            let frame = self.part.slice(self.next, self.slice)?;
            self.next += self.slice;
            self.ready = Row::read(&frame)?.into();
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

/// See [`Table::rows`].
pub struct Rows<'a> {
    readers: Vec<Reader<'a>>,
    heap: BinaryHeap<Reverse<Ordered>>,
    trouble: Option<Error>,
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.trouble.take() {
            self.heap.clear();
            return Some(Err(error));
        }
        let Reverse(Ordered { row, reader }) = self.heap.pop()?;
        match self.readers.get_mut(reader).map(Reader::next) {
            Some(Ok(Some(row))) => self.heap.push(Reverse(Ordered { row, reader })),
            Some(Err(error)) => self.trouble = Some(error),
            _ => {}
        }
        Some(Ok(row))
    }
}
