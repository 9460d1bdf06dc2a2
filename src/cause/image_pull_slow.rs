//! Pulling the image itself took long: its size, the registry, or the node's disk and network.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::time::{SECOND, Span};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-slow",
    title: "Pulling the image itself took long: its size, the registry, or the node's disk and network.",
    advice: &[Advice { since: 0, set: "smaller images, a registry mirror in the cluster, pre-pulled base layers", price: "storage and upkeep of a mirror" }],
    text: "\
What it means
Transfer and unpacking in the runtime.

How it is recognised
More than 2 s between the runtime beginning and ending the pull.

What to do
Compare the size with the time: below some ten MB/s look at registry and network, above at the size. Use a mirror close to the nodes, or lazy loading.

When it misleads
Several pulls at once share the bandwidth: each looks slow.
",
    limit: Span(2 * SECOND),
    phases: &[Phase::ImagePull],
    check: |_| Some(None),
};
