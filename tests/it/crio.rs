//! CRI-O: on captures of real kubelets with CRI-O 1.35 its log beside the kubelet's makes no answer worse, and its pulls are
//! the pods' own, also where its times have no fractions of a second. `tests/crio` holds the logs, what was done to each pod
//! (`truth.json`), and the pods' events.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

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
    let mut escaped = false;
    let end = rest.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    let (message, keys) = rest.split_at(end.expect("its end"));
    // Go has escapes that JSON has not: such lines, of no start, stay as they are.
    let Ok(message) = serde_json::from_str::<String>(&format!("\"{message}\"")) else { return line.into() };
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

/// What `oc adm node-logs NODE -u kubelet -u crio` prints of a capture: the journal in `short-precise`, in UTC, without the year.
pub fn node_logs(capture: &Path) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    for line in text(&capture.join("kubelet.log.zst")).lines() {
        // klog's own time is the journal's but for the microseconds between them; what continues a line has none.
        let clock = line.split_whitespace().nth(1).filter(|clock| clock.contains('.') && clock.contains(':'));
        let at = clock.map(|clock| format!("2026-11-28T{clock}Z"));
        let at = at.or(lines.last().map(|(at, _)| at.clone())).expect("a first line with a time");
        lines.push((at.clone(), framed(line, "kubenswrapper", &at)));
    }
    for line in text(&capture.join("crio.log.zst")).lines().filter(|line| line.starts_with("time=")) {
        let at = line.split('"').nth(1).expect("a time").to_owned();
        lines.push((at.clone(), framed(line, "crio", &at)));
    }
    lines.sort_by(|(one, _), (other, _)| one[..26].cmp(&other[..26]));
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The logs of a capture in another form: written once for all tests.
fn converted(capture: &Path, form: &str, convert: impl Fn(&str) -> String) -> Vec<PathBuf> {
    static WRITTEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let name = capture.file_name().expect("a name").to_string_lossy();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crio-{form}-{name}"));
    let mut written = WRITTEN.lock().expect("no test failed here");
    if written.insert(folder.clone()) {
        std::fs::create_dir_all(&folder).expect("a folder");
        let crio: String = text(&capture.join("crio.log.zst")).lines().map(convert).collect();
        std::fs::write(folder.join("crio.log"), crio).expect("written");
    }
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
            let apart = (row["total_s"].as_f64().expect("seconds") - exact["total_s"].as_f64().expect("seconds")).abs();
            // The end of a crash loop is the start that stays, which the runtime alone shows exactly.
            let in_crash_loop = row["anomalies"].as_array().expect("anomalies").iter().any(|id| id == "crash-loop");
            assert!(apart < if in_crash_loop { 1.0 } else { 1e-9 }, "{}: {apart}", row["pod"]);
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
            // conmon writes into the same stream.
            let Some(at) = line.strip_prefix("time=").and_then(|rest| rest.split('"').nth(1)) else {
                return String::new();
            };
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

fn time(value: &Value) -> f64 {
    let time = chrono::DateTime::parse_from_rfc3339(value.as_str().expect("a time")).expect("RFC 3339");
    time.timestamp_micros() as f64 / 1e6
}

/// The rows of a capture in a form, and by how much they are known less well than the logs with all their digits.
fn forms(capture: &Path) -> [(Vec<PathBuf>, f64); 2] {
    let logs = ["kubelet.log.zst", "crio.log.zst"].map(|log| capture.join(log));
    [(logs.to_vec(), 0.0), (converted(capture, "json", |line| as_json(line) + "\n"), 1.0)]
}

/// What the tests count: how many there are, how many agree, and those that do not.
#[derive(Default)]
struct Agreement {
    all: usize,
    off: Vec<String>,
}

impl Agreement {
    fn note(&mut self, agrees: bool, what: impl FnOnce() -> String) {
        self.all += 1;
        if !agrees {
            self.off.push(what());
        }
    }

    fn must_be(&self, what: &str, at_least: usize) {
        println!("{what}: {} of {} agree", self.all - self.off.len(), self.all);
        assert!(self.all >= at_least, "{what}: {}", self.all);
        assert!(self.off.is_empty(), "{what}: {:#?}", self.off);
    }
}

#[test]
fn spans_tile_every_startup() {
    let mut agreement = Agreement::default();
    for capture in captures() {
        for (inputs, _) in forms(&capture) {
            for row in report(&inputs)["startups"].as_array().expect("startups") {
                let spans = row["spans"].as_array().expect("spans");
                let joined = spans.windows(2).all(|pair| pair[0]["to"] == pair[1]["from"]);
                let sum: f64 = spans.iter().map(|span| time(&span["to"]) - time(&span["from"])).sum();
                let total = row["total_s"].as_f64().expect("a total");
                let bounds = spans.iter().all(|span| {
                    let [min, max] = ["min_s", "max_s"].map(|bound| span[bound].as_f64().expect("a bound"));
                    let length = time(&span["to"]) - time(&span["from"]);
                    (min - 1e-5..=max + 1e-5).contains(&length)
                });
                agreement.note(joined && bounds && (sum - total).abs() < 1e-4, || row["pod"].to_string());
            }
        }
    }
    agreement.must_be("startups", 180);
}

#[test]
fn pulls_and_their_waits_are_as_long_as_the_events_say() {
    let message =
        regex::Regex::new(r#"^Successfully pulled image "([^"]+)" in (\S+) \((\S+) including waiting\)"#).unwrap();
    let mut agreement = Agreement::default();
    for capture in captures() {
        let events = crate::support::json(&capture.join("events.json.zst"));
        for (inputs, unknown) in forms(&capture) {
            let rows = report(&inputs)["startups"].as_array().expect("startups");
            for event in events["items"].as_array().expect("events") {
                let Some(found) = event["message"].as_str().and_then(|message_| message.captures(message_)) else {
                    continue;
                };
                let [took, waited] = [&found[2], &found[3]]
                    .map(|took| podlag::internals::parse::value::duration(took).expect("a duration").seconds());
                let uid = &event["involvedObject"]["uid"];
                let row = rows.iter().find(|row| row["uid"] == *uid).expect("the event's pod");
                let pulls = row["image_pulls"].as_array().expect("pulls");
                let pulled = |pull: &&Value| pull["image"] == found[1] && pull["outcome"] == "pulled";
                let pull = pulls.iter().find(pulled).unwrap_or_else(|| panic!("{}: {}", row["pod"], &found[1]));
                let pull_s = time(&pull["ended"]) - time(&pull["started"]);
                let of = |phase: &str| row[phase].as_f64().unwrap_or(0.0);
                let alone = pulls.len() == 1;
                let whole = of("image_pull_s") + of("image_wait_s");
                let agrees =
                    (pull_s - took).abs() <= 0.06 + unknown && (!alone || (whole - waited).abs() <= 0.06 + unknown);
                agreement.note(agrees, || format!("{}: {pull_s} of {took}, {whole} of {waited}", row["pod"]));
            }
        }
    }
    agreement.must_be("pulls", 60);
}

#[test]
fn sandboxes_are_as_long_as_the_runtime_says() {
    let mut agreement = Agreement::default();
    for capture in captures() {
        let mut asked: BTreeMap<String, f64> = BTreeMap::new();
        let mut ready: BTreeMap<String, f64> = BTreeMap::new();
        for line in text(&capture.join("crio.log.zst")).lines() {
            let Some(at) = line.strip_prefix("time=\"").and_then(|rest| rest.split('"').next()) else { continue };
            let named = |prefix: &str| Some(line.split_once(prefix)?.1.split_once("/POD\"")?.0.to_owned());
            let at = time(&Value::from(at));
            if let Some(pod) = named("msg=\"Running pod sandbox: ") {
                asked.entry(pod).or_insert(at);
            } else if let Some(pod) = named(" with infra container: ") {
                ready.entry(pod).or_insert(at);
            }
        }
        for (inputs, unknown) in forms(&capture) {
            for row in report(&inputs)["startups"].as_array().expect("startups") {
                let pod = format!("{}/{}", row["namespace"].as_str().unwrap(), row["pod"].as_str().unwrap());
                let sandboxes =
                    row["spans"].as_array().expect("spans").iter().filter(|span| span["phase"] == "sandbox");
                let length: f64 = sandboxes.map(|span| time(&span["to"]) - time(&span["from"])).sum();
                let said = ready[&pod] - asked[&pod];
                agreement.note((length - said).abs() <= 0.06 + unknown, || format!("{pod}: {length} of {said}"));
            }
        }
    }
    agreement.must_be("sandboxes", 180);
}

#[test]
fn init_containers_run_as_long_as_their_statuses_say() {
    let mut agreement = Agreement::default();
    for capture in captures().iter().filter(|capture| capture.join("pods.json.zst").exists()) {
        let pods = crate::support::json(&capture.join("pods.json.zst"));
        for (inputs, unknown) in forms(capture) {
            let rows = report(&inputs)["startups"].as_array().expect("startups");
            for pod in pods["items"].as_array().expect("pods") {
                let statuses = pod["status"]["initContainerStatuses"].as_array().into_iter().flatten();
                let ended: Vec<&Value> = statuses.map(|status| &status["state"]["terminated"]).collect();
                // What was started again says only how its last run went.
                let again = pod["status"]["initContainerStatuses"].to_string().contains("\"restartCount\":2");
                if ended.is_empty() || again || ended.iter().any(|ended| ended.is_null()) {
                    continue;
                }
                let row = rows.iter().find(|row| row["uid"] == pod["metadata"]["uid"]).expect("the pod's row");
                let said: f64 = ended.iter().map(|ended| time(&ended["finishedAt"]) - time(&ended["startedAt"])).sum();
                let of = |bound: &str| -> f64 {
                    let spans = row["spans"].as_array().expect("spans").iter().filter(|span| span["phase"] == "init");
                    spans.map(|span| span[bound].as_f64().expect("a bound")).sum()
                };
                // Whole seconds, and the bounds of each end.
                let slack = ended.len() as f64 * (1.0 + unknown);
                let agrees = of("min_s") <= said + slack && of("max_s") >= said - slack && of("max_s") > 0.0;
                agreement.note(agrees, || format!("{}: {} to {} of {said}", row["pod"], of("min_s"), of("max_s")));
            }
        }
    }
    agreement.must_be("pods with init containers", 10);
}

#[test]
fn the_journal_that_openshift_prints_says_the_same() {
    for capture in captures() {
        let logs = node_logs(&capture);
        let both = report(&[capture.join("kubelet.log.zst"), capture.join("crio.log.zst")]);
        let answers = |rows: &[Value]| -> BTreeMap<String, (Value, Value)> {
            rows.iter().map(|row| (row["pod"].to_string(), (row["cause"].clone(), row["state"].clone()))).collect()
        };
        let expected = answers(both["startups"].as_array().expect("startups"));
        let workers: String = logs.lines().map(|line| format!("worker-0.ocp.example.net {line}\n")).collect();
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("node.log", &logs), ("workers.log", &workers)] {
            let file = folder.path().join(name);
            std::fs::write(&file, text).expect("written");
            assert_eq!(answers(&crate::support::rows(&[&file])), expected, "{} {name}", capture.display());
        }
    }
}

/// The lines of a kubelet that starts anew and takes up the pods of before, at a time of day.
fn restarted(kubelet: &str, at: &str) -> String {
    let mut pods: Vec<&str> = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    for line in kubelet.lines() {
        if line.contains("\"Kubelet version\"") || line.contains("Starting kubelet main sync loop") {
            lines.push(line.into());
        } else if let Some((_, list)) = line.split_once("\"SyncLoop ADD\" source=\"api\" pods=[") {
            pods.extend(list.trim_end_matches(']').split(','));
        }
    }
    let listed = format!("I1128 {at} 1 kubelet.go:2724] \"SyncLoop ADD\" source=\"api\" pods=[{}]", pods.join(","));
    lines.push(listed);
    // What it says of their volumes as it takes them up.
    lines.extend(kubelet.lines().filter(|line| line.contains("VerifyControllerAttachedVolume")).map(Into::into));
    let stamped = lines.iter().map(|line| {
        let (head, text) = line.split_once("] ").expect("a header");
        format!("I1128 {at} 99999 {}] {text}\n", head.rsplit(' ').next().expect("a file"))
    });
    stamped.collect()
}

#[test]
fn a_restart_of_the_kubelet_gives_no_pod_twice_in_one_stream_with_the_runtime() {
    for (name, at) in
        [("cached", "22:47:45.100000"), ("init-sidecars", "22:49:10.100000"), ("pull-failing", "22:50:30.100000")]
    {
        let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crio").join(name);
        let (kubelet, crio) = (text(&capture.join("kubelet.log.zst")), text(&capture.join("crio.log.zst")));
        let before = kubelet.lines().position(|line| line.split(' ').nth(1).is_some_and(|clock| clock > at));
        let before = before.expect("lines after it");
        let mut lines: Vec<&str> = kubelet.lines().collect();
        let anew = restarted(&lines[..before].join("\n"), at);
        lines.splice(before..before, anew.lines());
        let kubelet: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let folder = tempfile::tempdir().expect("a folder");
        for (number, stream) in [format!("{kubelet}{crio}"), format!("{crio}{kubelet}")].into_iter().enumerate() {
            let file = folder.path().join(format!("{number}.log"));
            std::fs::write(&file, stream).expect("written");
            let rows = crate::support::rows(&[&file]);
            let mut pods: Vec<String> = rows.iter().map(|row| row["pod"].to_string()).collect();
            pods.sort();
            pods.dedup();
            assert_eq!(pods.len(), rows.len(), "{name}: pods twice");
            assert!(rows.iter().all(|row| row["uid"].is_string()), "{name}: a pod without its uid");
            assert_eq!(rows.len(), if name == "pull-failing" { 13 } else { 20 }, "{name}");
        }
    }
}
