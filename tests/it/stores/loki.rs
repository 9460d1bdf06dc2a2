//! A Loki, as the recorded one answers: it caps lines, wants a tenant, and does not find lines whose time is the last of a stored chunk
//! when a query starts there.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};

use super::Form;
use super::held::{self, LINES, TOKEN, asked, text};
use crate::exports::Entry;
use crate::web::server::{Server, answer};

/// What its labels are.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Labels {
    #[default]
    Unit,
    /// Only the journal is named.
    Job,
    /// Nothing is.
    Useless,
}

/// What it does beside answering.
#[derive(Clone)]
pub struct Quirks {
    pub labels: Labels,
    /// Lines of a query, at most.
    pub cap: usize,
    /// More are cut without a word.
    pub cuts: bool,
    /// Lines of a stored chunk.
    pub chunk: usize,
    pub whole_seconds: bool,
    /// Lines are entries in JSON.
    pub json: bool,
    /// Each line has structured metadata.
    pub metadata: bool,
    pub tenant: bool,
    /// The token that it wants; none if empty.
    pub token: &'static str,
    pub only_get: bool,
    /// Each third request is one too many.
    pub limits_rate: bool,
    /// Requests for lines that it answers.
    pub fails_after: Option<usize>,
    pub prefix: &'static str,
}

impl Default for Quirks {
    fn default() -> Self {
        Quirks {
            labels: Labels::Unit,
            cap: 5000,
            cuts: false,
            chunk: 200,
            whole_seconds: false,
            json: false,
            metadata: false,
            tenant: false,
            token: "",
            only_get: false,
            limits_rate: false,
            fails_after: None,
            prefix: "",
        }
    }
}

pub fn forms() -> Vec<Form> {
    let of = |name, change: fn(&mut Quirks)| {
        let mut quirks = Quirks::default();
        change(&mut quirks);
        Form::new(name, server(quirks))
    };
    vec![
        of("as it is", |_| {}),
        of("a cap of 1000 lines", |quirks| quirks.cap = 1000),
        of("a cap of which it says nothing", |quirks| (quirks.cap, quirks.cuts) = (500, true)),
        of("many lines of one time", |quirks| (quirks.cap, quirks.whole_seconds) = (1000, true)),
        of("small chunks", |quirks| (quirks.cap, quirks.whole_seconds, quirks.chunk) = (700, true, 7)),
        of("JSON lines", |quirks| quirks.json = true),
        of("structured metadata", |quirks| (quirks.metadata, quirks.cap) = (true, 1000)),
        of("a tenant", |quirks| quirks.tenant = true).with(&["--header", "X-Scope-OrgID: team"]),
        of("a token", |quirks| quirks.token = TOKEN),
        of("GET only", |quirks| quirks.only_get = true),
        of("a limit of requests", |quirks| quirks.limits_rate = true),
        of("no label of units", |quirks| quirks.labels = Labels::Job),
        of("a prefix", |quirks| quirks.prefix = "/loki"),
        of("a prefix in the address", |quirks| quirks.prefix = "/loki").at("/loki"),
        of("below /loki", |_| {}).at("/loki"),
        of("an address from a browser", |_| {}).at("/loki/api/v1/query_range?query=x"),
        of("a selector", |quirks| quirks.labels = Labels::Useless)
            .with(&["--selector", "{job=~\"fluent.*\", service_name!=\"sshd\"}"]),
    ]
}

/// The parameters of a request.
pub fn parameters(request: &str) -> BTreeMap<String, String> {
    asked(request).1
}

pub fn server(quirks: Quirks) -> Server {
    let chunks = chunks(&quirks);
    let queries = std::sync::atomic::AtomicUsize::new(0);
    Server::plain(move |request, before| {
        let (path, parameters) = asked(request);
        let Some(path) = path.strip_prefix(quirks.prefix).and_then(|path| path.strip_prefix("/loki/api/v1/")) else {
            return text("404 Not Found", "404 page not found\n");
        };
        if quirks.tenant && !request.contains("x-scope-orgid: team") {
            return text("401 Unauthorized", "no org id\n");
        }
        if !quirks.token.is_empty() && !request.contains(&format!("authorization: Bearer {}", quirks.token)) {
            return text("401 Unauthorized", "Unauthorized");
        }
        if quirks.limits_rate && before % 3 == 1 {
            return answer("429 Too Many Requests", "Retry-After: 0\r\n", "too many outstanding requests");
        }
        if quirks.only_get && request.starts_with("POST") {
            return text("405 Method Not Allowed", "");
        }
        let count = queries.load(std::sync::atomic::Ordering::Relaxed);
        match path {
            "labels" => names(&chunks, |labels| labels.keys().cloned().collect()),
            "query_range" if quirks.fails_after.is_some_and(|limit| count >= limit) => {
                text("500 Internal Server Error", "panic: closed")
            }
            "query_range" => {
                queries.store(count + 1, std::sync::atomic::Ordering::Relaxed);
                query(&quirks, &chunks, &parameters)
            }
            path => match path.strip_prefix("label/").and_then(|path| path.strip_suffix("/values")) {
                Some(label) => names(&chunks, |labels| labels.get(label).cloned().into_iter().collect()),
                None => text("404 Not Found", "404 page not found\n"),
            },
        }
    })
}

type StreamLabels = BTreeMap<String, String>;

/// Lines of a stream that are stored together: nanoseconds and what stands behind them in an answer.
struct Chunk {
    labels: StreamLabels,
    lines: Vec<(i64, Value)>,
}

