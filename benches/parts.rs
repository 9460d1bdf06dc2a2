//! The stages of an analysis, each alone on one thread, over 16 MiB of journal with half and with nine tenths of its lines
//! unrelated: `cargo bench --bench parts`. The whole program beside other tools: `benches/compare`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    clippy::disallowed_methods,
    reason = "a bench"
)]

mod floor;
#[allow(dead_code, reason = "what was written is counted for another bench")]
mod journal;
mod stages;

use std::path::Path;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::BytesCount;
use journal::{Captures, Form};
use podlag::internals::input::{ChunkLimits, Chunks};
use podlag::internals::model::record::Record;
use podlag::internals::parse;
use podlag::internals::parse::grammar::Grammars;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

static GRAMMARS: LazyLock<Grammars> = LazyLock::new(|| Grammars::load(&[]).expect("the built-in grammars load"));
static CAPTURES: LazyLock<Captures> =
    LazyLock::new(|| Captures::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"), GRAMMARS.words()));
const SIZE: u64 = 16 << 20;
const SHARES: [u32; 2] = [90, 50];

fn main() {
    divan::main();
}

fn journal(unrelated: u32, form: Form) -> Vec<u8> {
    let mut text = Vec::new();
    CAPTURES.write(SIZE, f64::from(unrelated) / 100.0, form, &mut text).expect("it is written");
    text
}

fn records(unrelated: u32) -> Vec<Record> {
    let text = journal(unrelated, Form::Short);
    parse::chunk(&GRAMMARS, &text, text.len(), 0, 1).records.collect()
}

#[divan::bench(args = SHARES)]
fn chunks(bencher: Bencher<'_, '_>, unrelated: u32) {
    let text = journal(unrelated, Form::Short);
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench(|| Chunks::new(0, "journal", text.as_slice(), ChunkLimits::default()).map(Result::unwrap).count());
}

#[divan::bench(args = SHARES)]
fn search(bencher: Bencher<'_, '_>, unrelated: u32) {
    let text = journal(unrelated, Form::Short);
    bencher.counter(BytesCount::of_slice(&text)).bench(|| GRAMMARS.lines(&text).count());
}

#[divan::bench(args = SHARES)]
fn floor_of_any_reader(bencher: Bencher<'_, '_>, unrelated: u32) {
    let text = journal(unrelated, Form::Short);
    bencher.counter(BytesCount::of_slice(&text)).bench(|| floor::read(&GRAMMARS, &text, |_| ()));
}

#[divan::bench(args = SHARES)]
fn floor_of_a_reader_that_keeps_its_lines(bencher: Bencher<'_, '_>, unrelated: u32) {
    let text = journal(unrelated, Form::Short);
    bencher.counter(BytesCount::of_slice(&text)).bench(|| floor::keep(&GRAMMARS, &text));
}

#[divan::bench(args = SHARES)]
fn search_and_parse(bencher: Bencher<'_, '_>, unrelated: u32) {
    let text = journal(unrelated, Form::Short);
    bencher.counter(BytesCount::of_slice(&text)).bench(|| parse::chunk(&GRAMMARS, &text, text.len(), 0, 1));
}

#[divan::bench(args = SHARES)]
fn search_and_parse_json(bencher: Bencher<'_, '_>, unrelated: u32) {
    let text = journal(unrelated, Form::Json);
    bencher.counter(BytesCount::of_slice(&text)).bench(|| parse::chunk(&GRAMMARS, &text, text.len(), 0, 1));
}

#[divan::bench(args = SHARES)]
fn date_and_track(bencher: Bencher<'_, '_>, unrelated: u32) {
    bencher.counter(BytesCount::new(SIZE)).with_inputs(|| records(unrelated)).bench_values(stages::track);
}

#[divan::bench(args = SHARES)]
fn break_down_and_judge(bencher: Bencher<'_, '_>, unrelated: u32) {
    let input = || stages::track(records(unrelated));
    bencher.counter(BytesCount::new(SIZE)).with_inputs(input).bench_values(stages::judge);
}

#[divan::bench]
fn load_the_grammars() -> Grammars {
    Grammars::load(&[]).expect("the built-in grammars load")
}
