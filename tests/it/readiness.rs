//! When pods are ready: by the kubelet's log alone as the pods' own conditions have it, and to the end where that comes long after
//! the startup.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::support::{captures, json as read, podlag, report, rows, startups};
use podlag::internals::model::time::{SECOND, Time};

fn seconds(instant: &Value) -> f64 {
    let time = Time::from_rfc3339(instant.as_str().expect("an instant")).expect("RFC 3339");
    time.0 as f64 / SECOND as f64
}

/// A pod's Ready condition, of pods whose containers are in their first run.
fn condition(pod: &Value) -> Option<f64> {
    let statuses = pod["status"]["containerStatuses"].as_array()?;
    let first_run = statuses.iter().all(|container| container["restartCount"] == 0);
    let conditions = pod["status"]["conditions"].as_array()?;
    let ready = conditions.iter().find(|one| one["type"] == "Ready" && one["status"] == "True")?;
    first_run.then(|| seconds(&ready["lastTransitionTime"]))
}

fn is_probed(pod: &Value) -> bool {
    let all = [&pod["spec"]["containers"], &pod["spec"]["initContainers"]];
    let mut containers = all.into_iter().filter_map(Value::as_array).flatten();
    containers.any(|one| one.get("readinessProbe").is_some() || one.get("startupProbe").is_some())
}

#[test]
fn it_is_the_ready_condition_of_the_pods() {
    let (mut probed, mut others) = (0, 0);
    for capture in captures() {
        let objects = capture.join("pods.json.zst");
        if !objects.exists() {
            continue;
        }
        let pods = read(&objects);
        let pods = pods["items"].as_array().expect("items");
        let found: BTreeMap<&str, &Value> = startups(report(&[capture.join("in/kubelet.log.zst")]))
            .iter()
            .filter_map(|row| Some((row["uid"].as_str()?, row)))
            .collect();
        for pod in pods {
            let Some(row) = found.get(pod["metadata"]["uid"].as_str().expect("a uid")) else { continue };
            let Some(second) = condition(pod) else { continue };
            if row["ready"].is_null() {
                assert!(!capture.to_string_lossy().ends_with("-v4"), "its statuses have it: {row}");
                continue;
            }
            let (ready, of) = (seconds(&row["ready"]), |column: &str| row[column].as_f64().expect("seconds"));
            let (least, most) = (ready - of("ready_s") + of("ready_min_s"), ready - of("ready_s") + of("ready_max_s"));
            // The kubelet sets the condition some milliseconds before or after it logs what it is by.
            let name = format!("{} {}", capture.display(), row["pod"]);
            assert!(least < second + 1.3 && most > second - 0.05, "{name}: {least} to {most}, condition at {second}");
            if is_probed(pod) {
                assert!((second - 0.05..second + 1.05).contains(&ready), "{name}: {ready}, condition at {second}");
                probed += 1;
            } else {
                others += 1;
            }
        }
    }
    assert!(probed >= 9 && others >= 300, "{probed} with probes, {others} without");
}

const BEGIN: i64 = 9 * 3600;

/// The kubelet's lines of one pod, at seconds after nine o'clock.
struct Log(Vec<(i64, String)>);

impl Log {
    fn new() -> Self {
        Log(Vec::new())
    }

    fn line(&mut self, millis: i64, text: &str) -> &mut Self {
        self.0.push((millis, text.to_owned()));
        self
    }

