//! Elasticsearch and OpenSearch: documents with fields, as filebeat (ECS) or Fluent Bit (the journal's own) made them.
//!
//! Pages go on from the last `@timestamp`, and documents that come again are dropped: that needs no point in time, which the two open in
//! ways of their own and which keeps files open on the server.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::matcher::{Matcher, Test};
use super::units::UNIT_LABELS;
use super::{Line, Page, Recognised, Selection, Store, is_elsewhere, no_answer, one_line, read_json, rfc3339};
use crate::model::time::Time;
use crate::web::{Body, Client, HttpError, HttpErrorKind};

/// The documents of one page: what an index allows unless it is configured otherwise. Less is tried where it is refused.
const MAX_DOCUMENTS: usize = 10_000;
/// Values of a field that are looked at, at most.
const MAX_VALUES: usize = 1000;
/// The time of a document, by all shippers.
const TIME: &str = "@timestamp";
/// Smaller numbers of a time are milliseconds, larger ones nanoseconds.
const MILLISECONDS: i64 = 100_000_000_000_000;

struct Elasticsearch {
    client: Client,
    /// The URL of the indices.
    indices: String,
    window: Range<Time>,
    limit: usize,
    /// The fields that may name units and can be grouped by.
    fields: Vec<String>,
}

/// What fields there are, by their type.
#[derive(Deserialize)]
struct FieldCaps {
    fields: BTreeMap<String, BTreeMap<String, FieldCap>>,
    #[serde(rename = "indices")]
    _indices: Value,
}

#[derive(Deserialize)]
struct FieldCap {
    #[serde(default)]
    aggregatable: bool,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default)]
    timed_out: bool,
    #[serde(rename = "_shards")]
    shards: Option<Shards>,
    #[serde(borrow)]
    hits: Option<Hits<'a>>,
    aggregations: Option<Aggregations>,
}

#[derive(Deserialize)]
struct Shards {
    #[serde(default)]
    failed: u64,
}

#[derive(Deserialize)]
struct Hits<'a> {
    #[serde(borrow)]
    hits: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Hit {
    sort: Vec<Value>,
}

#[derive(Deserialize)]
struct Aggregations {
    units: Buckets,
}

#[derive(Deserialize)]
struct Buckets {
    buckets: Vec<Bucket>,
}

#[derive(Deserialize)]
struct Bucket {
    key: Value,
}

pub(super) fn recognise(client: &Client, base: &str, window: &Range<Time>) -> Recognised {
    let has_path = base.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    let all = format!("{base}/*");
    let urls = if has_path { vec![base.to_owned(), all] } else { vec![all] };
    let names = UNIT_LABELS.iter().flat_map(|name| [(*name).to_owned(), format!("{name}.keyword")]);
    let names: Vec<String> = [TIME.to_owned()].into_iter().chain(names).collect();
    for indices in urls {
        let caps = client
            .get(&format!("{indices}/_field_caps"), &[("fields", &names.join(","))], false)
            .and_then(|body| read_json::<FieldCaps>(client, &body));
        let caps = match caps {
            Ok(caps) => caps,
            Err(error) if is_elsewhere(&error) => continue,
            Err(error) => return Err(error),
        };
        if !caps.fields.contains_key(TIME) {
            return Err(HttpError::new(
                HttpErrorKind::InvalidOption,
                &indices,
                format!("no index here has the field {TIME}"),
                "Name the index or data stream with the nodes' logs: https://HOST:9200/INDEX.",
            ));
        }
        let fields = caps.fields.into_iter().filter(|(name, types)| {
            name != TIME && !types.is_empty() && types.values().all(|field| field.aggregatable)
        });
        return Ok(Some(Box::new(Elasticsearch {
            client: client.clone(),
            indices,
            window: window.clone(),
            limit: MAX_DOCUMENTS,
            fields: fields.map(|(name, _)| name).collect(),
        })));
    }
    Ok(None)
}

impl Store for Elasticsearch {
    fn labels(&mut self) -> Result<Vec<String>, HttpError> {
        Ok(self.fields.clone())
    }

