//! The kubelet's own API client held its requests back.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::record::{Fact, Field};
use crate::time::{SECOND, Span};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "api-client-throttled",
    title: "The kubelet's own API client held its requests back.",
    advice: &[
        Advice {
            since: 0,
            set: "kubeAPIQPS: 50, kubeAPIBurst: 100 (the defaults from 1.27 on; 20 and 40 first where the API server is small)",
            price: "more load on the API server",
        },
        Advice {
            since: 27,
            set: "leave kubeAPIQPS and kubeAPIBurst out of the configuration if it lowers them (50 and 100 are the default here), else raise both",
            price: "more load on the API server",
        },
    ],
    text: "\
What it means
Status updates, token requests and secret lists wait in the kubelet's client-side rate limiter when many pods start at once.

How it is recognised
A throttling line of the kubelet with half a second or more while the pod was on its way; the time is lost in volumes (tokens, secrets) and in reporting.

What to do
Raise kubeAPIQPS and kubeAPIBurst in the kubelet configuration, or upgrade to 1.27 or later, where they are 50 and 100.

When it misleads
Throttling lines are rate limited themselves: few lines do not mean little throttling, and a line of another request does not prove that this pod waited for it.
",
    limit: Span(SECOND),
    phases: &[Phase::Report, Phase::Volumes],
    check: |case| {
        case.around(Fact::Throttled)
            .filter(|e| e.length(Field::Delay).is_some_and(|d| d >= Span(SECOND / 2)))
            .map(|e| Some(e.place))
    },
};
