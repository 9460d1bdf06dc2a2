//! The program itself: exit codes, pipes, inputs in every packing and frame, and nothing lost in silence.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{bare, lines, podlag, rows, samples, text, unpacked};
use serde_json::Value;

fn piped(input: &[u8], args: &[&str]) -> std::process::Output {
    let mut child = podlag()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("podlag starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&input));
    let output = child.wait_with_output().expect("it ends");
    let _ = writer.join();
    output
}

fn capture(name: &str) -> (std::path::PathBuf, String) {
    let path = samples().join(name).join("in/kubelet.log.zst");
    let content = text(&path);
    (path, content)
}

#[test]
fn the_record_of_the_announcement() {
    let rows = rows(&[&samples().join("announcement-1.27/in")]);
    let [row] = rows.as_slice() else { panic!("one row: {rows:?}") };
    assert_eq!(
        (row["namespace"].as_str(), row["pod"].as_str()),
        (Some("kube-system"), Some("konnectivity-agent-gnc9k"))
    );
    assert_eq!(row["created"], "2022-12-30T15:33:06.000000000Z");
    assert_eq!(row["watched"], "2022-12-30T15:33:13.375317944Z");
    assert!((row["total_s"].as_f64().unwrap() - 7.375_317_944).abs() < 1e-9);
    assert!(row["anomalies"].as_array().unwrap().contains(&Value::from("slo-overflow")));
    assert_eq!(row["slo_s"], Value::Null, "how long it pulled is not known");
    let pull = row["spans"].as_array().unwrap().iter().find(|span| span["phase"] == "image_pull").unwrap();
    assert_eq!((pull["precision"].as_str(), pull["min_s"].as_f64()), (Some("bounded"), Some(0.0)));
    assert!(pull["max_s"].as_f64().unwrap() < 7.0);
}

#[test]
fn exit_codes() {
    assert_eq!(piped(b"", &[]).status.code(), Some(3), "nothing found in an empty input");
    assert_eq!(piped(b"junk\n\x01\x02\xff\n", &[]).status.code(), Some(3));
    assert_eq!(podlag().arg("no/such/file").output().unwrap().status.code(), Some(2));
    assert_eq!(
        podlag().args(["--timezone", "Moon/Crater", "-"]).stdin(Stdio::null()).output().unwrap().status.code(),
        Some(2)
    );
    assert_eq!(podlag().args(["--nonsense"]).output().unwrap().status.code(), Some(2));
    assert_eq!(podlag().args(["explain", "nonsense"]).output().unwrap().status.code(), Some(2));
    assert_eq!(podlag().args(["explain", "image-pull-queued"]).output().unwrap().status.code(), Some(0));
    let path = capture("s01-cached").0;
    assert_eq!(podlag().arg(&path).output().unwrap().status.code(), Some(0));
    assert_eq!(podlag().args(["chain", "no/such"]).arg(&path).output().unwrap().status.code(), Some(3));
}

#[test]
fn one_missing_file_does_not_hide_the_others() {
    let output =
        podlag().arg(capture("s01-cached").0).arg("no/such/file").args(["--format", "ndjson"]).output().unwrap();
    assert_eq!((output.status.code(), lines(&output).len()), (Some(2), 20));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no/such/file"));
}

#[test]
fn a_named_pipe_is_read_once_and_whole() {
    let (path, content) = capture("s01-cached");
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("journal");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let child = podlag().arg(&pipe).args(["--format", "ndjson"]).stdout(Stdio::piped()).spawn().unwrap();
    std::fs::write(&pipe, content).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(bare(&lines(&output)), bare(&rows(&[&path])));
}

#[test]
fn an_interrupt_removes_what_was_written_to_the_temporary_folder() {
    let temp = tempfile::tempdir().unwrap();
    let mut child = podlag()
        .env("TMPDIR", temp.path())
        .args(["--memory", "1", "--part", "1", "--format", "ndjson", "--chunk", "4096"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    for name in ["s01-cached", "s02-pull-serial", "s12-burst"] {
        pipe.write_all(capture(name).1.as_bytes()).unwrap();
    }
    pipe.flush().unwrap();
    // The pipe stays open; rows are written as their starts settle.
    let written = || std::fs::read_dir(temp.path()).unwrap().count() > 0;
    for _ in 0..600 {
        if written() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(written(), "nothing was written to the temporary folder");
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    assert!(!lines(&output).is_empty(), "what is known is told");
    assert!(String::from_utf8_lossy(&output.stderr).contains("partial"));
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0, "the temporary folder is left behind");
    drop(pipe);
}

#[test]
fn a_closed_pipe_is_success() {
    let (path, _) = capture("s12-burst");
    let mut child =
        podlag().arg(path).args(["--format", "ndjson"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 10]).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_full_disk_is_told() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let output = podlag()
        .arg(capture("s01-cached").0)
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not be written"));
}

#[test]
fn prose_and_code_are_no_records() {
    let prose = b"grep 'Observed pod startup duration' kubelet.log\nklog.InfoS(\"Observed pod startup duration\", \"pod\", klog.KObj(pod))\nThe line \"Observed pod startup duration\" is written once.\n";
    assert_eq!(piped(prose, &["--format", "ndjson"]).stdout, b"");
}

#[test]
fn the_same_record_twice_counts_once_and_is_told() {
    let (_, content) = capture("v1.33-s01-cached");
    let record = content.lines().find(|line| line.contains("Observed pod startup duration")).unwrap();
    let output = piped(format!("{record}\n{record}\n").as_bytes(), &["--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["startups"].as_array().unwrap().len(), 1);
    assert_eq!(report["coverage"]["duplicate_records"], 1);
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let path = samples().join("hostile/in");
    for args in [vec![], vec!["--format", "ndjson"], vec!["--format", "json"]] {
        let output = podlag().args(&args).arg(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let control = |byte: &&u8| **byte < 0x20 && **byte != b'\n';
        assert_eq!(output.stdout.iter().find(control), None, "{args:?}");
        assert!(std::str::from_utf8(&output.stdout).is_ok());
    }
}

#[test]
fn hostile_text_of_a_stored_report_reaches_no_terminal_by_stderr_either() {
    let (path, _) = capture("s01-cached");
    let output = podlag().arg(path).args(["--format", "json"]).output().unwrap();
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["coverage"]["source_errors"] = serde_json::json!(["node-1.log: \u{1b}[31mred\u{1b}[2J"]);
    let output = piped(report.to_string().as_bytes(), &["--format", "ndjson"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("node-1.log:") && told.contains("red"), "{told:?}");
    assert!(!told.contains('\u{1b}'), "{told:?}");
}

#[test]
fn every_line_fits_eighty_columns() {
    let sample = samples().join("s02-pull-serial/in");
    let output = podlag().arg(&sample).env("COLUMNS", "80").output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    for line in shown.lines() {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 80, "{line}");
    }
    for part in [
        "created → running",
        "SLO",
        "where the time went",
        "causes, by likely time lost",
        "image-pull-queued",
        "slowest",
        "read ",
    ] {
        assert!(shown.contains(part), "{part} is missing from:\n{shown}");
    }
    let crashed = samples().join("s09-crashloop/in");
    let output = podlag().arg("chain").arg("shop/crashslow-0").arg(&crashed).env("COLUMNS", "80").output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("anomaly crash-loop"), "{shown}");
    // Into a pipe, evidence is not clipped.
    for line in shown.lines().filter(|line| !line.starts_with("       ")) {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 80, "{line}");
    }
}

#[test]
fn a_users_own_grammar_is_checked_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.toml");
    let own = "title = 't'\ndescription = 'd'\ndefined-in = 'x'\nversions = '1'\ncomponent = 'kubelet'\n[[message]]\nname = 'own'\nabout = 'a'\nliteral = 'Our agent took'\ntext = 'Our agent took the pod'\nyields = 'pod-admitted'\n[[message.example]]\nline = '''I1123 19:00:56.024962   25917 agent.go:1] \"Our agent took the pod\" pod=\"a/b\"'''\ngives = { pod = 'a/b' }\n";
    std::fs::write(&file, own).unwrap();
    assert_eq!(podlag().args(["grammar", "check"]).arg(&file).output().unwrap().status.code(), Some(0));
    std::fs::write(&file, own.replace("gives = { pod = 'a/b' }", "gives = { pod = 'a/c' }")).unwrap();
    assert_eq!(podlag().args(["grammar", "check"]).arg(&file).output().unwrap().status.code(), Some(2));
    assert_eq!(
        podlag()
            .arg(Path::new("-"))
            .arg("--grammar")
            .arg(folder.path().join("missing.toml"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn an_interrupt_prints_what_is_known_so_far() {
    let (_, content) = capture("s01-cached");
    let mut child = podlag().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(content.as_bytes()).unwrap();
    // The pipe stays open and silent: only the interrupt can end the run.
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    drop(pipe);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("20 pod starts"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("partial"));
}

mod external {
    use super::*;

    #[test]
    fn the_real_journalctl_in_every_form_gives_the_same_rows() {
        let sample = samples().join("s07-pull-backoff");
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("system.journal");
        std::fs::write(&journal, unpacked(&sample.join("journal/system.journal.zst"))).unwrap();
        let expected = bare(&rows(&[&sample.join("in/kubelet.log.zst")]));
        let forms = [
            "short",
            "short-full",
            "short-iso",
            "short-iso-precise",
            "short-precise",
            "short-monotonic",
            "short-unix",
            "with-unit",
            "verbose",
            "cat",
            "json",
            "json-pretty",
            "json-sse",
            "json-seq",
            "export",
        ];
        for form in forms {
            let printed = Command::new("journalctl")
                .env("TZ", "UTC")
                .arg("--file")
                .arg(&journal)
                .args(["--no-pager", "--all", "-u", "kubelet", "-o", form])
                .output();
            let printed =
                printed.expect("journalctl is needed for this test: install systemd (apt-get install systemd)");
            assert!(
                !printed.stdout.is_empty(),
                "journalctl -o {form} prints nothing: {}",
                String::from_utf8_lossy(&printed.stderr)
            );
            let got = bare(&lines(&piped(&printed.stdout, &["--format", "ndjson"])));
            assert_eq!(got.len(), expected.len(), "-o {form}");
            assert_eq!(got, expected, "-o {form}");
        }
    }
}

mod slow {
    use super::*;

    #[test]
    fn a_record_cut_anywhere_gives_no_wrong_number() {
        for name in ["v1.26-s02-pull-serial", "v1.33-s02-pull-serial", "s02-pull-serial"] {
            let (_, content) = capture(name);
            let record = content.lines().find(|line| line.contains("Observed pod startup duration")).unwrap();
            let whole = lines(&piped(record.as_bytes(), &["--format", "ndjson"])).remove(0);
            for at in (record.find(" pod=").unwrap()..record.len()).step_by(7) {
                for row in lines(&piped(&record.as_bytes()[..at], &["--format", "ndjson"])) {
                    for column in ["created", "running", "watched", "total_s"] {
                        assert!(
                            row[column].is_null() || row[column] == whole[column],
                            "{name} cut at {at}: {column} {}",
                            row[column]
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn packings_pipes_and_splits_give_the_same_rows() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["s07-pull-backoff", "s10-static-restart", "s01-cached-json"] {
            let (path, content) = capture(name);
            let expected = bare(&rows(&[&path]));
            assert_eq!(
                bare(&lines(&piped(content.as_bytes(), &["--format", "ndjson"]))),
                expected,
                "{name} through a pipe"
            );
            let write = |file: &str, bytes: &[u8]| {
                let path = folder.path().join(format!("{name}-{file}"));
                std::fs::write(&path, bytes).unwrap();
                path
            };
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(content.as_bytes()).unwrap();
            let gzip = write("gzip", &gzip.finish().unwrap());
            assert_eq!(bare(&rows(&[&gzip])), expected, "{name} as gzip");
            let crlf = write("crlf", content.replace('\n', "\r\n").as_bytes());
            assert_eq!(bare(&rows(&[&crlf])), expected, "{name} with CR LF");
            for part in 1..5 {
                let at = content[..content.len() * part / 5].rfind('\n').unwrap() + 1;
                let (first, second) =
                    (write("first", &content.as_bytes()[..at]), write("second", &content.as_bytes()[at..]));
                assert_eq!(bare(&rows(&[&first, &second])), expected, "{name} in two files, cut at {at}");
                assert_eq!(
                    bare(&rows(&[&second, &first])),
                    expected,
                    "{name} in two files the other way round, cut at {at}"
                );
            }
            for threads in 1..=8 {
                let output = podlag()
                    .arg(&path)
                    .args(["--format", "ndjson", "--threads", &threads.to_string()])
                    .output()
                    .unwrap();
                assert_eq!(bare(&lines(&output)), expected, "{name} with {threads} threads");
            }
        }
    }
}

#[test]
fn a_mistyped_command_and_an_unknown_pod_have_neighbours() {
    let output = podlag().args(["explian", "image-pull-queued"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean the command podlag explain?"), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("no such file"), "the hint alone: {output:?}");
    let capture = samples().join("s02-pull-serial/in");
    let output = podlag().arg("blmae").arg(&capture).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean the command podlag blame?"), "{output:?}");
    let near = |pod: &str, more: &[&str]| {
        let output = podlag().args(["chain", pod]).args(more).arg(&capture).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{pod}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(near("shop/app-61", &[]).contains("did you mean shop/app-01, "), "{}", near("shop/app-61", &[]));
    assert!(near("ap-16", &[]).contains("did you mean shop/app-16"), "{}", near("ap-16", &[]));
    assert!(near("nobody-like-this", &[]).contains("podlag blame lists the pods"));
    let hidden = near("shop/app-61", &["--anonymize"]);
    assert!(hidden.contains("\"shop/app-61\"") && !hidden.contains("ns-"), "the user's own words: {hidden}");
}

#[test]
fn hints_name_the_command_that_was_meant() {
    let said = |arguments: &[&str]| {
        let output = podlag().args(arguments).current_dir(samples()).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap()
    };
    // Its flags are unknown only because the command is.
    let flags = said(&["blam", "--by", "cause", "s08-cni"]);
    assert!(flags.contains("did you mean the command podlag blame?") && !flags.contains("-- --by"), "{flags}");
    assert!(said(&["s08-cni", "--by", "cause"]).contains("unexpected argument '--by'"), "an input is no command");
    let option = said(&["blame", "-o", "b.html", "s08-cni"]);
    assert!(option.contains("unexpected argument '-o'") && !option.contains("did you mean"), "{option}");
    assert!(said(&["--year", "26", "s08-cni"]).contains("26 is not in 1970..=2261"));
    let folder = said(&["chain", "s08-cni"]);
    assert!(folder.contains("podlag chain NAMESPACE/POD s08-cni"), "{folder}");
    // The inputs of one folder are one side's.
    let [before, after] =
        ["s08-cni", "s12-burst"].map(|side| ["kubelet", "containerd"].map(|log| format!("{side}/in/{log}.log.zst")));
    let sides = said(&["diff", &before[0], &before[1], &after[0], &after[1]]);
    let command = format!("podlag diff {} --after {}", before.join(" "), after.join(" "));
    assert!(sides.contains(&command), "{sides}");
    let none = said(&["s12-burst/metrics-before.txt.zst"]);
    assert!(none.contains("the metrics count no pod that started"), "{none}");
}

#[test]
fn a_time_of_today_that_filters_nothing_is_told() {
    let capture = samples().join("s02-pull-serial/in");
    let said = |arguments: &[&str]| {
        let output = podlag().args(arguments).arg(&capture).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    for time in [["--until", "19:01"], ["--since", "0:00"]] {
        assert!(said(&time).contains(&format!("{} is a time of today", time[1])), "{time:?}: {}", said(&time));
    }
    assert_eq!(said(&["--until", "2026-11-23T19:01"]), "");
    assert_eq!(said(&["--since", "2026-11-23"]), "");
}

#[test]
fn a_missing_input_beside_good_ones_is_told_and_no_success() {
    let capture = samples().join("s02-pull-serial/in");
    let (path, other) = (capture.to_str().unwrap(), samples().join("s03-pull-parallel3/in"));
    let other = other.to_str().unwrap();
    for arguments in [
        vec![path, "no/such.log"],
        vec!["blame", path, "no/such.log"],
        vec!["chain", "shop/app-16", path, "no/such.log"],
        vec!["diff", path, other, "--after", other, "no/such.log"],
        vec!["check", "--fail-if", "count() > 100", path, "no/such.log"],
    ] {
        let output = podlag().args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stdout.is_empty() || arguments[0] == "check", "{arguments:?}: the others are shown");
        assert!(String::from_utf8_lossy(&output.stderr).contains("no/such.log: no such file"), "{arguments:?}");
    }
}

/// A hint is a command that works as it stands.
#[test]
fn hints_have_the_real_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("my kubelet.log.zst");
    std::fs::copy(samples().join("s02-pull-serial/in/kubelet.log.zst"), &log).unwrap();
    let output = podlag().arg(&log).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let hint =
        text.lines().map(str::trim).find(|line| line.contains("podlag chain ")).unwrap_or_else(|| panic!("{text}"));
    let hint = hint.split(" · ").find(|hint| hint.starts_with("podlag chain ")).unwrap();
    let (pod, input) = hint.strip_prefix("podlag chain ").unwrap().split_once(' ').unwrap();
    assert_eq!(input, format!("'{}'", log.display()));
    assert_eq!(podlag().args(["chain", pod]).arg(&log).output().unwrap().status.code(), Some(0));
    let hidden = podlag().arg(&log).arg("--anonymize").output().unwrap();
    let hidden = String::from_utf8(hidden.stdout).unwrap();
    assert!(!hidden.contains("podlag chain") && hidden.contains("podlag explain"), "{hidden}");
}

/// With the key of an earlier output a startup is found by its pseudonym there, and by its real name.
#[test]
fn a_pseudonym_of_the_same_key_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "0123456789abcdef0123456789abcdef").unwrap();
    let input = samples().join("s02-pull-serial/in");
    let run = |arguments: &[&str]| {
        let output = podlag().args(arguments).arg("--anonymize-key").arg(&key).arg(&input).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let real = run(&["chain", "shop/app-16"]);
    let pseudonym = real.split(' ').next().unwrap();
    assert!(pseudonym.starts_with("ns-"), "{real}");
    assert_eq!(run(&["chain", pseudonym]), real);
}
