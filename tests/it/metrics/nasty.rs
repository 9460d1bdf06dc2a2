//! Pages that lead astray: each of these once gave a wrong figure.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::podlag;
use crate::web::server::{Server, answer};

/// A kubelet's page, as little of one as tells of starts.
#[derive(Clone, Copy)]
struct Kubelet<'a> {
    node: &'a str,
    started: f64,
    at: f64,
    /// Values of the SLI up to 1 s, 5 s and beyond, and their sum.
    sli: (u64, u64, u64, f64),
    /// The same of the total; none before 1.29.
    total: Option<(u64, u64, u64, f64)>,
    sandboxes: (u64, f64),
    pulls: (u64, f64),
}

const ONE: Kubelet<'static> = Kubelet {
    node: "one",
    started: 1_795_460_000.0,
    at: 1_795_461_000.0,
    sli: (5, 5, 0, 20.0),
    total: Some((0, 10, 0, 30.0)),
    sandboxes: (10, 5.0),
    pulls: (0, 0.0),
};

impl Kubelet<'_> {
    fn page(&self) -> String {
        let mut out = format!("kubelet_node_name{{node=\"{}\"}} 1\n", self.node);
        let histogram = |out: &mut String, name: &str, (one, five, more, sum): (u64, u64, u64, f64)| {
            writeln!(out, "# TYPE {name} histogram").unwrap();
            let (five, all) = (one + five, one + five + more);
            for (le, count) in [("1", one), ("5.0", five), ("+Inf", all)] {
                writeln!(out, "{name}_bucket{{le=\"{le}\"}} {count}").unwrap();
            }
            writeln!(out, "{name}_sum {sum}\n{name}_count {all}").unwrap();
        };
        histogram(&mut out, "kubelet_pod_start_sli_duration_seconds", self.sli);
        if let Some(total) = self.total {
            histogram(&mut out, "kubelet_pod_start_total_duration_seconds", total);
        }
        for (call, (count, sum)) in [("run_podsandbox", self.sandboxes), ("pull_image", self.pulls)] {
            let name = "kubelet_runtime_operations_duration_seconds";
            writeln!(out, "{name}_sum{{operation_type=\"{call}\"}} {sum}").unwrap();
            writeln!(out, "{name}_count{{operation_type=\"{call}\"}} {count}").unwrap();
        }
        if self.started > 0.0 {
            writeln!(out, "process_start_time_seconds {}", self.started).unwrap();
        }
        if self.at > 0.0 {
            writeln!(out, "kubelet_pleg_last_seen_seconds {}", self.at).unwrap();
        }
        out
    }
}

fn read(pages: &[String], more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..pages.len()).map(|number| folder.path().join(format!("{number}.prom"))).collect();
    for (file, page) in files.iter().zip(pages) {
        std::fs::write(file, page).unwrap();
    }
    let output = podlag().args(&files).args(["--format", "json"]).args(more).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn fleet(report: &Value) -> &Value {
    &report["metrics"]["fleet"]
}

fn starts(report: &Value) -> f64 {
    fleet(report)["startups"].as_f64().unwrap()
}

#[test]
fn kubelets_of_different_ages_are_counted_each() {
    let old = Kubelet { total: None, sli: (100, 0, 0, 50.0), ..ONE };
    let new = Kubelet { node: "two", sli: (50, 0, 0, 25.0), total: Some((0, 100, 0, 300.0)), ..ONE };
    let report = read(&[old.page(), new.page()], &[]);
    assert_eq!((starts(&report), fleet(&report)["stateful"].as_f64()), (200.0, Some(50.0)));
    assert!(fleet(&report)["window"]["remarks"].to_string().contains("created → observed covers 1 of 2 nodes"));
}

#[test]
fn the_mean_of_the_fleet_is_that_of_its_starts() {
    let slow = Kubelet { total: Some((0, 0, 10, 100.0)), ..ONE };
    let busy = Kubelet { node: "two", total: Some((0, 10, 0, 20.0)), sandboxes: (90, 9.0), ..ONE };
    let report = read(&[slow.page(), busy.page()], &[]);
    assert!((fleet(&report)["mean_s"].as_f64().unwrap() - 6.0).abs() < 1e-9, "{}", fleet(&report)["mean_s"]);
}

#[test]
fn a_clock_that_is_set_is_no_restart() {
    for shift in [-20.0, -1.5, 1.5, 20.0] {
        let later = Kubelet {
            started: ONE.started + shift,
            at: ONE.at + 60.0,
            sli: (15, 5, 0, 30.0),
            total: Some((0, 20, 0, 60.0)),
            ..ONE
        };
        let report = read(&[later.page(), ONE.page()], &[]);
        assert_eq!((starts(&report), &fleet(&report)["window"]["restarts"]), (10.0, &Value::from(0)), "{shift}");
    }
}

