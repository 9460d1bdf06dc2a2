//! Startups from pods and events alone: compared with what the logs of the same pods show.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{captures, podlag, report, samples, startups, unpacked};
use crate::user_logs::{PROVEN, Verdict, verdicts};

/// Creation to running may differ by this, seconds: the status has whole ones.
const CLOSE: f64 = 1.0;

/// Treatments of which objects show what they did, and no more: the cause that says so is honest.
const AS_MUCH_AS_OBJECTS_SHOW: &[(&str, &str)] = &[
    // "… or a late kubelet".
    ("kubelet was down", "scheduling-wait"),
    // "… that the kubelet does not throttle its own requests": the one that it held back was for the Secret.
    ("client-side throttling", "volume-object-not-synced"),
];

/// Treatments that objects and events prove, beside those that errors prove.
const PROVEN_BY_OBJECTS: &[&str] = &[
    "init containers",
    "init containers; kubelet restarted while they run",
    "sidecar start-up probe",
    "postStart hook",
    "scheduling",
    "scheduling gate",
    "network not ready",
    "none by the SLI: it ran for 4 s the first time",
    "second container never runs",
];

fn objects(capture: &Path) -> Vec<PathBuf> {
    ["pods.json.zst", "events.json.zst"].map(|file| capture.join(file)).to_vec()
}

pub fn three_nodes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects/three-nodes")
}

fn key(row: &Value) -> (String, String) {
    let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
    (format!("{}/{}", text("namespace"), text("pod")), text("uid"))
}

fn by_uid(report: &Value) -> BTreeMap<(String, String), &Value> {
    startups(report).iter().map(|row| (key(row), row)).collect()
}

pub fn number(row: &Value, field: &str) -> f64 {
    row[field].as_f64().unwrap_or(0.0)
}

