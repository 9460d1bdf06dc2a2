//! Lines in any order, in one file or several, by file or through a pipe, give the rows that they give in the order of time.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{bare, captures, lines, podlag, report, rows, samples, startups, text};
use serde_json::Value;

/// Puts lines in an order.
type Order = fn(&[String]) -> String;

/// The orders, each with its name.
const ORDERS: [(&str, Order); 4] =
    [("in order", |all| all.concat()), ("tac", tac), ("shuffled", shuffled), ("pages", pages)];

fn tac(all: &[String]) -> String {
    all.iter().rev().map(String::as_str).collect()
}

/// Each line moved by up to some thousand lines, which is more than ten minutes of a capture.
fn shuffled(all: &[String]) -> String {
    let far = all.len().min(3000);
    let mut moved: Vec<(usize, &str)> =
        all.iter().enumerate().map(|(at, line)| (at + at.wrapping_mul(2_654_435_761) % far, line.as_str())).collect();
    moved.sort_by_key(|(to, _)| *to);
    moved.into_iter().map(|(_, line)| line).collect()
}

/// The latest 500 lines first, as pages of a log store come.
fn pages(all: &[String]) -> String {
    all.chunks(500).rev().map(<[String]>::concat).collect()
}

/// What a program wrote at once: a line, and those that go on with its text.
fn entries(log: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in log.lines() {
        let begins =
            line.starts_with(['I', 'W', 'E', 'F', '{']) || line.starts_with("time=") || line.contains("kubelet[");
        match all.last_mut() {
            Some(last) if !begins => last.push_str(&format!("{line}\n")),
            _ => all.push(format!("{line}\n")),
        }
    }
    all
}

fn piped(log: &str) -> Vec<Value> {
    let mut child = podlag()
        .args(["--format", "ndjson", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("podlag runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(log.as_bytes()).expect("podlag reads"));
        child.wait_with_output().expect("podlag ends")
    });
    assert!(output.status.success());
    lines(&output)
}

/// A capture's logs, their entries in an order, below a folder.
fn turned(capture: &Path, folder: &Path, name: &str, order: Order) -> (PathBuf, Vec<PathBuf>) {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let files = ["kubelet.log", "containerd.log"].map(|file| {
        let log = text(&capture.join(format!("in/{file}.zst")));
        let path = folder.join(file);
        std::fs::write(&path, order(&entries(&log))).expect("a file");
        path
    });
    (folder, files.into())
}

/// Fails unless a capture's rows are the same whatever the order of its lines.
fn check(capture: &Path) {
    let temporary = tempfile::tempdir().expect("a folder");
    let expected = bare(startups(report(&[capture.join("in")])));
    let (_, plain) = turned(capture, temporary.path(), "plain", ORDERS[0].1);
    let alone: Vec<Vec<Value>> = plain.iter().map(|file| bare(&rows(&[file]))).collect();
    for (name, order) in ORDERS {
        let (folder, files) = turned(capture, temporary.path(), name, order);
        let what = format!("{} {name}", capture.display());
        assert_eq!(bare(&rows(&[&folder])), expected, "{what}");
        assert_eq!(bare(&rows(&[&files[1], &files[0]])), expected, "{what}, the files exchanged");
        for (file, alone) in files.iter().zip(&alone) {
            let log = std::fs::read_to_string(file).expect("a log");
            assert_eq!(bare(&piped(&log)), *alone, "{what} {}, through a pipe", file.display());
            std::fs::write(file.with_extension("again"), log).expect("a file");
        }
        assert_eq!(bare(&rows(&[&folder])), expected, "{what}, each log twice");
    }
}

#[test]
fn lines_in_any_order_give_the_same_rows() {
    for sample in ["s02-pull-serial", "s01-cached-json", "v1.26-s10-static-restart"] {
        check(&samples().join(sample));
    }
}

#[test]
fn nothing_is_said_of_an_order_that_could_be_restored() {
    let temporary = tempfile::tempdir().expect("a folder");
    let (folder, _) = turned(&samples().join("s01-cached"), temporary.path(), "tac", tac);
    let report = temporary.path().join("report.json");
    assert!(podlag().arg(&folder).arg("-o").arg(&report).output().expect("podlag runs").status.success());
    assert_eq!(json_file(&report)["coverage"]["out_of_order"], 0);
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a report")).expect("JSON")
}

#[test]
fn what_cannot_be_sorted_is_counted() {
    let log = text(&samples().join("s01-cached/in/kubelet.log.zst"));
    let temporary = tempfile::tempdir().expect("a folder");
    let path = temporary.path().join("kubelet.log");
    std::fs::write(&path, tac(&entries(&log))).expect("a file");
    let piped = podlag()
        .arg("-")
        .env("TMPDIR", temporary.path().join("nowhere"))
        .stdin(std::fs::File::open(&path).expect("a log"))
        .output()
        .expect("podlag runs");
    let shown = String::from_utf8_lossy(&piped.stdout).replace("\n  ", " ");
    assert!(shown.contains("lines of a pipe out of order, not sorted"), "{shown}");
}

mod slow {
    use super::*;

    #[test]
    fn lines_of_every_capture_in_any_order_give_the_same_rows() {
        captures().iter().for_each(|capture| check(capture));
    }
}
