//! Logs of nodes, by log queries and as files.

use std::sync::Arc;

use chrono::DateTime;
use serde_json::{Value, json};

use super::{Place, by_pod, said, said_all};
use crate::cluster::api::{Reply, Request};
use crate::exports::ways::written;
use crate::support::{lines, podlag, samples, unpacked};

/// Times around those of the sample.
pub(super) const WINDOW: &str = "--from 2026-11-23T18:30:00Z --to 2026-11-23T19:30:00Z";
pub(super) const LOGS: [&str; 2] = ["kubelet.log", "containerd.log"];

/// A node that starts a sample's pods.
pub(super) struct Node {
    pub(super) name: String,
    files: [Vec<u8>; 2],
    /// The lines of both with their times, as the journal has them.
    entries: Vec<(i64, &'static str, String)>,
}

impl Node {
    pub(super) fn load() -> Arc<Self> {
        let files = LOGS.map(|name| unpacked(&samples().join(format!("s02-pull-serial/in/{name}.zst"))));
        let mut entries = Vec::new();
        for (unit, file) in ["kubelet", "containerd"].into_iter().zip(&files) {
            let mut last = 0;
            for line in String::from_utf8_lossy(file).lines() {
                last = written(line).unwrap_or(last);
                entries.push((last, unit, line.to_owned()));
            }
        }
        entries.sort_by_key(|(micros, ..)| *micros);
        let mut node = Node { name: String::new(), files, entries };
        node.name = node.expected(&LOGS)[0]["node"].as_str().expect("a node").to_owned();
        Arc::new(node)
    }

    /// The rows of its files.
    pub(super) fn expected(&self, names: &[&str]) -> Vec<Value> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in LOGS.iter().zip(&self.files).filter(|(name, _)| names.contains(name)) {
            std::fs::write(folder.path().join(name), bytes).expect("a file");
        }
        let output = podlag().arg(folder.path()).args(["--format", "ndjson"]).output().expect("podlag runs");
        lines(&output)
    }

    /// The lines of a query, as journalctl prints them.
    pub(super) fn journal(&self, request: &Request) -> Vec<String> {
        let time = |name: &str| request.query.get(name).map(|text| DateTime::parse_from_rfc3339(text).expect("a time"));
        let since = time("sinceTime").map_or(i64::MIN, |time| time.timestamp_micros());
        let until = time("untilTime").map_or(i64::MAX, |time| time.timestamp_micros());
        let within = self.entries.iter().filter(|(micros, ..)| (since..=until).contains(micros));
        let line = |(micros, unit, line): &(i64, &str, String)| {
            let date = DateTime::from_timestamp_micros(*micros).expect("a time").format("%b %d %H:%M:%S%.6f");
            format!("{date} some-host {unit}[7]: {line}\n")
        };
        let lines: Vec<String> = within.map(line).collect();
        if lines.is_empty() { vec!["-- No entries --\n".to_owned()] } else { lines }
    }

    /// The objects of a cluster of this node, without pods.
    pub(super) fn objects(&self, request: &Request, runtime: &str) -> Option<Reply> {
        if request.path.ends_with("/selfsubjectaccessreviews") {
            return Some(Reply::new(201, json!({"status": {"allowed": true}}).to_string()));
        }
        let node = json!({"metadata": {"name": self.name, "uid": "1"},
            "status": {"nodeInfo": {"containerRuntimeVersion": runtime}}});
        let items = if request.path == "/api/v1/nodes" { vec![node] } else { Vec::new() };
        let list = json!({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items});
        (!request.path.contains("/proxy/")).then(|| Reply::new(200, list.to_string()))
    }

    /// A cluster of this node, whose kubelet answers so.
    pub(super) fn place(self: &Arc<Self>, answer: impl Fn(&Node, &Request) -> Reply + Send + Sync + 'static) -> Place {
        let node = Arc::clone(self);
        Place::new(move |request| node.objects(request, "containerd://2.1.4").unwrap_or_else(|| answer(&node, request)))
    }

    /// The file that a request asks for.
    pub(super) fn file(&self, request: &Request) -> Option<Reply> {
        let name = request.path.rsplit('/').next()?;
        let at = LOGS.iter().position(|log| *log == name)?;
        Some(text(self.files[at].clone()))
    }
}

pub(super) fn text(body: impl Into<Vec<u8>>) -> Reply {
    Reply { headers: "Content-Type: text/plain;charset=UTF-8\r\n".into(), ..Reply::new(200, body) }
}

