//! Text, by the grammars, to records.

use std::sync::LazyLock;

use memchr::memmem;
use podlag::internals::model::record::{Fact, Record};
use podlag::internals::parse::grammar::Grammars;
use podlag::internals::parse::{Parsed, chunk};

pub(super) static GRAMMARS: LazyLock<Grammars> =
    LazyLock::new(|| Grammars::load(&[]).unwrap_or_else(|error| panic!("{error}")));

pub fn holds(data: &[u8]) {
    let (first, text) = super::led(data);
    let whole = chunk(&GRAMMARS, text, text.len(), 0, 1);
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(whole.lines, lines.len() as u64);
    let found = found_by_search(text);
    assert_eq!(
        whole.records.len() + whole.unknown as usize,
        found.len(),
        "a line with a literal is a record or unknown"
    );
    for record in whole.records.clone() {
        let line = usize::try_from(record.place.line).unwrap();
        assert!(found.contains(&line), "the record of line {line} stands on a line with a literal");
        let evidence = record.fields.line().len();
        assert!(evidence <= 410, "evidence is shortened: {evidence}");
        assert_eq!(record.startup_record.is_some(), record.fact == Fact::StartupObserved);
    }
    // Cut into chunks of so many lines, each with all that follows as its look ahead.
    let step = 1 + usize::from(first) % 7;
    let (mut from, mut number, mut parts) = (0, 1, Vec::new());
    for some in lines.chunks(step) {
        let own: usize = some.iter().map(|line| line.len()).sum();
        parts.push(chunk(&GRAMMARS, &text[from..], own, 0, number));
        (from, number) = (from + own, number + some.len() as u64);
    }
    let told = |parts: &[Parsed], name: fn(&Parsed) -> u64| parts.iter().map(name).sum::<u64>();
    for name in [|part: &Parsed| part.lines, |part: &Parsed| part.unknown, |part: &Parsed| part.truncated] {
        assert_eq!(told(&parts, name), name(&whole));
    }
    let parts: Vec<(Option<Box<str>>, Record)> = parts.iter().flat_map(records).collect();
    assert_eq!(parts, records(&whole), "chunks of {step} lines");
}

/// The records, each with its host by name: numbers are of a chunk.
fn records(parsed: &Parsed) -> Vec<(Option<Box<str>>, Record)> {
    let host = |record: &Record| record.host.map(|host| parsed.hosts[usize::from(host)].clone());
    // A NaN is not even itself.
    let known = |record: &Record| {
        record.startup_record.as_ref().is_none_or(|observed| observed.slo.is_none_or(|slo| !slo.is_nan()))
    };
    let records: Vec<Record> = parsed.records.clone().collect();
    assert!(records.iter().all(known));
    records.into_iter().map(|record| (host(&record), Record { host: None, ..record })).collect()
}

/// The numbers of the lines that the search finds: those that hold a literal.
fn found_by_search(text: &[u8]) -> Vec<usize> {
    let holds = |line: &[u8]| GRAMMARS.words().iter().any(|word| memmem::find(line, word.as_bytes()).is_some());
    let (mut at, mut numbers, mut places) = (0, Vec::new(), Vec::new());
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if holds(line) {
            numbers.push(number + 1);
            places.push(at..at + line.len());
        }
        at += line.len() + 1;
    }
    assert_eq!(GRAMMARS.lines(text).collect::<Vec<_>>(), places, "the search finds what a plain one finds");
    numbers
}
