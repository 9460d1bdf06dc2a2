//! Where finished startups go: rows in, a table out. Rows are held as columns; beyond a budget they are written to a temporary
//! folder as sorted Parquet files, and every figure is scanned from there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use polars::prelude::*;
use tempfile::TempDir;

use super::cell::{Columns, failed};
use super::merge::Rows;
use super::once;
use super::part::{BATCH, GROUP, NUMBER, Part, unwritable, write};
use super::query::BEGAN;
use super::row::Row;
use crate::model::error::Error;
use crate::model::workload::Owners;
use crate::table::anonymize::Anonymizer;
use crate::table::filter::Filter;

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

/// A temporary folder that is its maker's alone, whatever the user's mask: what logs say is nobody else's.
pub(super) fn folder(prefix: &str, within: &Path) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(within)
}

/// How rows are held.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Bytes for rows: they are written out once they take it all, and from then on each half of it, for rows go on coming
    /// while others are written.
    pub memory: usize,
    /// No written part is smaller (bytes of rows), however small the budget: each costs every query something.
    pub part: usize,
    /// Where the temporary folder is made.
    pub temp: PathBuf,
    /// What was made and goes when the run ends.
    pub made: Made,
}

impl Budget {
    /// 128 MiB: the whole program stays below 400 MiB. Over journals of 1 GiB with 20,000 to 161,000 startups it took 287 to
    /// 371 MiB at the most, over one of 8 GiB with 1.29 million 333 MiB.
    pub const MEMORY: usize = 128 << 20;
    /// 8 MiB.
    pub const PART: usize = 8 << 20;

    /// The default budget, with its folder under `temp`.
    pub fn under(temp: &Path) -> Self {
        Budget { memory: Self::MEMORY, part: Self::PART, temp: temp.into(), made: Made::default() }
    }
}

/// Bytes of columns that are held at once for figures.
const COLUMNS: usize = 16 << 20;

