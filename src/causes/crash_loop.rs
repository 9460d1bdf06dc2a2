//! A container ended and was started again, with growing waits.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "crash-loop",
    title: "A container ended and was started again, with growing waits.",
    advice: &[Advice::new(0, "read the container's own log")],
    text: "\
What it means
A container (often an init container) exits with an error; the kubelet waits 10 s, then 20 s, and so on.

How it is recognised
CrashLoopBackOff in the pod's errors, or the same container created again before the pod ran.

What to do
The container's log and exit code say why. Make it wait for what it needs instead of exiting.

When it misleads
Exiting until a dependency is there is a design for some programs.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the first back-off is 10 s",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog],
    phases: &[Phase::RetryBackoff],
    counts_as_loss: true,
    check: |case| {
        let again = || (case.breakdown.restarts > 0).then(Match::default);
        case.failed_with(&["CrashLoopBackOff"]).map(Match::at).or_else(again)
    },
};
