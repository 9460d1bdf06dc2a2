//! `podlag diff`: the mean start as a sum, verdicts beside their p-values, settings, several inputs a side.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{podlag, samples};

fn input(case: &str) -> PathBuf {
    samples().join(case).join("in")
}

fn printed(arguments: &[&str]) -> String {
    let output = podlag().arg("diff").args(arguments).output().expect("podlag runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn compared(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(&[arguments, &["--format", "json"]].concat())).expect("JSON")
}

#[test]
fn what_the_mean_start_lost_and_saved_adds_up() {
    let (serial, parallel) = (input("s02-pull-serial"), input("s03-pull-parallel3"));
    let [serial, parallel] = [&serial, &parallel].map(|path| path.to_str().expect("UTF-8"));
    let diff = compared(&[serial, parallel]);
    let part = |name: &str| {
        let parts = diff["per_start"]["parts"].as_array().expect("parts");
        let part = parts.iter().find(|part| part["name"] == name).unwrap_or_else(|| panic!("{name}: {parts:?}"));
        part["change_s"].as_f64().expect("seconds")
    };
    assert!(part("image_wait") < -15.0 && part("image_pull") > 1.0, "waits got shorter, transfers longer");
    let parts = diff["per_start"]["parts"].as_array().expect("parts");
    assert!(parts.iter().all(|part| part["name"] != "watch"), "the pod runs by then");
    let sum: f64 = parts.iter().map(|part| part["change_s"].as_f64().expect("seconds")).sum();
    assert!((sum - diff["per_start"]["change_s"].as_f64().expect("seconds")).abs() < 1e-9);
    let text = printed(&[serial, parallel]);
    assert!(text.contains("mean of all starts: image wait −") && text.contains(", image pull +"), "{text}");
    assert!(text.contains("serializeImagePulls unknown → false"), "{text}");
    for line in diff["lines"].as_array().expect("lines") {
        let count = line["before"].as_f64().expect("a number");
        let mean = line["mean_before_s"].as_f64().expect("seconds");
        assert!((line["sum_before_s"].as_f64().expect("seconds") - mean * count).abs() < 1e-6, "{line}");
    }
    // Without the runtime's log on one side only the pulling as a whole is known on both.
    let kubelet = input("s02-pull-serial").join("kubelet.log.zst");
    let text = printed(&[kubelet.to_str().expect("UTF-8"), parallel]);
    assert!(text.contains("mean of all starts: image pulling −") && !text.contains("image wait −"), "{text}");
}

#[test]
fn what_the_test_finds_is_not_called_noise() {
    let mut words: Vec<String> = Vec::new();
    for (before, after) in [("s02-pull-serial", "s03-pull-parallel3"), ("s01-cached", "s12-burst")] {
        let (before, after) = (input(before), input(after));
        let diff = compared(&[before.to_str().expect("UTF-8"), after.to_str().expect("UTF-8")]);
        for line in diff["lines"].as_array().expect("lines") {
            let verdict = line["verdict"].as_str().expect("a verdict");
            if let Some(p) = line["p_value"].as_f64() {
                assert_eq!(p >= 0.05, verdict == "noise", "{line}");
                words.push(verdict.to_owned());
            }
        }
    }
    for verdict in ["noise", "unclear", "faster", "slower"] {
        assert!(words.iter().any(|word| word == verdict), "{verdict} is not among {words:?}");
    }
}

#[test]
fn a_group_of_one_phase_has_the_verdict_of_that_phase() {
    let (serial, parallel) = (input("s02-pull-serial"), input("s03-pull-parallel3"));
    let diff = compared(&[&serial, &parallel].map(|path| path.to_str().expect("UTF-8")));
    let line = |kind: &str, name: &str| {
        let lines = diff["lines"].as_array().expect("lines").iter();
        let line = lines.clone().find(|line| line["kind"] == kind && line["name"] == name).expect("the line");
        (line["p_value"].clone(), line["verdict"].clone(), line["quantiles"].clone())
    };
    assert_eq!(line("group", "before the kubelet"), line("phase", "scheduling"));
    assert_eq!(line("group", "volumes"), line("phase", "volumes"));
    // A group of several phases is tested for itself.
    assert_ne!(line("group", "pulling").0, line("phase", "image_wait").0);
}

#[test]
fn a_large_change_that_the_test_does_not_find_is_said() {
    let (quiet, failing) = (input("s01-cached"), input("s08-cni"));
    let text = printed(&[&quiet, &failing].map(|path| path.to_str().expect("UTF-8")));
    assert!(text.contains(" noise\n") && text.contains("these starts do not show whether that is chance"), "{text}");
    let same = printed(&[&quiet, &quiet].map(|path| path.to_str().expect("UTF-8")));
    assert!(!same.contains("whether that is chance"), "{same}");
}

#[test]
fn a_side_may_be_several_inputs() {
    let all = ["s02-pull-serial", "v1.33-s02-pull-serial", "s03-pull-parallel3", "v1.33-s03-pull-parallel3"].map(input);
    let [a, b, c, d] = all.each_ref().map(|path| path.to_str().expect("UTF-8"));
    for arguments in [vec![a, b, "--after", c, d], vec!["--after", c, d, "--", a, b]] {
        let diff = compared_in_order(&arguments);
        assert_eq!(diff["startups"], serde_json::json!([40, 40]), "{arguments:?}");
        assert_eq!(diff["kubelets"][0], diff["kubelets"][1], "{arguments:?}");
    }
    let output = podlag().args(["diff", a, b, c]).output().expect("podlag runs");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains(&format!("podlag diff {a} {b} --after {c}")), "{told}");
}

