//! Containers met memory.high and were slowed down by the kernel.

use super::{Advice, Cause, Evidence};
use crate::model::phase::Phase;
use crate::model::time::Nanos;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "memory-high-throttled",
    title: "Containers met memory.high and were slowed down by the kernel.",
    advice: &[
        Advice::new(0, "raise the memory limit or request; memoryThrottlingFactor nearer to 1 (0.8 here), or the MemoryQoS gate off").side_effect("less warning before the limit kills"),
        Advice::new(27, "raise the memory limit or request; memoryThrottlingFactor nearer to 1 (0.9 here), or the MemoryQoS gate off").side_effect("less warning before the limit kills"),
    ],
    text: "\
What it means
With MemoryQoS (cgroup v2) the kubelet sets memory.high between request and limit (memoryThrottlingFactor, 0.9 since 1.27, 0.8 before). Above it the kernel lets allocations wait while it reclaims memory.

How it is recognised
container_memory_events_high_total counted events within the window.

What to do
Give the container the memory it needs to start, or raise memoryThrottlingFactor. The gate is alpha and off up to 1.36: without it look for who else sets memory.high.

When it misleads
It is counted for long-running containers too, and how long an allocation waited is in no metric.
",
    baseline: Nanos(0),
    threshold: Nanos(0),
    rationale: "any event is one too many: memory.high stops what allocates",
    shown_by: &[Evidence::ContainerMetrics],
    phases: &[Phase::Init, Phase::Start],
    counts_as_loss: true,
    check: |_| None,
};
