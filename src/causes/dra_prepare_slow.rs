//! Preparing claimed devices was slow (DRA).

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::breakdown::timeline::TimelineSource;
use crate::metrics::families::name;
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "dra-prepare-slow",
    title: "Preparing claimed devices was slow (DRA)",
    advice: &[Advice::new(0, "see in the DRA driver's log what NodePrepareResources does for the claim: device reset, partitioning, network set-up; do it ahead of the pods where the driver allows it")],
    text: "\
What it means
After the volumes and before the sandbox, the kubelet gets the pod's resource claims from the API server and calls the DRA driver of each on the node (NodePrepareResources). It waits until the devices are ready, 45 s per call at most.

How it is detected
At -v=3: the time from `Processing resource` for the pod to RunPodSandbox in the runtime's log, or, without that log, to the driver's answer (`Done calling NodePrepareResources rpc`, -v=4). At -v=2 with the runtime's log and pod objects: the pod has resourceClaims, and there is a gap before RunPodSandbox that no line explains; this makes the cause likely, so certain is 0. In metrics: PrepareResources took 0.5 s or more per start (dra_operations_duration_seconds, since 1.32). The lines are those of the source; no real log of a slow driver was at hand.

What to do
See the log of the driver for the time of the call, and compare the devices and nodes. Pods that share a claim wait for it only once.

When it misleads
Getting the claim from the API server is part of it: client-side throttling (api-client-throttled) shows there too. Failed attempts are dra-prepare-failing.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a driver that has nothing to set up answers within milliseconds; the first bucket of the kubelet's own metric is 0.1 s",
    shown_by: &[Evidence::KubeletEvents, Evidence::Pods, Evidence::KubeletMetrics],
    phases: &[Phase::Sandbox],
    logs: Some(|case| {
        if case.startup.first(Fact::DynamicResourcesFailed).is_some() {
            return None;
        }
        let mine = case.spans(Phase::Sandbox);
        let mine = mine.filter(|span| span.waited_for.as_ref().is_some_and(WaitedFor::is_claimed_device));
        let within: Vec<_> = mine.map(|span| (span.from, span.to)).collect();
        if !within.is_empty() {
            return Some(Match { within, ..Match::default() });
        }
        // Nothing else comes between the last look for a sandbox and the request for one.
        let claims = case.traits.is_some_and(|traits| traits.resource_claims) && !case.burst();
        let timeline = &case.breakdown.timeline;
        let asked = timeline.sandbox_requested.filter(|_| claims && timeline.source == TimelineSource::Runtime)?.at;
        let needed = case.startup.all(Fact::SandboxNeeded).rfind(|event| event.time <= asked)?;
        let gap = case.spans(Phase::Unattributed).find(|span| span.to == asked && span.from >= needed.time)?;
        Some(Match { also: &[Phase::Unattributed], within: vec![(gap.from, gap.to)], likely: true, ..Match::at(needed) })
    }),
    metrics: Some(|case| {
        let (mean, count) = case.mean(name::DRA, "false").filter(|(mean, _)| *mean >= MIN_MEAN_S)?;
        let observed = format!("claimed devices were prepared {count:.0} times, {} per start", format_duration(mean));
        Some(MetricClaim { low_s: mean, high_s: mean, observed })
    }),
};
