//! `podlag check`: what *not enough evidence* needs, and means to a pipeline; startups that did not come up; filters beside metrics.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::{podlag, samples};

fn check(arguments: &[&str], inputs: &[&Path]) -> Output {
    podlag().arg("check").args(arguments).args(inputs).output().expect("podlag runs")
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn serial() -> PathBuf {
    samples().join("s02-pull-serial/in")
}

#[test]
fn a_quantile_of_few_starts_says_how_many_it_needs_and_what_they_decide() {
    let output = check(&["--fail-if", "p99(slo_s, namespace=*) > 5s"], &[&serial()]);
    assert_eq!(output.status.code(), Some(4));
    let text = printed(&output);
    assert!(
        text.contains(
            "\n  p99 needs 368 starts to pass;\n  with these starts 'p75(slo_s, namespace=*) > 5s' passes,\n"
        ),
        "{text}"
    );
    let json = printed(&check(&["--fail-if", "p99(slo_s) > 5s", "--format", "json"], &[&serial()]));
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let verdict = &json["verdicts"][0];
    assert_eq!(verdict["starts_needed"], 368);
    let alternatives = verdict["alternatives"].as_array().expect("alternatives");
    assert_eq!(alternatives.len(), 2, "{verdict}");
    for alternative in alternatives {
        let limit = alternative["limit"].as_str().expect("a limit");
        let code = match alternative["outcome"].as_str() {
            Some("pass") => 0,
            Some("fail") => 1,
            other => panic!("{limit} is no alternative: {other:?}"),
        };
        assert_eq!(check(&["--fail-if", limit], &[&serial()]).status.code(), Some(code), "{limit}");
    }
    let share = printed(&check(&["--fail-if", "share(slo_s > 5s) > 1%"], &[&serial()]));
    assert!(share.contains("the share needs 368 starts to pass") && share.contains("'count(slo_s > 5s) > 0' passes"));
    let decided = printed(&check(&["--fail-if", "p50(slo_s) > 10s"], &[&serial()]));
    assert!(!decided.contains("needs") && !decided.contains("with these starts"), "{decided}");
}

#[test]
fn the_user_says_what_not_enough_evidence_means() {
    for (action, code, junit) in [
        ("unknown", 4, r#"errors="1""#),
        ("pass", 0, r#"<skipped message="not enough evidence">"#),
        ("fail", 1, r#"failures="1""#),
    ] {
        let limits = ["--fail-if", "p99(slo_s) > 5s", "--on-unknown", action];
        assert_eq!(check(&limits, &[&serial()]).status.code(), Some(code), "{action}");
        let written = check(&[&limits[..], &["--format", "junit"]].concat(), &[&serial()]);
        assert_eq!(written.status.code(), Some(code), "{action}");
        assert!(printed(&written).contains(junit), "{action}: {}", printed(&written));
        let decided = ["--fail-if", "p50(running_s) > 10s", "--on-unknown", action];
        assert_eq!(check(&decided, &[&serial()]).status.code(), Some(1), "{action}: a broken limit is broken");
        let empty = tempfile::NamedTempFile::new().expect("a file");
        assert_eq!(check(&limits, &[empty.path()]).status.code(), Some(3), "{action}: nothing is no evidence");
    }
    let wrong = check(&["--fail-if", "p99(slo_s) > 5s", "--on-unknown", "maybe"], &[&serial()]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn pods_that_did_not_come_up_are_counted_beside_limits_that_hold() {
    let failing = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crio/pull-failing");
    let output = check(&["--fail-if", "count() > 100"], &[&failing]);
    assert_eq!(output.status.code(), Some(0));
    assert!(printed(&output).contains("pass: 13 pod starts; 1 of 13 did not come up"), "{}", printed(&output));
    let output = check(&["--fail-if", "max(running_s) > 10m"], &[&failing]);
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).contains("of 13 starts (1 of 13 did not come up)"), "{}", printed(&output));
}

/// Metrics have the starts of all namespaces: they are no answer about one of them.
#[test]
fn a_filter_that_leaves_nothing_gives_the_same_answer_beside_metrics() {
    let capture = samples().join("s02-pull-serial");
    let (logs, metrics) = (capture.join("in"), capture.join("metrics-after.txt.zst"));
    for limit in ["p99(slo_s) > 5s", "max(running_s) > 5s", "count() > 5"] {
        let filters = ["--fail-if", limit, "--namespace", "nosuch"];
        let [alone, beside, only] =
            [&[&*logs][..], &[&logs, &metrics], &[&metrics]].map(|inputs| check(&filters, inputs));
        assert_eq!(alone.status.code(), Some(3), "{limit}");
        assert_eq!((beside.status.code(), printed(&beside)), (Some(3), printed(&alone)), "{limit}");
        assert_eq!(only.status.code(), Some(3), "{limit}: metrics do not know namespaces");
    }
    let measured = check(&["--fail-if", "p99(slo_s) > 1h"], &[&metrics]);
    assert!(matches!(measured.status.code(), Some(0 | 4)), "metrics alone have an answer about all");
}

#[test]
fn it_says_what_slo_s_is_by_metrics_and_why_objects_do_not_show_it() {
    let metrics = samples().join("s02-pull-serial/metrics-after.txt.zst");
    for (format, wrap) in [("text", "\n  by metrics,"), ("markdown", ": by metrics,"), ("junit", "; by metrics,")] {
        let told = printed(&check(&["--fail-if", "p99(slo_s) > 1h", "--format", format], &[&metrics]));
        assert!(told.contains(wrap) && told.contains("includes the watch delay"), "{told}");
    }
    let pods = samples().join("s02-pull-serial/pods.json.zst");
    let told = printed(&check(&["--fail-if", "p99(slo_s) > 5s"], &[&pods]));
    assert!(told.contains("pods and events do not show it: add the kubelet's log"), "{told}");
    let told = printed(&check(&["--fail-if", "p99(slo_s) > 5s"], &[&serial()]));
    assert!(!told.contains("by metrics") && !told.contains("do not show it"), "{told}");
}

#[test]
fn a_named_file_that_is_no_log_fails_the_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let picture = folder.path().join("kubelet.log");
    std::fs::write(&picture, b"\x89PNG\r\n\x1a\n0000000").expect("written");
    let output = check(&["--fail-if", "p50(slo_s) > 1h"], &[&picture, &serial()]);
    assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("no line used") && told.contains("no verdict: one input was unread"), "{told}");
}
