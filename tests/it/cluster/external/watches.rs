//! Watches, and how they end.

use std::process::Command;
use std::sync::Arc;

use super::{Place, by_pod, dumped, said, said_all};
use crate::cluster::api::{Recording, Reply};
use crate::support::lines;

/// The running processes whose words hold this text.
fn processes(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("/proc");
    let words = entries.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    let words = words.map(|words| String::from_utf8_lossy(&words).replace('\0', " "));
    words.filter(|words| words.contains(text)).collect()
}

pub(super) fn wait_until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1200 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("never: {what}");
}

pub(super) fn signal(child: &std::process::Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

pub(super) fn spawn(place: &Place, words: &str) -> std::process::Child {
    let mut command = place.command(words);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("podlag runs")
}

/// Lists nothing, then watches what was recorded.
pub(super) fn watched(recording: &Arc<Recording>) -> Place {
    let mine = Arc::clone(recording);
    Place::new(move |request| match request.path.as_str() {
        "/api/v1/pods" | "/api/v1/events" if !request.is_watch() => {
            let list = serde_json::json!({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []});
            Reply::new(200, list.to_string())
        }
        "/api/v1/pods" | "/api/v1/events" if request.query["resourceVersion"] != "1" => {
            Reply { hold: true, ..Reply::new(200, "") }
        }
        _ => mine.answer(request),
    })
}

pub(super) fn watches(place: &Place) -> Vec<String> {
    place.api.seen().into_iter().filter(|line| line.contains("watch=1")).collect()
}

#[test]
fn a_watch_shows_what_began_during_it_until_it_is_interrupted() {
    let recording = Arc::new(Recording::load());
    let place = watched(&recording);
    let expected = dumped(&place, &recording, &["watch/pods.jsonl", "watch/events.jsonl", "after/nodes.json"]);
    let child = spawn(&place, "cluster -A --watch 1h --format ndjson");
    wait_until("both are watched", || watches(&place).len() >= 2);
    // What is sent is taken: nothing else shows that it was.
    std::thread::sleep(std::time::Duration::from_secs(3));
    signal(&child, "-INT");
    let output = child.wait_with_output().expect("podlag ends");
    assert_eq!(said(&output), "", "an interrupted watch is whole");
    assert_eq!(output.status.code(), Some(0));
    let (rows, expected) = (by_pod(&lines(&output)), by_pod(&expected));
    assert!(rows.len() > 140, "{}", rows.len());
    assert_eq!(rows.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    let same = rows.iter().filter(|(pod, row)| expected[*pod] == **row).count();
    assert!(same + 1 >= rows.len(), "{same} of {}", rows.len());
}

#[test]
fn a_watch_that_is_forgotten_or_ends_is_begun_again() {
    let recording = Arc::new(Recording::load());
    let mine = Arc::clone(&recording);
    let place = Place::new(move |request| match (request.path.as_str(), request.before) {
        // The list has three pages; then the watch is forgotten, and the list comes again.
        ("/api/v1/pods", 3) => mine.reply("pages/watch-too-old.jsonl"),
        ("/api/v1/events", 19) => {
            let reply = mine.reply("watch/events.jsonl");
            Reply { cut: Some(reply.body.len() / 2), ..reply }
        }
        _ if request.is_watch() => Reply { hold: true, ..Reply::new(200, "") },
        _ => mine.answer(request),
    });
    let child = spawn(&place, "cluster -A --watch 1h");
    let again = |kind: &str| watches(&place).iter().filter(|line| line.contains(&format!("/{kind}?"))).count() >= 2;
    wait_until("both are watched again", || again("pods") && again("events"));
    let seen = place.api.seen();
    assert_eq!(seen.iter().filter(|line| line.contains("/pods?") && !line.contains("watch=1")).count(), 6, "{seen:#?}");
    let versions: Vec<&str> = watches(&place)
        .iter()
        .filter(|line| line.contains("/events?"))
        .map(|line| line.split("resourceVersion=").nth(1).expect("a version"))
        .map(|version| version.to_owned().leak() as &str)
        .collect();
    assert!(versions[0] == "18610" && versions[1] != "18610", "it goes on where it broke off: {versions:?}");
    signal(&child, "-INT");
    let output = child.wait_with_output().expect("podlag ends");
    let text = said_all(&output);
    assert!(output.status.success() && text.contains("read 143 pods, "), "{text}");
}

#[test]
fn a_watch_ends_by_itself() {
    let recording = Arc::new(Recording::load());
    let place = watched(&recording);
    let (rows, said) = place.rows("cluster -A --watch 4s");
    assert_eq!(said, "");
    assert!(rows.len() > 140, "{}", rows.len());
}

#[test]
fn kubectl_ends_with_podlag_however_that_ends() {
    let place = Place::new(|request| match request.is_watch() {
        true => Reply { hold: true, ..Reply::new(200, "") },
        false => Reply::new(200, r#"{"kind":"List","metadata":{"resourceVersion":"1"},"items":[]}"#),
    });
    let folder = place.folder.path().to_string_lossy().into_owned();
    let mine = || processes(&format!("--unix-socket={folder}"));
    for name in ["-KILL", "-INT"] {
        let mut child = spawn(&place, "cluster --watch 1h");
        let before = watches(&place).len();
        wait_until("it watches", || watches(&place).len() >= before + 2);
        assert!(!mine().is_empty());
        let socket = std::fs::metadata(place.folder.path()).is_ok();
        assert!(socket);
        signal(&child, name);
        child.wait().expect("podlag ends");
        wait_until("kubectl has ended", || mine().is_empty());
    }
}
