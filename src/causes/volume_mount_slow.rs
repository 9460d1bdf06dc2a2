//! Volume setup was slow (attach or mount).

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-mount-slow",
    title: "Volume setup was slow (attach or mount)",
    advice: &[Advice::new(0, "check the log of the volume plugin; set fsGroupChangePolicy: OnRootMismatch for large volumes").side_effect("ownership of files below the root is no longer enforced at each start")],
    text: "\
What it means
The time from the first volume operation until the sandbox could be requested. Every pod with a volume needs about 0.3 s, because the kubelet polls.

How it is detected
More than 2 s of volumes without a more specific cause in the log. In metrics: volumes took 1 s or more per start.

What to do
See which volume was last (`podlag chain`); check the attach times of the storage provider, the CSI node plugin, and fsGroup ownership changes.

When it misleads
On a node that starts many pods at once, everything is slow; slow volumes are then a symptom.
",
    baseline: Nanos(3 * SECOND / 10),
    threshold: Nanos(2 * SECOND),
    rationale: "the kubelet polls volumes every 0.3 s; volumes of cached starts in captures took up to 2.1 s under load",
    shown_by: &[Evidence::KubeletLog, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::Volumes],
    logs: Some(|_| Some(Match::default())),
    metrics: Some(|case| {
        let volumes = case.long_part(Phase::Volumes)?;
        Some(MetricClaim::of(volumes, format!("volumes took about {} per start", format_duration(volumes.mean_s))))
    }),
};
