//! The verbs over the table: blame, diff, check, and the filters they all take.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{captures, json, lines, phases, podlag, rows, samples, unpacked};
use serde_json::Value;

fn run(arguments: &[&str], inputs: &[&Path]) -> Output {
    podlag().args(arguments).args(inputs).output().expect("podlag runs")
}

fn good(arguments: &[&str], inputs: &[&Path]) -> String {
    let output = run(arguments, inputs);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} {inputs:?} {}: {told}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn input(case: &str) -> PathBuf {
    samples().join(case).join("in")
}

/// The smallest value that at least so many of a hundred do not exceed.
fn quantile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent).div_ceil(100).max(1) - 1]
}

#[test]
fn groups_have_the_figures_of_their_rows() {
    let capture = input("s02-pull-serial");
    let all = rows(&[&capture]);
    for by in ["pod", "workload", "namespace", "node", "hour"] {
        let groups: Value =
            serde_json::from_str(&good(&["blame", "--by", by, "--format", "json"], &[&capture])).expect("JSON");
        let head = if by == "hour" { "hour_utc" } else { by };
        let name = |row: &Value| match by {
            "pod" => format!("{}/{}", row["namespace"].as_str().unwrap(), row["pod"].as_str().unwrap()),
            "hour" => format!("{}:00Z", &row["created"].as_str().unwrap()[..13]),
            by => row[by].as_str().unwrap().to_owned(),
        };
        let names: BTreeSet<String> = all.iter().map(name).collect();
        let groups = groups["groups"].as_array().expect("groups");
        assert_eq!(groups.len(), names.len(), "{by}");
        for group in groups {
            let mine: Vec<&Value> = all.iter().filter(|row| group[head] == name(row).as_str()).collect();
            let mut values: Vec<f64> = mine.iter().filter_map(|row| row["running_s"].as_f64()).collect();
            assert_eq!(group["count"], mine.len(), "{by} {group}");
            for percent in [50, 95, 99] {
                assert_eq!(group[format!("p{percent}_s")], quantile(&mut values, percent), "{by} {group}");
            }
            let lost: f64 = mine
                .iter()
                .flat_map(|row| row["findings"].as_array().unwrap())
                .map(|finding| finding["lost_s"].as_f64().unwrap())
                .sum();
            assert!((group["lost_s"].as_f64().unwrap() - lost).abs() < 1e-4, "{by} {group}: {lost}");
            let mut claims: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
            for finding in mine.iter().flat_map(|row| row["findings"].as_array().unwrap()) {
                *claims.entry(finding["cause"].as_str().unwrap()).or_default() += finding["lost_s"].as_f64().unwrap();
            }
            let worst = claims.iter().max_by(|a, b| a.1.total_cmp(b.1)).map(|(cause, _)| *cause);
            assert_eq!(group["cause"].as_str(), worst, "{by} {group}");
            let most = |phase: &&str| mine.iter().filter_map(|row| row[format!("{phase}_s")].as_f64()).sum::<f64>();
            let dominant = phases().filter(|phase| *phase != "watch").max_by(|a, b| most(a).total_cmp(&most(b)));
            assert_eq!(group["top_phase"].as_str(), dominant, "{by} {group}");
        }
    }
}

#[test]
fn images_and_registries_are_grouped_by_pull() {
    let capture = input("s02-pull-serial");
    let pulls: Vec<Value> =
        rows(&[&capture]).iter().flat_map(|row| row["image_pulls"].as_array().unwrap().clone()).collect();
    assert_eq!(pulls.len(), 20);
    let registries = good(&["blame", "--by", "registry", "--format", "csv"], &[&capture]);
    let line = registries.lines().nth(1).expect("a registry");
    assert!(line.starts_with("registry.example.test,20,") && line.ends_with(",image_wait,"), "{line}");
    let images = good(&["blame", "--by", "image", "--format", "csv"], &[&capture]);
    assert_eq!(images.lines().count(), 21);
    let text = good(&["blame", "--by", "phase"], &[&capture]);
    assert!(text.lines().nth(1).is_some_and(|line| line.ends_with("  image_wait")), "{text}");
    let markdown = good(&["blame", "--by", "namespace", "--format", "markdown"], &[&capture]);
    assert!(markdown.starts_with("| namespace | count | p50 |"), "{markdown}");
}

