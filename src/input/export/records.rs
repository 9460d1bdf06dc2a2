//! JSON in any form: documents whose lists hold records, arrays, records with nothing between them, on one line or on many. It is
//! read as it comes, one record held at a time. A record keeps its fields as they are written, and is given those of the objects
//! around it as labels. What is no JSON passes unchanged, line by line.

use std::io::{self, BufRead};

use memchr::{memchr, memmem};
use serde_json::Value;

use super::super::peek_reader::PeekReader;
use super::json::{JsonReader, Raw};
use super::{MAX_VALUE, Output, Records, TEXT, values};

/// More lists are nested in no store's answer.
const MAX_DEPTH: usize = 24;
/// The longest text that is repeated with each record, in bytes.
const MAX_CONTEXT: usize = 4 << 10;

/// The keys whose lists hold records, or lists of them; those that stand for an object too.
pub(super) const CONTAINERS: &[(&str, bool)] = &[
    // Loki, and what is pushed to it.
    ("data", true),
    ("result", false),
    ("streams", false),
    ("values", false),
    ("entries", false),
    // Elasticsearch and OpenSearch, also as Kibana shows their answers.
    ("rawResponse", true),
    ("response", true),
    ("hits", true),
    // CloudWatch, its subscriptions, and the queries of Insights.
    ("events", false),
    ("logEvents", false),
    ("results", false),
    // OpenTelemetry.
    ("resourceLogs", false),
    ("resource_logs", false),
    ("scopeLogs", false),
    ("scope_logs", false),
    ("instrumentationLibraryLogs", false),
    ("logRecords", false),
    ("log_records", false),
    // Log Analytics, and SQL.
    ("tables", false),
    ("rows", false),
    ("records", false),
    ("value", false),
    // Graylog and others.
    ("messages", false),
    ("logs", false),
];

fn is_container(key: &[u8], begin: u8) -> bool {
    let known = CONTAINERS.iter().find(|(name, _)| name.as_bytes() == key);
    known.is_some_and(|(_, object)| begin == b'[' || *object && begin == b'{')
}

/// Whether a text is JSON that is not one record a line.
pub(super) fn is_records(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    if let Some(inside) = head.strip_prefix(b"[") {
        let inside = inside.trim_ascii_start();
        return inside.starts_with(b"{")
            || inside.strip_prefix(b"[").is_some_and(|row| row.trim_ascii_start().starts_with(b"{"));
    }
    let Some(inside) = head.strip_prefix(b"{") else { return false };
    let Some(end) = memchr(b'\n', head) else {
        // One line: a document, records without a line end, or one record, which stays as it is.
        return inside.trim_ascii_start().starts_with(b"\"");
    };
    let line = head.get(..end).unwrap_or_default();
    if line.trim_ascii().len() == 1 {
        let next = head.get(end..).unwrap_or_default().trim_ascii_start();
        return next.starts_with(b"\"");
    }
    // A program's own lines have fields of any name.
    if ["{\"ts\":", "{\"level\":\"", "{\"time\":\"20"].iter().any(|front| line.starts_with(front.as_bytes())) {
        return is_stream(line);
    }
    is_stream(line) || CONTAINERS.iter().any(|(name, object)| has_container(line, name, *object))
}

/// Whether a line has more than one record.
fn is_stream(line: &[u8]) -> bool {
    memmem::find(line, b"}{\"").is_some()
}

/// Whether a key stands in a line with a list or an object behind it; in a string its quotes would be escaped.
fn has_container(line: &[u8], name: &str, object: bool) -> bool {
    let key = format!("\"{name}\":");
    memmem::find_iter(line, key.as_bytes()).any(|at| {
        let value = line.get(at + key.len()..).unwrap_or_default().trim_ascii_start();
        value.starts_with(b"[") || object && value.starts_with(b"{")
    })
}

/// An array or object that is being read.
#[derive(Default)]
struct Level {
    is_object: bool,
    /// Fields read so far, with commas between them.
    fields: Vec<u8>,
    /// Those among them that may tell of the records inside: texts and objects.
    context: Vec<u8>,
    /// The names of the columns of rows.
    columns: Vec<String>,
    /// A record was found inside.
    has_records: bool,
    /// Values are written as OpenTelemetry does, each with its type.
    is_typed: bool,
}

