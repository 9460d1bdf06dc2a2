//! Rows are held in memory up to a budget; beyond it they are written to a temporary folder as sorted files.

use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use super::held_rows::HeldRows;
use super::part::Part;
use super::row::Row;
use super::row_file::{RowFile, unwritable};
use super::temporary::{CleanupList, folder};
use crate::model::error::Error;

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
    pub made: CleanupList,
}

impl Budget {
    /// 128 MiB: the whole program stays below 400 MiB. Over journals of 1 GiB with 19,000 to 151,000 startups it took 105 to
    /// 181 MiB at the most, over one of 8 GiB with 1.21 million 224 MiB.
    pub const MEMORY: usize = 128 << 20;
    /// 8 MiB.
    pub const PART: usize = 8 << 20;

    /// The default budget, with its folder under `temp`.
    pub fn under(temp: &Path) -> Self {
        Budget { memory: Self::MEMORY, part: Self::PART, temp: temp.into(), made: CleanupList::default() }
    }
}

/// Rows on their way to parts of a table.
#[derive(Debug)]
pub(super) struct Spill {
    budget: Budget,
    /// In the order they came.
    waiting: HeldRows,
    /// What they weigh, in bytes.
    weight: usize,
    parts: Vec<Part>,
    writing: Writing,
    folder: Option<TempDir>,
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

impl Spill {
    pub(super) fn new(budget: Budget) -> Self {
        Spill {
            budget,
            waiting: HeldRows::default(),
            weight: 0,
            parts: Vec::new(),
            writing: Writing(None),
            folder: None,
        }
    }

    /// Takes a row with its number.
    pub(super) fn push(&mut self, number: u64, row: &Row) -> Result<(), Error> {
        self.weight += row.weight();
        self.waiting.push(number, row);
        if self.weight > self.room().max(self.budget.part) { self.write_out() } else { Ok(()) }
    }

    /// How much may wait.
    fn room(&self) -> usize {
        if self.folder.is_none() { self.budget.memory } else { self.budget.memory / 2 }
    }

    /// Writes what waits, on a thread of its own: rows go on coming meanwhile, and wait for it once they are as many as have
    /// room.
    fn write_out(&mut self) -> Result<(), Error> {
        self.take_written()?;
        let folder = match &self.folder {
            Some(folder) => folder,
            None => {
                let made = folder("podlag-", &self.budget.temp).map_err(unwritable)?;
                self.budget.made.add(made.path());
                self.folder.insert(made)
            }
        };
        let path = folder.path().join(self.parts.len().to_string());
        let mut waiting = std::mem::take(&mut self.waiting);
        self.weight = 0;
        let write = move || {
            waiting.sort();
            let file = RowFile::write(path, &mut waiting.groups(None).map(Ok))?;
            Ok(Part::Written(Box::new(file)))
        };
        self.writing.0 = Some(thread::Builder::new().spawn(write).map_err(unwritable)?);
        Ok(())
    }

    /// Takes the part that is being written, once it is.
    fn take_written(&mut self) -> Result<(), Error> {
        let Some(writing) = self.writing.0.take() else { return Ok(()) };
        self.parts.push(writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        Ok(())
    }

    /// The parts, each sorted, and the folder that written ones lie in.
    pub(super) fn finish(mut self) -> Result<(Vec<Part>, Option<TempDir>), Error> {
        // While the last part is being written.
        let mut held = std::mem::take(&mut self.waiting);
        held.sort();
        self.take_written()?;
        if !held.is_empty() {
            self.parts.push(Part::Held(held));
        }
        Ok((self.parts, self.folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Time;
    use crate::table::held_rows::GROUP;

    fn rows(count: i64) -> impl Iterator<Item = Row> {
        (0..count).map(move |number| Row { created: Some(Time((number * 7) % count)), ..Row::default() })
    }

    fn parts(budget: Budget, count: i64) -> Vec<Part> {
        let mut spill = Spill::new(budget);
        for (number, row) in rows(count).enumerate() {
            spill.push(number as u64, &row).unwrap();
        }
        let (parts, folder) = spill.finish().unwrap();
        // Rows are read while their folder is there.
        for part in &parts {
            let all: Vec<_> = part.at(&(0..part.len()).collect::<Vec<_>>()).unwrap();
            assert!(all.is_sorted_by_key(|row| row.created));
        }
        drop(folder);
        parts
    }

    #[test]
    fn rows_within_the_budget_are_held_and_others_are_written() {
        let count = GROUP as i64 * 8 + 1;
        let temp = tempfile::tempdir().unwrap();
        let [held] = &parts(Budget::under(temp.path()), count)[..] else { panic!("one part") };
        assert!(matches!(held, Part::Held(rows) if rows.len() == count as usize));
        let small = Budget { memory: 4 << 20, part: 1 << 20, ..Budget::under(temp.path()) };
        let written = parts(small, count);
        assert!(written.len() > 2 && matches!(written[0], Part::Written(_)));
        assert_eq!(written.iter().map(Part::len).sum::<usize>(), count as usize);
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "the folder is gone");
    }
}
