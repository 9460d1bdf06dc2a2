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
    let (rows, said) = place.rows("cluster:viewer -A --node-metrics");
    assert_eq!(by_pod(&rows), expected);
    assert!(said.contains("no permission to get nodes/proxy") && said.contains("run commands in every pod"), "{said}");
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
fn what_never_works_is_said_and_ends() {
    let (place, _) = Place::replaying();
    let fails = |words: &str, expected: &[&str]| {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(2), "{words}: {}", said_all(&output));
        let said = said_all(&output);
        for expected in expected {
            assert!(said.contains(expected), "{words}: {expected}: {said}");
        }
        assert!(!said.contains("localhost"), "the proxy's address says nothing: {said}");
    };
    fails("cluster:nobody", &["(401)", "kubectl get pods must work"]);
    fails("cluster:nope", &["no context \"nope\"", "get-contexts"]);
    fails("cluster -n ../nodes", &["no name of a namespace"]);
    fails("kubelet.log --watch 1m", &["no input can be read"]);
    let mut without = place.command("cluster");
    let output = without.env("KUBECONFIG", place.folder.path().join("none")).output().expect("podlag runs");
    assert!(said(&output).contains("the kubeconfig names no cluster"), "{}", said(&output));
    let output = place.command("cluster").env("PATH", "/nowhere").output().expect("podlag runs");
    assert!(said(&output).contains("kubectl is not installed"), "{}", said(&output));
    let flag = place.run("- --watch 1m");
    assert!(said(&flag).contains("--watch is about a cluster"), "{}", said(&flag));
    // Answers that no API server gives.
    for (body, words) in [
        ("<html>log in</html>", "no JSON"),
        ("{}", "no list of Kubernetes objects"),
        ("{\"kind\":\"PodList\",\"items\":[", "ended before its time"),
    ] {
        let place = Place::new(move |_| Reply::new(200, body));
        let output = place.run("cluster --retries 0");
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    let endless = r#"{"kind":"PodList","metadata":{"continue":"a"},"items":[]}"#;
    let place = Place::new(move |_| Reply::new(200, endless));
    let output = place.run("cluster");
    assert!(said(&output).contains("does not end"), "{}", said(&output));
    let gone = Place::new(|_| Reply::status(404, "NotFound", "nothing here"));
    std::fs::write(
        &gone.kubeconfig,
        std::fs::read_to_string(&gone.kubeconfig).unwrap().replace(&gone.api.port.to_string(), "1"),
    )
    .expect("a file");
    let output = gone.run("cluster --retries 0");
    assert!(said(&output).contains("the API server cannot be reached"), "{}", said(&output));
}

/// The running processes whose words hold this text.
fn processes(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("/proc");
    let words = entries.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    let words = words.map(|words| String::from_utf8_lossy(&words).replace('\0', " "));
    words.filter(|words| words.contains(text)).collect()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1200 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("never: {what}");
}

