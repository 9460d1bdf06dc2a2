//! Every form of frame on real lines, and what must not be taken for a frame. Made-up lines are in `properties`.

use std::borrow::Cow;

use super::{Frame, FrameReader, open};
use crate::model::time::Stamp;

/// One entry of a real journal; every `journalctl -o` form below shows this one.
pub(super) const KLOG: &str =
    r#"I1123 19:08:24.991703   30893 status_manager.go:277] "Starting to sync pod status with apiserver""#;
/// The entry's `__REALTIME_TIMESTAMP`, in nanoseconds.
const WRITTEN: i64 = 1_795_460_904_991_853_000;
const SECOND: i64 = WRITTEN - 991_853_000;
pub(super) const JSON: &str = r#"{"_SYSTEMD_SLICE":"system.slice","_TRANSPORT":"stdout","_SYSTEMD_UNIT":"kubelet.service","SYSLOG_FACILITY":"3","_EXE":"/usr/bin/kubelet","PRIORITY":"6","__CURSOR":"s=f14a0e6d332a4cbb8d214cfffc92c4e4;i=ea;b=5d1f0b6e4a3c4d2f9b8a7c6d5e4f3a2b","_PID":"30893","_UID":"0","__MONOTONIC_TIMESTAMP":"900302745","_COMM":"kubelet","SYSLOG_IDENTIFIER":"kubelet","_HOSTNAME":"rig-node-1","__REALTIME_TIMESTAMP":"1795460904991853","MESSAGE":"I1123 19:08:24.991703   30893 status_manager.go:277] \"Starting to sync pod status with apiserver\""}"#;

fn frame(line: &str) -> Frame<'_> {
    open(line.as_bytes())
}

fn body(line: &str) -> String {
    String::from_utf8(open(line.as_bytes()).body.into_owned()).unwrap()
}

#[allow(clippy::unnecessary_wraps, reason = "it stands beside frames' optional stamps")]
fn wall(year: Option<i32>, nanos: i64) -> Option<Stamp> {
    Some(Stamp::Wall { year, month: 11, day: 23, nanos_of_day: (19 * 3_600 + 8 * 60 + 24) * 1_000_000_000 + nanos })
}

#[test]
fn tools_say_of_which_node_a_line_is() {
    for (front, host) in [
        ("10.5.0.2: ", Some("10.5.0.2")),
        ("10.5.0.2: 10.5.0.2: ", Some("10.5.0.2")),
        ("node-1 | ", Some("node-1")),
        ("node-1  | ", Some("node-1")),
        ("worker: ", Some("worker")),
        ("[pod/kubelet-x7/kubelet] ", Some("kubelet-x7")),
        ("node-shell-7 kubelet ", Some("node-shell-7")),
        ("node-a: Nov 23 19:08:24 node-b kubelet[3]: ", Some("node-b")),
        ("kubelet: ", None),
        ("k3s-agent: ", None),
        ("containerd | ", None),
        ("kubelet.log: ", None),
        ("kubelet.log:12: ", None),
        ("logs/node-1/kubelet.log: ", None),
        ("the log: ", None),
        ("as the log says ", None),
    ] {
        let line = format!("{front}{KLOG}");
        let found = frame(&line);
        assert_eq!((found.host.as_deref(), found.body), (host, KLOG.as_bytes().into()), "{front}");
    }
}

