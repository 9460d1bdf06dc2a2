//! CSV and its like with commas, semicolons or tabs: the columns in any order, under names that the parser knows.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value};

use super::super::peek_reader::PeekReader;
use super::{MAX_VALUE, Output, Records, TEXT};

/// More columns are no log's.
const MAX_COLUMNS: usize = 1024;

/// How the names of columns end that hold lines.
const MESSAGES: &[&str] = &["message", "line", "log", "_raw", "payload", "content", "_msg", "body", "event", "msg"];

/// The separator, if the first line has the names of columns and one of them is that of a log line.
fn separator(head: &[u8]) -> Option<u8> {
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next().filter(|first| !first.starts_with(b"sep=")).or_else(|| lines.next())?;
    let first = std::str::from_utf8(first).ok()?.trim_end().to_lowercase();
    let second = lines.next().filter(|second| !second.is_empty());
    [b',', b';', b'\t'].into_iter().find(|separator| {
        let names: Vec<&str> = first.split(char::from(*separator)).map(|name| name.trim().trim_matches('"')).collect();
        let plain = |name: &&str| name.len() < 64 && !name.contains(['{', '=', '"', ':', ',']);
        // A sentence may end with such a word too.
        let of_lines = |name: &&str| !name.contains(' ') && MESSAGES.iter().any(|word| name.ends_with(word));
        names.len() >= 2
            && names.iter().all(plain)
            && names.iter().any(of_lines)
            && second.is_none_or(|second| second.contains(separator))
    })
}

/// Whether it is a table of log lines.
pub(super) fn is_table(head: &[u8]) -> bool {
    separator(head).is_some()
}

/// Fails when a row does not end: a quote that is never closed would have the whole file kept.
struct LimitedReader {
    inner: PeekReader,
    since_row: Arc<AtomicUsize>,
}

impl Read for LimitedReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        if self.since_row.fetch_add(read, Ordering::Relaxed) > MAX_VALUE {
            return Err(io::Error::other("a row of CSV has no end; a quote may not be closed"));
        }
        Ok(read)
    }
}

/// The rows of a table.
pub(super) struct Table {
    rows: csv::Reader<LimitedReader>,
    since_row: Arc<AtomicUsize>,
    names: Vec<String>,
    row: csv::ByteRecord,
}

impl Table {
    pub(super) fn new(mut reader: PeekReader) -> Self {
        let delimiter = separator(super::head(&mut reader)).unwrap_or(b',');
        let since_row = Arc::<AtomicUsize>::default();
        let limited = LimitedReader { inner: reader, since_row: Arc::clone(&since_row) };
        let rows =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(limited);
        Table { rows, since_row, names: Vec::new(), row: csv::ByteRecord::new() }
    }

    /// Whether a row has the names of columns: the first, and that of each page that follows.
    fn is_header(&self) -> bool {
        let same =
            |(name, field): (&String, &[u8])| name.as_bytes() == column(&String::from_utf8_lossy(field)).as_bytes();
        self.row.len() == self.names.len() && self.names.iter().zip(&self.row).all(same)
    }
}

/// The name of a column, without what a portal adds to it.
fn column(name: &str) -> &str {
    let name = name.trim().trim_start_matches('\u{feff}');
    name.split_once(" [").map_or(name, |(name, _)| name)
}

impl Records for Table {
    fn fill(&mut self, out: &mut Output) -> io::Result<bool> {
        while out.text.len() < TEXT {
            self.since_row.store(0, Ordering::Relaxed);
            if !self.rows.read_byte_record(&mut self.row).map_err(io::Error::other)? {
                return Ok(false);
            }
            let first = self.row.get(0).unwrap_or_default();
            if self.names.is_empty() {
                if !first.starts_with(b"sep=") {
                    let names = self.row.iter().take(MAX_COLUMNS);
                    self.names = names.map(|name| column(&String::from_utf8_lossy(name)).to_owned()).collect();
                }
                continue;
            }
            if self.is_header() {
                continue;
            }
            let mut record = Map::new();
            for (name, field) in self.names.iter().zip(&self.row).filter(|(_, field)| !field.is_empty()) {
                let text = String::from_utf8_lossy(field);
                // Labels are often written as JSON; a line that is JSON is opened by whoever reads it.
                let of_lines = MESSAGES.iter().any(|word| name.to_lowercase().ends_with(word));
                let object = if text.starts_with('{') && !of_lines { serde_json::from_str(&text).ok() } else { None };
                record.insert(name.clone(), object.unwrap_or_else(|| Value::String(text.into_owned())));
            }
            out.record(&record);
        }
        Ok(true)
    }
}
