//! `--anonymize` over every sample: no name is left in any output, and no figure is another.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use crate::support::{captures, json, podlag};
use serde_json::Value;

const KEY: &str = "a key of tests that nobody should use for anything else";

fn key(folder: &tempfile::TempDir) -> String {
    let path = folder.path().join("secret");
    std::fs::write(&path, KEY).unwrap();
    path.display().to_string()
}

fn run(arguments: &[&str]) -> Output {
    podlag().args(arguments).output().expect("podlag runs")
}

fn report(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Names in objects of Kubernetes: values of these keys.
fn names(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let named = [
                    "name",
                    "namespace",
                    "uid",
                    "nodeName",
                    "hostname",
                    "image",
                    "imageID",
                    "containerID",
                    "podIP",
                    "hostIP",
                    "ip",
                    "secretName",
                ];
                if let (true, Some(name)) = (named.contains(&key.as_str()), value.as_str()) {
                    into.insert(name.to_owned());
                }
                names(value, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, into)),
        _ => {}
    }
}

/// Names a sample is made of.
fn of_sample(sample: &Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    names(&json(&sample.join("pods.json.zst")), &mut all);
    for pod in serde_json::from_slice::<Value>(&std::fs::read(sample.join("truth.json")).unwrap())
        .unwrap()
        .as_object()
        .unwrap()
        .keys()
    {
        all.extend(pod.split('/').map(str::to_owned));
    }
    for row in report(&[sample.to_str().unwrap()])["startups"].as_array().unwrap() {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        all.extend(["node", "namespace", "pod", "uid"].iter().filter_map(|column| text(&row[*column])));
        all.extend(row["workload"].as_str().unwrap().split('/').map(str::to_owned));
        for pull in row["image_pulls"].as_array().unwrap() {
            all.extend(["image", "registry", "blocked_by"].iter().filter_map(|column| text(&pull[*column])));
        }
        all.extend(row["volume_mounts"].as_array().unwrap().iter().filter_map(|volume| text(&volume["volume"])));
    }
    all.insert(sample.file_name().unwrap().to_str().unwrap().to_owned());
    // What every cluster has, and addresses of every machine.
    let everyones = ["default", "kube-system", "", "kube-root-ca.crt", "127.0.0.1", "docker.io", "registry.k8s.io"];
    all.retain(|name| !everyones.contains(&name.as_str()));
    all
}

/// A name that is no word of podlag's own may stand nowhere; another not where a name stands.
fn left(name: &str, output: &str) -> Option<String> {
    let odd = name.len() > 4 && name.contains(|c: char| c.is_ascii_digit() || "-./:@".contains(c));
    let places: Vec<String> = if odd {
        vec![name.to_owned()]
    } else {
        [
            ("\\\"", "\\"),
            ("/", "\""),
            ("/", "\\"),
            ("/", " "),
            ("=", " "),
            ("Name:", ","),
            ("\"about\":\"", "\""),
            ("\"volume\":\"", "\""),
        ]
        .map(|(before, after)| format!("{before}{name}{after}"))
        .into()
    };
    places.iter().find_map(|place| {
        let at = output.find(place.as_str())?;
        Some(output.get(at.saturating_sub(80)..(at + 80).min(output.len())).unwrap_or(place).to_owned())
    })
}

/// What is no name: numbers, times, states, phases and causes.
fn figures(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let named = [
                "node",
                "namespace",
                "pod",
                "uid",
                "workload",
                "source",
                "sources",
                "unused_sources",
                "source_errors",
                "filters",
                "pseudonyms",
                "waited_for",
                "evidence",
                "text",
                "image",
                "registry",
                "blocked_by",
                "volume",
                "error",
                "run",
                "example",
                "remarks",
                "name",
                "what_if",
                "setting",
            ];
            map.iter()
                .filter(|(key, _)| !named.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), figures(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => Value::Array(items.iter().map(figures).collect()),
        other => other.clone(),
    }
}

/// The same without an order.
fn sorted(value: &Value) -> Vec<String> {
    let mut all: Vec<String> = value.as_array().unwrap().iter().map(|item| figures(item).to_string()).collect();
    all.sort();
    all
}

