//! The startups table as files: what is written can be read back, merged and queried by others, and gives the same report.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{captures, lines, podlag, samples};
use serde_json::Value;

pub fn run(arguments: &[&str], inputs: &[PathBuf]) -> Output {
    let output = podlag().args(arguments).args(inputs).output().expect("podlag runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}", told.chars().take(2000).collect::<String>());
    output
}

fn same(a: &[u8], b: &[u8], what: &str) {
    let at = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    let near = |bytes: &[u8]| {
        let from = at.saturating_sub(100).min(bytes.len());
        String::from_utf8_lossy(&bytes[from..bytes.len().min(at + 100)]).into_owned()
    };
    assert!(a == b, "{what} differ at byte {at}:\n{}\n{}", near(a), near(b));
}

/// A report without the commands to paste, which name its inputs.
fn without_hint(text: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(text).expect("UTF-8");
    let (before, hint) = text.split_once("\npodlag explain ").unwrap_or((&text, ""));
    format!("{before}{}", hint.split_once("\nnot checked").map_or("", |(_, after)| after)).into_bytes()
}

/// A report with instants rounded down to microseconds. Startups of one microsecond are in the order of their names then.
fn in_microseconds(text: Vec<u8>) -> Vec<u8> {
    let instant = regex::bytes::Regex::new(r"(T\d\d:\d\d:\d\d\.\d{6})\d{3}Z").expect("a pattern");
    let text = instant.replace_all(&text, &b"${1}000Z"[..]).into_owned();
    let Ok(mut report) = serde_json::from_slice::<Value>(&text) else { return text };
    report["startups"].as_array_mut().expect("startups").sort_by_key(ToString::to_string);
    serde_json::to_vec_pretty(&report).expect("JSON")
}

/// Writes each capture's table on its own, in one form.
fn alone(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let write = |capture: &PathBuf| {
        let name = capture.file_name().expect("a name").to_string_lossy().into_owned();
        let target =
            if extension.is_empty() { folder.join("tables/") } else { folder.join(format!("{name}.{extension}")) };
        run(&["-o", &target.to_string_lossy()], &[capture.join("in")]);
        target
    };
    let mut targets: Vec<PathBuf> = captures().iter().map(write).collect();
    targets.dedup();
    targets
}

pub fn everything() -> Vec<PathBuf> {
    captures().iter().map(|capture| capture.join("in")).collect()
}

#[test]
fn stored_reports_can_come_through_a_pipe() {
    let capture = samples().join("s02-pull-serial/in");
    for form in ["json", "ndjson"] {
        let stored = run(&["--format", form], std::slice::from_ref(&capture)).stdout;
        let mut child = podlag()
            .args(["-", "--format", "ndjson"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("podlag runs");
        let mut pipe = child.stdin.take().expect("a pipe");
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut pipe, &stored));
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("a writer").expect("all is taken");
        let expected = run(&["--format", "ndjson"], std::slice::from_ref(&capture)).stdout;
        same(&expected, &output.stdout, form);
    }
}

#[test]
fn the_temporary_folder_is_gone_at_the_end() {
    let temp = tempfile::tempdir().expect("a folder");
    let output = podlag()
        .env("TMPDIR", temp.path())
        .args(["--memory", "1", "--part", "1"])
        .arg(captures()[0].join("in"))
        .output()
        .expect("podlag runs");
    assert!(output.status.success());
    assert_eq!(std::fs::read_dir(temp.path()).expect("the folder").count(), 0);
    let nowhere = temp.path().join("not-there");
    let output = podlag()
        .env("TMPDIR", &nowhere)
        .args(["--memory", "1", "--part", "1"])
        .arg(captures()[0].join("in"))
        .output()
        .expect("podlag runs");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("temporary folder") && told.contains("TMPDIR"), "{told}");
}

#[test]
fn the_same_startup_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let capture = samples().join("s02-pull-serial/in");
    let once = folder.path().join("once.parquet");
    run(&["-o", &once.to_string_lossy()], std::slice::from_ref(&capture));
    let copy = folder.path().join("copy.parquet");
    std::fs::copy(&once, &copy).expect("a copy");
    let twice: Value =
        serde_json::from_slice(&run(&["--format", "json"], &[once.clone(), copy]).stdout).expect("a report");
    let single: Value =
        serde_json::from_slice(&run(&["--format", "json"], std::slice::from_ref(&once)).stdout).expect("a report");
    assert_eq!(twice["startups"], single["startups"]);
    assert_eq!(twice["coverage"]["duplicate_startups"], 20);
    assert_eq!(twice["coverage"]["lines"], single["coverage"]["lines"], "one run, read twice");
    // The kubelet's log alone knows less: of two rows of one start the one that stands on more stays.
    let less = folder.path().join("less.parquet");
    run(&["-o", &less.to_string_lossy()], &[capture.join("kubelet.log.zst")]);
    for inputs in [[once.clone(), less.clone()], [less, once]] {
        let merged = lines(&run(&["--format", "ndjson"], &inputs));
        assert_eq!(Value::from(merged), single["startups"], "{}", inputs[0].display());
    }
}

