//! The same logs as a node in another time zone writes them, or on a New Year's night: the same startups, at the same instants.

use std::path::Path;
use std::sync::OnceLock;

use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta};
use regex::{Captures, Regex};
use serde_json::Value;

use crate::support::{podlag, rows, samples, startups, text};

/// Captures with failing volumes, failing pulls and plain starts.
const CAPTURES: [&str; 3] = ["s04-volumes", "s07-pull-backoff", "v1.34-s01-cached"];

/// A move of all times: by so many seconds, printed in this zone.
#[derive(Clone, Copy)]
struct Move {
    seconds: i64,
    zone: FixedOffset,
}

impl Move {
    fn to(east: i32) -> Self {
        Move { seconds: 0, zone: FixedOffset::east_opt(east).unwrap() }
    }

    fn local(self, utc: NaiveDateTime) -> DateTime<FixedOffset> {
        (utc + TimeDelta::seconds(self.seconds)).and_utc().with_timezone(&self.zone)
    }

    /// The times that a line's text names, and the line's own.
    fn line(self, line: &str) -> (String, Option<DateTime<FixedOffset>>) {
        static FORMS: OnceLock<[Regex; 3]> = OnceLock::new();
        let regex = |text: &str| Regex::new(text).unwrap();
        let [klog, runtime, go] = FORMS.get_or_init(|| {
            [
                regex(r"^([IWEF])(\d{4} \d\d:\d\d:\d\d\.\d{6})"),
                regex(r#"^time="([^"]+)Z""#),
                regex(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) \+0000 UTC"),
            ]
        });
        let mut own = None;
        let line = klog.replace(line, |found: &Captures| {
            let utc = NaiveDateTime::parse_from_str(&format!("2026{}", &found[2]), "%Y%m%d %H:%M:%S%.f").unwrap();
            own = Some(self.local(utc));
            format!("{}{}", &found[1], self.local(utc).format("%m%d %H:%M:%S%.6f"))
        });
        let line = runtime.replace(&line, |found: &Captures| {
            let utc = NaiveDateTime::parse_from_str(&found[1], "%Y-%m-%dT%H:%M:%S%.f").unwrap();
            own = Some(self.local(utc));
            format!("time=\"{}\"", self.local(utc).format("%Y-%m-%dT%H:%M:%S%.9f%:z"))
        });
        let line = go.replace_all(&line, |found: &Captures| {
            let utc = NaiveDateTime::parse_from_str(&found[1], "%Y-%m-%d %H:%M:%S%.f").unwrap();
            // The zero time is in UTC everywhere.
            if found[1].starts_with("0001") {
                return found[0].to_owned();
            }
            self.local(utc).format("%Y-%m-%d %H:%M:%S%.f %z XST").to_string()
        });
        (line.into_owned(), own)
    }

    /// A log's lines with their times; a line without one has that of the line before.
    fn lines(self, text: &str) -> Vec<(DateTime<FixedOffset>, String)> {
        let mut last = self.local(NaiveDateTime::default());
        let moved = text.lines().map(|line| {
            let (line, own) = self.line(line);
            last = own.unwrap_or(last);
            (last, line)
        });
        moved.collect()
    }
}

/// A capture's two logs; `records`: with the tracker's records, which tell zone and year.
fn logs(capture: &str, records: bool) -> [String; 2] {
    let folder = samples().join(capture).join("in");
    let kubelet = text(&folder.join("kubelet.log.zst"));
    let keep = |line: &&str| records || !line.contains("Observed pod startup duration");
    let kubelet: Vec<&str> = kubelet.lines().filter(keep).collect();
    [kubelet.join("\n"), text(&folder.join("containerd.log.zst"))]
}

/// Writes the logs as two files.
fn files(folder: &Path, logs: &[String; 2], to: Move) {
    for (log, name) in logs.iter().zip(["kubelet.log", "containerd.log"]) {
        let lines: Vec<String> = to.lines(log).into_iter().map(|(_, line)| line + "\n").collect();
        std::fs::write(folder.join(name), lines.concat()).unwrap();
    }
}

/// Writes the logs as one journal, as `journalctl -o short` prints it.
fn journal(folder: &Path, logs: &[String; 2], to: Move) {
    let of = |log: usize, program: &'static str| {
        let lines = to.lines(&logs[log]).into_iter();
        lines.map(move |(time, line)| {
            (time, format!("{} node-a {program}[77]: {line}\n", time.format("%b %d %H:%M:%S")))
        })
    };
    let mut lines: Vec<_> = of(0, "kubelet").chain(of(1, "containerd")).collect();
    lines.sort_by_key(|(time, _)| *time);
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    std::fs::write(folder.join("journal.log"), lines.concat()).unwrap();
}

