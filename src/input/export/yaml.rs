//! YAML as `gcloud logging read` prints it without `--format`: a document, or an item of a list, is a record. One is held at a time.

use std::io::{self, BufRead, Read};

use serde_json::Value;

use super::super::peek_reader::PeekReader;
use super::{MAX_VALUE, Output, Records, TEXT, has};

/// Whether a text is YAML whose documents or items hold log lines.
pub(super) fn is_yaml(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let head = head.strip_prefix(b"---").map_or(head, <[u8]>::trim_ascii_start);
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    let first = first.strip_prefix(b"- ").unwrap_or(first);
    let name = first.iter().position(|byte| *byte == b':').and_then(|end| first.split_at_checked(end));
    let is_key = name.is_some_and(|(name, value)| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'.');
        !name.is_empty() && name.iter().all(plain) && (value.len() == 1 || value.starts_with(b": "))
    });
    let keys = ["jsonPayload:", "textPayload:", "MESSAGE:", "message:", "line:", "_msg:"];
    is_key
        && keys
            .iter()
            .any(|key| ["\n", "\n  ", "\n    ", "\n- "].iter().any(|front| has(head, &format!("{front}{key}"))))
}

/// The documents and items of a text.
pub(super) struct Documents {
    reader: PeekReader,
    line: Vec<u8>,
    text: String,
    too_long: bool,
}

impl Documents {
    pub(super) fn new(reader: PeekReader) -> Self {
        Documents { reader, line: Vec::new(), text: String::new(), too_long: false }
    }

    /// Gives the record whose text has ended.
    fn end(&mut self, out: &mut Output) {
        let text = std::mem::take(&mut self.text);
        if std::mem::take(&mut self.too_long) {
            return out.faults.count(out.records, "a document is too long");
        }
        if text.trim().is_empty() {
            return;
        }
        match serde_saphyr::from_str::<Value>(&text) {
            Ok(Value::Object(record)) => out.record(&record),
            Ok(_) => {}
            Err(_) => out.faults.count(out.records, "a document is no YAML"),
        }
    }
}

impl Records for Documents {
    fn fill(&mut self, out: &mut Output) -> io::Result<bool> {
        while out.text.len() < TEXT {
            self.line.clear();
            let begins = self.text.is_empty() || self.text.ends_with('\n');
            let read = self.reader.by_ref().take(MAX_VALUE as u64).read_until(b'\n', &mut self.line);
            match read {
                Ok(0) => {
                    self.end(out);
                    return Ok(false);
                }
                Ok(_) => {}
                Err(error) => {
                    self.end(out);
                    return Err(error);
                }
            }
            let line = String::from_utf8_lossy(&self.line).into_owned();
            if begins && matches!(line.trim_end(), "---" | "...") {
                self.end(out);
                continue;
            }
            let item = line.strip_prefix("- ").filter(|_| begins);
            if item.is_some() {
                self.end(out);
            }
            self.too_long |= self.text.len() + line.len() > MAX_VALUE;
            if !self.too_long {
                if let Some(item) = item {
                    self.text.push_str("  ");
                    self.text.push_str(item);
                } else {
                    self.text.push_str(&line);
                }
            }
        }
        Ok(true)
    }
}
