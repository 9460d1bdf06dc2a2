//! Container crash-looped (CrashLoopBackOff).

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "crash-loop",
    title: "Container crash-looped (CrashLoopBackOff)",
    advice: &[Advice::new(0, "read the container's own log")],
    text: "\
What it means
A container (often an init container) exits with an error. The kubelet waits 10 s, then 20 s, and so on, before it starts the container again.

How it is detected
CrashLoopBackOff in the pod's errors, or the same container created again before the pod ran.

What to do
The container's log and exit code show the reason. Make the container wait for its dependencies instead of exiting.

When it misleads
Some programs exit on purpose until a dependency is available.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the first back-off is 10 s",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog],
    phases: &[Phase::RetryBackoff],
    counts_as_loss: true,
    logs: Some(|case| {
        let again = || (case.breakdown.restarts > 0).then(Match::default);
        case.failed_with(&["CrashLoopBackOff"]).map(Match::at).or_else(again)
    }),
    metrics: None,
};
