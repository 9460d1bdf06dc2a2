//! Records of sources whose lines are not in the order of time, put in order: in memory as far as they fit there, else in
//! sorted temporary files that are merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
use std::path::PathBuf;
use std::rc::Rc;

use super::reorder::Dated;
use crate::model::error::{Error, ErrorKind};
use crate::model::pod_status::ContainerStatus;
use crate::model::record::{Record, StartupRecord};
use crate::model::time::Time;

/// What the records that are held in memory may weigh, in bytes.
const MEMORY: usize = 64 << 20;
/// So many files of one size are merged into one: a run has few open, however much it sorts.
const MERGED_FILES: usize = 16;

/// Where a record belongs: by time, then source, then line.
type Key = (Time, usize, i64);

/// One after the other, the records of a sorted stretch.
type Stretch = Box<dyn Iterator<Item = Result<(Key, Dated), Error>>>;

/// Takes records in any order.
pub(super) struct Sorter {
    temp: PathBuf,
    memory: usize,
    held: Vec<(Key, Dated)>,
    weight: usize,
    /// Written files, and how many times what they hold was merged.
    files: Vec<(u32, File)>,
}

impl Sorter {
    /// A sorter with its files in the folder `temp`.
    pub(super) fn new(temp: PathBuf) -> Self {
        Sorter { temp, memory: MEMORY, held: Vec::new(), weight: 0, files: Vec::new() }
    }

    /// Takes a record. `place` orders those of one source and one instant.
    pub(super) fn push(&mut self, dated: Dated, place: i64) -> Result<(), Error> {
        self.weight += weight(&dated.record);
        self.held.push(((dated.time, dated.source, place), dated));
        if self.weight > self.memory { self.write_out() } else { Ok(()) }
    }

    /// All of them in order.
    pub(super) fn finish(mut self) -> Result<Sorted, Error> {
        let mut stretches = vec![self.take_held()];
        for (_, file) in self.files {
            stretches.push(read(file)?);
        }
        Sorted::new(stretches)
    }

    fn take_held(&mut self) -> Stretch {
        self.weight = 0;
        let mut held = std::mem::take(&mut self.held);
        held.sort_by_key(|(key, _)| *key);
        Box::new(held.into_iter().map(Ok))
    }

    fn write_out(&mut self) -> Result<(), Error> {
        let (mut stretch, mut merged) = (self.take_held(), 0);
        loop {
            self.files.push((merged, self.write(stretch)?));
            let same = self.files.iter().rev().take_while(|(times, _)| *times == merged).count();
            if same < MERGED_FILES {
                return Ok(());
            }
            let files = self.files.split_off(self.files.len() - same);
            let stretches = files.into_iter().map(|(_, file)| read(file)).collect::<Result<_, _>>()?;
            (stretch, merged) = (Box::new(Sorted::new(stretches)?), merged + 1);
        }
    }

    fn write(&self, stretch: Stretch) -> Result<File, Error> {
        let file = tempfile::tempfile_in(&self.temp).map_err(failed)?;
        let mut writer = BufWriter::new(zstd::Encoder::new(file, 1).map_err(failed)?);
        for record in stretch {
            let (key, dated) = record?;
            serde_json::to_writer(&mut writer, &(key.0.0, key.1, key.2, dated.host.as_deref(), dated.record))
                .map_err(failed)?;
            writer.write_all(b"\n").map_err(failed)?;
        }
        let encoder = writer.into_inner().map_err(failed)?;
        let mut file = encoder.finish().map_err(failed)?;
        file.rewind().map_err(failed)?;
        Ok(file)
    }
}

fn read(file: File) -> Result<Stretch, Error> {
    let records = BufReader::new(zstd::Decoder::new(file).map_err(failed)?).split(b'\n');
    Ok(Box::new(records.map(|record| {
        let (time, source, line, host, record): (i64, usize, i64, Option<Box<str>>, Box<Record>) =
            serde_json::from_slice(&record.map_err(failed)?).map_err(failed)?;
        let (time, host) = (Time(time), host.map(Rc::from));
        Ok(((time, source, line), Dated { time, record, host, source }))
    })))
}