#[test]
fn every_journal_form_gives_the_same_entry() {
    let utc = |nanos| Some(Stamp::Utc(nanos));
    let forms = [
        ("Nov 23 19:08:24 rig-node-1 kubelet[30893]: ", wall(None, 0)),
        ("Nov 23 19:08:24.991853 rig-node-1 kubelet[30893]: ", wall(None, 991_853_000)),
        ("2026-11-23T19:08:24+0000 rig-node-1 kubelet[30893]: ", utc(SECOND)),
        ("2026-11-23T19:08:24.991853+0000 rig-node-1 kubelet[30893]: ", utc(WRITTEN)),
        ("2026-11-23T19:08:24.991853+00:00 rig-node-1 kubelet[30893]: ", utc(WRITTEN)),
        ("2026-11-23T19:08:24.991853Z rig-node-1 kubelet[30893]: ", utc(WRITTEN)),
        ("2026-11-23T16:08:24.991853-0300 rig-node-1 kubelet[30893]: ", utc(WRITTEN)),
        ("2026-11-24T00:38:24+05:30 rig-node-1 kubelet[30893]: ", utc(SECOND)),
        ("Mon 2026-11-23 19:08:24 UTC rig-node-1 kubelet[30893]: ", utc(SECOND)),
        ("Mon 2026-11-23 22:08:24 +03 rig-node-1 kubelet[30893]: ", utc(SECOND)),
        ("Mon 2026-11-23 19:08:24 CST rig-node-1 kubelet[30893]: ", wall(Some(2026), 0)),
        ("[  900.302745] rig-node-1 kubelet[30893]: ", None),
        ("[  900.302745 <    0.000047 >] rig-node-1 kubelet[30893]: ", None),
        ("[12345.678901] rig-node-1 kubelet[30893]: ", None),
        ("1795460904.991853 rig-node-1 kubelet[30893]: ", utc(WRITTEN)),
    ];
    for (front, stamp) in forms {
        let line = format!("{front}{KLOG}");
        let found = frame(&line);
        let (host, identifier) = (Some("rig-node-1".into()), Some("kubelet".into()));
        let wanted =
            Frame { stamp, host, identifier, pid: Some(30893), body: KLOG.as_bytes().into(), truncated: false };
        assert_eq!(found, wanted, "{line}");
        assert!(matches!((found.body, found.host), (Cow::Borrowed(_), Some(Cow::Borrowed(_)))), "allocates: {line}");
    }
    let json = JSON.to_string();
    for line in [json.clone(), format!("data: {json}"), format!("\u{1e}{json}"), format!("{json}\r")] {
        let found = frame(&line);
        assert_eq!((found.stamp, found.host.as_deref()), (utc(WRITTEN), Some("rig-node-1")), "{line}");
        assert_eq!((found.identifier.as_deref(), found.pid), (Some("kubelet"), Some(30893)));
        assert_eq!((&*found.body, found.truncated), (KLOG.as_bytes(), false));
    }
    let escaped = KLOG.replace('"', "\\\"");
    let bare = [
        KLOG.to_string(),
        format!("    MESSAGE={KLOG}"),
        format!("MESSAGE={KLOG}"),
        format!("\t\"MESSAGE\" : \"{escaped}\","),
        format!("\t\"MESSAGE\" : \"{escaped}\""),
    ];
    for line in bare {
        assert_eq!(frame(&line), Frame { body: KLOG.as_bytes().into(), ..Frame::bare(b"") }, "{line}");
    }
    let unit = format!("Mon 2026-11-23 19:08:24 UTC rig-node-1 kubelet.service[30893]: {KLOG}");
    assert_eq!(frame(&unit).identifier.as_deref(), Some("kubelet.service"));
}

