//! Images waited behind other pulls of the node.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::time::{SECOND, Span};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-queued",
    title: "Images waited behind other pulls of the node.",
    advice: &[
        Advice {
            since: 0,
            set: "serializeImagePulls: false (all pulls at once: a limit for them came with 1.27)",
            price: "disk and network of the node are shared by as many pulls as there are",
        },
        Advice {
            since: 27,
            set: "maxParallelImagePulls: 3 (serializeImagePulls, left unset, then turns itself off)",
            price: "more disk and network at once on the node",
        },
    ],
    text: "\
What it means
With serialized pulls (the default) a small image waits until the large one before it is done; with parallel ones, until a slot is free.

How it is recognised
The time between the pull being asked for and the runtime beginning the transfer.

What to do
Set maxParallelImagePulls to 2 or more: serializeImagePulls, left unset, then turns itself off (1.27 on). Pre-pull large images.

When it misleads
When disk or network is the bottleneck, parallel pulls share it and the last one ends no earlier.
",
    limit: Span(SECOND),
    phases: &[Phase::ImageWait],
    check: |_| Some(None),
};
