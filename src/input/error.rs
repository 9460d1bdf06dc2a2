//! What can go wrong with a source, said so that the user can act on it. Not about lines: a line that cannot be read is
//! counted by the parser and is no error.

use std::fmt;
use std::io;
use std::path::Path;

use super::content::Content;
use super::packing::{Broken, Fault};
use super::regular::Changed;
use crate::model::text::sanitize;

/// What kind of trouble a source gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// There is nothing at that path.
    Missing,
    /// It may not be read by this user.
    Denied,
    /// A folder without a single file to read.
    Empty,
    /// A file the user named, known by its first bytes to be something else than text.
    NotText(Content),
    /// The same, or a pipe or device, but found in a folder: left out, worth a remark rather than an error.
    Skipped(Content),
    /// Its packed data ends before its end; what came before was delivered.
    Truncated,
    /// Its packed data is damaged; what came before was delivered.
    Corrupt,
    /// After the end of its packed data comes something else; all packed data was delivered.
    Garbage,
    /// Unpacking it would take more memory than is allowed.
    TooLarge,
    /// Packed more than twice.
    Nested,
    /// It was cut or replaced while it was read; what came before was delivered.
    Changed,
    /// The system failed to read it; what came before was delivered.
    Read,
}

/// Trouble with one source. The others go on.
///
/// Displayed as one line: name, what happened, what to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    /// The source's name as shown to the user.
    pub name: String,
    /// For deciding: which exit code, a remark or an error.
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
        if let Some(broken) = error.get_ref().and_then(|inner| inner.downcast_ref::<Broken>()) {
            let kind = match broken.fault {
                Fault::Truncated => SourceErrorKind::Truncated,
                Fault::Corrupt(_) => SourceErrorKind::Corrupt,
                Fault::Garbage => SourceErrorKind::Garbage,
                Fault::TooLarge => SourceErrorKind::TooLarge,
            };
            return Self::new(name, kind, broken.to_string());
        }
        if let Some(changed) = error.get_ref().and_then(|inner| inner.downcast_ref::<Changed>()) {
            return Self::new(name, SourceErrorKind::Changed, changed.to_string());
        }
        match error.kind() {
            io::ErrorKind::NotFound => Self::new(name, SourceErrorKind::Missing, "there is no such file or folder"),
            io::ErrorKind::PermissionDenied => {
                Self::new(name, SourceErrorKind::Denied, "this user may not read it (permission denied)")
            }
            _ => Self::new(name, SourceErrorKind::Read, format!("reading failed: {error}")),
        }
    }

    /// Of a source that the system gave no thread to read with.
    pub(crate) fn unread(name: &str, trouble: &io::Error) -> Self {
        Self::new(name, SourceErrorKind::Read, format!("there is no thread to read it with: {trouble}"))
    }

    /// Whether this is only a remark: a file in a folder that is no log was left out.
    #[must_use]
    pub fn is_remark(&self) -> bool {
        matches!(self.kind, SourceErrorKind::Skipped(_))
    }

    /// What to check or do, as one or two sentences.
    #[must_use]
    pub fn help(&self) -> String {
        let text = match self.kind {
            SourceErrorKind::Missing => {
                "Check the path; a pattern such as *.log must not be quoted, or the shell does not expand it."
            }
            SourceErrorKind::Denied => "Run as a user who may read it, or read a copy.",
            SourceErrorKind::Empty => {
                "Name the files themselves or another folder; names that begin with a dot are left out."
            }
            SourceErrorKind::NotText(content) | SourceErrorKind::Skipped(content) => return content.help(&self.name),
            SourceErrorKind::Truncated => {
                "What came before is used. Was it still being written or copied? If so, fetch it again."
            }
            SourceErrorKind::Corrupt => {
                "What came before is used. Fetch the file again, or unpack it by hand to see how far it goes."
            }
            SourceErrorKind::Garbage => {
                "The packed data is used, the rest is not. Check how the file was put together."
            }
            SourceErrorKind::TooLarge => "Unpack it by hand and read the result.",
            SourceErrorKind::Nested => "Unpack it by hand until it is packed at most twice.",
            SourceErrorKind::Changed => {
                "What came is used. Was the log rotated? Give the rotated file too, or read a copy."
            }
            SourceErrorKind::Read => "What came before is used. Check the disk or the mount, or read a copy.",
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

/// A path as it may stand on a terminal: a file's name can hold what would act there.
pub(super) fn shown(path: &Path) -> String {
    sanitize(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_sentence_with_help() {
        let error = SourceError::from_io("a.log", &io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(error.kind, SourceErrorKind::Missing);
        assert!(error.to_string().starts_with("a.log: there is no such file or folder. Check the path"), "{error}");
        let other = SourceError::from_io("a.log", &io::Error::other("the disk is on fire"));
        assert_eq!(
            (other.kind, other.message.as_str()),
            (SourceErrorKind::Read, "reading failed: the disk is on fire")
        );
    }

    #[test]
    fn names_cannot_steer_a_terminal() {
        assert_eq!(shown(Path::new("a\u{1b}[2Jb\n.log")), "a\u{fffd}[2Jb .log");
    }
}
