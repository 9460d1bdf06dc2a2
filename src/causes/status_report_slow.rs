//! Pod status reached the API server late.

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::metrics::families::name;
use crate::model::duration::format_duration;
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
More than 2 s between the PLEG line and `observedRunningTime`. In metrics: a status update took 1 s or more on average, without client-side throttling.

What to do
Look for throttling lines at -v=2 and above, and check the latency of the API server for status patches.

When it misleads
With only the kubelet log at -v=2, this time includes a postStart hook of the last container.
",
    baseline: Nanos(SECOND / 10),
    threshold: Nanos(2 * SECOND),
    rationale: "GET and PATCH of a status take a few hundredths of a second; the API call SLO allows 1 s for each",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::StatusUpdate],
    // Without the running instant (JSON logging) the delay may just as well be that of the record.
    logs: Some(|case| case.breakdown.running.map(|_| Match::default())),
    metrics: Some(|case| {
        let (sum, count) = case.window.sum(name::STATUS_SYNC, "").filter(|(_, count)| *count > 0.0)?;
        let limiter = case.mean(name::LIMITER, "").map_or(0.0, |(mean, _)| mean);
        let mean = sum / count;
        // The client-side rate limit is a cause of its own.
        // An update may take longer than the start that it is of, and updates of all pods are counted.
        let high = case.part_with(Phase::StatusUpdate).map_or(mean, |part| mean.min(part.high_s));
        (mean >= 1.0 && high >= MIN_MEAN_S && limiter < MIN_MEAN_S)
            .then(|| MetricClaim::up_to(high, format!("a status update took {} to be accepted", format_duration(mean))))
    }),
};
