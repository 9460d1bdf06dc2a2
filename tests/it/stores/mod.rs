//! Log stores that are asked directly: servers that hold the lines of two machines and answer as the recorded ones do, with their
//! quirks. The rows are those of the plain logs, whatever a server caps, cuts, repeats or refuses.

pub mod elasticsearch;
mod held;
pub mod loki;
mod recorded;
pub mod victorialogs;

use std::process::{Command, Output};

use podlag::internals::stores::STORES;
use serde_json::Value;

use crate::exports::{two_machines, without_text};
use crate::support::{podlag, startups};
use crate::web::server::Server;

/// A kind of server: its name, and its forms, each with what it is told beside the address.
struct StandIn {
    store: &'static str,
    forms: fn() -> Vec<Form>,
}

/// A form of a server.
pub struct Form {
    name: &'static str,
    server: Server,
    path: &'static str,
    arguments: Vec<&'static str>,
    window: [&'static str; 4],
}

impl Form {
    fn new(name: &'static str, server: Server) -> Self {
        Form { name, server, path: "", arguments: Vec::new(), window: WINDOW }
    }

    fn at(self, path: &'static str) -> Self {
        Form { path, ..self }
    }

    fn with(self, arguments: &[&'static str]) -> Self {
        Form { arguments: arguments.to_vec(), ..self }
    }
}

const STAND_INS: &[StandIn] = &[
    StandIn { store: "Loki", forms: loki::forms },
    StandIn { store: "VictoriaLogs", forms: victorialogs::forms },
    StandIn { store: "Elasticsearch", forms: elasticsearch::forms },
];

/// The time that the lines are of.
pub const WINDOW: [&str; 4] = ["--from", "2026-11-23T19:00:00Z", "--to", "2026-11-23T19:10:00Z"];

fn asking(url: &str, window: [&str; 4]) -> Command {
    let mut command = podlag();
    command.arg(url).args(window).args(["--proxy", "", "--format", "json"]).env("PODLAG_TOKEN", held::TOKEN);
    command
}

fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a report")
}

/// What is wrong with the rows of a server, in words.
fn wrong(form: &Form) -> Option<String> {
    let output = asking(&form.server.url(form.path), form.window).args(&form.arguments).output().expect("podlag runs");
    if !output.status.success() {
        return Some(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let report = report(&output);
    let mut found: Vec<String> = without_text(startups(&report)).iter().map(Value::to_string).collect();
    found.sort();
    let said = &report["coverage"]["source_errors"];
    let counted = report["coverage"]["duplicate_records"].as_u64();
    (found != two_machines() || said.as_array().is_none_or(|said| !said.is_empty()) || counted != Some(0))
        .then(|| format!("{} rows, {counted:?} duplicates, {said}", found.len()))
}

#[test]
fn every_store_has_a_server_that_stands_for_it() {
    let stores: Vec<&str> = STORES.iter().map(|store| store.name).collect();
    let stand_ins: Vec<&str> = STAND_INS.iter().map(|one| one.store).collect();
    assert_eq!(stores, stand_ins, "a row of `STORES` and one of `STAND_INS` (tests/it/stores) belong together");
}

#[test]
fn each_store_gives_the_rows_of_the_plain_logs() {
    let wrong: Vec<String> = STAND_INS.iter().filter_map(|one| wrong((one.forms)().first()?)).collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn a_store_that_cannot_be_asked_says_what_to_do() {
    let says = |server: &Server, arguments: &[&str], words: &[&str]| {
        let mut command = asking(&server.url(""), WINDOW);
        let output = command.args(["--retries", "0"]).args(arguments).output().expect("podlag runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
        assert!(!said.contains(held::TOKEN), "{said}");
    };
    says(
        &loki::server(loki::Quirks { tenant: true, ..Default::default() }),
        &[],
        &["no org id", "X-Scope-OrgID: TENANT"],
    );
    says(
        &loki::server(loki::Quirks { token: "other", ..Default::default() }),
        &[],
        &["401", "the server rejected the token"],
    );
    says(
        &loki::server(loki::Quirks { labels: loki::Labels::Useless, ..Default::default() }),
        &[],
        &["no label of this Loki names the units", "its labels are service_name, job, node", "--selector"],
    );
    says(&loki::server(loki::Quirks::default()), &["--selector", "unit=\"x"], &["--selector", "a quote is not closed"]);
    says(
        &loki::server(loki::Quirks::default()),
        &["--selector", "unit=\"nosuch\""],
        &["it has no such lines from 2026-11-23"],
    );
    says(&elasticsearch::without_time(), &[], &["no index here has the field @timestamp", "/INDEX"]);
}

#[test]
fn answers_that_make_no_sense_are_told_in_one_line() {
    let labels = |answers: &'static str| {
        Server::plain(move |request, _| match held::asked(request).0.as_str() {
            "/loki/api/v1/labels" => held::json("{\"status\":\"success\",\"data\":[\"unit\"]}"),
            "/loki/api/v1/label/unit/values" => held::json("{\"status\":\"success\",\"data\":[\"kubelet\"]}"),
            "/loki/api/v1/query_range" => held::json(answers),
            _ => held::text("404 Not Found", "404 page not found\n"),
        })
    };
    for answers in [
        "",
        "{}",
        "[]",
        "{\"data\":{\"result\":[{\"stream\":{},\"values\":[[\"1\"]]}]}}",
        "{\"data\":{\"result\":[{\"stream\":{},\"values\":[[\"x\",\"y\"]]}]}}",
        "{\"data\":{\"result\":[{\"stream\":{},\"values\":[[\"99999999999999999999\",\"y\"]]}]}}",
        "{\"data\":{\"result\":[{\"stream\":\"\u{1b}[2J\",\"values\":[[1,2]]}]}}",
        "<html>",
    ] {
        let output = asking(&labels(answers).url(""), WINDOW).output().expect("podlag runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(
            said.contains("not a log store's JSON") && said.contains("nothing was read after"),
            "{answers}: {said}"
        );
        assert!(!said.contains("panicked") && !said.contains('\u{1b}'), "{answers}: {said}");
    }
}

#[test]
fn more_lines_of_one_time_than_a_page_holds_are_told() {
    let server = loki::server(loki::Quirks { whole_seconds: true, cap: 100, ..Default::default() });
    // Few lines are left: there may be no startup.
    let output = asking(&server.url(""), WINDOW).output().expect("podlag runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("lines have the time 2026-11-23T19:0") && said.contains("may be missing"), "{said}");
}

#[test]
fn what_was_read_before_a_server_fails_is_reported() {
    let server = loki::server(loki::Quirks { fails_after: Some(4), cap: 1000, ..Default::default() });
    let output = asking(&server.url(""), WINDOW).args(["--retries", "0"]).output().expect("podlag runs");
    let report = report(&output);
    assert!(!startups(&report).is_empty());
    assert_eq!(report["coverage"]["unread_sources"], 1, "{}", report["coverage"]);
    let said = report["coverage"]["source_errors"].to_string();
    assert!(said.contains("nothing was read after 2026-11-23T19:0") && said.contains("500"), "{said}");
}

#[test]
fn only_wanted_lines_are_fetched() {
    let server = loki::server(loki::Quirks::default());
    report(&asking(&server.url(""), WINDOW).output().expect("podlag runs"));
    let seen = server.seen();
    let queries: Vec<_> = seen.iter().filter(|request| request.contains("/query_range")).collect();
    assert!(!queries.is_empty());
    for query in queries {
        let query = loki::parameters(query)["query"].clone();
        assert!(query.starts_with(r#"{unit=~"containerd\\.service|kubelet\\.service"} |~ "#), "{query}");
        assert!(query.contains("Observed pod startup duration"), "{query}");
    }
}

mod slow {
    use super::*;

    #[test]
    fn every_form_of_a_server_gives_the_rows_of_the_plain_logs() {
        let mut all = Vec::new();
        for StandIn { store, forms } in STAND_INS {
            for form in forms() {
                all.extend(wrong(&form).map(|wrong| format!("{store}, {}: {wrong}", form.name)));
            }
        }
        assert!(all.is_empty(), "{}", all.join("\n"));
    }
}