/// The records of a text.
pub(super) struct JsonRecords {
    json: JsonReader,
    levels: Vec<Level>,
    /// Within a line that is no JSON.
    in_line: bool,
}

impl JsonRecords {
    pub(super) fn new(reader: PeekReader) -> Self {
        JsonRecords { json: JsonReader::new(reader), levels: Vec::new(), in_line: false }
    }

    /// Copies what is left of a line; what does not fit now comes with the next call.
    fn pass_line(&mut self, out: &mut Output) -> io::Result<bool> {
        loop {
            let held = self.json.reader.fill_buf()?;
            if held.is_empty() {
                self.in_line = false;
                return Ok(false);
            }
            let end = memchr(b'\n', held).map(|at| at + 1);
            let taken = end.unwrap_or(held.len());
            out.text.extend_from_slice(held.get(..taken).unwrap_or_default());
            self.json.reader.consume(taken);
            self.in_line = end.is_none();
            out.records += u64::from(!self.in_line);
            if !self.in_line || out.text.len() >= TEXT {
                return Ok(true);
            }
        }
    }

    /// What is no JSON: the rest of its line passes as it is, and reading begins anew behind it.
    fn fault(&mut self, out: &mut Output, why: &'static str) -> io::Result<bool> {
        match self.levels.as_slice() {
            // A line that began as JSON does.
            [Level { is_object: true, fields, has_records: false, .. }] if fields.is_empty() => out.text.push(b'{'),
            _ => out.faults.count(out.records, why),
        }
        self.levels.clear();
        self.in_line = true;
        self.pass_line(out)
    }

    /// Reads on by one value or one bracket. Whether there may be more.
    fn step(&mut self, out: &mut Output) -> io::Result<bool> {
        if self.in_line {
            return self.pass_line(out);
        }
        let Some(byte) = self.json.visible()? else {
            if !self.levels.is_empty() {
                self.end_early(out);
            }
            return Ok(false);
        };
        let depth = self.levels.len();
        let in_object = self.levels.last().map(|level| level.is_object);
        match (in_object, byte) {
            (None, b'{' | b'[') | (Some(false), b'{') if depth < MAX_DEPTH => {
                self.json.reader.consume(1);
                self.open(byte == b'{', Vec::new());
            }
            (None, b',' | 0x1e) | (Some(_), b',') => self.json.reader.consume(1),
            (None, _) => {
                self.in_line = true;
                return self.pass_line(out);
            }
            (Some(true), b'}') | (Some(false), b']') => {
                self.json.reader.consume(1);
                self.close(out);
            }
            (Some(false), b'}' | b':') | (Some(true), b']') => return self.fault(out, "a bracket does not fit"),
            (Some(false), _) => match self.json.value()? {
                Raw::Whole => self.element(out),
                Raw::TooLong => out.faults.count(out.records, "a value is too long"),
                Raw::Open => self.end_early(out),
            },
            (Some(true), b'"') => return self.field(out),
            (Some(true), _) => return self.fault(out, "a field has no name"),
        }
        Ok(true)
    }

    fn field(&mut self, out: &mut Output) -> io::Result<bool> {
        if self.json.value()? != Raw::Whole {
            self.end_early(out);
            return Ok(true);
        }
        let key = std::mem::take(&mut self.json.raw);
        if self.json.visible()? != Some(b':') {
            return self.fault(out, "a field has no value");
        }
        self.json.reader.consume(1);
        let Some(begin) = self.json.visible()? else {
            self.end_early(out);
            return Ok(false);
        };
        let name = key.get(1..key.len().saturating_sub(1)).unwrap_or_default();
        if is_container(name, begin) && self.levels.len() < MAX_DEPTH {
            self.json.reader.consume(1);
            let columns = if name == b"rows" { self.columns() } else { Vec::new() };
            self.open(begin == b'{', columns);
            let is_typed = name.starts_with(b"resource");
            if let Some(level) = self.levels.last_mut() {
                level.is_typed |= is_typed;
            }
            return Ok(true);
        }
        let read = self.json.value()?;
        let Some(level) = self.levels.last_mut() else { return Ok(true) };
        if read == Raw::TooLong || level.fields.len() + self.json.raw.len() > 2 * MAX_VALUE {
            out.faults.count(out.records, "a value is too long");
            return Ok(true);
        }
        let add = |to: &mut Vec<u8>| {
            if !to.is_empty() {
                to.push(b',');
            }
            to.extend_from_slice(&key);
            to.push(b':');
            to.extend_from_slice(&self.json.raw);
        };
        add(&mut level.fields);
        let may_tell =
            matches!(begin, b'"' | b'{') && level.context.len() + key.len() + self.json.raw.len() < MAX_CONTEXT;
        if may_tell {
            add(&mut level.context);
        }
        if read == Raw::Open {
            self.end_early(out);
        }
        Ok(true)
    }