/// podlag's rows of what it reads from standard input, and its summary.
fn piped(input: &[u8]) -> (Vec<Value>, String) {
    let run = |format: &str| {
        let mut child = podlag()
            .args(["--format", format, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("podlag runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        let output = std::thread::scope(|scope| {
            scope.spawn(move || std::io::Write::write_all(&mut stdin, input).expect("podlag reads"));
            child.wait_with_output().expect("podlag ends")
        });
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let rows = run("ndjson").lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    (rows, run("text"))
}

#[test]
fn creation_to_running_agrees_with_the_logs() {
    let (mut compared, mut apart) = (0, Vec::new());
    for capture in captures() {
        let (by_log, by_objects) = (report(&[capture.join("in")]), report(&objects(&capture)));
        let by_log = by_uid(by_log);
        for (key, row) in by_uid(by_objects) {
            let Some(log) = by_log.get(&key) else { continue };
            // Without a record the log has no creation.
            let Some(known) = log["running_s"].as_f64().filter(|_| !log["created"].is_null()) else { continue };
            // How long a status takes to reach the API server is in no object, and of a pod with probes when it was noticed.
            let probed = row["ready_s"].as_f64() > row["running_s"].as_f64();
            let unseen = number(log, "status_update_s") + if probed { number(log, "detection_s") } else { 0.0 };
            let least = log["running_min_s"].as_f64().unwrap_or(known);
            let ran = row["running_s"].as_f64().unwrap_or(f64::INFINITY);
            compared += 1;
            if ran < least.min(known - unseen) - CLOSE || ran > known + CLOSE {
                apart.push(format!("{} {}: {ran}, by the log {least}..{known}", capture.display(), key.0));
            }
        }
    }
    assert!(compared > 600, "{compared}");
    assert!(apart.is_empty(), "{} of {compared} are apart:\n{}", apart.len(), apart.join("\n"));
}

#[test]
fn few_causes_are_wrong_and_what_objects_prove_is_named() {
    let (mut table, mut wrong, mut proven) = (BTreeMap::<_, usize>::new(), Vec::new(), (0, 0));
    for capture in captures() {
        for (pod, (done, main, verdict)) in verdicts(&capture, report(&objects(&capture))) {
            let says_no_more = AS_MUCH_AS_OBJECTS_SHOW.contains(&(&done, &main));
            let verdict = if says_no_more { Verdict::Honest } else { verdict };
            if PROVEN_BY_OBJECTS.contains(&&*done) || PROVEN.contains(&&*done) && !says_no_more {
                proven = (proven.0 + usize::from(verdict == Verdict::Right), proven.1 + 1);
            }
            if verdict == Verdict::Wrong {
                wrong.push(format!("{} {pod}: {done} → {main}", capture.display()));
            }
            *table.entry((verdict, done, main)).or_default() += 1;
        }
    }
    table.iter().for_each(|((verdict, done, main), count)| println!("{count:>5}  {verdict:?}  {done} → {main}"));
    let all: usize = table.values().sum();
    println!("{} of {all} wrong, {} of {} proven ones named", wrong.len(), proven.0, proven.1);
    assert!(all > 600, "{all} pods");
    assert!(wrong.len() * 50 <= all, "{wrong:#?}");
    assert!(proven.0 * 10 >= proven.1 * 9, "{proven:?}");
}

#[test]
fn objects_beside_logs_change_no_answer_and_add_no_second_row() {
    for capture in captures() {
        let logs = by_uid(report(&[capture.join("in")]));
        let mut inputs = vec![capture.join("in")];
        inputs.extend(objects(&capture));
        let both = report(&inputs);
        assert_eq!(startups(both).len(), by_uid(both).len(), "{}", capture.display());
        let both = by_uid(both);
        for (key, log) in logs {
            let row = both.get(&key).unwrap_or_else(|| panic!("{} {}: its row is gone", capture.display(), key.0));
            // Without a record the creation is not in the log.
            if !log["created"].is_null() {
                for field in ["cause", "cause_s", "running_s", "total_s", "state", "phases", "node"] {
                    // A pod's object may show when it was ready, and that a readiness delay was its own.
                    assert_eq!(row[field], log[field], "{} {}: {field}", capture.display(), key.0);
                }
            }
        }
    }
}

#[test]
fn three_nodes_give_one_report() {
    let report = report(&objects(&three_nodes()));
    let rows = by_uid(report);
    let nodes: std::collections::BTreeSet<&str> = rows.values().filter_map(|row| row["node"].as_str()).collect();
    assert_eq!(rows.len(), startups(report).len());
    assert!(rows.len() > 140 && nodes.len() == 4, "{} on {nodes:?}", rows.len());
    let of = |name: &str| -> Vec<&Value> {
        rows.iter().filter(|((pod, _), _)| pod.contains(name)).map(|(_, row)| *row).collect()
    };
    for (name, cause) in [
        ("/mail-out-", "image-pull-failing"),
        ("/log-shipper-", "container-start-error"),
        ("/kafka-bridge-", "crash-loop"),
        ("/big-build-", "scheduling-wait"),
    ] {
        assert!(!of(name).is_empty(), "{name}");
        assert!(of(name).iter().any(|row| row["cause"] == cause), "{name}: {:?}", of(name)[0]["cause"]);
    }
    // The dump is on one line: each object has a place of its own, so that evidence is that of the finding.
    for row in of("/log-shipper-").into_iter().chain(of("/feature-store-")) {
        let finding = &row["findings"][0];
        assert!(finding["error"].is_string(), "{finding}");
        let shown =
            row["lines"].as_array().expect("lines").iter().find(|line| line["line"] == finding["evidence"]["line"]);
        let text = shown.and_then(|line| line["text"].as_str()).unwrap_or_default();
        assert!(text.contains("Failed pod "), "{finding}: {text}");
    }
    let text = report["coverage"].to_string();
    assert!(text.contains(r#""pods":"#) && report["coverage"]["events"].as_u64() > Some(900), "{text}");
    let pending = of("/big-build-").into_iter().find(|row| row["node"].is_null()).expect("one has no node");
    assert_eq!(pending["state"], "failing");
    for row in of("/image-builder-") {
        let finding = &row["findings"][0];
        assert_eq!((&finding["cause"], &finding["error"]), (&"crash-loop".into(), &"OOMKilled, exit code 137".into()));
    }
    // It is bound to a node whose kubelet does not run; no node's object says so here.
    let unacknowledged =
        of("/node-agent-").into_iter().find(|row| row["node"] == "worker-0.ocp.example.net").expect("one is there");
    assert_eq!(unacknowledged["state"], "starting");
    assert_eq!(unacknowledged["cause"], "scheduling-wait");
    assert_eq!(
        unacknowledged["findings"][0]["waited_for"],
        "the kubelet: the pod is bound to its node, and not acknowledged yet"
    );
    assert!(pending["findings"][0]["error"].as_str().unwrap_or_default().contains("Insufficient cpu"), "{pending}");
}

/// A pod and its events, to be changed.
pub fn web() -> Vec<String> {
    let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","uid":"a-1","creationTimestamp":"2026-11-28T10:00:00Z"},
"spec":{"nodeName":"n1","containers":[{"name":"app","image":"reg.test/app:v1"}]},"status":{"phase":"Running","containerStatuses":[{"name":"app","restartCount":0,"state":{"running":{"startedAt":"2026-11-28T10:00:20Z"}}}]}}"#;
    let event = |name: &str, reason: &str, second: u32, path: &str, message: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Event","metadata":{{"name":"{name}","namespace":"shop"}},"involvedObject":{{"kind":"Pod","name":"web","namespace":"shop","uid":"a-1","fieldPath":"{path}"}},"reason":"{reason}","message":"{message}","count":1,"firstTimestamp":"2026-11-28T10:00:{second:02}Z","lastTimestamp":"2026-11-28T10:00:{second:02}Z","source":{{"component":"kubelet","host":"n1"}}}}"#
        )
    };
    // 1795860000 s is 10:00:00.
    let at = |millis: i64| format!("web.{:x}", (1_795_860_000_000 + millis) * 1_000_000);
    let path = "spec.containers{app}";
    vec![
        pod.to_owned(),
        event(&at(400), "Scheduled", 0, "", "Successfully assigned shop/web to n1"),
        event(&at(1500), "Pulling", 1, path, r#"Pulling image \"reg.test/app:v1\""#),
        event(
            &at(19_500),
            "Pulled",
            19,
            path,
            r#"Successfully pulled image \"reg.test/app:v1\" in 6s (18s including waiting). Image size: 120000000 bytes."#,
        ),
        event(&at(19_700), "Created", 19, path, "Container created"),
        event(&at(20_100), "Started", 20, path, "Container started"),
    ]
}

#[test]
fn phases_are_exact_where_events_name_the_nanosecond() {
    let list = format!(r#"{{"kind":"List","items":[{}]}}"#, web().join(","));
    for input in [web().concat(), web().join("\n"), list, format!("[{}]", web().join(","))] {
        let (rows, text) = piped(input.as_bytes());
        assert_eq!(rows.len(), 1, "{text}");
        let row = &rows[0];
        let close = |field: &str, expected: f64| {
            assert!((number(row, field) - expected).abs() < 1e-6, "{field}: {} not {expected}", row[field]);
        };
        for (field, seconds) in [
            ("running_s", 20.1),
            ("scheduling_s", 0.4),
            ("unattributed_s", 1.1),
            ("image_wait_s", 12.0),
            ("image_pull_s", 6.0),
            ("start_s", 0.6),
        ] {
            close(field, seconds);
        }
        assert_eq!((row["node"].as_str(), row["cause"].as_str()), (Some("n1"), Some("image-pull-queued")), "{text}");
        assert!(text.contains("read 1 pod, 5 events"), "{text}");
    }
}

#[test]
fn hostile_objects_are_read_as_far_as_they_go() {
    let all = web();
    // A name without nanoseconds leaves the second.
    let uuid = all.join("\n").replace("web.", "0f1e2d3c-0000-4000-8000-00000000");
    let (rows, _) = piped(uuid.as_bytes());
    assert!((number(&rows[0], "running_s") - 21.0).abs() <= 1.0, "{}", rows[0]["running_s"]);
    // An event of another pod of this name.
    let other = format!("{}\n{}", all.join("\n"), all[3].replace("a-1", "b-2"));
    let (rows, _) = piped(other.as_bytes());
    let mine: Vec<_> = rows.iter().filter(|row| row["uid"] == "a-1").collect();
    assert_eq!((rows.len(), mine.len()), (2, 1));
    assert!((number(mine[0], "running_s") - 20.1).abs() < 1e-6);
    // Times that run backwards, and far away.
    for (from, to) in [
        ("10:00:20Z", "09:00:00Z"),
        ("10:00:00Z", "10:30:00Z"),
        ("2026-11-28", "2262-04-11"),
        ("2026-11-28T10:00:19", "1677-09-22T00:00:00"),
    ] {
        let (rows, text) = piped(all.join("\n").replace(from, to).as_bytes());
        assert!(!rows.is_empty(), "{from} {to}: {text}");
    }
    // A dump that is cut anywhere.
    let list = format!(r#"{{"kind":"List","items":[{}]}}"#, all.join(","));
    for end in (60..list.len()).step_by(211) {
        let (rows, _) = piped(&list.as_bytes()[..end]);
        assert!(rows.len() <= 1, "{end}");
    }
    // Events that are missing are no zeros.
    let (rows, _) = piped(format!("{}\n{}", all[0], all[1]).as_bytes());
    assert_eq!((rows[0]["state"].as_str(), number(&rows[0], "image_pull_s")), (Some("running"), 0.0));
    assert!((number(&rows[0], "running_s") - 21.0).abs() <= 1.0);
}

#[test]
fn an_error_of_the_api_server_is_named() {
    let refused = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is forbidden","code":403}"#;
    let event = format!(r#"{{"type":"ERROR","object":{refused}}}"#);
    for input in [refused, &event] {
        let (rows, text) = piped(input.as_bytes());
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(rows.is_empty() && text.contains("error of the API server: pods is forbidden"), "{text}");
    }
    let (rows, text) = piped(format!("{}\n{refused}", web().join("\n")).as_bytes());
    assert!(rows.len() == 1 && text.contains("pods is forbidden"), "what else there is counts: {text}");
}

#[test]
fn items_of_a_list_without_their_kind_are_read() {
    let bare = |item: &String| {
        ["Pod", "Event"].iter().fold(item.clone(), |text, kind| {
            text.replace(&format!(r#""apiVersion":"v1","kind":"{kind}","metadata""#), r#""metadata""#)
        })
    };
    let items: Vec<String> = web().iter().map(bare).collect();
    assert!(items.iter().all(|item| item.starts_with(r#"{"metadata""#)));
    let (rows, text) = piped(format!("[{}]", items.join(",")).as_bytes());
    assert!(rows.len() == 1 && text.contains("1 pod, 5 events"), "{text}");
}

/// Rows without what tells where they were read.
fn bare(input: &[u8]) -> BTreeMap<(String, String), Value> {
    let mut rows = piped(input).0;
    for row in &mut rows {
        let row = row.as_object_mut().expect("a row");
        // They hold numbers of lines.
        for field in ["source", "line", "lines", "spans", "findings"] {
            row.remove(field);
        }
    }
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

/// What `kubectl get pods,events -A -o yaml` printed of the same objects.
#[test]
fn yaml_gives_what_json_gives() {
    let yaml = unpacked(&three_nodes().join("objects.yaml.zst"));
    let json: Vec<u8> = objects(&three_nodes()).iter().flat_map(|path| unpacked(path)).collect();
    let rows = bare(&json);
    assert!(rows.len() > 140);
    assert_eq!(bare(&yaml), rows);
    // A dump that is cut, and one in whose middle something else stands, lose no more than that.
    let text = String::from_utf8(yaml).expect("UTF-8");
    let cut = bare(&text.as_bytes()[..text.len() / 3]);
    assert!(cut.len() > 100 && cut.len() <= rows.len(), "{}", cut.len());
    let broken = text.replacen("  kind: Pod\n", "  kind: [Pod\n", 2);
    assert_eq!(bare(broken.as_bytes()).len(), rows.len(), "events are left of the two pods");
    let (_, shown) = piped(broken.as_bytes());
    assert!(shown.contains("142 pods") || shown.contains("141 pods"), "{shown}");
}

#[test]
fn the_order_of_objects_does_not_matter() {
    let dump = |order: &dyn Fn(&mut Vec<Value>)| {
        let mut all: Vec<Value> = Vec::new();
        for path in objects(&three_nodes()) {
            let list: Value = serde_json::from_slice(&unpacked(&path)).expect("JSON");
            all.extend(list["items"].as_array().expect("a list").iter().cloned());
        }
        order(&mut all);
        all.iter().map(|item| format!("{item}\n")).collect::<String>()
    };
    let forward = bare(dump(&|_| {}).as_bytes());
    assert!(forward.len() > 100, "{}", forward.len());
    assert_eq!(forward, bare(dump(&|all| all.reverse()).as_bytes()));
}

/// The seconds of a Go duration.
fn go_seconds(text: &str) -> f64 {
    let (mut total, mut number) = (0.0, String::new());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
            rest = &rest[1..];
            continue;
        }
        let unit = ["ms", "µs", "ns", "h", "m", "s"].into_iter().find(|unit| rest.starts_with(unit)).expect("a unit");
        let seconds = match unit {
            "ms" => 1e-3,
            "µs" => 1e-6,
            "ns" => 1e-9,
            "h" => 3600.0,
            "m" => 60.0,
            _ => 1.0,
        };
        total += number.parse::<f64>().expect("a number") * seconds;
        number.clear();
        rest = &rest[unit.len()..];
    }
    total
}

/// What events say, read here by their words and the nanoseconds in their names.
#[test]
fn every_pod_has_a_row_whose_phases_tile_and_are_as_its_events_say() {
    let pulled =
        regex::Regex::new(r#"^Successfully pulled image "(.+?)" in (\S+) \((\S+) including waiting\)"#).unwrap();
    let nanos = |event: &Value| i64::from_str_radix(event["metadata"]["name"].as_str()?.rsplit('.').next()?, 16).ok();
    let instant = |text: &str| {
        let (seconds, fraction) =
            text.trim_end_matches('Z').split_once('.').unwrap_or((text.trim_end_matches('Z'), "0"));
        let time = chrono::NaiveDateTime::parse_from_str(seconds, "%Y-%m-%dT%H:%M:%S").expect("a time").and_utc();
        time.timestamp() as f64 + format!("0.{fraction}").parse::<f64>().expect("a fraction")
    };
    let (mut rows, mut pulls, mut bound, mut ran, mut started_once, mut late) = (0, 0, 0, 0, 0, Vec::new());
    for capture in captures().into_iter().chain([three_nodes()]) {
        let pods: Value = serde_json::from_slice(&unpacked(&capture.join("pods.json.zst"))).expect("JSON");
        let events: Value = serde_json::from_slice(&unpacked(&capture.join("events.json.zst"))).expect("JSON");
        let found = by_uid(report(&objects(&capture)));
        let found: BTreeMap<&str, &Value> = found.iter().map(|((_, uid), row)| (uid.as_str(), *row)).collect();
        for pod in pods["items"].as_array().expect("a list") {
            let meta = &pod["metadata"];
            if meta["annotations"]["kubernetes.io/config.mirror"].is_string() {
                continue;
            }
            let row = found[meta["uid"].as_str().expect("a uid")];
            rows += 1;
            let spans = row["spans"].as_array().expect("spans");
            let took = |span: &Value| instant(span["to"].as_str().unwrap()) - instant(span["from"].as_str().unwrap());
            let sum: f64 = spans.iter().map(took).sum();
            assert!((sum - number(row, "total_s")).abs() < 1e-3, "{} {}", capture.display(), row["pod"]);
            for pair in spans.windows(2) {
                assert_eq!(pair[0]["to"], pair[1]["from"], "{} {}", capture.display(), row["pod"]);
            }
            let mine = |event: &&Value| event["involvedObject"]["uid"] == meta["uid"];
            let mine: Vec<&Value> = events["items"].as_array().expect("a list").iter().filter(mine).collect();
            let of =
                |reason: &str| mine.iter().copied().filter(move |event| event["reason"] == reason).collect::<Vec<_>>();
            if let [event] = of("Scheduled")[..]
                && event["count"].as_u64().unwrap_or(1) == 1
                && let Some(time) = event["eventTime"].as_str().map(instant).or(nanos(event).map(|at| at as f64 / 1e9))
                && let Some(span) = spans.iter().rfind(|span| span["phase"] == "scheduling")
            {
                bound += 1;
                let ends = instant(span["to"].as_str().unwrap());
                assert!((ends - time).abs() < 1e-3, "{} {}: {ends} not {time}", capture.display(), row["pod"]);
            }
            for event in of("Pulled") {
                let Some(words) = pulled.captures(event["message"].as_str().unwrap_or_default()) else { continue };
                let (took, with_wait) = (go_seconds(&words[2]), go_seconds(&words[3]));
                let is_it = |pull: &&Value| {
                    pull["image"] == words[1]
                        && (number(pull, "pull_s") - took).abs() < 0.06
                        && (number(pull, "took_s") - with_wait).abs() < 0.06
                };
                pulls += 1;
                let all = row["image_pulls"].as_array().expect("pulls");
                assert!(all.iter().any(|pull| is_it(&pull)), "{} {}: {words:?} {all:?}", capture.display(), row["pod"]);
            }
            let started = of("Started");
            let last = started
                .iter()
                .filter(|event| event["count"].as_u64() == Some(1))
                .filter_map(|event| nanos(event))
                .max();
            let restarted =
                number(row, "restarts") > 0.0 || started.iter().any(|event| event["count"].as_u64() != Some(1));
            if let (Some(last), Some(running), Some(created), false) =
                (last, row["running_s"].as_f64(), meta["creationTimestamp"].as_str(), restarted)
            {
                let by_events = last as f64 / 1e9 - instant(created);
                // A postStart hook runs on after it.
                if pod["spec"]["containers"].to_string().contains("postStart") {
                    continue;
                }
                started_once += 1;
                // The status has whole seconds: the pod ran between these two.
                let least = row["running_min_s"].as_f64().unwrap_or(running);
                if (least - 1.0..=running + 0.01).contains(&by_events) {
                    ran += 1;
                } else {
                    late.push(format!(
                        "{} {}: {least}..{running}, started {by_events:.3}",
                        capture.display(),
                        row["pod"]
                    ));
                }
            }
        }
    }
    // Statuses of a loaded node come later.
    late.iter().for_each(|line| println!("{line}"));
    println!(
        "{rows} rows, {pulls} pulls, {bound} bound; {ran} of {started_once} ran within a second of their last Started event"
    );
    assert!(rows > 850 && pulls > 150 && bound > 800 && started_once > 700, "{rows} {pulls} {bound} {started_once}");
    assert!(ran * 100 >= started_once * 97, "{ran} of {started_once}");
}

/// What PowerShell's `>` writes: UTF-16 with a mark.
#[test]
fn utf_16_is_read_as_text_is() {
    let sample = crate::support::samples().join("s02-pull-serial");
    let texts = [
        unpacked(&sample.join("pods.json.zst")),
        unpacked(&three_nodes().join("objects.yaml.zst")),
        unpacked(&three_nodes().join("describe.txt.zst")),
        unpacked(&sample.join("metrics-after.txt.zst")),
    ];
    for bytes in texts {
        let text = String::from_utf8(bytes.clone()).expect("UTF-8");
        let wide: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = format!("\u{feff}{text}");
        let (rows, shown) = piped(text.as_bytes());
        assert!(!rows.is_empty() || shown.contains("starts recorded by the kubelet"), "{shown}");
        for other in [wide.as_slice(), marked.as_bytes()] {
            let (found, said) = piped(other);
            assert!(found == rows, "{} rows, not {}: {said}", found.len(), rows.len());
            assert_eq!(said, shown);
        }
    }
}

#[test]
fn a_pod_that_no_kubelet_takes_did_not_come_up_if_its_node_is_not_ready() {
    let pod = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"agent","namespace":"shop","uid":"a-1","creationTimestamp":"2026-11-28T10:00:00Z"},"spec":{"nodeName":"n1","containers":[{"name":"app","image":"reg.test/app:v1"}]},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"True","lastTransitionTime":"2026-11-28T10:00:00Z"}]}}"#;
    let later = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"shop","uid":"a-2","creationTimestamp":"2026-11-28T10:02:00Z"},"spec":{"nodeName":"n2","containers":[{"name":"app","image":"reg.test/app:v1"}]},"status":{"phase":"Running","startTime":"2026-11-28T10:02:00Z","containerStatuses":[{"name":"app","restartCount":0,"state":{"running":{"startedAt":"2026-11-28T10:02:01Z"}}}]}}"#;
    let node = |status: &str, since: &str| {
        format!(
            r#"{{"kind":"Node","apiVersion":"v1","metadata":{{"name":"n1"}},"status":{{"nodeInfo":{{"kubeletVersion":"v1.36.3"}},"conditions":[{{"type":"Ready","status":"{status}","lastTransitionTime":"2026-11-28T{since}Z"}}]}}}}"#
        )
    };
    let (down, up) = (node("Unknown", "09:56:40"), node("True", "09:00:00"));
    for (nodes, state, waits) in [
        (vec![&down, &up], "failing", "its node, which is not ready: the kubelet has not acknowledged the pod"),
        (vec![&up, &down], "failing", "its node, which is not ready: the kubelet has not acknowledged the pod"),
        (vec![&up], "starting", "the kubelet: the pod is bound to its node, and not acknowledged yet"),
        (vec![], "starting", "the kubelet: the pod is bound to its node, and not acknowledged yet"),
    ] {
        let objects: Vec<&str> = [pod, later].into_iter().chain(nodes.into_iter().map(String::as_str)).collect();
        let (rows, shown) = piped(objects.join("\n").as_bytes());
        let row = rows.iter().find(|row| row["pod"] == "agent").expect("a row");
        assert_eq!(row["state"], state, "{row}");
        let finding = &row["findings"][0];
        assert_eq!((&finding["cause"], &finding["waited_for"]), (&"scheduling-wait".into(), &waits.into()));
        assert_eq!(shown.contains("did not come up: 1 of 2 pods"), state == "failing", "{shown}");
        assert_eq!(shown.contains("1 still starting"), state == "starting", "{shown}");
    }
}

#[test]
fn a_pod_that_waits_for_its_next_try_is_not_running() {
    let sample = samples().join("s09-crashloop");
    for files in [&["pods.json.zst"][..], &["events.json.zst"], &["pods.json.zst", "events.json.zst"]] {
        let inputs: Vec<PathBuf> = files.iter().map(|file| sample.join(file)).collect();
        let waits = |row: &&Value| row["pod"].as_str().is_some_and(|pod| pod.starts_with("crash3-") || pod == "two-0");
        let waiting: Vec<&Value> = startups(report(&inputs)).iter().filter(waits).collect();
        assert_eq!(waiting.len(), 4, "{files:?}");
        for row in waiting {
            assert_eq!(row["state"], "failing", "{files:?}: {}", row["pod"]);
            let anomalies = row["anomalies"].as_array().expect("anomalies");
            assert!(anomalies.iter().any(|anomaly| anomaly == "crash-loop"), "{files:?}: {}", row["pod"]);
        }
    }
}

#[test]
fn events_beside_logs_divide_the_scheduler_from_a_kubelet_that_is_late() {
    let sample = samples().join("s06-api-throttle");
    let logs = sample.join("in");
    let late = |row: &Value| {
        let spans = row["spans"].as_array().expect("spans").iter();
        spans
            .filter(|span| {
                span["waited_for"].as_str().is_some_and(|text| text.starts_with("a kubelet that took the pod late"))
            })
            .count()
    };
    let waits = |row: &&Value| row["scheduling_s"].as_f64().is_some_and(|seconds| seconds > 3.0);
    let alone = startups(report(std::slice::from_ref(&logs)));
    assert!(alone.len() >= 40 && alone.iter().all(|row| late(row) == 0));
    assert!(alone.iter().filter(waits).count() >= 30, "the log alone cannot tell");
    let beside = startups(report(&[vec![logs], objects(&sample)].concat()));
    assert_eq!(beside.len(), alone.len());
    assert_eq!(beside.iter().filter(waits).count(), 0, "the scheduler was quick");
    // Before and after the time that the kubelet's request for its pods was throttled.
    assert!(beside.iter().filter(|row| (1..=2).contains(&late(row))).count() >= 30);
    for row in beside {
        let causes = row["findings"].as_array().expect("findings").iter().map(|finding| finding["cause"].as_str());
        assert!(causes.flatten().all(|cause| cause != "scheduling-wait"), "{}", row["pod"]);
    }
}
