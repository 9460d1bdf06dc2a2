//! The ways, each as its store or tool writes it.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};

/// What a program wrote at once.
#[derive(Clone)]
pub struct Entry {
    pub micros: i64,
    pub host: &'static str,
    pub unit: &'static str,
    pub pid: u32,
    pub message: String,
}

/// Writes entries in a way.
pub type Way = fn(&[Entry]) -> String;

/// When a line was written, in microseconds since 1970.
pub fn written(line: &str) -> Option<i64> {
    if let Some(date) = line.strip_prefix("time=\"") {
        return Some(DateTime::parse_from_rfc3339(date.split('"').next()?).ok()?.timestamp_micros());
    }
    let date = format!("2026{}", line.get(1..21)?);
    Some(NaiveDateTime::parse_from_str(&date, "%Y%m%d %H:%M:%S%.6f").ok()?.and_utc().timestamp_micros())
}

impl Entry {
    fn date(&self) -> String {
        let time: DateTime<Utc> = DateTime::from_timestamp_micros(self.micros).expect("a time");
        time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }

    fn service(&self) -> String {
        format!("{}.service", self.unit)
    }

    fn stream(&self) -> String {
        format!("{}-dataplane.systemd.{}", self.host, self.service())
    }

    /// As `journalctl -o json` and Fluent Bit have it.
    pub fn journal(&self) -> Value {
        json!({"_HOSTNAME": self.host, "PRIORITY": "6", "SYSLOG_IDENTIFIER": self.unit, "_SYSTEMD_UNIT": self.service(),
            "_PID": self.pid.to_string(), "__REALTIME_TIMESTAMP": self.micros.to_string(), "MESSAGE": self.message})
    }

    fn labels(&self) -> Value {
        json!({"unit": self.service(), "nodename": self.host, "job": "systemd-journal"})
    }

    fn nanos(&self) -> String {
        (self.micros * 1000).to_string()
    }

    fn seconds(&self) -> String {
        format!("{}.{:06}", self.micros / 1_000_000, self.micros % 1_000_000)
    }
}

/// Each entry by itself, one after the other.
fn each(all: &[Entry], write: impl FnMut(&Entry) -> String) -> String {
    all.iter().map(write).collect()
}

fn lines(all: &[Entry], record: fn(&Entry) -> Value) -> String {
    each(all, |entry| format!("{}\n", record(entry)))
}

fn list(all: &[Entry], record: fn(&Entry) -> Value) -> Value {
    all.iter().map(record).collect()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON") + "\n"
}

/// Streams by unit, as Loki answers.
fn streams(all: &[Entry], value: fn(&Entry) -> Value) -> Value {
    let stream = |unit: &str| {
        let of: Vec<&Entry> = all.iter().filter(|entry| entry.unit == unit).collect();
        json!({"stream": of.first().map(|entry| entry.labels()), "values": of.into_iter().map(value).collect::<Value>()})
    };
    [stream("kubelet"), stream("containerd")].into_iter().collect()
}

fn query_range(all: &[Entry], value: fn(&Entry) -> Value) -> Value {
    json!({"status": "success", "data": {"resultType": "streams", "result": streams(all, value), "stats": {"summary": {"x": 1}}}})
}