#[test]
fn counts_that_fall_are_a_restart_though_nothing_tells_times() {
    let before = Kubelet { started: 0.0, at: 0.0, ..ONE };
    let after = Kubelet { sli: (1, 1, 0, 4.0), total: Some((0, 2, 0, 6.0)), sandboxes: (2, 1.0), ..before };
    let report = read(&[before.page(), after.page()], &[]);
    assert_eq!((starts(&report), &fleet(&report)["window"]["restarts"]), (2.0, &Value::from(1)));
}

#[test]
fn processes_of_one_node_are_split_each() {
    // What lies outside of the kubelet: 1 s of 2 s, and 70 s of 80 s. A third one has pods of before, and cannot tell.
    let quick = Kubelet { total: Some((0, 10, 0, 20.0)), ..ONE };
    let slow = Kubelet { started: ONE.at + 100.0, at: ONE.at + 500.0, total: Some((0, 0, 10, 800.0)), ..ONE };
    let kubelet = |page: String, running: f64, synced: u64| {
        let name = "kubelet_pod_start_duration_seconds";
        let sync = "kubelet_pod_worker_duration_seconds";
        format!(
            "{page}{name}_sum {running}\n{name}_count 10\n\
             {sync}_sum{{operation_type=\"create\"}} 5\n{sync}_count{{operation_type=\"create\"}} {synced}\n"
        )
    };
    let outside = |report: &Value| {
        let parts = report["metrics"]["nodes"][0]["components"].as_array().unwrap();
        let part = parts.iter().find(|part| part["component"] == "scheduling and reporting").unwrap();
        (part["mean_s"].as_f64().unwrap(), part["high_s"].as_f64().unwrap())
    };
    let empty =
        Kubelet { at: ONE.at - 500.0, sli: (0, 0, 0, 0.0), total: Some((0, 0, 0, 0.0)), sandboxes: (0, 0.0), ..ONE };
    let two = [kubelet(empty.page(), 0.0, 0), kubelet(quick.page(), 10.0, 10), kubelet(slow.page(), 100.0, 10)];
    let report = read(&two, &[]);
    assert_eq!(starts(&report), 20.0);
    let (mean, high) = outside(&report);
    assert!((mean - 35.5).abs() < 1e-9 && (high - 35.5).abs() < 1e-9, "half of each: {mean}, {high}");

    let third = Kubelet { started: ONE.at + 600.0, at: ONE.at + 900.0, ..quick };
    let report = read(&[two.as_slice(), &[kubelet(third.page(), 10.0, 100)]].concat(), &[]);
    let (mean, high) = outside(&report);
    assert!((mean - 71.0 / 3.0).abs() < 1e-9, "what the third cannot tell is in its rest: {mean}");
    assert!(high > mean + 0.3, "and may be outside: {high}");
    let all = report["metrics"]["nodes"][0]["components"].as_array().unwrap();
    let sum: f64 = all.iter().map(|part| part["mean_s"].as_f64().unwrap()).sum();
    assert!((sum - 28.0).abs() < 1e-9, "the parts sum to the mean of all: {sum}");
}

#[test]
fn broken_values_widen_the_quantiles() {
    // Three of ten in the first bucket are about -9.2e9 s.
    let broken = Kubelet { sli: (5, 3, 2, 20.0 - 3.0 * 9_223_372_036.854_776), ..ONE };
    let report = read(&[broken.page()], &[]);
    let slo = &fleet(&report)["slo_s"];
    assert_eq!((fleet(&report)["overflowed"].as_f64(), slo["within_5s"][0].as_f64()), (Some(3.0), Some(0.5)));
    assert_eq!((slo["p50_s"]["high"].as_f64(), &slo["p95_s"]["high"]), (Some(5.0), &Value::Null));
}

#[test]
fn operations_of_other_pods_are_no_certain_part_of_a_start() {
    let crashing =
        Kubelet { sli: (1, 0, 0, 0.5), total: Some((0, 1, 0, 3.0)), sandboxes: (1, 0.3), pulls: (20, 40.0), ..ONE };
    let report = read(&[crashing.page()], &[]);
    for part in fleet(&report)["components"].as_array().unwrap() {
        assert!(part["mean_s"].as_f64().unwrap() <= 3.0, "no part is longer than the start: {part}");
        assert!(part["component"] != "image pull" || part["low_s"].as_f64() == Some(0.0), "{part}");
    }
    for cause in fleet(&report)["causes"].as_array().unwrap() {
        assert!(cause["high_s"].as_f64().unwrap() <= 3.0, "{cause}");
    }
}

#[test]
fn the_same_time_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let (page, report) = (folder.path().join("page"), folder.path().join("report.json"));
    std::fs::write(&page, ONE.page()).unwrap();
    assert!(podlag().arg(&page).arg("-o").arg(&report).output().unwrap().status.success());
    let both = podlag().args([&report, &page]).args(["--format", "json"]).output().unwrap();
    let both: Value = serde_json::from_slice(&both.stdout).unwrap();
    assert_eq!(starts(&both), 10.0);
}

