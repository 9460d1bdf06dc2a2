//! Pulling the image itself took long: its size, the registry, or the node's disk and network.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-slow",
    title: "Pulling the image took long; other pulls shared the way, or its size is not told.",
    advice: &[Advice::new(0, "pre-pulled images, a registry mirror near the nodes; more pulls side by side only where disk and network feed them").side_effect("storage and upkeep of a mirror")],
    text: "\
What it means
Transfer and unpacking in the runtime.

How it is recognised
More than 2 s between the runtime beginning and ending the pull, and neither the size of the image (image-large) nor the node's whole rate (registry-slow) explains it: other pulls of the same time took the bandwidth, or no line tells the size (containerd 1.6).

What to do
See in the time line what was pulled at once. Fewer pulls side by side let small images through; a faster way to the registry helps all.

When it misleads
Several pulls at once share the bandwidth: each looks slow.
",
    baseline: Nanos(0),
    threshold: Nanos(2 * SECOND),
    rationale: "2 s move 50 MB at the 25 MB/s of a modest registry; a start has 5 s in all",
    shown_by: &[Evidence::RuntimeLog, Evidence::KubeletEvents, Evidence::KubeletMetrics],
    phases: &[Phase::ImagePull],
    counts_as_loss: true,
    check: |_| Some(Match::default()),
};
