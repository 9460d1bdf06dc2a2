//! Pod status reached the API server late.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "status-report-slow",
    title: "Pod status reached the API server late",
    advice: &[Advice::new(0, "raise kubeAPIQPS and kubeAPIBurst if the kubelet throttles its own requests; otherwise check the latency of the API server").side_effect("more load on the API server")],
    text: "\
What it means
The time from the kubelet noticing the last container until the API server has accepted the status.

How it is detected
More than 2 s between the PLEG line and `observedRunningTime`.

What to do
Look for throttling lines at -v=2 and above, and check the latency of the API server for status patches.

When it misleads
With only the kubelet log at -v=2, this time includes a postStart hook of the last container.
",
    baseline: Nanos(SECOND / 10),
    threshold: Nanos(2 * SECOND),
    rationale: "GET and PATCH of a status take a few hundredths of a second; the API call SLO allows 1 s for each",
    shown_by: &[Evidence::KubeletLog],
    phases: &[Phase::StatusUpdate],
    // Without the running instant (JSON logging) the delay may just as well be that of the record.
    logs: Some(|case| case.breakdown.running.map(|_| Match::default())),
    // The kubelet's histogram of status updates begins at the first of several changes and counts all pods: it bounds what a
    // start waited for, and shows no delay.
    metrics: None,
};
