//! What the program says of itself, tried by those it is said to: shells complete it, `man` shows it, kubectl runs it.

use std::path::Path;
use std::process::Command;

use crate::support::podlag;

/// What a command of podlag prints.
fn printed(arguments: &[&str]) -> String {
    let output = podlag().args(arguments).output().expect("podlag runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a real program prints of a text that podlag printed; it is told how to be installed.
fn real(program: &str, package: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").env("MANWIDTH", "100").output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} cannot be started ({error}): install the Debian package {package} (./test does)")
    });
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{program} {arguments:?}: {told}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Completions of a shell in a file.
fn completions(shell: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("_podlag");
    std::fs::write(&path, printed(&["completions", shell])).expect("a file");
    let path = path.to_string_lossy().into_owned();
    (folder, path)
}

#[test]
fn bash_completes_verbs_flags_and_words() {
    let (_folder, path) = completions("bash");
    let script = r#"
        source "$1"
        ask() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _podlag podlag "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            echo "${COMPREPLY[*]}"
        }
        ask podlag expl
        ask podlag blame --what
        ask podlag blame --by work
        ask podlag grammar ch
        complete -p podlag
    "#;
    let said = real("bash", "bash", &["-c", script, "bash", &path]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.first_chunk(), Some(&["explain", "--what-if", "workload", "check"]));
    assert!(lines.last().is_some_and(|line| line.ends_with("-F _podlag podlag")), "{said}");
}

