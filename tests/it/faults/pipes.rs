//! Signals, endless input, and outputs that are closed: at once, from the start, or in the middle.

use std::io::Read;
use std::process::{Command, Stdio};

use super::process::{Running, log, logged, logs};
use crate::support::podlag;

#[test]
fn a_pipe_without_a_writer_is_left_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("journal");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let mut running = Running::of(podlag().arg(&pipe));
    running.worked(1);
    // Its handler is there once it is on its way to read.
    running.until("it waits", |running| running.waits());
    running.signal("INT");
    let ended = running.end();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.out.contains("interrupted; results are partial"), "{}", ended.out);
}

const VERBS: [(&[&str], i32); 14] = [
    (&[], 0),
    (&["--format", "ndjson"], 0),
    (&["--format", "csv"], 0),
    (&["--format", "json"], 0),
    (&["--format", "markdown"], 0),
    (&["--format", "trace"], 0),
    (&["blame"], 0),
    (&["blame", "--format", "csv"], 0),
    (&["chain", "billing/web-02"], 0),
    // A verdict holds whether or not somebody reads it to its end.
    (&["check", "--fail-if", "max(running_s) > 1h"], 0),
    (&["check", "--fail-if", "p99(running_s) > 1h"], 4),
    (&["check", "--fail-if", "p99(running_s) > 1ms"], 1),
    (&["check", "--fail-if", "p99(running_s) > 1ms", "--format", "junit"], 1),
    (&["explain"], 0),
];

#[test]
fn a_file_is_written_whole_when_standard_output_or_error_is_closed() {
    let (folder, path) = logged();
    let whole = Running::of(podlag().args(["--format", "json"]).arg(&path)).end().out;
    for closed in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"] {
        let file = folder.path().join("report.json");
        let script = format!("exec \"$PODLAG\" \"$1\" no/such/file -o \"$2\" {closed}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, "sh"]).arg(&path).arg(&file).env("PODLAG", env!("CARGO_BIN_EXE_podlag"));
        let ended = Running::of(&mut shell).end();
        assert_eq!(ended.code, Some(2), "{closed}: one input is missing: {}", ended.err);
        // What goes nowhere must not end up in the file, which may have got the number of the closed one.
        let written = std::fs::read_to_string(&file).unwrap();
        let expected = whole.replace("\"unread_sources\": 0", "\"unread_sources\": 1");
        assert_eq!(written, expected, "{closed}");
        std::fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_reader_of_a_second_output_that_leaves_takes_nothing_along() {
    let (folder, path) = logged();
    let pipe = folder.path().join("out.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let running = Running::of(podlag().arg(&path).arg("-o").arg(&pipe));
    drop(std::fs::File::open(&pipe).unwrap());
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out.starts_with("20 pod starts"), "{}", ended.out);
}

mod slow {
    use super::*;

    #[test]
    fn a_second_signal_ends_it_at_once() {
        let temp = tempfile::tempdir().unwrap();
        for (first, second) in [("INT", "INT"), ("TERM", "TERM"), ("INT", "TERM")] {
            let mut child = podlag()
                .env("TMPDIR", temp.path())
                .args(["--memory", "1", "--part", "1", "--chunk", "4096", "--format", "ndjson"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
            std::io::Write::write_all(&mut input, logs().as_bytes()).unwrap();
            let begun = std::time::Instant::now();
            while std::fs::read_dir(temp.path()).unwrap().count() == 0 {
                assert!(begun.elapsed().as_secs() < 120, "nothing was written to the temporary folder");
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            let id = child.id().to_string();
            let kill = |signal: &str| {
                assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success())
            };
            kill(first);
            // The report is larger than a pipe holds, and nobody reads on: the program cannot end but by the second signal.
            output.read_exact(&mut [0; 1]).unwrap();
            assert!(child.try_wait().unwrap().is_none());
            kill(second);
            assert_eq!(child.wait().unwrap().code(), Some(130), "{first} {second}");
            assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "the temporary folder is left behind");
        }
    }

    #[test]
    fn a_log_without_end_is_reported_when_the_user_has_seen_enough() {
        for signal in ["INT", "TERM"] {
            let text = log();
            let mut running = Running::fed(podlag().args(["--format", "json"]), move |pipe| {
                loop {
                    pipe.write_all(text.as_bytes())?;
                }
            });
            running.worked(100);
            running.signal(signal);
            let ended = running.end();
            assert_eq!((ended.code, ended.signal), (Some(0), None), "{signal}: {}", ended.err);
            assert!(ended.err.contains("the result is partial"), "{signal}: {}", ended.err);
            let report = ended.json();
            assert_eq!(report["coverage"]["partial"], true, "{signal}");
            assert!(report["startups"].as_array().unwrap().len() >= 20, "{signal}");
        }
    }

    #[test]
    fn whoever_reads_may_stop_at_any_time() {
        let (_folder, path) = logged();
        for (verb, code) in VERBS {
            for wanted in [0, 1, 30] {
                let mut command = podlag();
                command.args(verb).args((verb != ["explain"]).then_some(&path));
                let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
                let mut output = child.stdout.take().unwrap();
                output.read_exact(&mut vec![0; wanted]).unwrap();
                drop(output);
                let ended = child.wait_with_output().unwrap();
                let said = String::from_utf8_lossy(&ended.stderr).into_owned();
                assert_eq!((ended.status.code(), said.as_str()), (Some(code), ""), "{verb:?} after {wanted} bytes");
            }
        }
    }
}
