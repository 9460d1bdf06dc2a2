//! A runtime's log of which a part is missing gives no cause that neither the whole of it nor the kubelet's log alone gives.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{report, samples, startups, text};

/// Of a log's lines, those from a share of it to another, in hundredths, or all but those.
#[derive(Clone, Copy, Debug)]
enum Kept {
    From(usize),
    To(usize),
    Without(usize, usize),
}

const CUTS: [Kept; 7] =
    [Kept::From(30), Kept::From(60), Kept::From(85), Kept::To(70), Kept::To(40), Kept::To(15), Kept::Without(35, 65)];

impl Kept {
    fn of(self, log: &str) -> String {
        let lines: Vec<&str> = log.split_inclusive('\n').collect();
        let at = |share: usize| lines.len() * share / 100;
        match self {
            Kept::From(share) => lines[at(share)..].concat(),
            Kept::To(share) => lines[..at(share)].concat(),
            Kept::Without(from, to) => [&lines[..at(from)], &lines[at(to)..]].concat().concat(),
        }
    }
}

/// Of each pod the cause that took most, and its state.
fn causes(inputs: &[&Path]) -> BTreeMap<String, (String, String)> {
    let cause = |row: &Value| row["findings"][0]["cause"].as_str().unwrap_or("none").to_owned();
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    startups(report(inputs)).iter().map(|row| (word(&row["pod"]), (cause(row), word(&row["state"])))).collect()
}

#[test]
fn a_part_of_the_runtimes_log_gives_no_cause_of_its_own() {
    let crio = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crio");
    let folders = [
        samples().join("s07-pull-backoff/in"),
        samples().join("s08-cni/in"),
        samples().join("v1.33-s10-static-restart/in"),
        crio.join("debug-mixture"),
        crio.join("pull-failing"),
    ];
    let temp = tempfile::tempdir().expect("a folder");
    for (number, folder) in folders.iter().enumerate() {
        let kubelet = folder.join("kubelet.log.zst");
        let logs: Vec<PathBuf> = ["containerd.log.zst", "crio.log.zst"].map(|name| folder.join(name)).into();
        let runtime = logs.iter().find(|log| log.exists()).expect("a runtime's log");
        let (alone, both) = (causes(&[&kubelet]), causes(&[&kubelet, runtime]));
        assert!(alone.len() > 5, "{}", folder.display());
        let log = text(runtime);
        for (at, kept) in CUTS.into_iter().enumerate() {
            let part = temp.path().join(format!("{number}-{at}.log"));
            std::fs::write(&part, kept.of(&log)).expect("it is written");
            let found = causes(&[&kubelet, &part]);
            assert_eq!(
                found.keys().collect::<Vec<_>>(),
                both.keys().collect::<Vec<_>>(),
                "{kept:?} {}",
                folder.display()
            );
            for (pod, cause) in &found {
                let known = [alone.get(pod), both.get(pod)];
                assert!(known.contains(&Some(cause)), "{kept:?} {} {pod}: {cause:?}, not {known:?}", folder.display());
            }
        }
    }
}
