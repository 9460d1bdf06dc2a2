//! CRI-O: on captures of real kubelets with CRI-O 1.35 its log beside the kubelet's makes no answer worse, and its pulls are
//! the pods' own, also where its times have no fractions of a second. `tests/crio` holds the logs, what was done to each pod
//! (`truth.json`), and the pods' events.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::causes::DONE;
use crate::support::{report, text};
use crate::user_logs::{own_pulls, own_pulls_within};

fn captures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crio");
    let entries = std::fs::read_dir(root).expect("the captures");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    assert!(found.len() >= 4, "{found:?}");
    found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Right,
    /// No cause, or one that says that the input cannot tell.
    Honest,
    Wrong,
}

/// A line of CRI-O as its JSON logging writes it: times in whole seconds, keys in the order of the alphabet.
fn as_json(line: &str) -> String {
    let Some(rest) = line.strip_prefix("time=\"") else { return line.into() };
    let (time, rest) = rest.split_once("\" level=").expect("a level");
    let (level, rest) = rest.split_once(" msg=\"").expect("a message");
    let end = (1..rest.len()).find(|at| rest[*at..].starts_with('"') && !rest[..*at].ends_with('\\'));
    let (message, keys) = rest.split_at(end.expect("its end"));
    let message: String = serde_json::from_str(&format!("\"{message}\"")).expect("escapes that JSON has too");
    let mut object = BTreeMap::from([("level", level), ("msg", &message)].map(|(key, value)| (key, value.to_owned())));
    object.insert("time", format!("{}Z", time.split_once('.').expect("a fraction").0));
    for (key, value) in keys[1..].split_whitespace().filter_map(|pair| pair.split_once('=')) {
        object.insert(key, value.trim_matches('"').into());
    }
    let json = serde_json::to_string(&object).expect("JSON");
    json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

/// A line as `journalctl -o short-precise` has it: when it was written by the journal's clock, in the zone of the reader.
fn framed(line: &str, program: &str, at: &str) -> String {
    let time = chrono::DateTime::parse_from_rfc3339(at).expect("a time");
    format!("{} worker-0 {program}[812]: {line}\n", time.format("%b %d %H:%M:%S%.6f"))
}

/// The logs of a capture in another form, in a folder that lives as long as the test program.
fn converted(capture: &Path, form: &str, convert: impl Fn(&str) -> String) -> Vec<PathBuf> {
    let folder = tempfile::Builder::new().prefix(form).tempdir().expect("a folder").keep();
    let crio: String = text(&capture.join("crio.log.zst")).lines().map(convert).collect();
    std::fs::write(folder.join("crio.log"), crio).expect("written");
    vec![capture.join("kubelet.log.zst"), folder.join("crio.log")]
}

/// Each pod of a capture whose treatment is known, and whether its main cause is right.
fn verdicts(capture: &Path, logs: &[&str]) -> BTreeMap<String, Verdict> {
    verdicts_of(capture, &logs.iter().map(|log| capture.join(log)).collect::<Vec<_>>())
}

fn verdicts_of(capture: &Path, inputs: &[PathBuf]) -> BTreeMap<String, Verdict> {
    let truth: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(capture.join("truth.json")).expect("truth")).expect("JSON");
    let mut verdicts = BTreeMap::new();
    for row in report(inputs)["startups"].as_array().expect("startups") {
        let pod = format!("{}/{}", row["namespace"].as_str().unwrap(), row["pod"].as_str().unwrap());
        let Some(done) = truth.get(&pod).map(|done| done["cause"].as_str().expect("a cause")) else { continue };
        let (_, expected) = DONE.iter().find(|(words, _)| *words == done).unwrap_or_else(|| panic!("{done:?}"));
        let verdict = match row["cause"].as_str() {
            Some("image-pull-unresolved" | "unexplained") => Verdict::Honest,
            Some(cause) if expected.contains(&cause) => Verdict::Right,
            // Twenty pods at once on two cores.
            Some("node-overloaded") | None if expected.is_empty() => Verdict::Right,
            None => Verdict::Honest,
            Some(_) => Verdict::Wrong,
        };
        assert!(verdicts.insert(pod.clone(), verdict).is_none(), "{} has {pod} twice", capture.display());
    }
    verdicts
}