pub(super) fn rows(place: &Place) -> (Vec<Value>, String) {
    place.rows(&format!("cluster -A --node-logs --retries 0 {WINDOW}"))
}

#[track_caller]
pub(super) fn assert_same(rows: &[Value], expected: &[Value]) {
    let (rows, expected) = (by_pod(rows), by_pod(expected));
    assert!(expected.len() > 10, "{}", expected.len());
    assert_eq!(rows.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (pod, row) in &rows {
        assert_eq!(row, &expected[pod], "{pod}");
    }
}

#[test]
fn rows_are_those_of_the_files() {
    let node = Node::load();
    let place = node.place(|node, request| text(node.journal(request).concat()));
    let (found, said) = rows(&place);
    assert_eq!(said, "");
    assert_same(&found, &node.expected(&LOGS));
    let seen: Vec<String> = place.api.seen().into_iter().filter(|line| line.contains("/proxy/")).collect();
    for line in &seen {
        assert!(line.contains("/proxy/logs/?query=kubelet&query=containerd&sinceTime=2026-11-23T"), "{line}");
        assert!(line.contains("&untilTime=2026-11-23T"), "both times, always: {line}");
    }
    // Six windows, and of that whose lines end before it does the rest: once with their last second, and once without.
    assert_eq!(seen.len(), 8, "{seen:#?}");
    // Never without the option.
    let before = place.api.seen().len();
    place.run("cluster -A");
    assert!(!place.api.seen()[before..].iter().any(|line| line.contains("/proxy/")));
}

#[test]
fn what_is_cut_is_asked_for_until_it_is_there() {
    let node = Node::load();
    // The kubelet ends its answer in the middle of a line, or the connection breaks.
    let cut = |node: &Node, request: &Request| {
        let lines = node.journal(request);
        let body = lines.iter().take(400).map(String::as_str).collect::<String>();
        let is_cut = lines.len() > 400;
        let whole = if is_cut { body.len() - 30 } else { body.len() };
        text(body.get(..whole).expect("ASCII"))
    };
    let broken = |node: &Node, request: &Request| {
        let lines = node.journal(request);
        let cut = (lines.len() > 400).then(|| lines.iter().take(400).map(String::len).sum::<usize>() - 30);
        Reply { cut, ..text(lines.concat()) }
    };
    for place in [node.place(cut), node.place(broken)] {
        let (found, said) = rows(&place);
        assert_eq!(said, "");
        assert_same(&found, &node.expected(&LOGS));
        assert!(place.api.seen().iter().filter(|line| line.contains("/proxy/")).count() > 8);
    }
}

#[test]
fn lines_that_never_come_are_told() {
    let node = Node::load();
    let place = node.place(|node, request| {
        let body = node.journal(request).concat();
        // The connection breaks at a second whenever it is asked for.
        match body.find("Nov 23 19:01:20") {
            Some(at) => Reply { cut: Some(at + 10), ..text(body) },
            None => text(body),
        }
    });
    let output = place.run(&format!("cluster -A --node-logs --retries 0 {WINDOW}"));
    let told = said_all(&output);
    assert!(
        told.contains("are missing: ") && told.contains(&format!("{}: lines from 2026-11-23", node.name)),
        "{told}"
    );
    // What comes before and after is there.
    let (found, _) = rows(&place);
    assert_eq!(by_pod(&found).len(), by_pod(&node.expected(&LOGS)).len());
    let report = place.run(&format!("cluster -A --node-logs --retries 0 {WINDOW} --format json"));
    let report: Value = serde_json::from_slice(&report.stdout).expect("JSON");
    assert_eq!(report["coverage"]["unread_sources"], 1, "{}", report["coverage"]);
}

#[test]
fn an_answer_that_is_cut_within_its_only_second_is_told() {
    let node = Node::load();
    let place = node.place(|node, request| {
        let lines = node.journal(request);
        let of_second = lines.iter().position(|line| line.starts_with("Nov 23 19:00:56"));
        text(lines.get(..of_second.map_or(lines.len(), |at| at + 5)).expect("more lines").concat())
    });
    let (found, said) = rows(&place);
    assert!(said.contains("lines from 2026-11-23T19:00:56Z to 2026-11-23T19:00:57Z are missing"), "{said}");
    assert_eq!(said.matches("are missing").count(), 1, "{said}");
    assert!(found.len() >= 20, "{}", found.len());
}

#[test]
fn what_is_no_log_is_told_and_ends() {
    let node = Node::load();
    let place = node.place(|_, request| match request.path.ends_with("/logs/") {
        true => text(vec![b'x'; 3 << 20]),
        false => Reply::new(404, ""),
    });
    let (found, said) = rows(&place);
    assert!(found.is_empty() && said.contains("the kubelet answers: xxx") && said.len() < 1000, "{said}");
    // An answer that always ends before it says anything.
    let place = node.place(|_, _| text(""));
    let (_, said) = rows(&place);
    assert!(said.contains("the kubelet ended its answer early"), "{said}");
    assert!(place.api.seen().iter().filter(|line| line.contains("/proxy/")).count() < 10, "{:?}", place.api.seen());
}

#[test]
fn a_namespace_limits_what_logs_show() {
    let node = Node::load();
    let place = node.place(|node, request| text(node.journal(request).concat()));
    let (found, _) = place.rows(&format!("cluster -n shop --node-logs {WINDOW}"));
    assert!(!found.is_empty() && found.iter().all(|row| row["namespace"] == "shop"), "{found:#?}");
}

/// Some versions of the kubelet take the end for the beginning, so that there is never a line.
#[test]
fn a_kubelet_that_misunderstands_the_end_is_asked_without() {
    let node = Node::load();
    let place = node.place(|node, request| match request.query.contains_key("untilTime") {
        true => text("-- No entries --\n"),
        false => text(node.journal(request).concat()),
    });
    let (found, said) = rows(&place);
    assert_eq!(said, "");
    assert_same(&found, &node.expected(&LOGS));
    let place = node.place(|_, _| text("-- No entries --\n"));
    assert!(rows(&place).1.contains("no line of kubelet or containerd is of this time"));
}

#[test]
fn without_log_queries_whole_files_are_read() {
    let node = Node::load();
    let html = "<!doctype html>\n<pre>\n<a href=\"kubelet.log\">kubelet.log</a>\n</pre>\n";
    let listing = Reply { headers: "Content-Type: text/html\r\n".into(), ..Reply::new(200, html) };
    let sentence =
        text("\noptions present and query resolved to log files for [kubelet]\ntry without specifying options\n");
    for (reply, words) in [
        (listing, "log queries are off"),
        (Reply { headers: String::new(), ..Reply::new(404, "404 page not found\n") }, "log queries are off"),
        (sentence, "the kubelet finds its log in files"),
    ] {
        let place = node.place(move |node, request| node.file(request).unwrap_or_else(|| reply.clone()));
        let (found, said) = rows(&place);
        assert_same(&found, &node.expected(&LOGS));
        assert!(
            said.contains(words) && said.contains("all lines of kubelet.log, containerd.log in /var/log"),
            "{said}"
        );
    }
}

#[test]
fn a_kubelet_without_any_log_is_told_with_what_to_do() {
    let node = Node::load();
    let place = node.place(|_, _| Reply { headers: String::new(), ..Reply::new(404, "404 page not found\n") });
    let output = place.run(&format!("cluster -A --node-logs --retries 0 {WINDOW}"));
    let told = said_all(&output);
    for words in [
        "1 of 1 nodes",
        &node.name,
        "log queries are off",
        "journal files in /var/log/journal",
        "enableSystemLogQuery: true",
        "docs/journald.md",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let hidden = place.run(&format!("cluster -A --node-logs --retries 0 --anonymize {WINDOW} --format json"));
    assert!(!said_all(&hidden).contains(&node.name), "{}", said_all(&hidden));
    // A runtime under another name.
    let place = node.place(|node, request| {
        let mut journal = node.journal(request);
        match request.query.get("query").map(String::as_str) {
            Some("containerd") => text("\nlog not found for containerd\n"),
            _ => {
                journal.retain(|line| !line.contains(" containerd["));
                text(journal.concat())
            }
        }
    });
    let (found, said) = rows(&place);
    assert!(said.contains("only the kubelet's lines are read: log not found for containerd"), "{said}");
    assert_same(&found, &node.expected(&LOGS[..1]));
}

#[test]
fn the_runtime_of_a_node_is_asked_for() {
    let node = Node::load();
    let mine = Arc::clone(&node);
    let place = Place::new(move |request| {
        mine.objects(request, "cri-o://1.35.6").unwrap_or_else(|| text(mine.journal(request).concat()))
    });
    let output = place.run(&format!("cluster -A --node-logs {WINDOW}"));
    assert!(output.status.success(), "{}", said(&output));
    assert!(place.api.seen().iter().any(|line| line.contains("query=kubelet&query=crio&")), "{:?}", place.api.seen());
}
