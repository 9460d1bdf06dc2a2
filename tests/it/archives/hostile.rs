//! Archives that are damaged, or made to do harm.

use std::fs;
use std::path::Path;

use podlag::internals::analyze::{Options, analyze};
use podlag::internals::input::Source;

use super::collected::{Collected, FORMS, kind};
use super::{piped, run};
use crate::support::lines;

/// A member of a tar whose name is as it stands, whatever it is.
fn named(tar: &mut tar::Builder<Vec<u8>>, name: &str, kind: tar::EntryType, link: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    tar.append(&header, bytes).unwrap();
}

/// The rows of an archive, read in this process, and what is said of it.
fn read(path: &Path) -> (usize, Vec<String>) {
    let options = Options::new(&std::env::temp_dir()).expect("the built-in grammars load").threads(1);
    match analyze(&[Source::from_path(path)], &options, &Default::default()) {
        Ok(report) => (report.table.len(), report.coverage.source_errors),
        Err(error) => (0, vec![error.to_string()]),
    }
}

#[test]
fn names_and_links_lead_nowhere_but_into_the_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let (log, secret) = (kind().archive("tar"), root.join("secret.log"));
    fs::write(&secret, "I1123 19:04:09.880941 1 a.go:1] \"secret\"\n").unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    named(&mut tar, "../../up.log", tar::EntryType::Regular, "", b"a line\n");
    named(&mut tar, "a/../../up.log", tar::EntryType::Regular, "", b"a line\n");
    named(&mut tar, "/etc/absolute.log", tar::EntryType::Regular, "", b"a line\n");
    named(&mut tar, "etc/link.log", tar::EntryType::Symlink, secret.to_str().unwrap(), b"");
    named(&mut tar, "etc/above.log", tar::EntryType::Symlink, "../../secret.log", b"");
    named(&mut tar, "etc/folder", tar::EntryType::Symlink, "/", b"");
    named(&mut tar, "etc/folder/through.log", tar::EntryType::Regular, "", b"a line\n");
    named(&mut tar, "etc/hard.log", tar::EntryType::Link, "/etc/passwd", b"");
    named(&mut tar, "etc/tty", tar::EntryType::Char, "", b"");
    named(&mut tar, "twice.log", tar::EntryType::Regular, "", b"one\n");
    named(&mut tar, "./twice.log", tar::EntryType::Regular, "", b"two\n");
    named(&mut tar, "kind.tar", tar::EntryType::Regular, "", &log);
    fs::create_dir(root.join("in")).unwrap();
    fs::write(root.join("in/a.tar"), tar.into_inner().unwrap()).unwrap();
    let output = run(root, &["in/a.tar"], "json");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(!output.stdout.windows(6).any(|bytes| bytes == b"secret"), "links are not followed outside");
    let said = String::from_utf8_lossy(&output.stderr);
    for words in [
        "in/a.tar: 4 members skipped: the name leads out of the archive, or a link to nothing, first ../../up.log",
        "in/a.tar: 1 member replaced by a later one of the same name, first ./twice.log",
        "in/a.tar: 1 pipe or device skipped, first etc/tty",
        "in/a.tar: 3 symbolic links not followed: they lead nowhere or out of the archive, first etc/above.log",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(report["startups"].as_array().unwrap().len() >= 20, "the rest is read");
    let found: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(found.len(), 2, "nothing was written: {found:?}");
}

#[test]
fn an_archive_that_was_cut_gives_what_is_before_and_names_the_member() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let collected = kind();
    for form in FORMS {
        let archive = collected.archive(form);
        fs::write(root.join("a"), &archive).unwrap();
        let all = lines(&run(root, &["a"], "ndjson")).len();
        let part = if form == "zip" { archive.len() - 9 } else { archive.len() * 3 / 4 };
        fs::write(root.join("a"), &archive[..part]).unwrap();
        for output in [run(root, &["a"], "ndjson"), piped(root, &archive[..part], "ndjson")] {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if form == "zip" {
                assert!(
                    !output.status.success() && said.contains("the list at the archive's end cannot be read"),
                    "{said}"
                );
                continue;
            }
            let rows = lines(&output).len();
            assert!(output.status.success() && rows > 0 && rows <= all, "{form}: {rows} of {all}: {said}");
            assert!(said.contains("/shop-worker/") && said.contains("end"), "{form}: {said}");
        }
        let check = super::within(root).args(["check", "a", "--fail-if", "p99(running_s) > 1h"]).output().unwrap();
        assert_eq!(check.status.code(), Some(2), "{form}: what is partly read lets no check pass");
    }
}

