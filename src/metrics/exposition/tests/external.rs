//! Against Prometheus' own parsers, as its `promtool` has them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::writer::{Form, nasty, sample, value, written};
use super::{Kept, all};

fn promtool(args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new("promtool");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("promtool cannot be run ({error}): install the Debian package prometheus"));
    // It may leave before it has read all, which its answer then shows.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Whether the linter can parse a page; what it thinks of names and missing help texts does not count.
fn linted(page: &[u8]) -> Result<(), String> {
    let output = promtool(&["check", "metrics"], page);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0 | 3) => Ok(()),
        Some(1) if said.contains("parsing error") => Err(said),
        code => panic!("promtool check metrics ended with {code:?}: {said}"),
    }
}

fn some<T>(count: usize, strategy: impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn the_linter_reads_what_the_test_writes() {
    for form in [Form::Prometheus, Form::OpenMetrics] {
        // The linter knows neither exemplars nor fractional timestamps.
        let samples = some(2000, sample(Form::Prometheus, false));
        let text = written(&samples, form);
        let text =
            if form == Form::OpenMetrics { format!("{}# EOF\n", written(&samples, Form::Prometheus)) } else { text };
        assert_eq!(linted(text.as_bytes()), Ok(()));
        assert_eq!(all(&text).1.samples, 2000);
    }
}

/// Lines, what the linter says of them, and what we do.
#[test]
fn where_the_linter_and_we_part() {
    let lines: &[(&[u8], bool, bool)] = &[
        (b"a_b 1\n", true, true),
        (b" \ta_b\t1\t5\n", true, true),
        (b"a_b{c=\"d\"}1\n", true, true),
        (b"a_b { c = \"d\" , } 1\n", true, true),
        (b"a_b INF\na_c nan\na_d -infinity\na_e .5\na_f +5.\na_g 1e-400\n", true, true),
        (b"a:b 1 -5\n", true, true),
        (b"# EOF\na_b 1\n", true, true),
        (b"\n \n#x\n# HELP\na_b 1\n", true, true),
        (b"a_b +nan\n", false, false),
        (b"a_b 0x1p3\n", false, false),
        (b"a_b 0x10\n", false, false),
        (b"a_b 1_000\n", false, false),
        (b"a_b 1e400\n", false, false),
        (b"a_b{,} 1\n", false, false),
        (b"a_b{c=\"d\",,} 1\n", false, false),
        (b"a_b{c=\"d\" e=\"f\"} 1\n", false, false),
        (b"a_b{c=\"d\",c=\"d\"} 1\n", false, false),
        (b"a_b{c:d=\"e\"} 1\n", false, false),
        (b"a_b{c=\"\xff\"} 1\n", false, false),
        (b"a_b 1 5 6\n", false, false),
        (b"a_b 1 # hi\n", false, false),
        (b"a_b\n", false, false),
        (b"a_b 1", false, false),
        (b"a_b 1\r\n", false, true),
        (b"a_b 1 \n", false, true),
        (b"\xef\xbb\xbfa_b 1\n", false, true),
        (b"a_b{c=\"\\q\"} 1\n", false, true),
        (b"a_b 1 1700000000.5\n", false, true),
        (b"a_b 1 # {c=\"d\"} 3\n", false, true),
        (b"# TYPE a_b unknown\na_b 1\n", false, true),
    ];
    for (page, linter, us) in lines {
        let seen = all(page).1;
        let shown = String::from_utf8_lossy(page);
        assert_eq!((linted(page).is_ok(), seen.samples > 0 && seen.invalid == 0), (*linter, *us), "{shown:?}");
    }
}

/// Samples of their own names and within one block, as the storage has each series once a millisecond.
fn dated() -> Vec<Kept> {
    let labels = prop::collection::btree_map("[a-zA-Z][a-zA-Z0-9_]{0,6}", nasty(), 0..6);
    some(600, (labels, value(), 0..1_000_000_i64))
        .into_iter()
        .enumerate()
        .map(|(index, (labels, value, at))| Kept {
            name: format!("nasty:{index}_total"),
            labels: labels.into_iter().collect(),
            value,
            at: Some((1_700_000_000_000 + at) * 1_000_000),
        })
        .collect()
}

#[test]
fn the_storage_holds_what_we_read() {
    let folder = tempfile::tempdir().unwrap();
    let (page, blocks) = (folder.path().join("page.txt"), folder.path().join("blocks"));
    // A dump wants a log of writes, which blocks made from a file do not come with.
    fs::create_dir_all(blocks.join("wal")).unwrap();
    let text = written(&dated(), Form::OpenMetrics);
    fs::write(&page, &text).unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let made = promtool(&["tsdb", "create-blocks-from", "openmetrics", &path(&page), &path(&blocks)], b"");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let dump = promtool(&["tsdb", "dump", &path(&blocks)], b"");
    let dump = String::from_utf8(dump.stdout).unwrap();
    let mut stored: BTreeMap<_, _> = dump.lines().map(dumped).map(|sample| (sample.name.clone(), sample)).collect();
    let (samples, seen) = all(&text);
    assert_eq!((seen.invalid, samples.len(), stored.len()), (0, 600, 600));
    for mut sample in samples {
        // The storage sorts labels, has none that are empty, and knows milliseconds.
        sample.labels.retain(|(_, value)| !value.is_empty());
        sample.labels.sort();
        let stored = stored.remove(&sample.name).unwrap();
        assert!(sample.same(&stored), "{sample:?}\n{stored:?}");
    }
}

/// A line of a dump: `{__name__="a", b="c"} 1 1700000000000`, its texts quoted as Go does.
fn dumped(line: &str) -> Kept {
    let mut rest = line.strip_prefix('{').unwrap();
    let mut labels = Vec::new();
    while let Some((name, behind)) = rest.split_once("=\"").filter(|_| !rest.starts_with('}')) {
        let (value, behind) = unquoted(behind);
        labels.push((name.to_owned(), value));
        rest = behind.strip_prefix(", ").unwrap_or(behind);
    }
    let mut words = rest.strip_prefix("} ").unwrap().split(' ');
    let value = words.next().unwrap().parse().unwrap();
    let at = words.next().unwrap().parse::<i64>().unwrap() * 1_000_000;
    let name = labels.iter().position(|(name, _)| name == "__name__").unwrap();
    let name = labels.remove(name).1;
    labels.sort();
    Kept { name, labels, value, at: Some(at) }
}

fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        let hex = |chars: &mut std::str::Chars<'_>, digits: usize| {
            let number: String = chars.take(digits).collect();
            char::from_u32(u32::from_str_radix(&number, 16).unwrap()).unwrap()
        };
        value.push(match chars.next().unwrap() {
            '"' => return (value, chars.as_str()),
            '\\' => match chars.next().unwrap() {
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                'x' => hex(&mut chars, 2),
                'u' => hex(&mut chars, 4),
                'U' => hex(&mut chars, 8),
                mark => mark,
            },
            other => other,
        });
    }
}
