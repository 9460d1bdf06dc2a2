//! Container could not be created or started.

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "container-start-error",
    title: "Container could not be created or started",
    advice: &[Advice::new(0, "read the error line: command, mounts, devices, runtime class")],
    text: "\
What it means
The container runtime failed to create or start the container, and the kubelet retries.

How it is detected
RunContainerError, CreateContainerError or a hook error (PreCreateHookError, PreStartHookError, PostStartHookError) in the pod's errors, or in the metric of container start errors.

What to do
The error gives the reason: a command that does not exist, a mount that fails, a hook that returns an error.

When it misleads
None known.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the next sync comes after 10 s or more",
    shown_by: &[Evidence::KubeletLog, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::RetryBackoff],
    logs: Some(|case| {
        let reasons = [
            "RunContainerError",
            "CreateContainerError",
            "PreCreateHookError",
            "PreStartHookError",
            "PostStartHookError",
        ];
        // CRI-O's log alone shows that a container could not be created, without the reason.
        let failed = || case.failure(Fact::ContainerFailed, |event| event.from_runtime);
        case.failed_with(&reasons).or_else(failed).map(Match::failing)
    }),
    metrics: Some(|case| {
        let failed = case.container_errors(&[
            "CreateContainerError",
            "RunContainerError",
            "PostStartHookError",
            "PreStartHookError",
        ]);
        (failed > 0.0).then(|| {
            let observed = format!("{failed:.0} containers could not be created or started");
            MetricClaim::up_to(case.unexplained_kubelet_work(), observed)
        })
    }),
};
