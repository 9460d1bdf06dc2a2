//! Writes a journal to measure with: `cargo bench --bench corpus -- FILE [--size 1G] [--unrelated 90] [--json]`.
//! Prints what it wrote as JSON. How it is made: `journal`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    clippy::disallowed_methods,
    reason = "a bench"
)]

mod journal;

use std::io::{BufWriter, Write};
use std::path::Path;

use journal::{Captures, Form};
use podlag::internals::parse::grammar::Grammars;

fn main() {
    let (mut file, mut size, mut share, mut form) = (None, 1_u64 << 30, 0.9, Form::Short);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect("a value");
        match argument.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--json" => form = Form::Json,
            "--size" => size = bytes(&value()),
            "--unrelated" => share = value().parse::<f64>().expect("a percentage") / 100.0,
            _ => file = Some(argument),
        }
    }
    let file = file.expect("usage: corpus FILE [--size 1G] [--unrelated 90] [--json]");
    let grammars = Grammars::load(&[]).expect("the built-in grammars load");
    let captures = Captures::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"), grammars.words());
    let mut out = BufWriter::with_capacity(1 << 20, std::fs::File::create(&file).expect("the file"));
    let written = captures.write(size, share, form, &mut out).expect("it is written");
    out.flush().expect("it is written");
    println!(
        r#"{{"bytes":{},"lines":{},"related":{},"startups":{}}}"#,
        written.bytes, written.lines, written.related, written.startups
    );
}

fn bytes(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let shift = match unit {
        "G" => 30,
        "M" => 20,
        "K" => 10,
        _ => 0,
    };
    number.parse::<u64>().expect("a size") << shift
}
