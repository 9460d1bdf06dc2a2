//! The whole: bytes of one to three files to a report, and the report to every form that is text.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, atomic::AtomicBool};

use podlag::internals::analyze::{Options, analyze};
use podlag::internals::input::Source;
use podlag::internals::render::{self, TextOptions};
use podlag::internals::report::Report;
use podlag::internals::report::replay::Scenario;
use podlag::internals::table::Row;
use podlag::internals::table::anonymize::Anonymizer;

/// A file ends here, and the next one begins.
const BREAK: u8 = 0x1e;
const FILES: usize = 3;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

/// Bits of the first byte: rows are read back, names are hidden, other settings are replayed.
const READ_BACK: u8 = 1;
const HIDDEN: u8 = 2;
const WHAT_IF: u8 = 4;

pub fn holds(data: &[u8]) {
    let (first, data) = super::led(data);
    let files: Vec<Source> = data
        .splitn(FILES, |byte| *byte == BREAK)
        .enumerate()
        .map(|(number, text)| file(&format!("{number}.log"), text))
        .collect();
    let whole = said(&files, first, 1, 8 << 20, &["text", "markdown", "csv", "json", "ndjson", "trace"]);
    // What the others say is in these two.
    let parts = said(&files, first, 2, 1 + usize::from(first) * 16, &["json", "ndjson"]);
    match (whole, parts) {
        (Ok((whole, report)), Ok((parts, _))) => {
            for (form, text) in &whole {
                let other = parts.iter().find(|(name, _)| name == form).map_or(text, |(_, other)| other);
                assert!(text == other, "{form} differs by threads and chunks:\n{text}\n{other}");
                match *form {
                    "json" | "trace" => drop(json(text)),
                    "ndjson" => text.lines().for_each(|line| drop(json(line))),
                    _ => super::assert_printable(text),
                }
            }
            tiled(&report);
            if first & (READ_BACK | HIDDEN) == READ_BACK {
                read_back(&report, &whole);
            }
        }
        (Err(whole), Err(parts)) => assert_eq!(whole, parts),
        (whole, parts) => panic!("{:?} or {:?}", whole.map(|_| ()), parts.map(|_| ())),
    }
}

fn file(name: &str, text: &[u8]) -> Source {
    let path: PathBuf = FOLDER.path().join(name);
    fs::write(&path, text).expect("the folder takes it");
    Source::from_path(path)
}

/// A report, and each form of it that is text.
type Said = (Forms, Report);
type Forms = Vec<(&'static str, String)>;

thread_local! {
    // Grammars take longer to load than a small file to read.
    static OPTIONS: RefCell<Options> = RefCell::new(Options::new(FOLDER.path()).unwrap_or_else(|error| panic!("{error}")));
}

fn said(files: &[Source], first: u8, threads: usize, chunk: usize, names: &[&'static str]) -> Result<Said, String> {
    OPTIONS.with_borrow_mut(|options| {
        (options.threads, options.chunks.chunk) = (threads, chunk);
        options.anonymizer = (first & HIDDEN != 0).then(|| Anonymizer::new(*b"0123456789abcdef"));
        let asked = ["serializeImagePulls=false,maxParallelImagePulls=3", "prepull=nginx", "kubeAPIQPS=100"];
        let asked = asked.into_iter().filter(|_| first & WHAT_IF != 0);
        options.what_if = asked.map(|text| Scenario::of(text).unwrap_or_else(|error| panic!("{error}"))).collect();
        let report = analyze(files, options, &Arc::new(AtomicBool::new(false))).map_err(|error| error.to_string())?;
        Ok((forms(&report, names), report))
    })
}

fn forms(report: &Report, names: &[&'static str]) -> Forms {
    let mut forms = Vec::new();
    for name in names {
        let form = render::form(name).unwrap_or_else(|error| panic!("{error}"));
        let mut out = Vec::new();
        (form.write)(report, TextOptions::default(), &mut out).unwrap_or_else(|error| panic!("{error}"));
        forms.push((*name, String::from_utf8(out).expect("text is UTF-8")));
    }
    forms
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|broken| panic!("{broken}: {text}"))
}

fn rows(report: &Report) -> Vec<Row> {
    report.table.rows().collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}"))
}

fn tiled(report: &Report) {
    for row in rows(report) {
        assert!(row.spans.windows(2).all(|pair| pair[0].to == pair[1].from), "{}: a gap or an overlap", row.pod);
    }
}

/// Rows written as lines are the same rows when they are read.
fn read_back(report: &Report, forms: &[(&str, String)]) {
    let lines = forms.iter().find(|(form, _)| *form == "ndjson").map(|(_, text)| text.as_str()).unwrap_or_default();
    // Metrics stand among the rows in a form of their own, and no row is no input.
    if lines.is_empty() || report.metrics.is_some() {
        return;
    }
    let (_, again) =
        said(&[file("rows.ndjson", lines.as_bytes())], 0, 1, 8 << 20, &[]).unwrap_or_else(|error| panic!("{error}"));
    let text = |report: &Report| {
        rows(report).iter().map(|row| serde_json::to_string(row).expect("a row is JSON")).collect::<Vec<_>>()
    };
    assert_eq!(text(&again), text(report), "read back");
}
