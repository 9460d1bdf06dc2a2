//! The log does not tell where the time went.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "unexplained",
    title: "The log does not tell where the time went.",
    advice: &[Advice::new(0, "add what is missing of the kubelet's and the runtime's log of the same time, or run the kubelet with -v=4 for a while").side_effect("log volume")],
    text: "\
What it means
No line covers these seconds, a try failed for a reason that podlag does not know, or a pull began late with nobody ahead of it.

How it is recognised
More than 3 s that no phase claims, or that lie between tries and belong to no other cause.

What to do
Give podlag the container runtime's log of the same time; raise the kubelet's verbosity on one node.

When it misleads
None: it says what is not known.
",
    baseline: Nanos(0),
    threshold: Nanos(3 * SECOND),
    rationale: "starts in captures have up to 1.6 s between their lines under load",
    shown_by: &[Evidence::Record, Evidence::KubeletLog],
    phases: &[Phase::Unattributed, Phase::RetryBackoff, Phase::ImageWait],
    counts_as_loss: true,
    check: |_| Some(Match::default()),
};
