//! What archives hold, unpacked into one temporary file without a name: each member is a range of it, which is read at any place
//! and as often as a file of its own.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use rawzip::{FileReader, ReaderAt};

/// The file while it is written.
pub struct Spool {
    file: File,
    reader: Arc<FileReader>,
    end: u64,
}

impl Spool {
    /// An empty one in the folder `temp`.
    ///
    /// # Errors
    /// When no file can be made there.
    pub fn new(temp: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(temp)?;
        let reader = Arc::new(FileReader::from(file.try_clone()?));
        Ok(Spool { file, reader, end: 0 })
    }

    /// Begins a range at the end.
    pub(super) fn begin(&mut self) -> io::Result<SpoolWriter<'_>> {
        // Reading may have moved the place where it is written.
        self.file.seek(SeekFrom::Start(self.end))?;
        Ok(SpoolWriter { start: self.end, spool: self })
    }
}

/// Writes one range.
pub(super) struct SpoolWriter<'a> {
    spool: &'a mut Spool,
    start: u64,
}

impl SpoolWriter<'_> {
    /// What was written.
    pub(super) fn range(&self) -> FileRange {
        FileRange { file: Arc::clone(&self.spool.reader), start: self.start, len: self.spool.end - self.start }
    }
}

impl Write for SpoolWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.spool.file.write(bytes)?;
        self.spool.end += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A range of a file that can be read at any place by many threads at once.
#[derive(Clone, Debug)]
pub(super) struct FileRange {
    file: Arc<FileReader>,
    start: u64,
    len: u64,
}

impl FileRange {
    /// All of a file.
    pub(super) fn whole(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(FileRange { file: Arc::new(FileReader::from(file)), start: 0, len })
    }

    /// A part of it, as far as there is one.
    pub(super) fn part(&self, from: u64, to: u64) -> Self {
        let (from, to) = (from.min(self.len), to.min(self.len));
        FileRange { file: Arc::clone(&self.file), start: self.start + from, len: to.saturating_sub(from) }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// From its beginning to its end.
    pub(super) fn reader(&self) -> RangeReader {
        RangeReader { range: self.clone(), at: 0 }
    }
}

impl ReaderAt for FileRange {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX).min(into.len());
        self.file.read_at(into.get_mut(..left).unwrap_or_default(), self.start.saturating_add(offset))
    }
}

/// Reads a range in its order.
pub(super) struct RangeReader {
    range: FileRange,
    at: u64,
}

impl Read for RangeReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.range.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
