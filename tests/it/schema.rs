//! The published schemas: they are what the program prints, and what it writes holds to them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{captures, podlag, python, samples};
use podlag::internals::render::schema::SCHEMAS;
use podlag::internals::table::KEYS;
use serde_json::{Value, json};

fn printed(arguments: &[&str], inputs: &[PathBuf], codes: &[i32]) -> Vec<u8> {
    let output = podlag().args(arguments).args(inputs).output().expect("podlag runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|code| codes.contains(&code)), "{arguments:?} {inputs:?}: {told}");
    output.stdout
}

#[test]
fn the_published_schemas_are_those_of_the_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    let mut names: Vec<String> = SCHEMAS.iter().map(|schema| format!("{}.json", schema.name)).collect();
    for schema in SCHEMAS {
        let path = folder.join(format!("{}.json", schema.name));
        let text = printed(&["schema", schema.name], &[], &[0]);
        if std::env::var("BLESS").is_ok() {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, &text).expect("a file");
        }
        let published = std::fs::read(&path).unwrap_or_default();
        assert!(
            published == text,
            "{} is not what podlag schema {} prints: BLESS=1 renews it",
            path.display(),
            schema.name
        );
    }
    let listed = String::from_utf8(printed(&["schema"], &[], &[0])).expect("UTF-8");
    let lines: Vec<&str> = listed.lines().map(|line| line.split(' ').next().unwrap_or(line)).collect();
    assert_eq!(lines, SCHEMAS.iter().map(|schema| schema.name).collect::<Vec<_>>());
    let mut there: Vec<String> = std::fs::read_dir(&folder)
        .expect("docs/schema")
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    there.sort();
    names.sort();
    assert_eq!(there, names, "docs/schema holds no other schema");
}

/// Every field says what it means: the schema is the documentation of the JSON forms.
#[test]
fn every_field_is_documented() {
    fn look(name: &str, value: &Value, bare: &mut Vec<String>) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            for (field, about) in properties {
                if about.get("description").is_none() {
                    bare.push(format!("{name}.{field}"));
                }
            }
        }
        match value {
            Value::Object(map) => map.iter().for_each(|(key, inner)| look(key, inner, bare)),
            Value::Array(items) => items.iter().for_each(|inner| look(name, inner, bare)),
            _ => {}
        }
    }
    for schema in SCHEMAS {
        let text = schema.text().expect("a schema");
        let mut bare = Vec::new();
        look(schema.name, &serde_json::from_str(&text).expect("JSON"), &mut bare);
        assert_eq!(bare, Vec::<String>::new(), "{}", schema.name);
    }
}

/// Validates documents with the reference implementation: each line says against which schema, whether it must hold, and the document.
const VALIDATE: &str = r#"
import json, sys
import jsonschema
from jsonschema.validators import validator_for
schemas = json.loads(sys.stdin.readline())
validators = {}
for name, schema in schemas.items():
    kind = validator_for(schema)
    kind.check_schema(schema)
    validators[name] = kind(schema, format_checker=kind.FORMAT_CHECKER)
count = 0
for line in sys.stdin:
    name, holds, what, document = json.loads(line)
    error = next(validators[name].iter_errors(document), None)
    if holds and error:
        sys.exit(f"{what}: {name}: {list(error.absolute_path)}: {error.message[:400]}")
    if not holds and not error:
        sys.exit(f"{what}: {name}: the schema lets it pass")
    count += 1
print(count)
"#;

