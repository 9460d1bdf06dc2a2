//! Inputs as people have them: kubelets at default verbosity, excerpts, pods without a record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::causes::DONE;
use crate::support::{captures, json, podlag, report, reports, samples, text};
use regex::Regex;
use serde_json::Value;

/// What a kubelet prints at its default verbosity of what it printed at a higher one: warnings, errors, records, throttling,
/// and the messages that forty published logs show (source file, first words), each with the lines that continue it.
fn reduced(text: &str) -> String {
    static HEADER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ ([\w./-]+\.go):\d+\] (.*)").unwrap());
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"^"((?:[^"\\]|\\.)*)""#).unwrap());
    static NO_WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\W\d]+").unwrap());
    static KNOWN: LazyLock<BTreeSet<(String, String)>> = LazyLock::new(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/user-logs/default-verbosity-messages.json");
        serde_json::from_slice(&std::fs::read(path).expect("the messages")).expect("pairs")
    });
    let (mut kept, mut keep) = (String::new(), false);
    for line in text.lines() {
        if let Some(found) = HEADER.captures(line) {
            let (level, file, message) = (&found[1], &found[2], &found[3]);
            let words = QUOTED.captures(message).map_or(message, |quoted| quoted.get(1).unwrap().as_str());
            let words: String = NO_WORD.replace_all(words, " ").chars().take(24).collect();
            let record = file == "pod_startup_latency_tracker.go";
            let known = record || KNOWN.contains(&(file.to_owned(), words));
            keep = level != "I" || message.contains("throttling") || known;
        }
        if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Every capture with a kubelet that logs text, and its folder with the kubelet's log alone and with the runtime's, at
/// default verbosity.
static REDUCED: LazyLock<Vec<(PathBuf, [PathBuf; 2])>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let text_logs = captures().into_iter().filter(|capture| !capture.to_string_lossy().contains("json"));
    text_logs
        .map(|capture| {
            let name = capture.file_name().expect("a name");
            let folders = ["kubelet", "both"].map(|which| folder.join(name).join(which));
            let log = reduced(&text(&capture.join("in/kubelet.log.zst")));
            for path in &folders {
                std::fs::create_dir_all(path).expect("a folder");
                std::fs::write(path.join("kubelet.log"), &log).expect("a file");
            }
            std::fs::copy(capture.join("in/containerd.log.zst"), folders[1].join("containerd.log.zst"))
                .expect("a file");
            (capture, folders)
        })
        .collect()
});

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Right,
    /// No cause, or one that says that the input cannot tell.
    Honest,
    Wrong,
}

/// What is said of each pod of a capture whose treatment is known: what was done, the main cause, the verdict.
pub fn verdicts(capture: &Path, rows: &Value) -> BTreeMap<String, (String, String, Verdict)> {
    verdicts_by(capture, rows, &seconds(rows))
}

/// How long each pod took to run.
fn seconds(rows: &Value) -> BTreeMap<String, f64> {
    let rows = rows["startups"].as_array().expect("startups").iter();
    rows.filter_map(|row| Some((name_of(row), row["running_s"].as_f64().or(row["total_s"].as_f64())?))).collect()
}

fn name_of(row: &Value) -> String {
    format!("{}/{}", row["namespace"].as_str().unwrap(), row["pod"].as_str().unwrap())
}

/// The same, where the pods took so long: many cached pods at once on two cores are slow for that.
fn verdicts_by(
    capture: &Path,
    rows: &Value,
    seconds: &BTreeMap<String, f64>,
) -> BTreeMap<String, (String, String, Verdict)> {
    let old = capture.to_string_lossy().contains("v1.26");
    let truth: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(capture.join("truth.json")).expect("truth")).expect("JSON");
    let mut found = BTreeMap::new();
    for row in rows["startups"].as_array().expect("startups") {
        let pod = name_of(row);
        let Some(done) = truth.get(&pod).map(|done| done["cause"].as_str().expect("a cause")) else { continue };
        let (_, expected) = DONE.iter().find(|(words, _)| *words == done).unwrap_or_else(|| panic!("{done:?}"));
        let main = row["cause"].as_str();
        let slow = seconds.get(&pod).is_some_and(|seconds| *seconds > 5.0);
        let verdict = match main {
            None if expected.is_empty() => Verdict::Right,
            None | Some("unexplained" | "image-pull-unresolved") if !expected.contains(&main.unwrap_or("")) => {
                Verdict::Honest
            }
            Some(main) if expected.contains(&main) => Verdict::Right,
            Some("api-client-throttled") if old => Verdict::Right,
            Some("node-overloaded") if expected.is_empty() && slow => Verdict::Right,
            _ => Verdict::Wrong,
        };
        found.insert(pod, (done.to_owned(), main.unwrap_or("–").to_owned(), verdict));
    }
    found
}