/// The files of the startups table below a folder.
fn partitions(folder: &Path) -> Vec<PathBuf> {
    let below = |path: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
    };
    below(&folder.join("startups")).iter().flat_map(|date| below(date)).flat_map(|node| below(&node)).collect()
}

#[test]
fn a_folder_knows_its_nodes_by_path_or_file_and_instants_to_the_microsecond() {
    let temp = tempfile::tempdir().expect("a folder");
    let capture = samples().join("s02-pull-serial/in");
    let (folder, file) = (temp.path().join("lake/"), temp.path().join("startups.parquet"));
    let node = "a=b/ä 7";
    run(&["--node-name", node, "-o", &folder.to_string_lossy(), "-o", &file.to_string_lossy()], &[capture]);
    let read = |path: &Path| lines(&run(&["--format", "ndjson"], &[path.to_path_buf()]));
    let exact = read(&file);
    assert!(exact.len() == 20 && exact.iter().all(|row| row["node"] == node));
    let rounded = read(&folder);
    let micros = |rows: &[Value]| in_microseconds(serde_json::to_vec(&serde_json::json!({"startups": rows})).unwrap());
    let nanoseconds =
        regex::Regex::new(r#":"[-0-9T:]{19}\.\d{6}(\d\d[1-9]|\d[1-9]\d|[1-9]\d\d)Z""#).expect("a pattern");
    let has_nanoseconds = |rows: &[Value]| nanoseconds.is_match(&serde_json::to_string(rows).unwrap());
    assert!(has_nanoseconds(&exact) && !has_nanoseconds(&rounded));
    same(&micros(&exact), &micros(&rounded), "rows of a file and of a folder");
    // The same startups, exact and rounded, count once.
    assert_eq!(lines(&run(&["--format", "ndjson"], &[file.clone(), folder.clone()])).len(), exact.len());
    // A part that was taken out of its folder names its node itself.
    let [part] = &partitions(&folder)[..] else { panic!("one date and node") };
    assert!(part.to_string_lossy().contains("date=2026-11-23/node=a%3Db%2F%C3%A4%207/"), "{}", part.display());
    let alone = temp.path().join("alone.parquet");
    std::fs::copy(part, &alone).expect("a copy");
    assert_eq!(read(&alone), rounded);
    // Folders of earlier versions have nanoseconds, and the node in the file too.
    let old = temp.path().join("old/startups/date=2026-11-23/node=another");
    std::fs::create_dir_all(&old).expect("a folder");
    std::fs::copy(&file, old.join("part-0.parquet")).expect("a copy");
    assert_eq!(read(&temp.path().join("old")), exact);
}

#[test]
fn tables_of_others_and_broken_ones_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = folder.path().join("good.parquet");
    run(&["-o", &good.to_string_lossy()], &[samples().join("s01-cached/in")]);
    let cut = folder.path().join("cut.parquet");
    let bytes = std::fs::read(&good).expect("the table");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).expect("half of it");
    let output = run(&["--format", "ndjson"], &[good, cut.clone()]);
    assert_eq!(lines(&output).len(), 20, "the good one is read");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("cut.parquet") && told.contains("cannot be read as a table"), "{told}");
    let newer = folder.path().join("newer.json");
    std::fs::write(&newer, "{\"podlag_report\": 999, \"startups\": []}").expect("a report");
    for (path, expected) in [(&cut, "cannot be read as a table"), (&newer, "version 999")] {
        let output = podlag().arg(path).output().expect("podlag runs");
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn outputs_are_whole_or_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = samples().join("s01-cached/in");
    let target = folder.path().join("startups.csv");
    run(&["-o", &target.to_string_lossy()], std::slice::from_ref(&input));
    let csv = std::fs::read_to_string(&target).expect("it is there");
    assert_eq!(csv.lines().count(), 21);
    assert!(csv.starts_with("node,namespace,pod,uid,workload,"), "{}", csv.lines().next().unwrap());
    for (target, expected) in [
        ("/dev/full/x.csv", "no such folder"),
        ("startups.xlsx", "unknown extension"),
        ("/no/such/x.json", "no such folder"),
    ] {
        let output = podlag().args(["-o", target]).arg(&input).output().expect("podlag runs");
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(expected), "{told}");
    }
    // An input is not replaced by the output, and a link leads to its file.
    let log = folder.path().join("log.json");
    std::fs::copy(input.join("kubelet.log.zst"), &log).expect("a copy");
    let output = podlag().args(["-o", &log.to_string_lossy()]).arg(&log).output().expect("podlag runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("this file is also an input"));
    std::fs::remove_file(&log).expect("it is still there");
    let link = folder.path().join("link.csv");
    std::os::unix::fs::symlink(&target, &link).expect("a link");
    run(&["-o", &link.to_string_lossy()], std::slice::from_ref(&input));
    assert!(std::fs::symlink_metadata(&link).expect("the link").is_symlink());
    std::fs::remove_file(&link).expect("the link");
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder").collect();
    assert_eq!(left.len(), 1, "nothing half made is left: {left:?}");
}

