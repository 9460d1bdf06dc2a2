//! CRI-O: on captures of real kubelets with CRI-O 1.35 its log beside the kubelet's makes no answer worse, and its pulls are
//! the pods' own. `tests/crio` holds the logs, what was done to each pod (`truth.json`), and the pods' events.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::causes::DONE;
use crate::support::report;
use crate::user_logs::own_pulls;

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

/// Each pod of a capture whose treatment is known, and whether its main cause is right.
fn verdicts(capture: &Path, logs: &[&str]) -> BTreeMap<String, Verdict> {
    let inputs: Vec<PathBuf> = logs.iter().map(|log| capture.join(log)).collect();
    let truth: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(capture.join("truth.json")).expect("truth")).expect("JSON");
    let mut verdicts = BTreeMap::new();
    for row in report(&inputs)["startups"].as_array().expect("startups") {
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
