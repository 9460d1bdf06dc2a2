//! The bytes of a file that others may truncate, replace or append to while it is read. A log is rotated when it is large,
//! which is when it is read longest; nothing of it may go missing without a warning.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::SystemTime;

use super::Source;

/// Which file stood at a path. Some file systems number their files anew; a file of the same length
/// and time is taken for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    number: Option<(u64, u64)>,
    length: u64,
    changed: Option<SystemTime>,
}

impl FileIdentity {
    pub(super) fn of(about: &Metadata) -> Self {
        #[cfg(unix)]
        let number = Some((std::os::unix::fs::MetadataExt::dev(about), std::os::unix::fs::MetadataExt::ino(about)));
        #[cfg(not(unix))]
        let number = None;
        FileIdentity { number, length: about.len(), changed: about.modified().ok() }
    }

    fn matches(&self, other: &FileIdentity) -> bool {
        self.number == other.number || (self.length, self.changed) == (other.length, other.changed)
    }
}

/// What happened to a file while it was read; travels inside an `io::Error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileChange {
    /// It is shorter than it was: bytes read, bytes that were there.
    Truncated(u64, u64),
    /// Another file is at its path now: it was read instead (0), or reading stopped at this byte.
    Replaced(u64),
}

impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileChange::Truncated(read, of) => {
                write!(f, "it was truncated while it was read: {read} of {of} bytes were read")
            }
            FileChange::Replaced(0) => f.write_str("it was replaced before it was read; the new file was read"),
            FileChange::Replaced(read) => write!(f, "it was replaced while it was read, at byte {read}"),
        }
    }
}

impl std::error::Error for FileChange {}

/// Reads a file to its end.
pub(super) struct OpenFile {
    path: PathBuf,
    listed: Option<FileIdentity>,
    /// Where there are more files than can be open at once, each is opened for each read.
    reopen_each_read: bool,
    file: Option<File>,
    at: u64,
    replaced: bool,
    ended: bool,
}

impl OpenFile {
    /// Opens the file of a source.
    pub(super) fn open(source: &Source, path: PathBuf) -> io::Result<Self> {
        let mut file = OpenFile {
            path,
            listed: source.identity,
            reopen_each_read: source.reopen_each_read,
            file: None,
            at: 0,
            replaced: false,
            ended: false,
        };
        file.file = Some(file.reopened()?);
        Ok(file)
    }

    fn reopened(&mut self) -> io::Result<File> {
        let mut file = File::open(&self.path)?;
        let found = FileIdentity::of(&file.metadata()?);
        if self.listed.is_some_and(|listed| !listed.matches(&found)) {
            if self.at > 0 {
                return Err(io::Error::other(FileChange::Replaced(self.at)));
            }
            self.replaced = true;
            self.listed = Some(found);
        }
        if self.at > 0 {
            file.seek(SeekFrom::Start(self.at))?;
        }
        Ok(file)
    }

    /// The result at the end of the file. Files of `/proc` have no length, so it shows nothing.
    fn check_end(&self, file: &File) -> io::Result<usize> {
        let (now, before) = (file.metadata()?.len(), self.listed.map_or(0, |listed| listed.length));
        let expected = before.max(self.at);
        if before > 0 && now < expected {
            return Err(io::Error::other(FileChange::Truncated(self.at, expected)));
        }
        if self.replaced { Err(io::Error::other(FileChange::Replaced(0))) } else { Ok(0) }
    }
}

impl Read for OpenFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ended || into.is_empty() {
            return Ok(0);
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.reopened()?,
        };
        let read = file.read(into)?;
        self.at += read as u64;
        if read == 0 {
            self.ended = true;
            return self.check_end(&file);
        }
        self.file = Some(file).filter(|_| !self.reopen_each_read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn source(path: &std::path::Path, reopen_each_read: bool) -> Source {
        let mut source = Source::from_path(path);
        source.reopen_each_read = reopen_each_read;
        source
    }

    fn changed(result: io::Result<usize>) -> Option<FileChange> {
        result.err()?.get_ref()?.downcast_ref().copied()
    }

    #[test]
    fn changes_of_a_file_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubelet.log");
        for reopen_each_read in [false, true] {
            fs::write(&path, [b'x'; 100]).unwrap();
            let listed = source(&path, reopen_each_read);
            let mut reader = OpenFile::open(&listed, path.clone()).unwrap();
            assert_eq!(reader.read(&mut [0; 40]).unwrap(), 40);
            fs::OpenOptions::new().append(true).open(&path).unwrap().set_len(150).unwrap();
            assert_eq!(reader.read(&mut [0; 200]).unwrap(), 110, "what was appended is read");
            fs::File::create(&path).unwrap();
            assert_eq!(changed(reader.read(&mut [0; 9])), Some(FileChange::Truncated(150, 150)));
            assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0, "it is reported once");

            fs::write(&path, [b'x'; 100]).unwrap();
            let listed = source(&path, reopen_each_read);
            let mut reader = OpenFile::open(&listed, path.clone()).unwrap();
            assert_eq!(reader.read(&mut [0; 40]).unwrap(), 40);
            fs::rename(&path, folder.path().join("kubelet.log.1")).unwrap();
            fs::write(&path, "new").unwrap();
            if reopen_each_read {
                assert_eq!(changed(reader.read(&mut [0; 100])), Some(FileChange::Replaced(40)));
            } else {
                assert_eq!(reader.read(&mut [0; 100]).unwrap(), 60, "an open file stays what it is");
                assert_eq!(reader.read(&mut [0; 100]).unwrap(), 0);
            }
            let mut late = OpenFile::open(&listed, path.clone()).unwrap();
            assert_eq!(late.read(&mut [0; 100]).unwrap(), 3);
            assert_eq!(changed(late.read(&mut [0; 100])), Some(FileChange::Replaced(0)));
        }
    }
}
