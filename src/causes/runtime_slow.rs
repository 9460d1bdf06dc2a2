//! Container create/start was slow in the runtime.

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::breakdown::timeline::TimelineSource;
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "runtime-slow",
    title: "Container create/start was slow in the runtime",
    advice: &[Advice::new(0, "check the node's disk and CPU; spread bursts over nodes")],
    text: "\
What it means
From CreateContainer to the running process: snapshot, mounts, runtime hooks, relabelling, and postStart hooks if the log shows them.

How it is detected
More than 2 s for all containers of the pod together.

What to do
On SELinux nodes with large volumes, check relabelling (SELinuxMount); otherwise check disk throughput and the number of pods started at once.

When it misleads
In a burst of starts, the node is the reason (node-overloaded). Without the runtime log, the end is known only to the precision of the kubelet's relist.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(2 * SECOND),
    rationale: "a container is created and started within 0.1 to 0.3 s on a quiet node (captures)",
    shown_by: &[Evidence::RuntimeLog, Evidence::KubeletLog, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::Start],
    logs: Some(|case| {
        // Without a record the kubelet's lines do not show that nothing was pulled.
        let pull_excluded = case.startup.observed.is_some() || case.breakdown.timeline.source != TimelineSource::Relist;
        (pull_excluded && !case.burst()).then(Match::default)
    }),
    metrics: Some(|case| {
        let start = case.long_part(Phase::Start).filter(|_| !super::node_overloaded::by_burst(case))?;
        Some(MetricClaim::of(start, format!("creating and starting containers took {} per start{}", format_duration(start.mean_s), case.beside_others())))
    }),
};
