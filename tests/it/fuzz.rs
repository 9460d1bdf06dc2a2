//! What fuzzing once found stays right: every committed case of `tests/fuzz/cases/` holds its target's property.

#[path = "../fuzz/properties/mod.rs"]
mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_case_holds() {
    let mut replayed = 0;
    for (target, holds) in properties::TARGETS {
        let folder = folder().join("cases").join(target);
        for name in names(&folder) {
            // A panic's own words do not name the case.
            println!("{target}/{name}");
            holds(&std::fs::read(folder.join(&name)).unwrap());
            replayed += 1;
        }
    }
    assert!(replayed >= properties::TARGETS.len(), "every target has a case: {replayed}");
}

#[test]
fn every_target_has_its_program_and_its_cases() {
    let known: BTreeSet<String> = properties::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder().join("cases")), known);
    let programs: BTreeSet<String> = known.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&folder().join("fuzz_targets")), programs);
    let manifest: toml::Table = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap().parse().unwrap();
    let named = |bin: &toml::Value| bin["name"].as_str().unwrap().to_owned();
    let programs: BTreeSet<String> = manifest["bin"].as_array().unwrap().iter().map(named).collect();
    assert_eq!(programs, &known | &BTreeSet::from(["seeds".to_owned()]));
}

/// The versions of every package in a lock file.
fn locked(path: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lock: toml::Table = text.parse().unwrap();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let word = |key: &str| package[key].as_str().unwrap().to_owned();
        versions.entry(word("name")).or_default().insert(word("version"));
    }
    versions
}

/// Else polars would be compiled a second time for the targets.
#[test]
fn targets_are_built_of_the_crates_the_program_is_built_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (program, targets) = (locked(&root.join("Cargo.lock")), locked(&folder().join("Cargo.lock")));
    for (name, versions) in &program {
        assert_eq!(targets.get(name), Some(versions), "{name}: copy Cargo.lock to tests/fuzz/ and run tests/fuzz/run");
    }
    let manifest =
        |folder: &Path| -> toml::Table { std::fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap() };
    let (program, targets) = (manifest(root), manifest(&folder()));
    // podlag itself lies elsewhere, seen from there.
    for (name, wanted) in program["dev-dependencies"].as_table().unwrap().iter().filter(|(name, _)| *name != "podlag") {
        assert_eq!(targets["dependencies"].get(name), Some(wanted), "{name}: its features are those of the tests");
    }
    let profile = |manifest: &toml::Table| {
        let mut profile = manifest["profile"]["dev"].clone();
        profile["package"].as_table_mut().unwrap().retain(|name, _| !name.starts_with("podlag"));
        profile
    };
    assert_eq!(profile(&program), profile(&targets), "the crates are compiled alike");
}