fn compared_in_order(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(&[&["--format", "json"], arguments].concat())).expect("JSON")
}

#[test]
fn starts_by_objects_and_by_logs_end_differently_and_are_not_compared() {
    for name in ["s06-api-throttle", "s01-cached"] {
        let capture = samples().join(name);
        let of = |name: &str| capture.join(name).to_str().expect("UTF-8").to_owned();
        let (logs, pods, events) = (of("in"), of("pods.json.zst"), of("events.json.zst"));
        let arguments = [pods.as_str(), events.as_str(), "--after", logs.as_str()];
        // The same pods on both sides: nothing is slower or faster.
        for line in compared(&arguments)["lines"].as_array().expect("lines") {
            assert!(
                !["slower", "faster", "slight"].contains(&line["verdict"].as_str().expect("a verdict")),
                "{name}: {line}"
            );
            if line["name"] == "running_s" || line["kind"] == "node_pool" {
                assert_eq!(line["verdict"], "not comparable", "{name}: {line}");
            }
        }
        let shown = printed(&arguments);
        let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("created → running is not compared: by objects"), "{shown}");
        assert!(words.contains("no significant change in what can be compared"), "{shown}");
        assert!(words.contains("– → ") && !shown.contains("0 ms → 1m"), "{shown}");
        assert!(!shown.contains("mean of all starts"), "{shown}");
    }
}

#[test]
fn sides_without_a_common_workload_say_so_once() {
    let (quiet, failing) = (input("s01-cached"), input("s08-cni"));
    let shown = printed(&[&quiet, &failing].map(|path| path.to_str().expect("UTF-8")));
    assert_eq!(shown.matches("no workload has the same name on both sides").count(), 1, "{shown}");
    assert!(!shown.contains("workloads (created"), "{shown}");
}

#[test]
fn what_one_side_does_not_show_is_not_faster() {
    let capture = samples().join("s02-pull-serial");
    let [logs, pods, events] =
        ["in", "pods.json.zst", "events.json.zst"].map(|name| capture.join(name).to_str().expect("UTF-8").to_owned());
    for after in [vec![pods.as_str(), events.as_str()], vec![pods.as_str()]] {
        let arguments = [vec![logs.as_str(), "--after"], after].concat();
        let diff = compared(&arguments);
        let lines = diff["lines"].as_array().expect("lines");
        let parts = lines.iter().filter(|line| line["kind"] == "phase" || line["kind"] == "group");
        for line in parts.filter(|line| (line["sum_before_s"] == 0.0) != (line["sum_after_s"] == 0.0)) {
            assert_eq!(line["verdict"], "not comparable", "{line}");
        }
        let shown = printed(&arguments);
        assert!(!shown.contains("faster: ") && !shown.contains("mean of all starts"), "{shown}");
    }
}
