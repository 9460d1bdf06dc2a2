//! Pods and events as kubectl writes them for people: compared with the JSON of the same recording. The texts are those of kubectl
//! 1.32, asked of a server that had the recording's objects.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use podlag::internals::analyze::{Options, analyze};
use podlag::internals::input;
use podlag::internals::render::{self, TextOptions};
use proptest::prelude::*;
use serde_json::Value;

use crate::objects::{number, three_nodes};
use crate::support::{report, startups, text};

/// A pod's start is known to two seconds at its beginning, to one at its end.
const STATED: f64 = 2.0;

fn rows(files: &[&str]) -> BTreeMap<String, Value> {
    let paths: Vec<PathBuf> = files.iter().map(|file| three_nodes().join(file)).collect();
    by_name(startups(report(&paths)))
}

fn by_name(rows: &[Value]) -> BTreeMap<String, Value> {
    let name = |row: &Value| format!("{}/{}", row["namespace"].as_str().unwrap(), row["pod"].as_str().unwrap());
    rows.iter().map(|row| (name(row), row.clone())).collect()
}

fn cause(row: &Value) -> &str {
    row["cause"].as_str().unwrap_or("none")
}

fn assert_tiles(rows: &BTreeMap<String, Value>) {
    for (pod, row) in rows {
        let spans = row["spans"].as_array().expect("spans");
        assert!(spans.windows(2).all(|pair| pair[0]["to"] == pair[1]["from"]), "{pod}: a gap or an overlap");
    }
}

/// How many pods of a description have the main cause that the objects' JSON gives them. The others have none.
fn causes_of(file: &str) -> (usize, usize) {
    let (objects, described) = (rows(&["pods.json.zst", "events.json.zst"]), rows(&[file]));
    assert_tiles(&described);
    let mut table = BTreeMap::<(&str, &str), usize>::new();
    // A pod that is gone is described no more.
    assert_eq!((objects.len(), described.len()), (144, 143));
    for (pod, row) in &described {
        let pair = (cause(&objects[pod]), cause(row));
        assert!(pair.0 == pair.1 || ["none", "unexplained"].contains(&pair.1), "{pod}: {pair:?}");
        for field in ["state", "node", "workload"] {
            assert_eq!(objects[pod][field], row[field], "{pod}");
        }
        *table.entry(pair).or_default() += 1;
    }
    table.iter().for_each(|((json, text), count)| println!("{count:>5}  {json} → {text}"));
    let same: usize = table.iter().filter(|((json, text), _)| json == text).map(|(_, count)| count).sum();
    println!("{file}: {same} of {} the same", described.len());
    (same, described.len())
}

#[test]
fn descriptions_give_the_causes_of_the_objects_or_none() {
    let (same, all) = causes_of("describe.txt.zst");
    assert!(same * 100 >= all * 85, "{same} of {all}");
}

#[test]
fn ages_of_two_hours_make_no_cause() {
    // Instants are known to the minute.
    let (same, all) = causes_of("describe-of-hours.txt.zst");
    assert!(same * 100 >= all * 70, "{same} of {all}");
}

#[test]
fn lengths_of_descriptions_are_those_of_the_events_within_their_bounds() {
    // Events alone: no creation and no status, as in a description, but nanoseconds.
    let (events, described) = (rows(&["events.json.zst"]), rows(&["describe.txt.zst"]));
    let (mut compared, mut exact_pulls) = (0, 0);
    for (pod, row) in &described {
        let known = &events[pod];
        // Events do not show which run of a container stayed.
        if known["state"] != "running" || row["state"] != "running" || cause(row) == "crash-loop" {
            continue;
        }
        let (expected, ran) = (number(known, "running_s"), number(row, "running_s"));
        assert!((expected - ran).abs() <= STATED, "{pod}: {ran} not {expected}");
        compared += 1;
        for phase in ["image_wait_s", "image_pull_s"] {
            let (expected, shown) = (number(known, phase), number(row, phase));
            if cause(row) != "image-pull-failing" {
                assert!((expected - shown).abs() < 1.0, "{pod} {phase}: {shown} not {expected}");
                exact_pulls += usize::from(shown > 0.0 && (expected - shown).abs() < 1e-6);
            }
        }
        for span in row["spans"].as_array().expect("spans") {
            assert!(span["precision"] != "exact", "{pod}: {span}");
        }
    }
    println!("{compared} pods compared, {exact_pulls} waits and pulls to the nanosecond");
    assert!(compared > 110 && exact_pulls > 15, "{compared}, {exact_pulls}");
}

