//! Bodies that come in small pieces, and bodies that stop coming.

use std::sync::Arc;

use super::node_logs::{LOGS, Node, WINDOW, assert_same, rows, text};
use super::watches::{signal, spawn, wait_until, watched, watches};
use super::{DUMPS, Place, by_pod, dumped, said, said_all};
use crate::cluster::api::{Recording, Reply, Request};
use crate::support::lines;

/// Not a divisor of anything, so that pieces end wherever they may.
const PIECE: Option<usize> = Some(1009);

#[test]
fn lists_that_come_in_pieces_give_the_rows_of_the_dumps() {
    let recording = Arc::new(Recording::load());
    let mine = Arc::clone(&recording);
    let place = Place::new(move |request| Reply { piece: PIECE, ..mine.answer(request) });
    let (rows, said) = place.rows("cluster -A");
    assert_eq!(said, "");
    assert_eq!(by_pod(&rows), by_pod(&dumped(&place, &recording, &DUMPS)));
}

#[test]
fn watches_that_come_in_pieces_and_stop_within_an_object_lose_only_that() {
    let recording = Arc::new(Recording::load());
    let whole = watched(&recording);
    let expected = dumped(&whole, &recording, &["watch/pods.jsonl", "watch/events.jsonl", "after/nodes.json"]);
    let mine = Arc::clone(&recording);
    let place = Place::new(move |request| match request.is_watch() {
        true => {
            let reply = mine.answer(request);
            // Behind all that was recorded another object begins.
            let body =
                [reply.body.as_slice(), br#"{"type":"MODIFIED","object":{"kind":"Pod","metadata":{"na"#].concat();
            Reply { body, piece: PIECE, ..reply }
        }
        false if request.path == "/api/v1/nodes" => mine.answer(request),
        false => Reply::new(200, r#"{"kind":"List","metadata":{"resourceVersion":"1"},"items":[]}"#),
    });
    let child = spawn(&place, "cluster -A --watch 1h --format ndjson");
    let sent = || place.api.sent().iter().filter(|line| line.contains("watch=1")).count();
    wait_until("all is sent", || sent() >= 2);
    // What is sent is taken: nothing else shows that it was.
    std::thread::sleep(std::time::Duration::from_secs(3));
    signal(&child, "-INT");
    let output = child.wait_with_output().expect("podlag ends");
    assert_eq!((said(&output), output.status.code()), (String::new(), Some(0)));
    assert_eq!(watches(&place).len(), 2, "none broke off");
    assert_eq!(by_pod(&lines(&output)), by_pod(&expected));
}

#[test]
fn node_logs_that_come_in_pieces_give_the_rows_of_the_files() {
    let node = Node::load();
    let query = |node: &Node, request: &Request| Reply { piece: PIECE, ..text(node.journal(request).concat()) };
    let file = |node: &Node, request: &Request| {
        let reply = node.file(request).unwrap_or_else(|| Reply::new(404, "404 page not found\n"));
        Reply { piece: PIECE, ..reply }
    };
    let queried = rows(&node.place(query));
    assert_eq!(queried.1, "");
    for (found, _) in [queried, rows(&node.place(file))] {
        assert_same(&found, &node.expected(&LOGS));
    }
}

/// The first half comes, and then nothing.
fn stalled(reply: Reply) -> Reply {
    Reply { cut: Some(reply.body.len() / 2), hold: true, ..reply }
}

#[test]
fn a_list_that_stops_coming_is_told() {
    let recording = Arc::new(Recording::load());
    let stalling = |path: &'static str| {
        let mine = Arc::clone(&recording);
        Place::new(move |request| {
            let reply = mine.answer(request);
            if request.path.ends_with(path) { stalled(reply) } else { reply }
        })
    };
    let words = "no data within 500ms";
    let (rows, said) = stalling("/pods").rows("cluster -A --timeout 500ms");
    assert!(said.contains("pods in all namespaces are not read, so starts are known from events only: "), "{said}");
    assert!(said.contains(words) && rows.len() > 100, "{} {said}", rows.len());
    let (rows, said) = stalling("/nodes").rows("cluster -A --timeout 500ms");
    assert!(said.contains("nodes are not read") && said.contains(words) && rows.len() > 140, "{} {said}", rows.len());
    let mine = Arc::clone(&recording);
    let place = Place::new(move |request| stalled(mine.answer(request)));
    let output = place.run("cluster -A --timeout 500ms");
    let told = said_all(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("nothing could be read") && told.contains(words), "{told}");
}

#[test]
fn a_node_log_that_stops_coming_is_told() {
    let node = Node::load();
    let place = node.place(|node, request| {
        let body = node.journal(request).concat();
        // Whenever this second is asked for, nothing follows its first line.
        match body.find("Nov 23 19:01:20") {
            Some(at) => Reply { cut: Some(at + 10), hold: true, ..text(body) },
            None => text(body),
        }
    });
    let (found, said) = place.rows(&format!("cluster -A --node-logs --retries 0 --timeout 300ms {WINDOW}"));
    assert!(said.contains("are missing: the response stalled: no data within 300ms"), "{said}");
    assert_eq!(by_pod(&found).len(), by_pod(&node.expected(&LOGS)).len(), "what comes before and after is there");
    let place = node.place(|node, request| {
        let reply = node.file(request).unwrap_or_else(|| Reply::new(404, "404 page not found\n"));
        if request.path.ends_with("kubelet.log") { stalled(reply) } else { reply }
    });
    let (found, said) = place.rows(&format!("cluster -A --node-logs --retries 0 --timeout 300ms {WINDOW}"));
    assert!(said.contains("kubelet.log is not read to its end: the response stalled: no data within 300ms"), "{said}");
    assert!(!found.is_empty(), "its first half is read");
}

#[test]
fn who_interrupts_the_reading_of_node_logs_is_told_so_and_no_more() {
    let node = Node::load();
    let place = node.place(|_, _| Reply { hold: true, ..text("") });
    let child = spawn(&place, &format!("cluster -A --node-logs --retries 0 --timeout 1s {WINDOW}"));
    wait_until("a log is asked for", || place.api.seen().iter().any(|line| line.contains("/proxy/logs/")));
    signal(&child, "-INT");
    let output = child.wait_with_output().expect("podlag ends");
    let told = said_all(&output);
    assert!(told.contains("interrupted"), "{told}");
    assert!(!told.contains("--node-logs"), "what did not come then is no finding: {told}");
}
