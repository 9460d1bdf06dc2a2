//! Containers used up their CPU limit and were stopped for parts of each period.

use super::{Advice, Cause, Evidence};
use crate::model::phase::Phase;
use crate::model::time::Nanos;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "cpu-throttled",
    title: "Containers used up their CPU limit and were stopped for parts of each period.",
    advice: &[Advice::new(0, "raise or remove the CPU limits of the pods that start slowly (resources.limits.cpu)").side_effect("a pod can take CPU from its neighbours; requests still guard them")],
    text: "\
What it means
A CPU limit is a quota for each 100 ms. Programs need most CPU while they start: class loading, migrations, caches. A container that has used up its quota stands still until the next period.

How it is recognised
cAdvisor: in at least a quarter of the periods in which containers with a limit ran, the quota was used up (container_cpu_cfs_throttled_periods_total of container_cpu_cfs_periods_total).

What to do
Raise the limit or leave it out and keep the request. Where limits are a must, a larger one while it starts (in-place resize) helps.

When it misleads
The counters do not tell starting containers from those that run for long, and a start is over for the kubelet when the process runs: throttling delays the kubelet's value only through init containers, hooks and start-up probes.
",
    baseline: Nanos(0),
    threshold: Nanos(0),
    rationale: "metrics give shares of periods: a quarter of them used up is what Kubernetes' own alert (CPUThrottlingHigh) takes for high",
    shown_by: &[Evidence::ContainerMetrics],
    phases: &[Phase::Init, Phase::Start],
    counts_as_loss: true,
    check: |_| None,
};
