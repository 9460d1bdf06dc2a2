//! How many allocations a startup line costs, stage by stage and as a whole: `cargo bench --bench allocations`. Two journals of
//! samples are read, one twice as long as the other and half of it unrelated lines; the difference of the two is the steady state,
//! without what starting costs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    clippy::disallowed_methods,
    reason = "a bench"
)]

#[allow(dead_code, reason = "what was written is counted for another bench")]
mod journal;
mod stages;

use std::alloc::System;
use std::hint::black_box;
use std::path::Path;

use journal::{Captures, Form};
use podlag::internals::parse;
use podlag::internals::parse::grammar::Grammars;
use podlag::{Analyzer, Options, Source};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

/// Counts; how many there are does not depend on who serves them.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Of the shorter journal.
const SIZE: u64 = 16 << 20;

/// Allocations, and allocations that grew or shrank.
#[derive(Clone, Copy, Default)]
struct Count {
    new: usize,
    grown: usize,
}

/// What the stages of one journal took.
struct Stages {
    lines: usize,
    counts: Vec<(&'static str, Count)>,
}

fn main() {
    let grammars = Grammars::load(&[]).expect("the built-in grammars load");
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let captures = Captures::read(&samples, grammars.words());
    let of = |size: u64| {
        let mut text = Vec::new();
        captures.write(size, 0.5, Form::Short, &mut text).expect("it is written");
        stages(&grammars, &text)
    };
    let (short, long) = (of(SIZE), of(2 * SIZE));
    let lines = (long.lines - short.lines) as f64;
    println!("{lines} startup lines more; of each:                  allocations   grown or shrunk");
    for ((name, before), (_, after)) in short.counts.iter().zip(&long.counts) {
        let each = |before: usize, after: usize| (after as f64 - before as f64) / lines;
        println!("{name:<55} {:>8.2} {:>17.2}", each(before.new, after.new), each(before.grown, after.grown));
    }
}

fn stages(grammars: &Grammars, text: &[u8]) -> Stages {
    let mut counts = Vec::new();
    let parsed = counted(&mut counts, "search, frame, fields: the parser", || {
        parse::chunk(grammars, black_box(text), text.len(), 0, 1)
    });
    let lines = parsed.records.len();
    let records = counted(&mut counts, "a record of its own", || parsed.records.collect());
    let startups = counted(&mut counts, "date, track", || stages::track(records));
    counted(&mut counts, "phases, causes", || stages::judge(startups));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("kubelet.log");
    std::fs::write(&file, text).expect("the journal is written");
    counted(&mut counts, "all of it, with rows and summary", || {
        let options = Options { threads: 1, ..Options::new(folder.path()).expect("options") };
        black_box(Analyzer::new(options).add(Source::from_path(&file)).run().expect("a report"));
    });
    Stages { lines, counts }
}

fn counted<T>(counts: &mut Vec<(&'static str, Count)>, name: &'static str, run: impl FnOnce() -> T) -> T {
    let region = Region::new(ALLOCATOR);
    let result = run();
    let change = region.change();
    counts.push((name, Count { new: change.allocations, grown: change.reallocations }));
    result
}