#[test]
fn back_off_counts_for_the_image_whose_pulls_failed() {
    let capture = input("s07-pull-backoff");
    let all = rows(&[&capture]);
    let images = good(&["blame", "--by", "image", "--format", "json"], &[&capture]);
    let images: Value = serde_json::from_str(&images).expect("JSON");
    let images = images["groups"].as_array().expect("groups");
    let lost: f64 = images.iter().map(|group| group["lost_s"].as_f64().expect("seconds")).sum();
    let pulls: f64 = all
        .iter()
        .flat_map(|row| row["image_pulls"].as_array().unwrap())
        .filter_map(|pull| pull["took_s"].as_f64())
        .sum();
    let backoff: f64 = all.iter().filter_map(|row| row["image_backoff_s"].as_f64()).sum();
    assert!(backoff > 300.0 && (lost - pulls - backoff).abs() < 0.1, "{lost} is not {pulls} + {backoff}");
    for row in all.iter().filter(|row| row["image_backoff_s"].as_f64().is_some_and(|seconds| seconds > 0.0)) {
        let image = &row["image_pulls"][0]["image"];
        let group = images.iter().find(|group| group["image"] == *image).expect("its image");
        assert!(group["lost_s"].as_f64() >= row["image_backoff_s"].as_f64(), "{group} {}", row["pod"]);
        assert_eq!(group["top_phase"], "image_backoff");
    }
}

#[test]
fn filters_keep_what_they_name_and_say_so() {
    let capture = input("s02-pull-serial");
    let all = rows(&[&capture]);
    let kept = |arguments: &[&str]| lines(&run(&[arguments, &["--format", "ndjson"]].concat(), &[&capture]));
    let expect = |arguments: &[&str], keep: &dyn Fn(&Value) -> bool| {
        let expected: Vec<&Value> = all.iter().filter(|row| keep(row)).collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{arguments:?} tells nothing apart");
        assert_eq!(kept(arguments).iter().collect::<Vec<_>>(), expected, "{arguments:?}");
    };
    expect(&["--namespace", "sh?p"], &|row| row["namespace"] == "shop");
    expect(&["--namespace", "shop", "--namespace", "bill*"], &|row| row["namespace"] != "default");
    expect(&["--pod", "shop/app-*"], &|row| row["namespace"] == "shop");
    expect(&["--pod", "app-1?", "--namespace", "default"], &|row| {
        row["namespace"] == "default" && row["pod"].as_str().unwrap().starts_with("app-1")
    });
    expect(&["--exclude", "namespace=shop"], &|row| row["namespace"] != "shop");
    expect(&["--exclude", "namespace=sh*", "--exclude", "pod=app-1?"], &|row| {
        row["namespace"] != "shop" && !row["pod"].as_str().unwrap().starts_with("app-1")
    });
    expect(&["--namespace", "shop", "--exclude", "cause=image-large"], &|row| {
        row["namespace"] == "shop" && !row["findings"].to_string().contains("image-large")
    });
    expect(&["--exclude", "image=*/app-20:*"], &|row| row["pod"] != "app-20");
    expect(&["--workload", "billing/app"], &|row| row["namespace"] == "billing");
    expect(&["--image", "*/app-20:*"], &|row| row["pod"] == "app-20");
    expect(&["--cause", "image-large"], &|row| row["findings"].to_string().contains("image-large"));
    let created: BTreeSet<&str> = all.iter().map(|row| row["created"].as_str().unwrap()).collect();
    let first = *created.first().unwrap();
    assert!(kept(&["--since", "2026-11-23T19:00:54Z", "--until", first]).is_empty(), "the end is not within");
    assert_eq!(kept(&["--since", "2026-11-23 20:00:54", "--timezone", "Europe/Berlin"]).len(), all.len());
    assert_eq!(kept(&["--node", "rig-*"]).len(), all.len());
    assert!(kept(&["--node", "other"]).is_empty());
    let text = good(&["--namespace", "shop", "--since", "2026-11-23"], &[&capture]);
    assert!(text.contains("only namespace shop, since 2026-11-23T00:00:00.000000000Z: 13"), "{text}");
    let text = good(&["--exclude", "namespace=shop"], &[&capture]);
    assert!(
        text.contains("only not namespace shop: 7 startups filtered out") || text.contains("not namespace shop: 7")
    );
    for (wrong, told) in [
        (["--cause", "no-such"], "unknown cause"),
        (["--since", "soon"], "invalid time"),
        (["--exclude", "shop"], "\"shop\" is not KIND=GLOB"),
        (["--exclude", "ns=shop"], "no filter is named \"ns\""),
    ] {
        let output = run(&wrong, &[&capture]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(told), "{wrong:?}");
    }
}

