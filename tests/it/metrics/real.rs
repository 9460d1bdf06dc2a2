//! A real Prometheus server (Debian package `prometheus`), with the captures' pages as what it scraped: its answers are those
//! of the text files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::page::{pages, sum};
use crate::support::{podlag, samples};
use crate::web::server::{Server, answer};

/// The server, gone with the value.
pub struct Prometheus {
    child: Child,
    pub url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    pub fn start(folder: tempfile::TempDir, config: &str, more: &[&str]) -> Self {
        std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let prefix = more.iter().find_map(|flag| flag.strip_prefix("--web.route-prefix=")).unwrap_or("");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .args(["--storage.tsdb.retention.time=100y", "--log.level=error"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(more)
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus cannot be started: install the Debian package prometheus (./test does)");
        let server = Prometheus { child, url: format!("http://127.0.0.1:{port}"), _folder: folder };
        for _ in 0..300 {
            if get(port, &format!("{prefix}/-/ready")).is_some_and(|answer| answer.starts_with("HTTP/1.0 200")) {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("prometheus did not get ready");
    }
}

fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

/// The second at which all captures' first scrapes are put.
const BEGIN: i64 = 1_795_460_985;
/// Families that carry a time of their own, which moves along.
const TIMES: [&str; 3] =
    ["process_start_time_seconds", "kubelet_pleg_last_seen_seconds", "go_memstats_last_gc_time_seconds"];

/// How a target's series are labelled: labels before the metric's own.
pub type Labelled<'a> = (&'a str, &'a str);

/// Adds a capture to a page of OpenMetrics: its first page once, its second one every 15 s from a minute on.
pub fn scrape(capture: &str, targets: &[Labelled<'_>], series: &mut BTreeMap<String, String>) {
    let (before, after) = pages(&samples().join(capture));
    let shift = BEGIN as f64 - sum(&before, "kubelet_pleg_last_seen_seconds", "");
    for (page, times) in [(&before, vec![0]), (&after, vec![60, 75, 90, 105, 120])] {
        for (name, value) in page {
            let (name, own) =
                name.split_once('{').map_or((name.as_str(), ""), |(name, own)| (name, own.trim_end_matches('}')));
            let value = if TIMES.contains(&name) { value + shift } else { *value };
            for (labels, node) in targets {
                // As a server does with a label that the target has too.
                let own = if labels.contains("node=") {
                    own.replace("node=\"rig", "exported_node=\"rig")
                } else {
                    own.replace("rig-node-1", node)
                };
                let comma = if own.is_empty() { "" } else { "," };
                let lines = series.entry(name.to_owned()).or_default();
                for at in &times {
                    writeln!(lines, "{name}{{{labels}{comma}{own}}} {value} {}", BEGIN + at).unwrap();
                }
            }
        }
    }
}

fn backfilled(folder: &Path, series: &BTreeMap<String, String>) {
    let text = folder.join("pages.txt");
    std::fs::write(&text, series.values().cloned().collect::<String>() + "# EOF\n").unwrap();
    let made = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&text, &folder.join("data")])
        .stdout(Stdio::null())
        .output()
        .expect("promtool cannot be started: install the Debian package prometheus (./test does)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

pub const WINDOW: [&str; 4] = ["--from", "2026-11-23T19:09:50Z", "--to", "2026-11-23T19:11:40Z"];
pub const NODES: [(&str, &str); 3] =
    [("node-a", "s02-pull-serial"), ("node-b", "s12-burst"), ("node-c", "s10-static-restart")];

pub fn json(command: &mut Command) -> Value {
    let output = command.args(["--format", "json"]).output().expect("podlag runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A node's series in a report, by family and label.
fn series(report: &Value, node: &str) -> BTreeMap<String, Value> {
    let nodes = report["metrics"]["nodes"].as_array().expect("nodes");
    let mine =
        nodes.iter().find(|found| found["window"]["node"] == node).unwrap_or_else(|| panic!("{node}: {report:#}"));
    let all = mine["window"]["series"].as_array().unwrap();
    all.iter()
        .map(|one| (format!("{} {}", one[0].as_str().unwrap(), one[1].as_str().unwrap()), one[2].clone()))
        .collect()
}

fn of_text(capture: &str) -> Value {
    let folder = samples().join(capture);
    json(podlag().args([folder.join("metrics-before.txt.zst"), folder.join("metrics-after.txt.zst")]))
}

#[track_caller]
fn same(name: &str, a: &Value, b: &Value) {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0), "{name}: {a} {b}");
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{name}: {a:?} {b:?}");
            a.iter().zip(b).for_each(|(a, b)| same(name, a, b));
        }
        (Value::Object(a), Value::Object(b)) => {
            assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{name}");
            // What is sure of a part depends on how long the window is, which here is another; and so does what is left at most for
            // the time outside the kubelet.
            let named = |key: &str, name: &str| a.get(key).is_some_and(|value| value == name);
            let is_rest = named("component", "scheduling and reporting");
            // And how many were made at once, on average over it.
            let is_average = |value: &Value| value.as_str().is_some_and(|words| words.contains("on average"));
            let all =
                a.iter().filter(|(key, value)| *key != "low_s" && !(is_rest && *key == "high_s") && !is_average(value));
            all.for_each(|(key, value)| same(&format!("{name} {key}"), value, &b[key]));
        }
        _ => assert_eq!(a, b, "{name}"),
    }
}

#[track_caller]
pub fn as_the_text(report: &Value, node: &str, capture: &str) {
    let (found, expected) = (series(report, node), series(&of_text(capture), "rig-node-1"));
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{node}");
    for (name, value) in &expected {
        same(&format!("{node} {name}"), &found[name], value);
    }
}

/// A kubelet that is scraped.
pub struct Target {
    pub server: Server,
    /// Its page is the capture's second.
    pub is_later: Arc<AtomicBool>,
}

/// A kubelet with a capture's pages.
pub fn target(capture: &str) -> Target {
    let folder = samples().join(capture);
    let pages =
        ["before", "after"].map(|which| crate::support::unpacked(&folder.join(format!("metrics-{which}.txt.zst"))));
    let is_later = Arc::new(AtomicBool::new(false));
    let later = Arc::clone(&is_later);
    let server = Server::plain(move |_, _| {
        let page = &pages[usize::from(later.load(Ordering::Relaxed))];
        answer("200 OK", "Content-Type: text/plain; version=0.0.4\r\n", page)
    });
    Target { server, is_later }
}

/// Waits until a server was asked so often.
pub fn scraped(server: &Server, times: usize) -> bool {
    (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        server.seen().len() >= times
    })
}

mod external {
    use super::*;

    #[test]
    fn a_servers_answers_are_those_of_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let mut all = BTreeMap::new();
        for (node, capture) in NODES {
            let plain = format!(
                "setup=\"plain\",job=\"kubelet\",metrics_path=\"/metrics\",instance=\"10.0.0.1:10250\",node=\"{node}\""
            );
            let bare = format!("setup=\"bare\",job=\"k8s\",instance=\"{node}:10250\"");
            let twice = |job: &str| format!("setup=\"twice\",job=\"{job}\",kubernetes_io_hostname=\"{node}\"");
            let (first, second) = (twice("kubelet"), twice("nodes"));
            let cluster =
                |name: &str| format!("setup=\"clusters\",job=\"kubelet\",node=\"one\",cluster=\"{name}-{node}\"");
            let east = cluster("east");
            scrape(capture, &[(&plain, node), (&bare, node), (&first, node), (&second, node), (&east, node)], &mut all);
        }
        backfilled(folder.path(), &all);
        let server = Prometheus::start(
            folder,
            "",
            &["--web.route-prefix=/prometheus", "--web.external-url=http://x/prometheus"],
        );
        let ask = |selector: &str, more: &[&str]| {
            json(podlag().arg(&server.url).args(WINDOW).args(["--selector", selector]).args(more))
        };

        let report = ask("setup=\"plain\"", &[]);
        for (node, capture) in NODES {
            as_the_text(&report, node, capture);
        }
        let nodes = report["metrics"]["nodes"].as_array().unwrap();
        let of = |name: &str| nodes.iter().find(|node| node["window"]["node"] == name).unwrap();
        assert_eq!(of("node-c")["window"]["restarts"], 1);
        assert_eq!(of("node-a")["window"]["kubelet_versions"][0], "v1.36.3");
        assert_eq!(report["metrics"]["fleet"]["startups"].as_f64(), Some(101.0));
        // The same through the text's figures, all that is made of the series.
        for (name, capture) in NODES {
            let text = of_text(capture);
            for key in ["startups", "slo_s", "total_s", "components", "causes"] {
                same(&format!("{name} {key}"), &of(name)[key], &text["metrics"]["nodes"][0][key]);
            }
        }

        let report = ask("{setup=\"bare\"}", &[]);
        NODES.iter().for_each(|(node, capture)| as_the_text(&report, node, capture));
        let report = ask("setup=\"twice\"", &[]);
        NODES.iter().for_each(|(node, capture)| as_the_text(&report, node, capture));
        let told = report["coverage"]["source_errors"].to_string();
        assert!(told.contains("scraped more than once (by job), counted once: node-a, node-b, node-c"), "{told}");
        let report = ask("setup=\"clusters\"", &[]);
        NODES.iter().for_each(|(node, capture)| as_the_text(&report, &format!("east-{node}/one"), capture));
        let report = ask("setup=\"plain\"", &["--node-label", "job"]);
        assert_eq!(report["metrics"]["nodes"].as_array().unwrap().len(), 1);
        let report = ask("setup=\"plain\"", &["--node", "node-[ab]", "--node", "node-a"]);
        assert_eq!(report["metrics"]["nodes"].as_array().unwrap().len(), 1, "a filter holds for metrics too");

        // Logs of a node beside the server's metrics of it are reconciled.
        let logs = samples().join("s12-burst/in");
        let selector = ["--selector", "setup=\"bare\",instance=\"node-b:10250\"", "--node-name", "node-b"];
        let report = json(podlag().arg(&server.url).arg(logs).args(WINDOW).args(selector));
        let reconciled = &report["metrics"]["nodes"][0]["reconciled"];
        assert_eq!(reconciled["unexplained"].as_f64(), Some(0.0), "{reconciled:#}");

        // A window over days is asked in stretches, and gives the same.
        let long = [
            "--from",
            "2026-11-20T19:09:50Z",
            "--to",
            "2026-11-23T19:11:40Z",
            "--selector",
            "setup=\"plain\",node=\"node-b\"",
        ];
        let report = json(podlag().arg(&server.url).args(long));
        assert_eq!(report["metrics"]["fleet"]["startups"].as_f64(), Some(80.0));

        let told = |more: &[&str]| {
            let output = podlag().arg(&server.url).args(more).output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{more:?}");
            String::from_utf8(output.stderr).unwrap()
        };
        let empty = told(&["--from", "2026-11-23T10:00:00Z", "--to", "2026-11-23T11:00:00Z"]);
        assert!(empty.contains("no kubelet metrics from 2026-11-23T10:00:00Z to 2026-11-23T11:00:00Z"), "{empty}");
        let nobody = told(&["--selector", "setup=\"none\""]);
        assert!(nobody.contains("no kubelet metrics that match --selector"), "{nobody}");
        let label = told(&[
            "--selector",
            "setup=\"plain\"",
            "--node-label",
            "rack",
            WINDOW[0],
            WINDOW[1],
            WINDOW[2],
            WINDOW[3],
        ]);
        assert!(
            label.contains("no kubelet series has the label \"rack\"") && label.contains("instance, job, metrics_path"),
            "{label}"
        );
        let wrong = told(&["--selector", "setup=\"plain", WINDOW[0], WINDOW[1], WINDOW[2], WINDOW[3]]);
        assert!(wrong.contains("the query failed (bad_data)") && wrong.contains("Check --selector"), "{wrong}");
    }

    #[test]
    fn what_a_server_scrapes_itself_is_found() {
        let (a, b) = (target("s02-pull-serial"), target("v1.33-s01-cached"));
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: kubelet\n  static_configs:\n  - targets: ['{}']\n    labels: {{node: node-a}}\n  - targets: ['{}']\n    labels: {{node: node-b}}\n",
            a.server.at, b.server.at
        );
        let server = Prometheus::start(tempfile::tempdir().unwrap(), &config, &[]);
        assert!(scraped(&a.server, 3) && scraped(&b.server, 3), "three scrapes of each");
        a.is_later.store(true, Ordering::Relaxed);
        b.is_later.store(true, Ordering::Relaxed);
        let (now_a, now_b) = (a.server.seen().len(), b.server.seen().len());
        assert!(scraped(&a.server, now_a + 3) && scraped(&b.server, now_b + 3));
        let report = json(podlag().arg(&server.url).args(["--window", "30s"]));
        as_the_text(&report, "node-a", "s02-pull-serial");
        as_the_text(&report, "node-b", "v1.33-s01-cached");
        // The page itself, at its own address, is one scrape: since the process' start.
        let page = json(podlag().arg(a.server.url("/metrics")));
        assert_eq!(page["metrics"]["fleet"]["window"]["scrapes"], 1);
        assert_eq!(page["metrics"]["nodes"][0]["window"]["node"], "rig-node-1");
    }
}
