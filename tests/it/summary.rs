//! The first screen: incidents first, causes that name the thing, and no more than a screen unless all of it is asked for.

use std::path::{Path, PathBuf};

use crate::support::{podlag, report, samples};

fn root(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

fn text(args: &[&str], columns: Option<&str>, input: &Path) -> String {
    let mut command = podlag();
    command.args(args).arg(input).env_remove("COLUMNS");
    if let Some(columns) = columns {
        command.env("COLUMNS", columns);
    }
    let output = command.output().expect("podlag runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn shown(sample: &str) -> String {
    text(&[], None, &samples().join(sample).join("in"))
}

#[test]
fn pods_that_never_ran_come_first_with_what_keeps_them() {
    let shown = shown("s09-crashloop");
    let at = |part: &str| shown.find(part).unwrap_or_else(|| panic!("no {part:?} in {shown}"));
    let missing = r#"billing/nosuchcmd-0  container-start-error: app: exec: "/bin/no-such-command": stat /bin/no-such-command: no such file or directory"#;
    assert!(at("never ran: 5 of 8 pods") < at(missing));
    assert!(at(missing) < at("containers restarted: 2 of 8 pods"));
    assert!(at("containers restarted") < at("created → running"), "{shown}");
    assert!(shown.contains("shop/crashslow-0  crash-loop: app"), "{shown}");
}

#[test]
fn a_cause_says_how_many_pods_wait_for_what_by_which_error() {
    let shown = shown("s07-pull-backoff");
    for image in ["s07-pull-backoff-0", "s07-pull-backoff-1", "s07-pull-backoff-2"] {
        let line = shown.lines().find(|line| line.trim_start().starts_with("3 pods: not found (")).expect("a line");
        assert!(line.contains(&format!("registry.example.test/late/{image}:v1")), "{line}");
    }
    assert!(shown.contains("3 pods: 503 Unavailable (registry.example.test/team/"), "{shown}");
    let volumes = self::shown("s04-volumes");
    assert!(volumes.contains(r#"configmap "late-cm" not found"#), "{volumes}");
    assert!(self::shown("s08-cni").contains(r#"plugin type="rigwrap" failed (add): try again later"#));
    let init = self::shown("s05-init-sidecars");
    assert!(init.contains("init-a"), "{init}");
}

#[test]
fn the_answer_is_on_the_first_screen() {
    for sample in ["s02-pull-serial", "s07-pull-backoff", "s08-cni", "s12-burst"] {
        let shown = text(&[], Some("120"), &samples().join(sample).join("in"));
        let screen: Vec<&str> = shown.lines().take(40).collect();
        let screen = screen.join("\n");
        for part in [
            "pod starts on",
            "created → running",
            "SLO",
            "where the time went",
            "causes, by likely time lost",
            "change ",
        ] {
            assert!(screen.contains(part), "{sample}: no {part:?} in\n{screen}");
        }
        let all = text(&["--details"], Some("120"), &samples().join(sample).join("in"));
        assert!(all.lines().count() > shown.lines().count(), "{sample}");
        assert!(shown.contains("--details") && !all.contains("--details shows"), "{sample}");
    }
}

#[test]
fn into_a_pipe_nothing_is_clipped() {
    for sample in ["s02-pull-serial", "s07-pull-backoff", "s08-cni"] {
        let input = samples().join(sample).join("in");
        let clips = |text: &str| text.lines().filter(|line| line.ends_with('…')).count();
        let (piped, narrow) = (text(&[], None, &input), text(&[], Some("60"), &input));
        // A line of a log is kept shortened; a terminal's end cuts more.
        assert!(clips(&piped) < clips(&narrow), "{sample}: {piped}");
        let names = piped.lines().filter(|line| line.contains("registry.example.test/"));
        for line in names.filter(|line| !line.trim_start().starts_with("evidence")) {
            assert!(!line.ends_with('…'), "{line}");
        }
    }
}

#[test]
fn what_no_evidence_explains_is_never_the_first_cause() {
    let inputs = ["image-pull-late-alone", "unexplained"].map(|case| root("tests/causes").join(case));
    let report = report(&inputs);
    let causes = report["summary"]["causes"].as_array().expect("causes");
    let (first, last) = (&causes[0], causes.last().expect("a cause"));
    assert_eq!(last["cause"], "unexplained");
    assert!(last["lost_s"].as_f64() > first["lost_s"].as_f64(), "it costs most: {causes:?}");
}

#[test]
fn one_startup_is_told_step_by_step() {
    let input = samples().join("s02-pull-serial/in");
    let shown = text(&["--pod", "app-03"], None, &input);
    assert!(shown.contains("default/app-03 on rig-node-1 · running"), "{shown}");
    assert!(shown.contains("image wait") && shown.contains("change:"), "{shown}");
    assert!(shown.contains("19 startups filtered out"), "{shown}");
}