#[test]
fn line_ends_are_no_part_of_the_body_wherever_they_stand() {
    let escaped = KLOG.replace('"', "\\\"");
    let doubled = KLOG.replace('"', "\"\"");
    let bytes: Vec<String> = format!("{KLOG}\n\n").bytes().map(|byte| byte.to_string()).collect();
    let lines = [
        format!("{KLOG}\r\r"),
        format!("{{\"MESSAGE\":\"{escaped}\\n\\n\"}}"),
        format!("{{\"MESSAGE\":\"{escaped}\\r\\n\"}}"),
        format!("{{\"MESSAGE\":[{}]}}", bytes.join(",")),
        format!("\"MESSAGE\" : \"{escaped}\\r\","),
        format!("x,\"{doubled}\r\""),
        format!("{{\"MESSAGE\"=>\"{KLOG}\r\", \"_PID\"=>\"1\"}}"),
    ];
    for line in lines {
        assert_eq!(frame(&line).body, KLOG.as_bytes(), "{line:?}");
    }
    let front = "Nov 23 19:08:24 n1 kubelet[9]: ";
    let cut = ["", ">", "…", ">"].map(|mark| format!("{front}{KLOG}\r{mark}"));
    let mut reader = FrameReader::default();
    for line in &cut {
        assert_eq!(frame(line).body, KLOG.as_bytes(), "{line:?}");
        assert_eq!(reader.open(line.as_bytes()), frame(line), "{line:?}");
    }
    let plain = "I1123 19:08:24.991703   30893 a.go:277] plain";
    for line in [format!("{{\"MESSAGE\":\"{plain}\r\"}}"), format!("x,\"{plain}\r\"")] {
        assert_eq!(frame(&line).body, plain.as_bytes(), "{line:?}");
    }
}

#[test]
fn other_identifiers_and_missing_parts() {
    let rows = [
        (
            "Nov 23 19:08:24 m1 microk8s.daemon-kubelite[2978]: ",
            Some("m1"),
            Some("microk8s.daemon-kubelite"),
            Some(2978),
        ),
        ("Nov  3 19:08:24 ip-10-0-0-1 kubelet: ", Some("ip-10-0-0-1"), Some("kubelet"), None),
        ("Nov 23 19:08:24 XPS-13-9350 k3s[1406452]: ", Some("XPS-13-9350"), Some("k3s"), Some(1_406_452)),
        ("Nov 23 19:08:24 kubenswrapper[2509]: ", None, Some("kubenswrapper"), Some(2509)),
        ("Nov 23 19:08:24 kubelet: ", None, Some("kubelet"), None),
        ("11月 23 19:08:24 master kubelet[7]: ", Some("master"), Some("kubelet"), Some(7)),
        ("nov. 23 19:08:24 master kubelet[7]: ", Some("master"), Some("kubelet"), Some(7)),
        ("Lis 23 19:08:24 master kubelet[7]: ", Some("master"), Some("kubelet"), Some(7)),
        ("Nov 23 19:08:24 n1 microshift[7]: kubelet ", Some("n1"), Some("microshift"), Some(7)),
        ("Nov 23 19:08:24 n1 microshift[7]: ??? ", Some("n1"), Some("microshift"), Some(7)),
        ("??? ", None, None, None),
        ("kubelet ", None, None, None),
    ];
    for (front, host, identifier, pid) in rows {
        let line = format!("{front}{KLOG}");
        let found = frame(&line);
        assert_eq!(&*found.body, KLOG.as_bytes(), "{line}");
        assert_eq!((found.host.as_deref(), found.identifier.as_deref(), found.pid), (host, identifier, pid), "{line}");
    }
    assert_eq!(frame("11月 23 19:08:24 master kubelet[7]: x").stamp, wall(None, 0));
    assert_eq!(frame("Lis 23 19:08:24 master kubelet[7]: x").stamp, None);
}

#[test]
fn seconds_beyond_the_range_of_nanoseconds_are_no_time() {
    assert_eq!(frame("9223372036.8 n1 kubelet[9]: x").stamp, Some(Stamp::Utc(9_223_372_036_800_000_000)));
    for beyond in ["9223372036.9 n1 kubelet[9]: x", "9546039939.345 n1 kubelet[9]: x"] {
        assert_eq!(frame(beyond), Frame::bare(beyond.as_bytes()));
    }
}