#[test]
fn a_node_without_a_name_takes_the_one_that_is_given() {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let text = String::from_utf8(unpacked(&input("s01-cached").join("kubelet.log.zst"))).expect("UTF-8");
    let nameless: Vec<&str> = text.lines().filter(|line| !line.contains("rig-node-1")).collect();
    std::fs::write(log.path(), nameless.join("\n")).expect("a log");
    let nodes = |arguments: &[&str]| -> BTreeSet<String> {
        let found = lines(&run(&[arguments, &["--format", "ndjson"]].concat(), &[log.path()]));
        assert_eq!(found.len(), 20, "{arguments:?}");
        found.iter().map(|row| row["node"].to_string()).collect()
    };
    assert_eq!(nodes(&[]), ["null".to_owned()].into());
    assert_eq!(nodes(&["--node", "n7"]), ["\"n7\"".to_owned()].into());
    assert_eq!(nodes(&["--node-name", "n8"]), ["\"n8\"".to_owned()].into());
    let named = lines(&run(&["--node-name", "n8", "--format", "ndjson"], &[&input("s01-cached")]));
    assert!(named.iter().all(|row| row["node"] == "n8"));
}

#[test]
fn owners_come_from_pods_where_they_are_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let pods = folder.path().join("pods.json");
    let first = &rows(&[&input("s02-pull-serial")])[0];
    let pod = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [{
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": first["pod"], "namespace": first["namespace"], "uid": first["uid"],
            "labels": {"pod-template-hash": "7d9c6b5f4"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "checkout-7d9c6b5f4", "controller": true}]},
        "spec": {"containers": []}}]});
    std::fs::write(&pods, pod.to_string()).expect("pods");
    let owned = rows(&[&input("s02-pull-serial"), &pods]);
    let namespace = first["namespace"].as_str().unwrap();
    assert_eq!(owned[0]["workload"], format!("{namespace}/checkout"));
    assert_eq!(owned[1]["workload"].as_str().unwrap().rsplit('/').next(), Some("app"), "others keep their names");
    // The objects beside a capture are read, not taken for logs.
    let real = rows(&[&input("s02-pull-serial"), &samples().join("s02-pull-serial/pods.json.zst")]);
    for row in &real {
        let bare = format!("{}/{}", row["namespace"].as_str().unwrap(), row["pod"].as_str().unwrap());
        assert_eq!(row["workload"], bare.as_str(), "a pod without an owner is its own workload");
    }
    assert!(json(&samples().join("s02-pull-serial/pods.json.zst"))["items"].is_array());
}

/// Writes every other startup of a capture as a report of its own: halves that differ by chance alone.
fn halves(capture: &Path, folder: &Path) -> [PathBuf; 2] {
    let report: Value = serde_json::from_str(&good(&["--format", "json"], &[&capture.join("in")])).expect("a report");
    let all = report["startups"].as_array().expect("startups").clone();
    [0, 1].map(|half| {
        let path = folder.join(format!("{half}.json"));
        let mut report = report.clone();
        report["startups"] = all.iter().skip(half).step_by(2).cloned().collect();
        std::fs::write(&path, report.to_string()).expect("a report");
        path
    })
}

#[test]
fn pods_on_their_way_may_come_to_take_any_time() {
    let text = String::from_utf8(unpacked(&input("s12-burst").join("kubelet.log.zst"))).expect("UTF-8");
    let first = text.lines().position(|line| line.contains("Observed pod startup duration")).expect("a record");
    let cut: Vec<&str> = text.lines().take(first + 40).collect();
    let log = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(log.path(), cut.join("\n")).expect("a log");
    let rows = rows(&[log.path()]);
    let count = |state: &str| rows.iter().filter(|row| row["state"] == state).count();
    assert!(count("running") > 5 && count("starting") > count("running"), "{} of {}", count("running"), rows.len());
    let code = |limit: &str| run(&["check", "--fail-if", limit], &[log.path()]).status.code();
    assert_eq!(code("p50(running_s) > 10m"), Some(4), "most are still on their way");
    assert_eq!(code("max(running_s) > 10m"), Some(4));
    assert_eq!(code("share(running_s > 10m) > 10%"), Some(4));
    assert_eq!(code("min(running_s) < 10m"), Some(1), "one below is below, whatever the others come to");
    let told = run(&["check", "--fail-if", "p50(running_s) > 10m"], &[log.path()]).stdout;
    assert!(String::from_utf8_lossy(&told).contains("more still starting"));
}

