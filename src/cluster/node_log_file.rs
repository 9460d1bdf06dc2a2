//! The file that a node's lines are kept in until they are analysed: with year and zone, and with the node's own name, which may
//! not be its host's.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat};

use crate::model::time::{SECOND, Time};

/// A file of lines while it is written.
pub(super) struct NodeLogFile {
    file: BufWriter<File>,
    path: PathBuf,
    node: String,
    len: u64,
    /// The second of its last line, and where that second begins in it.
    second: (Time, u64),
}

/// The second that an instant is in.
pub(super) fn second_of(time: Time) -> Time {
    Time(time.0.div_euclid(SECOND).saturating_mul(SECOND))
}

impl NodeLogFile {
    /// An empty one in this folder.
    pub(super) fn new(node: &str, folder: &Path) -> io::Result<Self> {
        let (file, path) = tempfile::NamedTempFile::new_in(folder)?.keep().map_err(|error| error.error)?;
        Ok(NodeLogFile { file: BufWriter::new(file), path, node: node.to_owned(), len: 0, second: (Time(0), 0) })
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
        let head = format!("{date} {} ", self.node);
        self.write_all(head.as_bytes())?;
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
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
