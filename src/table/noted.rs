//! A writer that remembers what went wrong: the Parquet writer tells of a full disk as of a fault of its own.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

/// What the system said when writing failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Rc<RefCell<Option<io::Error>>>);

impl Trouble {
    /// The system's own words, else the writer's.
    pub(super) fn or(&self, other: impl std::fmt::Display) -> io::Error {
        self.0.take().unwrap_or_else(|| io::Error::other(other.to_string()))
    }
}

/// Writes on, and notes the first failure.
pub(super) struct Noted<W> {
    inner: W,
    trouble: Trouble,
}

impl<W> Noted<W> {
    pub(super) fn new(inner: W, trouble: &Trouble) -> Self {
        Noted { inner, trouble: trouble.clone() }
    }

    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                let told = match error.raw_os_error() {
                    Some(number) => io::Error::from_raw_os_error(number),
                    None => io::Error::new(error.kind(), error.to_string()),
                };
                self.trouble.0.borrow_mut().get_or_insert(told);
            }
        })
    }
}

impl<W: Write> Write for Noted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.note(flushed)
    }
}
