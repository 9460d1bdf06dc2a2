//! Slow registry or network path.

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// A registry or network path below this many bytes per second is slow: a gigabit link carries 110 MB/s, and at 10 MB/s an image
/// of 100 MB takes twice as long as a start may take.
pub(super) const MIN_RATE: f64 = 10e6;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "registry-slow",
    title: "Slow registry or network path",
    advice: &[Advice::new(0, "use a registry mirror or pull-through cache near the nodes; check the registry's limits and the nodes' network").side_effect("storage and maintenance of a mirror")],
    text: "\
What it means
Image data reached the node at less than 10 MB/s, all pulls at that time taken together.

How it is detected
The size of the image and of what else the runtime pulled at that time, divided by the duration. In metrics: containerd's pull throughput.

What to do
Time a manual pull (`crictl pull`) on another node. Look for rate limits (HTTP 429), a proxy, or a registry in another region. Parallel pulls do not help here.

When it misleads
A pull includes unpacking, so a slow disk looks the same. The size is that of the compressed layers; layers that were cached count too, so the real rate can be lower than the calculated one.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a gigabit link carries 110 MB/s; at 10 MB/s an image of 100 MB takes twice as long as a start may take; 1 s as for any pull",
    shown_by: &[Evidence::RuntimeLog, Evidence::RuntimeMetrics],
    phases: &[Phase::ImagePull],
    logs: Some(|case| {
        let pull = case.longest_pull()?;
        let slow = pull.rate.is_some_and(|rate| rate < MIN_RATE);
        slow.then(|| Match { place: Some(pull.place), waited_for: Some(WaitedFor::Image(pull.image.clone())), ..Match::default() })
    }),
    metrics: Some(|case| {
        let (rate, count) = case.pull_rate()?;
        let pull = case.long_part(Phase::ImagePull)?;
        (rate < MIN_RATE / 1e6)
            .then(|| MetricClaim::of(pull, format!("{count:.0} pulls at {rate:.1} MB/s on average")))
    }),
};
