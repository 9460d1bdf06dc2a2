//! Grafana Loki: labels are indexed, lines are searched, and a query gives at most so many lines, which the server caps.
//!
//! A stretch's `start` is asked for a nanosecond early: a stored chunk whose last line has exactly that time is not looked at.

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::matcher::{Matcher, Test, alternatives, quoted};
use super::{Line, Page, Recognised, Selection, Store, is_elsewhere, no_answer, one_line, read_json};
use crate::model::time::Time;
use crate::web::{Body, Client, HttpError, HttpErrorKind};

/// The lines of one page: what servers allow unless they are configured otherwise. Less is tried where it is refused.
const MAX_LINES: usize = 5000;
/// Longer queries are sent in the body: some proxies limit an address to 8 KiB.
const MAX_URL_QUERY: usize = 1500;

struct Loki {
    client: Client,
    /// The URL below which its paths are.
    api: String,
    window: Range<Time>,
    limit: usize,
    /// Queries in the body are refused: they are kept short enough for the URL.
    only_get: bool,
}

/// An answer about labels.
#[derive(Deserialize)]
struct Names {
    status: String,
    // Where there are none, the key is not there.
    #[serde(default)]
    data: Vec<String>,
}

/// An answer to a query.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    result: Option<Vec<Stream<'a>>>,
}

#[derive(Deserialize)]
struct Stream<'a> {
    #[serde(borrow)]
    stream: &'a RawValue,
    /// Time, line, and structured metadata if it is not among the labels.
    #[serde(borrow)]
    values: Vec<Vec<&'a RawValue>>,
}

pub(super) fn recognise(client: &Client, base: &str, window: &Range<Time>) -> Recognised {
    let other = if base.ends_with("/loki") { "/api/v1" } else { "/loki/loki/api/v1" };
    for below in ["/loki/api/v1", other] {
        let api = format!("{base}{below}");
        let mut loki = Loki { client: client.clone(), api, window: window.clone(), limit: MAX_LINES, only_get: false };
        match loki.labels() {
            Ok(_) => return Ok(Some(Box::new(loki))),
            Err(error) if is_elsewhere(&error) && !error.body.contains("time range exceeds") => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

impl Store for Loki {
    fn labels(&mut self) -> Result<Vec<String>, HttpError> {
        self.names("labels")
    }

    fn values(&mut self, label: &str) -> Result<Vec<String>, HttpError> {
        self.names(&format!("label/{label}/values"))
    }

    fn page(&mut self, selection: &Selection, range: &Range<Time>) -> Result<Page, HttpError> {
        loop {
            match self.query(selection, range) {
                Err(error)
                    if error.kind == HttpErrorKind::Status(400)
                        && error.body.contains("max_entries_limit")
                        && self.limit > 1 =>
                {
                    self.limit /= 2;
                }
                body => return self.read(&body?),
            }
        }
    }
}

impl Loki {
    fn names(&self, path: &str) -> Result<Vec<String>, HttpError> {
        let [start, end] = [self.window.start, self.window.end].map(|time| time.0.to_string());
        let url = format!("{}/{path}", self.api);
        let body = self.client.get(&url, &[("start", &start), ("end", &end)], false).map_err(explained)?;
        let names: Names = read_json(&self.client, &body)?;
        if names.status == "success" { Ok(names.data) } else { Err(no_answer(&body.url, &names.status)) }
    }

    fn query(&mut self, selection: &Selection, range: &Range<Time>) -> Result<Body, HttpError> {
        let streams = format!("{{{}}}", selection.matchers.iter().map(matcher).collect::<Vec<_>>().join(","));
        let query = match selection.words.as_slice() {
            [] => streams.clone(),
            words => format!("{streams} |~ {}", quoted(&alternatives(words))),
        };
        let post = query.len() > MAX_URL_QUERY && !self.only_get;
        let query = if self.only_get { &streams } else { &query };
        let [start, end] = [range.start.0.saturating_sub(1), range.end.0].map(|nanos| nanos.to_string());
        let limit = self.limit.to_string();
        let form = [
            ("query", query.as_str()),
            ("start", &start),
            ("end", &end),
            ("limit", &limit),
            // By default the newest lines come.
            ("direction", "forward"),
        ];
        match self.client.get(&format!("{}/query_range", self.api), &form, post) {
            Err(error) if post && matches!(error.kind, HttpErrorKind::Status(403 | 404 | 405 | 501)) => {
                self.only_get = true;
                self.query(selection, range)
            }
            body => body.map_err(explained),
        }
    }

    fn read(&self, body: &Body) -> Result<Page, HttpError> {
        let no_answer = |why: &str| self.client.mask_error(no_answer(&body.url, why));
        let answer: Answer<'_> = serde_json::from_slice(&body.bytes).map_err(|error| no_answer(&error.to_string()))?;
        let mut lines = Vec::new();
        for Stream { stream, values } in answer.data.result.unwrap_or_default() {
            let labels = one_line(stream.get());
            for value in values {
                let line = line(&labels, &value).ok_or_else(|| no_answer("a line is no pair of time and text"))?;
                lines.push(line);
            }
        }
        let is_full = lines.len() >= self.limit;
        Ok(Page { lines, is_full, warnings: answer.warnings.unwrap_or_default() })
    }
}

/// A line as logcli writes it.
fn line(labels: &str, value: &[&RawValue]) -> Option<Line> {
    let (time, text) = (value.first()?.get(), value.get(1)?.get());
    let at = Time(time.trim_matches('"').parse().ok()?);
    if !text.starts_with('"') {
        return None;
    }
    let metadata = value.get(2).map(|metadata| format!(",\"metadata\":{}", one_line(metadata.get())));
    let metadata = metadata.unwrap_or_default();
    Some(Line { at, record: format!("{{\"labels\":{labels},\"line\":{text},\"timestamp\":\"{}\"{metadata}}}", at.0) })
}

fn matcher(matcher: &Matcher) -> String {
    let Matcher { label, test } = matcher;
    match test {
        Test::AnyOf(values) => match values.as_slice() {
            [value] => format!("{label}={}", quoted(value)),
            values => format!("{label}=~{}", quoted(&alternatives(values))),
        },
        Test::IsNot(value) => format!("{label}!={}", quoted(value)),
        Test::Fits(pattern) => format!("{label}=~{}", quoted(pattern)),
        Test::FitsNot(pattern) => format!("{label}!~{}", quoted(pattern)),
    }
}

/// An error that Loki has its own words for.
fn explained(error: HttpError) -> HttpError {
    if error.body.contains("no org id") {
        let help = "Name the tenant: --header 'X-Scope-OrgID: TENANT'.".to_owned();
        return HttpError { message: "this Loki needs a tenant (no org id)".into(), help, ..error };
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_written_as_in_logql() {
        let any = |values: &[&str]| Test::AnyOf(values.iter().map(|value| (*value).to_owned()).collect());
        for (test, text) in [
            (any(&["a\"b"]), r#"unit="a\"b""#),
            (any(&["a.b", "c"]), r#"unit=~"a\\.b|c""#),
            (Test::IsNot("a".into()), r#"unit!="a""#),
            (Test::Fits("a.*".into()), r#"unit=~"a.*""#),
            (Test::FitsNot("a".into()), r#"unit!~"a""#),
        ] {
            assert_eq!(matcher(&Matcher { label: "unit".into(), test }), text);
        }
    }
}
