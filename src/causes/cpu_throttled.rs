//! Containers were CPU-throttled during startup.

use super::metric_rules::{MetricClaim, percent};
use super::{Advice, Cause, Evidence};
use crate::metrics::families::name;
use crate::model::phase::Phase;
use crate::model::time::Nanos;

/// The share of CPU periods from which on a container counts as throttled.
const MIN_SHARE: f64 = 0.25;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "cpu-throttled",
    title: "Containers were CPU-throttled during startup",
    advice: &[Advice::new(0, "raise or remove the CPU limits of the pods that start slowly (resources.limits.cpu)").side_effect("a pod can take CPU from its neighbours; requests still protect them")],
    text: "\
What it means
A CPU limit is a quota per period of 100 ms. Programs need the most CPU while they start: class loading, migrations, caches. A container that has used up its quota is stopped until the next period.

How it is detected
cAdvisor metrics: containers with a CPU limit were throttled in at least a quarter of the periods in which they ran (container_cpu_cfs_throttled_periods_total divided by container_cpu_cfs_periods_total).

What to do
Raise the limit, or remove it and keep the request. If limits are mandatory, a larger limit during startup (in-place resize) helps.

When it misleads
The counters do not separate starting containers from long-running ones. For the kubelet, a start ends when the process runs, so throttling delays the kubelet's value only through init containers, hooks and startup probes.
",
    baseline: Nanos(0),
    threshold: Nanos(0),
    rationale: "metrics give a share of periods; a quarter is also what the Kubernetes alert CPUThrottlingHigh treats as high",
    shown_by: &[Evidence::ContainerMetrics],
    phases: &[Phase::Init, Phase::Start],
    logs: None,
    metrics: Some(|case| {
        let periods = case.window.counter(name::CFS_PERIODS, "")?;
        let throttled = case.window.counter(name::CFS_THROTTLED, "")?;
        let seconds = case.window.counter(name::CFS_SECONDS, "").unwrap_or(0.0);
        let share = throttled / periods;
        (periods > 0.0 && share >= MIN_SHARE).then(|| {
            let observed = format!(
                "containers with a CPU limit were throttled in {} of their periods, {seconds:.0} s in total",
                percent(share)
            );
            let start = case.part(Phase::Start).map_or(0.0, |part| part.high_s);
            MetricClaim::up_to(case.unexplained_kubelet_work() + start, observed)
        })
    }),
};