fn validated(documents: &[(&str, bool, String, Value)]) {
    let schemas: serde_json::Map<String, Value> = SCHEMAS
        .iter()
        .map(|schema| (schema.name.into(), serde_json::from_str(&schema.text().expect("a schema")).expect("JSON")))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("documents");
    let mut lines = Value::Object(schemas).to_string();
    for document in documents {
        lines.extend(["\n", &json!(document).to_string()]);
    }
    std::fs::write(&path, lines + "\n").expect("a file");
    let output = Command::new(python())
        .args(["-c", VALIDATE])
        .stdin(std::fs::File::open(&path).expect("a file"))
        .output()
        .expect("Python cannot be started: name one with the package jsonschema in PODLAG_PYTHON (./test makes one)");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        !told.contains("No module named"),
        "pip install jsonschema, and name that Python in PODLAG_PYTHON (./test does)"
    );
    assert!(output.status.success(), "{told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), documents.len().to_string());
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// Inputs of many kinds: captures of each version, hostile logs, the record alone, metrics alone, and metrics beside logs.
fn inputs() -> Vec<Vec<PathBuf>> {
    let mut all: Vec<Vec<PathBuf>> = captures().iter().step_by(4).map(|capture| vec![capture.join("in")]).collect();
    all.extend(["hostile", "announcement-1.27"].map(|name| vec![samples().join(name).join("in")]));
    for name in ["s02-pull-serial", "v1.26-s01-cached"] {
        let folder = samples().join(name);
        let pages = ["metrics-before.txt.zst", "metrics-after.txt.zst"].map(|page| folder.join(page)).to_vec();
        all.push(pages.clone());
        all.push([pages, vec![folder.join("in")]].concat());
    }
    all
}

mod external {
    use super::*;

    #[test]
    fn reports_and_lines_hold_to_their_schemas() {
        let mut documents = Vec::new();
        for inputs in inputs() {
            let what = inputs.first().expect("an input").display().to_string();
            documents.push(("report", true, what.clone(), json_of(&printed(&["--format", "json"], &inputs, &[0]))));
            let lines = String::from_utf8(printed(&["--format", "ndjson"], &inputs, &[0])).expect("UTF-8");
            documents.extend(
                lines
                    .lines()
                    .take(4)
                    .chain(lines.lines().next_back())
                    .map(|line| ("ndjson", true, what.clone(), json_of(line.as_bytes()))),
            );
        }
        let empty = tempfile::NamedTempFile::new().expect("a file");
        let nothing = printed(&["--format", "json"], &[empty.path().to_path_buf()], &[3]);
        documents.push(("report", true, "nothing".into(), json_of(&nothing)));
        let more = ["--format", "json", "--anonymize", "--what-if", "serializeImagePulls=false", "--namespace", "shop"];
        let filtered = printed(&more, &[samples().join("s02-pull-serial/in")], &[0]);
        documents.push(("report", true, "filtered".into(), json_of(&filtered)));
        validated(&documents);
    }

    #[test]
    fn what_verbs_print_holds_to_their_schemas() {
        let input = vec![samples().join("s02-pull-serial/in")];
        let other = samples().join("s03-pull-parallel3/in");
        let mut documents = Vec::new();
        for key in KEYS.iter().map(|(_, key)| *key).chain(["namespace,cause", "hour,node,image"]) {
            let grouped = printed(&["blame", "--by", key, "--format", "json"], &input, &[0]);
            documents.push(("blame", true, key.to_owned(), json_of(&grouped)));
        }
        let both = [input.clone(), vec![other]].concat();
        documents.push(("diff", true, "two".into(), json_of(&printed(&["diff", "--format", "json"], &both, &[0]))));
        let limits =
            ["check", "--format", "json", "--fail-if", "p99(slo_s) > 5s", "--fail-if", "share(state=failed) > 1%"];
        documents.push(("check", true, "limits".into(), json_of(&printed(&limits, &input, &[0, 1, 4]))));
        validated(&documents);
    }

    /// A field too much, a field too few and a wrong type are all seen, wherever they are.
    #[test]
    fn the_schemas_let_nothing_else_pass() {
        let folder = samples().join("s02-pull-serial");
        let inputs =
            vec![folder.join("metrics-before.txt.zst"), folder.join("metrics-after.txt.zst"), folder.join("in")];
        let mut report = json_of(&printed(&["--format", "json"], &inputs, &[0]));
        // One of each is enough, and much is to be tried.
        for list in [
            "/startups",
            "/summary/causes",
            "/summary/slowest",
            "/metrics/nodes/0/window/series",
            "/metrics/fleet/window/series",
        ] {
            report.pointer_mut(list).and_then(Value::as_array_mut).expect("a list").truncate(1);
        }
        let places = [
            "",
            "/summary",
            "/summary/running",
            "/summary/causes/0",
            "/summary/causes/0/example",
            "/summary/slowest/0",
            "/metrics/fleet",
            "/metrics/nodes/0/window",
            "/metrics/nodes/0/components/0",
            "/metrics/nodes/0/slo_s",
            "/what_if/0",
            "/what_if/0/p50",
            "/coverage",
            "/startups/0",
            "/startups/0/spans/0",
            "/startups/0/findings/0",
            "/startups/0/image_pulls/0",
            "/startups/0/lines/0",
        ];
        let mut documents = vec![("report", true, "as it is".to_owned(), report.clone())];
        for place in places {
            let change = |what: &str, change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
                let mut changed = report.clone();
                let object = changed.pointer_mut(place).and_then(Value::as_object_mut);
                change(object.unwrap_or_else(|| panic!("no object at {place}")));
                ("report", false, format!("{place} with {what}"), changed)
            };
            let first = |object: &serde_json::Map<String, Value>| object.keys().next().cloned().expect("a field");
            documents.push(change("a field more", &|object| drop(object.insert("surplus".into(), Value::Null))));
            documents.push(change("a field less", &|object| drop(object.remove(&first(object)))));
            documents.push(change("another type", &|object| drop(object.insert(first(object), json!([true])))));
        }
        validated(&documents);
    }
}
