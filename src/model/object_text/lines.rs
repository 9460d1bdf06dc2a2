//! Lines of bounded length.

use std::io::{BufRead, BufReader, Read};

/// The longest line that is kept, in bytes: an event's message has at most 1 KiB, and the widest table some hundred beside it.
const LONGEST: u64 = 64 << 10;

/// What some programs begin a text with to say that it is UTF-8.
pub(super) const MARK: char = '\u{feff}';

/// The lines of a text, numbered from 1. What is beyond the bound is passed over.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    number: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Lines { reader: BufReader::new(reader), number: 0 }
    }

    /// The next line without its end; none behind the last.
    pub(super) fn next(&mut self) -> std::io::Result<Option<(u64, String)>> {
        let mut bytes = Vec::new();
        if self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        if bytes.last() != Some(&b'\n') {
            self.reader.skip_until(b'\n')?;
        }
        self.number += 1;
        let line = String::from_utf8_lossy(&bytes);
        let line = if self.number == 1 { line.trim_start_matches(MARK) } else { &line };
        Ok(Some((self.number, line.trim_end().to_owned())))
    }
}
