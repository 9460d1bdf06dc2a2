//! Kubelet noticed container changes late (PLEG relist).

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::breakdown::Span;
use crate::metrics::families::name;
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "pleg-relist-delay",
    title: "Kubelet noticed container changes late (PLEG relist)",
    advice: &[
        Advice::new(0, "upgrade to 1.36, whose kubelet relists on demand (PLEGOnDemandRelist, a beta feature that is on by default there); EventedPLEG is off by default and went back to alpha in 1.30"),
        Advice::new(36, "PLEGOnDemandRelist is on by default here: check that no feature gate turns it off; the rest is a slow relist"),
    ],
    text: "\
What it means
The kubelet lists all containers of the runtime once a second (plus the time that this takes), so it notices each change up to that much later.

How it is detected
From the start or end of a container in the runtime to the PLEG line of the kubelet. In metrics: relists were 2 s or more apart on average.

What to do
Upgrade. Do not enable EventedPLEG outside of tests. A slow relist points to a slow runtime.

When it misleads
A postStart hook keeps the pod's worker busy after the container has started, and looks the same at -v=2.
",
    baseline: Nanos(SECOND),
    threshold: Nanos(SECOND),
    rationale: "a relist runs every second: a delay of up to 1 s is how it works, what exceeds it is lost",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Detection],
    // Where no line shows the relist, detection and status update cannot be distinguished.
    logs: Some(|case| {
        // While the kubelet was down, nothing was listed.
        let down = |span: &Span| case.startup.restarts.iter().any(|start| span.from <= start.time && start.time <= span.to);
        let listed = case.spans(Phase::Detection).any(|span| span.min > Nanos(0) && !down(span));
        (!case.startup.by_objects && listed).then(Match::default)
    }),
    metrics: Some(|case| {
        let (sum, count) = case.window.sum(name::RELIST_INTERVAL, "").filter(|(_, count)| *count > 0.0)?;
        let interval = sum / count;
        (interval >= 2.0).then(|| MetricClaim::up_to(interval - 1.0, format!("relists were {} apart", format_duration(interval))))
    }),
};
