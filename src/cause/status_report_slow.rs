//! The pod ran, but the API learned it late.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::time::{SECOND, Span};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "status-report-slow",
    title: "The pod ran, but the API learned it late.",
    advice: &[Advice {
        since: 0,
        set: "kubeAPIQPS and kubeAPIBurst, if the kubelet throttles itself; else the API server's latency",
        price: "more load on the API server",
    }],
    text: "\
What it means
From the kubelet noticing the last container to the API having accepted the status.

How it is recognised
More than 2 s between the PLEG line and `observedRunningTime`.

What to do
Look for throttling lines at -v=2 and above, and at the API server's latency for status patches.

When it misleads
A postStart hook of the last container ends within this time when only the kubelet's -v=2 log is there.
",
    limit: Span(2 * SECOND),
    phases: &[Phase::Report],
    check: |_| Some(None),
};
