//! A real VictoriaMetrics (Debian package `victoria-metrics`) with the captures' pages, sent to it and scraped by it: its answers are
//! those of the text files.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::real::{NODES, WINDOW, as_the_text, json, scrape, scraped, target};
use crate::support::podlag;

/// The server, gone with the value.
struct VictoriaMetrics {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for VictoriaMetrics {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl VictoriaMetrics {
    fn start(more: &[String]) -> Self {
        // Fails where another test has chosen it, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let child = Command::new("victoria-metrics")
            .arg(format!("-storageDataPath={}", folder.path().join("data").display()))
            .arg(format!("-httpListenAddr={address}"))
            .args(["-retentionPeriod=100y", "-loggerLevel=ERROR", "-search.latencyOffset=1s"])
            .args(more)
            .stderr(Stdio::null())
            .spawn()
            .expect("victoria-metrics cannot be started: install the Debian package victoria-metrics (./test does)");
        let server = VictoriaMetrics { child, url: format!("http://{address}"), _folder: folder };
        for _ in 0..300 {
            if server.get("/health").is_some() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("victoria-metrics did not get ready");
    }

    fn get(&self, path: &str) -> Option<String> {
        let answer = reqwest::blocking::get(format!("{}{path}", self.url)).ok()?;
        answer.status().is_success().then(|| answer.text().ok())?
    }

    /// Sends samples, which are then found.
    fn import(&self, series: &BTreeMap<String, String>) {
        // Instants are milliseconds there.
        let line = |line: &str| {
            let (sample, seconds) = line.rsplit_once(' ').unwrap();
            format!("{sample} {}\n", seconds.parse::<i64>().unwrap() * 1000)
        };
        let text: String = series.values().flat_map(|lines| lines.lines()).map(line).collect();
        let client = reqwest::blocking::Client::new();
        let sent = client.post(format!("{}/api/v1/import/prometheus", self.url)).body(text).send().unwrap();
        assert!(sent.status().is_success(), "{sent:?}");
        assert!(self.get("/internal/force_flush").is_some());
    }
}

mod external {
    use super::*;

    #[test]
    fn its_answers_are_those_of_the_text() {
        let mut all = BTreeMap::new();
        for (node, capture) in NODES {
            let plain = format!(
                "setup=\"plain\",job=\"kubelet\",metrics_path=\"/metrics\",instance=\"10.0.0.1:10250\",node=\"{node}\""
            );
            let twice = |job: &str| format!("setup=\"twice\",job=\"{job}\",kubernetes_io_hostname=\"{node}\"");
            let (first, second) = (twice("kubelet"), twice("nodes"));
            scrape(capture, &[(&plain, node), (&first, node), (&second, node)], &mut all);
        }
        let server = VictoriaMetrics::start(&[]);
        server.import(&all);
        let ask = |selector: &str| json(podlag().arg(&server.url).args(WINDOW).args(["--selector", selector]));
        let report = ask("setup=\"plain\"");
        for (node, capture) in NODES {
            as_the_text(&report, node, capture);
        }
        assert_eq!(report["metrics"]["fleet"]["startups"].as_f64(), Some(101.0));
        let report = ask("setup=\"twice\"");
        NODES.iter().for_each(|(node, capture)| as_the_text(&report, node, capture));
        let told = report["coverage"]["source_errors"].to_string();
        assert!(told.contains("scraped more than once (by job), counted once: node-a, node-b, node-c"), "{told}");

        let output = podlag().arg(&server.url).args(WINDOW).args(["--selector", "setup=\"none\""]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("no kubelet metrics that match --selector"), "{told}");
    }

    #[test]
    fn what_it_scrapes_itself_is_found() {
        let (a, b) = (target("s02-pull-serial"), target("v1.33-s01-cached"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scrape.yml");
        let job = |at, node| format!("  - targets: ['{at}']\n    labels: {{node: {node}}}\n");
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: kubelet\n  static_configs:\n{}{}",
            job(a.server.at, "node-a"),
            job(b.server.at, "node-b")
        );
        std::fs::write(&file, config).unwrap();
        let server = VictoriaMetrics::start(&[format!("-promscrape.config={}", file.display())]);
        assert!(scraped(&a.server, 3) && scraped(&b.server, 3), "three scrapes of each");
        for target in [&a, &b] {
            target.is_later.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        let (now_a, now_b) = (a.server.seen().len(), b.server.seen().len());
        assert!(scraped(&a.server, now_a + 4) && scraped(&b.server, now_b + 4));
        assert!(server.get("/internal/force_flush").is_some());
        let report = json(podlag().arg(&server.url).args(["--window", "30s"]));
        as_the_text(&report, "node-a", "s02-pull-serial");
        as_the_text(&report, "node-b", "v1.33-s01-cached");
    }
}
