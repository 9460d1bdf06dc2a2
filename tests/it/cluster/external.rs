use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;

use super::api::{Api, Recording, Reply, Request};
use crate::support::{bare, lines, podlag};

/// The contexts of a kubeconfig, each with a user of its name and its namespace.
const CONTEXTS: [(&str, &str); 4] =
    [("admin", "payments"), ("viewer", "storefront"), ("tenant", "payments"), ("nobody", "payments")];

/// A kubeconfig for a server at this port, whose current context is the first.
pub fn kubeconfig(folder: &Path, port: u16) -> PathBuf {
    let named = |name: &str, key: &str, value: Value| serde_json::json!({"name": name, key: value});
    let users: Vec<Value> =
        CONTEXTS.iter().map(|(user, _)| named(user, "user", serde_json::json!({"token": user}))).collect();
    let context = |user: &str, namespace: &str| {
        named(user, "context", serde_json::json!({"cluster": "c", "user": user, "namespace": namespace}))
    };
    let contexts: Vec<Value> = CONTEXTS.iter().map(|(user, namespace)| context(user, namespace)).collect();
    let server = serde_json::json!({"server": format!("http://127.0.0.1:{port}")});
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "admin",
        "clusters": [named("c", "cluster", server)], "users": users, "contexts": contexts,
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
