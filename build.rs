//! Names the commit that a release is built from. Without one (a source archive) the version stands alone; a build for development
//! names none either, for it would be built anew with every commit.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "this is how a build script hears and speaks")]

use std::env::var;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PODLAG_COMMIT");
    let version = var("CARGO_PKG_VERSION").unwrap_or_default();
    let release = var("PROFILE").is_ok_and(|profile| profile == "release");
    let root = PathBuf::from(var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let given = var("PODLAG_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(|| if release { commit(&root) } else { None });
    let commit = commit.map_or(String::new(), |commit| format!(" ({commit})"));
    println!("cargo:rustc-env=PODLAG_VERSION={version}{commit}");
}

/// The commit that is checked out; none where the sources are not a repository of their own.
fn commit(root: &Path) -> Option<String> {
    let top = PathBuf::from(git(root, &["rev-parse", "--show-toplevel"])?);
    if top.canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    // HEAD changes with the branch, the log of HEAD with each commit; where no log is kept, the branch's own file does.
    let branch = git(root, &["symbolic-ref", "-q", "HEAD"]);
    for file in ["HEAD", "logs/HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        let path = git(root, &["rev-parse", "--git-path", file]).map(|path| root.join(path));
        // A file that is not there would have this run each time.
        if let Some(path) = path.filter(|path| path.exists()) {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    git(root, &["rev-parse", "--short=12", "HEAD"])
}

fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}
