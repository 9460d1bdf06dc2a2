//! Reads systemd-journald's own files: entries of kubelets and container runtimes, found by the file's index, as the text that
//! journalctl prints of them. What is damaged is counted and left out; the rest is read.
//!
//! ```text
//! BytesAt --Blocks--> Header, Objects --hash, starts, list, entries--> places of entries --line--> text
//! ```

mod blocks;
mod compression;
mod entries;
mod hash;
mod head;
mod line;
mod list;
mod object;
mod selection;
mod starts;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub use blocks::BytesAt;
use blocks::{Blocks, Fault, FileBytes};
use entries::Entries;
pub use head::JournalHead;
use line::LineWriter;
pub(super) use object::MAGIC;
use object::{BadHeader, Header};
pub use selection::{JournalSelection, is_unit_or_program};

use super::spool::FileRange;

/// The longest journal that is kept in a temporary file, because it comes through a pipe or is compressed. journald's own files
/// end at 4 GiB.
const MAX_KEPT_JOURNAL: u64 = 8 << 30;
/// Bytes of text that one read gathers.
const TEXT: usize = 64 << 10;
/// After how many entries it is looked whether reading was ended.
const CHECK_EVERY: u64 = 1024;

/// What of a journal could not be read; travels inside an `io::Error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum JournalError {
    /// Its layout is newer than this: these flags are not known.
    UnknownFlags(u32),
    /// It is longer than what is kept.
    TooLong,
    /// How many places are damaged and the first of them; how long the file is and by its header should be; whether an entry was
    /// found.
    Damaged { places: u64, first: u64, cut: Option<(u64, u64)>, any: bool },
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::UnknownFlags(flags) => {
                write!(f, "it is a systemd journal of a newer layout (incompatible flags {flags:#x})")
            }
            JournalError::TooLong => write!(f, "it is a systemd journal of more than {} GiB", MAX_KEPT_JOURNAL >> 30),
            JournalError::Damaged { places, first, cut, any } => {
                let of = |places: &u64| if *places == 1 { "place" } else { "places" };
                match cut {
                    Some((length, expected)) => write!(f, "the journal has {length} of {expected} bytes")?,
                    None => write!(f, "the journal is damaged in {places} {}, first at byte {first}", of(places))?,
                }
                if cut.is_some() && *places > 0 {
                    write!(f, ", and is damaged in {places} {}, first at byte {first}", of(places))?;
                }
                if *any { Ok(()) } else { f.write_str("; no entry of a kubelet or container runtime was found in it") }
            }
        }
    }
}

impl std::error::Error for JournalError {}

/// Where a journal's bytes are.
pub(super) enum JournalBytes {
    /// In a file of its own. It is opened for each read where there are more files than can be open at once.
    File { path: PathBuf, reopen_each_read: bool },
    /// In an archive that was unpacked. `few`: it has many files.
    Range { range: FileRange, few: bool },
    /// In a stream, which is kept in a file without a name in the folder `temp`.
    Stream { stream: Box<dyn Read + Send>, temp: PathBuf },
    /// Wherever they can be read by their place.
    Placed(Box<dyn BytesAt>),
}

/// A journal as text. What of it is damaged is said by an error at the end.
pub struct JournalText {
    /// Not opened yet.
    bytes: Option<JournalBytes>,
    open: Option<OpenJournal>,
    text: Vec<u8>,
    taken: usize,
    /// How far it is read, for whoever watches.
    progress: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    selection: Arc<JournalSelection>,
    /// Some text was found.
    any: bool,
    damage: Damage,
    /// How the stream ended, if not well.
    stream_error: Option<io::Error>,
}

/// Counted damage.
#[derive(Default)]
struct Damage {
    places: u64,
    first: Option<u64>,
    cut: Option<(u64, u64)>,
}

impl Damage {
    fn count(&mut self, place: u64) {
        self.places += 1;
        self.first.get_or_insert(place);
    }
}

struct OpenJournal {
    blocks: Blocks,
    header: Header,
    entries: Entries,
    lines: LineWriter,
    /// The entry that was read last.
    last: u64,
}

impl JournalText {
    /// A journal whose bytes are read by their place, as far as they are needed. Nothing is read yet.
    pub fn placed(bytes: impl BytesAt + 'static, selection: &Arc<JournalSelection>, stop: &Arc<AtomicBool>) -> Self {
        Self::new(JournalBytes::Placed(Box::new(bytes)), Arc::clone(selection), Arc::default(), Arc::clone(stop))
    }

    /// A journal that comes as a stream, which is kept in a file without a name in the folder `temp`.
    pub fn streamed(
        stream: impl Read + Send + 'static,
        temp: &Path,
        selection: &Arc<JournalSelection>,
        stop: &Arc<AtomicBool>,
    ) -> Self {
        let bytes = JournalBytes::Stream { stream: Box::new(stream), temp: temp.into() };
        Self::new(bytes, Arc::clone(selection), Arc::default(), Arc::clone(stop))
    }

    /// A journal. Nothing is read yet.
    pub(super) fn new(
        bytes: JournalBytes,
        selection: Arc<JournalSelection>,
        progress: Arc<AtomicU64>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        JournalText {
            bytes: Some(bytes),
            open: None,
            text: Vec::new(),
            taken: 0,
            progress,
            stop,
            selection,
            any: false,
            damage: Damage::default(),
            stream_error: None,
        }
    }

