//! Pulls were rejected by the kubelet rate limit (registryPullQPS).

use super::{Advice, Cause, Evidence, Match};
use crate::causes::setting::Setting;
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "pull-rate-limited",
    title: "Pulls were rejected by the kubelet rate limit (registryPullQPS)",
    advice: &[Advice::new(0, "registryPullQPS: 0 (no limit), or more than 5 with a matching registryBurst")
        .side_effect("bursts reach the registry")
        .yaml(&[(Setting::RegistryPullQps, "0")], "the kubelet no longer limits pulls: check the limits of the registry")
        .what_if("registryPullQPS=0")],
    text: "\
What it means
Above registryPullQPS (5, burst 10), the kubelet fails a pull at once instead of queueing it; the back-off then takes at least 10 s.

How it is detected
`pull QPS exceeded` in the pod's errors.

What to do
Raise or disable registryPullQPS; with parallel pulls, use maxParallelImagePulls as the limit instead.

When it misleads
The limit protects a registry that has limits of its own.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a rejected pull waits for its back-off, at least 10 s",
    shown_by: &[Evidence::KubeletLog, Evidence::Events],
    phases: &[Phase::ImageBackoff, Phase::ImageWait],
    logs: Some(|case| {
        let rejected = |fact| case.event_mentioning(fact, "pull QPS exceeded");
        let of_event = || rejected(Fact::PullFailed).filter(|_| case.startup.by_objects);
        let event = rejected(Fact::SyncFailed).or_else(of_event)?;
        Some(case.with_failed_pulls(Match::at(event)))
    }),
    metrics: None,
};
