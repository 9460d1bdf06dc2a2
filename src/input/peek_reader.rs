//! A buffered reader that can be looked into ahead of reading, and that keeps a read error until the bytes before it are
//! taken. `std::io::BufReader` does neither. Not a parser: it knows nothing of what it holds.

use std::io::{self, BufRead, Read};

/// Bytes of one buffer. Readers below are asked for at least this much at a time, which the decoders rely on: see `stream_decoder`.
pub(super) const BUFFER_SIZE: usize = 64 * 1024;

/// A reader with up to [`BUFFER_SIZE`] bytes of foresight.
pub(super) struct PeekReader {
    inner: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    consumed: u64,
    ended: bool,
    pending_error: Option<io::Error>,
}

impl PeekReader {
    pub(super) fn new(inner: Box<dyn Read + Send>) -> Self {
        Self { inner, buffer: Vec::new(), start: 0, end: 0, consumed: 0, ended: false, pending_error: None }
    }

    /// The next `count` bytes (at most [`BUFFER_SIZE`]) without taking them; fewer only at the end or before an error, which
    /// stays for the read that gets there.
    pub(super) fn peek(&mut self, count: usize) -> &[u8] {
        while self.end - self.start < count.min(BUFFER_SIZE) && self.pending_error.is_none() && !self.ended {
            if let Err(error) = self.read_more() {
                self.pending_error = Some(error);
            }
        }
        self.buffered()
    }

    /// Bytes taken from it so far.
    pub(super) fn position(&self) -> u64 {
        self.consumed
    }

    /// The error that follows the buffered bytes, if one does.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        self.pending_error.take().inspect(|_| self.ended = true)
    }

    fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// One read into the free part of the buffer, after moving what is held to its front.
    fn read_more(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.is_empty() {
            // The system hands it out cleared.
            self.buffer = vec![0; BUFFER_SIZE];
        }
        let read = read_retrying(&mut self.inner, self.buffer.get_mut(self.end..).unwrap_or_default())?;
        self.ended = read == 0;
        self.end += read;
        Ok(())
    }
}

impl BufRead for PeekReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            if let Some(error) = self.take_error() {
                return Err(error);
            }
            if !self.ended {
                self.read_more().inspect_err(|_| self.ended = true)?;
            }
        }
        Ok(self.buffered())
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.consumed += count as u64;
    }
}

impl Read for PeekReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end && into.len() >= BUFFER_SIZE && self.pending_error.is_none() && !self.ended {
            // Nothing held and room for more than we would hold: the copy can be spared, and so can the buffer.
            self.buffer = Vec::new();
            (self.start, self.end) = (0, 0);
            let read = read_retrying(&mut self.inner, into).inspect_err(|_| self.ended = true)?;
            self.ended = read == 0;
            self.consumed += read as u64;
            return Ok(read);
        }
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

/// One read that a signal cannot break off and that never claims more than there was room for.
pub(super) fn read_retrying(reader: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map(|read| read.min(into.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a read, is interrupted before each, and fails at the end.
    struct Grudging(&'static [u8], bool);

    impl Read for Grudging {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let Some((first, rest)) = self.0.split_first() else {
                return Err(io::Error::other("gone"));
            };
            self.0 = rest;
            into[0] = *first;
            Ok(1)
        }
    }

    #[test]
    fn an_error_waits_for_the_bytes_before_it() {
        let mut reader = PeekReader::new(Box::new(Grudging(b"klog", false)));
        assert_eq!(reader.peek(2), b"kl");
        assert_eq!(reader.peek(100), b"klog");
        reader.consume(1);
        let mut rest = Vec::new();
        assert_eq!(reader.read_to_end(&mut rest).unwrap_err().to_string(), "gone");
        assert_eq!((rest.as_slice(), reader.position()), (&b"log"[..], 4));
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0, "an error is reported once, then it is the end");
    }
}
