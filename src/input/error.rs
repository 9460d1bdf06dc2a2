//! What can go wrong with a source, said so that the user can act on it. Not about lines: a line that cannot be read is
//! counted by the parser and is no error.

use std::fmt;
use std::io;
use std::path::Path;

use super::archive::ArchiveError;
use super::compression::{DecodeError, DecodeErrorKind};
use super::export::ExportError;
use super::file::FileChange;
use super::journal::JournalError;
use super::signature::Unreadable;
use crate::model::text::sanitize;

/// What went wrong with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// There is nothing at that path.
    NotFound,
    /// It may not be read by this user.
    PermissionDenied,
    /// A folder or an archive without a single file to read.
    EmptyFolder,
    /// A file the user named, known by its first bytes to be something else than text.
    NotText(Unreadable),
    /// The same, or a pipe or device, but found in a folder: skipped, a warning rather than an error.
    Skipped(Unreadable),
    /// Its compressed data ends early; the data before that was read.
    Truncated,
    /// Its compressed data is damaged; the data before that was read.
    Corrupt,
    /// Other data follows its compressed data, all of which was read.
    TrailingData,
    /// Its decompression needs more memory than is allowed.
    MemoryLimit,
    /// Compressed more than twice.
    TooManyLayers,
    /// It was truncated or replaced while it was read; the data before that was read.
    Changed,
    /// A systemd journal that is damaged or cut off; what could be found was read.
    DamagedJournal,
    /// The same, and no wanted entry could be found.
    UselessJournal,
    /// An export of a log store that is damaged or cut off; the records around that were read.
    DamagedExport,
    /// A systemd journal that cannot be read as it is.
    UnknownJournal,
    /// An archive or a member of it that is damaged or ends early; what could be found was read.
    DamagedArchive,
    /// An archive or a member of it that is not read as it is, or not to its end.
    UnreadArchive,
    /// The system failed to read it; the data before that was read.
    Read,
}

/// An error of one source. The others are still read.
///
/// Displayed as one line: name, what happened, what to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    /// The source's name as shown to the user.
    pub name: String,
    /// For deciding: which exit code, a warning or an error.
    pub kind: SourceErrorKind,
    /// What happened, as a clause that follows the name: no capital, no full stop.
    pub message: String,
}

