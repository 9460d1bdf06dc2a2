//! Claimed devices could not be prepared (DRA).

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::metrics::families::name;
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "dra-prepare-failing",
    title: "Claimed devices could not be prepared (DRA)",
    advice: &[Advice::new(0, "fix what the error names; make sure that the DRA driver registers with the kubelet before pods that claim its devices arrive (a startup taint that the driver removes); a shorter syncFrequency makes the retry come earlier")
        .side_effect("with a shorter syncFrequency, the kubelet syncs all pods more often")],
    text: "\
What it means
Before the sandbox is created, the kubelet asks the DRA driver on the node to prepare the devices that the pod claims. If this fails, the sync does not count as failed, so no back-off retries it: the next attempt comes with the next periodic sync, 60 to 90 s later (kubernetes issue 139836, open in 2026). A driver that was missing for one second costs a minute or more.

How it is detected
`Failed to prepare dynamic resources` for the pod, or the event FailedPrepareDynamicResources in the kubelet's log. The time runs from each failure to the next sync, with the failed attempts. In metrics: dra_operations_duration_seconds counted PrepareResources operations with is_error=\"true\".

What to do
Read the error. `DRA driver … is not registered`: the driver's pod was not ready on the node; let it tolerate the taints of new nodes and start first. `NodePrepareResources failed`: see the log of the driver. A deadline of 45 s that was exceeded is the kubelet's limit for the call.

When it misleads
The seconds until the retry are the kubelet's, and not the driver's. The retry can come earlier if the pod's object changes.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the next periodic sync comes after 60 to 90 s by default; a published log shows 75 s",
    shown_by: &[Evidence::KubeletLog, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::RetryBackoff, Phase::Sandbox],
    logs: Some(|case| {
        let failed = case.failure(Fact::DynamicResourcesFailed, |_| true)?;
        let spans = [Phase::RetryBackoff, Phase::Sandbox].into_iter().flat_map(|phase| case.spans(phase));
        let mine = spans.filter(|span| span.waited_for.as_ref().is_some_and(WaitedFor::is_claimed_device));
        let within: Vec<_> = mine.map(|span| (span.from, span.to)).collect();
        // Without a span of its own it has no seconds: then it says why a pod does not run, and claims none of others.
        let within = if within.is_empty() { vec![(failed.time, failed.time)] } else { within };
        Some(Match { within, ..Match::failing(failed) })
    }),
    metrics: Some(|case| {
        // Kubelets 1.34 and 1.35 count every pod as an error, also those without a claim (captures).
        let done = case.window.sum(name::DRA, "false").map_or(0.0, |(_, count)| count);
        let (_, failed) = case.window.sum(name::DRA, "true").filter(|(_, count)| *count > 0.0 && *count <= done)?;
        let observed = format!("{failed:.0} times claimed devices could not be prepared");
        Some(MetricClaim::up_to(case.unexplained_kubelet_work(), observed))
    }),
};