mod slow {
    use super::*;

    #[test]
    fn many_rows_without_pulls_and_some_with_are_one_table() {
        let line = |sample: &str, wanted: &str| {
            let input = samples().join(sample).join("in");
            let output = podlag().arg(input).args(["--format", "ndjson"]).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            text.lines().find(|line| line.contains(wanted)).expect("such a row").to_owned()
        };
        let (quiet, pulling) =
            (line("s01-cached", r#""image_pulls":[]"#), line("s02-pull-serial", r#""image_pulls":[{"#));
        let uid = |row: &str| serde_json::from_str::<Value>(row).unwrap()["uid"].as_str().unwrap().to_owned();
        let uids = [uid(&quiet), uid(&pulling)];
        // Thousands of rows without a pull lie between those with one.
        let row = |number: usize| {
            let (row, uid) = if number.is_multiple_of(5000) { (&pulling, &uids[1]) } else { (&quiet, &uids[0]) };
            row.replace(uid.as_str(), &format!("0a1b2c3d-{number}")) + "\n"
        };
        let folder = tempfile::tempdir().unwrap();
        let (rows, table) = (folder.path().join("rows.ndjson"), folder.path().join("rows.parquet"));
        std::fs::write(&rows, (0..20_000).map(row).collect::<String>()).unwrap();
        for memory in ["1GiB", "1MiB"] {
            let output = podlag().arg(&rows).args(["--memory", memory, "-o"]).arg(&table).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{memory}: {}", String::from_utf8_lossy(&output.stderr));
            let of_images = podlag().args(["blame", "--by", "image", "--format", "json"]).arg(&table).output().unwrap();
            let groups: Value = serde_json::from_slice(&of_images.stdout).unwrap();
            let counts = groups["groups"].as_array().expect("groups").iter().filter_map(|one| one["count"].as_u64());
            assert_eq!(counts.sum::<u64>(), 4, "{memory}: {groups}");
        }
    }

    #[test]
    fn merged_tables_give_the_report_of_all_logs() {
        let folder = tempfile::tempdir().expect("a folder");
        let kinds = [alone(folder.path(), "parquet"), alone(folder.path(), "json"), alone(folder.path(), "")];
        assert_eq!(kinds.each_ref().map(Vec::len), [captures().len(), captures().len(), 1]);
        for form in ["text", "json"] {
            let report = |inputs: &[PathBuf]| without_hint(run(&["--format", form], inputs).stdout);
            let whole = report(&everything());
            assert!(whole.len() > 3000, "{form}: {} bytes", whole.len());
            let [files, reports, folder] = &kinds;
            for inputs in [files, reports] {
                same(&whole, &report(inputs), &format!("{form} of {}", inputs[0].display()));
            }
            // A folder's instants are rounded down to microseconds; what was computed of them before is as it was.
            let (whole, read) = (in_microseconds(whole), in_microseconds(report(folder)));
            same(&whole, &read, &format!("{form} of a folder"));
        }
    }

    #[test]
    fn a_budget_of_nothing_changes_nothing() {
        let whole = run(&["--format", "json"], &everything()).stdout;
        let spilled = run(&["--format", "json", "--memory", "64KiB", "--part", "16KiB"], &everything()).stdout;
        same(&whole, &spilled, "held and written reports");
        let verbs: [&[&str]; 3] = [
            &["blame", "--by", "image", "--format", "csv"],
            &["blame", "--by", "workload", "--format", "csv"],
            &["check", "--fail-if", "p50(running_s) > 10h", "--format", "json"],
        ];
        for verb in verbs {
            let held = run(verb, &everything()).stdout;
            let written = run(&[verb, &["--memory", "64KiB", "--part", "16KiB"]].concat(), &everything()).stdout;
            same(&held, &written, verb[0]);
        }
    }

    #[test]
    fn damaged_tables_are_errors_and_no_crashes() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = folder.path().join("good.parquet");
        run(&["-o", &good.to_string_lossy()], &[samples().join("s07-pull-backoff/in")]);
        let bytes = std::fs::read(&good).expect("the table");
        let length =
            usize::try_from(u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap())).unwrap();
        let footer = bytes.len() - 8 - length;
        // Places and values come from one multiplication after another: the same in every run.
        let mut state = 1_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let damaged = folder.path().join("damaged.parquet");
        let mut refused = 0;
        for round in 0..120 {
            let mut copy = bytes.clone();
            for _ in 0..1 + round % 4 {
                let at = if round % 2 == 0 { footer + next(length) } else { 4 + next(footer - 4) };
                copy[at] = u8::try_from(next(256)).unwrap();
            }
            std::fs::write(&damaged, copy).expect("a table");
            let output = podlag().arg(&damaged).output().expect("podlag runs");
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(matches!(output.status.code(), Some(0 | 2 | 3)), "round {round}: {}: {told}", output.status);
            assert!(!told.contains("panicked"), "round {round}: {told}");
            refused += usize::from(output.status.code() == Some(2));
        }
        assert!(refused > 20, "only {refused} were noticed at all");
    }
}
