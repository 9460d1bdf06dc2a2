//! Each capture's two scrapes against its log: the kubelet wrote both of the same starts.

use std::path::Path;

use regex::Regex;
use serde_json::Value;

use super::page::{counted, pages, sum};
use crate::support::{captures, podlag, text};

fn report(capture: &Path, logs: bool) -> &'static Value {
    let pages = ["metrics-before.txt.zst", "metrics-after.txt.zst"];
    let inputs = pages.into_iter().chain(logs.then_some("in")).map(|name| capture.join(name));
    crate::support::report(&inputs.collect::<Vec<_>>())
}

fn node(report: &Value) -> &Value {
    let [node] = report["metrics"]["nodes"].as_array().unwrap().as_slice() else { panic!("one node") };
    node
}

/// A record as its line has it: process, seconds since 1970 at which it was recorded, SLI value, stateful.
struct Record {
    pid: String,
    at: f64,
    sli: f64,
    stateful: bool,
}

/// The records of a log by a pattern of the test's own. JSON logs carry no process and no readable times: they are in order.
fn records(capture: &Path) -> Vec<Record> {
    let head = Regex::new(r"^\S+ \S+ +(\d+) ").unwrap();
    let watched = Regex::new(r#"watchObservedRunningTime="?([0-9-]+) ([0-9:.]+) "#).unwrap();
    let sli = Regex::new(r#"podStartSLOduration"?[=:]"?([-+e0-9.]+)"#).unwrap();
    let log = text(&capture.join("in/kubelet.log.zst"));
    let lines = log.lines().filter(|line| line.contains("Observed pod startup duration"));
    let record = |line: &str| Record {
        pid: head.captures(line).map_or(String::new(), |found| found[1].to_owned()),
        at: watched.captures(line).map_or(0.0, |found| {
            let time =
                chrono::NaiveDateTime::parse_from_str(&format!("{} {}", &found[1], &found[2]), "%Y-%m-%d %H:%M:%S%.f");
            time.unwrap().and_utc().timestamp_micros() as f64 / 1e6
        }),
        sli: sli.captures(line).expect("an SLI value")[1].parse().unwrap(),
        stateful: line.contains("isStatefulPod=true") || line.contains(r#""isStatefulPod":true"#),
    };
    lines.map(record).collect()
}

#[test]
fn counts_and_the_slo_share_are_those_of_the_records() {
    for capture in captures() {
        let name = capture.file_name().unwrap().to_string_lossy().into_owned();
        let (before, after) = pages(&capture);
        let known = |family: &str| counted(&before, &after, &format!("{family}_count"), "");
        let (sli, total) =
            (known("kubelet_pod_start_sli_duration_seconds"), known("kubelet_pod_start_total_duration_seconds"));
        let report = report(&capture, false);
        let node = node(report);
        assert_eq!(node["startups"].as_f64(), Some(sli.max(total)), "{name}: as the pages themselves count");

        // The records of the process that was scraped last, less those the first scrape had: the metrics are a beginning of them,
        // and what is beyond was recorded after the scrape.
        let all = records(&capture);
        let pid = all.last().expect("records").pid.clone();
        let mine: Vec<&Record> = all.iter().filter(|record| record.pid == pid).collect();
        let same = sum(&before, "process_start_time_seconds", "") == sum(&after, "process_start_time_seconds", "");
        let had = if same { sum(&before, "kubelet_pod_start_sli_duration_seconds_count", "") } else { 0.0 };
        let mine = &mine[had as usize..];
        let count = sli.max(total) as usize;
        assert!(mine.len() >= count, "{name}: {} records, {count} counted", mine.len());
        let scraped = sum(&after, "kubelet_pleg_last_seen_seconds", "");
        for late in &mine[count..] {
            assert!(late.at == 0.0 || late.at >= scraped, "{name}: a record before the scrape is in it");
        }
        let mine: Vec<&&Record> =
            mine[..count].iter().filter(|record| sli as usize == count || !record.stateful).collect();
        assert_eq!(mine.len() as f64, sli, "{name}: stateful starts are not in the SLI");
        let within = mine.iter().filter(|record| record.sli <= 5.0).count() as f64 / sli;
        let broken = mine.iter().filter(|record| record.sli < -1e9).count() as f64;
        let share = &node["slo_s"]["within_5s"];
        assert_eq!(node["overflowed"].as_f64(), Some(broken), "{name}");
        assert_eq!(share[1].as_f64(), Some(within), "{name}: the share within 5 s");
        let least = share[0].as_f64().unwrap();
        assert!(
            (least - (within - broken / sli).max(0.0)).abs() < 1e-12,
            "{name}: broken values may lie on either side"
        );
    }
}

#[test]
fn logs_and_metrics_agree_or_the_row_says_why() {
    let (mut means, mut near) = (0, 0);
    for capture in captures() {
        let name = capture.file_name().unwrap().to_string_lossy().into_owned();
        let report = report(&capture, true);
        let reconciled = &node(report)["reconciled"];
        assert_eq!(reconciled["unexplained"].as_f64(), Some(0.0), "{name}: {reconciled:#}");
        for figure in reconciled["figures"].as_array().unwrap() {
            let (what, agree) = (figure["figure"].as_str().unwrap(), figure["agree"].as_bool().unwrap());
            if what.starts_with("mean ") {
                means += 1;
                near += usize::from(agree);
                assert!(agree || figure["reason"].is_string(), "{name}: {what} differs without a reason: {figure}");
            } else {
                assert!(agree, "{name}: {figure}");
            }
        }
    }
    assert!(near * 100 >= means * 85, "{near} of {means} means agree");
}

#[test]
fn parts_sum_to_the_mean_start() {
    for capture in captures() {
        let report = report(&capture, false);
        let node = node(report);
        let parts = node["components"].as_array().unwrap();
        let sum: f64 = parts.iter().map(|part| part["mean_s"].as_f64().unwrap()).sum();
        assert!((sum - node["mean_s"].as_f64().unwrap()).abs() < 1e-9);
        if let Some(mean) = node["total_s"]["mean_s"].as_f64() {
            assert!((sum - mean).abs() < 1e-6, "{}: {sum} {mean}", capture.display());
        }
        for part in parts {
            let at = |key: &str| part[key].as_f64().unwrap();
            assert!(at("low_s") <= at("mean_s") + 1e-9 && at("mean_s") <= at("high_s") + 1e-9, "{part}");
        }
    }
}

#[test]
fn a_report_of_metrics_reads_back_to_the_same() {
    let capture = &captures()[3];
    let folder = tempfile::tempdir().unwrap();
    for form in ["json", "ndjson"] {
        let file = folder.path().join(format!("report.{form}"));
        let inputs =
            [capture.join("metrics-before.txt.zst"), capture.join("metrics-after.txt.zst"), capture.join("in")];
        let first = podlag().args(&inputs).arg("-o").arg(&file).args(["--format", "json"]).output().unwrap();
        let again = podlag().args([&file, &file]).args(["--format", "json"]).output().unwrap();
        let metrics = |output: &[u8]| serde_json::from_slice::<Value>(output).expect("JSON")["metrics"].clone();
        assert_eq!(metrics(&first.stdout), metrics(&again.stdout), "{form}: the same twice is once");
        assert!(metrics(&again.stdout)["fleet"].is_object());
    }
}

#[test]
fn several_pages_in_one_stream_are_told_apart() {
    let capture = &captures()[3];
    let (before, after) = (text(&capture.join("metrics-before.txt.zst")), text(&capture.join("metrics-after.txt.zst")));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pages");
    // Two nodes, each scraped twice, the later first, in one file with the line ends of another system.
    let other = |page: &str| page.replace("rig-node-1", "node-2");
    let all = [after.clone(), other(&before), before, other(&after)].concat().replace('\n', "\r\n");
    std::fs::write(&file, all).unwrap();
    let output = podlag().arg(&file).args(["--format", "json"]).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let expected = node(report(capture, false)).clone();
    let nodes = found["metrics"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 2);
    for node in nodes {
        assert_eq!(
            (&node["startups"], &node["components"], &node["slo_s"]),
            (&expected["startups"], &expected["components"], &expected["slo_s"])
        );
    }
    assert_eq!(found["metrics"]["fleet"]["startups"].as_f64(), expected["startups"].as_f64().map(|count| 2.0 * count));
}

#[test]
fn the_gate_judges_buckets() {
    let capture = captures().into_iter().find(|path| path.ends_with("s02-pull-serial")).unwrap();
    let check = |limit: &str| {
        let pages = [capture.join("metrics-before.txt.zst"), capture.join("metrics-after.txt.zst")];
        podlag().args(["check", "--fail-if", limit]).args(pages).output().unwrap()
    };
    let code = |limit: &str| check(limit).status.code();
    assert_eq!(code("p50(total_s) > 20s"), Some(1), "half lie above 30 s");
    assert_eq!(code("p50(total_s) > 1h"), Some(0));
    assert_eq!(code("p99(slo_s) > 25s"), Some(4), "the bucket reaches from 20 to 30 s, and 19 are few");
    assert_eq!(code("share(slo_s > 5s) > 95%"), Some(0));
    assert_eq!(code("share(slo_s > 5s, node=rig-*) > 10%"), Some(1));
    assert_eq!(code("count() < 19"), Some(0));
    assert_eq!(code("count(node=other) < 19"), Some(1));
    let unknown = check("p99(image_pull_s) > 5s");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("metrics do not have this value"));
}

#[test]
fn causes_by_metrics_that_the_logs_refute_are_not_named() {
    let causes = |name: &str, logs: bool| -> Vec<String> {
        let capture = captures().into_iter().find(|path| path.ends_with(name)).expect("the capture");
        let causes = node(report(&capture, logs))["causes"].as_array().expect("causes");
        causes.iter().map(|cause| cause["cause"].as_str().expect("an id").to_owned()).collect()
    };
    // Sandboxes and containers were slow by the mean, but so was all of the node, and no start by more than a cause's threshold.
    for (name, refuted) in [("s01-cached", "sandbox-cni-slow"), ("s01-cached", "runtime-slow")] {
        let (alone, both) = (causes(name, false), causes(name, true));
        assert!(alone.iter().any(|cause| cause == refuted), "{name}: {alone:?}");
        assert!(!both.iter().any(|cause| cause == refuted), "{name}: {both:?}");
        assert!(both.iter().all(|cause| alone.contains(cause)), "{name}: {both:?}");
    }
}

#[test]
fn causes_by_metrics_beside_logs_are_the_same_with_and_without_details() {
    for form in ["text", "markdown"] {
        for name in ["s12-burst", "s08-cni"] {
            let capture = captures().into_iter().find(|path| path.ends_with(name)).expect("the capture");
            let shown = |more: &[&str]| {
                let output = podlag().arg(&capture).args(["--format", form]).args(more).output().expect("podlag runs");
                String::from_utf8_lossy(&output.stdout).to_lowercase()
            };
            for more in [&[][..], &["--details"]] {
                let text = shown(if form == "text" { more } else { &[] });
                assert!(text.contains("the metrics add no cause to those of the logs"), "{name} {more:?}: {text}");
                assert!(!text.contains("mean seconds per start") && !text.contains("cause by the metrics"), "{text}");
            }
        }
    }
}

#[test]
fn nearly_the_same_startups_agree_where_their_figures_do() {
    // One pod's record is missing in the log.
    let capture = captures().into_iter().find(|path| path.ends_with("s12-burst")).expect("the capture");
    let folder = tempfile::tempdir().expect("a folder");
    let log = text(&capture.join("in/kubelet.log.zst"));
    let lines: Vec<&str> =
        log.lines().filter(|line| !line.contains("Observed pod") || !line.contains("/burst-12\"")).collect();
    std::fs::write(folder.path().join("kubelet.log"), lines.join("\n")).expect("written");
    let inputs = [capture.join("metrics-before.txt.zst"), capture.join("metrics-after.txt.zst"), folder.path().into()];
    let output = podlag().args(&inputs).args(["--format", "json"]).output().expect("podlag runs");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let figures = node(&found)["reconciled"]["figures"].as_array().expect("figures").clone();
    let agrees =
        |figure: &str| figures.iter().find(|line| line["figure"] == figure).expect("the figure")["agree"] == true;
    assert!(!agrees("startups recorded"), "{figures:#?}");
    for figure in ["SLI share within 5 s", "SLI p50", "SLI p95", "total p50"] {
        assert!(agrees(figure), "{figure}: {figures:#?}");
    }
    let output = podlag().args(&inputs).output().expect("podlag runs");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!shown.contains("unexplained; the metrics count"), "{shown}");
}