#[test]
fn the_runtimes_log_makes_no_answer_worse() {
    let (mut all, mut right) = (0, [0, 0]);
    for capture in captures() {
        let alone = verdicts(&capture, &["kubelet.log.zst"]);
        let both = verdicts(&capture, &["kubelet.log.zst", "crio.log.zst"]);
        assert_eq!(alone.keys().collect::<Vec<_>>(), both.keys().collect::<Vec<_>>(), "{}", capture.display());
        for (pod, before) in &alone {
            let now = both[pod];
            assert!(now == Verdict::Right || *before != Verdict::Right, "{} {pod}: {now:?}", capture.display());
            all += 1;
            right[0] += usize::from(*before == Verdict::Right);
            right[1] += usize::from(now == Verdict::Right);
        }
        for (pod, verdict) in verdicts(&capture, &["crio.log.zst"]) {
            assert_ne!(verdict, Verdict::Wrong, "{} {pod}, by the runtime's log alone", capture.display());
        }
    }
    println!("right of {all}: {} by the kubelet's log alone, {} with CRI-O's", right[0], right[1]);
    assert!(all >= 70 && right[1] * 100 >= all * 97, "{right:?} of {all}");
}

#[test]
fn pulls_are_the_pods_own_by_its_events() {
    let (mut pulls, mut own) = (0, 0);
    for capture in captures() {
        let (these, mine) = own_pulls(&capture, &[capture.join("kubelet.log.zst"), capture.join("crio.log.zst")]);
        (pulls, own) = (pulls + these, own + mine);
    }
    println!("{own} of {pulls} pulls end as an event of their pod says");
    assert!(pulls >= 20 && own * 100 >= pulls * 99, "{own} of {pulls}");
}

#[test]
fn times_in_whole_seconds_are_bounds_and_make_no_answer_worse() {
    let (mut all, mut right, mut pulls, mut own) = (0, 0, 0, 0);
    for capture in captures() {
        let alone = verdicts(&capture, &["kubelet.log.zst"]);
        let inputs = converted(&capture, "json", |line| as_json(line) + "\n");
        for (pod, now) in verdicts_of(&capture, &inputs) {
            assert!(now == Verdict::Right || alone[&pod] != Verdict::Right, "{} {pod}: {now:?}", capture.display());
            all += 1;
            right += usize::from(now == Verdict::Right);
        }
        for (pod, verdict) in verdicts_of(&capture, &inputs[1..]) {
            assert_ne!(verdict, Verdict::Wrong, "{} {pod}, by the runtime's log alone", capture.display());
        }
        let exact = report(&[capture.join("kubelet.log.zst"), capture.join("crio.log.zst")]);
        for row in report(&inputs)["startups"].as_array().expect("startups") {
            let same = |other: &&Value| other["pod"] == row["pod"] && other["namespace"] == row["namespace"];
            let exact = exact["startups"].as_array().expect("startups").iter().find(same).expect("the same pod");
            assert_eq!(row["total_s"], exact["total_s"], "{}", row["pod"]);
            for span in row["spans"].as_array().expect("spans") {
                let phase = span["phase"].as_str().expect("a phase");
                if !matches!(phase, "sandbox" | "start" | "image_pull" | "image_wait") || span["precision"] != "exact" {
                    continue;
                }
                // What is still exact has both its ends by the kubelet's lines.
                let ends =
                    [&span["from"], &span["to"]].map(|end| end.as_str().expect("a time").ends_with("000000000Z"));
                assert_eq!(ends, [false, false], "{}: {span}", row["pod"]);
            }
        }
        let (these, mine) = own_pulls_within(&capture, &inputs, 1.1);
        (pulls, own) = (pulls + these, own + mine);
    }
    println!("right of {all}: {right}; {own} of {pulls} pulls end within a second of an event of their pod");
    assert!(all >= 70 && right * 100 >= all * 97, "{right} of {all}");
    assert!(pulls >= 20 && own * 100 >= pulls * 97, "{own} of {pulls}");
}

#[test]
fn a_journal_has_the_fractions_that_json_logging_leaves_out() {
    for capture in captures() {
        let inputs = converted(&capture, "journal", |line| {
            let at = line.split('"').nth(1).expect("a time");
            framed(&as_json(line), "crio", at)
        });
        let exact = report(&[capture.join("kubelet.log.zst"), capture.join("crio.log.zst")]);
        let exact = exact["startups"].as_array().expect("startups");
        let rows = report(&inputs)["startups"].as_array().expect("startups");
        assert_eq!(rows.len(), exact.len());
        for (row, exact) in rows.iter().zip(exact) {
            assert_eq!((&row["pod"], &row["cause"]), (&exact["pod"], &exact["cause"]));
            for part in ["sandbox_s", "image_pull_s", "image_wait_s", "start_s"] {
                let [framed, exact] = [row, exact].map(|row| row[part].as_f64().unwrap_or(0.0));
                assert!((framed - exact).abs() < 1e-4, "{} {part}: {framed} for {exact}", row["pod"]);
            }
        }
    }
}
