//! One capture in each way that log stores, shippers, pages and people give it back: its rows are those of the plain log, from a file
//! and through a pipe, newest first, and with pages that overlap.

pub mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use podlag::internals::analyze::{Options, analyze};
use podlag::internals::input::Source;
use podlag::internals::render::{TextOptions, form};
use serde_json::Value;

use crate::support::{bare, podlag, report, samples, startups, text, unpacked};
pub use ways::Entry;
use ways::WAYS;

/// The entries of a capture's kubelet and runtime, in the order of time.
pub fn entries(case: &str, host: &'static str) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    for (unit, pid) in [("kubelet", 901), ("containerd", 612)] {
        let log = text(&samples().join(format!("{case}/in/{unit}.log.zst")));
        let begin = all.len();
        for line in log.lines() {
            match (ways::written(line), all.len() > begin) {
                (Some(micros), _) => {
                    all.push(Entry { micros, host, unit, pid, message: line.to_owned() });
                }
                // What goes on with the line before it.
                (None, true) => {
                    if let Some(last) = all.last_mut() {
                        last.message.push('\n');
                        last.message.push_str(line);
                    }
                }
                (None, false) => {}
            }
        }
    }
    all.sort_by_key(|entry| entry.micros);
    all
}

/// The rows of a source, analysed in this process.
fn analysed(source: Source) -> Result<Vec<Value>, String> {
    let options = Options::new(&std::env::temp_dir()).expect("the built-in grammars load").threads(1).year(2026);
    let report = analyze(&[source], &options, &Default::default()).map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    (form("json").expect("a form").write)(&report, TextOptions::default(), &mut json).expect("a report");
    let report: Value = serde_json::from_slice(&json).expect("JSON");
    Ok(without_text(startups(&report)))
}

/// Rows without what tells where they were read, and how their lines were quoted there.
pub fn without_text(rows: &[Value]) -> Vec<Value> {
    let mut rows = bare(rows);
    for row in &mut rows {
        for line in row["lines"].as_array_mut().into_iter().flatten() {
            line.as_object_mut().expect("a line").remove("text");
        }
    }
    rows
}

/// A capture's export in a way.
pub fn export(way: &str) -> String {
    let (_, write) = WAYS.iter().find(|(name, _)| *name == way).unwrap_or_else(|| panic!("no way {way}"));
    write(&entries("s02-pull-serial", "worker-1"))
}

fn expected() -> Vec<Value> {
    without_text(startups(report(&[samples().join("s02-pull-serial/in")])))
}

/// Puts entries in an order.
type Order = fn(&[Entry]) -> Vec<Entry>;

const ORDERS: [(&str, Order); 3] = [
    ("in order", |all| all.to_vec()),
    ("newest first", |all| all.iter().rev().cloned().collect()),
    // The last twenty of each page are the first of the next.
    ("pages that overlap", |all| {
        let pages = (0..all.len()).step_by(500).map(|from| &all[from.saturating_sub(20)..all.len().min(from + 500)]);
        pages.flatten().cloned().collect()
    }),
];

/// What is wrong with the rows of some ways, worked out side by side.
fn wrong(ways: &[&(&str, ways::Way)], orders: &[(&str, Order)], pipes: bool) -> Vec<String> {
    let (all, expected) = (entries("s02-pull-serial", "worker-1"), expected());
    assert!(expected.len() == 20 && all.len() > 1400);
    let folder = tempfile::tempdir().expect("a folder");
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((name, way)) = ways.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for (order_name, order) in orders {
                        let export = way(&order(&all));
                        let path = folder.path().join(name.replace(['/', ' '], "-"));
                        std::fs::write(&path, &export).expect("a file");
                        let check = |how: &str, source: Source| match analysed(source) {
                            Ok(rows) if rows == expected => {}
                            Ok(rows) => {
                                let same = rows.iter().filter(|row| expected.contains(row)).count();
                                let said = format!("{name}, {order_name}, {how}: {} rows, {same} right", rows.len());
                                wrong.lock().unwrap().push(said);
                            }
                            Err(error) => wrong.lock().unwrap().push(format!("{name}, {order_name}, {how}: {error}")),
                        };
                        check("a file", Source::from_path(&path));
                        if pipes {
                            check("a pipe", Source::from_reader("pipe", Cursor::new(export)));
                        }
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    wrong
}

#[test]
fn each_way_has_its_own_name() {
    let names: BTreeSet<&str> = WAYS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), WAYS.len());
    assert!(names.len() >= 45, "{}", names.len());
}