fn csv(separator: &str, head: &str, all: &[Entry], row: impl Fn(&Entry) -> Vec<String>) -> String {
    let quote = |field: String| {
        if field.contains(['"', '\n', ',', ';']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
    };
    let rows = each(all, |entry| row(entry).into_iter().map(quote).collect::<Vec<_>>().join(separator) + "\n");
    format!("{head}\n{rows}")
}

fn otlp(entry: &Entry) -> Value {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    json!({"resourceLogs": [{"resource": {"attributes": [text("host.name", entry.host)]}, "scopeLogs": [{"scope": {}, "logRecords": [{
        "timeUnixNano": entry.nanos(), "body": {"kvlistValue": {"values": [text("MESSAGE", &entry.message),
        text("_SYSTEMD_UNIT", &entry.service()), text("_PID", &entry.pid.to_string())]}}}]}]}]})
}

/// A line as YAML folds it: in single quotes, broken at blanks.
fn folded(text: &str) -> String {
    let (mut folded, mut width) = (String::new(), 0);
    let text = text.replace('\'', "''");
    let bytes = text.as_bytes();
    for (at, char) in text.char_indices() {
        let alone =
            char == ' ' && at > 0 && bytes[at - 1] != b' ' && bytes.get(at + 1).is_some_and(|next| *next != b' ');
        if alone && width > 70 {
            folded.push_str("\n    ");
            width = 0;
        } else if char == '\n' {
            folded.push_str("\n\n    ");
            width = 0;
        } else {
            folded.push(char);
            width += 1;
        }
    }
    format!("'{folded}'")
}

fn plain(all: &[Entry], by: fn(&str) -> String) -> String {
    each(all, |entry| by(&entry.message) + "\n")
}

/// Fields without any escape.
fn unescaped(entry: &Entry, [open, arrow, close, between]: [&str; 4]) -> String {
    let fields =
        [("_HOSTNAME", entry.host), ("SYSLOG_IDENTIFIER", entry.unit), ("_PID", "901"), ("MESSAGE", &entry.message)];
    let fields = fields.map(|(key, value)| format!("{open}{key}{arrow}{value}{close}"));
    fields.join(between)
}

/// All of them.
pub const WAYS: &[(&str, Way)] = &[
    ("journal", |all| {
        each(all, |e| format!("{} {} {}[{}]: {}\n", e.date(), e.host, e.unit, e.pid, e.message.replace('\n', "\n    ")))
    }),
    ("journal export", |all| {
        each(all, |e| {
            let fields = format!("__REALTIME_TIMESTAMP={}\n_HOSTNAME={}\nPRIORITY=6\n", e.micros, e.host);
            let unit = format!("SYSLOG_IDENTIFIER={}\n_SYSTEMD_UNIT={}\n_PID={}\n", e.unit, e.service(), e.pid);
            format!("__CURSOR=s=1;i={:x}\n{fields}{unit}MESSAGE={}\n\n", e.micros, e.message)
        })
    }),
    ("journal JSON", |all| lines(all, Entry::journal)),
    ("journal JSON, pretty", |all| each(all, |e| pretty(&e.journal()))),
    ("journal-gatewayd json-seq", |all| each(all, |e| format!("\u{1e}{}\n", e.journal()))),
    ("journal-gatewayd event stream", |all| each(all, |e| format!("data: {}\n\n", e.journal()))),
    ("JSON array", |all| list(all, Entry::journal).to_string()),
    ("JSON array, pretty", |all| pretty(&list(all, Entry::journal))),
    ("JSON without line ends", |all| each(all, |e| e.journal().to_string())),
    ("JSON arrays, one a flush", |all| {
        all.chunks(50).map(|all| list(all, Entry::journal).to_string() + "\n").collect()
    }),
    ("Loki query_range", |all| query_range(all, |e| json!([e.nanos(), e.message])).to_string()),
    ("Loki query_range, pretty", |all| pretty(&query_range(all, |e| json!([e.nanos(), e.message])))),
    ("Loki with structured metadata", |all| {
        query_range(all, |e| json!([e.nanos(), e.message, {"structuredMetadata": {"pid": e.pid.to_string()}}]))
            .to_string()
    }),
    ("Loki with JSON lines", |all| query_range(all, |e| json!([e.nanos(), e.journal().to_string()])).to_string()),
    ("Loki pages, one after the other", |all| {
        all.chunks(400).map(|page| query_range(page, |e| json!([e.nanos(), e.message])).to_string()).collect()
    }),
    ("Loki's old API", |all| {
        let entries = list(all, |e| json!({"ts": e.date(), "line": e.message}));
        json!({"streams": [{"labels": "{nodename=\"worker-1\", job=\"x\"}", "entries": entries}]}).to_string()
    }),
    ("Loki push", |all| json!({"streams": streams(all, |e| json!([e.nanos(), e.message]))}).to_string()),
    ("Loki push of key_value", |all| {
        json!({"streams": streams(all, |e| json!([e.nanos(), unescaped(e, ["", "=\"", "\"", " "])]))}).to_string()
    }),
    ("logcli jsonl", |all| lines(all, |e| json!({"labels": e.labels(), "line": e.message, "timestamp": e.date()}))),
    ("logcli jsonl with JSON lines", |all| {
        lines(all, |e| json!({"labels": e.labels(), "line": e.journal().to_string(), "timestamp": e.date()}))
    }),
    ("logcli default", |all| {
        each(all, |e| {
            format!("{}Z {{nodename=\"{}\", unit=\"{}\"}}   {}\n", &e.date()[..19], e.host, e.service(), e.message)
        })
    }),
    ("logcli raw", |all| plain(all, str::to_owned)),
    ("Grafana JSON", |all| {
        pretty(&list(
            all,
            |e| json!({"line": e.message, "timestamp": e.nanos(), "date": e.date(), "fields": e.labels()}),
        ))
    }),
    // Keys in Grafana's order, by which it is known.
    ("Grafana data frames", |all| {
        let frame = |all: &[Entry]| {
            let fields = ["labels", "Time", "Line", "tsNs"].map(|name| json!({"name": name, "type": "other"}));
            let columns = json!([
                list(all, Entry::labels),
                list(all, |e| (e.micros / 1000).into()),
                list(all, |e| e.message.clone().into()),
                list(all, |e| e.nanos().into())
            ]);
            format!(r#"{{"schema":{{"refId":"A","fields":{}}},"data":{{"values":{columns}}}}}"#, json!(fields))
        };
        let frames: Vec<String> = all.chunks(300).map(frame).collect();
        format!(r#"{{"results":{{"A":{{"status":200,"frames":[{}]}}}}}}"#, frames.join(","))
    }),
    ("Grafana panel data", |all| {
        let time = json!({"name": "Time", "config": {}, "values": list(all, |e| (e.micros / 1000).into())});
        let line = list(all, |e| e.message.clone().into());
        let line = json!({"name": "Line", "labels": {"nodename": "worker-1"}, "values": line});
        format!(
            "{{\n  \"state\": \"Done\",\n  \"series\": [{{\"refId\": \"A\", \"fields\": [{time}, {}]}}]\n}}\n",
            pretty(&line)
        )
    }),
    ("Grafana CSV", |all| {
        csv(",", "\"labels\",\"Time\",\"Line\",\"tsNs\"", all, |e| {
            vec![e.labels().to_string(), (e.micros / 1000).to_string(), e.message.clone(), e.nanos()]
        })
    }),
    ("VictoriaLogs", |all| {
        lines(all, |e| json!({"_time": e.date(), "_msg": e.message, "_HOSTNAME": e.host, "_PID": e.pid.to_string()}))
    }),
    ("VictoriaLogs, host in _stream", |all| {
        lines(
            all,
            |e| json!({"_time": e.date(), "_stream": format!("{{_HOSTNAME=\"{}\"}}", e.host), "_msg": e.message}),
        )
    }),
    ("VictoriaLogs with its stopgap", |all| {
        lines(
            all,
            |e| json!({"_msg": "missing _msg field; see https://docs", "MESSAGE": e.message, "hostname": e.host}),
        )
    }),
    ("Elasticsearch hits", |all| {
        let hits = list(all, |e| {
            json!({"_index": "x", "_source": {"@timestamp": e.date(), "message": e.message,
            "host": {"hostname": e.host}, "systemd": {"unit": e.service()}, "journald": {"pid": e.pid}}, "sort": [1]})
        });
        json!({"took": 3, "_shards": {"total": 1}, "hits": {"total": {"value": 1}, "hits": hits}}).to_string()
    }),
    ("Elasticsearch hits, pretty, in pages", |all| {
        all.chunks(300)
            .map(|page| {
                let hits = list(page, |e| json!({"_source": {"message": e.message, "host.name": e.host}}));
                pretty(&json!({"took": 3, "hits": {"hits": hits}}))
            })
            .collect()
    }),
    ("Elasticsearch fields", |all| {
        let hits = list(all, |e| json!({"_id": "x", "fields": {"message": [e.message], "host.hostname": [e.host]}}));
        json!({"hits": {"hits": hits}}).to_string()
    }),
    ("elasticdump", |all| {
        lines(all, |e| json!({"_index": "x", "_source": {"message": e.message, "host": {"name": e.host}}}))
    }),
    ("Elasticsearch bulk", |all| each(all, |e| format!("{{\"create\":{{\"_index\":\"x\"}}}}\n{}\n", e.journal()))),
    ("filebeat, dotted", |all| {
        lines(
            all,
            |e| json!({"@timestamp": e.date(), "message": e.message, "host.hostname": e.host, "process.pid": e.pid}),
        )
    }),
    ("Kibana CSV", |all| {
        csv(",", "\"@timestamp\",\"host.hostname\",message", all, |e| {
            vec!["Nov 23, 2026 @ 19:01:00.000".into(), e.host.into(), e.message.clone()]
        })
    }),
    ("CloudWatch filter-log-events", |all| {
        let events = list(all, |e| {
            json!({"logStreamName": e.stream(), "timestamp": e.micros / 1000, "eventId": "1",
            "message": json!({"hostname": e.host, "systemd_unit": e.service(), "message": e.message}).to_string()})
        });
        pretty(&json!({"events": events, "searchedLogStreams": [], "nextToken": "x"}))
    }),
    ("CloudWatch get-log-events, lines alone", |all| {
        pretty(
            &json!({"events": list(all, |e| json!({"timestamp": e.micros / 1000, "message": e.message, "ingestionTime": 1})),
            "nextForwardToken": "f/1"}),
        )
    }),
    ("CloudWatch Insights", |all| {
        let field = |name: &str, value: String| json!({"field": name, "value": value});
        let rows: Value = all
            .iter()
            .map(|e| {
                json!([
                    field("@timestamp", e.date().replace('T', " ")),
                    field("@message", e.message.clone()),
                    field("@logStream", e.stream())
                ])
            })
            .collect();
        json!({"results": rows, "status": "Complete"}).to_string()
    }),
    ("CloudWatch export to S3", |all| {
        each(all, |e| format!("{} {}\n", e.date(), json!({"hostname": e.host, "message": e.message})))
    }),
    ("aws logs tail", |all| {
        each(all, |e| format!("{} {} {}\n", e.date(), e.stream(), json!({"hostname": e.host, "message": e.message})))
    }),
    ("CloudWatch subscription", |all| {
        all.chunks(100)
            .map(|page| {
                let events = list(page, |e| json!({"id": "1", "timestamp": e.micros / 1000, "message": e.message}));
                json!({"messageType": "DATA_MESSAGE", "logStream": page[0].stream(), "logEvents": events}).to_string()
            })
            .collect()
    }),
    ("gcloud JSON", |all| {
        pretty(&list(all, |e| {
            json!({"insertId": "1", "jsonPayload": e.journal(), "logName": "projects/p/logs/kubelet",
            "resource": {"labels": {"node_name": e.host}, "type": "k8s_node"}, "timestamp": e.date()})
        }))
    }),
    ("gcloud YAML", |all| {
        let documents = all.iter().map(|e| {
            let message = folded(&e.message);
            format!(
                "insertId: 1a\njsonPayload:\n  MESSAGE: {message}\n  _HOSTNAME: {}\ntimestamp: '{}'\n",
                e.host,
                e.date()
            )
        });
        documents.collect::<Vec<_>>().join("---\n")
    }),
    ("YAML list", |all| each(all, |e| format!("- host: {}\n  message: {}\n", e.host, folded(&e.message)))),
    ("Cloud Storage", |all| {
        lines(
            all,
            |e| json!({"textPayload": e.message, "resource": {"labels": {"node_name": e.host}}, "timestamp": e.date()}),
        )
    }),
    ("Azure CLI", |all| {
        pretty(&list(all, |e| {
            json!({"Computer": e.host, "EventTime": e.date(), "ProcessName": e.unit,
            "ProcessID": e.pid.to_string(), "SyslogMessage": e.message, "TableName": "PrimaryResult"})
        }))
    }),
    ("Log Analytics API", |all| {
        let columns =
            json!([{"name": "TimeGenerated", "type": "datetime"}, {"name": "Computer"}, {"name": "SyslogMessage"}]);
        let rows = list(all, |e| json!([e.date(), e.host, e.message]));
        json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}).to_string()
    }),
    ("Azure CSV", |all| {
        csv(",", "TimeGenerated [UTC],Computer,SyslogMessage", all, |e| {
            vec![e.date(), e.host.into(), e.message.clone()]
        })
    }),
    ("Splunk export", |all| {
        lines(all, |e| json!({"preview": false, "result": {"_raw": e.message, "_time": e.date(), "host": e.host}}))
    }),
    ("Splunk collector", |all| {
        each(all, |e| json!({"time": e.micros / 1_000_000, "host": e.host, "event": e.journal()}).to_string())
    }),
    ("Splunk CSV", |all| {
        csv(",", "\"_raw\",\"_time\",host", all, |e| vec![e.message.clone(), e.date(), e.host.into()])
    }),
    ("Datadog API", |all| {
        let data = list(all, |e| {
            json!({"id": "1", "type": "log", "attributes": {"host": e.host, "message": e.message,
            "timestamp": e.date(), "service": e.unit}})
        });
        json!({"meta": {"status": "done"}, "data": data}).to_string()
    }),
    ("Datadog CSV", |all| {
        csv(",", "Date,Host,Service,Message", all, |e| vec![e.date(), e.host.into(), e.unit.into(), e.message.clone()])
    }),
    ("Graylog CSV", |all| {
        csv(",", "\"timestamp\",\"source\",\"message\"", all, |e| vec![e.date(), e.host.into(), e.message.clone()])
    }),
    ("Graylog search", |all| {
        let found = list(
            all,
            |e| json!({"message": {"message": e.message, "source": e.host, "timestamp": e.date()}, "index": "x"}),
        );
        json!({"query": "*", "messages": found}).to_string()
    }),
    ("GELF", |all| {
        lines(
            all,
            |e| json!({"version": "1.1", "host": e.host, "short_message": e.message, "timestamp": e.micros / 1_000_000}),
        )
    }),
    ("Fluent Bit file", |all| each(all, |e| format!("host.{}: [{}000, {}]\n", e.service(), e.seconds(), e.journal()))),
    ("Fluent Bit stdout", |all| {
        let record = |e: &Entry| unescaped(e, ["\"", "\"=>\"", "\"", ", "]);
        let mut text = String::new();
        for (number, e) in all.iter().enumerate() {
            let _ = writeln!(text, "[{number}] host.x: [[{}000, {{}}], {{{}}}]", e.seconds(), record(e));
        }
        text
    }),
    ("Fluent Bit LTSV", |all| {
        each(all, |e| format!("\"time\":{}\t{}\n", e.seconds(), unescaped(e, ["\"", "\":\"", "\"", "\t"])))
    }),
    ("Fluent Bit CSV", |all| {
        each(all, |e| format!("{}000,\"{}\",\"{}\",\"{}\"\n", e.seconds(), e.host, e.unit, e.message))
    }),
    ("Fluent Bit template", |all| each(all, |e| format!("{} {} {} {}\n", e.seconds(), e.host, e.service(), e.message))),
    ("fluentd file", |all| each(all, |e| format!("{}\tnode.{}\t{}\n", e.date(), e.unit, e.journal()))),
    ("Vector", |all| {
        lines(all, |e| {
            json!({"host": e.host, "message": e.message, "source_type": "journald", "timestamp": e.date(),
            "_PID": e.pid.to_string()})
        })
    }),
    ("OpenTelemetry lines", |all| lines(all, otlp)),
    ("OpenTelemetry, pretty, the line as body", |all| {
        let records = list(all, |e| json!({"timeUnixNano": e.nanos(), "body": {"stringValue": e.message}}));
        pretty(&json!({"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": records}]}]}))
    }),
    ("CSV with semicolons", |all| csv(";", "Message;Host", all, |e| vec![e.message.clone(), e.host.into()])),
    ("TSV", |all| csv("\t", "host\tmessage\ttime", all, |e| vec![e.host.into(), e.message.clone(), e.date()])),
    ("tabs without names", |all| each(all, |e| format!("{}\t{}\t{}\n", e.date(), e.host, e.message))),
    ("rows of CSV without names", |all| {
        csv(",", "", all, |e| vec![e.date(), format!("{}, {}", e.host, e.unit), e.message.clone()])
    }),
    ("klog in logrus", |all| {
        each(all, |e| match e.unit {
            "kubelet" => format!(
                "time=\"{}\" level=info msg={} component=kubelet stream=stderr\n",
                e.date()[..19].replace('T', " "),
                Value::from(&*e.message)
            ),
            _ => format!("{}\n", e.message),
        })
    }),
    ("Docker", |all| lines(all, |e| json!({"log": format!("{}\n", e.message), "stream": "stderr", "time": e.date()}))),
    ("HTML", |all| {
        plain(all, |line| {
            let line = line.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
            line.replace('\'', "&#39;")
        })
    }),
    ("Markdown", |all| {
        plain(all, |line| {
            let mut text = String::new();
            for char in line.chars() {
                if "_*[]".contains(char) {
                    text.push('\\');
                }
                text.push(char);
            }
            text
        })
    }),
    ("smart quotes", |all| {
        plain(all, |line| {
            let (mut text, mut open) = (String::new(), false);
            for char in line.chars() {
                open ^= char == '"';
                text.push(if char != '"' {
                    char
                } else if open {
                    '\u{201c}'
                } else {
                    '\u{201d}'
                });
            }
            text
        })
    }),
    ("no-break spaces", |all| plain(all, |line| line.replace(' ', "\u{a0}"))),
];