#[test]
fn a_damaged_header_costs_its_member() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.tar");
    let mut tar = kind().archive("tar");
    fs::write(&path, &tar).unwrap();
    let (all, said) = read(&path);
    assert!(all >= 20 && said.is_empty(), "{said:?}");
    // The name of the member before the first log.
    tar[2] ^= 1;
    fs::write(&path, &tar).unwrap();
    let (rows, said) = read(&path);
    assert_eq!(rows, all);
    assert!(said.len() == 1 && said[0].contains("a.tar: the archive is damaged at byte 0"), "{said:?}");
}

#[test]
fn an_empty_archive_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for form in FORMS {
        for collected in [Collected::default(), Collected::default().file(".hidden/a.log", "a line\n")] {
            let archive = collected.archive(form);
            fs::write(root.join("a"), &archive).unwrap();
            let output = run(root, &["a"], "ndjson");
            let said = String::from_utf8_lossy(&output.stderr);
            let is_empty_tar = collected.0.is_empty() && form != "zip";
            // Zeros are no archive.
            let words = if is_empty_tar { "a: " } else { "a: the archive has no files to read" };
            assert!(!output.status.success() && said.contains(words), "{form}: {said}");
        }
    }
}

mod slow {
    use super::*;

    #[test]
    fn many_members_and_bombs_are_read_in_bounded_memory() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let mut many = tar::Builder::new(Vec::new());
        for number in 0..100_000 {
            named(&mut many, &format!("node-{}/{number}.log", number % 100), tar::EntryType::Regular, "", b"");
        }
        fs::write(root.join("many.tar"), many.into_inner().unwrap()).unwrap();
        let zeros = vec![0; 1 << 20];
        let line = "a line of a bomb\n".repeat(1 << 16);
        let mut bomb = zstd::Encoder::new(Vec::new(), 1).unwrap();
        {
            let mut tar = tar::Builder::new(&mut bomb);
            for (name, bytes) in [("zeros", zeros.as_slice()), ("lines.log", line.as_bytes())] {
                let mut header = tar::Header::new_gnu();
                let times = 1024;
                header.set_path(name).unwrap();
                header.set_mode(0o644);
                header.set_size(bytes.len() as u64 * times);
                header.set_cksum();
                let content = (0..times).fold(Box::new(std::io::empty()) as Box<dyn std::io::Read>, |before, _| {
                    Box::new(std::io::Read::chain(before, bytes))
                });
                tar.append(&header, content).unwrap();
            }
            tar.finish().unwrap();
        }
        fs::write(root.join("bomb.tar.zst"), bomb.finish().unwrap()).unwrap();
        for name in ["many.tar", "bomb.tar.zst"] {
            let command = format!("ulimit -v {}; exec \"$0\" {name} --format ndjson", 1 << 20);
            let program = std::process::Command::new("sh")
                .args(["-c", &command, env!("CARGO_BIN_EXE_podlag")])
                .current_dir(root)
                .output();
            let output = program.expect("sh runs");
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{name}: {said}");
        }
    }

    #[test]
    fn no_damage_makes_it_panic_or_run_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        let small = Collected::default()
            .file("node-1/a.log", "I1123 19:04:09.880941 1 a.go:1] \"x\"\n".repeat(300))
            .link("node-1/b.log", "a.log")
            .file("node-2/inner.tar.gz", Collected::default().file("a.log", "a line\n".repeat(100)).archive("tar.gz"))
            .file("node-2/inner.zip", Collected::default().file("a.log", "a line\n".repeat(100)).archive("zip"));
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % below
        };
        for form in FORMS {
            let sound = small.archive(form);
            for round in 0..80 {
                let mut archive = sound.clone();
                for _ in 0..=random(6) {
                    let at = random(archive.len());
                    archive[at] = random(256) as u8;
                }
                if round % 3 == 0 {
                    archive.truncate(random(archive.len()) + 1);
                }
                fs::write(&path, &archive).unwrap();
                let (rows, said) = read(&path);
                assert_eq!(rows, 0);
                let control = said.iter().flat_map(|line| line.chars()).find(|c| c.is_control() && *c != '\n');
                assert!(control.is_none(), "{said:?}");
            }
        }
    }
}
