//! Pulls were refused by the kubelet's own rate limit and waited for their back-off.

use super::{Advice, Cause, Evidence, Match};
use crate::causes::setting::Setting;
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "pull-rate-limited",
    title: "Pulls were refused by the kubelet's own rate limit and waited for their back-off.",
    advice: &[Advice::new(0, "registryPullQPS: 0 (no limit), or more than 5 with registryBurst to match")
        .side_effect("bursts reach the registry")
        .yaml(
            &[(Setting::RegistryPullQps, "0")],
            "the kubelet has no limit of its own any more: look at the registry's",
        )
        .what_if("registryPullQPS=0")],
    text: "\
What it means
registryPullQPS (5, burst 10) fails a pull at once instead of queueing it; the back-off then costs at least 10 s.

How it is recognised
The words `pull QPS exceeded` in the pod's errors.

What to do
Raise or switch off registryPullQPS; with parallel pulls set maxParallelImagePulls as the limit instead.

When it misleads
The limit protects a registry that has limits of its own.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a refused pull costs its back-off, 10 s at least",
    shown_by: &[Evidence::KubeletLog],
    phases: &[Phase::ImageBackoff, Phase::ImageWait],
    counts_as_loss: true,
    check: |case| case.event_mentioning(Fact::SyncFailed, "pull QPS exceeded").map(Match::at),
};