#[test]
fn an_anonymised_report_is_read_beside_logs() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(&folder);
    let stored = folder.path().join("startups.parquet");
    let stored = stored.to_str().unwrap();
    let sample = captures().remove(0);
    let input = sample.to_str().unwrap();
    let first = report(&[input, "--anonymize-key", &key, "-o", stored]);
    for again in [report(&[stored, "--anonymize-key", &key]), report(&[stored])] {
        assert_eq!(first["startups"], again["startups"]);
        assert_eq!(first["coverage"]["pseudonyms"], again["coverage"]["pseudonyms"]);
    }
    let both = report(&[stored, input, "--anonymize-key", &key]);
    assert_eq!(both["summary"]["startups"], first["summary"]["startups"], "each counts once");
}

#[test]
fn without_a_key_every_run_has_its_own() {
    let sample = captures().remove(0);
    let input = sample.to_str().unwrap();
    let (one, other) = (report(&[input, "--anonymize"]), report(&[input, "--anonymize"]));
    assert!(one["coverage"]["pseudonyms"][0].as_str().unwrap().starts_with("this run only"), "{}", one["coverage"]);
    assert_ne!(one["startups"][0]["pod"], other["startups"][0]["pod"]);
    // Both sides of a comparison are of one run.
    let output = run(&["diff", input, input, "--anonymize", "--format", "json"]);
    let diff: Value = serde_json::from_slice(&output.stdout).unwrap();
    let gone = diff["lines"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| matches!(line["verdict"].as_str(), Some("gone" | "new")));
    assert_eq!(gone.count(), 0);
    let text = run(&[input, "--anonymize"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("names are pseudonyms (this run only"));
}

mod slow {
    use super::*;

    #[test]
    fn no_name_is_left_in_any_output() {
        let folder = tempfile::tempdir().unwrap();
        let key = key(&folder);
        for (number, sample) in captures().iter().enumerate() {
            let names = of_sample(sample);
            assert!(names.len() > 10, "{names:?}");
            let input = sample.to_str().unwrap();
            let hidden = ["--anonymize-key", &key];
            let pod = names.iter().find(|name| name.contains("-0") && !name.contains(['/', '.', ':'])).unwrap();
            let mut all =
                vec![vec![input, "--format", "text"], vec![input, "--format", "json"], vec!["chain", pod, input]];
            // The same rows in other clothes: a few samples show it.
            if number % 6 == 0 {
                all.extend([
                    vec![input, "--format", "ndjson"],
                    vec![input, "--format", "csv"],
                    vec!["blame", "--by", "workload", input],
                    vec!["blame", "--by", "image", "--format", "json", input],
                    vec!["diff", input, input, "--format", "json"],
                    vec!["check", "--fail-if", "p99(running_s, namespace=shop) > 5s", input],
                ]);
            }
            for arguments in all {
                let output = run(&[arguments.as_slice(), &hidden].concat());
                let text = [output.stdout.clone(), output.stderr.clone()].concat();
                let text = String::from_utf8(text).unwrap();
                for name in &names {
                    assert_eq!(left(name, &text), None, "{name} in {arguments:?}");
                }
            }
        }
    }

    #[test]
    fn no_figure_changes_and_a_key_gives_the_same_again() {
        let folder = tempfile::tempdir().unwrap();
        let key = key(&folder);
        for (number, sample) in captures().iter().enumerate() {
            let input = sample.to_str().unwrap();
            let (plain, hidden) = (report(&[input]), report(&[input, "--anonymize-key", &key]));
            assert_eq!(hidden, report(&["--anonymize-key", &key, input]), "{input}");
            for part in ["summary", "what_if", "not_checked", "coverage"] {
                assert_eq!(figures(&plain[part]), figures(&hidden[part]), "{input} {part}");
            }
            let measured = |report: &Value| figures(&report["metrics"]["fleet"]);
            assert_eq!(measured(&plain), measured(&hidden), "{input}");
            assert_eq!(sorted(&plain["startups"]), sorted(&hidden["startups"]), "{input}");
            for by in ["workload", "node", "image"].iter().take(if number % 6 == 0 { 3 } else { 1 }) {
                let blame = |more: &[&str]| report(&[&["blame", "--by", by, input], more].concat());
                let (plain, hidden) = (blame(&[]), blame(&["--anonymize-key", &key]));
                let groups = |blame: &Value| {
                    let found = blame.as_object().unwrap().values().find(|value| value.is_array()).unwrap();
                    sorted(
                        &found
                            .as_array()
                            .unwrap()
                            .iter()
                            .map(|group| {
                                let mut group = group.clone();
                                group.as_object_mut().unwrap().remove("group");
                                group
                            })
                            .collect(),
                    )
                };
                assert_eq!(groups(&plain), groups(&hidden), "{input} by {by}");
            }
        }
    }
}
