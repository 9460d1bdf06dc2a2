//! Image credential provider was slow or failed.

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::metrics::families::name;
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND, Time};

/// The kubelet goes on with the pull, or with the container, within this after a provider has failed.
const GOES_ON: Nanos = Nanos(SECOND / 4);

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-credentials-slow",
    title: "Image credential provider was slow or failed",
    advice: &[
        Advice::new(0, "let the provider return a longer cache duration (cacheDuration, cacheKeyType: Registry); check its network path").side_effect("credentials stay cached longer"),
        Advice::new(33, "let the provider return a longer cache duration (cacheDuration, cacheKeyType: Registry), and limit its matchImages to registries that need it: here it can also run for images that are on the node already; check its network path").side_effect("credentials stay cached longer"),
    ],
    text: "\
What it means
Before a pull, the kubelet runs the credential provider that matches the registry, unless the last response of the provider is still cached. Since 1.33, it can do so for images that are on the node already, so every container start can wait for it.

How it is detected
`Failed getting credential from external registry credential provider` in the kubelet's log, at the end of a wait of the pod for its image or for its container that nothing else explains. The line names no pod and does not say how long the provider ran, so this is likely at most, and certain is 0. A provider that is slow and succeeds writes no line. In metrics: kubelet_credential_provider_plugin_duration, 0.5 s or more per start. The line is that of the source; no real log of it was at hand.

What to do
Let the provider return a longer cacheDuration for the registry; check the metadata service that it calls. The kubelet stops a provider after 1 min.

When it misleads
In metrics, this time is part of the image wait: both show the same seconds. If several pods start at once, the provider may have run for another one with the same image.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a provider that asks a metadata service answers within tenths of a second; by metrics, 0.5 s of the mean start is a tenth of the SLO",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::ImageWait],
    logs: Some(|case| {
        let ready = case.breakdown.timeline.sandbox_ready?.at;
        let images: Vec<&str> = case.startup.events.iter().filter_map(|event| event.fields.text(Field::Image)).collect();
        let images = || images.iter().copied().chain(case.startup.transfers.iter().map(|pull| &*pull.image));
        let failures = case.startup.context.events().filter(|event| event.fact == Fact::CredentialsFailed);
        // Where no line names an image of the pod, only the time speaks.
        let may_be_its = |event: &&Event| images().next().is_none() || images().any(|image| event.mentions(image));
        let mut within: Vec<(Time, Time)> = Vec::new();
        let mut shown = None;
        for failure in failures.filter(may_be_its) {
            let waits = case.spans(Phase::ImageWait).chain(case.spans(Phase::Unattributed));
            let ended = waits.filter(|span| {
                span.from >= ready && span.from < failure.time && span.to >= failure.time && span.to - failure.time <= GOES_ON
            });
            within.extend(ended.map(|span| (span.from, span.to)));
            shown = shown.or(Some(failure).filter(|_| !within.is_empty()));
        }
        shown.map(|failure| Match { also: &[Phase::Unattributed], within, likely: true, ..Match::at(failure) })
    }),
    metrics: Some(|case| {
        let (mean, count) = case.mean(name::CREDENTIALS, "")?;
        (mean >= MIN_MEAN_S).then(|| {
            let observed = format!("{count:.0} calls of a credential provider, {} per start", format_duration(mean));
            MetricClaim { low_s: mean, high_s: mean, observed }
        })
    }),
};