/// Neither shell is in Debian's main archive for all: what is made for them is not run here, but it names every verb.
#[test]
fn completions_of_other_shells_name_every_verb() {
    for shell in ["powershell", "elvish"] {
        let text = printed(&["completions", shell]);
        for verb in ["chain", "blame", "diff", "check", "explain", "grammar", "schema", "completions", "man"] {
            assert!(text.contains(&format!("'{verb}'")) || text.contains(&format!("cand {verb} ")), "{shell}: {verb}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let output = podlag().arg("man").arg(file.join("man1")).output().expect("podlag runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write"), "{output:?}");
}

/// Runs the build script of these sources as cargo does, with the sources at `root`.
fn build_script(script: &Path, root: &Path, profile: &str, given: Option<&str>) -> Vec<String> {
    let mut command = Command::new(script);
    command.env("CARGO_PKG_VERSION", "1.2.3").env("PROFILE", profile).env("CARGO_MANIFEST_DIR", root);
    command.env_remove("PODLAG_COMMIT").envs(given.map(|commit| ("PODLAG_COMMIT", commit)));
    let output = command.output().expect("the build script runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

fn git(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["-c", "user.name=n", "-c", "user.email=n@example.test"])
        .args(arguments)
        .output()
        .expect("git cannot be started: install the Debian package git");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

mod external {
    use super::*;

    #[test]
    fn fish_completes_them_too() {
        let (_folder, path) = completions("fish");
        let script = r#"source $argv[1]; complete -C "podlag expl"; complete -C "podlag blame --by work"; complete -C "podlag blame --what""#;
        let said = real("fish", "fish", &["--no-config", "-c", script, &path]);
        let words: Vec<&str> = said.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(words, ["explain", "workload", "--what-if"], "{said}");
    }

    #[test]
    fn zsh_loads_its_completions() {
        let (folder, _) = completions("zsh");
        let script = "fpath=($1 $fpath); autoload -Uz compinit; compinit -u -D; echo $_comps[podlag]; autoload +X _podlag; \
                  functions _podlag | grep -c -e --what-if -e explain";
        let folder = folder.path().to_string_lossy();
        let said = real("zsh", "zsh", &["-f", "-c", script, "zsh", &folder]);
        let (function, count) = said.split_once('\n').expect("two lines");
        assert_eq!(function, "_podlag");
        assert!(count.trim().parse::<usize>().expect("a number") >= 2, "{said}");
    }

    #[test]
    fn man_pages_are_shown_without_a_warning() {
        let folder = tempfile::tempdir().expect("a folder");
        let pages = folder.path().join("made/man1");
        printed(&["man", &pages.to_string_lossy()]);
        let mut names: Vec<String> = std::fs::read_dir(&pages)
            .expect("pages")
            .map(|page| page.expect("a page").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        for verb in
            ["", "-chain", "-blame", "-diff", "-check", "-explain", "-grammar", "-grammar-check", "-schema", "-man"]
        {
            assert!(names.contains(&format!("podlag{verb}.1")), "{verb}: {names:?}");
        }
        for name in &names {
            let path = pages.join(name).to_string_lossy().into_owned();
            let shown = real("man", "man-db", &["--warnings", "-E", "UTF-8", "-l", &path]);
            let title = name.trim_end_matches(".1");
            assert!(shown.to_lowercase().starts_with(&format!("{title}(1)")), "{name}:\n{shown}");
            assert!(shown.contains("SYNOPSIS") && shown.contains("podlag "), "{name}");
            real("mandoc", "mandoc", &["-T", "lint", "-W", "error", &path]);
        }
        let whole = printed(&["man"]);
        assert_eq!(
            whole,
            std::fs::read_to_string(pages.join("podlag.1")).expect("a page"),
            "one page, wherever it goes"
        );
        let shown =
            real("man", "man-db", &["--warnings", "-E", "UTF-8", "-l", &pages.join("podlag.1").to_string_lossy()]);
        for part in ["podlag-chain(1)", "--what-if", "Exit codes:", "journalctl -u kubelet -u containerd | podlag"] {
            assert!(shown.contains(part), "{part} is missing from:\n{shown}");
        }
    }

    #[test]
    fn kubectl_runs_it_as_a_plugin_under_its_own_name() {
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_podlag"), folder.path().join("kubectl-podlag")).expect("a link");
        let kubectl = |arguments: &[&str]| {
            Command::new("kubectl")
                .args(arguments)
                .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", folder.path().display()))
                .output()
                .expect("kubectl cannot be started: install it, in Debian the package kubernetes-client (./test does)")
        };
        let help = kubectl(&["podlag", "--help"]);
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(help.contains("Usage: kubectl podlag [OPTIONS] [INPUT]..."), "{help}");
        assert!(help.contains("journalctl -u kubelet -u containerd | kubectl podlag\n"), "{help}");
        let wrong = kubectl(&["podlag", "diff", "one"]);
        assert_eq!(wrong.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&wrong.stderr).contains("Usage: kubectl podlag diff <BEFORE> <AFTER>"),
            "{wrong:?}"
        );
        let input = crate::support::samples().join("hostile/in").to_string_lossy().into_owned();
        let (plugin, alone) = (kubectl(&["podlag", &input]), podlag().arg(&input).output().expect("podlag runs"));
        assert!(plugin.status.success() && plugin.stdout == alone.stdout, "{plugin:?}");
        assert!(printed(&["--help"]).contains("Usage: podlag [OPTIONS] [INPUT]..."));
    }

    #[test]
    fn a_release_names_its_commit_and_is_built_anew_only_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("build-script");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
        let made = Command::new("rustc").args(["--edition", "2024", "-o"]).args([&script, &source]).output();
        let made = made.expect("rustc runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let version = |lines: &[String]| {
            lines.iter().find_map(|line| line.strip_prefix("cargo:rustc-env=PODLAG_VERSION=")).map(str::to_owned)
        };
        let watched = |lines: &[String]| -> Vec<String> {
            lines.iter().filter_map(|line| line.strip_prefix("cargo:rerun-if-changed=")).map(str::to_owned).collect()
        };

        let bare = folder.path().join("bare");
        std::fs::create_dir(&bare).expect("a folder");
        let lines = build_script(&script, &bare, "release", None);
        assert_eq!(
            (version(&lines).as_deref(), watched(&lines)),
            (Some("1.2.3"), vec!["build.rs".to_owned()]),
            "no repository"
        );
        let lines = build_script(&script, &bare, "release", Some("abc"));
        assert_eq!(version(&lines).as_deref(), Some("1.2.3 (abc)"), "a commit that is told");

        let root = folder.path().join("root");
        let inner = root.join("vendored");
        std::fs::create_dir_all(&inner).expect("a folder");
        git(&root, &["init", "-q", "-b", "main"]);
        let commit = |words: &str| {
            git(&root, &["commit", "-q", "--allow-empty", "-m", words]);
            format!("1.2.3 ({})", git(&root, &["rev-parse", "--short=12", "HEAD"]))
        };
        let first = commit("first");
        assert_eq!(
            version(&build_script(&script, &inner, "release", None)).as_deref(),
            Some("1.2.3"),
            "somebody else's repository"
        );
        let lines = build_script(&script, &root, "debug", None);
        assert_eq!((version(&lines).as_deref(), watched(&lines).len()), (Some("1.2.3"), 1), "a build for development");
        let lines = build_script(&script, &root, "release", None);
        assert_eq!(version(&lines), Some(first));
        let stamps = |lines: &[String]| -> Vec<(String, Vec<u8>)> {
            let files = watched(lines).into_iter().filter(|file| file != "build.rs");
            files
                .map(|file| (file.clone(), std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"))))
                .collect()
        };
        let (before, second) = (stamps(&lines), commit("second"));
        assert_ne!(before, stamps(&lines), "a commit changes a file that is watched");
        assert_eq!(version(&build_script(&script, &root, "release", None)), Some(second.clone()));
        // A worktree has its HEAD elsewhere; a packed branch has no file of its own.
        let tree = folder.path().join("tree");
        git(&root, &["worktree", "add", "-q", &tree.to_string_lossy()]);
        git(&root, &["pack-refs", "--all"]);
        for place in [&tree, &root] {
            let lines = build_script(&script, place, "release", None);
            assert_eq!(version(&lines), Some(second.clone()), "{}", place.display());
            let before = stamps(&lines);
            assert!(before.iter().any(|(file, _)| file.ends_with("HEAD")), "{before:?}");
            git(place, &["commit", "-q", "--allow-empty", "-m", "third"]);
            assert_ne!(before, stamps(&lines), "{}", place.display());
        }
    }
}
