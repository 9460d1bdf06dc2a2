//! The recipes of CONTRIBUTING.md: a row of a table whose other half is missing fails here, by its name. Where the compiler or another
//! test asks already, nothing is said again: a phase's words and colours, an input's example (beside `INPUTS`), messages (`grammars`),
//! causes (`causes`), JSON (`schema`), fuzz targets (`fuzz`), tables in the documents (`documents`).

use std::path::Path;
use std::process::Output;

use podlag::internals::causes;
use podlag::internals::causes::setting::SETTINGS;
use podlag::internals::render::{BLAME_FORMATS, CHECK_FORMATS, DIFF_FORMATS, FORMATS};
use podlag::internals::table::KEYS;
use podlag::internals::table::filter::KINDS;

use crate::support::{podlag, samples};

fn run(arguments: &[&str]) -> Output {
    podlag().args(arguments).arg(samples().join("s02-pull-serial/in")).output().expect("podlag runs")
}

/// README.md and `docs/*.md`.
fn documents() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).expect("docs").map(|file| file.expect("a file").path());
    let all = docs.filter(|path| path.extension().is_some_and(|is| is == "md")).chain([root.join("README.md")]);
    all.map(|path| std::fs::read_to_string(path).expect("a document")).collect()
}

#[test]
fn every_format_is_printed_written_and_documented() {
    let folder = tempfile::tempdir().expect("a folder");
    let documents = documents();
    let files: Vec<_> =
        FORMATS.iter().map(|format| folder.path().join(format!("report.{}", format.extension))).collect();
    let targets: Vec<&str> = files.iter().flat_map(|file| ["-o", file.to_str().expect("UTF-8")]).collect();
    assert!(run(&targets).status.success());
    for (format, file) in FORMATS.iter().zip(&files) {
        assert!(std::fs::metadata(file).is_ok_and(|file| file.len() > 1000), "{}: no file", format.name);
        let output = run(&["--format", format.name]);
        let printed = output.status.success() && output.stdout.len() > 1000;
        assert_eq!(printed, format.readable, "{}: on standard output", format.name);
        assert!(
            documents.contains(&format!(".{}`", format.extension)) || documents.contains(&format!("`{}`", format.name)),
            "{}: neither README.md nor docs/ names it",
            format.name
        );
    }
}

#[test]
fn every_verb_prints_each_of_its_formats() {
    let input = samples().join("s02-pull-serial/in");
    let input = input.to_str().expect("UTF-8");
    let verbs: [(&[&str], &[&str]); 3] = [
        (&["blame"], BLAME_FORMATS),
        (&["check", "--fail-if", "p50(running_s) > 10h"], CHECK_FORMATS),
        (&["diff", input], DIFF_FORMATS),
    ];
    for (verb, formats) in verbs {
        for format in formats {
            let output = run(&[verb, &["--format", format]].concat());
            assert!(output.status.success() && output.stdout.len() > 50, "{verb:?} {format}: {output:?}");
        }
    }
}

#[test]
fn every_group_of_blame_has_rows() {
    for (_, key) in KEYS {
        let output = run(&["blame", "--by", key, "--format", "csv"]);
        assert!(output.status.success(), "{key}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.iter().filter(|byte| **byte == b'\n').count() > 1, "{key}: no group");
    }
}

#[test]
fn every_filter_has_its_option() {
    for (kind, _) in KINDS {
        let rows = run(&[&format!("--{kind}"), "*", "--format", "ndjson"]);
        assert!(rows.status.success() && !rows.stdout.is_empty(), "--{kind}: {rows:?}");
    }
}

#[test]
fn every_setting_is_named_by_the_advice_of_a_cause() {
    let mut advice = String::new();
    for cause in causes::all() {
        let output = podlag().args(["explain", cause.id]).output().expect("podlag runs");
        advice.push_str(std::str::from_utf8(&output.stdout).expect("UTF-8"));
    }
    for (_, setting) in SETTINGS {
        let name = setting.rsplit('.').next().unwrap_or(setting);
        assert!(advice.contains(name), "{setting}: no cause's advice names it");
    }
}
