//! Lists, and who may read what.

mod failing;
mod node_journals;
mod node_logs;
mod nodes;
mod progress;
mod slow_bodies;
mod watches;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;

use super::api::{Api, Recording, Reply, Request};
use crate::support::{bare, lines, podlag};

/// The contexts of a kubeconfig, each named as its user, with its namespace.
const CONTEXTS: [(&str, &str); 4] =
    [("admin", "payments"), ("viewer", "storefront"), ("tenant", "payments"), ("nobody", "payments")];

/// A kubeconfig for a server at this port, whose current context is the first.
pub fn kubeconfig(folder: &Path, port: u16) -> PathBuf {
    let named = |name: &str, key: &str, value: Value| serde_json::json!({"name": name, key: value});
    let server = |user: &str| match user {
        "admin" => format!("http://127.0.0.1:{port}"),
        user => format!("http://127.0.0.1:{port}/user/{user}"),
    };
    let clusters: Vec<Value> =
        CONTEXTS.iter().map(|(user, _)| named(user, "cluster", serde_json::json!({"server": server(user)}))).collect();
    let context = |user: &str, namespace: &str| {
        named(user, "context", serde_json::json!({"cluster": user, "namespace": namespace}))
    };
    let contexts: Vec<Value> = CONTEXTS.iter().map(|(user, namespace)| context(user, namespace)).collect();
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "admin", "clusters": clusters, "contexts": contexts,
    });
    let path = folder.join("kubeconfig");
    std::fs::write(&path, config.to_string()).expect("a file");
    path
}

/// A place to run podlag in, with a kubeconfig.
struct Place {
    folder: tempfile::TempDir,
    kubeconfig: PathBuf,
    api: Api,
}

impl Place {
    fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let (folder, api) = (tempfile::tempdir().expect("a folder"), Api::start(answer));
        let kubeconfig = kubeconfig(folder.path(), api.port);
        Place { folder, kubeconfig, api }
    }

    /// One that replays the recording.
    fn replaying() -> (Self, Arc<Recording>) {
        let recording = Arc::new(Recording::load());
        let mine = Arc::clone(&recording);
        (Place::new(move |request| mine.answer(request)), recording)
    }

    fn command(&self, words: &str) -> Command {
        let mut command = podlag();
        command
            .args(words.split(' '))
            .current_dir(self.folder.path())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path())
            .stdin(std::process::Stdio::null());
        command
    }

    fn run(&self, words: &str) -> Output {
        let output = self.command(words).output().expect("podlag runs");
        let left: Vec<_> = std::fs::read_dir(self.folder.path())
            .expect("a folder")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with("podlag-"))
            .collect();
        assert!(left.is_empty(), "{left:?} are left behind");
        output
    }

    fn rows(&self, words: &str) -> (Vec<Value>, String) {
        let output = self.run(&format!("{words} --format ndjson"));
        (lines(&output), said(&output))
    }
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Rows by their pods, without what tells where they were read.
fn by_pod(rows: &[Value]) -> BTreeMap<String, Value> {
    let name = |row: &Value| format!("{}/{} {}", row["namespace"], row["pod"], row["uid"]);
    rows.iter().zip(bare(rows)).map(|(row, bare)| (name(row), bare)).collect()
}

/// The rows of dumps of the recording.
fn dumped(place: &Place, recording: &Recording, files: &[&str]) -> Vec<Value> {
    let paths: Vec<PathBuf> = files
        .iter()
        .map(|file| {
            let path = place.folder.path().join(file.replace('/', "-"));
            std::fs::write(&path, recording.file(file)).expect("a file");
            path
        })
        .collect();
    lines(&podlag().args(paths).args(["--format", "ndjson"]).output().expect("podlag runs"))
}

const DUMPS: [&str; 3] = ["after/pods.json", "after/events.json", "after/nodes.json"];

