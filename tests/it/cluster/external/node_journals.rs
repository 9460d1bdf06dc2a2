//! Journal files of nodes, through a kubelet's file server.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::node_logs::{LOGS, Node, WINDOW, assert_same, rows};
use super::{Place, said_all};
use crate::cluster::api::{Reply, Request};
use crate::journal::external::{export, journal};
use crate::support::{lines, podlag};

const MACHINE: &str = "0f5e3c1d2b4a49788796a5b4c3d2e1f0";
const ARCHIVED: &str = "system@0006-5f60718293a4b5c6.journal";
/// How much of a file is asked for at once.
const BLOCK: usize = 64 << 10;

/// The journal files of a node, and the rows of them.
struct Journals {
    node: Arc<Node>,
    files: BTreeMap<&'static str, Vec<u8>>,
    expected: Vec<Value>,
}

/// A journal of these entries.
fn made(folder: &Path, entries: &[&str]) -> Vec<u8> {
    let path = folder.join("made.journal");
    let _ = std::fs::remove_file(&path);
    journal(&path, &entries.concat(), true, true, true)
        .or_else(|| journal(&path, &entries.concat(), false, true, true))
        .expect("a layout that systemd writes")
}

impl Journals {
    /// The first half is archived, the second is being written.
    fn load() -> Arc<Self> {
        let (node, folder) = (Node::load(), tempfile::tempdir().expect("a folder"));
        let text = export("s02-pull-serial", &node.name);
        let entries: Vec<&str> = text.split_inclusive("\n\n").collect();
        let (first, second) = entries.split_at(entries.len() / 2);
        let mut files =
            BTreeMap::from([("system.journal", made(folder.path(), second)), (ARCHIVED, made(folder.path(), first))]);
        let machine = folder.path().join(&node.name).join(MACHINE);
        std::fs::create_dir_all(&machine).expect("a folder");
        for (name, bytes) in &files {
            std::fs::write(machine.join(name), bytes).expect("a file");
        }
        let expected = podlag().arg(machine.parent().expect("it has one")).args(["--format", "ndjson"]).output();
        files.insert("user-1000.journal", b"not for podlag".to_vec());
        files.insert("system@empty.journal", Vec::new());
        Arc::new(Journals { node, files, expected: lines(&expected.expect("podlag runs")) })
    }

    /// What a kubelet without log queries answers.
    fn answer(&self, request: &Request) -> Reply {
        let page = |names: &[&str]| {
            let links: Vec<String> = names.iter().map(|name| format!("<a href=\"{name}\">{name}</a>\n")).collect();
            let html = format!("<!doctype html>\n<pre>\n{}</pre>\n", links.concat());
            Reply { headers: "Content-Type: text/html; charset=utf-8\r\n".into(), ..Reply::new(200, html) }
        };
        let path = request.path.split_once("/proxy/logs/").expect("a log").1;
        let folder = format!("journal/{MACHINE}/");
        match path.strip_prefix(&folder) {
            None if path.is_empty() => page(&["journal/", "pods/"]),
            None if path == "journal/" => page(&[&format!("{MACHINE}/"), "remote/"]),
            Some("") => page(&self.files.keys().copied().collect::<Vec<_>>()),
            Some(name) if self.files.contains_key(name) => Reply::file(&self.files[name], request),
            _ => Reply { headers: String::new(), ..Reply::new(404, "404 page not found\n") },
        }
    }

    fn place(self: &Arc<Self>, answer: impl Fn(&Journals, &Request) -> Reply + Send + Sync + 'static) -> Place {
        let mine = Arc::clone(self);
        self.node.place(move |_, request| answer(&mine, request))
    }
}

fn asked(place: &Place, name: &str) -> usize {
    place.api.seen().iter().filter(|line| line.ends_with(name)).count()
}

#[test]
fn rows_are_those_of_the_journal_files() {
    let journals = Journals::load();
    let place = journals.place(Journals::answer);
    let (found, said) = rows(&place);
    assert_same(&found, &journals.expected);
    assert_eq!(found.len(), journals.node.expected(&LOGS).len());
    assert!(said.contains("log queries are off, so the journal files in /var/log/journal are read\n"), "{said}");
    for (name, bytes) in &journals.files {
        // No part comes twice but the head, which shows that journald began no new file meanwhile.
        let most = if name.starts_with("user") { 0 } else { bytes.len().div_ceil(BLOCK) + 2 };
        assert!(asked(&place, name) <= most, "{name}: {} of {most}", asked(&place, name));
    }
    let hidden = said_all(&place.run(&format!("cluster -A --node-logs --anonymize {WINDOW} --format ndjson")));
    assert!(!hidden.contains(MACHINE) && !hidden.contains(&journals.node.name) && hidden.len() > 1000, "{hidden}");
    // The option for units is of use.
    let output = place.run(&format!("cluster -A --node-logs --unit edge-kubelet {WINDOW}"));
    assert!(!said_all(&output).contains("changes nothing"), "{}", said_all(&output));
}

