//! The first screen: incidents first, causes that name the thing, and no more than a screen unless all of it is asked for.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{podlag, report, rows, samples};

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
fn pods_that_did_not_come_up_come_first_with_what_keeps_them() {
    let shown = shown("s09-crashloop");
    let at = |part: &str| shown.find(part).unwrap_or_else(|| panic!("no {part:?} in {shown}"));
    let missing = r#"billing/nosuchcmd-0  container-start-error: app: exec: "/bin/no-such-command": stat /bin/no-such-command: no such file or directory"#;
    assert!(at("did not come up: 5 of 8 pods") < at(missing));
    assert!(at(missing) < at("containers restarted: 2 of the other 3 pods"));
    assert!(at("containers restarted") < at("created → running"), "{shown}");
    assert!(shown.contains("shop/crashslow-0  crash-loop: app"), "{shown}");
}

#[test]
fn the_slo_counts_pods_that_did_not_come_up_as_check_does() {
    let input = samples().join("s09-crashloop/in");
    let expected = [
        (vec![], "unbounded: missed, 13 % of 8 within 5 s (5 did not come up)"),
        (
            vec!["--format", "markdown"],
            "**SLO missed**: p99 without pulls and init containers unbounded (limit: 5 s), 13 % of 8 (5 did not come up)",
        ),
    ];
    for (args, words) in expected {
        let shown = text(&args, None, &input);
        assert!(shown.contains(words), "{shown}");
    }
    let report = report(&["samples/s09-crashloop/in"]);
    let summary = &report["summary"];
    let figures = ["slo_did_not_come_up", "slo_p99", "slo_within"].map(|name| summary[name].clone());
    assert_eq!(figures, [5.into(), Value::Null, 0.125.into()], "{summary}");
    // The kubelet recorded the first run of pods that crash: no start of theirs.
    let crashed = report["startups"].as_array().expect("startups").iter().filter(|row| row["state"] == "gone");
    assert!(crashed.clone().any(|row| !row["slo_recorded_s"].is_null()));
    for row in crashed {
        assert!(row["slo_s"].is_null(), "{}", row["pod"]);
    }
    // Eight starts are too few for a share to be sure, and counts are exact.
    for (limit, code) in
        [("share(slo_s > 5s) > 5%", 1), ("count(slo_s > 5s) > 4", 1), ("count(running_s > 60s) > 4", 1)]
    {
        let output = podlag().args(["check", "--fail-if", limit]).arg(&input).output().expect("podlag runs");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.contains("5 of 8 did not come up"), "{limit}: {shown}");
        assert_eq!(output.status.code(), Some(code), "{limit}: {shown}");
    }
    let output =
        podlag().args(["check", "--fail-if", "count(slo_s > 5s) > 7"]).arg(&input).output().expect("podlag runs");
    assert_eq!(output.status.code(), Some(0), "these five, and two whose first runs crashed");
}