fn chunks(quirks: &Quirks) -> Vec<Chunk> {
    let mut streams: BTreeMap<StreamLabels, Vec<(i64, Value)>> = BTreeMap::new();
    for entry in LINES.iter() {
        let nanos = entry.micros * 1000;
        let nanos = if quirks.whole_seconds { nanos / 1_000_000_000 * 1_000_000_000 } else { nanos };
        let line = if quirks.json { entry.journal().to_string() } else { entry.message.clone() };
        let line = match quirks.metadata {
            true => json!([nanos.to_string(), line, {"structuredMetadata": {"pid": entry.pid.to_string()}}]),
            false => json!([nanos.to_string(), line]),
        };
        streams.entry(labels(quirks, entry)).or_default().push((nanos, line));
    }
    let stored = |(labels, lines): (StreamLabels, Vec<(i64, Value)>)| {
        let chunk = |lines: &[(i64, Value)]| Chunk { labels: labels.clone(), lines: lines.to_vec() };
        lines.chunks(quirks.chunk).map(chunk).collect::<Vec<_>>()
    };
    streams.into_iter().flat_map(stored).collect()
}

fn labels(quirks: &Quirks, entry: &Entry) -> StreamLabels {
    let labels: Vec<(&str, String)> = match quirks.labels {
        Labels::Unit => vec![
            ("job", "systemd-journal".into()),
            ("unit", format!("{}.service", entry.unit)),
            ("hostname", entry.host.into()),
            ("nodename", entry.host.into()),
        ],
        Labels::Job => vec![("job", "systemd-journal".into()), ("nodename", entry.host.into())],
        Labels::Useless => {
            vec![
                ("job", "fluent-bit".into()),
                ("service_name", entry.unit.replace("kubelet", "x").replace("containerd", "y")),
                ("node", entry.host.into()),
            ]
        }
    };
    labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn names(chunks: &[Chunk], of: impl Fn(&StreamLabels) -> Vec<String>) -> Vec<u8> {
    let mut found: Vec<String> = chunks.iter().flat_map(|chunk| of(&chunk.labels)).collect();
    found.sort();
    found.dedup();
    // Without a hit there is no key.
    held::json(if found.is_empty() {
        json!({"status": "success"})
    } else {
        json!({"status": "success", "data": found})
    })
}

fn query(quirks: &Quirks, chunks: &[Chunk], parameters: &BTreeMap<String, String>) -> Vec<u8> {
    let number =
        |name: &str, default: i64| parameters.get(name).map_or(default, |text| text.parse().expect("a number"));
    let (start, end) = (number("start", 0), number("end", i64::MAX));
    let limit = usize::try_from(number("limit", 100)).expect("a number");
    if limit > quirks.cap && !quirks.cuts {
        let said = format!(
            "max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {})",
            quirks.cap
        );
        return text("400 Bad Request", &said);
    }
    let query = &parameters["query"];
    let (selector, filter) = query.split_once("} |~ ").unwrap_or((query, ""));
    let filter = Regex::new(&unquoted(filter)).expect("a pattern");
    let mut hits: Vec<(i64, &StreamLabels, &Value)> = Vec::new();
    for chunk in chunks.iter().filter(|chunk| fits(selector, &chunk.labels)) {
        let (first, last) = (chunk.lines[0].0, chunk.lines[chunk.lines.len() - 1].0);
        // The quirk: a chunk that ends at the very start is not looked at.
        if first < end && last > start {
            let lines = chunk.lines.iter().filter(|(at, _)| (start..end).contains(at));
            let lines = lines.filter(|(_, value)| filter.is_match(value[1].as_str().expect("a line")));
            hits.extend(lines.map(|(at, value)| (*at, &chunk.labels, value)));
        }
    }
    hits.sort_by_key(|hit| hit.0);
    if parameters.get("direction").is_none_or(|direction| direction != "forward") {
        hits.reverse();
    }
    hits.truncate(limit.min(quirks.cap));
    let mut streams: BTreeMap<&StreamLabels, Vec<&Value>> = BTreeMap::new();
    for (_, labels, value) in hits {
        streams.entry(labels).or_default().push(value);
    }
    let result: Vec<Value> =
        streams.into_iter().map(|(labels, values)| json!({"stream": labels, "values": values})).collect();
    held::json(
        json!({"status": "success", "data": {"resultType": "streams", "result": result, "stats": {"summary": {}}}}),
    )
}

/// Whether labels fit the matchers of a selector.
fn fits(selector: &str, labels: &StreamLabels) -> bool {
    let matcher = Regex::new(r#"(\w+)(=~|!~|!=|=)("(?:[^"\\]|\\.)*")"#).expect("a pattern");
    let mut all = matcher.captures_iter(selector).peekable();
    assert!(all.peek().is_some(), "a selector needs a matcher: {selector}");
    all.all(|found| {
        let (value, wanted) = (labels.get(&found[1]).map_or("", String::as_str), unquoted(&found[3]));
        let whole = || Regex::new(&format!("^(?:{wanted})$")).expect("a pattern").is_match(value);
        match &found[2] {
            "=" => value == wanted,
            "!=" => value != wanted,
            "=~" => whole(),
            _ => !whole(),
        }
    })
}

/// A string of Go in double quotes.
fn unquoted(text: &str) -> String {
    if text.is_empty() { String::new() } else { serde_json::from_str(text).expect("a string") }
}
