//! A bound on what a value read from JSON can be: a string or a list without an end would be held whole.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

/// How many bytes may still be read before it is renewed.
pub(super) struct ReadLimit {
    whole: u64,
    left: Rc<Cell<u64>>,
}

impl ReadLimit {
    pub(super) fn new(whole: u64) -> Self {
        ReadLimit { whole, left: Rc::new(Cell::new(whole)) }
    }

    /// What was read is done with.
    pub(super) fn renew(&self) {
        self.left.set(self.whole);
    }

    /// A reader that fails when it is used up.
    pub(super) fn reader<R: Read>(&self, inner: R) -> BufReader<LimitedReader<R>> {
        BufReader::new(LimitedReader { inner, whole: self.whole, left: Rc::clone(&self.left) })
    }
}

/// See [`ReadLimit::reader`].
pub(super) struct LimitedReader<R> {
    inner: R,
    whole: u64,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::other(format!("one part of it is larger than {} MiB", self.whole >> 20)));
        }
        let read = self.inner.read(into)?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}
