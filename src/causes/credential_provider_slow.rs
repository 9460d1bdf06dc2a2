//! Image credential provider was slow.

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence};
use crate::metrics::families::name;
use crate::model::phase::Phase;
use crate::model::time::Nanos;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "credential-provider-slow",
    title: "Image credential provider was slow",
    advice: &[Advice::new(0, "let the provider return a longer cache duration (cacheDuration, cacheKeyType: Registry); check its network path").side_effect("credentials stay cached longer")],
    text: "\
What it means
Before a pull, the kubelet runs the credential provider that matches the registry, unless the last response of the provider is still cached.

How it is detected
kubelet_credential_provider_plugin_duration: 0.5 s or more per start.

What to do
Let the provider return a longer cacheDuration for the registry; check the metadata service that it calls.

When it misleads
In metrics, this time is part of the image wait: both show the same seconds.
",
    baseline: Nanos(0),
    threshold: Nanos(0),
    rationale: "0.5 s of the mean start is a tenth of the SLO",
    shown_by: &[Evidence::KubeletMetrics],
    phases: &[Phase::ImageWait],
    logs: None,
    metrics: Some(|case| {
        let (mean, count) = case.mean(name::CREDENTIALS, "")?;
        (mean >= MIN_MEAN_S).then(|| {
            let observed = format!("{count:.0} calls of a credential provider, {mean:.1} s per start");
            MetricClaim { low_s: mean, high_s: mean, observed }
        })
    }),
};
