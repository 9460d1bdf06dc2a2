//! What several tests need: the samples, unpacked, and podlag's rows of them.

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
    podlag::internals::model::phase::PHASES.iter().map(|(_, name)| *name)
}

/// The Python that has what tests need of Python: the one named by `PODLAG_PYTHON`, else the usual one.
pub fn python() -> String {
    std::env::var("PODLAG_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// Runs tests of `html/` that use a browser.
pub fn node(file: &str, environment: &[(&str, String)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("tests/html");
    assert!(
        folder.join("node_modules").exists(),
        "npm ci --prefix tests/html installs what tests in a browser need (./test does)"
    );
    let output = Command::new("node")
        .args(["--test", "--test-concurrency=1", file])
        .current_dir(&folder)
        .env("PODLAG", env!("CARGO_BIN_EXE_podlag"))
        .env("SAMPLES", samples())
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("node cannot be started: install the Debian package nodejs (./test does)");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed: Vec<&str> = said.split("\nnot ok").skip(1).collect();
    assert!(output.status.success(), "{}\n{}", failed.join("\n"), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("# fail 0") && !said.contains("# pass 0"), "{said}");
}
