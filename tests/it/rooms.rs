//! The rooms of `src` and the arrows between them: an import runs one way only, so that a room can be read, tested and changed
//! knowing only those before it. ARCHITECTURE.md draws the same picture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

/// Each room with the rooms it may import. A room that is not listed here, and an import that is not, fail by name.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("web", &["model"]),
    ("input", &["model", "web"]),
    ("cluster", &["model", "web", "input"]),
    ("parse", &["model", "input"]),
    ("track", &["model", "input", "parse"]),
    ("breakdown", &["model", "input", "parse", "track"]),
    ("metrics", &["model", "web", "input"]),
    ("stores", &["model", "web", "input"]),
    ("causes", &["model", "web", "input", "parse", "track", "breakdown", "metrics"]),
    ("table", &["model", "web", "input", "parse", "track", "breakdown", "metrics", "causes"]),
    ("report", &["model", "web", "input", "parse", "track", "breakdown", "metrics", "causes", "table"]),
    ("render", &["model", "web", "input", "parse", "track", "breakdown", "metrics", "causes", "table", "report"]),
    (
        "analyze",
        &[
            "model",
            "web",
            "cluster",
            "input",
            "parse",
            "track",
            "breakdown",
            "metrics",
            "stores",
            "causes",
            "table",
            "report",
        ],
    ),
    (
        "cli",
        &[
            "model",
            "web",
            "cluster",
            "input",
            "parse",
            "track",
            "breakdown",
            "metrics",
            "stores",
            "causes",
            "table",
            "report",
            "render",
            "analyze",
        ],
    ),
];

/// Files outside of rooms: the façade, and the program.
const FACADE: [&str; 2] = ["lib.rs", "main.rs"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            // What only tests import shows nothing of the program.
            if name != "tests" {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The text without comments and without the modules of tests, which stand last.
fn code(text: &str) -> String {
    let program =
        Regex::new(r"(?m)^#\[cfg\(test\)\]\r?\nmod \w+ \{").expect("a pattern").split(text).next().unwrap_or("");
    program.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms that a file's code names, in whichever way: `crate::room`, `use crate::{room, …}`.
fn imports(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let one = Regex::new(r"\bcrate::(\w+)").expect("a pattern");
    let group = Regex::new(r"\bcrate::\{((?:[^{}]|\{[^{}]*\})*)\}").expect("a pattern");
    let inner = Regex::new(r"\{[^{}]*\}").expect("a pattern");
    let mut all: BTreeSet<String> = one.captures_iter(&code).map(|found| found[1].to_owned()).collect();
    for found in group.captures_iter(&code) {
        let names = inner.replace_all(&found[1], "").into_owned();
        all.extend(names.split(',').filter_map(|name| name.trim().split("::").next()).map(str::to_owned));
    }
    all.retain(|name| ROOMS.iter().any(|(room, _)| room == name));
    all
}

/// Room → room it imports → a file that does.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

fn arrows(files: &[(String, String)]) -> Arrows {
    let mut all = Arrows::new();
    for (file, text) in files {
        let Some((room, _)) = file.split_once('/') else { continue };
        for other in imports(text).into_iter().filter(|other| other != room) {
            all.entry(room.to_owned()).or_default().entry(other).or_insert_with(|| file.clone());
        }
    }
    all
}

/// What is wrong with the arrows, in words: imports that no row allows, and circles between rooms.
fn wrong(arrows: &Arrows) -> Vec<String> {
    let mut all = Vec::new();
    for (room, targets) in arrows {
        let allowed = ROOMS.iter().find(|(known, _)| known == room).map_or(&[][..], |(_, allowed)| allowed);
        for (other, file) in targets.iter().filter(|(other, _)| !allowed.contains(&other.as_str())) {
            all.push(format!("src/{file} imports {other}, and {room} must not know {other}"));
        }
    }
    for room in arrows.keys() {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&str> = vec![room];
        while let Some(at) = next.pop() {
            for other in arrows.get(at).into_iter().flat_map(BTreeMap::keys) {
                if other == room {
                    let file = &arrows[at][other];
                    all.push(format!("a circle: {room} leads back to itself by src/{file}, which imports {other}"));
                } else if reached.insert(other.as_str()) {
                    next.push(other);
                }
            }
        }
    }
    all
}

#[test]
fn imports_run_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let files: Vec<(String, String)> = paths
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
            (name, std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        })
        .collect();
    assert!(files.len() >= 150, "{} files", files.len());
    for (file, _) in &files {
        let room = file.split('/').next().expect("a room");
        let known = ROOMS.iter().any(|(known, _)| *known == room) || FACADE.contains(&room);
        assert!(known, "src/{file} stands in no room of the list");
    }
    let arrows = arrows(&files);
    assert!(arrows.values().map(BTreeMap::len).sum::<usize>() >= 20, "arrows are found: {arrows:?}");
    let wrong = wrong(&arrows);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_list_itself_has_no_circle() {
    let list = ROOMS.iter().map(|(room, allowed)| {
        let targets = allowed.iter().map(|other| ((*other).to_owned(), "the list".to_owned()));
        ((*room).to_owned(), targets.collect::<BTreeMap<_, _>>())
    });
    assert_eq!(wrong(&list.collect()), Vec::<String>::new());
}

#[test]
fn an_upward_import_and_a_circle_are_seen() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let fine = file("parse/mod.rs", "//! See crate::report.\nuse crate::model::{record, time};\n");
    assert_eq!(wrong(&arrows(std::slice::from_ref(&fine))), Vec::<String>::new());
    let up = file("parse/entry.rs", "use crate::{model::time::Time, report::{MAX, Report}};\n");
    assert_eq!(wrong(&arrows(&[fine, up])), ["src/parse/entry.rs imports report, and parse must not know report"]);
    let there = file("table/of.rs", "fn f() { crate::causes::judge() }\n");
    let back = file("causes/mod.rs", "use crate::table;\n");
    let found = wrong(&arrows(&[there, back]));
    assert!(found.iter().any(|line| line.starts_with("src/causes/mod.rs imports table")), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("a circle: causes leads back")), "{found:?}");
    let tests_only = file("model/time.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::render;\n}\n");
    assert_eq!(wrong(&arrows(&[tests_only])), Vec::<String>::new());
}
