//! `podlag blame`: names that filters take, groups by cause, several keys, and no figure below nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{lines, podlag, rows, samples};

fn input() -> PathBuf {
    samples().join("s02-pull-serial/in")
}

fn blame(arguments: &[&str], input: &Path) -> Vec<u8> {
    let output = podlag().arg("blame").args(arguments).arg(input).output().expect("podlag runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn groups(by: &str, input: &Path) -> Vec<Value> {
    let blame: Value = serde_json::from_slice(&blame(&["--by", by, "--format", "json"], input)).expect("JSON");
    assert_eq!(blame["by"], by);
    blame["groups"].as_array().expect("groups").clone()
}

/// The last word of a line of text is the name as `--KEY` takes it, whatever the screen's width.
#[test]
fn names_are_pasted_into_filters() {
    for by in ["pod", "workload", "namespace", "node", "image", "cause"] {
        let text = String::from_utf8(blame(&["--by", by], &input())).expect("UTF-8");
        let count = groups(by, &input()).len();
        for line in text.lines().skip(1).take(count.min(5)) {
            let name = line.rsplit(' ').next().expect("a name");
            let kept = podlag()
                .args([&*format!("--{by}"), name, "--format", "ndjson"])
                .arg(input())
                .output()
                .expect("podlag runs");
            assert!(!lines(&kept).is_empty(), "--{by} {name} keeps nothing; {line}");
        }
    }
    let hour = groups("hour", &input())[0]["hour_utc"].as_str().expect("an hour").to_owned();
    let kept = podlag().args(["--since", &hour, "--format", "ndjson"]).arg(input()).output().expect("podlag runs");
    assert_eq!(lines(&kept).len(), 20, "{hour}");
}

#[test]
fn causes_are_groups_of_what_startups_lost_to_them() {
    let mut lost: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for row in rows(&[&input()]) {
        let mut of_row: BTreeMap<String, f64> = BTreeMap::new();
        for finding in row["findings"].as_array().expect("findings") {
            let cause = finding["cause"].as_str().expect("a cause").to_owned();
            *of_row.entry(cause).or_default() += finding["lost_s"].as_f64().expect("seconds");
        }
        for (cause, seconds) in of_row {
            lost.entry((row["namespace"].as_str().expect("a namespace").to_owned(), cause)).or_default().push(seconds);
        }
    }
    let found = groups("namespace,cause", &input());
    assert_eq!(found.len(), lost.len());
    for group in &found {
        let key = ["namespace", "cause"].map(|key| group[key].as_str().expect("a name").to_owned());
        let values = &lost[&key.clone().into()];
        assert_eq!(group["count"], values.len(), "{key:?}");
        let most = values.iter().copied().fold(0.0, f64::max);
        assert!((group["max_s"].as_f64().expect("seconds") - most).abs() < 1e-5, "{key:?}");
        assert!((group["lost_s"].as_f64().expect("seconds") - values.iter().sum::<f64>()).abs() < 1e-4, "{key:?}");
    }
    let alone = groups("cause", &input());
    let total = |groups: &[Value]| groups.iter().map(|group| group["lost_s"].as_f64().expect("seconds")).sum::<f64>();
    assert!((total(&alone) - total(&found)).abs() < 1e-4);
}

#[test]
fn keys_go_together_where_they_group_the_same() {
    let startups: u64 =
        groups("hour,node,namespace", &input()).iter().map(|group| group["count"].as_u64().unwrap()).sum();
    assert_eq!(startups, 20);
    let pulls = groups("node,registry,image", &input());
    assert!(pulls.iter().all(|group| group["node"] == "rig-node-1" && group["registry"] == "registry.example.test"));
    let phases = groups("namespace,phase", &input());
    let whole = groups("phase", &input());
    let of_phase = |groups: &[Value], phase: &str| {
        groups
            .iter()
            .filter(|group| group["phase"] == phase)
            .map(|group| group["lost_s"].as_f64().unwrap())
            .sum::<f64>()
    };
    assert!((of_phase(&phases, "sandbox") - of_phase(&whole, "sandbox")).abs() < 1e-5);
    assert_eq!(groups("pod", &input()).len(), 20, "a pod named twice is one key");
    for (wrong, told) in
        [("cause,image", "cause and image do not go together"), ("phase,cause", "phase and cause"), ("pod,", "")]
    {
        let output = podlag().args(["blame", "--by", wrong]).arg(input()).output().expect("podlag runs");
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(told), "{wrong}");
    }
}

#[test]
fn nothing_is_not_less_than_nothing() {
    let cached = samples().join("s01-cached/in");
    for by in ["pod", "node", "namespace", "workload", "hour", "phase", "cause", "image"] {
        for form in ["text", "json", "csv", "markdown"] {
            let text = String::from_utf8(blame(&["--by", by, "--format", form], &cached)).expect("UTF-8");
            assert!(
                !text.contains("-0 ms") && !text.contains("-0.0,") && !text.contains("-0.0\n"),
                "{by} {form}: {text}"
            );
        }
    }
    // There is a group that lost nothing, so there is something to be shown.
    assert!(groups("pod", &cached).iter().any(|group| group["lost_s"] == 0.0));
}
