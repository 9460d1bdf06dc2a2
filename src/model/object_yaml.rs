//! Objects of the Kubernetes API in YAML, as `kubectl get -o yaml` prints them: lists, single objects, and several documents. A list is
//! read item by item, so that one object is held at a time.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read};

use serde::de::DeserializeSeed;

use super::object::{Document, Object};

/// The largest object that is read, bytes: etcd takes 1.5 MiB of JSON.
const MAX_OBJECT: usize = 8 << 20;

/// Reads any number of objects. What cannot be read is left out, and the others are given.
///
/// # Errors
/// When an object is no YAML or is too large, or the input cannot be read to its end: the first fault, and how many there are.
pub fn read(reader: impl Read, each: &mut dyn FnMut(Object)) -> Result<(), String> {
    let mut lines = BufReader::new(reader);
    let mut items =
        Items { each, text: String::new(), first: 0, too_large: false, list: List::Outside, faults: 0, fault: None };
    let (mut line, mut number) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        let room = MAX_OBJECT as u64 + 1;
        let read = lines.by_ref().take(room).read_until(b'\n', &mut line).map_err(|error| error.to_string());
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                items.end();
                return Err(error);
            }
        };
        if read == 0 {
            break;
        }
        // A part of a line that does not fit begins no object.
        let begins = number == 0 || items.text.is_empty() || items.text.ends_with('\n');
        number += 1;
        items.take(&String::from_utf8_lossy(&line), number, begins);
    }
    items.end();
    match items.fault {
        None => Ok(()),
        Some(fault) if items.faults == 1 => Err(fault),
        Some(fault) => Err(format!("{fault}; so are {} others", items.faults - 1)),
    }
}

/// Where a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    /// In a document that is no list, as far as is known.
    Outside,
    /// After `items:`; the dash of an item has this indentation, once there was one.
    Inside(Option<usize>),
    /// After the items.
    After,
}

/// The text of one object, as it is collected.
struct Items<'a> {
    each: &'a mut dyn FnMut(Object),
    text: String,
    first: u64,
    too_large: bool,
    list: List,
    faults: u64,
    fault: Option<String>,
}

impl Items<'_> {
    fn take(&mut self, line: &str, number: u64, begins: bool) {
        let text = line.trim_end();
        if begins && (text == "---" || text == "...") {
            self.end();
            self.list = List::Outside;
            return;
        }
        let indentation = text.len() - text.trim_start().len();
        let is_item = text.trim_start().starts_with("- ");
        match self.list {
            List::Outside if begins && text == "items:" => {
                // What a list says of itself is not needed.
                self.text.clear();
                self.list = List::Inside(None);
                return;
            }
            List::Inside(known) if begins && is_item && known.is_none_or(|known| known == indentation) => {
                self.end();
                self.list = List::Inside(Some(indentation));
                self.first = number;
                self.push(&line.replacen("- ", "  ", 1));
                return;
            }
            List::Inside(_) if begins && indentation == 0 && !text.is_empty() && !text.starts_with('#') => {
                self.end();
                self.list = List::After;
            }
            _ => {}
        }
        if self.list == List::After || self.list == List::Inside(None) {
            return;
        }
        if self.text.is_empty() {
            self.first = number;
        }
        self.push(line);
    }

    fn push(&mut self, line: &str) {
        if self.text.len() + line.len() > MAX_OBJECT {
            self.too_large = true;
        } else if !self.too_large {
            self.text.push_str(line);
        }
    }

    /// Gives the object whose text has ended.
    fn end(&mut self) {
        let text = std::mem::take(&mut self.text);
        if std::mem::take(&mut self.too_large) {
            self.fail(format!("line {}: an object of more than {} MiB", self.first, MAX_OBJECT >> 20));
            return;
        }
        if text.trim().is_empty() {
            return;
        }
        let line = Cell::new(self.first);
        let document = Document { each: &mut *self.each, line: &line };
        let read = serde_saphyr::with_deserializer_from_str(&text, |yaml| document.deserialize(yaml));
        if let Err(error) = read {
            let words = error.to_string();
            self.fail(format!("line {}: {}", self.first, words.lines().next().unwrap_or_default()));
        }
    }

    fn fail(&mut self, fault: String) {
        self.faults += 1;
        self.fault.get_or_insert(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (Vec<(u64, String)>, Result<(), String>) {
        let mut found = Vec::new();
        let read = read(text.as_bytes(), &mut |object| {
            found.push((object.line, object.text(&["metadata", "name"]).to_owned()));
        });
        (found, read)
    }

    #[test]
    fn a_list_and_documents_are_read_object_by_object() {
        let pod = |name: &str| format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  labels:\n  - x\n");
        let item = |name: &str, by: &str| {
            let text: String = pod(name).lines().map(|line| format!("{by}  {line}\n")).collect();
            text.replacen(&format!("{by}  "), &format!("{by}- "), 1)
        };
        let lines =
            |found: &[(u64, String)]| found.iter().map(|(line, name)| format!("{line} {name}")).collect::<Vec<_>>();
        for by in ["", "  "] {
            let list = format!(
                "apiVersion: v1\nitems:\n{}{}kind: List\nmetadata:\n  resourceVersion: \"\"\n",
                item("a", by),
                item("b", by)
            );
            let (found, read) = names(&list);
            assert_eq!((lines(&found), read), (vec!["3 a".to_owned(), "9 b".to_owned()], Ok(())));
        }
        let (found, read) = names(&format!("---\n{}---\n{}...\n", pod("a"), pod("b")));
        assert_eq!((lines(&found), read), (vec!["2 a".to_owned(), "9 b".to_owned()], Ok(())));
    }

    #[test]
    fn a_bad_object_leaves_the_others() {
        let (found, read) =
            names("items:\n- kind: Pod\n  metadata: {name: a\n- kind: Pod\n  metadata: {name: b}\n- *x\n");
        assert_eq!(found.len(), 1);
        let fault = read.expect_err("two of them are bad");
        assert!(fault.starts_with("line 2: ") && fault.ends_with("so are 1 others"), "{fault}");
    }
}
