//! Startup record written late; pods were already running.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "record-late",
    title: "Startup record written late; pods were already running",
    advice: &[Advice::new(0, "nothing: use created → running instead of the kubelet's SLO value")],
    text: "\
What it means
The kubelet writes its record when its watch shows the running pod. If that event comes before the kubelet's own status write returns, the record waits for the next event of any pod on the node.

How it is detected
`watchObservedRunningTime` long after `observedRunningTime`.

What to do
No action is needed. The two start histograms of the kubelet include this delay; created → running in this report does not.

When it misleads
A watch that is really slow looks the same in the log.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "normally the watch shows the pod within a millisecond",
    shown_by: &[Evidence::Record],
    phases: &[Phase::Watch],
    counts_as_loss: false,
    logs: Some(|_| Some(Match::default())),
    metrics: None,
};
