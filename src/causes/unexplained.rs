//! Time not explained by the input.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// What to do where these inputs are given of all its startups: only what is missing is asked for.
pub(crate) fn change(given: &[Evidence]) -> String {
    let wanted: [(&[Evidence], &str); 3] = [
        (&[Evidence::Events, Evidence::Pods], "events (kubectl get pods,events -A -o json)"),
        (&[Evidence::KubeletLog], "the kubelet log (-v=2)"),
        (&[Evidence::RuntimeLog], "the container runtime log"),
    ];
    let missing = wanted.iter().filter(|(kinds, _)| !kinds.iter().any(|kind| given.contains(kind)));
    let missing: Vec<&str> = missing.map(|(_, words)| *words).collect();
    match missing.as_slice() {
        [] => "run the kubelet with -v=4 for a while".into(),
        missing => {
            let all = missing.join(", ");
            format!(
                "add what is missing of the same time: {all}; with all of it, run the kubelet with -v=4 for a while"
            )
        }
    }
}

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "unexplained",
    title: "Time not explained by the input",
    advice: &[Advice::new(0, "add what is missing of the same time: events (kubectl get pods,events -A -o json), the kubelet log or the container runtime log; with all of them, run the kubelet with -v=4 for a while").side_effect("more log volume")],
    text: "\
What it means
No line covers this time, an attempt failed for a reason that podlag does not know, or a pull started late although no other pull was ahead of it.

How it is detected
More than 3 s that no phase covers, or that lie between attempts and belong to no other cause.

What to do
Without access to nodes: give events beside pods. Else add the container runtime log of the same time, and earlier lines where the log begins in the middle of a start; raise the kubelet's verbosity on one node.

When it misleads
–
",
    baseline: Nanos(0),
    threshold: Nanos(3 * SECOND),
    rationale: "starts in captures have up to 1.6 s between their lines under load",
    shown_by: &[Evidence::Record, Evidence::KubeletLog, Evidence::Events],
    phases: &[Phase::Unattributed, Phase::RetryBackoff, Phase::ImageWait],
    logs: Some(|_| Some(Match::default())),
    metrics: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_asked_for() {
        let all = [Evidence::KubeletLog, Evidence::RuntimeLog, Evidence::Pods];
        assert_eq!(change(&all), "run the kubelet with -v=4 for a while");
        let logs = change(&all[..2]);
        assert!(
            logs.contains("events (kubectl") && !logs.contains("log (-v=2)") && !logs.contains("runtime"),
            "{logs}"
        );
        assert!(
            change(&[]).contains("events (kubectl get pods,events -A -o json), the kubelet log (-v=2), the container")
        );
    }
}
