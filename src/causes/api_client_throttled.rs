//! The kubelet's own API client held its requests back.

use super::case::with_others;
use super::{Advice, Cause, Evidence, Match};
use crate::causes::setting::Setting;
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND};

/// Where the limits are what they are by default since 1.27, or higher.
const RAISED: &str =
    "raise kubeAPIQPS and kubeAPIBurst together, in steps of two, or spread starts over nodes and time";

/// The burst whose requests stood in the same queue.
fn others(alongside: usize) -> Option<Box<str>> {
    (alongside > 0).then(|| with_others(alongside))
}

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "api-client-throttled",
    title: "The kubelet's own API client held its requests back.",
    advice: &[
        Advice::new(0, "kubeAPIQPS: 50, kubeAPIBurst: 100 (the defaults from 1.27 on; 20 and 40 first where the API server is small)").side_effect("more load on the API server")
        .yaml(&[(Setting::KubeApiQps, "50"), (Setting::KubeApiBurst, "100")], RAISED)
        .what_if("kubeAPIQPS=50"),
        Advice::new(27, "leave kubeAPIQPS and kubeAPIBurst out of the configuration if it lowers them (50 and 100 are the default here), else raise both").side_effect("more load on the API server")
        .yaml(&[(Setting::KubeApiQps, "50"), (Setting::KubeApiBurst, "100")], RAISED)
        .what_if("kubeAPIQPS=50"),
    ],
    text: "\
What it means
Status updates, token requests and secret lists wait in the kubelet's client-side rate limiter when many pods start at once.

How it is recognised
A throttling line of the kubelet with half a second or more while the pod was on its way; the time is lost in volumes (tokens, secrets) and in reporting. Certain is no more than the delays that lines tell.

What to do
Raise kubeAPIQPS and kubeAPIBurst in the kubelet configuration, or upgrade to 1.27 or later, where they are 50 and 100.

When it misleads
Throttling lines are rate limited themselves: few lines do not mean little throttling, and a line of another request does not prove that this pod waited for it.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(SECOND),
    rationale: "volumes cost 0.3 s and a status write some hundredths; client-go prints a held request above 0.05 s",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Report, Phase::Volumes],
    counts_as_loss: true,
    check: |case| {
        let held = |e: &&Event| {
            e.fact == Fact::Throttled && e.fields.length(Field::Delay).is_some_and(|delay| delay >= Nanos(SECOND / 2))
        };
        let first = case.startup.context.events.iter().find(held);
        first.map(|e| Match {
            about: others(case.startup.context.concurrent_starts),
            at_most: Some(case.held()),
            ..Match::at(e)
        })
    },
};
