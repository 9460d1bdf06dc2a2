//! The registry, or the way to it, gave little.

use super::case::SLOW_RATE;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "registry-slow",
    title: "The registry, or the way to it, delivered slowly.",
    advice: &[Advice::new(0, "a registry mirror or pull-through cache near the nodes; look at the registry's limits and at the nodes' network").side_effect("storage and upkeep of a mirror")],
    text: "\
What it means
Image data reached the node at less than 10 MB/s, all pulls of that time taken together.

How it is recognised
The runtime's size of the image, and of what else it pulled at that time, divided by how long it took. containerd's own metric of pulling throughput tells the same.

What to do
Time a pull by hand (`crictl pull`) from another node. Look for rate limits (HTTP 429), a proxy, a registry in another region. Parallel pulls do not help here.

When it misleads
Unpacking is part of the pull: a slow disk looks the same. The size is that of the compressed layers; layers that the node had already are counted too, which makes the rate look better than it was.
",
    baseline: Nanos(0),
    threshold: Nanos(2 * SECOND),
    rationale: "10 MB/s: a gigabit link carries 110, and at 10 an image of 100 MB takes twice as long as a start may; 2 s as for any pull",
    shown_by: &[Evidence::RuntimeLog, Evidence::RuntimeMetrics],
    phases: &[Phase::ImagePull],
    counts_as_loss: true,
    check: |case| {
        let pull = case.longest_pull()?;
        let slow = pull.rate.is_some_and(|rate| rate < SLOW_RATE);
        slow.then(|| Match { place: Some(pull.place), about: Some(pull.image.clone()), ..Match::default() })
    },
};
