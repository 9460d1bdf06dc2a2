//! The captures: real kubelets starting real pods, with the truth beside their logs. What podlag says is held against the
//! events, the container statuses, the runtime's own lines and the records; nothing here is typed in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::support::{captures, json, phases, reports, rows, startups, text};
use podlag::internals::parse::value::{duration, go_time};
use regex::Regex;
use serde_json::Value;

/// What is asked of agreement between sources (the larger of this and the source's own resolution).
const CLOSE: f64 = 0.050;

/// The rows of a report by namespace and pod.
type Pods = BTreeMap<String, &'static Value>;

fn by_pod(rows: &'static [Value]) -> Pods {
    let name = |row: &Value| {
        format!("{}/{}", row["namespace"].as_str().expect("namespace"), row["pod"].as_str().expect("pod"))
    };
    let map: Pods = rows.iter().map(|row| (name(row), row)).collect();
    assert_eq!(map.len(), rows.len(), "a pod has two rows");
    map
}

fn seconds(row: &Value, column: &str) -> f64 {
    row[column].as_f64().unwrap_or_else(|| panic!("{column} of {}", row["pod"]))
}

/// The sum of the bounds a row states for some phases.
fn stated(row: &Value, wanted: &[&str]) -> (f64, f64) {
    let spans = row["spans"]
        .as_array()
        .expect("spans")
        .iter()
        .filter(|span| wanted.contains(&span["phase"].as_str().expect("phase")));
    spans.fold((0.0, 0.0), |(min, max), span| {
        (min + span["min_s"].as_f64().expect("min_s"), max + span["max_s"].as_f64().expect("max_s"))
    })
}

/// Each capture with its rows by the kubelet's log alone, and by both logs.
static ANALYSED: LazyLock<Vec<(PathBuf, Pods, Pods)>> = LazyLock::new(|| {
    let captures = captures();
    let inputs = |capture: &PathBuf| ["in/kubelet.log.zst", "in"].map(|name| vec![capture.join(name)]);
    let inputs: Vec<Vec<PathBuf>> = captures.iter().flat_map(inputs).collect();
    let found: Vec<Pods> = reports(&inputs).into_iter().map(|report| by_pod(startups(report))).collect();
    captures
        .into_iter()
        .zip(found.chunks_exact(2))
        .map(|(capture, pods)| (capture, pods[0].clone(), pods[1].clone()))
        .collect()
});

fn each(mut check: impl FnMut(&Path, &Pods, &Pods)) {
    ANALYSED.iter().for_each(|(capture, alone, both)| check(capture, alone, both));
}

/// A record tells its length: none is there, or it is that of a static pod's mirror, where the pod's own start shows.
fn by_record(row: &Value) -> bool {
    let mirror = row["anomalies"].as_array().is_some_and(|all| all.iter().any(|name| name == "mirror-pod"));
    let by_its_own_lines = mirror && row["watched"].is_null();
    !by_its_own_lines && !row["record_format"].is_null()
}

#[test]
fn every_pod_has_one_row_that_tiles_its_total() {
    each(|capture, alone, both| {
        let truth: BTreeMap<String, Value> =
            serde_json::from_slice(&std::fs::read(capture.join("truth.json")).expect("truth")).expect("JSON");
        for rows in [alone, both] {
            for (pod, known) in &truth {
                let row = rows.get(pod).unwrap_or_else(|| panic!("{}: no row for {pod}", capture.display()));
                assert_eq!(row["uid"], known["uid"], "{pod}");
            }
            for (pod, row) in rows {
                let sum: f64 = phases().map(|phase| seconds(row, &format!("{phase}_s"))).sum();
                assert!((sum - seconds(row, "total_s")).abs() < 1e-6, "{} {pod}: {sum}", capture.display());
            }
        }
        for (pod, row) in alone {
            let mut columns = vec!["created", "running", "watched", "state"];
            let in_crash_loop = row["anomalies"].as_array().expect("anomalies").iter().any(|id| id == "crash-loop");
            if in_crash_loop {
                // Its end is that of the last start, which only the runtime shows exactly.
                columns.retain(|column| *column != "running");
            } else if by_record(row) {
                columns.push("total_s");
            } else if row["running_s"].is_f64() {
                // Without a record the runtime shows the instant that the relist bounds.
                let (ran, most) = (seconds(both[pod], "running_s"), seconds(row, "running_s"));
                let within = seconds(row, "running_min_s") - 1e-6 <= ran && ran <= most + 1e-6;
                assert!(within, "{} {pod}: {ran} by the runtime, {row}", capture.display());
            }
            for column in columns {
                assert_eq!(
                    row[column],
                    both[pod][column],
                    "{} {pod}: {column} changes with the runtime's log",
                    capture.display()
                );
            }
        }
    });
}

