//! The forms for tickets, for trace viewers and for pictures, written by the program over real logs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{podlag, rows, samples};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

const CASES: [&str; 3] = ["s02-pull-serial", "hostile", "v1.26-s02-pull-serial"];

fn run(arguments: &[&str], input: &Path) -> Output {
    podlag().args(arguments).arg(input).output().expect("podlag runs")
}

fn input(case: &str) -> PathBuf {
    samples().join(case).join("in")
}

/// What `-o` writes for a case, and what the program prints beside it.
fn written(case: &str, name: &str) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    let output = run(&["-o", &path.to_string_lossy()], &input(case));
    assert!(output.status.success(), "{case} {name}: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    (std::fs::read_to_string(&path).expect("it is there"), printed)
}

#[test]
fn a_ticket_has_the_causes_of_the_summary() {
    for case in CASES {
        let (markdown, summary) = written(case, "report.md");
        let causes = summary
            .split("\ncauses, by likely time lost")
            .nth(1)
            .and_then(|rest| rest.split_once('\n'))
            .map(|(_, causes)| causes)
            .expect("causes");
        let causes: Vec<&str> = causes
            .lines()
            .take_while(|line| !line.is_empty())
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().nth(1))
            .collect();
        let table =
            markdown.split("### Causes, by likely time lost (a pod can have several)\n").nth(1).expect("causes");
        let rows: Vec<&str> = table
            .lines()
            .skip(3)
            .take_while(|line| line.starts_with('|'))
            .filter_map(|line| line.split("**").nth(1))
            .collect();
        assert_eq!(rows, causes, "{case}");
        assert!((1..=6).contains(&rows.len()), "{case}");
        assert!(markdown.chars().count() < 65_536, "{case}");
        let printed = run(&["--format", "markdown"], &input(case));
        assert_eq!(String::from_utf8(printed.stdout).expect("UTF-8"), markdown, "{case}");
    }
}

