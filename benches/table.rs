//! Millions of startups through the table: how long they take to be stored and summarised, and how much memory at most.
//!
//! `cargo bench --bench table [-- STARTUPS]`: 5 million synthetic startups by default, of a thousand nodes, with spans, findings, a
//! pull and two lines of log each, as logs give them. Fails when more than 1 GiB of memory was needed. The page of them is opened
//! in a browser (node, `npm ci --prefix tests/html`, chromium) and compared with the startups.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    clippy::disallowed_methods,
    reason = "a bench"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use podlag::internals::breakdown::Precision;
use podlag::internals::model::phase::{PHASES, Phase};
use podlag::internals::model::startup::State;
use podlag::internals::model::time::{Nanos, SECOND, Time};
use podlag::internals::render::Target;
use podlag::internals::report::{Coverage, Report};
use podlag::internals::table::filter::Filter;
use podlag::internals::table::{
    self, Budget, CleanupList, Finding, Key, Line, PhaseSeconds, Place, Pull, Row, Span, Store,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde_json::json;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a summary of five million may need.
const MOST: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

fn main() {
    let count: u64 = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(5_000_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut store = Store::new(Budget::under(folder.path()), Filter::default());
    let (began, mut making) = (Instant::now(), 0.0);
    for number in 0..count {
        let made = Instant::now();
        let row = startup(number, &mut random);
        making += made.elapsed().as_secs_f64();
        store.push(row).expect("it is stored");
    }
    let table = store.finish().expect("a table");
    let stored = began.elapsed().as_secs_f64() - making;
    let disk: u64 = files(folder.path());
    let (after_store, began) = (peak(), Instant::now());
    let report = Report::of(table, Vec::new(), false, &[], Coverage::default()).expect("a report");
    let summarised = began.elapsed().as_secs_f64();
    assert_eq!(report.summary.startups as u64, count, "none is lost");
    let (after_summary, began) = (peak(), Instant::now());
    let groups = table::groups(&report.table, &[Key::Namespace], "running_s").expect("groups");
    let grouped = began.elapsed().as_secs_f64();
    println!("{count} startups, {} MiB in the temporary folder", disk / MIB);
    println!(
        "stored      {stored:>7.1} s  {:>9.0} a second   peak memory {:>5} MiB",
        count as f64 / stored,
        after_store / MIB
    );
    println!(
        "summarised  {summarised:>7.1} s  {:>9.0} a second   peak memory {:>5} MiB",
        count as f64 / summarised,
        after_summary / MIB
    );
    println!(
        "blame       {grouped:>7.1} s  {} namespaces        peak memory {:>5} MiB",
        groups.groups.len(),
        peak() / MIB
    );
    println!(
        "p50 {:.3} s, p99 {:.3} s, {} causes",
        report.summary.running.p50,
        report.summary.running.p99,
        report.summary.causes.len()
    );
    let file = folder.path().join("startups.parquet");
    let (before_file, began) = (peak(), Instant::now());
    let target = Target::of(&file).expect("a target");
    target.write(&report, &CleanupList::default()).expect("it is written");
    let (written, size) = (began.elapsed().as_secs_f64(), std::fs::metadata(&file).expect("the file").len());
    println!(
        "written     {written:>7.1} s  {:>9.0} a second   peak memory {:>5} MiB   {} MiB of Parquet",
        count as f64 / written,
        peak() / MIB,
        size / MIB
    );
    page(&report, &file, folder.path());
    assert!(before_file <= MOST && peak() <= MOST, "{} MiB of memory, more than {} MiB", peak() / MIB, MOST / MIB);
    drop(report);
    program(&file);
}

/// The report as a page: its size, how long a browser takes to show something of it, and that its figures and tables are those
/// of the startups in `table`, as the program gives them.
fn page(report: &Report, table: &Path, folder: &Path) {
    let file = folder.join("report.html");
    let began = Instant::now();
    Target::of(&file).expect("a target").write(report, &CleanupList::default()).expect("it is written");
    let (written, size) = (began.elapsed().as_secs_f64(), std::fs::metadata(&file).expect("the file").len());
    let summary = folder.join("summary.json");
    std::fs::write(&summary, json!({ "summary": report.summary }).to_string()).expect("the summary is written");
    let mut rows = Command::new(env!("CARGO_BIN_EXE_podlag"))
        .args(["--format", "ndjson"])
        .arg(table)
        .stdout(Stdio::piped())
        .spawn()
        .expect("podlag starts");
    let painted = Command::new("node")
        .arg("tests/html/paint.mjs")
        .args([&file, &summary])
        .stdin(rows.stdout.take().expect("its rows"))
        .output()
        .expect("node is installed");
    let errors = String::from_utf8_lossy(&painted.stderr);
    assert!(painted.status.success(), "chromium and `npm ci --prefix tests/html` are needed: {errors}");
    assert!(rows.wait().expect("podlag ends").success(), "all rows were compared");
    let painted = String::from_utf8_lossy(&painted.stdout).trim().to_owned();
    println!(
        "page        {written:>7.1} s  {:.2} MB of HTML, first paint after {painted} ms   peak memory {:>5} MiB",
        size as f64 / 1e6,
        peak() / MIB
    );
    assert!(size <= 5_000_000, "{size} bytes");
}

/// The program over the written table: its own time and memory.
fn program(file: &Path) {
    let began = Instant::now();
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_podlag")).arg(file).stdout(Stdio::null()).spawn().expect("podlag starts");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    // The last look before its end is as good as the end: the figure only grows.
    while child.try_wait().expect("its state").is_none() {
        most = std::fs::read_to_string(&status).ok().and_then(|text| high_water(&text)).unwrap_or(most);
        std::thread::sleep(Duration::from_millis(20));
    }
    println!(
        "podlag FILE {:>7.1} s                      peak memory {:>5} MiB",
        began.elapsed().as_secs_f64(),
        most / MIB
    );
    assert!(most > 0 && most <= MOST, "{} MiB of memory", most / MIB);
}

/// The most memory this process had, in bytes (Linux).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    high_water(&status).expect("VmHWM")
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

fn files(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { entry.metadata().expect("a file").len() })
        .sum()
}

/// A startup with a long tail of pulls, one second after another on a thousand nodes.
fn startup(number: u64, random: &mut Xoshiro256PlusPlus) -> Row {
    let node: Box<str> = format!("node-{:04}", random.random_range(0..1000)).into();
    let namespace: Box<str> = format!("team-{:02}", random.random_range(0..50)).into();
    let app = random.random_range(0..500);
    let pod: Box<str> = format!("app-{app}-{:05x}", number & 0xf_ffff).into();
    let created = Time(1_700_000_000 * SECOND + (number / 50) as i64 * SECOND);
    let tail = |random: &mut Xoshiro256PlusPlus, scale: f64| -scale * (1.0 - random.random::<f64>()).ln();
    let pulled = random.random_bool(0.3);
    let lengths = [
        (Phase::Scheduling, tail(random, 0.8)),
        (Phase::Volumes, 0.1 + tail(random, 0.2)),
        (Phase::Sandbox, 0.3 + tail(random, 0.5)),
        (Phase::ImageWait, if pulled { tail(random, 4.0) } else { 0.0 }),
        (Phase::ImagePull, if pulled { tail(random, 3.0) } else { 0.0 }),
        (Phase::Start, 0.1 + tail(random, 0.1)),
        (Phase::StatusUpdate, tail(random, 0.02)),
    ];
    let source: Arc<str> = format!("/var/log/nodes/{node}/kubelet.log").into();
    let place = |line: u64| Place { source: source.clone(), line: (number * 20 + line) as i64 };
    let (mut seconds, mut spans, mut at) = ([0.0; PHASES.len()], Vec::new(), created);
    for (step, (phase, length)) in lengths.iter().enumerate().filter(|(_, (_, length))| *length > 0.0) {
        let to = at + Nanos::from_seconds(*length);
        let length = (to - at).seconds();
        seconds[phase.index()] = length;
        let evidence = Some(place(step as u64 % 2));
        spans.push(Span {
            phase: *phase,
            from: at,
            to,
            precision: Precision::Exact,
            min_s: length,
            max_s: length,
            waited_for: None,
            evidence,
        });
        at = to;
    }
    let total = (at - created).seconds();
    let wait = seconds[Phase::ImageWait.index()];
    let findings = if wait > 1.0 {
        let waited_for = Some("behind registry.example.test/ml/trainer:2.1".into());
        vec![Finding {
            cause: "image-pull-queued".into(),
            lost_s: wait,
            lost_min_s: wait,
            waited_for,
            error: None,
            evidence: Some(place(1)),
        }]
    } else {
        Vec::new()
    };
    let image: Box<str> = format!("registry.example.test/team/app-{app}:v{}", number % 7).into();
    let image_pulls = if pulled {
        let requested = Some(spans[2].to);
        let (started, ended) = (Some(spans[3].to), Some(spans[4].to));
        let outcome = "pulled".into();
        let registry = Some("registry.example.test".into());
        let pull = seconds[Phase::ImagePull.index()];
        let (wait_s, pull_s, took_s) = (Some(wait), Some(pull), Some(wait + pull));
        vec![Pull {
            image: Some(image),
            registry,
            requested,
            started,
            ended,
            wait_s,
            pull_s,
            took_s,
            bytes: Some(80_000_000),
            blocked_by: None,
            outcome,
        }]
    } else {
        Vec::new()
    };
    let line = |number: u64| {
        let at = place(number);
        let text = format!(
            "I1123 19:00:{:02}.{:06}   25917 pod_startup_latency_tracker.go:148] \"Observed pod startup duration\" pod=\"{namespace}/{pod}\" podStartSLOduration={total}",
            number % 60,
            at.line % 1_000_000
        );
        Line { source: at.source, line: at.line, text: text.into() }
    };
    Row {
        lines: vec![line(0), line(1)],
        workload: format!("{namespace}/app-{app}").into(),
        uid: Some(format!("{:08x}-1bad-4bad-8bad-{:012x}", random.random::<u32>(), number).into()),
        kubelet_version: Some("v1.36.3".into()),
        record_format: Some("1.34.8-1.37".into()),
        state: State::Running,
        created: Some(created),
        running: Some(at),
        watched: Some(at),
        total_s: Some(total),
        running_s: Some(total),
        slo_s: Some(total - wait),
        stateful: Some(false),
        phases: PhaseSeconds(seconds.map(Some)),
        cause: findings.first().map(|finding: &Finding| finding.cause.clone()),
        cause_s: findings.first().map(|finding: &Finding| finding.lost_s),
        node: Some(node),
        line: place(0).line,
        source,
        namespace,
        pod,
        findings,
        spans,
        image_pulls,
        ..Row::default()
    }
}
