//! A VictoriaLogs, as the recorded one answers: rows stream after stream unless they are sorted, times without zeros at their ends, and
//! 400 for paths that it does not know.

use chrono::DateTime;
use regex::Regex;
use serde_json::{Value, json};

use super::Form;
use super::held::{LINES, TOKEN, asked, json as json_answer, text};
use crate::exports::Entry;
use crate::web::server::{Server, answer};

/// A row of an entry.
pub type Row = fn(&Entry) -> Value;

pub fn forms() -> Vec<Form> {
    vec![
        Form::new("from journald", server(journald, false, "")),
        Form::new("an address from a browser", server(journald, false, "")).at("/select/vmui/?#/?query=x"),
        Form::new("Loki's labels", server(pushed, false, "")),
        Form::new("many lines of one time", server(journald, true, "")),
        Form::new(
            "the line in MESSAGE",
            server(
                |entry| {
                    let mut row = journald(entry);
                    row["_msg"] = "missing _msg field; see https://docs.victoriametrics.com/victorialogs/keyconcepts/#message-field".into();
                    row["MESSAGE"] = entry.message.clone().into();
                    row
                },
                false,
                "",
            ),
        ),
        Form::new("a token", server(journald, false, TOKEN)),
        Form::new("a selector", server(journald, false, ""))
            .with(&["--selector", "_SYSTEMD_UNIT=~\"(kubelet|containerd).service\",_HOSTNAME!=\"x\""]),
    ]
}

pub fn journald(entry: &Entry) -> Value {
    let unit = format!("{}.service", entry.unit);
    json!({"_stream": format!("{{_HOSTNAME=\"{}\",_SYSTEMD_UNIT=\"{unit}\"}}", entry.host), "_msg": entry.message,
        "PRIORITY": "6", "SYSLOG_IDENTIFIER": entry.unit, "_HOSTNAME": entry.host, "_PID": entry.pid.to_string(), "_SYSTEMD_UNIT": unit})
}

fn pushed(entry: &Entry) -> Value {
    json!({"_msg": entry.message, "hostname": entry.host, "job": "systemd-journal", "unit": format!("{}.service", entry.unit)})
}

pub fn server(row: Row, whole_seconds: bool, token: &'static str) -> Server {
    let rows: Vec<(i64, Value)> = LINES
        .iter()
        .map(|entry| {
            let micros = if whole_seconds { entry.micros / 1_000_000 * 1_000_000 } else { entry.micros };
            let mut row = row(entry);
            let time =
                DateTime::from_timestamp_micros(micros).expect("a time").format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
            row["_time"] = format!("{}Z", time.trim_end_matches('0').trim_end_matches('.')).into();
            (micros * 1000, row)
        })
        .collect();
    Server::plain(move |request, _| {
        let (path, parameters) = asked(request);
        let Some(path) = path.strip_prefix("/select/logsql/") else {
            return text("400 Bad Request", &format!("unsupported path requested: {path:?}\n"));
        };
        if !token.is_empty() && !request.contains(&format!("authorization: Bearer {token}")) {
            return text("401 Unauthorized", "");
        }
        let values = |mut found: Vec<String>| {
            found.sort();
            found.dedup();
            json_answer(
                json!({"values": found.iter().map(|value| json!({"value": value, "hits": 1})).collect::<Vec<_>>()}),
            )
        };
        match path {
            "stream_field_names" => values(vec!["_HOSTNAME".into(), "_SYSTEMD_UNIT".into()]),
            "field_names" => values(rows[0].1.as_object().expect("a row").keys().cloned().collect()),
            "field_values" => values(
                rows.iter().filter_map(|(_, row)| row[&parameters["field"]].as_str().map(str::to_owned)).collect(),
            ),
            "query" => query(&rows, &parameters["query"]),
            path => text("400 Bad Request", &format!("unsupported path requested: \"/select/logsql/{path}\"\n")),
        }
    })
}

fn query(rows: &[(i64, Value)], query: &str) -> Vec<u8> {
    let shape = Regex::new(r"^(.*) _time:\[(\S+), (\S+)\) \| sort by \(_time\) limit (\d+)$").expect("a pattern");
    let Some(found) = shape.captures(query) else {
        return text("400 Bad Request", &format!("cannot parse query [{query}]\n"));
    };
    let nanos = |text: &str| DateTime::parse_from_rfc3339(text).expect("a time").timestamp_nanos_opt().expect("a time");
    let (from, to) = (nanos(&found[2]), nanos(&found[3]));
    let hits = rows.iter().filter(|(at, row)| (from..to).contains(at) && fits(&found[1], row));
    let lines: Vec<String> =
        hits.take(found[4].parse().expect("a number")).map(|(_, row)| format!("{row}\n")).collect();
    answer("200 OK", "Content-Type: application/stream+json\r\n", lines.concat())
}

/// Whether a row fits filters.
fn fits(filters: &str, row: &Value) -> bool {
    let filter = Regex::new(r#"(!?)(\w+):(in\(([^)]*)\)|=("[^"]*")|~("(?:[^"\\]|\\.)*"))"#).expect("a pattern");
    let mut all = filter.captures_iter(filters).peekable();
    assert!(all.peek().is_some(), "no filter: {filters}");
    all.all(|found| {
        let value = row[&found[2]].as_str().unwrap_or_default();
        let text = |group: usize| -> Option<String> { serde_json::from_str(found.get(group)?.as_str()).ok() };
        let is = if let Some(list) = found.get(4) {
            let list: Vec<String> = serde_json::from_str(&format!("[{}]", list.as_str())).expect("a list");
            list.iter().any(|one| one == value)
        } else if let Some(one) = text(5) {
            one == value
        } else {
            Regex::new(&text(6).expect("a pattern")).expect("a pattern").is_match(value)
        };
        is != (&found[1] == "!")
    })
}
