//! Journald's own files: what podlag reads of them is what journalctl prints of them, whatever their layout; damage costs only
//! what is damaged.

use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use podlag::internals::analyze::{Options, analyze};
use podlag::internals::input::Source;
use podlag::internals::model::time::Time;
use serde_json::Value;

use crate::support::{lines, podlag, rows, samples, unpacked};

pub mod external;

/// A real journal, and the logs of the same node and time.
fn sample() -> (Vec<u8>, PathBuf) {
    let sample = samples().join("s07-pull-backoff");
    (unpacked(&sample.join("journal/system.journal.zst")), sample.join("in"))
}

/// Rows without what tells where they were read.
fn bare(rows: &[Value]) -> Vec<Value> {
    let mut rows = crate::support::bare(rows);
    for row in &mut rows {
        for line in row["lines"].as_array_mut().expect("lines") {
            line.as_object_mut().expect("a line").remove("text");
        }
    }
    rows
}

fn piped(bytes: &[u8]) -> Output {
    let mut command = podlag();
    command.args(["-", "--format", "ndjson"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("podlag runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        scope.spawn(move || pipe.write_all(bytes));
        child.wait_with_output().expect("it ends")
    })
}

fn run(inputs: &[&Path]) -> Output {
    podlag().args(inputs).args(["--format", "ndjson"]).output().expect("podlag runs")
}

#[test]
fn a_real_journal_gives_the_rows_of_its_text_however_it_comes() {
    let (journal, log) = sample();
    let expected = bare(&rows(&[&log]));
    assert!(expected.len() >= 5);
    let folder = tempfile::tempdir().expect("a folder");
    let machine = folder.path().join("0f5e3c1d2b4a49788796a5b4c3d2e1f0");
    fs::create_dir(&machine).unwrap();
    for name in ["system.journal", "system@00061f0a1b2c3d4e-5f60718293a4b5c6.journal~"] {
        let path = machine.join(name);
        fs::write(&path, &journal).unwrap();
        for input in [&path, &machine, &folder.path().to_path_buf()] {
            let output = run(&[input]);
            assert_eq!(bare(&lines(&output)), expected, "{}", input.display());
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", input.display());
        }
        fs::remove_file(path).unwrap();
    }
    assert_eq!(bare(&lines(&piped(&journal))), expected, "through a pipe");
    let packed = samples().join("s07-pull-backoff/journal/system.journal.zst");
    assert_eq!(bare(&lines(&run(&[&packed]))), expected, "compressed");
}

#[test]
fn more_journals_than_can_be_open_at_once_give_each_line_once() {
    let (journal, log) = sample();
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..34 {
        fs::write(folder.path().join(format!("system@{number}.journal")), &journal).unwrap();
    }
    assert_eq!(bare(&lines(&run(&[folder.path()]))).len(), rows(&[&log]).len());
}

#[test]
fn a_newer_layout_is_refused_and_the_others_are_read() {
    let (mut journal, log) = sample();
    journal[12] |= 0x40;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("system.journal");
    fs::write(&path, &journal).unwrap();
    let output = run(&[&path]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("newer layout (incompatible flags 0x40)") && said.contains("journalctl"), "{said}");
    assert!(!output.status.success());
    assert_eq!(lines(&run(&[&path, &log])).len(), rows(&[&log]).len());
}

#[test]
fn units_of_no_journal_file_are_told() {
    let (_, log) = sample();
    let output = podlag().arg(log).args(["--unit", "edge-kubelet"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("no input is a journal file") && said.contains("journalctl -u edge-kubelet"), "{said}");
}

#[test]
fn a_journal_that_is_cut_before_its_first_wanted_entry_says_so() {
    let (journal, _) = sample();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("system.journal");
    fs::write(&path, &journal[..5000]).unwrap();
    let output = run(&[&path]);
    let said = String::from_utf8_lossy(&output.stderr);
    let found = ["nothing could be read", "no entry of a kubelet or container runtime was found in it"];
    assert!(found.iter().all(|text| said.contains(text)) && !said.contains("is used"), "{said}");
}

/// The rows of a file, read in this process, and what is said of it.
fn read(path: &Path) -> (usize, Vec<String>) {
    read_since(path, None)
}

/// The same of startups from an instant on.
fn read_since(path: &Path, since: Option<&str>) -> (usize, Vec<String>) {
    let mut options = Options::new(&std::env::temp_dir()).expect("the built-in grammars load").threads(1);
    options.filter.since = since.and_then(Time::from_rfc3339);
    match analyze(&[Source::from_path(path)], &options, &Default::default()) {
        Ok(report) => (report.table.len(), report.coverage.source_errors),
        Err(error) => (0, vec![error.to_string()]),
    }
}

mod slow {
    use super::*;

    /// Places all over the file, most of them where something stands.
    fn places(journal: &[u8]) -> Vec<usize> {
        let used: Vec<usize> = (0..journal.len()).filter(|at| journal[*at] != 0).collect();
        (0..250_usize).map(|number| used[number.wrapping_mul(2_654_435_761) % used.len()]).collect()
    }

    #[test]
    fn one_wrong_byte_costs_few_rows() {
        let (journal, log) = sample();
        let all = rows(&[&log]).len();
        let file = tempfile::NamedTempFile::new().expect("a file");
        file.as_file().write_all_at(&journal, 0).unwrap();
        assert_eq!(read(file.path()), (all, vec![]));
        let places = places(&journal);
        let mut poor = Vec::new();
        for (number, at) in places.iter().enumerate() {
            file.as_file().write_all_at(&[journal[*at] ^ (1 << (number % 8))], *at as u64).unwrap();
            let (found, _) = read(file.path());
            // Some also with a window of time, which is found by more of the file.
            let windowed = || read_since(file.path(), Some("2026-11-23T00:00:00Z")).0;
            if found < all / 2 || number % 4 == 0 && windowed() < all / 2 {
                poor.push(*at);
            }
            file.as_file().write_all_at(&journal[*at..=*at], *at as u64).unwrap();
        }
        assert!(poor.len() * 50 <= places.len(), "half of the rows are lost by a byte at {poor:?}");
    }

    #[test]
    fn every_byte_of_the_header_may_be_wrong() {
        let (journal, log) = sample();
        let all = rows(&[&log]).len();
        let file = tempfile::NamedTempFile::new().expect("a file");
        file.as_file().write_all_at(&journal, 0).unwrap();
        let mut whole = 0;
        for at in 8..272 {
            file.as_file().write_all_at(&[journal[at] ^ 0xff], at as u64).unwrap();
            let (found, said) = read(file.path());
            whole += usize::from(found == all);
            for place in said.iter().filter_map(|said| said.split("first at byte ").nth(1)?.split('.').next()) {
                assert!(place.parse::<usize>().unwrap() < journal.len(), "byte {at}: {said:?}");
            }
            file.as_file().write_all_at(&journal[at..=at], at as u64).unwrap();
        }
        assert!(whole >= 260, "all rows are read without any other byte than the flags: {whole}");
    }

    #[test]
    fn a_file_that_is_cut_is_read_as_far_as_it_goes() {
        let (journal, log) = sample();
        let all = rows(&[&log]).len();
        let file = tempfile::NamedTempFile::new().expect("a file");
        let end = journal.iter().rposition(|byte| *byte != 0).unwrap();
        let mut before = 0;
        for part in 0..=100 {
            let length = end * part / 100;
            file.as_file().set_len(0).unwrap();
            file.as_file().write_all_at(&journal[..length], 0).unwrap();
            let (found, said) = read(file.path());
            assert!(found + 1 >= before && found <= all, "{found} rows of {part} %, {before} of less");
            assert!(part == 0 || said.iter().any(|said| said.contains("byte")), "{part} %: {said:?}");
            before = found;
        }
        assert!(before == all, "{before} of {all} rows before the last byte");
    }
}
