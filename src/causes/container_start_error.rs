//! A container could not be created or started.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "container-start-error",
    title: "A container could not be created or started.",
    advice: &[Advice::new(0, "read the error line: command, mounts, device, runtime class")],
    text: "\
What it means
The runtime refused to create or start the container; the kubelet tries again.

How it is recognised
RunContainerError, CreateContainerError or PostStartHookError in the pod's errors.

What to do
The error names the reason: a command that does not exist, a mount that fails, a hook that returns an error.

When it misleads
None known.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the next sync comes after 10 s or more",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::RetryBackoff],
    counts_as_loss: true,
    check: |case| {
        let reasons = [
            "RunContainerError",
            "CreateContainerError",
            "PreCreateHookError",
            "PreStartHookError",
            "PostStartHookError",
        ];
        case.failed_with(&reasons).map(Match::at)
    },
};