    /// A pod that runs 2 s after it was created.
    fn pod(&mut self, second: i64, name: &str) -> &mut Self {
        let at = second * 1000;
        let clock = |second: i64| format!("09:{:02}:{:02}", second / 60, second % 60);
        let record = format!(
            r#"pod_startup_latency_tracker.go:104] "Observed pod startup duration" pod="shop/{name}" podStartSLOduration=2 podStartE2EDuration="2s" podCreationTimestamp="2026-03-04 {} +0000 UTC" firstStartedPulling="0001-01-01 00:00:00 +0000 UTC" lastFinishedPulling="0001-01-01 00:00:00 +0000 UTC" observedRunningTime="2026-03-04 {} +0000 UTC" watchObservedRunningTime="2026-03-04 {} +0000 UTC""#,
            clock(second),
            clock(second + 2),
            clock(second + 2)
        );
        self.line(at + 100, &format!(r#"kubelet.go:2537] "SyncLoop ADD" source="api" pods=["shop/{name}"]"#))
            .line(
                at + 200,
                &format!(r#"util.go:34] "No sandbox for pod can be found. Need to start a new one" pod="shop/{name}""#),
            )
            .line(at + 2001, &record)
    }

    fn probe(&mut self, millis: i64, name: &str, kind: &str, status: &str) -> &mut Self {
        let text = format!(r#"kubelet.go:2680] "SyncLoop (probe)" probe="{kind}" status="{status}" pod="shop/{name}""#);
        self.line(millis, &text)
    }

    fn failed(&mut self, millis: i64, name: &str) -> &mut Self {
        let text = format!(
            r#"prober.go:107] "Probe failed" probeType="Readiness" pod="shop/{name}" podUID="" containerName="web" probeResult="failure" output="HTTP probe failed with statuscode: 503""#
        );
        self.line(millis, &text)
    }

    /// As a file.
    fn file(&mut self) -> NamedTempFile {
        self.0.sort_by_key(|(millis, _)| *millis);
        let mut log = String::new();
        for (millis, text) in &self.0 {
            let (second, milli) = (BEGIN + millis / 1000, millis % 1000);
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            writeln!(log, "I0304 {hour:02}:{minute:02}:{second:02}.{milli:03}000    4242 {text}").expect("a string");
        }
        let file = NamedTempFile::with_suffix(".log").expect("a file");
        std::fs::write(file.path(), log).expect("a log");
        file
    }

    /// Its rows by name.
    fn rows(&mut self, more: &[&Path]) -> BTreeMap<String, Value> {
        let file = self.file();
        let inputs: Vec<&Path> = [file.path()].into_iter().chain(more.iter().copied()).collect();
        rows(&inputs).into_iter().map(|row| (row["pod"].as_str().expect("a name").to_owned(), row)).collect()
    }
}

fn between(row: &Value, column: &str, least: f64, most: f64) {
    let value = row[column].as_f64().unwrap_or_else(|| panic!("no {column}: {row}"));
    assert!((least..=most).contains(&value), "{column} is {value}, not {least} to {most}");
}

#[test]
fn a_pod_that_is_ready_long_after_its_startup_is_awaited() {
    let mut log = Log::new();
    log.pod(0, "slow-0").probe(2100, "slow-0", "readiness", "not ready");
    for number in 1..20 {
        log.pod(number * 30, &format!("other-{number}"));
    }
    let rows = log.probe(600_500, "slow-0", "readiness", "ready").rows(&[]);
    let slow = &rows["slow-0"];
    between(slow, "ready_s", 600.49, 600.51);
    between(slow, "readiness_s", 598.49, 598.51);
    assert_eq!(slow["ready_min_s"], slow["ready_max_s"], "a line shows it");
    between(slow, "total_s", 2.0, 2.0);
    assert_eq!(slow["findings"].as_array().expect("findings").last().expect("a finding")["cause"], "readiness-slow");
    assert_ne!(slow["cause"], "readiness-slow", "it ran by then");
    between(&rows["other-3"], "readiness_s", 0.0, 0.0);
}

#[test]
fn a_pod_is_ready_when_its_last_container_is() {
    let rows = Log::new()
        .pod(0, "two-0")
        .probe(2100, "two-0", "readiness", "")
        .probe(2101, "two-0", "readiness", "")
        .probe(4000, "two-0", "readiness", "ready")
        .failed(8999, "two-0")
        .probe(12_000, "two-0", "readiness", "ready")
        .failed(19_999, "two-0")
        .probe(20_000, "two-0", "readiness", "")
        .probe(25_000, "two-0", "readiness", "ready")
        .pod(60, "later-0")
        .rows(&[]);
    between(&rows["two-0"], "ready_s", 11.99, 12.01);
    assert!(rows["later-0"]["ready"].is_null(), "the log ends before a probe would be told of");
}

#[test]
fn what_is_deleted_before_it_is_ready_is_not_said_to_be_ready() {
    let rows = Log::new()
        .pod(0, "gone-0")
        .probe(2100, "gone-0", "readiness", "not ready")
        .pod(50, "other-0")
        .line(90_000, r#"kubelet.go:2553] "SyncLoop DELETE" source="api" pods=["shop/gone-0"]"#)
        .line(91_000, r#"kubelet.go:2547] "SyncLoop REMOVE" source="api" pods=["shop/gone-0"]"#)
        .probe(92_000, "gone-0", "readiness", "ready")
        .rows(&[]);
    assert!(rows["gone-0"]["ready_s"].is_null() && rows["gone-0"]["readiness_s"].is_null());
}

#[test]
fn pod_objects_name_the_settings_of_the_probe() {
    let probe = json!({"httpGet": {"path": "/"}, "initialDelaySeconds": 30, "periodSeconds": 5, "successThreshold": 2});
    let pod = json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "delayed-0"},
        "spec": {"containers": [{"name": "web", "readinessProbe": probe}, {"name": "log"}]}});
    let plain = json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "plain-0"},
        "spec": {"containers": [{"name": "web"}]}});
    let folder = tempfile::tempdir().expect("a folder");
    let objects = folder.path().join("pods.json");
    let list = json!({"kind": "List", "items": [pod, plain]});
    std::fs::write(&objects, list.to_string()).expect("objects");
    let rows = Log::new()
        .pod(0, "delayed-0")
        .probe(2100, "delayed-0", "readiness", "not ready")
        .probe(40_000, "delayed-0", "readiness", "ready")
        .pod(40, "plain-0")
        .rows(&[&objects]);
    let finding = rows["delayed-0"]["findings"].as_array().expect("findings").last().expect("a finding");
    assert_eq!(finding["cause"], "readiness-slow");
    assert_eq!(finding["waited_for"], "a readiness probe with at least 35 s of delay and a period of 5 s");
    // The object says that it has no probe, though the log ends too early to show it.
    between(&rows["plain-0"], "ready_s", 2.0, 2.1);
}

#[test]
fn without_the_lines_of_probes_readiness_is_unknown() {
    let mut log = Log::new();
    log.pod(0, "app-0").pod(60, "app-1");
    // A kubelet at its default verbosity does not log that it takes a pod, nor its probes.
    log.0.retain(|(_, text)| !text.contains("SyncLoop"));
    let rows = log.rows(&[]);
    assert!(rows["app-0"]["ready_s"].is_null() && rows["app-0"]["readiness_s"].is_null(), "{}", rows["app-0"]);
}

#[test]
fn a_gate_passes_no_pod_that_is_not_known_to_be_ready() {
    let mut log = Log::new();
    for number in 0..5 {
        log.pod(number, &format!("app-{number}"));
    }
    let all_ready = log.pod(120, "later-0").file();
    log.probe(2100, "app-0", "readiness", "not ready");
    let one_unready = log.file();
    let check = |file: &Path| {
        let rule = ["--fail-if", "max(ready_s, pod=app-*) > 1m"];
        let output = podlag().arg("check").args(rule).arg(file).output().expect("podlag runs");
        output.status.code()
    };
    assert_eq!((check(all_ready.path()), check(one_unready.path())), (Some(0), Some(4)));
}
