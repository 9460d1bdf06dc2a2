//! Kubelet API requests were throttled client-side.

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::breakdown::Precision;
use crate::causes::setting::Setting;
use crate::metrics::families::name;
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// Advice where the limits are the defaults since 1.27, or higher.
const RAISED: &str = "raise kubeAPIQPS and kubeAPIBurst together, in small steps, or spread starts over nodes and time";

/// The other pods of the burst, whose requests wait in the same queue.
fn others(alongside: usize) -> Option<WaitedFor> {
    (alongside > 0).then_some(WaitedFor::Burst { others: alongside })
}

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "api-client-throttled",
    title: "Kubelet API requests were throttled client-side",
    advice: &[
        Advice::new(0, "kubeAPIQPS: 50, kubeAPIBurst: 100 (the defaults since 1.27; try 20 and 40 first if the API server is small)")
            .side_effect("more load on the API server")
            .yaml(&[(Setting::KubeApiQps, "50"), (Setting::KubeApiBurst, "100")], RAISED)
            .what_if("kubeAPIQPS=50"),
        Advice::new(27, "remove kubeAPIQPS and kubeAPIBurst from the configuration if they lower the limits (50 and 100 are the default here); otherwise raise both")
            .side_effect("more load on the API server")
            .yaml(&[(Setting::KubeApiQps, "50"), (Setting::KubeApiBurst, "100")], RAISED)
            .what_if("kubeAPIQPS=50"),
    ],
    text: "\
What it means
When many pods start at once, status updates, token requests and Secret lists wait in the kubelet's client-side rate limiter.

How it is detected
The kubelet logs a client-side throttling delay of 0.5 s or more during the startup. The time is lost in volumes (tokens, Secrets), in status updates, and before the kubelet takes the pod, if its request for its pods waited. Only the delays that the kubelet logged are counted as certain. In metrics: requests waited 0.5 s or more per start in the rate limiter.

What to do
Raise kubeAPIQPS and kubeAPIBurst in the kubelet configuration, or upgrade to 1.27 or later, where they are 50 and 100.

When it misleads
Throttling messages are rate limited themselves, so few lines do not mean little throttling. The log does not say which pod a request was for.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(SECOND),
    rationale: "volumes take 0.3 s and a status write a few hundredths of a second; client-go logs requests that were delayed by more than 0.05 s",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::StatusUpdate, Phase::Volumes],
    logs: Some(|case| {
        let held = |e: &&Event| {
            e.fact == Fact::Throttled && e.fields.length(Field::Delay).is_some_and(|delay| delay >= Nanos(SECOND / 2))
        };
        let first = case.startup.context.events().find(held);
        let list = case.throttled_list();
        // That request alone says nothing of those that came after it.
        let Some(first) = first else {
            return list.map(|list| Match {
                place: list.place,
                also_waiting: list.waited_for.clone(),
                within: vec![(list.from, list.to)],
                ..Match::default()
            });
        };
        // Without lines that divide the start, volumes and status updates are somewhere in the rest.
        let divided = case.startup.events.iter().any(|event| {
            matches!(event.fact, Fact::SandboxNeeded | Fact::SandboxRequested | Fact::PlegEvent)
        });
        let reported = case.spans(Phase::Detection).all(|span| span.min > Nanos(0));
        Some(Match {
            place: list.and_then(|list| list.place).or(Some(first.place)),
            also_waiting: list.and_then(|list| list.waited_for.clone()),
            also: match (divided, reported) {
                (false, _) => &[Phase::Unattributed, Phase::Detection],
                (true, false) => &[Phase::Detection],
                (true, true) => &[],
            },
            waited_for: others(case.startup.context.concurrent_starts),
            at_most: Some(case.throttled_time() + list.map_or(Nanos(0), |list| list.min)),
            ..Match::default()
        })
    }),
    metrics: Some(|case| {
        let (mean, count) = case.mean(name::LIMITER, "")?;
        let inexact: f64 = case
            .parts
            .iter()
            .filter(|part| part.precision != Precision::Exact)
            .map(|part| part.high_s.max(0.0))
            .sum();
        (mean >= MIN_MEAN_S).then(|| {
            let observed = format!("{count:.0} requests waited {} per start in the client-side rate limit", format_duration(mean));
            MetricClaim::up_to(mean.min(inexact), observed)
        })
    }),
};
