//! The record was written late; the pods themselves were running.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "record-late",
    title: "The record was written late; the pods themselves were running.",
    advice: &[Advice::new(0, "nothing: read created → running instead of the kubelet's SLO value")],
    text: "\
What it means
The kubelet writes its record when its watch shows the running pod; if that comes before its own status write returns, the record waits for the next event of any pod on the node.

How it is recognised
`watchObservedRunningTime` long after `observedRunningTime`.

What to do
Do not chase it. The kubelet's two start histograms contain it; this report's own value does not.

When it misleads
A watch that is really slow looks the same in the log.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "an undisturbed watch shows the pod within a millisecond",
    shown_by: &[Evidence::Record],
    phases: &[Phase::Watch],
    counts_as_loss: false,
    check: |_| Some(Match::default()),
};