    fn open(&mut self, bytes: JournalBytes) -> io::Result<()> {
        let (bytes, few): (Box<dyn BytesAt>, bool) = match bytes {
            JournalBytes::File { path, reopen_each_read } => {
                let file = File::open(&path)?;
                let len = file.metadata()?.len();
                let file = Some(file).filter(|_| !reopen_each_read);
                (Box::new(FileBytes { file, path, len }), reopen_each_read)
            }
            JournalBytes::Range { range, few } => (Box::new(range), few),
            JournalBytes::Placed(bytes) => (bytes, false),
            JournalBytes::Stream { stream, temp } => {
                // Whoever watches is shown how much of the stream was read.
                self.progress = Arc::default();
                let mut file = tempfile::tempfile_in(&temp)?;
                let mut stream = stream.take(MAX_KEPT_JOURNAL + 1);
                self.stream_error = io::copy(&mut stream, &mut file).err();
                let len = file.metadata()?.len();
                if len > MAX_KEPT_JOURNAL {
                    return Err(io::Error::other(JournalError::TooLong));
                }
                (Box::new(FileBytes { file: Some(file), path: PathBuf::new(), len }), false)
            }
        };
        self.open_blocks(Blocks::new(bytes, few))
    }

    fn open_blocks(&mut self, mut blocks: Blocks) -> io::Result<()> {
        let header = match Header::read(&mut blocks) {
            Ok(header) => header,
            Err(BadHeader::Flags(flags)) => return Err(io::Error::other(JournalError::UnknownFlags(flags))),
            Err(BadHeader::Fault(Fault::Io(error))) => return Err(error),
            Err(BadHeader::Fault(Fault::Damaged(_))) => {
                self.damage.count(blocks.len());
                return Ok(());
            }
        };
        if blocks.len() < header.end {
            self.damage.cut = Some((blocks.len(), header.end));
        }
        let damage = &mut self.damage;
        let entries = match Entries::listed(&mut blocks, &header, &self.selection, &mut |place| damage.count(place)) {
            Ok(entries) => entries,
            Err(Fault::Io(error)) => return Err(error),
            Err(Fault::Damaged(place)) => {
                // Of a file that was cut off, the index leads behind its end.
                if damage.cut.is_none() {
                    damage.count(place);
                }
                Entries::Searched(header.size)
            }
        };
        let lines = LineWriter::new(Arc::clone(&self.selection));
        self.open = Some(OpenJournal { blocks, header, entries, lines, last: 0 });
        Ok(())
    }

    /// Gathers text; at the end there is none.
    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.taken = 0;
        let Some(OpenJournal { blocks, header, entries, lines, last }) = &mut self.open else { return Ok(()) };
        let damage = &mut self.damage;
        let mut count = |place| damage.count(place);
        let mut seen = 0_u64;
        while self.text.len() < TEXT {
            seen += 1;
            if seen.is_multiple_of(CHECK_EVERY) && self.stop.load(Ordering::Relaxed) {
                break;
            }
            let at = match entries.next(blocks, header, &mut count) {
                Ok(Some(at)) => at,
                Ok(None) => {
                    self.progress.store(blocks.len(), Ordering::Relaxed);
                    self.open = None;
                    break;
                }
                Err(Fault::Io(error)) => return Err(error),
                Err(Fault::Damaged(place)) => {
                    // A list broke after it was checked: the file is being written. What follows is found without it.
                    count(place);
                    *entries = Entries::Searched((*last).max(header.size));
                    continue;
                }
            };
            if at == *last {
                continue;
            }
            *last = at;
            self.progress.store(at, Ordering::Relaxed);
            let length = self.text.len();
            match lines.write(blocks, header, at, &mut count, &mut self.text) {
                Ok(()) => {}
                Err(Fault::Io(error)) => return Err(error),
                Err(Fault::Damaged(place)) => {
                    self.text.truncate(length);
                    count(place);
                }
            }
        }
        self.any |= !self.text.is_empty();
        Ok(())
    }

    /// What is to be said at the end.
    fn ending(&mut self) -> io::Result<usize> {
        if let Some(error) = self.stream_error.take() {
            return Err(error);
        }
        let Damage { places, first, cut } = std::mem::take(&mut self.damage);
        if places == 0 && cut.is_none() || self.stop.load(Ordering::Relaxed) {
            return Ok(0);
        }
        let (first, any) = (first.unwrap_or(0), self.any);
        Err(io::Error::other(JournalError::Damaged { places, first, cut, any }))
    }
}

impl Read for JournalText {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(bytes) = self.bytes.take() {
            self.open(bytes)?;
        }
        if self.taken == self.text.len() {
            self.fill().inspect_err(|_| self.open = None)?;
        }
        let left = self.text.get(self.taken..).unwrap_or_default();
        if left.is_empty() {
            return self.ending();
        }
        let count = left.len().min(into.len());
        if let (Some(target), Some(from)) = (into.get_mut(..count), left.get(..count)) {
            target.copy_from_slice(from);
        }
        self.taken += count;
        Ok(count)
    }
}
