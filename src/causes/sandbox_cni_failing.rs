//! Setting up the pod's sandbox failed and was tried again.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "sandbox-cni-failing",
    title: "Setting up the pod's sandbox failed and was tried again.",
    advice: &[Advice::new(0, "fix what the error names: the CNI plugin, its address pool, its daemon on the node")],
    text: "\
What it means
RunPodSandbox failed, mostly because the network plugin did; the kubelet waits some 10 s before it tries again.

How it is recognised
CreatePodSandboxError for the pod, or RunPodSandbox failing in the runtime's log, before the pod ran.

What to do
Read the error: an address pool that is full, a CNI daemon that is not ready, a plugin that times out.

When it misleads
A node that has just booted fails for some seconds until its CNI daemon is up.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(SECOND),
    rationale: "a sandbox takes 0.1 to 0.5 s on a quiet node (captures)",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog, Evidence::KubeletMetrics],
    phases: &[Phase::Sandbox],
    counts_as_loss: true,
    check: |case| {
        case.failed_with(&["CreatePodSandboxError"])
            .or(case.startup.first(Fact::SandboxFailed).filter(|e| case.in_time(e)))
            .map(Match::at)
    },
};
