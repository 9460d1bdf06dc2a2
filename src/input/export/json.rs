//! JSON value by value, as it is written. It is our own: serde's reader calls back for a whole document, and ends at the first fault.

use std::io::{self, BufRead};

use memchr::memchr3;

use super::super::peek_reader::PeekReader;
use super::MAX_VALUE;

/// How reading a value ended.
#[derive(PartialEq)]
pub(super) enum Raw {
    Whole,
    TooLong,
    /// The input ended in it.
    Open,
}

/// Reads values; what stands between them is its user's to take.
pub(super) struct JsonReader {
    pub(super) reader: PeekReader,
    /// The value that was read last.
    pub(super) raw: Vec<u8>,
}

impl JsonReader {
    pub(super) fn new(reader: PeekReader) -> Self {
        JsonReader { reader, raw: Vec::new() }
    }

    /// The next byte that is no blank, not taken.
    pub(super) fn visible(&mut self) -> io::Result<Option<u8>> {
        loop {
            let held = self.reader.fill_buf()?;
            if held.is_empty() {
                return Ok(None);
            }
            let blanks = held.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let found = held.get(blanks).copied();
            self.reader.consume(blanks);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Reads a value as it is written, without line ends.
    pub(super) fn value(&mut self) -> io::Result<Raw> {
        self.raw.clear();
        let (mut depth, mut quoted, mut escaped, mut too_long, mut began) = (0_usize, false, false, false, false);
        loop {
            let held = self.reader.fill_buf()?;
            if held.is_empty() {
                // A number or a word ends with the text.
                return Ok(if began && depth == 0 && !quoted { Raw::Whole } else { Raw::Open });
            }
            let (mut at, mut over) = (0, false);
            while let (Some(&byte), false) = (held.get(at), over) {
                let from = at;
                at += 1;
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    b'"' => {
                        quoted = !quoted;
                        over = !quoted && depth == 0;
                    }
                    b'\n' | b'\r' if quoted => {
                        self.raw.extend_from_slice(if byte == b'\n' { b"\\n" } else { b"" });
                        continue;
                    }
                    _ if quoted => {
                        let rest = held.get(at..).unwrap_or_default();
                        at += memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len());
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' if depth > 0 => {
                        depth -= 1;
                        over = depth == 0;
                    }
                    b'}' | b']' | b',' if depth == 0 => {
                        at = from;
                        over = true;
                    }
                    _ if byte.is_ascii_whitespace() => {
                        over = depth == 0;
                        continue;
                    }
                    _ => {}
                }
                began = true;
                too_long |= self.raw.len() + (at - from) > MAX_VALUE;
                if !too_long {
                    self.raw.extend_from_slice(held.get(from..at).unwrap_or_default());
                }
            }
            self.reader.consume(at);
            if over {
                return Ok(if too_long { Raw::TooLong } else { Raw::Whole });
            }
        }
    }
}
