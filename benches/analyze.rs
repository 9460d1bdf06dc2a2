//! How fast a large log is analysed, in bytes a second, beside `rg -c` over the same literals, same file, same threads.
//!
//! `cargo bench --bench analyze [-- MEGABYTES]`: the log (256 MB by default) is made from the captures, their clocks moved
//! on with each round, so that pods are new each time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    clippy::disallowed_methods,
    reason = "a bench"
)]

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use podlag::analyze::{Options, analyze};
use podlag::source;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;

fn main() {
    let megabytes: u64 = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(256);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("node.log");
    let size = make(&log, megabytes * 1_000_000);
    let options = Options::new(folder.path()).expect("the built-in grammars load");
    let literals = folder.path().join("literals");
    std::fs::write(&literals, options.grammars.words().join("\n")).expect("the literals");
    let threads = options.threads;
    let rate = |seconds: f64| size as f64 / seconds / 1e6;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let (sources, _) = source::list(std::slice::from_ref(&log));
        let report = analyze(&sources, &options, &Arc::new(AtomicBool::new(false))).expect("a report");
        ours.push(began.elapsed().as_secs_f64());
        assert!(report.table.len() > 1000, "only {} startups in the log", report.table.len());
        let began = Instant::now();
        let output = Command::new("rg")
            .args(["-c", "-F", "-a", "--threads", &threads.to_string(), "-f"])
            .arg(&literals)
            .arg(&log)
            .output();
        let output = output.unwrap_or_else(|error| {
            panic!("rg is needed to compare with: {error}; install ripgrep (cargo install ripgrep)")
        });
        theirs.push(began.elapsed().as_secs_f64());
        assert!(output.status.success(), "rg counts nothing");
    }
    println!("log of {:.0} MB, {threads} threads, {ROUNDS} rounds: minimum, median, maximum", size as f64 / 1e6);
    for (name, times) in [("podlag analyze", &mut ours), ("rg -c", &mut theirs)] {
        times.sort_by(f64::total_cmp);
        let (first, middle, last) = (times[0], times[ROUNDS / 2], times[ROUNDS - 1]);
        println!("{name:<15} {first:>7.3} {middle:>7.3} {last:>7.3} s   {:>6.0} MB/s", rate(middle));
    }
    println!("podlag takes {:.1} times what rg takes", ours[ROUNDS / 2] / theirs[ROUNDS / 2]);
}

/// Repeats the captures' kubelet logs, one day later each round, with uids of their own.
fn make(path: &Path, size: u64) -> u64 {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut names: Vec<_> = std::fs::read_dir(samples)
        .expect("the samples")
        .filter_map(|entry| Some(entry.ok()?.path().join("in/kubelet.log.zst")))
        .collect();
    names.retain(|path| path.exists() && !path.to_string_lossy().contains("json"));
    names.sort();
    let texts: Vec<String> = names
        .iter()
        .map(|path| {
            String::from_utf8_lossy(
                &zstd::decode_all(std::fs::File::open(path).expect("a sample")).expect("it unpacks"),
            )
            .into_owned()
        })
        .collect();
    let mut out = BufWriter::new(std::fs::File::create(path).expect("the log"));
    let mut written = 0;
    for round in 0.. {
        for text in &texts {
            let day = 1 + (round % 28);
            let month = 1 + (round / 28) % 12;
            let moved = text
                .replace("1123 ", &format!("{month:02}{day:02} "))
                .replace("2026-11-23 ", &format!("2026-{month:02}-{day:02} "));
            // Another first group makes every uid of the round a new one.
            let moved = moved
                .replace("podUID=\"", &format!("podUID=\"{round:02x}"))
                .replace("\"ID\":\"", &format!("\"ID\":\"{round:02x}"));
            let moved = moved.replace("(UID: \\\"", &format!("(UID: \\\"{round:02x}"));
            out.write_all(moved.as_bytes()).expect("it is written");
            written += moved.len() as u64;
            if written >= size {
                out.flush().expect("it is written");
                return written;
            }
        }
    }
    written
}