#[test]
fn wide_tables_give_the_rows_of_the_events() {
    let (events, wide) = (rows(&["events.json.zst"]), rows(&["events-wide.txt.zst"]));
    assert_tiles(&wide);
    assert!(events.keys().eq(wide.keys()), "{} and {} rows", events.len(), wide.len());
    for (pod, known) in &events {
        let row = wide[pod].as_object().expect("a row");
        for (field, value) in row {
            // The scheduler's events have an instant beside that of their name, some milliseconds apart; a table has no uid.
            match (value.as_f64(), known[field].as_f64()) {
                _ if ["uid", "source", "line", "lines", "spans", "findings", "attributes"].contains(&&**field) => {}
                (Some(value), Some(expected)) => assert!((value - expected).abs() < 0.02, "{pod} {field}: {value}"),
                _ if value.is_object() || value.is_array() => {}
                _ => assert!(value == &known[field], "{pod} {field}: {value}"),
            }
        }
    }
}

#[test]
fn tables_of_events_name_the_nodes_of_their_pods_and_no_other_cause() {
    let (events, table) = (rows(&["events.json.zst"]), rows(&["events.txt.zst"]));
    assert_tiles(&table);
    assert!(events.keys().eq(table.keys()));
    for (pod, row) in &table {
        let pair = (cause(&events[pod]), cause(row));
        assert!(pair.0 == pair.1 || ["none", "unexplained"].contains(&pair.1), "{pod}: {pair:?}");
        assert_eq!(events[pod]["node"], row["node"], "{pod}");
    }
}

thread_local! {
    // Grammars take longer to load than a small text to read.
    static OPTIONS: RefCell<Options> = RefCell::new(Options::new(&std::env::temp_dir()).expect("the built-in grammars load"));
}

/// The rows of a text, and its summary.
fn read(text: &[u8]) -> (Vec<Value>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("text");
    std::fs::write(&path, text).expect("a file");
    let (sources, _) = input::list(&[path]);
    let report = OPTIONS.with_borrow(|options| analyze(&sources, options, &Arc::new(AtomicBool::new(false))));
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    let of = |form: &str| {
        let form = render::form(form).unwrap_or_else(|error| panic!("{error}"));
        let mut out = Vec::new();
        (form.write)(&report, TextOptions::default(), &mut out).unwrap_or_else(|error| panic!("{error}"));
        String::from_utf8(out).expect("UTF-8")
    };
    let rows = of("ndjson").lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    // The summary wraps its lines.
    (rows, of("text").split_whitespace().collect::<Vec<_>>().join(" "))
}

fn user_log() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/user-logs/events-of-a-description.txt");
    std::fs::read_to_string(path).expect("the table")
}

#[test]
fn a_wait_in_the_queue_is_found_in_a_table_of_events_of_any_age() {
    for (ages, slack) in [
        (["3m12s", "3m11s", "61s", "60s", "60s"], 0.0),
        (["103m", "103m", "101m", "101m", "101m"], 60.0),
        (["3h12m", "3h12m", "3h10m", "3h10m", "3h10m"], 60.0),
    ] {
        let mut table = user_log();
        for (old, new) in ["3m12s", "3m11s", "61s ", "60s ", "60s "].into_iter().zip(ages) {
            table = table.replacen(old, &format!("{new:<w$}", w = old.len()), 1);
        }
        let (rows, said) = read(table.as_bytes());
        let row = &rows[0];
        assert_eq!(
            (row["cause"].as_str(), row["node"].as_str()),
            (Some("image-pull-queued"), Some("node-a")),
            "{said}"
        );
        assert!((number(row, "image_pull_s") - 12.5).abs() < 1e-6, "{said}");
        assert!((number(row, "image_wait_s") - 117.6).abs() <= slack + 1e-6, "{said}");
        assert!(said.contains("taken as written when"), "{said}");
    }
}

#[test]
fn where_nothing_names_the_pod_its_events_are_not_used() {
    let without: String =
        user_log().lines().filter(|line| !line.contains("Scheduled")).map(|line| format!("{line}\n")).collect();
    let (rows, said) = read(without.as_bytes());
    assert!(rows.is_empty());
    assert!(said.contains("4 events not used: nothing names the pod"), "{said}");
}