#[test]
fn common_ways_give_the_rows_of_the_plain_log() {
    let common = [
        "Loki query_range",
        "Grafana data frames",
        "Grafana panel data",
        "gcloud YAML",
        "CSV with semicolons",
        "OpenTelemetry lines",
        "HTML",
        "Fluent Bit stdout",
    ];
    let ways: Vec<_> = WAYS.iter().filter(|(name, _)| common.contains(name)).collect();
    assert_eq!(ways.len(), common.len());
    assert_eq!(wrong(&ways, &ORDERS[..1], false), [""; 0]);
}

/// The real answers that stores gave for two captures of two machines.
static REAL: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exports");
    let files = std::fs::read_dir(&folder).expect("the exports");
    files
        .map(|file| file.expect("a file").path())
        .map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), unpacked(&path)))
        .collect()
});

/// The rows of the plain logs of the two captures that stores hold, in the order of their text.
pub fn two_machines() -> Vec<String> {
    let mut expected: Vec<String> = ["s02-pull-serial", "s05-init-sidecars"]
        .iter()
        .flat_map(|case| without_text(startups(report(&[samples().join(case).join("in")]))))
        .map(|row| row.to_string())
        .collect();
    expected.sort();
    expected
}

#[test]
fn real_answers_of_stores_give_the_rows_of_both_machines() {
    let expected = two_machines();
    assert_eq!((expected.len(), REAL.len()), (37, 4));
    let folder = tempfile::tempdir().expect("a folder");
    for (name, export) in &*REAL {
        let path = folder.path().join(name);
        std::fs::write(&path, export).expect("a file");
        let output = podlag().arg(&path).args(["--format", "json"]).output().expect("podlag runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        let mut found: Vec<String> = without_text(startups(&report)).iter().map(Value::to_string).collect();
        found.sort();
        assert!(found == expected, "{name}: {} rows", found.len());
        let mut nodes: BTreeMap<&str, usize> = BTreeMap::new();
        for row in startups(&report) {
            *nodes.entry(row["node"].as_str().unwrap_or_default()).or_default() += 1;
        }
        let said = report["coverage"]["source_errors"].to_string();
        if name == "logcli-default.txt" {
            // logcli leaves out the host where all lines of a batch have one.
            assert_eq!(nodes, BTreeMap::from([("rig-node-1", 37)]), "{name}");
            assert!(said.contains("name no host") && said.contains("--include-common-labels"), "{said}");
        } else {
            assert_eq!(nodes, BTreeMap::from([("worker-1", 20), ("worker-2", 17)]), "{name}");
            assert_eq!(said, "[]", "{name}");
        }
    }
}

#[test]
fn what_is_not_understood_names_the_form_and_the_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "{\\\"x\\\"}";
    for (name, export, says) in [
        (
            "a.json",
            format!("[{{\"when\":1,\"what\":{{\"text\":\"{line}\"}}}}]"),
            "read as JSON documents, and none of the keys",
        ),
        ("b.json", format!("{{\"when\":1,\"text\":\"{line}\"}}\n"), "read as JSON, a record a line"),
        (
            "c.json",
            "{\"_time\":\"1\",\"_msg\":\"missing _msg field; see https://docs\"}\n".to_owned(),
            "rows of VictoriaLogs without the line",
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, export).expect("a file");
        let output = podlag().arg(&path).output().expect("podlag runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(says), "{name}: {said}");
        assert!(name == "c.json" || said.contains("when") && said.contains("looked for under message"), "{said}");
    }
}

mod slow {
    use super::*;

    #[test]
    fn every_way_gives_the_rows_of_the_plain_log() {
        let ways: Vec<_> = WAYS.iter().collect();
        let wrong = wrong(&ways, &ORDERS, true);
        assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    }
}