    fn values(&mut self, label: &str) -> Result<Vec<String>, HttpError> {
        let units = json!({"units": {"terms": {"field": label, "size": MAX_VALUES}}});
        let query = json!({"bool": {"filter": [between(&self.window)]}});
        let body = self.search(&json!({"size": 0, "query": query, "aggs": units}))?;
        let answer = self.read(&body)?;
        let buckets = answer.aggregations.map(|found| found.units.buckets).unwrap_or_default();
        Ok(buckets.into_iter().filter_map(|bucket| bucket.key.as_str().map(str::to_owned)).collect())
    }

    fn page(&mut self, selection: &Selection, range: &Range<Time>) -> Result<Page, HttpError> {
        let [mut filter, mut must_not] = [vec![between(range)], Vec::new()];
        for Matcher { label, test } in &selection.matchers {
            match test {
                Test::AnyOf(values) => filter.push(json!({"terms": {label: values}})),
                Test::IsNot(value) => must_not.push(json!({"terms": {label: [value]}})),
                Test::Fits(pattern) => filter.push(json!({"regexp": {label: pattern}})),
                Test::FitsNot(pattern) => must_not.push(json!({"regexp": {label: pattern}})),
            }
        }
        loop {
            let body = self.search(&json!({
                "size": self.limit,
                "track_total_hits": false,
                "query": {"bool": {"filter": filter, "must_not": must_not}},
                "sort": [{TIME: {"order": "asc", "unmapped_type": "date"}}],
            }));
            match body {
                Err(error)
                    if error.kind == HttpErrorKind::Status(400)
                        && error.body.contains("Result window is too large")
                        && self.limit > 1 =>
                {
                    self.limit /= 2;
                }
                body => return self.page_of(&body?),
            }
        }
    }
}

impl Elasticsearch {
    fn search(&self, query: &Value) -> Result<Body, HttpError> {
        // Else it would leave out, without an error, what shards that fail hold.
        let url = format!("{}/_search?allow_partial_search_results=false&ignore_unavailable=true", self.indices);
        self.client.post_json(&url, query.to_string())
    }

    fn read<'a>(&self, body: &'a Body) -> Result<Answer<'a>, HttpError> {
        let answer: Answer<'a> = serde_json::from_slice(&body.bytes)
            .map_err(|error| self.client.mask_error(no_answer(&body.url, &error.to_string())))?;
        let failed = answer.shards.as_ref().map_or(0, |shards| shards.failed);
        if answer.timed_out || failed > 0 {
            let why = if answer.timed_out { "it timed out".to_owned() } else { format!("{failed} shards failed") };
            return Err(HttpError::new(
                HttpErrorKind::Timeout,
                &self.indices,
                format!("the search is incomplete: {why}"),
                "See the server's log; use a shorter --window or a longer --timeout.",
            ));
        }
        Ok(answer)
    }

    fn page_of(&self, body: &Body) -> Result<Page, HttpError> {
        let hits = self.read(body)?.hits.map(|hits| hits.hits).unwrap_or_default();
        let lines = hits.iter().map(|hit| line(hit.get())).collect::<Option<Vec<Line>>>();
        let why = "a document is not sorted by its time";
        let lines = lines.ok_or_else(|| self.client.mask_error(no_answer(&body.url, why)))?;
        let is_full = lines.len() >= self.limit;
        Ok(Page { lines, is_full, warnings: Vec::new() })
    }
}

/// A stretch of time.
fn between(range: &Range<Time>) -> Value {
    let format = "strict_date_optional_time_nanos";
    json!({"range": {TIME: {"gte": rfc3339(range.start), "lt": rfc3339(range.end), "format": format}}})
}

fn line(hit: &str) -> Option<Line> {
    let Hit { sort } = serde_json::from_str(hit).ok()?;
    let at = sort.first()?.as_i64()?;
    let at = if at.abs() < MILLISECONDS { at.checked_mul(1_000_000)? } else { at };
    Some(Line { at: Time(at), record: one_line(hit) })
}
