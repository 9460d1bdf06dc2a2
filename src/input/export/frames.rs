//! Grafana's data frames: what its query inspector lets save, and what its API answers. They hold columns, so that a whole document is read
//! before its first record.

use std::io::{self, Read};

use serde_json::{Map, Value};

use super::super::peek_reader::PeekReader;
use super::{Output, Records, TEXT, has};

/// The longest document that is read, in bytes: Grafana shows some thousand lines.
const MAX_DOCUMENT: u64 = 64 << 20;
/// How deep frames are looked for.
const MAX_DEPTH: usize = 6;

/// Whether a text is a document with data frames.
pub(super) fn is_frames(head: &[u8]) -> bool {
    let begins = head.trim_ascii_start().first().is_some_and(|first| matches!(first, b'{' | b'['));
    let all = |words: &[&str]| words.iter().all(|word| has(head, &format!("\"{word}\"")));
    begins
        && (all(&["results", "frames", "schema"])
            || all(&["schema", "fields", "name", "type"])
            || all(&["series", "fields", "refId"]))
}

/// The rows of a document's frames.
pub(super) struct Frames {
    reader: Option<PeekReader>,
    frames: Vec<Frame>,
    row: usize,
}

/// Columns with their names, and the labels that all rows share.
struct Frame {
    columns: Vec<(String, Vec<Value>)>,
    labels: Option<Value>,
}

impl Frames {
    pub(super) fn new(reader: PeekReader) -> Self {
        Frames { reader: Some(reader), frames: Vec::new(), row: 0 }
    }

    /// Reads the document.
    fn open(&mut self, reader: PeekReader, out: &mut Output) -> io::Result<()> {
        let mut text = Vec::new();
        reader.take(MAX_DOCUMENT + 1).read_to_end(&mut text)?;
        if text.len() as u64 > MAX_DOCUMENT {
            out.faults.count(0, "the document is too long");
            return Ok(());
        }
        match serde_json::from_slice(&text) {
            Ok(document) => collect(document, 0, &mut self.frames),
            Err(_) => out.faults.count(0, "it is no complete JSON"),
        }
        // The last is taken first.
        self.frames.reverse();
        Ok(())
    }
}

/// The frames in a value, in their order.
fn collect(value: Value, depth: usize, frames: &mut Vec<Frame>) {
    match value {
        _ if depth > MAX_DEPTH => {}
        Value::Array(values) => values.into_iter().for_each(|value| collect(value, depth + 1, frames)),
        Value::Object(mut object) => match frame(&mut object) {
            Some(frame) => frames.push(frame),
            None => object.into_iter().for_each(|(_, value)| collect(value, depth + 1, frames)),
        },
        _ => {}
    }
}

/// A frame: its fields stand in a schema beside the columns, or hold them.
fn frame(object: &mut Map<String, Value>) -> Option<Frame> {
    let take = |from: Option<&mut Value>| from.and_then(Value::as_array_mut).map(std::mem::take);
    let beside = take(object.get_mut("data").and_then(|data| data.get_mut("values")));
    let schema = object.get_mut("schema").and_then(|schema| schema.get_mut("fields"));
    let mut fields = match schema {
        Some(fields) => take(Some(fields))?,
        None => take(object.get_mut("fields"))?,
    };
    let mut beside = beside.map(Vec::into_iter);
    let mut labels = None;
    let mut columns = Vec::new();
    for field in &mut fields {
        let values = match &mut beside {
            Some(beside) => beside.next().and_then(|mut values| take(Some(&mut values))),
            None => take(field.get_mut("values")),
        };
        let name = field.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        labels = labels.or_else(|| field.get("labels").filter(|labels| labels.is_object()).cloned());
        columns.push((name, values?));
    }
    (!columns.is_empty()).then_some(Frame { columns, labels })
}

impl Records for Frames {
    fn fill(&mut self, out: &mut Output) -> io::Result<bool> {
        if let Some(reader) = self.reader.take() {
            self.open(reader, out)?;
        }
        while out.text.len() < TEXT {
            let Some(frame) = self.frames.last_mut() else { return Ok(false) };
            let mut record = Map::new();
            for (name, values) in &mut frame.columns {
                if let Some(value) = values.get_mut(self.row).filter(|value| !value.is_null()) {
                    record.insert(name.clone(), value.take());
                }
            }
            if record.is_empty() {
                self.frames.pop();
                self.row = 0;
                continue;
            }
            if let Some(labels) = &frame.labels {
                record.entry("labels").or_insert_with(|| labels.clone());
            }
            out.record(&record);
            self.row += 1;
        }
        Ok(true)
    }
}
