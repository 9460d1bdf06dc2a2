//! The library from outside: its facade alone, as a program that depends on it has it.

use std::io::Cursor;
use std::process::Command;
use std::sync::atomic::Ordering;

use podlag::{Analyzer, ErrorKind, Options, Source};
use serde_json::Value;

use crate::support;

fn options() -> Options {
    Options::new(&std::env::temp_dir()).expect("options")
}

fn json(report: &podlag::Report) -> Value {
    let mut out = Vec::new();
    podlag::write(podlag::format("json").expect("a format"), report, &mut out).expect("written");
    serde_json::from_slice(&out).expect("JSON")
}

#[test]
fn a_reader_gives_what_the_file_gives() {
    let path = support::samples().join("s01-cached/in/kubelet.log.zst");
    let by_path = Analyzer::new(options()).add(Source::from_path(path.clone())).run().expect("a report");
    let bytes = std::fs::read(&path).expect("the sample");
    let reader = Source::from_reader(&path.display().to_string(), Cursor::new(bytes));
    let by_reader = Analyzer::new(options()).add(reader).run().expect("a report");
    assert_eq!(by_path.startup_count(), 20);
    assert_eq!(json(&by_path), json(&by_reader));
    let startups: Vec<_> = by_reader.startups().collect::<Result<_, _>>().expect("startups");
    assert_eq!(startups.len(), 20);
    assert!(startups.iter().all(|startup| !startup.pod.is_empty() && !startup.spans.is_empty()));
}

#[test]
fn what_cannot_be_read_is_named() {
    let gone = || Source::from_path("no/such/kubelet.log");
    let error = Analyzer::new(options()).add(gone()).run().expect_err("nothing can be read");
    assert_eq!(error.kind(), ErrorKind::Source);
    let log = support::samples().join("s01-cached/in/kubelet.log.zst");
    let report = Analyzer::new(options()).add(Source::from_path(log)).add(gone()).run().expect("a report");
    assert_eq!(report.startup_count(), 20);
    assert!(report.source_errors().iter().any(|error| error.contains("no/such/kubelet.log")));
}

#[test]
fn options_are_checked_and_kept() {
    assert!(options().time_zone("Mars/Olympus").is_err());
    assert!(options().filter("colour", &["red".into()]).is_err());
    assert!(options().what_if("noSuchSetting=1").is_err());
    assert!(options().anonymize(b"short").is_err());
    let log = support::samples().join("s01-cached/in/kubelet.log.zst");
    let filtered = options().threads(1).memory(0).node("n1").filter("pod", &["web-07".into()]).expect("a filter");
    let report = Analyzer::new(filtered).add(Source::from_path(log)).run().expect("a report");
    let startups: Vec<_> = report.startups().collect::<Result<_, _>>().expect("startups");
    assert!(!startups.is_empty(), "some pod is named web-07");
    assert!(startups.iter().all(|startup| &*startup.pod == "web-07" && startup.node.as_deref() == Some("n1")));
}

#[test]
fn a_stopped_run_is_partial() {
    let log = support::samples().join("s01-cached/in/kubelet.log.zst");
    let analyzer = Analyzer::new(options()).add(Source::from_path(log));
    analyzer.stop_switch().store(true, Ordering::Relaxed);
    assert!(analyzer.run().is_ok_and(|report| report.is_partial()));
}

mod slow {
    use super::*;

    /// The example prints what the report of the same logs says.
    #[test]
    fn the_example_reads_from_memory() {
        let folder = std::path::Path::new(env!("CARGO_BIN_EXE_podlag")).parent().expect("a folder");
        let example = folder.join(format!("examples/from_memory{}", std::env::consts::EXE_SUFFIX));
        let output = Command::new(&example)
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}: cargo test builds it", example.display()));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let logs = support::samples().join("s02-pull-serial/in");
        let expected = json(
            &Analyzer::new(options())
                .add(Source::from_path(logs.join("kubelet.log.zst")))
                .add(Source::from_path(logs.join("containerd.log.zst")))
                .run()
                .expect("a report"),
        );
        let mut lines = vec!["20 startups".to_owned()];
        for cause in expected["summary"]["causes"].as_array().expect("causes").iter().take(3) {
            let (id, lost, pods) = (cause["cause"].as_str().expect("an id"), &cause["lost_s"], &cause["pods"]);
            lines.push(format!("{id}: {:.1} s in {pods} pods", lost.as_f64().expect("seconds")));
        }
        assert_eq!(lines.len(), 4);
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>(), lines);
    }
}
