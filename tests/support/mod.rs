//! What several tests need: the samples, unpacked, and podlag's rows of them.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test uses a part"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The folder of samples.
pub fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// The captures among the samples: those with a truth beside them.
pub fn captures() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(samples()).expect("the samples");
    let mut found: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.join("truth.json").exists()).collect();
    found.sort();
    assert!(found.len() >= 40, "the captures are there: {}", found.len());
    found
}

/// A sample's file, unpacked.
pub fn unpacked(path: &Path) -> Vec<u8> {
    let file = std::fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    zstd::decode_all(file).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A sample's file as text.
pub fn text(path: &Path) -> String {
    String::from_utf8(unpacked(path)).expect("UTF-8")
}

/// A sample's JSON file.
pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&unpacked(path)).expect("JSON")
}

/// The program.
pub fn podlag() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podlag"));
    command.env_remove("COLUMNS");
    command
}

/// Its rows for these inputs.
pub fn rows(inputs: &[&Path]) -> Vec<Value> {
    let output = podlag().args(inputs).args(["--format", "ndjson"]).output().expect("podlag runs");
    assert!(output.status.success(), "{inputs:?}: {}", String::from_utf8_lossy(&output.stderr));
    lines(&output)
}

/// The rows a run printed.
pub fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
}

/// A row without what tells where it was read.
pub fn bare(rows: &[Value]) -> Vec<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for place in ["source", "line", "evidence", "node"] {
                    map.remove(place);
                }
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut rows = rows.to_vec();
    rows.iter_mut().for_each(strip);
    rows
}

/// The names of the phases.
pub fn phases() -> impl Iterator<Item = &'static str> {
    podlag::phase::PHASES.iter().map(|(_, name)| *name)
}
