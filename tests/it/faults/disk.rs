//! Disks that are full, read-only or gone, under results and under the temporary folder.

use super::process::{Running, log, logged, logs, on_a_tiny_disk, run};
use crate::support::podlag;

const FORMATS: [&str; 9] = ["html", "json", "parquet", "csv", "ndjson", "md", "txt", "trace.json", "folder/"];

#[test]
fn every_form_of_every_verb_tells_that_standard_output_is_full() {
    let (_folder, path) = logged();
    let verbs: [&[&str]; 14] = [
        &["--format", "text"],
        &["--format", "ndjson"],
        &["--format", "csv"],
        &["--format", "json"],
        &["--format", "markdown"],
        &["--format", "trace"],
        &["blame"],
        &["blame", "--format", "json"],
        &["chain", "billing/web-02"],
        &["check", "--fail-if", "p99(running_s) > 1h"],
        &["check", "--fail-if", "p99(running_s) > 1h", "--format", "junit"],
        &["check", "--columns"],
        &["explain"],
        &["grammar", "list"],
    ];
    for verb in verbs {
        let reads = !matches!(verb, ["explain"] | ["grammar", _] | ["check", "--columns"]);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let mut command = podlag();
        command.args(verb).args(reads.then_some(&path)).stdout(full);
        let output = command.output();
        let output = output.expect("podlag runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{verb:?}: {said}");
        assert!(said.contains("could not be written: No space left on device"), "{verb:?}: {said}");
    }
}

#[test]
fn a_temporary_folder_that_is_removed_under_way_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let text = logs();
    let mut running =
        Running::fed(podlag().env("TMPDIR", temp.path()).args(["--memory", "1", "--part", "1", "--chunk", "4096"]), {
            let folder = temp.path().to_path_buf();
            move |pipe| {
                pipe.write_all(text.as_bytes())?;
                pipe.flush()?;
                // The pipe stays open until the folder is gone.
                while !folder.join("removed").exists() {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                pipe.write_all(text.as_bytes())?;
                Ok(())
            }
        });
    let made = |folder: &std::path::Path| {
        std::fs::read_dir(folder).unwrap().filter_map(|entry| Some(entry.ok()?.path())).find(|path| path.is_dir())
    };
    running.until("rows are in the temporary folder", |_| {
        made(temp.path()).is_some_and(|folder| std::fs::read_dir(folder).unwrap().count() > 0)
    });
    std::fs::remove_dir_all(made(temp.path()).unwrap()).unwrap();
    std::fs::write(temp.path().join("removed"), "").unwrap();
    let ended = running.end();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("No such file or directory"), "{}", ended.err);
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
}

mod external {
    use super::*;

    #[test]
    fn a_full_disk_leaves_no_half_of_a_file() {
        let (folder, _) = logged();
        for form in FORMATS {
            // A file of an earlier run stays as it is.
            let script = format!(
                "echo before > tiny/r.{form}; cat /dev/zero > tiny/fill 2>/dev/null; $PODLAG kubelet.log -o tiny/r.{form} -o \
             beside.json; echo \"code $?\"; ls -A tiny; cat tiny/r.{form}; test -s beside.json && echo beside"
            );
            let script = if form.ends_with('/') { script.replace("echo before > ", "mkdir ") } else { script };
            let ended = on_a_tiny_disk(folder.path(), "size=16k", &script);
            assert!(ended.err.contains(&format!("tiny/r.{form}: ")), "{form}: {}", ended.err);
            assert!(ended.err.contains("No space left on device"), "{form}: {}", ended.err);
            let after = ended.out.split("\ncode ").nth(1).unwrap_or_else(|| panic!("{form}: {}", ended.out));
            let kept = if form.ends_with('/') { "" } else { "before\n" };
            assert_eq!(after, format!("2\nfill\nr.{}\n{kept}beside\n", form.trim_end_matches('/')), "{form}");
            assert!(ended.out.starts_with("20 pod starts"), "the summary is told all the same: {}", ended.out);
        }
    }

