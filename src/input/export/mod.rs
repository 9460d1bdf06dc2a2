//! Exports of log stores whose lines are no lines of the file: JSON documents, arrays and records without a line end, journald's
//! export format, CSV, YAML, and text that a page or a chat has escaped. They become one JSON record a line, which the parser reads
//! as any other; the number of a line is then the number of its record. What keys mean is not known here.
//!
//! ```text
//! decoded bytes --escapes--> the text as it was --records, frames, journal, table, yaml--> a record a line
//! ```

mod escapes;
mod frames;
mod journal;
mod json;
mod records;
mod table;
mod values;
mod yaml;

use std::fmt;
use std::io::{self, Cursor, Read};

use memchr::memmem;
use serde_json::Value;

use super::peek_reader::PeekReader;
use super::signature::SNIFF_LEN;
use escapes::Unescaped;

/// The longest value that is read, and the longest row or document, in bytes: far more than the longest line that is read.
const MAX_VALUE: usize = 1 << 20;
/// Bytes of text that one read gathers.
const TEXT: usize = 64 << 10;

/// What of an export could not be read; travels inside an `io::Error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExportError {
    form: &'static str,
    places: u64,
    first: u64,
    why: &'static str,
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ExportError { form, places, first, why } = self;
        let of = if *places == 1 { "place" } else { "places" };
        write!(f, "read as {form}, it is damaged in {places} {of}, first behind record {first}: {why}")
    }
}

impl std::error::Error for ExportError {}

/// Counted faults.
#[derive(Default)]
struct Faults {
    places: u64,
    first: Option<(u64, &'static str)>,
}

impl Faults {
    fn count(&mut self, record: u64, why: &'static str) {
        self.places += 1;
        self.first.get_or_insert((record, why));
    }
}

/// Where records go.
#[derive(Default)]
struct Output {
    text: Vec<u8>,
    taken: usize,
    records: u64,
    faults: Faults,
}

impl Output {
    /// A record as a value.
    fn record(&mut self, record: &serde_json::Map<String, serde_json::Value>) {
        // A map of text can always be written.
        if serde_json::to_writer(&mut self.text, record).is_ok() {
            self.text.push(b'\n');
            self.records += 1;
        }
    }
}

/// What makes records of a form.
trait Records: Send {
    /// Adds records until enough text is gathered. Whether there may be more.
    fn fill(&mut self, out: &mut Output) -> io::Result<bool>;
}

/// A form: what it is called, and how it is known by its first bytes.
struct Form {
    name: &'static str,
    sniff: fn(&[u8]) -> bool,
    open: fn(PeekReader) -> Box<dyn Records>,
}

/// All of them; the first whose `sniff` holds counts.
const FORMS: &[Form] = &[
    Form {
        name: "Grafana data frames",
        sniff: frames::is_frames,
        open: |reader| Box::new(frames::Frames::new(reader)),
    },
    Form {
        name: "JSON documents",
        sniff: records::is_records,
        open: |reader| Box::new(records::JsonRecords::new(reader)),
    },
    Form {
        name: "the Journal Export Format",
        sniff: journal::is_export,
        open: |reader| Box::new(journal::Entries::new(reader)),
    },
    Form { name: "CSV", sniff: table::is_table, open: |reader| Box::new(table::Table::new(reader)) },
    Form { name: "YAML", sniff: yaml::is_yaml, open: |reader| Box::new(yaml::Documents::new(reader)) },
];

/// What a text is an export of, by its first bytes.
pub struct Export {
    /// The form that it is read as, as it follows "read as".
    pub form: &'static str,
    /// Its first record, a JSON object. It may be cut off.
    pub record: Vec<u8>,
}

impl Export {
    /// What a text is whose first record is whole in these bytes: one of the forms, or JSON with a record a line.
    pub(super) fn detect(head: &[u8]) -> Option<Export> {
        let form = FORMS.iter().find(|form| (form.sniff)(head)).map(|form| form.name);
        let form = form.or_else(|| head.starts_with(b"{\"").then_some("JSON, a record a line"))?;
        let mut records = Vec::new();
        // Where it is cut off is no fault of its own.
        drop(lines(PeekReader::new(Box::new(Cursor::new(head.to_vec())))).read_to_end(&mut records));
        let end = memchr::memchr(b'\n', &records).unwrap_or(records.len());
        records.truncate(end);
        Some(Export { form, record: records })
    }

    /// The names of the record's fields, those of nested objects with dots: the first few.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        if let Ok(record) = serde_json::from_slice(&self.record) {
            add_keys(&record, "", &mut keys);
        }
        keys
    }
}

/// How many keys are named.
const MAX_KEYS: usize = 12;

fn add_keys(value: &Value, name: &str, keys: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let key = crate::model::text::sanitize(key.get(..64).unwrap_or(key));
                add_keys(value, &if name.is_empty() { key } else { format!("{name}.{key}") }, keys);
            }
        }
        _ if keys.len() < MAX_KEYS => keys.push(name.to_owned()),
        _ => {}
    }
}

/// The lines of a text: as they are, or as records.
pub(super) fn lines(mut reader: PeekReader) -> Box<dyn Read + Send> {
    if let Some(escapes) = escapes::detect(head(&mut reader)) {
        reader = PeekReader::new(Box::new(Unescaped::new(reader, escapes)));
    }
    let head = head(&mut reader);
    match FORMS.iter().find(|form| (form.sniff)(head)) {
        Some(form) => {
            let records = Some((form.open)(reader));
            Box::new(ExportText { form: form.name, records, out: Output::default() })
        }
        None => Box::new(reader),
    }
}

fn head(reader: &mut PeekReader) -> &[u8] {
    let head = reader.peek(SNIFF_LEN);
    head.get(..SNIFF_LEN).unwrap_or(head)
}

/// An export as a record a line.
struct ExportText {
    form: &'static str,
    records: Option<Box<dyn Records>>,
    out: Output,
}

impl Read for ExportText {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.out.taken == self.out.text.len() {
            self.out.text.clear();
            self.out.taken = 0;
            let Some(records) = &mut self.records else { return self.ending() };
            match records.fill(&mut self.out) {
                Ok(true) => {}
                Ok(false) => self.records = None,
                Err(error) => {
                    self.records = None;
                    return Err(error);
                }
            }
        }
        let left = self.out.text.get(self.out.taken..).unwrap_or_default();
        let count = left.len().min(into.len());
        if let (Some(target), Some(from)) = (into.get_mut(..count), left.get(..count)) {
            target.copy_from_slice(from);
        }
        self.out.taken += count;
        Ok(count)
    }
}

impl ExportText {
    /// What is to be said at the end.
    fn ending(&mut self) -> io::Result<usize> {
        let Faults { places, first } = std::mem::take(&mut self.out.faults);
        match first {
            Some((first, why)) => Err(io::Error::other(ExportError { form: self.form, places, first, why })),
            None => Ok(0),
        }
    }
}

fn has(head: &[u8], word: &str) -> bool {
    memmem::find(head, word.as_bytes()).is_some()
}

#[cfg(test)]
mod tests;
