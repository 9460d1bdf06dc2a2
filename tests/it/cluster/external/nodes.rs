//! Pages of kubelets.

use std::process::Output;

use serde_json::Value;

use super::{Place, said};
use crate::cluster::api::{Recording, Reply};
use crate::support::podlag;

#[test]
fn kubelets_are_asked_for_metrics_and_settings() {
    let (place, recording) = Place::replaying();
    let report = |output: &Output| -> Value { serde_json::from_slice(&output.stdout).expect("JSON") };
    let asked = place.run("cluster -A --node-metrics --retries 0 --format json");
    // One of the nodes is down.
    let told = said(&asked);
    assert!(told.contains("1 of 4 nodes: worker-0.ocp.example.net: ") && told.lines().count() == 1, "{told}");
    let asked = report(&asked);
    let nodes = ["22", "23", "24"].map(|node| format!("ip-10-40-12-{node}.eu-west-2.compute.internal"));
    for node in &nodes {
        let dir = place.folder.path().join("dumped").join(node);
        std::fs::create_dir_all(&dir).expect("a folder");
        for page in ["metrics.txt", "metrics-cadvisor.txt"] {
            std::fs::write(dir.join(page), recording.file(&format!("after/nodes/{node}/{page}"))).expect("a file");
        }
    }
    let dumped = podlag().arg(place.folder.path().join("dumped")).args(["--format", "json"]).output().expect("podlag");
    let dumped = report(&dumped);
    let figures = |report: &Value| {
        let nodes = report["metrics"]["nodes"].as_array().expect("nodes").clone();
        let figures = |node: &Value| {
            (
                node["window"]["node"].clone(),
                node["startups"].clone(),
                node["slo_s"].clone(),
                node["components"].clone(),
            )
        };
        nodes.iter().map(figures).collect::<Vec<_>>()
    };
    assert_eq!(figures(&asked), figures(&dumped));
    assert_eq!(figures(&asked).len(), 3);
    let row = asked["startups"].as_array().expect("rows").iter().find(|row| row["node"] == nodes[0]).expect("a row");
    assert!(row["settings"].as_str().is_some_and(|settings| settings.contains("serializeImagePulls=")), "{row}");
    // No more than may be, at once or in all.
    let seen = place.api.seen();
    assert_eq!(seen.iter().filter(|line| line.contains("/proxy/")).count(), 10, "{seen:#?}");
}

/// With a watch the pages are read before and after it.
#[test]
fn metrics_around_a_watch_count_its_time() {
    let mut recording = Recording::load();
    recording.scrapes = 2;
    let place = Place::new(move |request| match request.is_watch() {
        true => Reply { hold: true, ..Reply::new(200, "") },
        false => recording.answer(request),
    });
    let asked = place.run("cluster -A --node-metrics --watch 2s --retries 0 --format json");
    let report: Value = serde_json::from_slice(&asked.stdout).expect("JSON");
    let nodes = report["metrics"]["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 3, "{}", said(&asked));
    let since: Value =
        serde_json::from_slice(&place.run("cluster -A --node-metrics --retries 0 --format json").stdout).expect("JSON");
    // Four pods a node had started before.
    for (node, all) in nodes.iter().zip(since["metrics"]["nodes"].as_array().expect("nodes")) {
        assert!(node["window"]["from"].is_string() && all["startups"].is_number(), "{}", node["window"]);
    }
    assert_eq!(place.api.seen().iter().filter(|line| line.contains("/proxy/metrics/cadvisor")).count(), 9);
}
