//! Images waited behind other pulls of the node.

use super::{Advice, Cause, Evidence, Match};
use crate::causes::setting::Setting;
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-queued",
    title: "Images waited behind other pulls of the node.",
    advice: &[
        Advice::new(0, "serializeImagePulls: false (all pulls at once: a limit for them came with 1.27)").side_effect("disk and network of the node are shared by as many pulls as there are")
        .yaml(
            &[(Setting::SerializeImagePulls, "false")],
            "pulls are parallel already: pre-pull large images, or look at the kubelet's rate limit (registryPullQPS)",
        )
        .what_if("serializeImagePulls=false"),
        Advice::new(27, "maxParallelImagePulls: 3 (serializeImagePulls, left unset, then turns itself off)").side_effect("more disk and network at once on the node")
        .yaml(
            &[(Setting::MaxParallelImagePulls, "3")],
            "pulls are parallel already: more of them only where disk and network have room; else pre-pull large images",
        )
        .what_if("maxParallelImagePulls=3"),
    ],
    text: "\
What it means
With serialized pulls (the default) a small image waits until the large one before it is done; with parallel ones, until a slot is free.

How it is recognised
The time between the pull being asked for and the runtime beginning the transfer.

What to do
Set maxParallelImagePulls to 2 or more: serializeImagePulls, left unset, then turns itself off (KEP-3673: 1.27 on, stable in 1.35). Pre-pull large images.

When it misleads
When disk or network is the bottleneck, parallel pulls share it and the last one ends no earlier.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "an empty queue is passed within some milliseconds",
    shown_by: &[Evidence::RuntimeLog, Evidence::KubeletEvents, Evidence::KubeletMetrics],
    phases: &[Phase::ImageWait],
    counts_as_loss: true,
    check: |case| {
        // Where the runtime's lines show all pulls, somebody must have been ahead.
        let pulls = &case.startup.transfers;
        let ahead = pulls.iter().any(|pull| pull.blocked_by.is_some() || pull.queued_since.is_some());
        (pulls.is_empty() || ahead).then(Match::default)
    },
};
