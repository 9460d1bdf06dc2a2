//! Reading that the user can end: one line without an end, or a bomb, may keep a reader busy for ever without giving a chunk.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A reader that is at its end once `stop` is set.
pub(super) struct CancellableReader<R> {
    inner: R,
    stop: Arc<AtomicBool>,
}

impl<R> CancellableReader<R> {
    pub(super) fn new(inner: R, stop: &Arc<AtomicBool>) -> Self {
        CancellableReader { inner, stop: Arc::clone(stop) }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl<R: Read> Read for CancellableReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.stopped() {
            return Ok(0);
        }
        match self.inner.read(into) {
            // Compressed data that was stopped in its middle is not damaged.
            Err(_) if self.stopped() => Ok(0),
            read => read,
        }
    }
}
