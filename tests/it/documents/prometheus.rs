//! A real Prometheus server (Debian package `prometheus`) whose last hours hold a node that starts pods: documents ask for windows that
//! end now.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::support::{samples, text};

/// The server, gone with the value.
pub struct Prometheus {
    child: Child,
    /// Host and port.
    pub address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gauges that hold a time, which goes on.
const TIMES: [&str; 2] = ["kubelet_pleg_last_seen_seconds", "go_memstats_last_gc_time_seconds"];
const STARTED: &str = "process_start_time_seconds";

impl Prometheus {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("pages.txt"), history()).expect("a file");
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([folder.path().join("pages.txt"), folder.path().join("data")])
            .stdout(Stdio::null())
            .output()
            .expect("promtool cannot be started: install the Debian package prometheus (./test does)");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(folder.path().join("prometheus.yml"), "global: {}\n").expect("a file");
        let address = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .args(["--storage.tsdb.retention.time=100y", "--log.level=error"])
            .arg(format!("--web.listen-address={address}"))
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus cannot be started: install the Debian package prometheus (./test does)");
        let server = Prometheus { child, address, _folder: folder };
        for _ in 0..600 {
            if server.is_ready() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("prometheus did not get ready");
    }

    fn is_ready(&self) -> bool {
        let asked = || {
            let mut stream = TcpStream::connect(&self.address).ok()?;
            write!(stream, "GET /-/ready HTTP/1.0\r\nHost: here\r\n\r\n").ok()?;
            let mut text = String::new();
            stream.read_to_string(&mut text).ok()?;
            text.starts_with("HTTP/1.0 200").then_some(())
        };
        asked().is_some()
    }
}

/// Seven hours of a capture's kubelet: as before its pods until 90 minutes ago, as after them until half an hour ago, then the same
/// counted once more.
fn history() -> String {
    let folder = samples().join("s02-pull-serial");
    let [before, after] =
        ["metrics-before.txt.zst", "metrics-after.txt.zst"].map(|name| page(&text(&folder.join(name))));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs() as f64;
    let seen = before.iter().find(|(name, _)| name.starts_with(TIMES[0])).expect("a time").1;
    let mut families: BTreeMap<String, String> = BTreeMap::new();
    for (name, second) in &after {
        let (family, own) =
            name.split_once('{').map_or((name.as_str(), ""), |(name, own)| (name, own.trim_end_matches('}')));
        let first = *before.get(name).unwrap_or(&0.0);
        let own = own.replace("node=", "exported_node=");
        let comma = if own.is_empty() { "" } else { "," };
        let lines = families.entry(family.to_owned()).or_default();
        for minutes in (-420_i32..=6).step_by(2) {
            let at = now + f64::from(minutes) * 60.0;
            let value = match (family, minutes) {
                (family, _) if TIMES.contains(&family) => at,
                (STARTED, _) => now - 8.0 * 3600.0 + first - seen,
                (_, ..-90) => first,
                (_, -90..-30) => *second,
                _ => 2.0 * second - first,
            };
            writeln!(
                lines,
                "{family}{{job=\"kubelet\",cluster=\"prod\",instance=\"10.0.0.1:10250\",node=\"node-1\"{comma}{own}}} {value} {at:.3}"
            )
            .expect("text");
        }
    }
    families.into_values().collect::<String>() + "# EOF\n"
}

/// A page's samples of the kubelet.
fn page(text: &str) -> BTreeMap<String, f64> {
    let mine = |line: &&str| {
        ["kubelet_", "kubernetes_build_info", STARTED].iter().any(|start| line.starts_with(start))
            || TIMES.iter().any(|name| line.starts_with(name))
    };
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a sample");
        (series.to_owned(), value.parse().expect("a number"))
    };
    text.lines().filter(mine).map(sample).collect()
}