#[test]
fn a_description_beside_the_objects_adds_no_row() {
    let both = rows(&["pods.json.zst", "events.json.zst", "describe.txt.zst"]);
    let paths = ["pods.json.zst", "events.json.zst", "describe.txt.zst"].map(|file| three_nodes().join(file));
    assert_eq!(startups(report(&paths)).len(), both.len());
    for (pod, row) in rows(&["pods.json.zst", "events.json.zst"]) {
        assert_eq!(cause(&row), cause(&both[&pod]), "{pod}");
    }
}

#[test]
fn custom_columns_have_instants() {
    let table = "TIME                   NS     POD     REASON      MESSAGE\n\
        2026-11-28T10:00:00Z   shop   web-0   Scheduled   Successfully assigned shop/web-0 to n1\n\
        2026-11-28T10:00:19Z   shop   web-0   Pulled      Successfully pulled image \"r.test/app:v1\" in 6s (18s including waiting)\n\
        2026-11-28T10:00:20Z   shop   web-0   Started     Started container app\n\
        <none>                 shop   web-1   Started     Started container app\n";
    let (rows, said) = read(table.as_bytes());
    assert_eq!((rows.len(), rows[0]["cause"].as_str()), (1, Some("image-pull-queued")), "{said}");
    assert!(said.contains("1 event not used: the time is not shown") && !said.contains("taken as written"), "{said}");
}

#[test]
fn hostile_text_is_read_as_far_as_it_goes() {
    let described = text(&three_nodes().join("describe.txt.zst"));
    let pod: String = described.lines().take_while(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect();
    let table = user_log();
    for text in [&pod, &table] {
        for end in (0..text.len()).step_by(97).filter(|end| text.is_char_boundary(*end)) {
            assert!(read(&text.as_bytes()[..end]).0.len() <= 1, "{end}");
        }
        let huge = "x".repeat(300_000);
        for (from, to) in [
            ("container", huge.as_str()),
            ("app", "\u{1b}[2J\u{9b}31m\u{202e}"),
            ("61s", "99999999999999999999s"),
            ("3m12s", "9223372036854775807d"),
            ("60s", "<invalid>"),
            ("2m44s", "<unknown>"),
            ("Normal", "<none>"),
            ("2026", "9999"),
            ("2026", "-292277022657"),
            ("Name:", "Name:\nNamespace:\nName:"),
            ("  ", "\t"),
            ("  ", "ä  "),
            ("Events:", "Events:\nEvents:"),
        ] {
            let (rows, said) = read(text.replace(from, to).as_bytes());
            assert!(rows.len() <= 2, "{from} {to}: {said}");
            assert!(!said.contains('\u{1b}') && !said.contains('\u{202e}'), "{from} {to}");
        }
    }
    // A message of several lines that looks like a description.
    let (rows, _) = read(pod.replace("container", "container\nName: x\nNode: y\nEvents:").as_bytes());
    assert_eq!((rows.len(), rows[0]["pod"].as_str()), (1, Some("audit-sink-7899ff58fd-2r8ds")));
}

/// Lines of all forms, from the recording.
fn lines() -> Vec<String> {
    let of = |file: &str, from: usize| -> Vec<String> {
        text(&three_nodes().join(file)).lines().skip(from).take(160).map(str::to_owned).collect()
    };
    let mut lines = of("describe.txt.zst", 0);
    lines.extend(of("describe.txt.zst", 3700));
    lines.extend(of("events-wide.txt.zst", 0));
    lines.extend(of("events.txt.zst", 0));
    lines.extend(user_log().lines().map(str::to_owned));
    lines
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(
        picks in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..400, any::<Option<char>>()), 0..200),
        head in 0_usize..3,
    ) {
        let all = lines();
        let heads = ["Name: a\nNamespace: b\nNode: c\n", "Events:\n  Type  Reason  Age  From  Message\n", "LAST SEEN   REASON   OBJECT   MESSAGE\n"];
        let mut text = heads[head].to_owned();
        for (index, cut, other) in picks {
            let line = &all[index.index(all.len())];
            text.extend(line.chars().take(if cut > 200 { usize::MAX } else { cut }));
            text.extend(other);
            text.push('\n');
        }
        for row in read(text.as_bytes()).0 {
            let spans = row["spans"].as_array().expect("spans");
            prop_assert!(spans.windows(2).all(|pair| pair[0]["to"] == pair[1]["from"]), "{row}");
            for span in spans {
                prop_assert!(number(span, "min_s") <= number(span, "max_s"), "{span}");
            }
        }
    }
}