fn signal(child: &std::process::Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

fn spawn(place: &Place, words: &str) -> std::process::Child {
    let mut command = place.command(words);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("podlag runs")
}

/// Lists nothing, then watches what was recorded.
fn watched(recording: &Arc<Recording>) -> Place {
    let mine = Arc::clone(recording);
    Place::new(move |request| match request.path.as_str() {
        "/api/v1/pods" | "/api/v1/events" if !request.is_watch() => {
            let list = serde_json::json!({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []});
            Reply::new(200, list.to_string())
        }
        "/api/v1/pods" | "/api/v1/events" if request.query["resourceVersion"] != "1" => {
            Reply { hold: true, ..Reply::new(200, "") }
        }
        _ => mine.answer(request),
    })
}

fn watches(place: &Place) -> Vec<String> {
    place.api.seen().into_iter().filter(|line| line.contains("watch=1")).collect()
}

#[test]
fn a_watch_shows_what_began_during_it_until_it_is_interrupted() {
    let recording = Arc::new(Recording::load());
    let place = watched(&recording);
    let expected = dumped(&place, &recording, &["watch/pods.jsonl", "watch/events.jsonl", "after/nodes.json"]);
    let child = spawn(&place, "cluster -A --watch 1h --format ndjson");
    wait_until("both are watched", || watches(&place).len() >= 2);
    // What is sent is taken: nothing else shows that it was.
    std::thread::sleep(std::time::Duration::from_secs(3));
    signal(&child, "-INT");
    let output = child.wait_with_output().expect("podlag ends");
    assert_eq!(said(&output), "", "an interrupted watch is whole");
    assert_eq!(output.status.code(), Some(0));
    let (rows, expected) = (by_pod(&lines(&output)), by_pod(&expected));
    assert!(rows.len() > 140, "{}", rows.len());
    assert_eq!(rows.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    let same = rows.iter().filter(|(pod, row)| expected[*pod] == **row).count();
    assert!(same + 1 >= rows.len(), "{same} of {}", rows.len());
}

#[test]
fn a_watch_that_is_forgotten_or_ends_is_begun_again() {
    let recording = Arc::new(Recording::load());
    let mine = Arc::clone(&recording);
    let place = Place::new(move |request| match (request.path.as_str(), request.before) {
        // The list has three pages; then the watch is forgotten, and the list comes again.
        ("/api/v1/pods", 3) => mine.reply("pages/watch-too-old.jsonl"),
        ("/api/v1/events", 19) => {
            let reply = mine.reply("watch/events.jsonl");
            Reply { cut: Some(reply.body.len() / 2), ..reply }
        }
        _ if request.is_watch() => Reply { hold: true, ..Reply::new(200, "") },
        _ => mine.answer(request),
    });
    let child = spawn(&place, "cluster -A --watch 1h");
    let again = |kind: &str| watches(&place).iter().filter(|line| line.contains(&format!("/{kind}?"))).count() >= 2;
    wait_until("both are watched again", || again("pods") && again("events"));
    let seen = place.api.seen();
    assert_eq!(seen.iter().filter(|line| line.contains("/pods?") && !line.contains("watch=1")).count(), 6, "{seen:#?}");
    let versions: Vec<&str> = watches(&place)
        .iter()
        .filter(|line| line.contains("/events?"))
        .map(|line| line.split("resourceVersion=").nth(1).expect("a version"))
        .map(|version| version.to_owned().leak() as &str)
        .collect();
    assert!(versions[0] == "18610" && versions[1] != "18610", "it goes on where it broke off: {versions:?}");
    signal(&child, "-INT");
    let output = child.wait_with_output().expect("podlag ends");
    let text = said_all(&output);
    assert!(output.status.success() && text.contains("read 143 pods, "), "{text}");
}

#[test]
fn a_watch_ends_by_itself() {
    let recording = Arc::new(Recording::load());
    let place = watched(&recording);
    let (rows, said) = place.rows("cluster -A --watch 4s");
    assert_eq!(said, "");
    assert!(rows.len() > 140, "{}", rows.len());
}

#[test]
fn kubectl_ends_with_podlag_however_that_ends() {
    let place = Place::new(|request| match request.is_watch() {
        true => Reply { hold: true, ..Reply::new(200, "") },
        false => Reply::new(200, r#"{"kind":"List","metadata":{"resourceVersion":"1"},"items":[]}"#),
    });
    let folder = place.folder.path().to_string_lossy().into_owned();
    let mine = || processes(&format!("--unix-socket={folder}"));
    for name in ["-KILL", "-INT"] {
        let mut child = spawn(&place, "cluster --watch 1h");
        let before = watches(&place).len();
        wait_until("it watches", || watches(&place).len() >= before + 2);
        assert!(!mine().is_empty());
        let socket = std::fs::metadata(place.folder.path()).is_ok();
        assert!(socket);
        signal(&child, name);
        child.wait().expect("podlag ends");
        wait_until("kubectl has ended", || mine().is_empty());
    }
}

#[test]
fn kubelets_are_asked_for_metrics_and_settings() {
    let (place, recording) = Place::replaying();
    let report = |output: &Output| -> Value { serde_json::from_slice(&output.stdout).expect("JSON") };
    let asked = place.run("cluster -A --node-metrics --format json");
    assert_eq!(said(&asked), "");
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
    assert_eq!(seen.iter().filter(|line| line.contains("/proxy/")).count(), 9, "{seen:#?}");
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
