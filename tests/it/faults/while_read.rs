//! Logs that are cut, rotated or appended to while they are read. A pipe beside the log holds the reading up: records are merged by
//! time, so the log is not read to its end before the pipe has spoken.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::process::{Ended, Running, log};
use crate::support::podlag;

struct Held {
    folder: tempfile::TempDir,
    log: PathBuf,
    /// Bytes of the log, and of what comes through the pipe.
    length: (u64, u64),
}

fn held() -> Held {
    let folder = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(folder.path()).unwrap().join("kubelet.log");
    let text = log();
    // Long, and in the order of time: a log that is not is read twice. Each hour of the day after has a line of the node.
    let line = r#"16423 kubelet.go:2448] "Skipping pod synchronization" err="PLEG is not healthy: pleg was last seen active 3m7.4s ago""#;
    let hours = (0..24).map(|hour| format!("E1124 {hour:02}:00:00.000000 {line}\n"));
    let filler = "I1124 00:00:00.000000 16423 other.go:1] \"Of no interest\"\n".repeat(4000);
    let long = text.clone() + &hours.map(|hour| hour + &filler).collect::<String>();
    fs::write(&path, &long).unwrap();
    let length = (long.len() as u64, text.len() as u64);
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().expect("mkfifo").success());
    Held { folder, log: path, length }
}

impl Held {
    /// Reads log and pipe; does something to the log when it is read in part.
    fn when(&self, meddle: impl FnOnce(&Path)) -> (Ended, Value) {
        let pipe = self.folder.path().join("pipe");
        let mut running = Running::of(podlag().args(["--format", "json", "--chunk", "4096"]).arg(&self.log).arg(&pipe));
        let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
        let text = log();
        // Enough to show what it is, not enough for a chunk.
        let (head, rest) = text.split_at(16 << 10);
        writer.write_all(head.as_bytes()).unwrap();
        running.until("the log is being read", |running| {
            running.position(&self.log).is_some_and(|at| at > 0) && running.waits()
        });
        let at = running.position(&self.log).unwrap();
        assert!(at < self.length.0 / 2, "it waits in the middle: {at}");
        meddle(&self.log);
        writer.write_all(rest.as_bytes()).unwrap();
        drop(writer);
        let ended = running.end();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let report = ended.json();
        assert_eq!(report["startups"].as_array().unwrap().len(), 20);
        (ended, report["coverage"].clone())
    }
}

#[test]
fn a_log_that_is_truncated_while_it_is_read_is_an_error() {
    let held = held();
    let (ended, coverage) = held.when(|log| drop(File::create(log).unwrap()));
    let told = format!("of {} bytes were read", held.length.0);
    assert!(
        ended.err.contains("kubelet.log: it was truncated while it was read") && ended.err.contains(&told),
        "{}",
        ended.err
    );
    assert!(coverage["source_errors"][0].as_str().unwrap().contains(&told));
    assert_eq!(coverage["unread_sources"], 1);
    assert!(coverage["bytes"].as_u64().unwrap() < held.length.0);
}

#[test]
fn a_log_that_is_rotated_while_it_is_read_is_read_to_its_end() {
    let held = held();
    let (ended, coverage) = held.when(|log| {
        fs::rename(log, log.with_extension("log.1")).unwrap();
        fs::write(log, "a new log\n").unwrap();
    });
    assert_eq!(ended.err, "");
    assert_eq!((&coverage["bytes"], &coverage["unread_sources"]), (&(held.length.0 + held.length.1).into(), &0.into()));
}

#[test]
fn what_is_appended_while_it_is_read_is_read_too() {
    let held = held();
    let more = log();
    let (ended, coverage) = held.when(|log| {
        OpenOptions::new().append(true).open(log).unwrap().write_all(more.as_bytes()).unwrap();
    });
    assert_eq!(ended.err, "");
    assert_eq!(coverage["bytes"], held.length.0 + 2 * held.length.1);
}

#[test]
fn a_log_that_is_rotated_between_listing_and_reading_is_an_error() {
    let held = held();
    let pipe = held.folder.path().join("pipe");
    let running = Running::of(podlag().args(["--format", "json"]).arg(&pipe).arg(&held.log));
    // Once the pipe is opened everything is listed, and nothing is read before it speaks.
    let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    fs::rename(&held.log, held.log.with_extension("log.1")).unwrap();
    fs::write(&held.log, "a new log\n").unwrap();
    writer.write_all(log().as_bytes()).unwrap();
    drop(writer);
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("kubelet.log: it was replaced before it was read"), "{}", ended.err);
    assert_eq!(ended.json()["coverage"]["unread_sources"], 1);
}