#[test]
fn a_kubelet_that_gives_no_parts_gives_whole_files() {
    let journals = Journals::load();
    let place = journals.place(|journals, request| journals.answer(&Request { range: None, ..request.clone() }));
    let (found, said) = rows(&place);
    assert_same(&found, &journals.expected);
    assert!(said.contains("are read as a whole, since the kubelet gives no parts of files"), "{said}");
    assert_eq!(asked(&place, "system.journal"), 1);
}

#[test]
fn a_journal_that_is_replaced_while_it_is_read_is_read_again() {
    let journals = Journals::load();
    // From its third request until it has seen that, another file has the name.
    let replaced = AtomicBool::new(true);
    let place = journals.place(move |journals, request| {
        let is_head = request.range.as_deref() == Some("bytes=0-207");
        match request.path.ends_with("/system.journal") && request.before >= 2 && replaced.load(Ordering::Relaxed) {
            true => {
                replaced.store(!is_head, Ordering::Relaxed);
                Reply::file(&journals.files[ARCHIVED], request)
            }
            false => journals.answer(request),
        }
    });
    let (found, said) = rows(&place);
    assert_same(&found, &journals.expected);
    assert!(asked(&place, &format!("/{MACHINE}/")) > 1, "it is listed again");
    assert!(!said.contains("system.journal"), "{said}");
}

#[test]
fn what_of_a_journal_does_not_come_is_told() {
    let journals = Journals::load();
    let place = journals.place(|journals, request| {
        let reply = journals.answer(request);
        let is_later = request.range.as_deref().is_some_and(|range| !range.starts_with("bytes=0-"));
        match request.path.ends_with(ARCHIVED) && is_later {
            true => Reply { cut: Some(100), ..reply },
            false => reply,
        }
    });
    let words = format!("cluster -A --node-logs --retries 0 {WINDOW}");
    let output = place.run(&format!("{words} --format json"));
    let told = said_all(&output);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(told.contains(&format!("{ARCHIVED} is not read to its end: ")), "{told}");
    assert_eq!(report["coverage"]["unread_sources"], 1, "{}", report["coverage"]);
    assert!(!place.rows(&words).0.is_empty(), "the other file is read");
    // A file that is none.
    let place = journals.place(|journals, request| match request.path.ends_with(ARCHIVED) {
        true => Reply::file(&[b'x'; 4096], request),
        false => journals.answer(request),
    });
    assert!(rows(&place).1.contains("it is no journal file"));
    // One that claims more bytes than there can be.
    let place = journals.place(|journals, request| {
        let reply = journals.answer(request);
        let headers = reply.headers.replace(&format!("/{}\r", journals.files[ARCHIVED].len()), "/9999999999999\r");
        Reply { headers, ..reply }
    });
    assert!(rows(&place).1.contains(&format!("{ARCHIVED} is not read to its end: it is longer than 8 GiB")));
}

#[test]
fn text_files_follow_where_journals_have_nothing() {
    let journals = Journals::load();
    let node = Arc::clone(&journals.node);
    let place = journals.place(move |journals, request| node.file(request).unwrap_or_else(|| journals.answer(request)));
    let (found, said) = place.rows("cluster -A --node-logs --from 2026-11-20T00:00:00Z --to 2026-11-20T01:00:00Z");
    assert_same(&found, &journals.node.expected(&LOGS));
    assert!(
        said.contains("the journal files in /var/log/journal have no line of kubelet or runtime of this time"),
        "{said}"
    );
    assert!(said.contains("so all lines of kubelet.log, containerd.log in /var/log are read"), "{said}");
    // Of files of another time only the heads are read.
    assert_eq!((asked(&place, "system.journal"), asked(&place, ARCHIVED)), (1, 1));
    let place = journals.place(Journals::answer);
    let (_, said) = place.rows("cluster -A --node-logs --from 2026-11-20T00:00:00Z --to 2026-11-20T01:00:00Z");
    assert!(said.contains("help: ask for another time with --window, or --from and --to"), "{said}");
    let place = journals.place(|_, request| match request.path.ends_with("/logs/journal/") {
        true => Reply::status(403, "Forbidden", "nodes is forbidden"),
        false => Reply { headers: String::new(), ..Reply::new(404, "404 page not found\n") },
    });
    let (_, said) = rows(&place);
    assert!(said.contains("journal files cannot be listed: nodes is forbidden (403)"), "{said}");
    assert!(said.contains("log queries are off, and no log is found as a text file"), "{said}");
}