/// Treatments that error lines prove.
pub const PROVEN: &[&str] = &[
    "sandbox (CNI fails)",
    "volume mount",
    "config error: configMap for env missing",
    "image pull back-off (503)",
    "image pull back-off (503), imagePullPolicy Always",
    "image pull back-off (not found)",
    "client-side throttling",
    "init container fails twice",
    "crash loop",
    "RunContainerError for ever",
];

#[test]
fn at_default_verbosity_few_causes_are_wrong_and_what_errors_prove_is_named() {
    for (which, name) in ["the kubelet's log alone", "with the runtime's log"].into_iter().enumerate() {
        let inputs: Vec<Vec<PathBuf>> = REDUCED.iter().map(|(_, folders)| vec![folders[which].clone()]).collect();
        let (mut table, mut wrong, mut proven) = (BTreeMap::<_, usize>::new(), Vec::new(), (0, 0));
        for ((capture, _), rows) in REDUCED.iter().zip(reports(&inputs)) {
            for (pod, (done, main, verdict)) in verdicts(capture, rows) {
                if PROVEN.contains(&done.as_str()) {
                    proven = (proven.0 + usize::from(verdict == Verdict::Right), proven.1 + 1);
                }
                if verdict == Verdict::Wrong {
                    wrong.push(format!("{} {pod}: {done} → {main}", capture.display()));
                }
                *table.entry((verdict, done, main)).or_default() += 1;
            }
        }
        println!("\ndefault verbosity, {name}");
        table.iter().for_each(|((verdict, done, main), count)| println!("{count:>5}  {verdict:?}  {done} → {main}"));
        let all: usize = table.values().sum();
        println!("{} of {all} wrong, {} of {} proven ones named", wrong.len(), proven.0, proven.1);
        assert!(all > 600, "{all} pods");
        assert!(wrong.len() * 50 <= all, "{wrong:#?}");
        assert!(proven.0 * 100 >= proven.1 * 95, "{proven:?}");
    }
}

mod slow {
    use super::*;

    #[test]
    fn more_input_is_never_worse() {
        let mut compared = 0;
        for (capture, folders) in REDUCED.iter() {
            let at = |name: &str| capture.join(name);
            let metrics = vec![at("metrics-before.txt.zst"), at("metrics-after.txt.zst")];
            let full = seconds(report(&[at("in/kubelet.log.zst")]));
            for kubelet in [at("in/kubelet.log.zst"), folders[1].join("kubelet.log")] {
                let runtime = at("in/containerd.log.zst");
                let inputs = [
                    vec![kubelet],
                    vec![runtime],
                    vec![at("pods.json.zst")],
                    vec![at("events.json.zst")],
                    metrics.clone(),
                ];
                // Each number is a set of inputs: a bit, an input.
                let sets = 1_usize..1 << inputs.len();
                let chosen = |set: usize| inputs.iter().enumerate().filter(move |(bit, _)| set >> bit & 1 == 1);
                let paths: Vec<Vec<PathBuf>> =
                    sets.clone().map(|set| chosen(set).flat_map(|(_, paths)| paths.clone()).collect()).collect();
                let found: Vec<_> = reports(&paths).into_iter().map(|rows| verdicts_by(capture, rows, &full)).collect();
                for (small, large) in
                    sets.clone().flat_map(|a| sets.clone().map(move |b| (a, b))).filter(|(a, b)| a & b == *a)
                {
                    for (pod, (done, main, verdict)) in &found[small - 1] {
                        let more = found[large - 1].get(pod);
                        let worse = *verdict == Verdict::Right && more.is_none_or(|more| more.2 == Verdict::Wrong);
                        assert!(!worse, "{}: {pod}: {done} → {main}, with more input {more:?}", capture.display());
                        compared += 1;
                    }
                }
            }
        }
        println!("{compared} pairs compared");
        assert!(compared > 200_000, "{compared}");
    }
}

