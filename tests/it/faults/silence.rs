//! Nothing is lost in silence: what was read and not used is counted, and the first few places are named.

use super::process::{log, run};
use crate::support::podlag;

/// The log with what cannot be used between its lines. Gives the lines' numbers beside the text.
fn spoilt() -> (String, Vec<(&'static str, usize)>) {
    let text = log();
    let record = text.lines().find(|line| line.contains("Observed pod startup")).unwrap();
    let unknown = "I1123 18:59:27.588189   12610 a.go:1] \"Observed pod startup duration\" nothing=\"of it\"";
    let cut = &record[..record.find("podCreationTimestamp").unwrap() + 30];
    let long = "y".repeat(300 << 10);
    let (mut lines, mut places): (Vec<&str>, Vec<_>) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        for (every, why, spoilt) in
            [(100, "unknown_lines", unknown), (150, "truncated_records", cut), (200, "long_lines", long.as_str())]
        {
            if number % every == every - 1 {
                lines.push(spoilt);
                places.push((why, lines.len()));
            }
        }
        lines.push(line);
    }
    (lines.join("\n") + "\n", places)
}

#[test]
fn what_was_not_used_is_counted_and_its_first_places_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubelet.log");
    let before = folder.path().join("before.log");
    std::fs::write(&before, log()).unwrap();
    let coverage = |path: &std::path::Path| {
        let ended = run([path.as_os_str(), "--format".as_ref(), "json".as_ref()]);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        ended.json()["coverage"].clone()
    };
    let clean = coverage(&before);
    let (text, places) = spoilt();
    std::fs::write(&path, &text).unwrap();
    let told = coverage(&path);
    assert_eq!((&told["bytes"], &told["lines"]), (&text.len().into(), &text.lines().count().into()));
    for why in ["unknown_lines", "truncated_records", "long_lines"] {
        let more = places.iter().filter(|place| place.0 == why).count() as u64;
        assert!(more >= 3, "{why}");
        assert_eq!(told[why].as_u64().unwrap(), clean[why].as_u64().unwrap() + more, "{why}");
        let named: Vec<u64> = told["unused_lines"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|place| place["why"] == why && place["source"] == path.to_string_lossy().as_ref())
            .map(|place| place["line"].as_u64().unwrap())
            .collect();
        let count = told[why].as_u64().unwrap().min(5);
        assert_eq!(named.len() as u64, count, "{why}: {told}");
        if clean[why] == 0 {
            let spoilt: Vec<u64> = places.iter().filter(|place| place.0 == why).map(|place| place.1 as u64).collect();
            assert_eq!(named, spoilt[..named.len()], "{why}");
        }
    }
    let shown = run([path.as_os_str(), "--details".as_ref()]).out;
    let words: String = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for (why, count) in
        [("unrecognised", "unknown_lines"), ("truncated", "truncated_records"), ("over-long", "long_lines")]
    {
        assert!(words.contains(&format!("{} {why}", told[count])), "{why}: {shown}");
        assert!(words.contains(&format!("{why} lines, e.g. {}:", path.display())), "{why}: {shown}");
    }
    assert!(words.contains(&format!("read {} lines", text.lines().count())), "{shown}");
    let ticket = podlag().args(["--format", "markdown"]).arg(&path).output().unwrap().stdout;
    assert!(String::from_utf8(ticket).unwrap().contains("unrecognised lines, e.g."));
}

#[test]
fn places_merge_as_if_all_had_been_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (text, _) = spoilt();
    for node in ["a", "b", "c"] {
        std::fs::create_dir(at(node)).unwrap();
        std::fs::write(at(&format!("{node}/kubelet.log")), &text).unwrap();
        let file = at(&format!("{node}.parquet"));
        let ended = run([at(&format!("{node}/kubelet.log")), "--node-name".into(), node.into(), "-o".into(), file]);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
    }
    let places = |inputs: [&str; 3]| {
        let inputs = inputs.map(at);
        let ended = run(inputs.iter().map(String::as_str).chain(["--format", "json"]));
        ended.json()["coverage"]["unused_lines"].clone()
    };
    let merged = places(["c.parquet", "a.parquet", "b.parquet"]);
    assert_eq!(merged, places(["b/kubelet.log", "c/kubelet.log", "a/kubelet.log"]));
    assert_eq!(merged.as_array().unwrap().iter().filter(|place| place["why"] == "long_lines").count(), 5, "{merged}");
    // Whose log it is is a name too.
    let hidden = run([at("a/kubelet.log").as_str(), "--anonymize", "--format", "json"]);
    assert!(!hidden.out.contains(&*folder.path().to_string_lossy()), "{}", hidden.json()["coverage"]);
    assert!(!hidden.json()["coverage"]["unused_lines"].as_array().unwrap().is_empty());
}
