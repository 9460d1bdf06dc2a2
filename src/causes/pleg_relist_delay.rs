//! The kubelet noticed late what had already happened in the runtime.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "pleg-relist-delay",
    title: "The kubelet noticed late what had already happened in the runtime.",
    advice: &[
        Advice::new(0, "upgrade to 1.36, whose kubelet relists on demand (PLEGOnDemandRelist); EventedPLEG is off by default and went back to alpha in 1.30"),
        Advice::new(36, "PLEGOnDemandRelist is on by default here: see that no feature gate turns it off; what is left is a slow relist"),
    ],
    text: "\
What it means
The kubelet asks the runtime for all containers once a second (plus the time that takes), so each change is noticed up to that much later.

How it is recognised
From a container's start or end in the runtime to the kubelet's PLEG line.

What to do
Upgrade; do not turn on EventedPLEG outside of tests. A relist that takes long points to a slow runtime.

When it misleads
A postStart hook keeps the pod's worker busy after the container has started, and looks the same at -v=2.
",
    baseline: Nanos(SECOND),
    threshold: Nanos(SECOND),
    rationale: "the relist comes each second: up to one is how it works, each further one is lost",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Detection],
    counts_as_loss: true,
    check: |_| Some(Match::default()),
};
