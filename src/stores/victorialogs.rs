//! VictoriaLogs: fields of lines, some of which name its streams. A query gives all lines in no order, so each page asks for the oldest.

use std::ops::Range;

use chrono::DateTime;
use serde::Deserialize;

use super::matcher::{Matcher, Test, quoted};
use super::{Line, Page, Recognised, Selection, Store, is_elsewhere, no_answer, read_json, rfc3339};
use crate::model::time::Time;
use crate::web::{Body, Client, HttpError};

/// The lines of one page: the server sorts so many in memory.
const MAX_LINES: usize = 5000;
/// Values of a field that are looked at, at most.
const MAX_VALUES: &str = "1000";

struct VictoriaLogs {
    client: Client,
    /// The URL below which its paths are.
    api: String,
    window: Range<Time>,
}

/// An answer about fields.
#[derive(Deserialize)]
struct Values {
    values: Vec<Hits>,
}

#[derive(Deserialize)]
struct Hits {
    value: String,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(rename = "_time", borrow)]
    time: std::borrow::Cow<'a, str>,
}

pub(super) fn recognise(client: &Client, base: &str, window: &Range<Time>) -> Recognised {
    let api = format!("{base}/select/logsql");
    let store = VictoriaLogs { client: client.clone(), api, window: window.clone() };
    match store.names("stream_field_names", &[]) {
        Ok(_) => Ok(Some(Box::new(store))),
        Err(error) if is_elsewhere(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Store for VictoriaLogs {
    /// All fields, those of streams first: they are found without looking at lines.
    fn labels(&mut self) -> Result<Vec<String>, HttpError> {
        self.names("field_names", &[])
    }

    fn values(&mut self, label: &str) -> Result<Vec<String>, HttpError> {
        // What differs in each line is no name of a unit.
        if matches!(label, "_msg" | "_time" | "_stream_id" | "_stream" | "message" | "MESSAGE") {
            return Ok(Vec::new());
        }
        self.names("field_values", &[("field", label), ("limit", MAX_VALUES)])
    }

    fn page(&mut self, selection: &Selection, range: &Range<Time>) -> Result<Page, HttpError> {
        let matchers = selection.matchers.iter().map(matcher).collect::<Vec<_>>().join(" ");
        let (from, to) = (rfc3339(range.start), rfc3339(range.end));
        let query = format!("{matchers} _time:[{from}, {to}) | sort by (_time) limit {MAX_LINES}");
        let body = self.client.get(&format!("{}/query", self.api), &[("query", &query)], true)?;
        self.read(&body)
    }
}

impl VictoriaLogs {
    fn names(&self, path: &str, more: &[(&str, &str)]) -> Result<Vec<String>, HttpError> {
        let (from, to) = (rfc3339(self.window.start), rfc3339(self.window.end));
        let query = [&[("query", "*"), ("start", from.as_str()), ("end", to.as_str())], more].concat();
        let body = self.client.get(&format!("{}/{path}", self.api), &query, false)?;
        let values: Values = read_json(&self.client, &body)?;
        Ok(values.values.into_iter().map(|hits| hits.value).collect())
    }

    fn read(&self, body: &Body) -> Result<Page, HttpError> {
        let mut lines = Vec::new();
        for row in body.bytes.split(|byte| *byte == b'\n').filter(|row| !row.trim_ascii().is_empty()) {
            let line = std::str::from_utf8(row).ok().and_then(line);
            let why = "a row has no _time";
            lines.push(line.ok_or_else(|| self.client.mask_error(no_answer(&body.url, why)))?);
        }
        let is_full = lines.len() >= MAX_LINES;
        Ok(Page { lines, is_full, warnings: Vec::new() })
    }
}

fn line(row: &str) -> Option<Line> {
    let Row { time } = serde_json::from_str(row).ok()?;
    let at = Time(DateTime::parse_from_rfc3339(&time).ok()?.timestamp_nanos_opt()?);
    Some(Line { at, record: row.trim().to_owned() })
}

fn matcher(matcher: &Matcher) -> String {
    let Matcher { label, test } = matcher;
    let is_plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    let field = if is_plain { label.clone() } else { quoted(label) };
    // Patterns fit anywhere in a value.
    let whole = |pattern: &str| quoted(&format!("^(?:{pattern})$"));
    match test {
        Test::AnyOf(values) => {
            format!("{field}:in({})", values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(","))
        }
        Test::IsNot(value) => format!("!{field}:={}", quoted(value)),
        Test::Fits(pattern) => format!("{field}:~{}", whole(pattern)),
        Test::FitsNot(pattern) => format!("!{field}:~{}", whole(pattern)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_written_as_in_logsql() {
        for (label, test, text) in [
            ("_SYSTEMD_UNIT", Test::AnyOf(vec!["a.b".into(), "c".into()]), r#"_SYSTEMD_UNIT:in("a.b","c")"#),
            ("a b", Test::IsNot("c".into()), r#"!"a b":="c""#),
            ("host.name", Test::Fits("a|b".into()), r#"host.name:~"^(?:a|b)$""#),
            ("unit", Test::FitsNot("a".into()), r#"!unit:~"^(?:a)$""#),
        ] {
            assert_eq!(matcher(&Matcher { label: label.into(), test }), text);
        }
    }
}
