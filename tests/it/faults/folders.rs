//! Folders of very many files, and of files that cannot be read.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::process::{Running, log};

/// The program behind a shell that sets limits.
fn limited(limits: &str, folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limits} exec \"$PODLAG\" {arguments}")]);
    command.current_dir(folder).env("PODLAG", env!("CARGO_BIN_EXE_podlag"));
    command
}

#[test]
fn what_cannot_be_read_in_a_folder_is_told_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a.log"), log()).unwrap();
    fs::write(at("denied.log"), "x").unwrap();
    fs::set_permissions(at("denied.log"), fs::Permissions::from_mode(0o0)).unwrap();
    fs::create_dir(at("denied")).unwrap();
    fs::set_permissions(at("denied"), fs::Permissions::from_mode(0o0)).unwrap();
    symlink("nowhere", at("dangling.log")).unwrap();
    symlink("round.log", at("round.log")).unwrap();
    symlink("/proc/self/mem", at("failing.log")).unwrap();
    symlink("/dev/zero", at("device.log")).unwrap();
    symlink(".", at("again")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    assert!(Command::new("mkfifo").arg(at("pipe.log")).status().expect("mkfifo").success());
    fs::write(at("image.bin"), b"\x7fELF\0\0\0").unwrap();
    // Permissions do not hold for root with its capabilities; without them they do.
    let root = Command::new("id").arg("-u").output().expect("id").stdout == b"0\n";
    let mut command = Command::new(if root { "setpriv" } else { "env" });
    command.args(if root { &["--bounding-set=-all", "--inh-caps=-all"][..] } else { &[] });
    command.arg(env!("CARGO_BIN_EXE_podlag")).args([".", "--format", "json"]).current_dir(folder.path());
    let ended = Running::of(&mut command).end();
    fs::set_permissions(at("denied"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(ended.code, Some(0), "setpriv is in util-linux: {}", ended.err);
    for told in [
        "denied.log: permission denied",
        "denied: permission denied",
        "dangling.log: it is a broken symbolic link",
        "round.log: it is a broken symbolic link",
        "failing.log: read error: Input/output error",
        "device.log: it is a pipe, a socket or a device",
        "socket: it is a pipe, a socket or a device",
        "pipe.log: it is a pipe, a socket or a device",
        "image.bin: it is a program (ELF), not a log",
    ] {
        assert_eq!(ended.err.matches(told).count(), 1, "{told}: {}", ended.err);
    }
    assert!(!ended.err.contains("again"), "a folder is entered once: {}", ended.err);
    let report = ended.json();
    assert_eq!(report["startups"].as_array().unwrap().len(), 20);
    assert!(report["coverage"]["unread_sources"].as_u64().unwrap() >= 5, "{}", report["coverage"]);
    // Alone, each is an error; the codes are those of --help.
    for name in ["denied.log", "dangling.log", "round.log", "image.bin"] {
        let mut command = Command::new(if root { "setpriv" } else { "env" });
        command.args(if root { &["--bounding-set=-all", "--inh-caps=-all"][..] } else { &[] });
        let ended = Running::of(command.arg(env!("CARGO_BIN_EXE_podlag")).arg(at(name))).end();
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{name}: {}", ended.err);
        assert!(ended.err.contains(name), "{name}: {}", ended.err);
    }
}

mod slow {
    use super::*;

    #[test]
    fn ten_thousand_files_are_read_with_few_descriptors_and_little_memory() {
        let folder = tempfile::tempdir().unwrap();
        let record = log().lines().find(|line| line.contains("Observed pod startup")).unwrap().to_owned();
        fs::create_dir(folder.path().join("logs")).unwrap();
        let from = record.find("pod=\"").unwrap() + 5;
        let to = from + record[from..].find('"').unwrap();
        for number in 0..10_000 {
            let text = format!("{}shop/web-{number}{}\n", &record[..from], &record[to..]);
            // Some are longer than what is read of one at once, and take several turns.
            let text = if number % 1000 == 0 { format!("{text}{}", "a line\n".repeat(30_000)) } else { text };
            fs::write(folder.path().join(format!("logs/{number:05}.log")), text).unwrap();
        }
        let ended = Running::of(&mut limited("ulimit -n 64;", folder.path(), "logs --format json")).end();
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
        let report = ended.json();
        assert_eq!(report["startups"].as_array().unwrap().len(), 10_000);
        let coverage = &report["coverage"];
        assert_eq!((&coverage["lines"], &coverage["unread_sources"]), (&310_000.into(), &0.into()));
        assert!(ended.peak < 400, "{} MiB", ended.peak);
    }
}
