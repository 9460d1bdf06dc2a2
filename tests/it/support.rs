//! What several tests need: the samples, unpacked, and podlag's rows of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::SystemTime;

use podlag::internals::analyze::{Options, analyze};
use podlag::internals::input;
use podlag::internals::render::{TextOptions, form};
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

/// The report of inputs that stay as they are, as `--format json` prints it: analysed in this process, once for all tests.
pub fn report<P: AsRef<Path>>(inputs: &[P]) -> &'static Value {
    static REPORTS: Mutex<BTreeMap<Vec<PathBuf>, &OnceLock<Value>>> = Mutex::new(BTreeMap::new());
    let inputs: Vec<PathBuf> = inputs.iter().map(|input| input.as_ref().to_path_buf()).collect();
    let report = *REPORTS.lock().unwrap().entry(inputs.clone()).or_insert_with(|| Box::leak(Box::default()));
    report.get_or_init(|| analysed(&inputs))
}

fn analysed(inputs: &[PathBuf]) -> Value {
    let (sources, errors) = input::list(inputs);
    assert!(errors.is_empty(), "{errors:?}");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_nanos();
    let options = Options::new(&std::env::temp_dir()).expect("the built-in grammars load");
    let options = options.threads(1).now(now.try_into().expect("a time"));
    let report = analyze(&sources, &options, &Default::default()).unwrap_or_else(|error| panic!("{inputs:?}: {error}"));
    let mut json = Vec::new();
    (form("json").expect("a form").write)(&report, TextOptions::default(), &mut json).expect("a report");
    serde_json::from_slice(&json).expect("JSON")
}

/// The reports of several inputs, worked out side by side.
pub fn reports(all: &[Vec<PathBuf>]) -> Vec<&'static Value> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(inputs) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    report(inputs);
                }
            });
        }
    });
    all.iter().map(|inputs| report(inputs)).collect()
}

/// The rows of a report.
pub fn startups(report: &Value) -> &[Value] {
    report["startups"].as_array().expect("startups")
}

/// The rows of these inputs: those of samples are analysed once for all tests, of others by the program.
pub fn rows(inputs: &[&Path]) -> Vec<Value> {
    if inputs.iter().all(|input| input.starts_with(samples())) {
        return startups(report(inputs)).to_vec();
    }
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
    podlag::internals::model::phase::PHASES.iter().filter(|(phase, _)| phase.is_in_total()).map(|(_, name)| *name)
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