#[test]
fn every_input_says_the_same_of_pods_that_did_not_come_up() {
    let sample = samples().join("s09-crashloop");
    let run = |args: &[&str], files: &[&str]| {
        let output =
            podlag().args(args).args(files.iter().map(|file| sample.join(file))).output().expect("podlag runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let objects = ["pods.json.zst", "events.json.zst"];
    for files in [&["in"][..], &["in/kubelet.log.zst"], &objects, &["in", "pods.json.zst", "events.json.zst"]] {
        let shown = run(&[], files);
        assert!(shown.contains("did not come up: 5 of 8 pods"), "{files:?}: {shown}");
        assert!(shown.contains("containers restarted: 2 of the other 3 pods"), "{files:?}: {shown}");
        assert!(!shown.contains("still starting"), "{files:?}: {shown}");
        let marked = run(&["--format", "markdown"], files);
        assert!(marked.contains("**Containers restarted: 2 of the other 3 pods**"), "{files:?}: {marked}");
    }
    // They were on their way, and no step of them failed.
    let young =
        text(&[], None, &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects/three-nodes/objects.yaml.zst"));
    assert!(young.contains("did not come up: 13 of 144 pods"), "{young}");
    assert!(young.contains("1 still starting"), "{young}");
}

#[test]
fn the_slo_is_missed_by_pods_that_still_fail_to_start() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let inputs = ["samples/s01-cached/in", "tests/causes/image-pull-error-changed"].map(|path| root.join(path));
    let output = podlag().args(&inputs).args(["--details"]).output().expect("podlag runs");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(shown.contains("unbounded: missed, 9 % of 22 within 5 s (2 did not come up)"), "{shown}");
    assert!(!shown.contains("stateful or unknown"), "{shown}");
    let output =
        podlag().args(["check", "--fail-if", "count(slo_s > 1h) > 1"]).args(&inputs).output().expect("podlag runs");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_container_that_waits_for_its_next_start_has_restarted_also_by_the_kubelets_log_alone() {
    let logs = ["s05-init-sidecars", "s05-init-sidecars-v4", "v1.34-s05-init-sidecars"]
        .map(|sample| samples().join(sample).join("in/kubelet.log.zst"));
    let shown = text(&[], None, &logs[0]);
    assert!(shown.contains("containers restarted: 1 of 17 pods\n  shop/initfail-0  crash-loop: init-a"), "{shown}");
    // Three pods of one name, in three recordings.
    let output = podlag().args(&logs).output().expect("podlag runs");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(shown.contains("containers restarted: 3 of 51 pods"), "{shown}");
    assert_eq!(shown.matches("  shop/initfail-0  (3 pods of this name) crash-loop: init-a").count(), 1, "{shown}");
}

#[test]
fn one_pod_is_named_in_the_singular() {
    let shown = text(&["--pod", "nosuchcmd-0", "--format", "markdown"], None, &samples().join("s09-crashloop/in"));
    assert!(shown.contains("1 deleted before it came up"), "{shown}");
}

#[test]
fn what_a_kubelet_noticed_late_because_it_was_down_is_its_restart() {
    let report = report(&["samples/s10-static-restart/in"]);
    let rows = report["startups"].as_array().expect("startups").iter();
    let restarted: Vec<_> = rows.filter(|row| row["pod"].as_str().is_some_and(|pod| pod.starts_with("mid-"))).collect();
    assert_eq!(restarted.len(), 3);
    for row in restarted {
        let causes: Vec<&str> = row["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .filter_map(|finding| finding["cause"].as_str())
            .collect();
        assert!(
            causes.contains(&"kubelet-restart") && !causes.contains(&"pleg-relist-delay"),
            "{}: {causes:?}",
            row["pod"]
        );
    }
}

#[test]
fn filters_that_leave_nothing_say_so_before_the_metrics() {
    let sample = samples().join("s02-pull-serial");
    let metrics = ["metrics-before.txt.zst", "metrics-after.txt.zst"].map(|name| sample.join(name));
    let output =
        podlag().args(["--namespace", "nope"]).arg(sample.join("in")).args(metrics).output().expect("podlag runs");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.starts_with("no pod startups found: only namespace nope: 20 startups filtered out;"), "{shown}");
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

fn row<'a>(rows: &'a [Value], pod: &str) -> &'a Value {
    rows.iter().find(|row| row["pod"] == pod).unwrap_or_else(|| panic!("no row of {pod}"))
}

fn near(value: &Value, seconds: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - seconds).abs() < 0.1)
}

#[test]
fn a_crash_loop_has_no_init_containers_and_its_slo_value_is_that_of_the_run_that_stays() {
    let folder = samples().join("s09-crashloop/in");
    let alone = rows(&[&folder.join("kubelet.log.zst")]);
    assert!(alone.iter().all(|row| row["init_s"].as_f64().unwrap_or(0.0) == 0.0), "{alone:?}");
    let both = rows(&[&folder]);
    let slow = row(&both, "crashslow-0");
    assert!(slow["restarts"].as_i64() > Some(0) && slow["running_s"] == slow["slo_s"], "{slow}");
    assert!(slow["slo_recorded_s"].as_f64() < slow["slo_s"].as_f64(), "the kubelet counts the first run: {slow}");
}

#[test]
fn causes_of_containers_name_all_of_them_and_take_no_others_time() {
    let rows = rows(&[&samples().join("v1.33-s05-init-sidecars/in")]);
    let finding = |pod: &str, cause: &str| {
        let findings = row(&rows, pod)["findings"].as_array().expect("findings");
        findings.iter().find(|finding| finding["cause"] == cause).cloned().unwrap_or_default()
    };
    assert_eq!(finding("init2-0", "init-containers")["waited_for"], "init-a, init-b");
    let spans = row(&rows, "init-sidecar-slow-0")["spans"].as_array().expect("spans");
    let wait = spans.iter().find(|span| span["phase"] == "start" && span["waited_for"] == "proxy").expect("a wait");
    let all = row(&rows, "init-sidecar-slow-0")["start_s"].as_f64().expect("seconds");
    let seconds = finding("init-sidecar-slow-0", "sidecar-startup-probe")["lost_s"].as_f64().expect("seconds");
    assert!(near(&wait["max_s"], seconds) && seconds < all - 0.5, "{wait} {seconds} {all}");
}

