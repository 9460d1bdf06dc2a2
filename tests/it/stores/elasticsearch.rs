//! A server shaped as Elasticsearch and OpenSearch are: documents of filebeat (ECS, stamps in milliseconds) or of Fluent Bit (the
//! journal's own names), at most 10,000 a search.

use chrono::DateTime;
use regex::Regex;
use serde_json::{Value, json};

use super::Form;
use super::held::{self, LINES, asked, text};
use crate::exports::Entry;
use crate::web::server::{Server, answer};

/// What a server is.
#[derive(Clone, Copy)]
pub struct Shape {
    pub document: fn(&Entry) -> Value,
    /// Its fields that can be grouped by.
    pub fields: &'static [&'static str],
    /// Documents of a search, at most.
    pub max_window: usize,
    pub index: &'static str,
    /// Each first search of three fails in a shard.
    pub fails: bool,
}

pub const ECS: Shape = Shape {
    document: ecs,
    fields: &["systemd.unit", "syslog.identifier", "process.name"],
    max_window: 10_000,
    index: "*",
    fails: false,
};

pub fn forms() -> Vec<Form> {
    let journal = Shape { document: journal, fields: &["_SYSTEMD_UNIT.keyword", "SYSLOG_IDENTIFIER.keyword"], ..ECS };
    vec![
        Form::new("ECS", server(ECS)),
        Form::new("the journal's fields", server(journal)),
        Form::new("a small window of results", server(Shape { max_window: 1200, ..ECS })),
        Form::new("an index", server(Shape { index: "filebeat-*", ..ECS })).at("/filebeat-*"),
        Form::new("an address from a tool", server(Shape { index: "filebeat-*", ..ECS }))
            .at("/filebeat-*/_search?size=10"),
        Form::new("shards that fail at times", server(Shape { fails: true, ..ECS })),
        Form::new("a selector", server(ECS))
            .with(&["--selector", "systemd.unit=~\"(kubelet|containerd).service\", host.name!=x"]),
    ]
}

