//! A writer that remembers what went wrong: the Parquet writer reports a full disk as a fault of its own.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

/// What the system said when writing failed.
#[derive(Clone, Debug, Default)]
pub(super) struct ErrorCapture(Rc<RefCell<Option<io::Error>>>);

impl ErrorCapture {
    /// The system's own words, else the writer's.
    pub(super) fn or(&self, other: impl std::fmt::Display) -> io::Error {
        self.0.take().unwrap_or_else(|| io::Error::other(other.to_string()))
    }
}

/// Writes on, and keeps the first failure.
pub(super) struct ErrorCapturingWriter<W> {
    inner: W,
    capture: ErrorCapture,
}

impl<W> ErrorCapturingWriter<W> {
    pub(super) fn new(inner: W, capture: &ErrorCapture) -> Self {
        ErrorCapturingWriter { inner, capture: capture.clone() }
    }

    fn keep<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                let copy = match error.raw_os_error() {
                    Some(number) => io::Error::from_raw_os_error(number),
                    None => io::Error::new(error.kind(), error.to_string()),
                };
                self.capture.0.borrow_mut().get_or_insert(copy);
            }
        })
    }
}

impl<W: Write> Write for ErrorCapturingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.keep(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.keep(flushed)
    }
}