#[test]
fn by_the_runtime_alone_a_container_that_is_stopped_was_up() {
    let rows = rows(&[&samples().join("s04-volumes/in/containerd.log.zst")]);
    assert_eq!(row(&rows, "late-cm-0")["state"], "running");
    assert!(rows.iter().all(|row| row["state"] == "running"), "all of them ran until they were deleted");
}

/// Files of samples, unpacked into folders of one folder.
fn folder_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (sample, name) in files {
        let to = folder.path().join(sample);
        std::fs::create_dir_all(&to).unwrap();
        let text = crate::support::text(&samples().join(sample).join(format!("in/{name}.zst")));
        std::fs::write(to.join(name), text).unwrap();
    }
    folder
}

#[test]
fn serial_and_parallel_pulls_under_one_node_name_get_no_advice_that_contradicts_itself() {
    let (serial, parallel) = ("v1.33-s02-pull-serial", "v1.33-s03-pull-parallel3");
    let files = ["kubelet.log", "containerd.log"];
    let both: Vec<(&str, &str)> =
        [serial, parallel].iter().flat_map(|sample| files.iter().map(move |file| (*sample, *file))).collect();
    let read = |files: &[(&str, &str)]| {
        let folder = folder_of(files);
        let shown = podlag().arg(folder.path()).output().unwrap();
        String::from_utf8(shown.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let shown = read(&both);
    assert!(shown.contains("change maxParallelImagePulls: 3"), "{shown}");
    assert!(!shown.contains("already") && shown.contains("simulations with maxParallelImagePulls=3"), "{shown}");
    let shown = read(&both[2..]);
    assert!(shown.contains("pulls are parallel already") && !shown.contains("maxParallelImagePulls=3"), "{shown}");
}

#[test]
fn files_of_which_no_line_is_used_are_told_in_one_line() {
    let folder = folder_of(&[("s01-cached", "kubelet.log")]);
    let show = |args: &[&str]| {
        let output = podlag().arg(folder.path()).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!show(&[]).contains("no line used"), "nothing is to be said of a log that is used");
    for number in 1..=50 {
        std::fs::write(folder.path().join(format!("shop-{number:02}.log")), "milk\nbread\n").unwrap();
    }
    let shown = show(&[]);
    assert!(shown.contains("no line used of 50 inputs: shop-01.log, shop-02.log, shop-03.log and 47 more"), "{shown}");
    assert_eq!(shown.matches("shop-").count(), 3, "{shown}");
    assert!(show(&["--details"]).contains("shop-50.log"));
    assert!(show(&["--format", "markdown"]).contains("no line used of 50 inputs"));
    let report: Value = serde_json::from_str(&show(&["--format", "json"])).unwrap();
    assert_eq!(report["coverage"]["unused_sources"].as_array().map(Vec::len), Some(50));
    assert!(!show(&["--anonymize", "--format", "json"]).contains("shop-"), "their names are names");
}

#[test]
fn by_the_kubelets_log_alone_what_init_containers_took_comes_before_what_is_hardly_certain() {
    let log = samples().join("v1.33-s05-init-sidecars/in/kubelet.log.zst");
    let report = report(&[log.as_path()]);
    let causes = report["summary"]["causes"].as_array().unwrap();
    assert_eq!(causes[0]["cause"], "init-containers", "{:#}", causes[0]);
    let (sure, likely) = (causes[0]["lost_min_s"].as_f64().unwrap(), causes[0]["lost_s"].as_f64().unwrap());
    // By the runtime's log they ran for 43 s.
    assert!(sure > 15.0 && likely < 43.0, "{sure} to {likely}");
}

#[test]
fn containers_are_never_surely_alive_longer_than_the_runtime_says() {
    for capture in crate::support::captures() {
        let alone = capture.join("in/kubelet.log.zst");
        if !capture.join("in/containerd.log.zst").exists() {
            continue;
        }
        let whole = rows(&[capture.join("in").as_path()]);
        let init = |row: &Value, key: &str| {
            let found = row["findings"].as_array().unwrap().iter().find(|one| one["cause"] == "init-containers");
            found.and_then(|one| one[key].as_f64())
        };
        for row in rows(&[alone.as_path()]) {
            let Some(sure) = init(&row, "lost_min_s") else { continue };
            let same = whole.iter().find(|other| other["pod"] == row["pod"] && other["uid"] == row["uid"]).unwrap();
            let Some(known) = init(same, "lost_s") else { continue };
            assert!(sure <= known + 0.02, "{}: {} {sure} {known}", capture.display(), row["pod"]);
        }
    }
}