impl SourceError {
    pub(super) fn new(name: &str, kind: SourceErrorKind, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), kind, message: message.into() }
    }

    /// From an error of opening or reading, whichever layer it came from.
    pub(super) fn from_io(name: &str, error: &io::Error) -> Self {
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<DecodeError>()) {
            let kind = match error.kind {
                DecodeErrorKind::Truncated => SourceErrorKind::Truncated,
                DecodeErrorKind::Corrupt(_) => SourceErrorKind::Corrupt,
                DecodeErrorKind::TrailingData => SourceErrorKind::TrailingData,
                DecodeErrorKind::MemoryLimit => SourceErrorKind::MemoryLimit,
            };
            return Self::new(name, kind, error.to_string());
        }
        if let Some(changed) = error.get_ref().and_then(|inner| inner.downcast_ref::<FileChange>()) {
            return Self::new(name, SourceErrorKind::Changed, changed.to_string());
        }
        if let Some(journal) = error.get_ref().and_then(|inner| inner.downcast_ref::<JournalError>()) {
            let kind = match journal {
                JournalError::Damaged { any: true, .. } => SourceErrorKind::DamagedJournal,
                JournalError::Damaged { any: false, .. } => SourceErrorKind::UselessJournal,
                JournalError::UnknownFlags(_) | JournalError::TooLong => SourceErrorKind::UnknownJournal,
            };
            return Self::new(name, kind, journal.to_string());
        }
        if let Some(archive) = error.get_ref().and_then(|inner| inner.downcast_ref::<ArchiveError>()) {
            return Self::new(name, archive.kind(), archive.to_string());
        }
        if let Some(export) = error.get_ref().and_then(|inner| inner.downcast_ref::<ExportError>()) {
            return Self::new(name, SourceErrorKind::DamagedExport, export.to_string());
        }
        match error.kind() {
            io::ErrorKind::NotFound => Self::new(name, SourceErrorKind::NotFound, "no such file or directory"),
            io::ErrorKind::PermissionDenied => Self::new(name, SourceErrorKind::PermissionDenied, "permission denied"),
            _ => Self::new(name, SourceErrorKind::Read, format!("read error: {error}")),
        }
    }

    /// Of a source for which no thread could be started.
    pub(crate) fn no_thread(name: &str, error: &io::Error) -> Self {
        Self::new(name, SourceErrorKind::Read, format!("cannot start a reader thread: {error}"))
    }

    /// Whether this is only a warning: a file in a folder that is no log was skipped.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(self.kind, SourceErrorKind::Skipped(_))
    }

    /// What to check or do, as one or two sentences.
    #[must_use]
    pub fn help(&self) -> String {
        let text = match self.kind {
            SourceErrorKind::NotFound => {
                "Check the path; do not quote a pattern such as *.log, so that the shell expands it."
            }
            SourceErrorKind::PermissionDenied if is_journal(&self.name) => {
                "Journals are for root and the group systemd-journal: use sudo, or sudo usermod -aG systemd-journal USER and log in \
                 again, or sudo journalctl -o short-iso-precise | podlag."
            }
            SourceErrorKind::PermissionDenied => "Run as a user with read permission, or read a copy.",
            SourceErrorKind::EmptyFolder => {
                "Name the files themselves or another folder; files whose names begin with a dot are skipped."
            }
            SourceErrorKind::NotText(unreadable) | SourceErrorKind::Skipped(unreadable) => unreadable.help(),
            SourceErrorKind::Truncated => {
                "The data before that is used. If the file was still being written or copied, fetch it again."
            }
            SourceErrorKind::Corrupt => {
                "The data before that is used. Fetch the file again, or decompress it by hand to see how far it is intact."
            }
            SourceErrorKind::TrailingData => {
                "The compressed data is used, the rest is not. Check how the file was created."
            }
            SourceErrorKind::MemoryLimit => "Decompress it by hand and read the result.",
            SourceErrorKind::TooManyLayers => "Decompress it by hand until it is compressed at most twice.",
            SourceErrorKind::Changed => {
                "The data that was read is used. If the log was rotated, add the rotated file, or read a copy."
            }
            SourceErrorKind::DamagedJournal => {
                "What could be found is used. journalctl --verify --file FILE shows more."
            }
            SourceErrorKind::UselessJournal => {
                "Fetch the file again, or name the node's other journal files. journalctl --verify --file FILE shows more."
            }
            SourceErrorKind::DamagedExport => "The other records are used. Export the lines again if it was cut off.",
            SourceErrorKind::UnknownJournal => {
                "Convert it to text: journalctl --file FILE -o short-iso-precise | podlag."
            }
            SourceErrorKind::DamagedArchive => {
                "If some of it was read, that is used. If the archive was still being written or copied, fetch it again."
            }
            SourceErrorKind::UnreadArchive => "Extract the logs and name their folder.",
            SourceErrorKind::Read => "The data before that is used. Check the disk or the mount, or read a copy.",
        };
        text.to_owned()
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.name, self.message, self.help())
    }
}

impl std::error::Error for SourceError {}

/// Whether a file or folder is journald's, by its name: it cannot be opened.
fn is_journal(name: &str) -> bool {
    let name = name.trim_end_matches('/');
    name.ends_with(".journal") || name.ends_with(".journal~") || name.contains("/log/journal")
}

/// A path that is safe to print: a file's name can hold what would act there.
pub(super) fn display_name(path: &Path) -> String {
    sanitize(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_sentence_with_help() {
        let error = SourceError::from_io("a.log", &io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(error.kind, SourceErrorKind::NotFound);
        assert!(error.to_string().starts_with("a.log: no such file or directory. Check the path"), "{error}");
        let other = SourceError::from_io("a.log", &io::Error::other("the disk is on fire"));
        assert_eq!((other.kind, other.message.as_str()), (SourceErrorKind::Read, "read error: the disk is on fire"));
    }

    #[test]
    fn who_may_not_read_a_journal_is_told_who_may() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        for name in ["/var/log/journal/1f/system.journal", "a.journal~", "/var/log/journal/", "/run/log/journal/1f"] {
            let error = SourceError::from_io(name, &denied).to_string();
            assert!(error.contains("usermod -aG systemd-journal"), "{error}");
        }
        assert!(!SourceError::from_io("node-1.log", &denied).to_string().contains("systemd-journal"));
    }

    #[test]
    fn names_cannot_steer_a_terminal() {
        assert_eq!(display_name(Path::new("a\u{1b}[2Jb\n.log")), "a\u{fffd}[2Jb .log");
    }
}
