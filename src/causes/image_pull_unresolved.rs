//! Pulling took long; nothing given tells waiting in the node's queue from the transfer.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-unresolved",
    title: "Pulling took long; nothing given tells waiting in the node's queue from the transfer.",
    advice: &[Advice::new(0, "nothing yet: add the container runtime's log, or run the kubelet with -v=4, to see which it is")],
    text: "\
What it means
The kubelet's record counts the wait before a pull and the pull itself as one. Either may be nearly all of it.

How it is recognised
More than 2 s of pulling by the record, and no line of the runtime or event that tells when the transfer began: the image_wait and image_pull spans are each bounded by nothing and the whole.

What to do
Give podlag the runtime's log of the same time (journalctl -u kubelet -u containerd). Then it names image-pull-queued, where parallel pulls help, or image-pull-slow, where they do not.

When it misleads
A single slow image on a quiet node had no queue to wait in; that it was alone is not shown by its own lines.
",
    baseline: Nanos(0),
    threshold: Nanos(2 * SECOND),
    rationale: "below that a pull is no trouble whichever of the two it was",
    shown_by: &[Evidence::KubeletLog, Evidence::Record, Evidence::KubeletMetrics],
    phases: &[Phase::ImageWait, Phase::ImagePull],
    counts_as_loss: true,
    check: |case| {
        let mut pulls =
            case.breakdown.spans.iter().filter(|p| p.phase == Phase::ImagePull && p.to > p.from).peekable();
        (pulls.peek().is_some() && pulls.all(|pull| pull.min == Nanos(0))).then(Match::default)
    },
};
