//! What is written, where, and who may read it; and that nothing is ever run. `unsafe` is forbidden by `Cargo.toml`, secrets are
//! looked for in every output in `web/`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{Running, log, logged, logs, run};
use crate::support::podlag;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn no_name_leads_out_of_the_output_folder() {
    let (folder, path) = logged();
    let journal: String = log()
        .lines()
        .map(|line| {
            format!("Nov 23 18:59:27.000000 ../../../host kubelet[77]: {}\n", line.replace("shop/", "../../x/"))
        })
        .collect();
    let framed = folder.path().join("framed.log");
    fs::write(&framed, journal).unwrap();
    let before = files(folder.path());
    let nodes = ["../../x", "/etc", "..", ".", "a/../../b", "%2e%2e", "a\\..\\b", "\u{1b}[2J", "date=1/node=2"];
    let runs = nodes.iter().map(|node| (path.clone(), Some(*node))).chain([(framed, None)]);
    for (number, (input, node)) in runs.enumerate() {
        let out = folder.path().join(format!("a/b/c/out-{number}/"));
        let mut command = podlag();
        command.arg(&input).arg("-o").arg(&out);
        node.map(|node| command.args(["--node-name", node]));
        let ended = Running::of(&mut command).end();
        assert_eq!(ended.code, Some(0), "{node:?}: {}", ended.err);
        let written = files(&out);
        assert!(!written.is_empty(), "{node:?}");
        for file in written {
            let below: Vec<String> =
                file.strip_prefix(&out).unwrap().iter().map(|part| part.to_string_lossy().into_owned()).collect();
            let [_, date, node, part] = below.as_slice() else { panic!("{below:?}") };
            assert!(date.starts_with("date=") && node.starts_with("node=") && part.starts_with("part-"), "{below:?}");
            assert!(!below.iter().any(|part| part == ".." || part.chars().any(char::is_control)), "{below:?}");
        }
        fs::remove_dir_all(folder.path().join("a")).unwrap();
        assert_eq!(files(folder.path()), before, "{node:?}: nothing beside");
    }
}

#[test]
fn of_a_link_the_file_it_leads_to_is_replaced() {
    let (folder, path) = logged();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("elsewhere")).unwrap();
    fs::write(at("elsewhere/real.json"), "before").unwrap();
    symlink("elsewhere/real.json", at("link.json")).unwrap();
    let ended = run([path.as_os_str(), "-o".as_ref(), at("link.json").as_os_str()]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(fs::symlink_metadata(at("link.json")).unwrap().is_symlink());
    assert!(fs::read_to_string(at("elsewhere/real.json")).unwrap().starts_with('{'));
    // A link to an input would replace it.
    symlink("kubelet.log", at("input.json")).unwrap();
    let ended = run([path.as_os_str(), "-o".as_ref(), at("input.json").as_os_str()]);
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), log());
    // A link that leads nowhere makes way for the file; what it names is not made.
    symlink(at("elsewhere/none.json"), at("dangling.json")).unwrap();
    let ended = run([path.as_os_str(), "-o".as_ref(), at("dangling.json").as_os_str()]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(fs::symlink_metadata(at("dangling.json")).unwrap().is_file() && !at("elsewhere/none.json").exists());
    // A link in a folder's place leads where the user says.
    let left: Vec<PathBuf> =
        files(folder.path()).into_iter().filter(|file| file.to_string_lossy().contains(".podlag-")).collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "nothing half written is left");
}

#[test]
fn nothing_is_ever_run_but_kubectl() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources = files(&root);
    assert!(sources.len() > 100, "{}", sources.len());
    let forbidden =
        ["Command::new", "process::Command", "libc::", "eval(", "new Function", "innerHTML", "document.write"];
    let mut seen = 0;
    // Tests beside the sources may run real programs.
    let tests = |path: &&PathBuf| {
        let path = path.strip_prefix(&root).unwrap();
        path.ends_with("tests.rs") || path.iter().any(|part| part == "tests")
    };
    for path in sources
        .iter()
        .filter(|path| !tests(path))
        .filter(|path| path.extension().is_some_and(|e| e == "rs" || e == "js" || e == "html"))
    {
        let text = fs::read_to_string(path).unwrap();
        seen += text.matches("std::process::").count();
        // Clusters are reached through it.
        let is_kubectl = path.ends_with("cluster/kubectl.rs");
        for word in forbidden.iter().filter(|word| !(is_kubectl && word.contains("Command"))) {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
    assert!(seen > 0, "the search finds what is there");
    let manifest = fs::read_to_string(root.with_file_name("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
}

mod slow {
    use super::*;

    #[test]
    fn results_are_as_readable_as_the_mask_has_it_and_temporary_files_the_users_alone() {
        let (folder, path) = logged();
        for (mask, expected) in [("022", 0o644), ("027", 0o640), ("077", 0o600)] {
            let script = format!(
                "umask {mask}; for f in html json parquet csv ndjson md txt trace.json; do set -- \"$@\" -o m{mask}.$f; done; exec \
             \"$PODLAG\" kubelet.log -o m{mask}/ \"$@\""
            );
            let mut shell = Command::new("sh");
            shell.args(["-c", &script, "sh"]).current_dir(folder.path()).env("PODLAG", env!("CARGO_BIN_EXE_podlag"));
            let ended = Running::of(&mut shell).end();
            assert_eq!(ended.code, Some(0), "{}", ended.err);
            let written: Vec<PathBuf> = files(folder.path())
                .into_iter()
                .filter(|file| {
                    file.strip_prefix(folder.path()).unwrap().to_string_lossy().starts_with(&format!("m{mask}"))
                })
                .collect();
            assert!(written.len() > 8, "{written:?}");
            for file in written {
                assert_eq!(mode(&file), expected, "{}", file.display());
            }
        }
        // The temporary folder, while it is there.
        let temp = tempfile::tempdir().unwrap();
        let text = logs();
        let mut command = Command::new("sh");
        command.args(["-c", "umask 000; exec \"$PODLAG\" --memory 1 --part 1 --chunk 4096 --format json"]);
        command.env("TMPDIR", temp.path()).env("PODLAG", env!("CARGO_BIN_EXE_podlag"));
        let wait = temp.path().join("seen");
        let mut running = Running::fed(&mut command, move |pipe| {
            pipe.write_all(text.as_bytes())?;
            while !wait.exists() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Ok(())
        });
        let mut modes = Vec::new();
        running.until("rows are in the temporary folder", |_| {
            let made = fs::read_dir(temp.path()).unwrap().map(|entry| entry.unwrap().path());
            modes = made.map(|path| (mode(&path), path)).collect();
            !modes.is_empty()
        });
        fs::write(temp.path().join("seen"), "").unwrap();
        assert_eq!(running.end().code, Some(0));
        assert!(modes.iter().all(|(mode, _)| *mode == 0o700), "{modes:?}");
        assert_eq!(files(&path.with_file_name("m077")).len(), files(&path.with_file_name("m022")).len());
    }
}