#[test]
fn the_runtimes_log_alone_shows_what_ran_and_which_pulls_failed() {
    let rows = |sample: &str| report(&[samples().join(sample).join("in/containerd.log.zst")])["startups"].clone();
    for row in rows("s05-init-sidecars").as_array().expect("startups") {
        assert_eq!(row["state"], "running", "exited when the capture was over: {row}");
    }
    let failing = rows("s07-pull-backoff");
    let failing: Vec<&Value> =
        failing.as_array().expect("startups").iter().filter(|row| row["pod"] != "fine-0").collect();
    assert_eq!(failing.len(), 6);
    for row in failing {
        assert_eq!(row["cause"], "image-pull-failing", "{row}");
        let spans = row["spans"].as_array().expect("spans");
        assert!(spans.iter().any(|span| span["phase"] == "image_backoff"), "{row}");
    }
}

/// The end of a kubelet's log, as rotation leaves it, alone and beside the runtime's whole log.
#[test]
fn a_log_that_begins_in_the_middle_of_starts_blames_nothing_before_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut cut = 0;
    for sample in ["s07-pull-backoff", "s04-volumes", "s04-volumes-v4", "s06-api-throttle", "s05-init-sidecars-v4"] {
        let capture = samples().join(sample);
        let whole = report(&[capture.join("in")]);
        let log = text(&capture.join("in/kubelet.log.zst"));
        let lines: Vec<&str> = log.lines().collect();
        for share in [30, 45, 60] {
            let kubelet = folder.path().join(format!("{sample}-{share}.log"));
            let kept = &lines[lines.len() * (100 - share) / 100..];
            std::fs::write(&kubelet, kept.join("\n")).expect("a file");
            for inputs in [vec![kubelet.clone()], vec![kubelet.clone(), capture.join("in/containerd.log.zst")]] {
                for row in report(&inputs)["startups"].as_array().expect("startups") {
                    let name = name_of(row);
                    assert!(row["total_s"].as_f64().unwrap_or(0.0) >= 0.0, "{sample} {share}: {row}");
                    let spans = row["spans"].as_array().expect("spans");
                    let before = spans.iter().find(|span| span["waited_for"] == "before the log begins");
                    let Some(known) = whole["startups"].as_array().unwrap().iter().find(|row| name_of(row) == name)
                    else {
                        continue;
                    };
                    if known["cause"] != "scheduling-wait" && known["cause"] != "kubelet-restart" {
                        assert_ne!(row["cause"], "scheduling-wait", "{sample} {share} {name}");
                    }
                    if before.is_some() {
                        cut += 1;
                        assert!(
                            row["slo_s"].is_null(),
                            "{sample} {share} {name}: what it leaves out lies before the log"
                        );
                    }
                }
            }
        }
    }
    assert!(cut > 20, "{cut}");
}

#[test]
fn every_pulled_image_is_one_of_its_pod() {
    let (mut pulls, mut own) = (0, 0);
    for (capture, folders) in REDUCED.iter() {
        let objects = json(&capture.join("pods.json.zst"));
        let mut images: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for pod in objects["items"].as_array().expect("pods") {
            let (meta, spec) = (&pod["metadata"], &pod["spec"]);
            let name = format!("{}/{}", meta["namespace"].as_str().unwrap(), meta["name"].as_str().unwrap());
            let containers = ["containers", "initContainers"].iter().filter_map(|kind| spec[kind].as_array()).flatten();
            images.insert(name, containers.map(|container| container["image"].as_str().unwrap().to_owned()).collect());
        }
        for input in [capture.join("in"), folders[1].clone()] {
            for row in report(&[input])["startups"].as_array().expect("startups") {
                let pod = format!("{}/{}", row["namespace"].as_str().unwrap(), row["pod"].as_str().unwrap());
                let Some(images) = images.get(&pod) else { continue };
                for pull in row["image_pulls"].as_array().expect("pulls") {
                    pulls += 1;
                    let image = pull["image"].as_str().expect("an image");
                    own += usize::from(images.contains(image));
                    assert!(images.contains(image), "{} {pod}: {image}, not {images:?}", capture.display());
                }
            }
        }
    }
    println!("{own} of {pulls} pulls are of an image of their pod");
    assert!(pulls > 400, "{pulls}");
}