    #[test]
    fn a_full_disk_leaves_no_half_of_a_picture() {
        let (folder, _) = logged();
        let script = "cat /dev/zero > tiny/fill 2>/dev/null; $PODLAG chain billing/web-02 kubelet.log -o tiny/r.svg; echo \
                  \"code $?\"; ls -A tiny";
        let ended = on_a_tiny_disk(folder.path(), "size=16k", script);
        assert!(ended.out.ends_with("code 2\nfill\n"), "{}", ended.out);
        assert!(ended.err.contains("tiny/r.svg: ") && ended.err.contains("No space left"), "{}", ended.err);
    }

    #[test]
    fn a_full_temporary_folder_is_told_and_left_clean() {
        let (folder, _) = logged();
        let script =
            "TMPDIR=$PWD/tiny $PODLAG --memory 1 --part 1 --chunk 4096 kubelet.log; echo \"code $?\"; ls -A tiny";
        let ended = on_a_tiny_disk(folder.path(), "size=64k", script);
        assert_eq!(ended.out, "code 2\n", "{ended:?}");
        assert!(ended.err.contains("temporary folder: No space left on device"), "{}", ended.err);
        assert!(ended.err.contains("TMPDIR"), "what to do: {}", ended.err);
    }

    #[test]
    fn a_temporary_folder_that_is_not_there_or_cannot_be_written_is_told() {
        let (folder, path) = logged();
        let gone = folder.path().join("gone");
        let ended = Running::of(podlag().env("TMPDIR", &gone).args(["--memory", "1", "--part", "1"]).arg(&path)).end();
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
        assert!(ended.err.contains(&*gone.to_string_lossy()) && ended.err.contains("TMPDIR"), "{}", ended.err);
        let ended = Running::of(podlag().env("TMPDIR", &gone).arg(&path)).end();
        assert_eq!(ended.code, Some(0), "it is not needed for few startups: {}", ended.err);
        let script = "TMPDIR=$PWD/tiny $PODLAG --memory 1 --part 1 kubelet.log; echo \"code $?\"";
        let ended = on_a_tiny_disk(folder.path(), "ro", script);
        assert_eq!(ended.out, "code 2\n");
        assert!(ended.err.contains("Read-only file system"), "{}", ended.err);
    }

    #[test]
    fn a_result_that_cannot_be_put_there_is_told() {
        let (folder, path) = logged();
        let at = |name: &str| folder.path().join(name).into_os_string();
        let no_folder = run([at("kubelet.log"), "-o".into(), at("none/report.json")]);
        assert_eq!(no_folder.code, Some(2));
        assert!(no_folder.err.contains("none/report.json: no such folder"), "{}", no_folder.err);
        let in_a_file = run([at("kubelet.log"), "-o".into(), at("kubelet.log/")]);
        assert_eq!(in_a_file.code, Some(2), "{}", in_a_file.err);
        let below_a_file = run([at("kubelet.log"), "-o".into(), at("kubelet.log/x/")]);
        assert_eq!(below_a_file.code, Some(2), "{}", below_a_file.err);
        assert!(below_a_file.err.contains("kubelet.log/x/"), "{}", below_a_file.err);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), log(), "the input is as it was");
        // A folder takes all tables, whatever its name ends in.
        std::fs::create_dir(at("report.json")).unwrap();
        let in_a_folder = run([at("kubelet.log"), "-o".into(), at("report.json")]);
        assert_eq!(in_a_folder.code, Some(0));
        assert!(folder.path().join("report.json/startups").is_dir());
        for (form, target) in FORMATS.iter().map(|form| (form, format!("tiny/r.{form}"))) {
            let script = format!("$PODLAG kubelet.log -o {target} >/dev/null; echo \"code $?\"");
            let ended = on_a_tiny_disk(folder.path(), "ro", &script);
            assert_eq!(ended.out, "code 2\n", "{form}");
            assert!(
                ended.err.contains(&target) && ended.err.contains("Read-only file system"),
                "{form}: {}",
                ended.err
            );
        }
    }
}
