//! The file that a node's lines are kept in until they are analysed: with year and zone, and with the node's own name, which may
//! not be its host's.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, SecondsFormat};

use crate::model::time::{SECOND, Time};

/// A file of lines while it is written.
pub(super) struct NodeLogFile {
    file: BufWriter<File>,
    path: PathBuf,
    node: String,
    len: u64,
    /// Counts what is written, for whoever watches.
    written: Arc<AtomicU64>,
    /// The second of its last line, and where that second begins in it.
    second: (Time, u64),
}

/// The second that an instant is in.
pub(super) fn second_of(time: Time) -> Time {
    Time(time.0.div_euclid(SECOND).saturating_mul(SECOND))
}

impl NodeLogFile {
    /// An empty one in this folder.
    pub(super) fn new(node: &str, folder: &Path, written: &Arc<AtomicU64>) -> io::Result<Self> {
        let (file, path) = tempfile::NamedTempFile::new_in(folder)?.keep().map_err(|error| error.error)?;
        let (file, written) = (BufWriter::new(file), Arc::clone(written));
        Ok(NodeLogFile { file, path, node: node.to_owned(), len: 0, written, second: (Time(0), 0) })
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a line: its time, and what stands behind its host.
    pub(super) fn add(&mut self, time: Time, rest: &[u8]) -> io::Result<()> {
        let second = second_of(time);
        if second != self.second.0 || self.len == 0 {
            self.second = (second, self.len);
        }
        let date = DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(SecondsFormat::Micros, true);
        self.add_dated(date.as_bytes(), rest)
    }

    /// The same of a line whose date is written as it shall be.
    pub(super) fn add_dated(&mut self, date: &[u8], rest: &[u8]) -> io::Result<()> {
        self.write_all(date)?;
        let host = format!(" {} ", self.node);
        self.write_all(host.as_bytes())?;
        self.write_all(rest)
    }

    /// Takes back the lines of the last second, which are to come again.
    pub(super) fn take_back_second(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.len = self.second.1;
        self.file.get_mut().set_len(self.len)?;
        self.file.seek(SeekFrom::Start(self.len)).map(|_| ())
    }

    /// The file, written to its end and closed.
    pub(super) fn close(mut self) -> io::Result<PathBuf> {
        self.file.flush()?;
        Ok(self.path)
    }
}

impl Write for NodeLogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.len += written as u64;
        self.written.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
