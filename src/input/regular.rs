//! The bytes of a file that others may cut, replace or append to while it is read. A log is rotated when it is large, which is
//! when it is read longest; nothing of it may go missing without a word.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::SystemTime;

use super::Source;

/// Which file stood at a path. Some file systems number their files anew while they are looked at; a file of the same length
/// and time is taken for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    number: Option<(u64, u64)>,
    length: u64,
    changed: Option<SystemTime>,
}

impl Identity {
    pub(super) fn of(about: &Metadata) -> Self {
        #[cfg(unix)]
        let number = Some((std::os::unix::fs::MetadataExt::dev(about), std::os::unix::fs::MetadataExt::ino(about)));
        #[cfg(not(unix))]
        let number = None;
        Identity { number, length: about.len(), changed: about.modified().ok() }
    }

    fn is_same(&self, other: &Identity) -> bool {
        self.number == other.number || (self.length, self.changed) == (other.length, other.changed)
    }
}

/// What happened to a file while it was read; travels inside an `io::Error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    /// It is shorter than it was: so many bytes were there, of so many.
    Cut(u64, u64),
    /// Another file stands at its path, from whose start on it was read; or it was read up to here and cannot be gone on with.
    Replaced(u64),
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Changed::Cut(read, of) => {
                write!(f, "it was cut while it was being read: {read} bytes came, there had been {of}")
            }
            Changed::Replaced(0) => f.write_str("another file took its place before it was read, and was read instead"),
            Changed::Replaced(read) => write!(f, "another file took its place while it was being read, at byte {read}"),
        }
    }
}

impl std::error::Error for Changed {}

/// Reads a file to its end.
pub(super) struct Regular {
    path: PathBuf,
    listed: Option<Identity>,
    /// Where there are more files than can be open at once, each is opened for each read.
    sparing: bool,
    file: Option<File>,
    at: u64,
    replaced: bool,
    ended: bool,
}

impl Regular {
    /// Opens the file of a source.
    pub(super) fn open(source: &Source, path: PathBuf) -> io::Result<Self> {
        let mut regular = Regular {
            path,
            listed: source.identity,
            sparing: source.sparing,
            file: None,
            at: 0,
            replaced: false,
            ended: false,
        };
        regular.file = Some(regular.reopened()?);
        Ok(regular)
    }

    fn reopened(&mut self) -> io::Result<File> {
        let mut file = File::open(&self.path)?;
        let found = Identity::of(&file.metadata()?);
        if self.listed.is_some_and(|listed| !listed.is_same(&found)) {
            if self.at > 0 {
                return Err(io::Error::other(Changed::Replaced(self.at)));
            }
            self.replaced = true;
            self.listed = Some(found);
        }
        if self.at > 0 {
            file.seek(SeekFrom::Start(self.at))?;
        }
        Ok(file)
    }

    /// What is to be said at the end. Files of `/proc` have no length, and tell nothing by it.
    fn end(&self, file: &File) -> io::Result<usize> {
        let (now, before) = (file.metadata()?.len(), self.listed.map_or(0, |listed| listed.length));
        let expected = before.max(self.at);
        if before > 0 && now < expected {
            return Err(io::Error::other(Changed::Cut(self.at, expected)));
        }
        if self.replaced { Err(io::Error::other(Changed::Replaced(0))) } else { Ok(0) }
    }
}

impl Read for Regular {
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
            return self.end(&file);
        }
        self.file = Some(file).filter(|_| !self.sparing);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn source(path: &std::path::Path, sparing: bool) -> Source {
        let about = fs::metadata(path).unwrap();
        let mut source = Source::file(path.into(), Some(about.len()), true);
        (source.identity, source.sparing) = (Some(Identity::of(&about)), sparing);
        source
    }

    fn changed(result: io::Result<usize>) -> Option<Changed> {
        result.err()?.get_ref()?.downcast_ref().copied()
    }

    #[test]
    fn what_others_do_to_a_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubelet.log");
        for sparing in [false, true] {
            fs::write(&path, [b'x'; 100]).unwrap();
            let listed = source(&path, sparing);
            let mut reader = Regular::open(&listed, path.clone()).unwrap();
            assert_eq!(reader.read(&mut [0; 40]).unwrap(), 40);
            fs::OpenOptions::new().append(true).open(&path).unwrap().set_len(150).unwrap();
            assert_eq!(reader.read(&mut [0; 200]).unwrap(), 110, "what was appended is read");
            fs::File::create(&path).unwrap();
            assert_eq!(changed(reader.read(&mut [0; 9])), Some(Changed::Cut(150, 150)));
            assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0, "it is told once");

            fs::write(&path, [b'x'; 100]).unwrap();
            let listed = source(&path, sparing);
            let mut reader = Regular::open(&listed, path.clone()).unwrap();
            assert_eq!(reader.read(&mut [0; 40]).unwrap(), 40);
            fs::rename(&path, folder.path().join("kubelet.log.1")).unwrap();
            fs::write(&path, "new").unwrap();
            if sparing {
                assert_eq!(changed(reader.read(&mut [0; 100])), Some(Changed::Replaced(40)));
            } else {
                assert_eq!(reader.read(&mut [0; 100]).unwrap(), 60, "an open file stays what it is");
                assert_eq!(reader.read(&mut [0; 100]).unwrap(), 0);
            }
            let mut late = Regular::open(&listed, path.clone()).unwrap();
            assert_eq!(late.read(&mut [0; 100]).unwrap(), 3);
            assert_eq!(changed(late.read(&mut [0; 100])), Some(Changed::Replaced(0)));
        }
    }
}
