//! What is shown while kubelets are asked.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::node_logs::{Node, WINDOW, text};
use super::watches::wait_until;

#[test]
fn the_terminal_shows_how_many_kubelets_have_answered() {
    let node = Node::load();
    let shown = Arc::new(AtomicBool::new(false));
    let waits = Arc::clone(&shown);
    let place = node.place(move |node, request| {
        if request.before > 0 {
            // The rest of the log waits until the first part of it is told.
            wait_until("progress is shown", || waits.load(Ordering::Relaxed));
        }
        text(node.journal(request).concat())
    });
    let typed = place.folder.path().join("typed");
    let podlag = format!("{} cluster -A --node-logs {WINDOW}", env!("CARGO_BIN_EXE_podlag"));
    // A terminal of its own.
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--flush", "--command", &podlag])
        .arg(&typed)
        .envs([("KUBECONFIG", place.kubeconfig.as_path()), ("HOME", place.folder.path())])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("script is needed: apt-get install bsdutils (./test does)");
    let text = || String::from_utf8_lossy(&std::fs::read(&typed).unwrap_or_default()).into_owned();
    wait_until("progress is shown", || text().contains("1 pods, events and nodes, 0 of 1 kubelets have answered"));
    shown.store(true, Ordering::Relaxed);
    assert!(child.wait().expect("it ends").success(), "{}", text());
    assert!(text().contains("20 pod starts on 1 node"), "{}", text());
}