#[test]
fn filters_that_metrics_do_not_know_are_told() {
    let report = read(&[ONE.page()], &["--namespace", "shop"]);
    assert!(report["coverage"]["source_errors"].to_string().contains("metrics cover all starts"), "{report:#}");
    let report = read(&[ONE.page()], &["--node", "two"]);
    assert_eq!(report["metrics"], Value::Null);
}

#[test]
fn what_is_no_count_is_left_out_and_told() {
    let page = ONE.page()
        + "kubelet_pod_worker_start_duration_seconds_sum +Inf\nkubelet_started_containers_total -3\nkubelet_image_garbage_collected_total 1e300\n";
    let report = read(&[page], &[]);
    assert!(fleet(&report)["window"]["remarks"].to_string().contains("3 invalid samples ignored"), "{report:#}");
    assert_eq!(starts(&report), 10.0);
}

#[test]
fn pages_in_one_stream_end_where_they_say_so() {
    let two = Kubelet { node: "two", total: Some((0, 0, 10, 90.0)), ..ONE };
    let throttled = "container_cpu_cfs_periods_total{container=\"a\",id=\"/x\"} 100\ncontainer_cpu_cfs_throttled_periods_total{container=\"a\",id=\"/x\"} 90\n";
    for stream in [
        ONE.page() + "# EOF\n" + &two.page() + "# EOF\n",
        ONE.page() + &two.page(),
        // The second page begins with a family the first one lacks.
        ONE.page() + "# EOF\n" + throttled + &two.page(),
    ] {
        let report = read(&[stream], &[]);
        let of = |name: &str| {
            let nodes = report["metrics"]["nodes"].as_array().unwrap();
            nodes.iter().find(|node| node["window"]["node"] == name).unwrap_or_else(|| panic!("{name}")).clone()
        };
        assert_eq!((of("one")["mean_s"].as_f64(), of("two")["mean_s"].as_f64()), (Some(3.0), Some(9.0)));
        assert!(!of("one")["causes"].to_string().contains("cpu-throttled"));
    }
}

#[test]
fn a_nodes_pressure_is_its_own_however_often_its_exporter_restarts() {
    let node = |at: u64, started: u64, waited: f64| {
        format!(
            "# TYPE node_pressure_cpu_waiting_seconds_total counter\nnode_pressure_cpu_waiting_seconds_total {waited} {at}000\nprocess_start_time_seconds {started} {at}000\n"
        )
    };
    let quiet = [node(1_795_461_000, 1_795_000_000, 5000.0), node(1_795_461_600, 1_795_461_300, 5001.0)];
    let busy = [node(1_795_461_000, 1_795_000_000, 5000.0), node(1_795_461_600, 1_795_461_300, 5300.0)];
    let folder = |pages: &[String]| {
        let mut all = vec![ONE.page()];
        all.extend(pages.iter().cloned());
        read(&all, &[])
    };
    assert!(!fleet(&folder(&quiet))["causes"].to_string().contains("node-overloaded"), "one second in ten minutes");
    assert!(fleet(&folder(&busy))["causes"].to_string().contains("CPU 50 % of the time"), "{:#}", folder(&busy));
    assert!(!fleet(&folder(&quiet[..1]))["causes"].to_string().contains("node-overloaded"), "one page tells no share");
}

#[test]
fn pages_without_a_kubelet_beside_them_are_told() {
    let throttled = "# TYPE container_cpu_cfs_periods_total counter\ncontainer_cpu_cfs_periods_total{container=\"a\",id=\"/x\"} 100\n";
    let folder = tempfile::tempdir().unwrap();
    for (name, page) in [("a/kubelet", ONE.page()), ("b/cadvisor", throttled.to_owned())] {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap_or(Path::new("."))).unwrap();
        std::fs::write(file, page).unwrap();
    }
    let output = podlag().arg(folder.path()).args(["--format", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["metrics"]["nodes"].as_array().unwrap().len(), 1);
    assert!(
        fleet(&report)["window"]["remarks"].to_string().contains("no kubelet metrics belong to them"),
        "{report:#}"
    );
}

#[test]
fn a_server_that_repeats_the_token_is_not_repeated() {
    let body = r#"{"status":"success","warnings":["saw Bearer tok-0123456789"],"data":{"resultType":"scalar","result":[1,"1"]}}"#;
    let empty = r#"{"status":"success","data":null,"warnings":["saw Bearer tok-0123456789"]}"#;
    let server =
        Server::plain(move |request, _| answer("200 OK", "", if request.contains("/series") { empty } else { body }));
    let output =
        podlag().env("PODLAG_TOKEN", "tok-0123456789").arg(server.url("/")).args(["--proxy", ""]).output().unwrap();
    let all = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{all}");
    assert!(all.contains("no kubelet metrics") && !all.contains("tok-0123456789"), "{all}");
}