#[test]
fn phases_are_not_compared_across_different_logs() {
    let serial = input("s02-pull-serial");
    let text = good(&["diff"], &[&serial.join("kubelet.log.zst"), &input("s03-pull-parallel3")]);
    assert!(text.contains("not compared, for one side's input shows them less exactly"), "{text}");
    let faster = text.lines().find(|line| line.starts_with("faster:")).expect("pulling as a whole is compared");
    assert!(faster.contains("image pulling") && !faster.contains("image wait"), "{faster}");
    let none = tempfile::NamedTempFile::new().expect("a file");
    let output = run(&["diff"], &[&serial, none.path()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stdout).contains("after: no startups"));
}

#[test]
fn check_compares_with_a_baseline() {
    let (serial, parallel) = (input("s02-pull-serial"), input("s03-pull-parallel3"));
    let against = |baseline: &Path, limits: &[&str], now: &Path| {
        let mut arguments = vec!["check", "--baseline", baseline.to_str().expect("UTF-8")];
        limits.iter().for_each(|limit| arguments.extend(["--fail-if", limit]));
        run(&arguments, &[now]).status.code()
    };
    assert_eq!(against(&parallel, &["p50(image_wait_s) > baseline + 50%"], &serial), Some(1));
    assert_eq!(against(&serial, &["p50(image_wait_s) > baseline"], &parallel), Some(0));
    assert_eq!(against(&serial, &["p50(running_s) > 1.01 * baseline"], &serial), Some(4), "the same may be either");
    assert_eq!(against(&parallel, &[], &serial), Some(1), "without limits the start as a whole is compared");
    let output = run(&["check", "--fail-if", "p50(running_s) > baseline"], &[&serial]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--baseline"));
}

#[test]
fn wrong_expressions_point_at_their_mistake() {
    let output = run(&["check", "--fail-if", "p99(slow_s) > 5s", "--fail-if", "p50(pod) > 5"], &[&input("s01-cached")]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let caret = "p99(slow_s) > 5s\n    ^^^^^^ unknown column \"slow_s\"\nhelp: did you mean slo_s?";
    assert!(told.contains(caret), "{told}");
    assert!(told.contains("p50(pod) > 5\n    ^^^ "), "every wrong one is told: {told}");
    let none = run(&["check"], &[&input("s01-cached")]);
    assert_eq!(none.status.code(), Some(2));
    let columns = good(&["check", "--columns"], &[]);
    assert!(columns.lines().any(|line| line.starts_with("image_pull_s ")), "{columns}");
}

#[test]
fn verdicts_are_written_for_machines() {
    let capture = input("s02-pull-serial");
    let limits = ["--fail-if", "p50(running_s) > 10s", "--fail-if", "p50(slo_s) > 10s", "--fail-if", "p99(slo_s) > 5s"];
    let written = |form: &str| {
        let output = run(&[&["check", "--format", form], limits.as_slice()].concat(), &[&capture]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let json: Value = serde_json::from_str(&written("json")).expect("JSON");
    let outcomes: Vec<&str> =
        json["verdicts"].as_array().unwrap().iter().map(|verdict| verdict["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["fail", "pass", "not enough evidence"]);
    let junit = written("junit");
    assert!(
        junit.contains(r#"tests="3""#) && junit.contains(r#"failures="1""#) && junit.contains(r#"errors="1""#),
        "{junit}"
    );
    assert!(junit.contains("fails if p50(running_s) &gt; 10s"), "{junit}");
    let markdown = written("markdown");
    assert!(markdown.starts_with("### ✗ podlag check: fail") && markdown.contains("| verdict |"), "{markdown}");
}

mod slow {
    use super::*;

    #[test]
    fn halves_of_one_capture_differ_by_noise() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut changed = Vec::new();
        for capture in captures() {
            let [one, other] = halves(&capture, folder.path());
            let text = good(&["diff"], &[&one, &other]);
            if !text.contains("no significant change") {
                changed.push(format!("{}: {}", capture.display(), text.lines().take(6).collect::<Vec<_>>().join("\n")));
            }
        }
        // Of a hundred such tests five may find what is not there.
        assert!(changed.len() <= 1, "{}", changed.join("\n"));
        for case in ["s01-cached", "s02-pull-serial", "s12-burst"] {
            assert!(!changed.iter().any(|found| found.contains(case)), "{}", changed.join("\n"));
        }
    }

    #[test]
    fn check_has_a_verdict_and_an_exit_code_for_each_outcome() {
        let capture = input("s02-pull-serial");
        let code = |limits: &[&str]| {
            let arguments: Vec<&str> = limits.iter().flat_map(|limit| ["--fail-if", limit]).collect();
            run(&[&["check"], arguments.as_slice()].concat(), &[&capture]).status.code()
        };
        for (limit, expected) in [
            ("p50(slo_s) > 10s", 0),
            ("max(running_s) > 10m", 0),
            ("count(state=failed) > 0", 0),
            ("count(pod=app-0*) != 9", 0),
            ("count() < 20", 0),
            ("share(running_s > 10m) > 1%", 4),
            ("sum(pulled_bytes) < 1MB", 0),
            ("share(cause=image-pull-queued) < 10%", 0),
            ("count(seen = null) > 0", 0),
            ("count(created < 2026-11-23T19:00:55Z) > 0", 0),
            ("count(anomalies=watch-gap) != 9", 0),
            ("p50(running_s) > 10s", 1),
            ("p50(running_s, namespace=shop) > 10s", 1),
            ("mean(running_s) >= 10s", 1),
            ("min(running_s) < 1m", 1),
            ("count(namespace=sh*) > 5", 1),
            ("share(image_wait_s > 10s) > 5%", 1),
            ("p99(slo_s) > 5s", 4),
            ("p95(running_s) > 43s", 4),
            ("p50(running_s, namespace=nowhere) > 1s", 4),
            ("share(image_wait_s > 10s) > 75%", 4),
        ] {
            assert_eq!(code(&[limit]), Some(expected), "{limit}");
        }
        assert_eq!(
            code(&["p50(slo_s) > 10s", "p50(running_s) > 10s", "p99(slo_s) > 5s"]),
            Some(1),
            "one broken limit is enough"
        );
        assert_eq!(code(&["p50(slo_s) > 10s", "p99(slo_s) > 5s"]), Some(4));
        let empty = tempfile::NamedTempFile::new().expect("a file");
        let output = run(&["check", "--fail-if", "count(state=failed) > 0", "--format", "junit"], &[empty.path()]);
        assert_eq!(output.status.code(), Some(3), "no startups");
        assert!(String::from_utf8_lossy(&output.stdout).contains(r#"errors="1""#), "and no green XML");
        let output = run(&["check", "--fail-if", "count() > 100"], &[&capture, Path::new("no/such.log")]);
        assert_eq!(output.status.code(), Some(2), "a gate does not pass for want of a file");
    }

    #[test]
    fn parallel_pulls_improve_image_pulling() {
        for version in ["", "v1.33-"] {
            let (serial, parallel) =
                (input(&format!("{version}s02-pull-serial")), input(&format!("{version}s03-pull-parallel3")));
            let text = good(&["diff"], &[&serial, &parallel]);
            let headline = text.lines().find(|line| line.starts_with("faster:")).unwrap_or_else(|| panic!("{text}"));
            assert!(headline.contains("image pulling") && headline.contains("image wait"), "{headline}");
            let diff: Value =
                serde_json::from_str(&good(&["diff", "--format", "json"], &[&serial, &parallel])).expect("JSON");
            let line = |name: &str| diff["lines"].as_array().unwrap().iter().find(|line| line["name"] == name).cloned();
            assert_eq!(line("image_wait").expect("a line")["verdict"], "faster");
            // And the other way round it got slower.
            let back: Value =
                serde_json::from_str(&good(&["diff", "--format", "json"], &[&parallel, &serial])).expect("JSON");
            let wait = back["lines"].as_array().unwrap().iter().find(|line| line["name"] == "image_wait").unwrap();
            assert_eq!(wait["verdict"], "slower");
        }
        let markdown =
            good(&["diff", "--format", "markdown"], &[&input("s02-pull-serial"), &input("s03-pull-parallel3")]);
        assert!(
            markdown.contains("### where the time went") && markdown.contains("| what | mean | p50 |"),
            "{markdown}"
        );
    }
}
