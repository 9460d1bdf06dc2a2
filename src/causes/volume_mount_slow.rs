//! Volume setup was slow (attach or mount).

use super::metric_rules::{MIN_MEAN_S, MIN_PART_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::metrics::families::name;
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-mount-slow",
    title: "Volume setup was slow (attach or mount)",
    advice: &[Advice::new(0, "if mounts failed, fix what the FailedMount events of the pods name (kubectl describe pod); otherwise check the log of the volume plugin, and set fsGroupChangePolicy: OnRootMismatch for large volumes with an fsGroup").side_effect("ownership of files below the root is no longer enforced at each start")],
    text: "\
What it means
The time from the first volume operation until the sandbox could be requested. Every pod with a volume needs about 0.3 s, because the kubelet polls.

How it is detected
More than 2 s of volumes without a more specific cause in the log. In metrics: volumes took 1 s or more per start beyond the time that requests waited in the kubelet's own rate limit; how many mounts failed is named.

What to do
If mounts failed, their FailedMount events say why: a missing ConfigMap or Secret, a driver, a device. Otherwise see which volume was last (`podlag chain`); check the attach times of the storage provider, the CSI node plugin, and fsGroup ownership changes.

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
        // What requests for their objects waited in the kubelet's own rate limit is a cause of its own.
        let throttled = case.mean(name::LIMITER, "").map_or(0.0, |(mean, _)| mean);
        let throttled = if throttled >= MIN_MEAN_S { throttled } else { 0.0 };
        let left = |seconds: f64| (seconds - throttled).max(0.0);
        if left(volumes.mean_s) < MIN_PART_S {
            return None;
        }
        let failed = case.storage_failures("volume_mount");
        let mut observed = format!("volumes took about {} per start", format_duration(volumes.mean_s));
        if failed > 0.0 {
            observed += &format!("; {failed:.0} mounts failed");
        }
        Some(MetricClaim { low_s: left(volumes.low_s), high_s: left(volumes.high_s), observed })
    }),
};
