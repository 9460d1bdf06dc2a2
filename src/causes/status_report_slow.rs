//! The pod ran, but the API learned it late.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "status-report-slow",
    title: "The pod ran, but the API learned it late.",
    advice: &[Advice::new(
        0,
        "kubeAPIQPS and kubeAPIBurst, if the kubelet throttles itself; else the API server's latency",
    )
    .side_effect("more load on the API server")],
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
    baseline: Nanos(SECOND / 10),
    threshold: Nanos(2 * SECOND),
    rationale: "GET and PATCH of a status take some hundredths of a second; the API call SLO allows 1 s for each",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::StatusUpdate],
    // Without the running instant (JSON logging) the time may as well be the late record's.
    counts_as_loss: true,
    check: |case| case.breakdown.running.map(|_| Match::default()),
};
