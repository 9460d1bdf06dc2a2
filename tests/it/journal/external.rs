//! Journal files that systemd writes, as podlag and journalctl read them.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime};

use super::*;

const REMOTE: &str = "/lib/systemd/systemd-journal-remote";
/// A header's flags.
const LZ4: u8 = 2;
const XZ: u8 = 1;
const KEYED: u8 = 4;
const COMPACT: u8 = 16;

/// When a line of a log was written, in microseconds since 1970.
fn written(line: &str) -> Option<i64> {
    if let Some(date) = line.strip_prefix("time=\"") {
        return Some(DateTime::parse_from_rfc3339(date.split('"').next()?).ok()?.timestamp_micros());
    }
    if let Some(seconds) = line.strip_prefix("{\"ts\":") {
        return Some((seconds.split(',').next()?.parse::<f64>().ok()? * 1000.0) as i64);
    }
    let date = format!("2026{}", line.get(1..21)?);
    Some(NaiveDateTime::parse_from_str(&date, "%Y%m%d %H:%M:%S%.6f").ok()?.and_utc().timestamp_micros())
}

/// The lines of a node's logs, in the order of time: when each was written, by which unit.
fn log(case: &str, host: &str) -> Vec<(i64, &'static str, String)> {
    let mut all: Vec<(i64, &str, String)> = Vec::new();
    for (name, unit) in [("kubelet", "kubelet"), ("containerd", "containerd")] {
        let log = crate::support::text(&samples().join(case).join(format!("in/{name}.log.zst")));
        let log = log.replace("rig-node-1", host);
        let first = log.lines().find_map(written).expect("a date");
        let mut last = first;
        for line in log.lines() {
            last = written(line).unwrap_or(last).max(last);
            all.push((last, unit, line.to_owned()));
        }
    }
    all.sort_by_key(|(at, ..)| *at);
    all
}

/// A node's logs as `journalctl -o export` has them, among lines of other units.
pub fn export(case: &str, host: &str) -> String {
    export_of(&log(case, host), host, "1f0a2b3c4d5e4f60a1b2c3d4e5f60718")
}

/// The same of any lines, in one boot.
fn export_of(all: &[(i64, &str, String)], host: &str, boot: &str) -> String {
    let mut text = String::new();
    for (number, (at, unit, line)) in all.iter().enumerate() {
        let mut entry = |unit: &str, line: &str| {
            let since = 1_000_000 + number;
            let _ = writeln!(text, "__REALTIME_TIMESTAMP={at}\n__MONOTONIC_TIMESTAMP={since}");
            let _ = writeln!(text, "_BOOT_ID={boot}\n_HOSTNAME={host}");
            let _ = writeln!(text, "_SYSTEMD_INVOCATION_ID={:0>8}{}", unit.len(), &boot[8..]);
            let _ = writeln!(text, "_SYSTEMD_UNIT={unit}.service\nSYSLOG_IDENTIFIER={unit}\n_PID={}", 700 + unit.len());
            let _ = writeln!(text, "_SOURCE_REALTIME_TIMESTAMP={at}\nMESSAGE={line}\n");
        };
        entry(unit, line);
        if number % 3 == 0 {
            entry("sshd", &format!("I1123 19:00:00.000000 1 no.go:1] another's line {number}"));
        }
    }
    text
}

