//! Slow image pull; concurrent pulls, or size unknown.

use super::metric_rules::MetricClaim;
use super::registry_slow::MIN_RATE;
use super::{Advice, Cause, Evidence, Match};
use crate::metrics::families::name;
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-slow",
    title: "Slow image pull; concurrent pulls, or size unknown",
    advice: &[Advice::new(0, "pre-pull images, or use a registry mirror near the nodes; allow more concurrent pulls only if disk and network have capacity").side_effect("storage and maintenance of a mirror")],
    text: "\
What it means
The runtime took long to transfer and unpack the image.

How it is detected
More than 1 s between the start and the end of the pull in the runtime, and neither the image size (image-large) nor the total transfer rate of the node (registry-slow) explains it: concurrent pulls shared the bandwidth, or no line shows the size (containerd 1.6).

What to do
See in the timeline which images were pulled at the same time. With fewer concurrent pulls, small images finish sooner; a faster path to the registry helps all of them.

When it misleads
Concurrent pulls share the bandwidth, so each of them looks slow.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a start has 5 s in total, and sandbox and container take half of them on a busy node: a pull of 1 s is what may exceed it",
    shown_by: &[Evidence::RuntimeLog, Evidence::KubeletEvents, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::ImagePull],
    logs: Some(|_| Some(Match::default())),
    metrics: Some(|case| {
        // With the rate known and low, the registry is the reason.
        if case.pull_rate().is_some_and(|(rate, _)| rate < MIN_RATE / 1e6) {
            return None;
        }
        let pull = case.long_part(Phase::ImagePull)?;
        let (sum, count) = case.window.sum(name::RUNTIME, "pull_image")?;
        Some(MetricClaim::of(pull, format!("{count:.0} pulls took {} each", format_duration(sum / count))))
    }),
};