/// The end of a pod's pulls by its events: image, and seconds since 1970 (an event's name ends in its nanoseconds).
fn pulled_events(capture: &Path) -> BTreeMap<(String, String), Vec<(String, f64)>> {
    static IMAGE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"^Successfully pulled image "([^"]+)""#).unwrap());
    let mut pulled: BTreeMap<(String, String), Vec<(String, f64)>> = BTreeMap::new();
    for event in json(&capture.join("events.json.zst"))["items"].as_array().expect("events") {
        let Some(image) = event["message"].as_str().and_then(|message| IMAGE.captures(message)) else { continue };
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let (name, uid) = (text(&event["metadata"]["name"]), text(&event["involvedObject"]["uid"]));
        let (pod, nanos) = name.rsplit_once('.').expect("a name and its nanoseconds");
        let seconds = i64::from_str_radix(nanos, 16).expect("nanoseconds") as f64 / 1e9;
        pulled.entry((pod.to_owned(), uid)).or_default().push((image[1].to_owned(), seconds));
    }
    pulled
}

/// How many of the pulls that rows show ended well, and how many of these as an event of their pod says.
pub fn own_pulls(capture: &Path, inputs: &[PathBuf]) -> (usize, usize) {
    own_pulls_within(capture, inputs, 0.3)
}

/// The same with the seconds by which an end may differ from its event.
pub fn own_pulls_within(capture: &Path, inputs: &[PathBuf], seconds: f64) -> (usize, usize) {
    let (mut pulls, mut own) = (0, 0);
    let events = pulled_events(capture);
    for row in report(inputs)["startups"].as_array().expect("startups") {
        let key = ["pod", "uid"].map(|field| row[field].as_str().unwrap_or_default().to_owned());
        let Some(events) = events.get(&key.into()) else { continue };
        for pull in row["image_pulls"].as_array().expect("pulls").iter().filter(|pull| pull["outcome"] == "pulled") {
            let ended = chrono::DateTime::parse_from_rfc3339(pull["ended"].as_str().expect("its end")).expect("a time");
            let ended = ended.timestamp_micros() as f64 / 1e6;
            pulls += 1;
            own +=
                usize::from(events.iter().any(|(image, at)| pull["image"] == **image && (at - ended).abs() < seconds));
        }
    }
    (pulls, own)
}

#[test]
fn pulls_are_the_pods_own_by_its_events() {
    let (mut pulls, mut own) = (0, 0);
    for (capture, _) in REDUCED.iter() {
        let (these, mine) = own_pulls(capture, &[capture.join("in")]);
        (pulls, own) = (pulls + these, own + mine);
    }
    println!("{own} of {pulls} pulls end as an event of their pod says");
    assert!(pulls >= 150 && own * 100 >= pulls * 99, "{own} of {pulls}");
}

#[test]
fn each_case_gets_its_right_answer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/user-logs");
    let cases = std::fs::read_to_string(root.join("cases.toml")).expect("the cases");
    let cases: BTreeMap<String, toml::Table> = toml::from_str(&cases).expect("TOML");
    let mut inputs: BTreeSet<String> = std::fs::read_dir(&root)
        .expect("the inputs")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    inputs.retain(|name| !["cases.toml", "default-verbosity-messages.json"].contains(&name.as_str()));
    assert_eq!(inputs, cases.keys().cloned().collect(), "each input has its case");
    for (name, case) in cases {
        let report = report(&[root.join(&name)]);
        let text = |key: &str| case.get(key).and_then(toml::Value::as_str);
        let (namespace, pod) = text("pod").and_then(|pod| pod.split_once('/')).expect("a pod");
        let rows = report["startups"].as_array().expect("startups");
        let row = rows.iter().find(|row| row["pod"] == pod && row["namespace"] == namespace);
        let row = row.unwrap_or_else(|| panic!("{name}: no {namespace}/{pod}"));
        assert_eq!(row["state"].as_str(), text("state"), "{name}");
        if let Some(cause) = text("cause") {
            assert_eq!(row["cause"].as_str().unwrap_or(""), cause, "{name}: {row}");
        }
        if let Some(certain) = case.get("certain").and_then(toml::Value::as_float) {
            let shown = row["findings"][0]["lost_min_s"].as_f64().unwrap_or(0.0);
            assert!(shown >= certain, "{name}: {shown} s are certain");
        }
        if let Some(says) = text("says") {
            let spans = row["spans"].as_array().expect("spans");
            assert!(spans.iter().any(|span| span["waited_for"] == says), "{name}: {spans:?}");
        }
        if let Some(ran) = case.get("ran").and_then(toml::Value::as_array) {
            let bounds: Vec<f64> = ran.iter().filter_map(toml::Value::as_float).collect();
            let (least, most) = (row["running_min_s"].as_f64().unwrap(), row["running_s"].as_f64().unwrap());
            assert!(bounds[0] <= most && least <= most && most <= bounds[1], "{name}: {least}..{most}");
        }
    }
}

#[test]
fn a_pod_that_did_not_come_up_breaks_a_limit_on_the_time_to_run() {
    for capture in captures() {
        let rows = report(&[capture.join("in")]);
        let rows = rows["startups"].as_array().expect("startups");
        let never = rows.iter().filter(|row| row["state"] == "gone" || row["state"] == "failed").count();
        if never == 0 {
            continue;
        }
        let limit = ["check", "--format", "json", "--fail-if", "max(running_s) > 1h"];
        let output = podlag().args(limit).arg(capture.join("in")).output().expect("podlag runs");
        assert_eq!(output.status.code(), Some(1), "{}", capture.display());
        let verdicts: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(verdicts["verdicts"][0]["did_not_come_up"], never, "{}", capture.display());
        return;
    }
    panic!("no capture has a pod that did not come up");
}

/// The nodes of rows, each with how many it has.
fn nodes(paths: &[&Path]) -> BTreeMap<String, usize> {
    let mut nodes = BTreeMap::new();
    for row in crate::support::rows(paths) {
        *nodes.entry(row["node"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    nodes
}

#[test]
fn a_line_belongs_to_the_node_that_its_prefix_its_folder_or_the_folders_other_log_names() {
    let log = |sample: &str, file: &str| {
        let log = text(&crate::support::samples().join(format!("{sample}/in/{file}.log.zst")));
        let unnamed = log.lines().filter(|line| !line.contains("Successfully registered node"));
        unnamed.map(|line| format!("{line}\n")).collect::<String>()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let put = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    };
    let (first, second) = (log("s01-cached", "kubelet"), log("s02-pull-serial", "kubelet"));
    let prefixed = |front: &str, text: &str| text.lines().map(|line| format!("{front}{line}\n")).collect::<String>();
    let expected = |one: &str, other: &str| BTreeMap::from([(one.to_owned(), 20), (other.to_owned(), 20)]);

    let both = put("talos.log", &(prefixed("10.5.0.2: ", &first) + &prefixed("10.5.0.3: ", &second)));
    assert_eq!(nodes(&[&both]), expected("10.5.0.2", "10.5.0.3"));
    put("logs/node-a/kubelet.log", &first);
    put("logs/node-b/kubelet.log", &second);
    assert_eq!(nodes(&[&folder.path().join("logs")]), expected("node-a", "node-b"));
    put("same/node-a/logs/kubelet.log", &first);
    put("same/node-b/logs/kubelet.log", &second);
    let same = folder.path().join("same");
    let path = |node: &str| same.join(node).join("logs").display().to_string();
    assert_eq!(nodes(&[&same]), expected(&path("node-a"), &path("node-b")));
    put("mixed/journal.log", &prefixed("Nov 23 18:59:00 node-c kubelet[9]: ", &first));
    put("mixed/containerd.log", &log("s01-cached", "containerd"));
    assert_eq!(nodes(&[&folder.path().join("mixed")]), BTreeMap::from([("node-c".to_owned(), 20)]));
}

#[test]
fn a_text_that_is_no_log_is_called_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = "Name:         web\nNamespace:    shop\nSelector:     app=web\n";
    let log = text(&crate::support::samples().join("s01-cached/in/kubelet.log.zst"));
    for (name, content, says) in
        [("deployment.txt", deployment, true), ("kubelet.log", &*log, false), ("empty.txt", "", false)]
    {
        std::fs::write(folder.path().join(name), content).expect("a file");
        let output = podlag().arg(folder.path().join(name)).output().expect("podlag runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        // The report wraps its lines.
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(said.contains("no line used; it looks like the output of kubectl describe"), says, "{said}");
    }
    // Found in a folder, it is only read over.
    let output = podlag().arg(folder.path()).output().expect("podlag runs");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("looks like"));
}