/// A journal of entries, in a layout; none if the systemd at hand has another.
pub fn journal(path: &Path, export: &str, compact: bool, keyed: bool, compress: bool) -> Option<Vec<u8>> {
    let flag = |on: bool| if on { "1" } else { "0" };
    let mut child = Command::new(REMOTE)
        .arg(format!("--output={}", path.display()))
        .arg(format!("--compress={}", if compress { "yes" } else { "no" }))
        .args(["--split-mode=none", "-"])
        .envs([("SYSTEMD_JOURNAL_COMPACT", flag(compact)), ("SYSTEMD_JOURNAL_KEYED_HASH", flag(keyed))])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("systemd-journal-remote is needed: apt-get install systemd-journal-remote (./test does)");
    child.stdin.take().expect("a pipe").write_all(export.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let bytes = fs::read(path).unwrap();
    let flags = bytes[12];
    if (flags & COMPACT != 0) != compact || (flags & KEYED != 0) != keyed {
        println!("skipped: this systemd writes flags {flags:#x} for compact {compact}, keyed {keyed}");
        return None;
    }
    Some(bytes)
}

fn printed(path: &Path, form: &str) -> Vec<u8> {
    let mut command = Command::new("journalctl");
    command.env("TZ", "UTC").args(["--no-pager", "--all", "-o", form]);
    command.arg(if path.is_dir() { "--directory" } else { "--file" }).arg(path);
    let output = command.output().expect("journalctl is needed: apt-get install systemd (./test does)");
    assert!(output.stdout.len() > 100_000, "{form}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The rows of a journal, which are those of what journalctl prints of it.
fn compared(path: &Path) -> Vec<Value> {
    let output = run(&[path]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let rows = bare(&lines(&output));
    for form in ["export", "json", "short-iso-precise"] {
        let expected = bare(&lines(&piped(&printed(path, form))));
        assert!(rows == expected, "{} is read as other than -o {form}", path.display());
    }
    rows
}

#[test]
fn every_layout_gives_the_rows_of_what_journalctl_prints() {
    for case in ["s02-pull-serial-v4", "s01-cached-json", "v1.26-s05-init-sidecars"] {
        let text = export(case, "node-7");
        let logs = rows(&[&samples().join(case).join("in")]).len();
        let mut layouts = 0;
        for (compact, keyed) in [(true, true), (false, true), (false, false)] {
            for compress in [true, false] {
                let folder = tempfile::tempdir().expect("a folder");
                let path = folder.path().join("remote.journal");
                if journal(&path, &text, compact, keyed, compress).is_none() {
                    continue;
                }
                let rows = compared(&path);
                assert_eq!(rows.len(), logs, "{case} compact {compact} keyed {keyed}");
                layouts += 1;
            }
        }
        assert!(layouts > 0);
    }
}

#[test]
fn rotated_files_of_two_machines_and_boots_are_one_log_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut logs = 0;
    for (machine, host, case) in [
        ("11111111111111111111111111111111", "node-1", "s02-pull-serial"),
        ("22222222222222222222222222222222", "node-2", "v1.33-s02-pull-serial"),
    ] {
        logs += rows(&[&samples().join(case).join("in")]).len();
        let text = export(case, host);
        let entries: Vec<&str> = text.split_inclusive("\n\n").collect();
        fs::create_dir(folder.path().join(machine)).unwrap();
        for (number, part) in entries.chunks(entries.len() / 4 + 1).enumerate() {
            let path = folder.path().join(machine).join(format!("system@{}.journal", 9 - number));
            // The machine was booted anew between the second file and the third.
            let boot = format!("_BOOT_ID={}{}", &machine[..1], number / 2);
            let (compact, text) = (number % 2 == 0, part.concat().replace("_BOOT_ID=1f", &boot));
            journal(&path, &text, compact, compact, true);
        }
        compared(&folder.path().join(machine));
    }
    assert_eq!(compared(folder.path()).len(), logs);
    let found = lines(&run(&[folder.path()]));
    assert_eq!(found.len(), logs);
    for host in ["node-1", "node-2"] {
        assert!(found.iter().filter(|row| row["node"] == host).count() > 5, "{host}");
    }
}

/// The same log on another day of November, with pods of other names; a kubelet that had started before.
fn on_day(log: &[(i64, &'static str, String)], day: u8, starts: bool) -> Vec<(i64, &'static str, String)> {
    let id = r"\b[0-9a-f]{2}([0-9a-f]{6}(?:-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{56}))\b";
    let id = regex::Regex::new(id).unwrap();
    let of_start = ["FLAG: --", "Kubelet version", "Starting kubelet main sync loop", "Successfully registered node"];
    let lines = log.iter().filter(|(.., line)| starts || !of_start.iter().any(|text| line.contains(text)));
    let moved = lines.map(|(at, unit, line)| {
        let line = line.replace("2026-11-23", &format!("2026-11-{day}"));
        let line = line
            .strip_prefix(&line[..1])
            .filter(|rest| rest.starts_with("1123 "))
            .map_or(line.clone(), |rest| format!("{}11{day} {}", &line[..1], &rest[5..]));
        let line = line.replace("app-", &format!("app{day}-"));
        let line = id.replace_all(&line, format!("{day}$1")).into_owned();
        (at + (i64::from(day) - 23) * 86_400_000_000, *unit, line)
    });
    moved.collect()
}

/// The rows of a run, and how many lines it read.
fn windowed(arguments: &[&str], input: Option<&[u8]>) -> (Vec<Value>, u64) {
    let mut command = podlag();
    command.args(arguments).args(["--format", "json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().expect("podlag runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || pipe.write_all(input.unwrap_or_default()));
        child.wait_with_output().expect("it ends")
    });
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    (bare(report["startups"].as_array().expect("startups")), report["coverage"]["lines"].as_u64().expect("lines"))
}

#[test]
fn a_window_of_time_gives_the_rows_that_reading_all_gives() {
    let log = log("s02-pull-serial-v4", "node-7");
    let days: Vec<_> = (16..=28).map(|day| on_day(&log, day, day == 16)).collect();
    let text = export_of(&days.concat(), "node-7", "1f0a2b3c4d5e4f60a1b2c3d4e5f60718");
    for (compact, keyed) in [(true, true), (false, false)] {
        // It is written to several files; the kubelet's start is in the first of them.
        let folder = tempfile::tempdir().expect("a folder");
        if journal(&folder.path().join("remote.journal"), &text, compact, keyed, true).is_none() {
            continue;
        }
        let (path, printed) = (folder.path().to_string_lossy(), printed(folder.path(), "short-iso-precise"));
        let (all, all_lines) = windowed(&[&path], None);
        assert!(all.len() >= 13 * 20, "{}", all.len());
        for (window, rows, part) in [
            (&["--since", "2026-11-22"][..], 7 * 20, 0.7),
            (&["--until", "2026-11-18"], 2 * 20, 0.4),
            (&["--since", "2026-11-22", "--until", "2026-11-23"], 20, 0.4),
            (&["--since", "2026-11-28T19:00:58Z"], 1, 0.3),
            (&["--since", "2027-01-01"], 0, 0.1),
            (&["--until", "2026-01-01"], 0, 0.001),
            (&["--since", "2026-01-01", "--until", "2027-01-01"], 13 * 20, 1.0),
        ] {
            let (expected, _) = windowed(&[&["-"], window].concat(), Some(&printed));
            let (found, lines) = windowed(&[&[&*path], window].concat(), None);
            assert!(expected.len() >= rows && found == expected, "{window:?}: {} of {}", found.len(), expected.len());
            let read = lines as f64 / all_lines as f64;
            assert!(read <= part && (rows == 0 || read > part / 4.0), "{window:?}: {lines} of {all_lines} lines");
            assert!(found.iter().all(|row| row["kubelet_version"].is_string()), "{window:?}: by the kubelet's start");
        }
    }
}

/// Compresses long fields of a journal in their places.
fn recompressed(journal: &[u8], flag: u8) -> (Vec<u8>, usize) {
    let mut bytes = journal.to_vec();
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let payload = if bytes[12] & COMPACT != 0 { 72 } else { 64 };
    bytes[12] |= flag;
    let (mut at, mut changed) = (number(&bytes, 88), 0);
    while at + 16 <= bytes.len() && bytes[at] != 0 {
        let size = number(&bytes, at + 8);
        let field = bytes[at + payload.min(size)..at + size].to_vec();
        if bytes[at] == 1 && bytes[at + 1] == 0 && field.len() > 200 {
            let packed = if flag == LZ4 {
                let block = lz4::block::compress(&field, None, false).unwrap();
                [&(field.len() as u64).to_le_bytes()[..], &block].concat()
            } else {
                let mut packed = Vec::new();
                let mut encoder = liblzma::read::XzEncoder::new(&field[..], 1);
                std::io::Read::read_to_end(&mut encoder, &mut packed).unwrap();
                packed
            };
            if packed.len() < field.len() {
                let end = payload + packed.len();
                bytes[at + payload..at + end].copy_from_slice(&packed);
                bytes[at + end..at + size].fill(0);
                bytes[at + 8..at + 16].copy_from_slice(&(end as u64).to_le_bytes());
                bytes[at + 1] = flag;
                changed += 1;
            }
        }
        at += size.next_multiple_of(8);
    }
    (bytes, changed)
}

#[test]
fn lz4_and_xz_are_read_as_journalctl_reads_them() {
    let text = export("s02-pull-serial-v4", "node-7");
    let folder = tempfile::tempdir().expect("a folder");
    let plain = folder.path().join("plain.journal");
    let mut expected = None;
    for compact in [true, false] {
        let _ = fs::remove_file(&plain);
        let Some(bytes) = journal(&plain, &text, compact, true, false) else { continue };
        for flag in [LZ4, XZ] {
            let path = folder.path().join("packed.journal");
            let (packed, changed) = recompressed(&bytes, flag);
            assert!(changed > 100, "{changed} fields are compressed");
            fs::write(&path, packed).unwrap();
            let rows = compared(&path);
            assert!(rows == *expected.get_or_insert_with(|| rows.clone()));
        }
    }
}

#[test]
fn other_units_are_read_where_they_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("system.journal");
    let case = samples().join("s02-pull-serial/in");
    for (from, to) in [("_SYSTEMD_UNIT=", "_SYSTEMD_UNIT=edge-"), ("SYSLOG_IDENTIFIER=", "SYSLOG_IDENTIFIER=edge-")] {
        // By the unit alone, and by the program alone.
        let text = export("s02-pull-serial", "node-7").replace("=kubelet", "=other").replace("=containerd", "=cri");
        let text = text.replace(&format!("{from}other"), &format!("{to}kubelet"));
        let text = text.replace(&format!("{from}cri"), &format!("{to}containerd"));
        let _ = fs::remove_file(&path);
        assert!(journal(&path, &text, true, true, true).is_some());
        let mut command = podlag();
        command.arg(&path).args(["--format", "ndjson", "--unit", "edge-kubelet", "--unit", "edge-containerd.service"]);
        let output = command.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(bare(&lines(&output)), bare(&rows(&[&case])), "{from}");
        assert_eq!(lines(&run(&[&path])).len(), 0, "{from}");
    }
}

#[test]
fn a_journal_without_a_kubelet_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("user-1000.journal");
    let text = export("s01-cached", "node-1").replace("=kubelet", "=cron").replace("=containerd", "=cron");
    assert!(journal(&path, &text, true, true, true).is_some());
    let output = podlag().arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    let said = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("no line used; it looks like a systemd journal without"), "{said}");
}