#[test]
fn syslog_files() {
    let rows = [
        format!("<30>Nov 23 19:08:24 n1 kubelet[4242]: {KLOG}"),
        format!("<30>1 2026-11-23T18:59:59.494136+00:00 n1 kubelet 4242 - - {KLOG}"),
        format!(r#"<30>1 2026-11-23T18:59:59Z n1 kubelet 4242 ID7 [a@1 k="v\"] x"][b@1] {KLOG}"#),
        format!("2026-11-23T18:59:59.494136+00:00 n1 kubelet[4242]: {KLOG}"),
        format!("n1 Nov 23 19:08:24.000001 n1 kubelet[4242]: {KLOG}"),
        format!("n1 Nov 23 19:08:24.000001 kubelet[4242]: {KLOG}"),
    ];
    for line in rows {
        let found = frame(&line);
        assert_eq!(
            (&*found.body, found.host.as_deref(), found.pid),
            (KLOG.as_bytes(), Some("n1"), Some(4242)),
            "{line}"
        );
        assert!(found.stamp.is_some());
    }
    assert_eq!(body("<30>1 - - - - - - plain"), "plain");
    assert_eq!(body(&format!("<6>{KLOG}")), KLOG);
}

#[test]
fn container_runtimes_and_agents() {
    let cri = format!("2026-11-23T19:08:24.991853000Z stderr F {KLOG}");
    assert_eq!((frame(&cri).stamp, body(&cri).as_str()), (Some(Stamp::Utc(WRITTEN)), KLOG));
    assert!(frame("2026-11-23T19:08:24.991853000Z stderr P I1123 half").truncated);
    let escaped = KLOG.replace('"', "\\\"");
    let docker = format!(r#"{{"log":"{escaped}\n","stream":"stderr","time":"2026-11-23T19:08:24.991853Z"}}"#);
    assert_eq!((frame(&docker).stamp, body(&docker).as_str()), (Some(Stamp::Utc(WRITTEN)), KLOG));
    let agents = [
        format!(r#"{{"@timestamp":"2026-11-23T19:08:24.991853Z","message":"{escaped}","host":{{"name":"n1"}}}}"#),
        format!(r#"{{"message":"{escaped}","kubernetes":{{"host":"n1","labels":{{"a":"b"}}}}}}"#),
        format!(r#"{{"_index":"x","_source":{{"message":"{escaped}","hostname":"n1"}}}}"#),
        format!(r#"{{"insertId":"1","jsonPayload":{{"MESSAGE":"{escaped}","_HOSTNAME":"n1"}}}}"#),
        format!(r#"{{"_HOSTNAME":"n1","MESSAGE":["{escaped}","second"]}}"#),
    ];
    for line in agents {
        assert_eq!((body(&line).as_str(), frame(&line).host.as_deref()), (KLOG, Some("n1")), "{line}");
    }
    // A journal line that an agent in a container printed, in docker's file: three frames.
    let nested = format!(
        r#"{{"log":"<30>Nov 23 19:08:24 n1 kubelet[9]: {escaped}\n","stream":"stdout","time":"2026-11-23T19:08:24.991853Z"}}"#
    );
    let found = frame(&nested);
    assert_eq!((&*found.body, found.stamp, found.pid), (KLOG.as_bytes(), Some(Stamp::Utc(WRITTEN)), Some(9)));
}

#[test]
fn programs_own_lines_stay_whole() {
    let lines = [
        r#"{"ts":1795460399075.0996,"caller":"flag/flags.go:64","msg":"FLAG: --address=\"0.0.0.0\"","v":1}"#,
        r#"{"level":"info","msg":"PullImage \"a\"","time":"2026-11-23T18:59:59.494136789Z"}"#,
        r#"{"error":"x","level":"error","msg":"failed","time":"2026-11-23T18:59:59Z"}"#,
        r#"time="2025-03-21T14:51:17.472119642Z" level=warning msg="use `containerd config migrate`" t="331.678µs""#,
        r"I1129 11:34:37.197910 31560 logs.go:138] Found kubelet problem: Nov 23 19:08:24 n1 kubelet[9]: I1123 19:08:24.991703 x",
        "Flag --logging-format has been deprecated, This parameter should be set via the config file",
        "\tindented text: of a value",
        r#"{"kind":"Event","level":"Metadata"}"#,
        "==> kubelet <==",
        "",
    ];
    for line in lines {
        assert_eq!((body(line).as_str(), frame(line).truncated), (line, false));
        let framed = format!("2026-11-23T18:59:59+0000 rig-node-1 kubelet[4242]: {line}");
        assert_eq!((body(&framed).as_str(), frame(&framed).truncated), (line, false));
        assert_eq!(frame(&framed).pid, Some(4242));
    }
    // The kubelet's JSON inside journald's JSON.
    let inner =
        r#"{\"ts\":1795460399075.132,\"caller\":\"flag/flags.go:64\",\"msg\":\"FLAG: --x=\\\"[]\\\"\",\"v\":1}"#;
    let line = format!(r#"{{"_PID":"4242","MESSAGE":"{inner}","_HOSTNAME":"rig-node-1"}}"#);
    assert_eq!(body(&line), r#"{"ts":1795460399075.132,"caller":"flag/flags.go:64","msg":"FLAG: --x=\"[]\"","v":1}"#);
}

#[test]
fn messages_of_the_journal_that_are_no_plain_strings() {
    let bytes = r#"{"_HOSTNAME":"n1","MESSAGE":[73,49,49,50,51,32,255]}"#;
    assert_eq!(&*open(bytes.as_bytes()).body, b"I1123 \xff");
    let null = r#"{"MESSAGE":null,"_HOSTNAME":"n1","_PID":"7"}"#;
    assert_eq!((&*open(null.as_bytes()).body, frame(null).pid), (&b""[..], Some(7)));
    assert_eq!(body(r#"{"MESSAGE":"a\u00b5\ud83d\ude00\ud800\q\/"}"#), "aµ😀\u{fffd}\\q/");
    let mut binary = u64::try_from(KLOG.len()).unwrap().to_le_bytes().to_vec();
    binary.extend_from_slice(KLOG.as_bytes());
    assert_eq!(&*open(&binary).body, KLOG.as_bytes());
}

#[test]
fn what_tools_and_people_put_around() {
    let escaped = KLOG.replace('"', "\\\"");
    let journal = format!("Nov 23 19:08:24 n1 kubelet[9]: {KLOG}");
    let fronts = [
        "  ",
        "    ",
        "\t",
        "* ",
        "> ",
        "> > ",
        "- ",
        "  * ",
        "1. ",
        "kubelet.log:",
        "kubelet.log:12:",
        "12:",
        "12-",
        "./a/b-c.log-",
        "/var/log/messages-20261123:77:",
        "logs/n-1/kubelet.log-15-",
        "my logs/k.log:3:\t",
        "a.gz:    ",
        "[node-1] ",
        "2026-11-23T19:08:24.991853Z ",
        "\u{feff}",
        "\u{1b}[1m",
        "`",
    ];
    for front in fronts {
        for line in [KLOG, journal.as_str(), JSON] {
            let framed = format!("{front}{line}");
            assert_eq!(body(&framed), KLOG, "{framed}");
            assert_eq!(frame(&framed).host, frame(line).host, "{framed}");
        }
    }
    assert_eq!(body(&format!("`{journal}`")), KLOG);
    assert_eq!(body(&format!("- `{journal}`\r")), KLOG);
    assert_eq!(body(&format!("\"{escaped}\"")), KLOG);
    assert_eq!(body(&format!("  \"Nov 23 19:08:24 n1 kubelet[9]: {escaped}\",")), KLOG);
    assert_eq!(body(&format!("pod-x container-y {KLOG}")), KLOG);
    assert_eq!(body(&format!("kubelet-1  | {KLOG}")), KLOG);
    let coloured = "Nov 23 19:08:24 n1 kubelet[9]: \u{1b}[0;1;38;5;185mI1123 19:08:24.991703   30893 a.go:1] \u{1b}]8;;x\u{1b}\\y\u{1b}[0m\u{1b}(B";
    assert_eq!(body(coloured), "I1123 19:08:24.991703   30893 a.go:1] y");
}

#[test]
fn a_quoted_line_is_not_the_line() {
    let lines = [
        format!("Nov 23 19:08:24 n1 agent[1]: seen in the log: {KLOG}"),
        format!("Nov 23 19:08:24 n1 agent[1]: err=\"x\" {KLOG}"),
        format!("Nov 23 19:08:24 n1 agent[1]: stderr was '{KLOG}'"),
        format!("Nov 23 19:08:24 n1 agent[1]: copied from k.log: Nov 23 19:08:24 n1 kubelet[9]: {KLOG}"),
    ];
    for line in lines {
        let found = frame(&line);
        assert_eq!(found.identifier.as_deref(), Some("agent"), "{line}");
        assert!(line.ends_with(&*String::from_utf8_lossy(&found.body)) && !found.body.starts_with(b"I1123"), "{line}");
    }
    let escaped = KLOG.replace('"', "\\\"");
    for message in [format!("seen in the log: {escaped}"), format!("'{escaped}'"), format!("\\\"{escaped}\\\"")] {
        let line = format!(r#"{{"MESSAGE":"{message}","SYSLOG_IDENTIFIER":"agent"}}"#);
        assert!(!frame(&line).body.starts_with(b"I1123"), "{line}");
    }
    let quoted = format!("Nov 23 19:08:24 n1 agent[1]: \"Nov 23 19:08:24 n2 kubelet[9]: {escaped}\"");
    assert_eq!(frame(&quoted).host.as_deref(), Some("n1"));
    for line in
        [r#"msg="kubelet said" I1123 19:08:24.991703   1 a.go:1] x"#, "2026-11-23 19:08:24,123 INFO module: text"]
    {
        assert_eq!(frame(line), Frame::bare(line.as_bytes()));
    }
    // A head that is lost stays lost.
    let headless = r#"pod_startup_latency_tracker.go:102] "Observed pod startup duration" pod="a/b""#;
    assert_eq!(body(headless), headless);
}

#[test]
fn marks_of_cut_lines() {
    let front = "May 26 10:45:47 XPS-13-9350 k3s[1406452]: ";
    let head = "I0526 10:45:47.302376 1406452 a.go:104] \"Observed\"";
    let truncated = [
        (
            " podStartSLOduration=1.531844016 podStartE2EDuration=\"4.>",
            " podStartSLOduration=1.531844016 podStartE2EDuration=\"4.",
        ),
        (" on node \\\">", " on node \\\""),
        (" podStartSLOduration=1.53>", " podStartSLOduration=1.53"),
        (" a=\"<nil>\" b=\"x>", " a=\"<nil>\" b=\"x"),
        (" pod=\"kube-sys…", " pod=\"kube-sys"),
        (" pod=\"kube-sys...", " pod=\"kube-sys"),
    ];
    for (end, left) in truncated {
        for front in [front, ""] {
            let line = format!("{front}{head}{end}");
            assert_eq!((body(&line), frame(&line).truncated), (format!("{head}{left}"), true), "{line}");
        }
    }
    for end in [" err=<nil>", " html=<a href=x>", " more...", " >= 3"] {
        let line = format!("{front}{head}{end}");
        assert_eq!((body(&line), frame(&line).truncated), (format!("{head}{end}"), false), "{line}");
    }
    assert!(!frame(&format!("{front} >")).truncated, "the end of a multi-line value");
    // journalctl --no-full on a terminal of 100 columns.
    let narrow =
        "Nov 23 19:09:14 rig-node-1 kubelet[1385]: I1123 19:09:14.102379    1385 kubelet_volumes.go:16…lumes\"";
    assert_eq!(
        (body(narrow).as_str(), frame(narrow).truncated),
        ("I1123 19:09:14.102379    1385 kubelet_volumes.go:16", true)
    );
    let json = r#"{"_PID":"7","MESSAGE":"I1123 19:08:24.991703   30893 a.go:1] \"Obser>"#;
    assert_eq!((body(json).as_str(), frame(json).truncated), ("I1123 19:08:24.991703   30893 a.go:1] \"Obser", true));
}
