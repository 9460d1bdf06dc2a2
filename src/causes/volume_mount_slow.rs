//! Volumes took long to be attached or mounted.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-mount-slow",
    title: "Volumes took long to be attached or mounted.",
    advice: &[Advice::new(0, "look at the volume plugin's own log; fsGroupChangePolicy: OnRootMismatch for large volumes").side_effect("ownership of files below the root is no longer enforced at each start")],
    text: "\
What it means
From the first volume work to the moment the sandbox could be asked for. Every pod with a volume pays about 0.3 s, since the kubelet polls.

How it is recognised
More than 2 s of volumes without a more special reason in the log.

What to do
See which volume was last (`podlag chain`); check attach times of the storage provider, CSI node plugin, ownership walks.

When it misleads
On a node that starts many pods at once everything is slow together; then volumes are a symptom.
",
    baseline: Nanos(3 * SECOND / 10),
    threshold: Nanos(2 * SECOND),
    rationale: "the kubelet polls volumes each 0.3 s; volumes of cached starts in captures took up to 2.1 s under load",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Volumes],
    counts_as_loss: true,
    check: |_| Some(Match::default()),
};
