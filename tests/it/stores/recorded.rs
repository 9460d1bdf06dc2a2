//! What real servers answered, byte for byte (Loki 3.7.6, VictoriaLogs 1.26.0), and that the servers of these tests answer like them.

use std::path::Path;

use serde_json::Value;

use super::held::{asked, json, text};
use super::{Form, loki, wrong};
use crate::support::unpacked;
use crate::web::server::Server;

fn recorded(name: &str) -> Vec<u8> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    unpacked(&tests.join(format!("{name}.zst")))
}

fn body(name: &str) -> Vec<u8> {
    json(String::from_utf8(recorded(name)).expect("UTF-8"))
}

/// One slice, so that an answer is all of it.
const SLICE: [&str; 4] = ["--from", "2026-11-23T19:00:00Z", "--to", "2026-11-23T19:05:00Z"];

#[test]
fn lokis_answers_give_the_rows_of_the_plain_logs() {
    let lines = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::plain(move |request, _| match asked(request).0.as_str() {
        "/loki/api/v1/labels" => body("stores/loki-labels.json"),
        "/loki/api/v1/label/unit/values" => body("stores/loki-label-unit-values.json"),
        "/loki/api/v1/query_range" if lines.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 => {
            body("exports/loki-query-range.json")
        }
        "/loki/api/v1/query_range" => body("stores/loki-query_range-none.json"),
        _ => text("404 Not Found", "404 page not found\n"),
    });
    assert_eq!(wrong(&Form { window: SLICE, ..Form::new("recorded", server) }), None);
}

#[test]
fn victorialogs_answers_give_the_rows_of_the_plain_logs() {
    let server = Server::plain(|request, _| {
        let (path, parameters) = asked(request);
        match (path.as_str(), parameters.get("field").map(String::as_str)) {
            ("/select/logsql/stream_field_names", _) => body("stores/victorialogs-stream_field_names.json"),
            ("/select/logsql/field_names", _) => body("stores/victorialogs-field_names.json"),
            ("/select/logsql/field_values", Some("_SYSTEMD_UNIT")) => {
                body("stores/victorialogs-field_values_SYSTEMD_UNIT.json")
            }
            // All lines again, whatever is asked for.
            ("/select/logsql/query", _) => body("stores/victorialogs-query-sorted.ndjson"),
            (path, _) => text("400 Bad Request", &format!("unsupported path requested: {path:?}\n")),
        }
    });
    assert_eq!(wrong(&Form { window: SLICE, ..Form::new("recorded", server) }), None);
}

#[test]
fn the_server_of_these_tests_loses_the_lines_that_the_real_one_loses() {
    // Fails where another test has chosen it, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A stream that is one chunk, whose last lines all have the time at which the query starts.
    let server = loki::server(loki::Quirks { whole_seconds: true, chunk: 10_000, ..Default::default() });
    let count = |answer: &[u8]| {
        let answer: Value = serde_json::from_slice(answer).expect("JSON");
        let streams = answer["data"]["result"].as_array().expect("streams").clone();
        streams.iter().map(|stream| stream["values"].as_array().map_or(0, Vec::len)).sum::<usize>()
    };
    for (start, name, expected) in [
        ("1795460643000000000", "stores/loki-ties-start-exact.json", 0),
        ("1795460642999999999", "stores/loki-ties-start-1ns-before.json", 99),
    ] {
        let query = "%7Bhostname%3D%22worker-2%22%2Cunit%3D%22containerd.service%22%7D";
        let path = format!(
            "/loki/api/v1/query_range?query={query}&start={start}&end=1795461000000000000&limit=5000&direction=forward"
        );
        let answer = reqwest::blocking::get(server.url(&path)).expect("an answer").bytes().expect("a body");
        assert_eq!((count(&recorded(name)), count(&answer)), (expected, expected), "{name}");
    }
}