    fn open(&mut self, is_object: bool, columns: Vec<String>) {
        let is_typed = self.levels.last().is_some_and(|level| level.is_typed);
        self.levels.push(Level { is_object, columns, is_typed, ..Level::default() });
    }

    /// The names of columns in the fields before the rows.
    fn columns(&self) -> Vec<String> {
        let Some(level) = self.levels.last() else { return Vec::new() };
        let text = [&b"{"[..], &level.fields, b"}"].concat();
        let fields: Value = serde_json::from_slice(&text).unwrap_or_default();
        let columns = fields.get("columns").or_else(|| fields.get("fields")).and_then(Value::as_array);
        let name = |column: &Value| column.get("name").unwrap_or(column).as_str().unwrap_or_default().to_owned();
        columns.into_iter().flatten().map(name).collect()
    }

    /// Ends an array or object. One without records inside is a record.
    fn close(&mut self, out: &mut Output) {
        let Some(level) = self.levels.pop() else { return };
        // An answer's own fields are none, but a record may have a list of any name.
        let has_line = || [&b".go:"[..], b"level="].iter().any(|mark| memmem::find(&level.fields, mark).is_some());
        let is_record = level.is_object && !level.fields.is_empty() && (!level.has_records || has_line());
        if is_record {
            self.record(&level.fields, level.is_typed, out);
        }
        if let Some(around) = self.levels.last_mut() {
            around.has_records |= level.has_records || is_record;
        }
    }

    /// Writes a record's fields.
    fn record(&self, fields: &[u8], is_typed: bool, out: &mut Output) {
        let contexts: Vec<&[u8]> =
            self.levels.iter().map(|level| level.context.as_slice()).filter(|context| !context.is_empty()).collect();
        let mut text = Vec::with_capacity(fields.len() + 64);
        text.push(b'{');
        if !contexts.is_empty() {
            text.extend_from_slice(b"\"labels\":{");
            text.extend_from_slice(&contexts.join(&b','));
            text.extend_from_slice(b"},");
        }
        text.extend_from_slice(fields);
        text.push(b'}');
        if is_typed && let Ok(typed) = serde_json::from_slice::<Value>(&text) {
            if let Value::Object(record) = values::plain(typed) {
                out.record(&record);
            }
            return;
        }
        out.text.append(&mut text);
        out.text.push(b'\n');
        out.records += 1;
    }

    /// An element of an array that is no object: a row, or a line.
    fn element(&mut self, out: &mut Output) {
        let Ok(value) = serde_json::from_slice::<Value>(&self.json.raw) else {
            return out.faults.count(out.records, "a value is no JSON");
        };
        let columns = self.levels.last().map(|level| level.columns.as_slice()).unwrap_or_default();
        let rows = values::rows(value, columns);
        for row in &rows {
            let text = serde_json::to_string(row).unwrap_or_default();
            let fields = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
            self.record(fields.as_bytes(), false, out);
        }
        if let Some(level) = self.levels.last_mut() {
            level.has_records |= !rows.is_empty();
        }
    }

    /// The text ends inside brackets: what was read is still given.
    fn end_early(&mut self, out: &mut Output) {
        out.faults.count(out.records, "it ends early");
        while !self.levels.is_empty() {
            self.close(out);
        }
    }
}

impl Records for JsonRecords {
    fn fill(&mut self, out: &mut Output) -> io::Result<bool> {
        while out.text.len() < TEXT {
            if !self.step(out)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