#[test]
fn totals_are_the_records_own() {
    let key = |name: &str| Regex::new(&format!(r#" {}="([^"]*)""#, regex::escape(name))).expect("a pattern");
    let (pod, e2e, created, watched) =
        (key("pod"), key("podStartE2EDuration"), key("podCreationTimestamp"), key("watchObservedRunningTime"));
    let old_created = key("pod.CreationTimestamp");
    let mut compared = 0;
    each(|capture, alone, _| {
        for line in text(&capture.join("in/kubelet.log.zst"))
            .lines()
            .filter(|line| line.contains("Observed pod startup duration"))
        {
            let (pod, expected) = if line.starts_with('{') {
                let object: Value = serde_json::from_str(line).expect("JSON logging");
                let name = format!(
                    "{}/{}",
                    object["pod"]["namespace"].as_str().expect("namespace"),
                    object["pod"]["name"].as_str().expect("name")
                );
                (name, duration(object["podStartE2EDuration"].as_str().expect("E2E")).expect("a duration"))
            } else {
                let value = |pattern: &Regex| pattern.captures(line).map(|found| found[1].to_owned());
                let time = |text: String| go_time(&text).and_then(|time| time.time).expect("a time");
                let total = match value(&e2e) {
                    Some(e2e) => duration(&e2e).expect("a duration"),
                    None => {
                        time(value(&watched).expect("watched"))
                            - time(value(&created).or_else(|| value(&old_created)).expect("created"))
                    }
                };
                (value(&pod).expect("pod"), total)
            };
            let crashed =
                alone[&pod]["anomalies"].as_array().is_some_and(|all| all.iter().any(|name| name == "crash-loop"));
            if crashed || !by_record(alone[&pod]) {
                continue;
            }
            let got = seconds(alone[&pod], "total_s");
            assert!(
                (got - expected.seconds()).abs() < 1e-6,
                "{} {pod}: {got}, the record says {}",
                capture.display(),
                expected.seconds()
            );
            compared += 1;
        }
    });
    assert!(compared > 500, "only {compared} records compared");
}

#[test]
fn pulling_agrees_with_the_events() {
    let pulled = Regex::new(r"^Successfully pulled image .* in (\S+) \((\S+) including waiting\)").expect("a pattern");
    let mut compared = 0;
    each(|capture, alone, both| {
        let mut truth: BTreeMap<String, f64> = BTreeMap::new();
        for event in json(&capture.join("events.json.zst"))["items"].as_array().expect("events") {
            let Some(found) = pulled.captures(event["message"].as_str().unwrap_or_default()) else { continue };
            let object = &event["involvedObject"];
            let pod = format!(
                "{}/{}",
                object["namespace"].as_str().expect("namespace"),
                object["name"].as_str().expect("name")
            );
            *truth.entry(pod).or_default() += duration(&found[2]).expect("a duration").seconds();
        }
        let wanted = ["image_wait", "image_pull"];
        for (pod, row) in both {
            let expected = truth.get(pod).copied().unwrap_or(0.0);
            let got = seconds(row, "image_wait_s") + seconds(row, "image_pull_s");
            // Failed attempts are pulls too, but events tell their instants in whole seconds only.
            let failed = seconds(row, "pull_failures") > 0.0;
            let slack = if failed { 1.0 } else { CLOSE };
            assert!(
                (got - expected).abs() <= slack,
                "{} {pod}: pulling {got}, events say {expected}",
                capture.display()
            );
            let (min, max) = stated(alone[pod], &wanted);
            assert!(
                min - slack <= expected && expected <= max + slack,
                "{} {pod}: {min}..{max} stated, events say {expected}",
                capture.display()
            );
            compared += usize::from(expected > 0.0);
        }
    });
    assert!(compared > 100, "only {compared} pulls compared");
}

#[test]
fn sandboxes_agree_with_the_runtime() {
    let asked = Regex::new(r#"^time="(\S+)" .*RunPodSandbox for .*?[uU]id:(?:\\")?([0-9a-f-]{36})(?:\\"|,)"#)
        .expect("a pattern");
    let mut compared = 0;
    each(|capture, alone, both| {
        let mut spans: BTreeMap<String, (Option<f64>, Option<f64>)> = BTreeMap::new();
        for line in text(&capture.join("in/containerd.log.zst")).lines() {
            let Some(found) = asked.captures(line) else { continue };
            let at = chrono::DateTime::parse_from_rfc3339(&found[1])
                .expect("a time")
                .timestamp_nanos_opt()
                .expect("in range") as f64
                / 1e9;
            let span = spans.entry(found[2].to_owned()).or_default();
            if line.contains("returns sandbox id") {
                span.1.get_or_insert(at);
            } else if !line.contains("failed, error") {
                span.0 = Some(span.0.map_or(at, |first: f64| first.min(at)));
            }
        }
        for (pod, row) in both {
            let Some((Some(from), Some(to))) = row["uid"].as_str().and_then(|uid| spans.get(uid)) else { continue };
            let (expected, got) = (to - from, seconds(row, "sandbox_s"));
            assert!(
                (got - expected).abs() <= CLOSE,
                "{} {pod}: sandbox {got}, the runtime says {expected}",
                capture.display()
            );
            let (min, max) = stated(alone[pod], &["sandbox"]);
            assert!(
                min - CLOSE <= expected && expected <= max + CLOSE,
                "{} {pod}: {min}..{max} stated, the runtime says {expected}",
                capture.display()
            );
            compared += 1;
        }
    });
    assert!(compared > 500, "only {compared} sandboxes compared");
}

#[test]
fn init_containers_agree_with_their_statuses() {
    let mut compared = 0;
    each(|capture, alone, both| {
        for pod in json(&capture.join("pods.json.zst"))["items"].as_array().expect("pods") {
            let name = format!(
                "{}/{}",
                pod["metadata"]["namespace"].as_str().expect("namespace"),
                pod["metadata"]["name"].as_str().expect("name")
            );
            let Some(row) = both.get(&name) else { continue };
            let none = Vec::new();
            let specs = pod["spec"]["initContainers"].as_array().unwrap_or(&none);
            let sidecar =
                |name: &Value| specs.iter().any(|spec| spec["name"] == *name && spec["restartPolicy"] == "Always");
            let statuses = pod["status"]["initContainerStatuses"].as_array().unwrap_or(&none);
            let (mut expected, mut ends, mut restarted) = (0.0, 0.0, false);
            for status in statuses.iter().filter(|status| !sidecar(&status["name"])) {
                restarted |= status["restartCount"].as_i64() != Some(0);
                let ended = &status["state"]["terminated"];
                let at = |key: &str| {
                    chrono::DateTime::parse_from_rfc3339(ended[key].as_str()?).ok().map(|time| time.timestamp() as f64)
                };
                if let (Some(from), Some(to)) = (at("startedAt"), at("finishedAt")) {
                    expected += to - from;
                    ends += 1.0;
                }
            }
            // Only the last run of a restarted one is in its status.
            if restarted {
                continue;
            }
            // The statuses are in whole seconds.
            let slack = if ends > 0.0 { ends } else { CLOSE };
            let got = seconds(row, "init_s");
            assert!(
                (got - expected).abs() <= slack,
                "{} {name}: init {got}, statuses say {expected}",
                capture.display()
            );
            let (min, max) = stated(alone[&name], &["init"]);
            assert!(
                min - slack <= expected && expected <= max + slack,
                "{} {name}: {min}..{max} stated, statuses say {expected}",
                capture.display()
            );
            compared += usize::from(expected > 0.0);
        }
    });
    assert!(compared > 30, "only {compared} pods with init containers compared");
}

#[test]
fn waiting_and_pulling_that_no_line_tells_apart_are_not_told_apart() {
    for name in ["s02-pull-serial", "s03-pull-parallel3", "v1.33-s02-pull-serial"] {
        let folder = crate::support::samples().join(name).join("in");
        let causes = |inputs: &[&Path]| -> Vec<String> {
            let all = rows(inputs);
            let findings = all.iter().flat_map(|row| row["findings"].as_array().expect("findings").clone());
            findings.map(|finding| finding["cause"].as_str().expect("an id").to_owned()).collect()
        };
        let has = |all: &[String], id: &str| all.iter().any(|cause| cause == id);
        let alone = causes(&[&folder.join("kubelet.log.zst")]);
        assert!(has(&alone, "image-pull-unresolved") && !has(&alone, "image-pull-slow"), "{name}: {alone:?}");
        let both = causes(&[&folder]);
        assert!(has(&both, "image-pull-queued") && !has(&both, "image-pull-unresolved"), "{name}: {both:?}");
    }
}
