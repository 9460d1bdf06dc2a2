//! Containers hit memory.high and were throttled.

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence};
use crate::metrics::families::name;
use crate::model::phase::Phase;
use crate::model::time::Nanos;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "memory-high-throttled",
    title: "Containers hit memory.high and were throttled",
    advice: &[
        Advice::new(0, "raise the memory limit or request; raise memoryThrottlingFactor towards 1 (0.8 by default here), or disable the MemoryQoS feature gate")
            .side_effect("less warning before the container is OOM-killed"),
        Advice::new(27, "raise the memory limit or request; raise memoryThrottlingFactor towards 1 (0.9 by default here), or disable the MemoryQoS feature gate")
            .side_effect("less warning before the container is OOM-killed"),
    ],
    text: "\
What it means
With MemoryQoS (cgroup v2), the kubelet sets memory.high between request and limit (memoryThrottlingFactor, 0.9 since 1.27, 0.8 before). Above memory.high, allocations wait while the kernel reclaims memory.

How it is detected
container_memory_events_high_total increased within the window.

What to do
Give the container the memory that it needs to start, or raise memoryThrottlingFactor. The feature gate is alpha and off by default up to 1.36: if it is off, find out what else sets memory.high.

When it misleads
The counter includes long-running containers, and no metric shows how long an allocation waited.
",
    baseline: Nanos(0),
    threshold: Nanos(0),
    rationale: "any event matters: memory.high stops the process that allocates",
    shown_by: &[Evidence::ContainerMetrics],
    phases: &[Phase::Init, Phase::Start],
    logs: None,
    metrics: Some(|case| {
        let events = case.window.counter(name::MEMORY_HIGH, "")?;
        (events > 0.0).then(|| {
            MetricClaim::up_to(case.unexplained_kubelet_work(), format!("memory.high was hit {events:.0} times"))
        })
    }),
};
