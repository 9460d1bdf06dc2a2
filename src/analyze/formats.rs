//! Formats that are no logs, by their first bytes.
//!
//! To add a format: a row in [`INPUTS`], and the file that reads it.

use std::io::Read;

use memchr::memmem;

use super::objects::Form;
use crate::input::{OpenSource, has_first_key};
use crate::metrics::exposition::is_exposition;
use crate::model::error::Error;
use crate::model::object_text;
use crate::table::{ImportedRuns, PAGE_MARK, Store, read_page, read_report, read_rows};

/// A format that is not a log.
pub(super) struct Input {
    /// Whether a stream that begins with these bytes (at most 8 KiB) has it.
    sniff: fn(&[u8]) -> bool,
    pub(super) read: Reader,
}

/// What reads a format.
#[derive(Clone, Copy)]
pub(super) enum Reader {
    /// API objects, which are read before anything else: rows are given the workloads of their pods.
    Objects(Form),
    /// A Parquet table: a file, for it is not read from its beginning to its end.
    Parquet,
    /// Startups.
    Rows(fn(Bytes, &mut Store, &mut ImportedRuns) -> Result<(), Error>),
    /// Metrics.
    Metrics,
    /// A saved response of the Prometheus API.
    ApiResponse,
}

pub(super) type Bytes = Box<dyn Read + Send>;

/// All of them; the first whose `sniff` holds counts. Everything else is a log.
const INPUTS: &[Input] = &[
    Input { sniff: |head| head.starts_with(b"PAR1"), read: Reader::Parquet },
    Input { sniff: is_report, read: Reader::Rows(read_report) },
    Input { sniff: is_rows, read: Reader::Rows(read_rows) },
    Input { sniff: is_objects, read: Reader::Objects(Form::Json) },
    Input { sniff: is_yaml_objects, read: Reader::Objects(Form::Yaml) },
    Input { sniff: object_text::is_text, read: Reader::Objects(Form::Text) },
    Input { sniff: is_page, read: Reader::Rows(read_page) },
    Input { sniff: is_api_response, read: Reader::ApiResponse },
    Input { sniff: is_exposition, read: Reader::Metrics },
];

/// A report in JSON. Its second key is first where a tool has sorted the keys.
fn is_report(head: &[u8]) -> bool {
    has_first_key(head, "podlag_report") || has_first_key(head, "anomaly_meanings")
}

/// Rows of a report, a JSON object per line.
fn is_rows(head: &[u8]) -> bool {
    has_first_key(head, "podlag_metrics")
        || has_first_key(head, "node") && memmem::find(head, b"\"kubelet_version\"").is_some()
}

/// API objects in JSON, as `kubectl get -o json` prints them.
fn is_objects(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    // An array of them.
    let head = head.strip_prefix(b"[").unwrap_or(head);
    ["apiVersion", "kind", "items"].iter().any(|key| has_first_key(head, key))
        // An item of a list as the API server sends it, without its kind; a tool may have sorted an event's keys.
        || has_first_key(head, "metadata") && memmem::find(head, b"\"creationTimestamp\"").is_some()
        || ["action", "count", "deprecatedCount", "eventTime"].iter().any(|key| has_first_key(head, key))
            && [&b"\"involvedObject\":"[..], b"\"regarding\":"].iter().any(|key| memmem::find(head, key).is_some())
        // A watch event.
        || (has_first_key(head, "type") || has_first_key(head, "object"))
            && [&b"\"object\""[..], b"\"apiVersion\""].iter().all(|key| memmem::find(head, key).is_some())
}

/// API objects in YAML, as `kubectl get -o yaml` prints them.
fn is_yaml_objects(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let head = head.strip_prefix(b"---").map_or(head, <[u8]>::trim_ascii_start);
    let begins = |key: &str| head.starts_with(key.as_bytes());
    // A watch event wraps its object.
    begins("apiVersion: ")
        || begins("kind: ") && memmem::find(head, b"\napiVersion: ").is_some()
        || begins("object:") && memmem::find(head, b"\n  apiVersion: ").is_some()
        || begins("items:") && memmem::find(head, b"- apiVersion: ").is_some()
}

/// A response of the Prometheus API to a query.
fn is_api_response(head: &[u8]) -> bool {
    has_first_key(head, "status")
        && memmem::find(head, b"\"resultType\"").is_some()
        // Loki's, of log lines.
        && memmem::find(head, b"\"streams\"").is_none()
}

/// A report as a page.
fn is_page(head: &[u8]) -> bool {
    memmem::find(head, PAGE_MARK.as_bytes()).is_some()
}

impl Input {
    /// The format of a source; `None` for logs.
    pub(super) fn detect(opened: &mut OpenSource) -> Option<&'static Self> {
        if opened.unreadable.is_some() || opened.is_journal() {
            return None;
        }
        let head = opened.text_head();
        INPUTS.iter().find(|input| (input.sniff)(&head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(head: &[u8]) -> Vec<usize> {
        INPUTS.iter().enumerate().filter(|(_, input)| (input.sniff)(head)).map(|(at, _)| at).collect()
    }

    #[test]
    fn each_format_is_known_by_its_first_bytes_and_no_log_is() {
        let heads: [&[u8]; 9] = [
            b"PAR1\x15\0",
            b"{\n  \"podlag_report\": 1,",
            b"{\"podlag_metrics\": 1}",
            b"{\"apiVersion\": \"v1\", \"items\": [",
            b"---\napiVersion: v1\nitems:\n- apiVersion: v1\n",
            b"Name:   web\nNamespace:   shop\nNode:   n1/10.0.0.1\n",
            b"<!doctype html><html><head><meta name=\"generator\" content=\"podlag\">",
            b"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[",
            b"# HELP up Text.\n# TYPE up gauge\n",
        ];
        assert_eq!(heads.len(), INPUTS.len());
        for (at, head) in heads.iter().enumerate() {
            assert_eq!(formats(head), [at], "{:?}", String::from_utf8_lossy(head));
        }
        for yaml in ["object:\n  apiVersion: v1\n", "kind: Pod\napiVersion: v1\n", "items:\n- apiVersion: v1\n"] {
            assert_eq!(formats(yaml.as_bytes()), [4], "{yaml}");
        }
        let item = b"[\n  {\n    \"metadata\": {\"name\": \"a\", \"creationTimestamp\": \"2026-11-28T22:50:37Z\"";
        assert_eq!(formats(item), [3]);
        assert_eq!(formats(b"{\"node\": \"n\", \"kubelet_version\": \"1.34\"}"), [2]);
        for log in [
            &b"{\"ts\":1795460400362.1,\"msg\":\"apiVersion\"}"[..],
            b"I1123 18:59:27.586186 77 kubelet.go:2421] \"SyncLoop ADD\"",
            b"",
        ] {
            assert_eq!(formats(log), [0; 0]);
        }
    }
}