#[test]
fn a_ticket_has_the_metrics() {
    let folder = samples().join("s02-pull-serial");
    let pages = ["metrics-before.txt.zst", "metrics-after.txt.zst"].map(|name| folder.join(name));
    let markdown = |inputs: &[&Path]| {
        let output = podlag().args(["--format", "markdown"]).args(inputs).output().expect("podlag runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let alone = markdown(&[&pages[0], &pages[1]]);
    assert!(alone.starts_with("## podlag: 19 starts recorded by the kubelets of 1 node\n"), "{alone}");
    assert!(
        alone.contains("\n**SLO by metrics missed**: ") && alone.contains("\n| image wait | 24 s | 77 % | 22–25 s |\n"),
        "{alone}"
    );
    let beside = markdown(&[&pages[0], &pages[1], &folder.join("in")]);
    assert!(beside.starts_with("## podlag: 20 pod starts on 1 node\n"), "{beside}");
    assert!(
        beside.contains("\n### Metrics: 19 starts") && beside.contains("\nLogs and metrics of `rig-node-1`: "),
        "{beside}"
    );
}

#[test]
fn slices_of_a_trace_nest_and_tile_their_startups() {
    for case in CASES {
        let (trace, _) = written(case, "startups.trace.json");
        let trace: Value = serde_json::from_str(&trace).expect("JSON");
        let events = trace["traceEvents"].as_array().expect("events");
        let mut threads: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
        for event in events.iter().filter(|event| event["ph"] == "X") {
            threads.entry(event["tid"].as_u64().expect("a number")).or_default().push(event);
        }
        let ends = |event: &Value| {
            let from = event["ts"].as_i64().expect("a whole number");
            (from, from + event["dur"].as_i64().expect("a whole number"))
        };
        let rows = rows(&[&input(case)]);
        let mut totals = Vec::new();
        for slices in threads.values() {
            let (whole, spans) = slices.split_first().expect("a startup");
            assert_eq!(whole["cat"], "startup", "{case}");
            let (from, to) = ends(whole);
            let mut reached = from;
            for span in spans {
                assert_eq!((span["cat"].as_str(), ends(span).0), (Some("span"), reached), "{case} {span}");
                reached = ends(span).1;
            }
            assert_eq!(reached, to, "{case} {whole}");
            totals.push((whole["name"].as_str().expect("a name").to_owned(), to - from));
        }
        assert_eq!(totals.len(), rows.len(), "{case}");
        for (row, (name, total)) in rows.iter().zip(&totals) {
            let seconds = row["total_s"].as_f64().unwrap_or(0.0);
            assert!((*total as f64 - seconds * 1e6).abs() <= 1.0, "{case} {name}: {total} µs, {seconds} s");
        }
        let findings: usize = rows.iter().map(|row| row["findings"].as_array().expect("findings").len()).sum();
        assert_eq!(events.iter().filter(|event| event["cat"] == "cause").count(), findings, "{case}");
        arrows(case, events);
    }
}

/// Each arrow begins within a pull and ends within a wait of another pod of its node, later than it begins.
fn arrows(case: &str, events: &[Value]) {
    let within = |end: &Value| {
        let ts = end["ts"].as_i64();
        let name =
            events.iter().filter(|event| event["cat"] == "span" && event["tid"] == end["tid"]).find_map(|slice| {
                let from = slice["ts"].as_i64()?;
                (ts >= Some(from) && ts < Some(from + slice["dur"].as_i64()?)).then(|| slice["name"].as_str())?
            });
        name.unwrap_or_default()
    };
    let ends = |ph: &str| events.iter().filter(|event| event["ph"] == ph).collect::<Vec<_>>();
    let (begins, ends) = (ends("s"), ends("f"));
    assert_eq!(begins.len(), ends.len(), "{case}");
    assert_eq!(begins.len() > 10, case != "hostile", "{case}");
    for (begin, end) in begins.iter().zip(&ends) {
        assert_eq!((begin["id"].as_u64(), &begin["pid"]), (end["id"].as_u64(), &end["pid"]), "{case}");
        assert_eq!((within(begin), within(end)), ("image pull", "image wait"), "{case} {begin} {end}");
        assert!(begin["ts"].as_i64() <= end["ts"].as_i64() && begin["tid"] != end["tid"], "{case} {begin} {end}");
    }
}

#[test]
fn a_chain_is_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    for case in CASES {
        let input = input(case);
        for row in rows(&[&input]).iter().take(4) {
            let name = |column: &str| row[column].as_str().expect("a name");
            let pod = format!("{}/{}", name("namespace"), name("pod"));
            let (svg, txt) = (folder.path().join("chain.svg"), folder.path().join("chain.txt"));
            let output = podlag()
                .args(["chain", "-o", &svg.to_string_lossy(), "-o", &txt.to_string_lossy(), "--"])
                .arg(pod)
                .arg(&input)
                .output()
                .expect("podlag runs");
            assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(std::fs::read(&txt).expect("it is there"), output.stdout, "{case}");
            let picture = std::fs::read_to_string(&svg).expect("it is there");
            well_formed(&picture);
            assert!(!picture.contains("<script"), "{case}");
            let spans = row["spans"].as_array().expect("spans").len();
            assert!(picture.matches(r#"pointer-events="all""#).count() >= spans, "{case}");
        }
    }
}

fn well_formed(text: &str) {
    let mut reader = Reader::from_str(text);
    let mut open = 0;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
            Event::Start(start) => {
                open += 1;
                start.attributes().for_each(|attribute| drop(attribute.expect("an attribute")));
            }
            Event::End(_) => open -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open, 0);
}

#[test]
fn of_a_pod_that_is_not_there_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chain.svg");
    let output = run(&["chain", "nobody", "-o", &path.to_string_lossy()], &input("hostile"));
    assert_eq!(output.status.code(), Some(3));
    assert!(!path.exists());
    let output = run(&["chain", "nobody", "-o", "chain.png"], &input("hostile"));
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("unknown extension") && told.contains("known: .svg .txt"), "{told}");
}