pub(super) fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Output, format!("lines could not be sorted in the temporary folder: {error}"))
        .help("free some space there, or name another folder with TMPDIR")
}

/// About what a record takes of memory, in bytes.
pub(super) fn weight(record: &Record) -> usize {
    size_of::<(Key, Dated)>()
        + size_of::<Record>()
        + record.fields.weight()
        + record
            .pod_status
            .as_ref()
            .map_or(0, |status| size_of_val(&**status) + status.containers.len() * (size_of::<ContainerStatus>() + 64))
        + record.startup_record.as_ref().map_or(0, |_| size_of::<StartupRecord>())
}

/// The records in order.
pub(super) struct Sorted {
    stretches: Vec<Stretch>,
    /// The next record of each stretch.
    next: Vec<Option<Dated>>,
    order: BinaryHeap<Reverse<(Key, usize)>>,
}

impl Sorted {
    fn new(stretches: Vec<Stretch>) -> Result<Self, Error> {
        let next = stretches.iter().map(|_| None).collect();
        let mut sorted = Sorted { stretches, next, order: BinaryHeap::new() };
        for stretch in 0..sorted.stretches.len() {
            sorted.advance(stretch)?;
        }
        Ok(sorted)
    }

    /// When the next record is, and of which source.
    pub(super) fn peek(&self) -> Option<(Time, usize)> {
        self.order.peek().map(|Reverse(((time, source, _), _))| (*time, *source))
    }

    fn advance(&mut self, stretch: usize) -> Result<(), Error> {
        let next = self.stretches.get_mut(stretch).and_then(Iterator::next).transpose()?;
        if let (Some((key, dated)), Some(slot)) = (next, self.next.get_mut(stretch)) {
            *slot = Some(dated);
            self.order.push(Reverse((key, stretch)));
        }
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = Result<(Key, Dated), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((key, stretch)) = self.order.pop()?;
        let dated = self.next.get_mut(stretch).and_then(Option::take)?;
        Some(self.advance(stretch).map(|()| (key, dated)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::grammar::Grammars;

    /// A record of every kind that kubelets write: the grammar's examples.
    fn records() -> Vec<Record> {
        let grammars = Grammars::load(&[]).unwrap();
        let lines = include_str!("../../grammars/kubelet.toml").lines();
        let lines = lines.filter_map(|line| line.strip_prefix("line = '''")?.strip_suffix("'''"));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        crate::parse::chunk(&grammars, text.as_bytes(), text.len(), 0, 1).records.collect()
    }

    fn sorted(memory: usize, records: &[Record]) -> Vec<(Time, usize, Option<Rc<str>>, Record)> {
        let mut sorter = Sorter { memory, ..Sorter::new(std::env::temp_dir()) };
        for (number, record) in records.iter().enumerate() {
            let time = Time((number as i64 * 7919) % 101);
            let host = (number % 2 == 0).then(|| "node-a".into());
            sorter
                .push(Dated { time, record: Box::new(record.clone()), host, source: number % 3 }, number as i64)
                .unwrap();
        }
        let all = sorter.finish().unwrap();
        all.map(|dated| dated.unwrap().1).map(|dated| (dated.time, dated.source, dated.host, *dated.record)).collect()
    }

    #[test]
    fn records_come_back_in_order_and_unchanged_from_memory_and_from_files() {
        let records = records();
        assert!(records.len() > 100);
        let held = sorted(usize::MAX, &records);
        assert_eq!(held.len(), records.len());
        assert!(held.is_sorted_by_key(|(time, source, _, record)| (*time, *source, record.place.line)));
        // A file for each record: merged more than once.
        assert_eq!(sorted(0, &records), held);
        assert_eq!(sorted(10_000, &records), held);
    }

    #[test]
    fn without_a_folder_to_write_to_the_error_says_what_to_do() {
        let mut sorter = Sorter { memory: 0, ..Sorter::new("/nowhere".into()) };
        let record = Box::new(records().remove(0));
        let error = sorter.push(Dated { time: Time(0), record, host: None, source: 0 }, 0).unwrap_err();
        assert!(error.to_string().contains("temporary folder") && error.to_string().contains("TMPDIR"), "{error}");
    }
}
