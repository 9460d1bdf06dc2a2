//! Text from logs and names of files must act on nothing: no terminal, no spreadsheet, no markup. The page is looked at by a browser
//! in `html/`, Markdown and pictures also in `forms.rs`; what a server says and secrets in `web/`.

use std::path::Path;

use serde_json::Value;

use super::process::{Ended, Running, run};
use crate::support::{podlag, samples, text};

/// OSC 8 (links) and 52 (the clipboard), CSI, C1 in both encodings, DEL, marks of direction, markup, a formula.
const VECTORS: &str = "=cmd|' /C calc'!A0\u{1b}]8;;http://a.test\u{1b}\\\u{1b}]52;c;YQ==\u{7}\u{1b}[2J\u{9b}31m\u{9d}0;t\u{9c}\
                       \u{7f}\u{202e}\u{2066}\u{200f}\u{61c}\r</script><script>alert(1)</script><img src=x \
                       onerror=alert(1)>]]>&amp;'`|$(id)";

/// Bare in the bytes of a line, and as Go quotes it.
fn quoted() -> String {
    let byte = |c: char| match c {
        '\u{1b}' => r"\x1b".into(),
        '\u{7}' => r"\a".into(),
        '\r' => r"\r".into(),
        '\\' => r"\\".into(),
        c if c.is_control() || !c.is_ascii() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    VECTORS.chars().map(byte).collect()
}

/// A real log with the vectors in names of pods, namespaces, images, volumes, and in the text around.
fn hostile(folder: &Path) {
    for name in ["kubelet.log", "containerd.log"] {
        let log = text(&samples().join("s02-pull-serial/in").join(format!("{name}.zst")));
        let hostile = log
            .replace("shop/", &format!("{}/", quoted().replace('/', "_")))
            .replace("team/", &format!("team{}/", quoted().replace(['/', '"'], "_")))
            .replace("kube-api-access", &format!("vol{}", quoted().replace('/', "_")));
        let mut bytes = Vec::new();
        for (number, line) in hostile.lines().enumerate() {
            bytes.extend(line.as_bytes());
            if number % 7 == 0 {
                bytes.extend(VECTORS.replace('\r', "").as_bytes());
                bytes.extend(b"\x9b31m\x90");
            }
            bytes.push(b'\n');
        }
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

fn acts(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn harmless(what: &str, text: &str) {
    if let Some(at) = text.find(acts) {
        let from = text[..at].char_indices().rev().nth(80).map_or(0, |(at, _)| at);
        panic!("{what}: {:?}", text[from..].chars().take(160).collect::<String>());
    }
}

fn calm(what: &str, ended: &Ended) {
    harmless(what, &ended.out);
    harmless(what, &ended.err);
    assert!(!ended.err.contains("panicked"), "{what}: {}", ended.err);
}

#[test]
fn messages_let_no_name_act_on_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let name = VECTORS.replace(['/', '\0'], "_");
    let at = |extension: &str| folder.path().join(format!("{name}{extension}")).to_string_lossy().into_owned();
    let (log, broken, report, nothing) = (at(".log"), at(".gz"), at(".json"), at(".none"));
    std::fs::write(&log, text(&samples().join("s01-cached/in/kubelet.log.zst"))).unwrap();
    std::fs::write(&broken, b"\x1f\x8b\x08\0").unwrap();
    std::fs::write(&report, br#"{"podlag_report": 1, "run": 7}"#).unwrap();
    let runs: [Vec<&str>; 16] = [
        vec![&nothing],
        vec![&broken],
        vec![&broken, &log],
        vec![&report, &log],
        vec![&log, "-o", &nothing],
        vec![&log, "-o", &log],
        vec![&log, "--grammar", &broken],
        vec![&log, "--config", &nothing],
        vec![&log, "--timezone", &name],
        vec![&log, "--since", &name],
        vec![&log, "--what-if", &name],
        vec!["explain", &name],
        vec!["chain", &name, &log],
        vec!["grammar", "check", &nothing],
        vec!["check", "--fail-if", &name, &log],
        vec!["diff", &nothing, &log],
    ];
    for arguments in runs {
        let ended = run(&arguments);
        assert!(!ended.err.is_empty() || ended.code == Some(0), "{arguments:?}");
        calm(&format!("{arguments:?}"), &ended);
    }
    // What a shell makes of `*` may begin with a dash.
    let flag = run([format!("--{}", name.trim_start_matches('=')).as_str()]);
    assert_eq!((flag.code, flag.out.as_str()), (Some(2), ""));
    calm("a flag", &flag);
    calm("a folder", &run([folder.path()]));
    let mut typed = podlag();
    calm("the summary of such a file", &Running::of(typed.arg(&log)).end());
}

#[test]
fn no_cell_is_a_formula() {
    let folder = tempfile::tempdir().unwrap();
    let log = text(&samples().join("s01-cached/in/kubelet.log.zst"));
    for (number, begins) in ["=1+1", "+1", "-1", "@SUM(1)", r"\t=1", r"\r=1"].iter().enumerate() {
        let path = folder.path().join(format!("{number}.log"));
        std::fs::write(&path, log.replace("shop/", &format!("{begins}/"))).unwrap();
        let path = path.to_string_lossy().into_owned();
        for arguments in [vec![&*path, "--format", "csv"], vec!["blame", "--by", "namespace", "--format", "csv", &path]]
        {
            let ended = run(&arguments);
            let mut reader = csv::ReaderBuilder::new().from_reader(ended.out.as_bytes());
            let mut quoted = 0;
            for record in reader.records() {
                for cell in &record.unwrap() {
                    let number = cell.parse::<f64>().is_ok();
                    assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{begins} {cell:?}");
                    quoted += usize::from(cell.starts_with('\''));
                }
            }
            assert!(quoted > 0, "{begins}: {}", ended.out);
        }
    }
}

#[test]
fn a_verdict_is_well_formed_xml_whatever_it_quotes() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    let logs = folder.path().to_string_lossy().into_owned();
    let limit = format!("count(namespace={VECTORS:?}) < 1000");
    for limit in ["max(running_s) > 1s", &limit] {
        let ended = run(["check", "--format", "junit", "--fail-if", limit, &logs]);
        if ended.code == Some(2) {
            // A limit that the language does not take is an error, and no XML.
            assert_eq!(ended.out, "", "{}", ended.err);
            continue;
        }
        let mut reader = quick_xml::Reader::from_str(&ended.out);
        let mut cases = 0;
        loop {
            match reader.read_event().unwrap_or_else(|error| panic!("{error}: {}", ended.out)) {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(start) => {
                    assert_ne!(start.name().as_ref(), b"script", "{}", ended.out);
                    cases += usize::from(start.name().as_ref() == b"testcase");
                }
                _ => {}
            }
        }
        assert!(cases > 0, "{}", ended.out);
    }
}

#[test]
fn json_keeps_what_it_escapes() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    let ended = run([folder.path().as_os_str(), "--format".as_ref(), "ndjson".as_ref()]);
    let namespaces: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["namespace"].clone()).collect();
    assert!(namespaces.contains(&Value::from(VECTORS.replace('/', "_"))), "{namespaces:?}");
}

mod slow {
    use super::*;

    #[test]
    fn no_verb_lets_a_log_act_on_a_terminal() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        std::fs::create_dir(&logs).unwrap();
        hostile(&logs);
        let logs = logs.to_string_lossy().into_owned();
        let json = run([logs.as_str(), "--format", "json"]).json();
        let rows = json["startups"].as_array().unwrap();
        let vectors = VECTORS.replace('/', "_");
        let pod = rows.iter().find(|row| row["namespace"] == vectors.as_str());
        let pod = pod.unwrap_or_else(|| panic!("the vectors are there, as they were: {}", rows[0]["namespace"]));
        let pod = format!("{}/{}", vectors, pod["pod"].as_str().unwrap());
        for form in ["text", "ndjson", "csv", "json", "markdown", "trace"] {
            calm(form, &run([logs.as_str(), "--format", form]));
        }
        for form in ["text", "csv", "markdown", "json"] {
            for by in ["pod", "namespace", "image", "workload", "registry"] {
                calm("blame", &run(["blame", "--by", by, "--format", form, &logs]));
            }
        }
        let chain = run(["chain", &pod, &logs]);
        assert_eq!(chain.code, Some(0), "{}", chain.err);
        calm("chain", &chain);
        for form in ["text", "json", "markdown"] {
            calm("diff", &run(["diff", "--format", form, &logs, &logs]));
        }
        for form in ["text", "json", "markdown", "junit"] {
            let namespace = format!("count(namespace={vectors:?}) > 1");
            calm("check", &run(["check", "--format", form, "--fail-if", &namespace, &logs]));
            calm("check", &run(["check", "--format", form, "--fail-if", "max(running_s) > 1s", &logs]));
        }
        for flag in ["--namespace", "--pod", "--node", "--image", "--workload"] {
            calm(flag, &run([logs.as_str(), flag, VECTORS]));
        }
        for name in ["report.html", "report.md", "report.csv", "startups.trace.json", "report.txt"] {
            let file = folder.path().join(name);
            assert_eq!(run([logs.as_str().as_ref(), "-o".as_ref(), file.as_os_str()]).code, Some(0), "{name}");
            let written = std::fs::read_to_string(&file).unwrap();
            assert!(!written.contains("<script>alert(1)") || !name.ends_with("html"), "{name}");
            if !name.ends_with("html") {
                harmless(name, &written);
            }
        }
    }
}
