//! `podlag chain`: the sentence at its end, overlapping pulls, both SLO values, names of files, and nothing clipped in a pipe.

use std::path::Path;

use crate::support::{podlag, rows, samples};

fn chain(pod: &str, input: &Path) -> String {
    let output = podlag().args(["chain", pod]).arg(input).output().expect("podlag runs");
    assert!(output.status.success(), "{pod}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_chain_ends_with_why_and_what_to_change() {
    for (case, pod, says) in [
        (
            "s02-pull-serial",
            "shop/app-16",
            "slow because: Image pulls waited behind other pulls on the node (38 s of 44 s, behind",
        ),
        ("s02-pull-serial", "shop/app-16", "; change: maxParallelImagePulls: 3"),
        (
            "s05-init-sidecars",
            "shop/init2-1",
            "slow because: Init containers ran before the app containers (7.9 s of 16 s, init-a, init-b); change: shorten",
        ),
    ] {
        let text = chain(pod, &samples().join(case).join("in"));
        let last = text.lines().last().expect("a sentence");
        assert!(last.contains(says), "{pod}: {last}");
    }
    let cached = samples().join("s01-cached/in");
    let rows = rows(&[&cached]);
    let quick = rows.iter().find(|row| row["findings"].as_array().is_some_and(Vec::is_empty)).expect("a quick start");
    let text = chain(quick["uid"].as_str().expect("a uid"), &cached);
    assert!(text.contains("\nno cause: no phase exceeded its threshold; the longest is "), "{text}");
}

#[test]
fn pulls_in_slots_are_said_to_overlap() {
    let overlap = "of these pulls ran at the same time";
    let parallel = chain("default/app-12", &samples().join("s03-pull-parallel3/in"));
    assert!(parallel.contains(&format!("up to 3 {overlap}")), "{parallel}");
    let serial = chain("shop/app-16", &samples().join("s02-pull-serial/in"));
    assert!(serial.contains("blocked") && !serial.contains(overlap), "{serial}");
}

/// Wherever the kubelet's value is not ours, the chain says why.
#[test]
fn both_slo_values_have_a_unit_and_a_reason() {
    for case in ["s02-pull-serial", "v1.26-s05-init-sidecars", "v1.28-s05-init-sidecars"] {
        let input = samples().join(case).join("in");
        let mut reasons = 0;
        for row in rows(&[&input]) {
            let (Some(ours), Some(recorded)) = (row["slo_s"].as_f64(), row["slo_recorded_s"].as_f64()) else {
                continue;
            };
            let text = chain(row["uid"].as_str().expect("a uid"), &input);
            let line = text.lines().find(|line| line.starts_with("SLO value ")).expect("a line");
            if (recorded - ours).abs() >= 0.1 {
                assert!(line.contains(": it includes ") || line.contains("overflowed"), "{case}: {line}");
                reasons += 1;
            }
            assert!(!line.contains("no line shows why"), "{case}: {line}");
        }
        assert!(reasons > 0, "{case}");
    }
}

#[test]
fn bounds_are_no_range_of_one_figure() {
    for case in ["s02-pull-serial", "s12-burst"] {
        let input = samples().join(case).join("in");
        for row in rows(&[&input]) {
            let text = chain(row["uid"].as_str().expect("a uid"), &input);
            assert!(!text.contains(".."), "{text}");
        }
    }
}

/// Files of one name in several folders are told apart, by as much of their path as that takes.
#[test]
fn evidence_names_the_file_among_others() {
    let folder = tempfile::tempdir().expect("a folder");
    for (node, case) in [("one", "s02-pull-serial"), ("two", "s03-pull-parallel3")] {
        std::fs::create_dir(folder.path().join(node)).expect("a folder");
        let log = samples().join(case).join("in/kubelet.log.zst");
        std::fs::copy(log, folder.path().join(node).join("kubelet.log.zst")).expect("a copy");
    }
    let text = chain("shop/app-16", &folder.path().join("one"));
    assert!(text.contains("  kubelet.log.zst:354 ") && !text.contains("one/kubelet"), "{text}");
    let text = chain("shop/app-16", folder.path());
    assert!(text.contains("  one/kubelet.log.zst:354 ") && text.contains("  two/kubelet.log.zst:"), "{text}");
    let output = podlag().arg(folder.path()).output().expect("podlag runs");
    let summary = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(summary.contains("evidence  one/kubelet.log.zst:") || summary.contains("evidence  two/kubelet.log.zst:"));
}

#[test]
fn lines_in_a_pipe_are_whole_and_on_a_screen_keep_what_they_say() {
    let input = samples().join("s02-pull-serial/in");
    let piped = chain("shop/app-16", &input);
    assert!(piped.contains("returns successfully\"\n"), "{piped}");
    let output =
        podlag().args(["chain", "shop/app-16"]).arg(&input).env("COLUMNS", "80").output().expect("podlag runs");
    let narrow = String::from_utf8(output.stdout).expect("UTF-8");
    let line = narrow.lines().find(|line| line.contains("No sandbox")).expect("a line of evidence");
    assert!(line.chars().count() <= 80 && line.contains(":455 \"No sandbox for pod"), "{line}");
}