/// Takes rows.
#[derive(Debug)]
pub struct Store {
    budget: Budget,
    filter: Filter,
    /// Who owns the pods, where objects tell.
    pub owners: Owners,
    /// Who hides the rows' names, if they are to be hidden.
    pub anonymizer: Option<Anonymizer>,
    /// Rows with their numbers, in the order they came.
    waiting: Vec<(u64, Box<Row>)>,
    /// What they weigh, in bytes.
    weight: usize,
    parts: Vec<Part>,
    writing: Writing,
    folder: Option<TempDir>,
    /// Hashes of the rows' keys by their number: what may be there twice.
    keys: Vec<(u64, u64)>,
    taken: u64,
    filtered: u64,
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

impl Store {
    /// An empty store that keeps what passes the filter.
    pub fn new(budget: Budget, filter: Filter) -> Self {
        Store {
            budget,
            filter,
            owners: Owners::default(),
            anonymizer: None,
            waiting: Vec::new(),
            weight: 0,
            parts: Vec::new(),
            writing: Writing(None),
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
        // Filters and owners know real names; nothing behind this does.
        if let Some(anonymizer) = &self.anonymizer {
            anonymizer.row(&mut row);
        }
        self.keys.push((once::short(&row), self.taken));
        self.weight += row.weight();
        self.waiting.push((self.taken, Box::new(row)));
        self.taken += 1;
        if self.weight > self.room().max(self.budget.part) { self.spill() } else { Ok(()) }
    }

    /// How much may wait.
    fn room(&self) -> usize {
        if self.folder.is_none() { self.budget.memory } else { self.budget.memory / 2 }
    }

    /// Writes what waits, on a thread of its own: rows go on coming meanwhile, and wait for it once they are as many as have
    /// room.
    fn spill(&mut self) -> Result<(), Error> {
        self.written()?;
        let folder = match &self.folder {
            Some(folder) => folder,
            None => {
                let made = folder("podlag-", &self.budget.temp).map_err(unwritable)?;
                self.budget.made.add(made.path());
                self.folder.insert(made)
            }
        };
        let path = folder.path().join(format!("{}.parquet", self.parts.len()));
        let waiting = std::mem::take(&mut self.waiting);
        self.weight = 0;
        let write = move || {
            let mut rows = sorted(waiting);
            write(path, &mut || columns(&mut rows))
        };
        self.writing.0 = Some(thread::Builder::new().spawn(write).map_err(unwritable)?);
        Ok(())
    }

    /// Takes the part that is being written, once it is.
    fn written(&mut self) -> Result<(), Error> {
        let Some(writing) = self.writing.0.take() else { return Ok(()) };
        self.parts.push(writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        Ok(())
    }

    /// The table of what was pushed.
    ///
    /// # Errors
    /// When rows must be written out and cannot be.
    pub fn finish(mut self) -> Result<Table, Error> {
        // While the last part is being written.
        let held = held(std::mem::take(&mut self.waiting))?;
        self.written()?;
        self.parts.extend(held.map(Part::Held));
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

/// A part that is being written. It is waited for: its folder goes only when nothing is written there any more.
#[derive(Debug)]
struct Writing(Option<JoinHandle<Result<Part, Error>>>);

impl Drop for Writing {
    fn drop(&mut self) {
        // Whoever lets it go does so for another error.
        let _ = self.0.take().map(JoinHandle::join);
    }
}

/// Rows as columns in memory.
fn held(rows: Vec<(u64, Box<Row>)>) -> Result<Option<DataFrame>, Error> {
    let mut rows = sorted(rows);
    let Some(mut all) = columns(&mut rows)? else { return Ok(None) };
    while let Some(more) = columns(&mut rows)? {
        all.vstack_mut_owned(more).map_err(failed)?;
    }
    Ok(Some(all))
}

/// Rows in order.
fn sorted(mut rows: Vec<(u64, Box<Row>)>) -> impl Iterator<Item = (u64, Box<Row>)> {
    rows.sort_by(|(_, a), (_, b)| a.order().cmp(&b.order()));
    rows.into_iter()
}

/// The next rows, as columns; none: there are none left.
fn columns(rows: &mut impl Iterator<Item = (u64, Box<Row>)>) -> Result<Option<DataFrame>, Error> {
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

impl Table {
    /// Every row, in order: by creation, name and uid.
    pub fn rows(&self) -> Rows<'_> {
        Rows::of(&self.parts)
    }

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
    pub(crate) fn parts(&self) -> Vec<LazyFrame> {
        self.parts.iter().map(Part::lazy).collect()
    }

    /// How many columns of numbers a figure may hold in memory at once: all there are of a few startups, one of many.
    pub(crate) fn columns_at_once(&self) -> usize {
        (COLUMNS / (8 * self.rows.max(1))).max(1)
    }

    /// Some columns of all of it as a query. Written parts are read one after another, and what is not selected is not read.
    ///
    /// # Errors
    /// When a written part cannot be read.
    pub fn select(&self, columns: &[Expr]) -> Result<LazyFrame, Error> {
        let mut all: Option<DataFrame> = None;
        for part in self.parts() {
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

    /// Gives some columns of the rows a query keeps, one by one, part by part; other columns are as in an empty row.
    pub(crate) fn each(&self, keep: &Expr, columns: &[&str], take: &mut dyn FnMut(Row)) -> Result<(), Error> {
        let columns: Vec<Expr> = columns.iter().map(|name| col(*name)).collect();
        for part in self.parts() {
            let found = part.filter(keep.clone()).select(&columns).collect().map_err(failed)?;
            let mut from = 0;
            while from < found.height() {
                let some = found.slice(i64::try_from(from).unwrap_or(i64::MAX), BATCH);
                Row::read(&some)?.into_iter().for_each(&mut *take);
                from += some.height().max(1);
            }
        }
        Ok(())
    }

    /// The rows a query keeps, in order. They are held in memory: for few.
    ///
    /// # Errors
    /// When the query fails.
    pub fn find(&self, keep: &Expr) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        for part in self.parts() {
            rows.extend(Row::read(&part.filter(keep.clone()).collect().map_err(failed)?)?);
        }
        rows.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(rows)
    }
}
