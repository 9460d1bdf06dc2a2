//! Image pulls waited behind other pulls on the node.

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::causes::setting::Setting;
use crate::metrics::families::name;
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-queued",
    title: "Image pulls waited behind other pulls on the node",
    advice: &[
        Advice::new(0, "serializeImagePulls: false (all pulls run at once; a limit is available since 1.27)")
            .side_effect("all concurrent pulls share the disk and network of the node")
            .yaml(
                &[(Setting::SerializeImagePulls, "false")],
                "pulls are parallel already: pre-pull large images, or check the kubelet's rate limit (registryPullQPS)",
            )
            .what_if("serializeImagePulls=false"),
        Advice::new(27, "maxParallelImagePulls: 3 (serializeImagePulls, if unset, is then false)")
            .side_effect("more disk and network load at once on the node")
            .yaml(
                &[(Setting::MaxParallelImagePulls, "3")],
                "pulls are parallel already: allow more only if disk and network have capacity; otherwise pre-pull large images",
            )
            .what_if("maxParallelImagePulls=3"),
    ],
    text: "\
What it means
With serialized pulls (the default), a small image waits until the large image ahead of it has been pulled. With parallel pulls, it waits for a free slot.

How it is detected
The time between the pull request and the start of the transfer in the runtime. In metrics: pulls took 0.5 s or more per start longer in the kubelet than in the runtime.

What to do
Set maxParallelImagePulls to 2 or more; serializeImagePulls, if unset, is then false (KEP-3673: since 1.27, stable in 1.35). Pre-pull large images.

When it misleads
If disk or network is the bottleneck, parallel pulls share it, and the last pull does not end earlier.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "an empty queue takes a few milliseconds",
    shown_by: &[Evidence::RuntimeLog, Evidence::KubeletEvents, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::ImageWait],
    logs: Some(|case| {
        // Where the runtime's lines show all pulls, one of them must have been ahead.
        let pulls = &case.startup.transfers;
        let ahead = pulls.iter().any(|pull| pull.blocked_by.is_some() || pull.queued_since.is_some());
        // An event says how long its pull waited; that of the pull ahead may be gone.
        (pulls.is_empty() || ahead || case.startup.by_objects).then(Match::default)
    }),
    metrics: Some(|case| {
        let wait = case.part(Phase::ImageWait).filter(|part| part.phases.len() == 1 && part.mean_s >= MIN_MEAN_S)?;
        let credentials = case.mean(name::CREDENTIALS, "").map_or(0.0, |(mean, _)| mean);
        Some(MetricClaim {
            low_s: (wait.low_s - credentials).max(0.0),
            high_s: wait.high_s,
            observed: format!("pulls took {} per start longer in the kubelet than in the runtime", format_duration(wait.mean_s)),
        })
    }),
};
