//! The library's one error: what went wrong, and what to do about it. An unreadable line is not an error but a
//! count in the report.

use std::fmt;

/// What kind of error stops an analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A setting makes no sense; found before the first byte is read.
    Setting,
    /// A grammar file is wrong.
    Grammar,
    /// No source could be read.
    Source,
    /// The result could not be computed or written.
    Output,
    /// Whoever reads the output has closed the pipe.
    Closed,
}

/// An error with its kind, its message and a help.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    help: Option<String>,
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), help: None }
    }

    /// The same with a sentence that says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with what it is about before it.
    #[must_use]
    pub fn about(self, what: &dyn fmt::Display) -> Self {
        Error { message: format!("{what}: {}", self.message), ..self }
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Writing failed. A closed pipe keeps its own kind: for the program that is success.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Error::new(ErrorKind::Closed, "the reader closed the pipe"),
            _ => Error::new(ErrorKind::Output, format!("the output could not be written: {error}")),
        }
    }
}
