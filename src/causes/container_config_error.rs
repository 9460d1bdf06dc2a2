//! A container could not be configured: what its environment refers to was missing.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "container-config-error",
    title: "A container could not be configured: what its environment refers to was missing.",
    advice: &[Advice::new(0, "create the configMap or secret before the pod")],
    text: "\
What it means
envFrom or env refers to an object that does not exist; the kubelet tries again at its next sync, 10 s and more later.

How it is recognised
CreateContainerConfigError in the pod's errors.

What to do
Order the objects, or mark the reference optional.

When it misleads
The wait is longer than the object was missing, by the time to the next sync.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the next sync comes after 10 s or more",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::RetryBackoff],
    counts_as_loss: true,
    check: |case| case.failed_with(&["CreateContainerConfigError"]).map(Match::at),
};