#[test]
fn rows_are_those_of_the_dumps() {
    let (place, recording) = Place::replaying();
    let expected = by_pod(&dumped(&place, &recording, &DUMPS));
    assert!(expected.len() > 140);
    let (rows, said) = place.rows("cluster -A");
    assert_eq!(said, "");
    let rows = by_pod(&rows);
    assert_eq!(rows.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (pod, row) in &rows {
        assert_eq!(row, &expected[pod], "{pod}");
    }
    assert!(rows.values().any(|row| row["kubelet_version"].as_str().is_some_and(|version| version.contains("1.36"))));
    let seen = place.api.seen();
    assert_eq!(seen.iter().filter(|line| line.contains("/pods?")).count(), 3, "{seen:#?}");
    assert_eq!(seen.iter().filter(|line| line.contains("/events?")).count(), 19, "{seen:#?}");
    assert_eq!(seen.len(), 23, "nothing else is asked: {seen:#?}");
}

#[test]
fn what_is_refused_is_said_with_the_rule_that_would_allow_it() {
    let (place, recording) = Place::replaying();
    let (rows, said) = place.rows("cluster -A --context viewer");
    let expected = by_pod(&dumped(&place, &recording, &DUMPS[..2]));
    assert_eq!(by_pod(&rows), expected);
    for words in ["nodes are not read", "cannot list resource \"nodes\"", "resources: [\"nodes\"]", "in a ClusterRole"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    // Through the path of its server, which `kubectl create --raw` does not know.
    let (rows, said) = place.rows("cluster:viewer -A --node-metrics --node-logs");
    assert_eq!(by_pod(&rows), expected);
    assert!(
        said.contains("--node-metrics and --node-logs: kubelets are not asked: no permission to get nodes/proxy"),
        "{said}"
    );
    assert!(said.contains("run commands in every pod"), "{said}");
    assert!(!place.api.seen().iter().any(|line| line.contains("/proxy/")), "{:?}", place.api.seen());
}

#[test]
fn a_tenant_gets_the_pods_of_a_namespace() {
    let (place, _) = Place::replaying();
    let all = place.rows("cluster -A").0;
    let mine = |rows: &[Value]| rows.iter().filter(|row| row["namespace"] == "payments").count();
    let (rows, said) = place.rows("cluster:tenant");
    assert!(mine(&rows) > 20 && mine(&rows) == rows.len() && rows.len() == mine(&all), "{} {}", rows.len(), mine(&all));
    assert!(said.contains("nodes are not read"), "{said}");
    assert_eq!(place.rows("cluster:tenant -n payments").0.len(), rows.len());
    let refused = place.run("cluster:tenant -A");
    assert_eq!(refused.status.code(), Some(2));
    for words in
        ["nothing could be read", "at the cluster scope", "or read one namespace with -n", "examples/rbac.yaml"]
    {
        assert!(said_all(&refused).contains(words), "{words}: {}", said_all(&refused));
    }
    // A pod is looked for in its own namespace, a filter with wildcards needs all.
    let chain = place.run("chain storefront/web-565c5d7459-c87ln cluster");
    assert!(chain.status.success(), "{}", said_all(&chain));
    let rows = place.rows("cluster -n pay*").0;
    assert_eq!(rows.len(), mine(&all));
}

fn said_all(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &said(output)
}

#[test]
fn a_server_that_is_busy_forgets_or_breaks_off_changes_no_row() {
    let recording = Arc::new(Recording::load());
    let mine = Arc::clone(&recording);
    let place = Place::new(move |request| {
        let reply = mine.answer(request);
        let later = request.query.contains_key("continue");
        match (request.path.as_str(), request.before) {
            ("/api/v1/pods", 0) => {
                Reply { headers: "Retry-After: 0\r\n".into(), ..Reply::status(429, "TooManyRequests", "busy") }
            }
            // The list's version is forgotten in its middle.
            ("/api/v1/pods", 2) if later => Reply::status(410, "Expired", "The provided continue parameter is too old"),
            ("/api/v1/events", 3 | 5 | 6) => Reply { cut: Some(reply.body.len() / 2), ..reply },
            ("/api/v1/nodes", 0) => Reply { cut: Some(1000), ..reply },
            _ => reply,
        }
    });
    let (rows, said) = place.rows("cluster -A");
    assert_eq!(said, "");
    assert_eq!(by_pod(&rows), by_pod(&dumped(&place, &recording, &DUMPS)));
    let text = String::from_utf8(place.run("cluster -A").stdout).expect("UTF-8");
    assert!(text.contains("read 143 pods, "), "{text}");
}

#[test]
fn labels_and_nodes_are_selected_by_the_server() {
    let (place, _) = Place::replaying();
    let all = place.rows("cluster -A").0;
    let rows = place.rows("cluster -A -l app.kubernetes.io/name=web").0;
    assert!(rows.len() > 3 && rows.len() < all.len(), "{}", rows.len());
    assert!(rows.iter().all(|row| row["pod"].as_str().is_some_and(|pod| pod.starts_with("web-"))), "{rows:#?}");
    let node = "ip-10-40-12-22.eu-west-2.compute.internal";
    let rows = by_pod(&place.rows(&format!("cluster -A --node {node}")).0);
    let expected: Vec<Value> = all.iter().filter(|row| row["node"] == node).cloned().collect();
    assert_eq!(rows.keys().collect::<Vec<_>>(), by_pod(&expected).keys().collect::<Vec<_>>());
    let seen = place.api.seen();
    assert!(seen.iter().any(|line| line.contains(&format!("fieldSelector=spec.nodeName%3D{node}"))), "{seen:#?}");
}

#[test]
fn the_plugin_reads_the_cluster_unless_something_is_piped() {
    let (place, _) = Place::replaying();
    let plugin = place.folder.path().join("kubectl-podlag");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_podlag"), &plugin).expect("a link");
    let run = |stdin: std::process::Stdio| {
        let mut command = Command::new(&plugin);
        command.args(["--format", "ndjson"]).env("KUBECONFIG", &place.kubeconfig).env("HOME", place.folder.path());
        lines(&command.stdin(stdin).output().expect("podlag runs"))
    };
    let rows = run(std::process::Stdio::null());
    assert!(rows.len() > 20 && rows.iter().all(|row| row["namespace"] == "payments"), "{}", rows.len());
    let log = crate::support::samples().join("s01-cached/in/kubelet.log.zst");
    assert_eq!(run(std::fs::File::open(log).expect("a log").into()).len(), 20);
}

#[test]
fn names_are_hidden() {
    let (place, _) = Place::replaying();
    for format in ["text", "json"] {
        let output = place.run(&format!("cluster:tenant --node-metrics --node-logs --anonymize --format {format}"));
        assert!(output.status.success(), "{}", said_all(&output));
        for name in ["payments", "ip-10-40", "tenant", "ledger"] {
            let said = said_all(&output);
            let line = said.lines().find(|line| line.contains(name)).unwrap_or_default();
            assert!(!said.contains(name), "{name}: {}", line.get(..300).unwrap_or(line));
        }
    }
}

/// The same of a real cluster, where there is one.
#[test]
fn a_real_cluster() {
    let Some(kubeconfig) = std::env::var_os("PODLAG_KUBECONFIG") else {
        println!("NOT RUN: no real cluster. PODLAG_KUBECONFIG=FILE names one");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let run = |command: &mut Command| {
        let output = command.env("KUBECONFIG", &kubeconfig).current_dir(folder.path()).output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        output
    };
    let rows = lines(&run(podlag().args(["cluster", "-A", "--format", "ndjson"])));
    let dump = run(Command::new("kubectl").args(["get", "pods,events,nodes", "-A", "-o", "json"])).stdout;
    std::fs::write(folder.path().join("dump.json"), dump).expect("a file");
    let dumped = lines(&run(podlag().args(["dump.json", "--format", "ndjson"])));
    // Meanwhile some come and go.
    let (rows, dumped) = (by_pod(&rows), by_pod(&dumped));
    let same = rows.iter().filter(|(pod, row)| dumped.get(*pod) == Some(*row)).count();
    assert!(same * 10 >= rows.len() * 9 && !rows.is_empty(), "{same} of {}", rows.len());
}
