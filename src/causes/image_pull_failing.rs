//! Image pulls failed and were retried with back-off.

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-failing",
    title: "Image pulls failed and were retried with back-off",
    advice: &[Advice::new(0, "fix the image name, the credentials or the registry that the error names")],
    text: "\
What it means
After each failed pull, the kubelet waits 10 s before it retries, doubling up to 5 min.

How it is detected
ErrImagePull and ImagePullBackOff in the pod's errors; the wait lasts from the first failure to the next successful attempt. In metrics: pull operations that failed.

What to do
Read the error: a wrong tag, missing credentials, or a registry that returns errors. Push images before you apply the manifests that use them.

When it misleads
A registry outage of seconds can cost minutes here: the back-off is counted, not the outage.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the first back-off is 10 s; a shorter wait is a retry that found the image",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::ImageBackoff],
    logs: Some(|case| {
        Some(case.failed_with(&["ErrImagePull", "ImagePullBackOff"]).map_or_else(Match::default, Match::failing))
    }),
    metrics: Some(|case| {
        let failed = case.runtime_errors("pull_image");
        (failed > 0.0).then(|| MetricClaim::up_to(case.unexplained_kubelet_work(), format!("{failed:.0} pulls failed")))
    }),
};