/// One whose documents have no time.
pub fn without_time() -> Server {
    Server::plain(|request, _| match asked(request).0.as_str() {
        "/*/_field_caps" => held::json(json!({"indices": ["a"], "fields": {}})),
        _ => text("400 Bad Request", r#"{"error":"no handler found for uri","status":400}"#),
    })
}

fn date(entry: &Entry) -> String {
    DateTime::from_timestamp_micros(entry.micros).expect("a time").format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn ecs(entry: &Entry) -> Value {
    json!({"@timestamp": date(entry), "message": entry.message, "host": {"hostname": entry.host, "name": entry.host},
        "systemd": {"unit": format!("{}.service", entry.unit)}, "syslog": {"identifier": entry.unit},
        "process": {"pid": entry.pid, "name": entry.unit}, "journald": {"pid": entry.pid}, "event": {"kind": "event"}})
}

fn journal(entry: &Entry) -> Value {
    let mut document = entry.journal();
    document["@timestamp"] = date(entry).into();
    document
}

pub fn server(shape: Shape) -> Server {
    let documents: Vec<(i64, Value)> = LINES
        .iter()
        .enumerate()
        .map(|(number, entry)| {
            let hit = json!({"_index": "logs-1", "_id": format!("id{number}"), "_score": null, "_source": (shape.document)(entry),
                "sort": [entry.micros / 1000]});
            (entry.micros / 1000, hit)
        })
        .collect();
    Server::plain(move |request, before| {
        let (path, parameters) = asked(request);
        let Some(path) = path.strip_prefix(&format!("/{}/", shape.index)) else {
            return text("400 Bad Request", r#"{"error":"no handler found for uri","status":400}"#);
        };
        match path {
            "_field_caps" => {
                let wanted: Vec<&str> = parameters["fields"].split(',').collect();
                let mut fields = json!({"@timestamp": {"date": {"type": "date", "aggregatable": true}}});
                for field in shape.fields {
                    assert!(wanted.contains(field), "{field} is not asked for");
                    fields[field] = json!({"keyword": {"type": "keyword", "aggregatable": true}});
                    if let Some(text) = field.strip_suffix(".keyword") {
                        fields[text] = json!({"text": {"type": "text", "aggregatable": false}});
                    }
                }
                held::json(json!({"indices": ["logs-1"], "fields": fields}))
            }
            "_search" => {
                assert!(request.contains("content-type: application/json"), "{request}");
                assert_eq!(parameters["allow_partial_search_results"], "false");
                if shape.fails && before % 3 == 1 {
                    return answer(
                        "503 Service Unavailable",
                        "Retry-After: 0\r\n",
                        "{\"error\":\"no_shard_available\"}",
                    );
                }
                search(shape, &documents, &serde_json::from_str(held::body(request)).expect("JSON"))
            }
            _ => text("404 Not Found", "{\"status\":404}"),
        }
    })
}

fn search(shape: Shape, documents: &[(i64, Value)], query: &Value) -> Vec<u8> {
    let size = usize::try_from(query["size"].as_u64().expect("a size")).expect("a size");
    if size > shape.max_window {
        let why = format!(
            "Result window is too large, from + size must be less than or equal to: [{}] but was [{size}].",
            shape.max_window
        );
        return text(
            "400 Bad Request",
            &json!({"error": {"root_cause": [{"type": "illegal_argument_exception", "reason": why}]}, "status": 400})
                .to_string(),
        );
    }
    let bool = &query["query"]["bool"];
    let clauses = |name: &str| bool[name].as_array().cloned().unwrap_or_default();
    let (filter, must_not) = (clauses("filter"), clauses("must_not"));
    let hits = documents.iter().filter(|(at, hit)| {
        filter.iter().all(|clause| fits(clause, *at, &hit["_source"]))
            && !must_not.iter().any(|clause| fits(clause, *at, &hit["_source"]))
    });
    if let Some(field) = query["aggs"]["units"]["terms"]["field"].as_str() {
        let mut keys: Vec<String> = hits.map(|(_, hit)| value(&hit["_source"], field)).collect();
        keys.sort();
        keys.dedup();
        let buckets: Vec<Value> = keys.iter().map(|key| json!({"key": key, "doc_count": 1})).collect();
        return held::json(
            json!({"took": 1, "timed_out": false, "_shards": {"total": 1, "failed": 0}, "hits": {"hits": []},
            "aggregations": {"units": {"buckets": buckets}}}),
        );
    }
    assert_eq!(query["sort"][0]["@timestamp"]["order"], "asc");
    let hits: Vec<&Value> = hits.take(size).map(|(_, hit)| hit).collect();
    held::json(json!({"took": 1, "timed_out": false, "_shards": {"total": 1, "failed": 0}, "hits": {"hits": hits}}))
}

/// A field's value, nested or flat.
fn value(document: &Value, field: &str) -> String {
    let field = field.strip_suffix(".keyword").unwrap_or(field);
    let nested = || field.split('.').try_fold(document, |inside, key| inside.get(key));
    document.get(field).or_else(nested).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn fits(clause: &Value, at: i64, document: &Value) -> bool {
    if let Some(range) = clause["range"]["@timestamp"].as_object() {
        let millis = |name: &str| {
            DateTime::parse_from_rfc3339(range[name].as_str().expect("a time")).expect("a time").timestamp_millis()
        };
        return (millis("gte")..millis("lt")).contains(&at);
    }
    let (kind, test) = clause.as_object().and_then(|clause| clause.iter().next()).expect("a clause");
    let (field, wanted) = test.as_object().and_then(|test| test.iter().next()).expect("a field");
    let value = value(document, field);
    match kind.as_str() {
        "terms" => wanted.as_array().expect("values").iter().any(|one| *one == value),
        "regexp" => {
            Regex::new(&format!("^(?:{})$", wanted.as_str().expect("a pattern"))).expect("a pattern").is_match(&value)
        }
        kind => panic!("unknown clause {kind}"),
    }
}
