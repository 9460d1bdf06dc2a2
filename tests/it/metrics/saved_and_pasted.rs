//! A page of metrics as people have it: pasted into a ticket, federated from several nodes, an answer of the API that was
//! saved, a dump of the database. Each counts what the page itself counts.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::{captures, podlag, text};

/// The folder of a capture, its last page of metrics, and what that counts.
static PAGE: LazyLock<(String, Value)> = LazyLock::new(|| {
    let page = text(&capture().join("metrics-after.txt.zst"));
    let counted = nodes(&page, "metrics.txt");
    assert_eq!(counted.len(), 1);
    (page, counted[0].clone())
});

fn capture() -> PathBuf {
    captures().into_iter().find(|path| path.ends_with("s02-pull-serial")).expect("the capture")
}

/// What a text counts, node by node.
fn nodes(page: &str, name: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), page).expect("a file");
    let output = podlag().arg(folder.path().join(name)).args(["--format", "json"]).output().expect("podlag runs");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["coverage"]["invalid_samples"], 0, "{name}: {}", report["coverage"]);
    report["metrics"]["nodes"].as_array().expect("nodes").clone()
}

/// Fails unless a text counts the same as the page, for each of its nodes.
fn same(page: &str, name: &str, named: &[&str]) {
    let (found, expected) = (nodes(page, name), &PAGE.1);
    let mut names: Vec<&str> = found.iter().map(|node| node["window"]["node"].as_str().expect("a name")).collect();
    names.sort_unstable();
    assert_eq!(names, named, "{name}");
    for node in &found {
        for figure in ["startups", "components", "slo_s"] {
            assert_eq!(node[figure], expected[figure], "{name} {figure}");
        }
    }
}

/// The page's samples: names, labels with commas between them, values.
fn samples(page: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    page.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        Some((name, labels.trim_end_matches('}').trim_end_matches(','), value))
    })
}

/// The labels of a target, as a server adds them.
fn targeted(labels: &str, instance: &str) -> String {
    let comma = if labels.is_empty() { "" } else { "," };
    format!("{labels}{comma}instance=\"{instance}\",job=\"kubelet\"")
}

#[test]
fn what_is_pasted_is_read() {
    let (page, _) = &*PAGE;
    let prefixed = |prefix: &str| page.lines().map(|line| format!("{prefix}{line}\n")).collect::<String>();
    let command = "kubectl get --raw /api/v1/nodes/rig-node-1/proxy/metrics";
    for (name, pasted) in [
        ("fence.md", format!("```\n{page}```\n")),
        ("named-fence.md", format!("```prometheus\n{page}```\n")),
        ("prompt.txt", format!("$ {command}\n{page}root@master:~# \n")),
        ("root-prompt.txt", format!("[root@master ~]# {command}\n{page}")),
        ("quoted.txt", prefixed("> ")),
        ("quoted-twice.txt", prefixed("> > ")),
        ("indented.txt", prefixed("    ")),
    ] {
        same(&pasted, name, &["rig-node-1"]);
    }
}

#[test]
fn nodes_of_one_page_are_distinguished_by_their_labels() {
    let (page, _) = &*PAGE;
    let mut federated = String::new();
    for instance in ["10.0.0.1:10250", "node-b:10250"] {
        for (name, labels, value) in samples(page).filter(|(name, ..)| *name != "kubelet_node_name") {
            writeln!(federated, "{name}{{{}}} {value}", targeted(labels, instance)).unwrap();
        }
    }
    same(&federated, "federate.prom", &["10.0.0.1", "node-b"]);
    let relabelled = federated.replace("instance=\"10.0.0.1:10250\"", "instance=\"10.0.0.1:10250\",node=\"node-a\"");
    same(&relabelled, "federate-node.prom", &["node-a", "node-b"]);
}

#[test]
fn saved_answers_and_dumps_are_read() {
    let (page, _) = &*PAGE;
    let (mut vector, mut matrix, mut dump) = (Vec::new(), Vec::new(), String::new());
    for (name, labels, value) in samples(page) {
        let all = format!("__name__=\"{name}\",{}", targeted(labels, "rig-node-1:10250"));
        let mut metric = serde_json::Map::new();
        for label in all.split("\",") {
            let (name, value) = label.split_once("=\"").expect("a label");
            metric.insert(name.into(), value.trim_end_matches('"').into());
        }
        vector.push(json!({ "metric": metric, "value": [1_795_460_400.25, value] }));
        matrix.push(json!({ "metric": metric, "values": [[1_795_460_400, value]] }));
        writeln!(dump, "{{{}}} {value} 1795460400250", all.replace(",", ", ")).unwrap();
    }
    let answer = |kind: &str, result: Vec<Value>| {
        let answer = json!({ "status": "success", "data": { "resultType": kind, "result": result } });
        // In the order in which servers write it.
        let data = serde_json::to_string(&answer["data"]).unwrap();
        format!(
            "{{\"status\":\"success\",\"data\":{}}}",
            data.replacen("{\"result\":", "{\"resultType\":\"x\",\"result\":", 1)
        )
    };
    same(&answer("vector", vector), "vector.json", &["rig-node-1"]);
    same(&answer("matrix", matrix), "matrix.json", &["rig-node-1"]);
    same(&dump, "dump.txt", &["rig-node-1"]);
}

#[test]
fn answers_that_hold_no_series_say_what_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("answer.json");
    for (answer, word) in [
        (r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#, "no pod startup metrics"),
        (
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}"#,
            "1 series without a metric name",
        ),
        (r#"{"status":"error","errorType":"timeout","error":"too slow","data":{"resultType":""}}"#, "too slow"),
        (r#"{"status":"success","data":{"resultType":"vector","result":["#, "ends in the middle"),
    ] {
        std::fs::write(&path, answer).expect("a file");
        let output = podlag().arg(&path).output().expect("podlag runs");
        let said = [output.stdout, output.stderr].concat();
        assert!(String::from_utf8_lossy(&said).contains(word), "{answer}: {}", String::from_utf8_lossy(&said));
    }
}