/// What does not depend on the day: each startup with its state, cause and lengths. `created` is moved back.
fn lengths(folder: &Path, to: Move) -> Vec<String> {
    let mut all: Vec<String> = rows(&[folder])
        .iter()
        .map(|row| {
            let seen = DateTime::parse_from_rfc3339(row["seen"].as_str().unwrap_or("1970-01-01T00:00:00Z")).unwrap();
            let seen = seen - TimeDelta::seconds(to.seconds);
            let lengths = row.as_object().unwrap().iter().filter(|(key, _)| key.ends_with("_s") || *key == "cause");
            let lengths: Vec<String> = lengths.map(|(key, value)| format!("{key}={value}")).collect();
            format!("{} {} {seen} {}", row["pod"], row["state"], lengths.join(" "))
        })
        .collect();
    all.sort();
    assert!(!all.is_empty(), "{}", folder.display());
    all
}

fn assert_moves(write: fn(&Path, &[String; 2], Move), records: bool, moves: &[Move]) {
    for capture in CAPTURES {
        let logs = logs(capture, records);
        let of = |to: Move| {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), &logs, to);
            lengths(folder.path(), to)
        };
        let utc = of(Move::to(0));
        for to in moves {
            assert_eq!(of(*to), utc, "{capture} in {} moved by {} s", to.zone, to.seconds);
        }
    }
}

fn zones() -> Vec<Move> {
    [-25_200, 10_800, 19_800, 28_800].map(Move::to).to_vec()
}

#[test]
fn files_of_any_zone_give_the_same_phases() {
    assert_moves(files, true, &zones());
}

#[test]
fn without_records_the_runtime_tells_the_zone() {
    assert_moves(files, false, &zones());
    assert_moves(journal, false, &zones());
}

#[test]
fn journals_of_any_zone_give_the_same_phases() {
    assert_moves(journal, true, &zones());
}

#[test]
fn a_new_years_night_in_local_time_is_a_night_as_any() {
    // The captures begin between 19:00 and 20:00 of 2026-11-23; half of each lies before midnight of the node.
    for capture in CAPTURES {
        let logs = logs(capture, true);
        let times = Move::to(0).lines(&logs[0]);
        let middle = times[times.len() / 2].0.naive_utc();
        for to in zones() {
            let midnight = NaiveDateTime::parse_from_str("2026-01-01 00:00:00", "%Y-%m-%d %H:%M:%S").unwrap();
            let local = middle + TimeDelta::seconds(to.zone.local_minus_utc().into());
            let to = Move { seconds: (midnight - local).num_seconds(), ..to };
            for write in [files, journal] {
                let [utc, moved] = [Move::to(0), to].map(|to| {
                    let folder = tempfile::tempdir().unwrap();
                    write(folder.path(), &logs, to);
                    lengths(folder.path(), to)
                });
                assert_eq!(moved, utc, "{capture} in {}", to.zone);
            }
        }
    }
}

const ADD: &str = r#"I0815 04:17:10.415078   44926 kubelet.go:2480] "SyncLoop ADD" source="api" pods=["shop/web-0"]"#;
const RETRY: &str = r#"E0815 04:19:17.415078   44926 nestedpendingoperations.go:348] Operation for "{volumeName:kubernetes.io/secret/11111111-2222-3333-4444-555555555555-keys podName:11111111-2222-3333-4444-555555555555 nodeName:}" failed. No retries permitted until 2025-08-15 04:19:33.415038416 +0800 +08 m=+559331.494404366 (durationBeforeRetry 16s). Error: MountVolume.SetUp failed for volume "keys" (UniqueName: "kubernetes.io/secret/11111111-2222-3333-4444-555555555555-keys") pod "web-0" (UID: "11111111-2222-3333-4444-555555555555") : secret "keys" not found"#;

/// A report of one file.
fn report(lines: &[&str], flags: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("kubelet.log");
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
    let output = podlag().arg(&log).args(["--format", "json"]).args(flags).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_volumes_retry_tells_zone_and_year() {
    let report = report(&[ADD, RETRY], &[]);
    assert_eq!(startups(&report)[0]["seen"], "2025-08-14T20:17:10.415078000Z");
    assert_eq!(report["coverage"]["zone_assumed"], false);
}

#[test]
fn offsets_are_time_zones_also_as_a_word_of_their_own() {
    for (flags, seen) in [
        (&["--timezone", "-07:00"][..], "2026-08-15T11:17:10.415078000Z"),
        (&["--timezone=-0700"], "2026-08-15T11:17:10.415078000Z"),
        (&["--timezone", "+05:30"], "2026-08-14T22:47:10.415078000Z"),
        (&["--timezone", "+0530"], "2026-08-14T22:47:10.415078000Z"),
    ] {
        let report = report(&[ADD], &[flags, &["--year", "2026"]].concat());
        assert_eq!(startups(&report)[0]["seen"], seen, "{flags:?}");
        assert_eq!(report["coverage"]["zone_assumed"], false);
    }
}

#[test]
fn lines_that_disagree_on_the_zone_are_counted_and_shown() {
    let other = RETRY.replace("04:19:33.415038416 +0800 +08", "04:19:33.415038416 -0700 PDT");
    let report = report(&[ADD, RETRY, &other], &[]);
    let errors = report["coverage"]["source_errors"].to_string();
    assert!(errors.contains("1 line shows another time zone than the lines before"), "{errors}");
}
