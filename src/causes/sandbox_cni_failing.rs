//! Sandbox creation failed and was retried.

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "sandbox-cni-failing",
    title: "Sandbox creation failed and was retried",
    advice: &[Advice::new(0, "fix what the error names: the CNI plugin, its address pool, its daemon on the node")],
    text: "\
What it means
RunPodSandbox failed, usually because the network plugin failed. The kubelet waits about 10 s before it retries.

How it is detected
CreatePodSandboxError for the pod, or a failed RunPodSandbox in the runtime log, before the pod ran. A request that the kubelet gave up because it took too long is slow, not failing (sandbox-cni-slow). In metrics: run_podsandbox operations that failed.

What to do
Read the error: an address pool that is full, a CNI daemon that is not ready, a plugin that times out.

When it misleads
After a node has booted, sandboxes fail for some seconds until its CNI daemon is up.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(SECOND),
    rationale: "a sandbox takes 0.1 to 0.5 s on a quiet node (captures)",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::Sandbox],
    logs: Some(|case| {
        if case.sandbox_given_up() {
            return None;
        }
        case.failed_with(&["CreatePodSandboxError"])
            .or_else(|| case.failure(Fact::SandboxFailed, |_| true))
            .map(Match::failing)
    }),
    metrics: Some(|case| {
        let failed = case.runtime_errors("run_podsandbox");
        (failed > 0.0).then(|| {
            let observed = format!("{failed:.0} sandboxes failed; the runtime log shows whether the network was the reason");
            MetricClaim::up_to(case.unexplained_kubelet_work(), observed)
        })
    }),
};
