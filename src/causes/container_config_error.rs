//! Container config refers to a missing object.

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "container-config-error",
    title: "Container config refers to a missing object",
    advice: &[Advice::new(0, "create the ConfigMap or Secret before the pod")],
    text: "\
What it means
`env` or `envFrom` refers to an object that does not exist. The kubelet retries at its next sync, 10 s or more later.

How it is detected
CreateContainerConfigError in the pod's errors, or in the metric of container start errors.

What to do
Create the object before the pod, or mark the reference `optional`.

When it misleads
The wait is longer than the object was missing, by the time to the next sync.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the next sync comes after 10 s or more",
    shown_by: &[Evidence::KubeletLog, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::RetryBackoff],
    logs: Some(|case| case.failed_with(&["CreateContainerConfigError"]).map(Match::failing)),
    metrics: Some(|case| {
        let failed = case.container_errors(&["CreateContainerConfigError"]);
        (failed > 0.0).then(|| {
            MetricClaim::up_to(case.unexplained_kubelet_work(), format!("{failed:.0} × CreateContainerConfigError"))
        })
    }),
};
