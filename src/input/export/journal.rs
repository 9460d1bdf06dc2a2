//! The Journal Export Format (systemd.io/JOURNAL_EXPORT_FORMATS), as `journalctl -o export` and systemd-journal-gatewayd write it: an
//! entry is a block of fields, `NAME=VALUE` on a line each or, for any bytes, the name, a length and the value. A blank line ends it.
//! Host, process and time stand on lines of their own, so an entry becomes one record.

use std::io::{self, BufRead, Read};

use memchr::memchr;
use serde_json::{Map, Value};

use super::super::peek_reader::PeekReader;
use super::{MAX_VALUE, Output, Records, TEXT, has};

/// The fields that say who wrote a line and when, and the line; others are not needed.
const FIELDS: &[&str] =
    &[MESSAGE, "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "_HOSTNAME", "_PID", "SYSLOG_IDENTIFIER"];
const MESSAGE: &str = "MESSAGE";
/// systemd's own limit on a field, in bytes (`DATA_SIZE_MAX`): a longer one is a damaged length.
const MAX_FIELD: u64 = 768 << 20;
/// The longest name of a field that systemd takes, in bytes.
const MAX_NAME: usize = 64;

/// Whether a text is in the export format: its first line is a field, and an entry's own time follows.
pub(super) fn is_export(head: &[u8]) -> bool {
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let name = memchr(b'=', first).and_then(|end| first.get(..end));
    name.is_some_and(is_name) && (head.starts_with(b"__REALTIME_TIMESTAMP=") || has(head, "\n__REALTIME_TIMESTAMP="))
}

fn is_name(name: &[u8]) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// The entries of a text.
pub(super) struct Entries {
    reader: PeekReader,
    line: Vec<u8>,
    entry: Map<String, Value>,
    /// The length of a field was damaged: what follows is passed over up to the end of its entry.
    lost: bool,
}

impl Entries {
    pub(super) fn new(reader: PeekReader) -> Self {
        Entries { reader, line: Vec::new(), entry: Map::new(), lost: false }
    }

    /// Gives the entry that has ended.
    fn end(&mut self, out: &mut Output) {
        self.lost = false;
        if self.entry.contains_key(MESSAGE) {
            out.record(&self.entry);
        }
        self.entry.clear();
    }

    fn field(&mut self, name: &str, value: &[u8], out: &mut Output) {
        if name == MESSAGE && self.entry.contains_key(MESSAGE) {
            // An entry may have a field more than once.
            out.record(&self.entry);
        }
        self.entry.insert(name.to_owned(), Value::String(String::from_utf8_lossy(value).into_owned()));
    }

    /// Reads the value of a field of any bytes, whose name stands in `line`.
    fn binary(&mut self, out: &mut Output) -> io::Result<()> {
        let name = wanted(&self.line);
        let mut length = [0; 8];
        self.reader.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > MAX_FIELD {
            out.faults.count(out.records, "a field has no valid length");
            self.lost = true;
            return Ok(());
        }
        let kept = if name.is_some() { length.min(MAX_VALUE as u64) } else { 0 };
        self.line.clear();
        let mut value = std::mem::take(&mut self.line);
        let mut missing = kept - self.reader.by_ref().take(kept).read_to_end(&mut value)? as u64;
        missing += length - kept - io::copy(&mut self.reader.by_ref().take(length - kept), &mut io::sink())?;
        if let Some(name) = name {
            if kept < length {
                out.faults.count(out.records, "a field is too long");
            }
            self.field(name, &value, out);
        }
        self.line = value;
        let mut end = [0];
        if missing == 0 && self.reader.read(&mut end)? == 1 && end != *b"\n" {
            out.faults.count(out.records, "a field has no valid length");
            self.lost = true;
        }
        Ok(())
    }
}

/// The field that is needed of this name.
fn wanted(name: &[u8]) -> Option<&'static str> {
    FIELDS.iter().find(|field| field.as_bytes() == name).copied()
}

impl Records for Entries {
    fn fill(&mut self, out: &mut Output) -> io::Result<bool> {
        while out.text.len() < TEXT {
            self.line.clear();
            let read = match self.reader.by_ref().take(MAX_VALUE as u64).read_until(b'\n', &mut self.line) {
                Ok(read) => read,
                Err(error) => {
                    self.end(out);
                    return Err(error);
                }
            };
            if read == 0 {
                self.end(out);
                return Ok(false);
            }
            if self.line.pop_if(|byte| *byte == b'\n').is_none() && read == MAX_VALUE {
                out.faults.count(out.records, "a field is too long");
                self.reader.skip_until(b'\n')?;
            }
            if self.line.is_empty() {
                self.end(out);
            } else if self.lost || self.line.starts_with(b"-- ") {
                // journalctl's own remarks, as with --show-cursor.
            } else if let Some(end) = memchr(b'=', &self.line) {
                let line = std::mem::take(&mut self.line);
                let (name, value) = line.split_at(end);
                if let Some(name) = wanted(name) {
                    self.field(name, value.get(1..).unwrap_or_default(), out);
                }
                self.line = line;
            } else if !is_name(&self.line) {
                out.faults.count(out.records, "a line is no field");
            } else if let Err(error) = self.binary(out) {
                self.end(out);
                // A field that the end of the text cuts off.
                return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(false) } else { Err(error) };
            }
        }
        Ok(true)
    }
}
