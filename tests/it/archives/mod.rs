//! Archives give what their folders give, whatever they are and however they come; what is wrong with them is told and costs no more.

pub mod collected;
mod hostile;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use collected::{Collected, FORMS, compress};

use crate::support::{lines, podlag, samples, unpacked};

fn within(folder: &Path) -> Command {
    let mut command = podlag();
    command.current_dir(folder);
    command
}

fn run(folder: &Path, inputs: &[&str], format: &str) -> Output {
    within(folder).args(inputs).args(["--format", format]).output().expect("podlag runs")
}

fn piped(folder: &Path, bytes: &[u8], format: &str) -> Output {
    let mut command = within(folder);
    command.args(["-", "--format", format]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("podlag runs");
    let mut pipe = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        scope.spawn(move || pipe.write_all(bytes));
        child.wait_with_output().expect("it ends")
    })
}

/// What was printed and said, with the input's name as if it were the folder's.
fn told(output: &Output, name: &str) -> (String, String) {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        match name {
            "-" => text.replace("stdin/", "collected/").replace("\"-\"", "\"collected\""),
            name => text.replace(name, "collected"),
        }
    };
    (text(&output.stdout), text(&output.stderr))
}

/// Whether an archive in every form, by file and by pipe, gives the report of its folder.
fn gives_its_folder(collected: &Collected, starts: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    collected.unpack(&root.join("collected"));
    let expected = told(&run(root, &["collected"], "json"), "collected");
    let rows = told(&run(root, &["collected"], "ndjson"), "collected");
    assert!(rows.0.lines().count() >= starts, "{} {}", rows.0.lines().count(), rows.1);
    for form in FORMS {
        let name = format!("collected.{form}");
        let archive = collected.archive(form);
        fs::write(root.join(&name), &archive).unwrap();
        assert!(told(&run(root, &[&name], "json"), &name) == expected, "{form}");
        assert!(told(&run(root, &[&name], "ndjson"), &name) == rows, "{form}");
        assert!(told(&piped(root, &archive, "json"), "-") == expected, "{form} through a pipe");
        fs::remove_file(root.join(&name)).unwrap();
    }
}

#[test]
fn exported_logs_of_kind_give_the_report_of_their_folder() {
    gives_its_folder(&collected::kind(), 20);
}

#[test]
fn a_must_gather_gives_the_report_of_its_folder() {
    gives_its_folder(&collected::must_gather(), 20);
}

#[test]
fn a_sosreport_gives_the_report_of_its_folder() {
    gives_its_folder(&collected::sosreport(), 10);
}

#[test]
fn archives_in_folders_and_in_archives_are_opened_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let inner = collected::kind();
    fs::create_dir(root.join("all")).unwrap();
    inner.unpack(&root.join("all/inner"));
    let expected = told(&run(root, &["all"], "ndjson"), "all").0;
    fs::remove_dir_all(root.join("all/inner")).unwrap();
    fs::write(root.join("all/inner.tar.gz"), inner.archive("tar.gz")).unwrap();
    let packed = |output: &Output, name: &str, inner: &str| told(output, name).0.replace(inner, "inner/");
    assert!(packed(&run(root, &["all"], "ndjson"), "all", "inner.tar.gz/") == expected, "in a folder");
    for (inner_form, form) in [("tar.xz", "zip"), ("zip", "tar.gz"), ("tar", "tar"), ("zip", "zip")] {
        let name = format!("inner.{inner_form}");
        let outer = Collected::default().file(&name, inner.archive(inner_form));
        fs::write(root.join("outer"), outer.archive(form)).unwrap();
        let output = run(root, &["outer"], "ndjson");
        assert!(packed(&output, "outer", &format!("{name}/")) == expected, "{inner_form} in {form}");
        let deep = Collected::default().file("outer", outer.archive(form)).file("a.log", "a line\n");
        fs::write(root.join("deep"), deep.archive(form)).unwrap();
        let output = run(root, &["deep"], "ndjson");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(lines(&output).len(), 0);
        assert!(said.contains(&format!("deep/outer/{name}: it is a ")) && said.contains("Extract it"), "{said}");
    }
}

#[test]
fn a_journal_in_an_archive_gives_the_rows_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let journal = unpacked(&samples().join("s07-pull-backoff/journal/system.journal.zst"));
    fs::write(root.join("system.journal"), &journal).unwrap();
    let expected = told(&run(root, &["system.journal"], "ndjson"), "system.journal").0;
    assert!(expected.lines().count() >= 5);
    for (name, bytes) in [("system.journal", journal.clone()), ("system.journal.xz", compress("xz", &journal))] {
        for form in FORMS {
            fs::write(root.join("journals"), Collected::default().file(name, bytes.clone()).archive(form)).unwrap();
            let output = run(root, &["journals"], "ndjson");
            let name = format!("journals/{name}");
            assert!(told(&output, &name) == (expected.clone(), String::new()), "{name} in {form}");
        }
    }
}

#[test]
fn a_table_in_an_archive_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let sample = samples().join("s01-cached/in");
    let written = podlag().arg(sample).arg("-o").arg(root.join("t.parquet")).output().expect("podlag runs");
    assert!(written.status.success());
    let expected = run(root, &["t.parquet"], "ndjson").stdout;
    let table = Collected::default().file("nodes/t.parquet", fs::read(root.join("t.parquet")).unwrap());
    for form in ["tar.gz", "zip"] {
        fs::write(root.join("tables"), table.archive(form)).unwrap();
        let output = run(root, &["tables"], "ndjson");
        assert!(
            !expected.is_empty() && output.stdout == expected,
            "{form} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Lines of plain klog and of containerd name no node; where each node's folders are several, the one above them does.
#[test]
fn nodes_are_named_by_the_folder_above_those_of_a_node() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let plain = Collected::default()
        .sample("s01-cached", "node-1/kubelet.log", "node-1/containerd.log")
        .sample("s07-pull-backoff", "node-2/kubelet.log", "node-2/containerd.log")
        .nameless();
    let agent = |node: &str, file: &str| format!("{node}/var/lib/rancher/rke2/agent/{file}");
    let rke2 = Collected::default()
        .sample("s01-cached", &agent("node-1", "logs/kubelet.log"), &agent("node-1", "containerd/containerd.log"))
        .sample("s07-pull-backoff", &agent("node-2", "logs/kubelet.log"), "node-2/var/log/containerd.log")
        .nameless();
    let rows = |collected: &Collected, form: &str| {
        fs::write(root.join("a"), collected.archive(form)).unwrap();
        let rows = lines(&run(root, &["a"], "ndjson"));
        let nodes: Vec<String> = rows.iter().map(|row| row["node"].as_str().expect("a node").to_owned()).collect();
        (nodes, crate::support::bare(&rows))
    };
    let expected = rows(&plain, "tar");
    assert!(expected.0.iter().any(|node| node == "node-1") && expected.0.iter().any(|node| node == "node-2"));
    assert!(rows(&rke2, "tar.gz") == expected);
    rke2.unpack(&root.join("folder"));
    let unpacked = lines(&run(root, &["folder"], "ndjson"));
    assert!(crate::support::bare(&unpacked) == expected.1);
}
