//! Slow sandbox creation (includes CNI).

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "sandbox-cni-slow",
    title: "Slow sandbox creation (includes CNI)",
    advice: &[Advice::new(0, "check the CNI plugin's own timing; spread bursts over nodes")],
    text: "\
What it means
RunPodSandbox includes cgroups, the pause image if it is missing, and the network plugin. No line at info level separates them.

How it is detected
More than 2 s from the request to the ready sandbox. Without the runtime log, the end is known only to the precision of the kubelet's relist (about 1 s).

What to do
With containerd, `containerd_cri_sandbox_create_network_seconds` shows the share of the network. Check the CNI plugin, its API calls, and the load of the node.

When it misleads
Many pods at once on few cores make every sandbox slow: in a burst, this cause is named only if other sandboxes at that time were quick, or from 5 s on. A missing pause image is pulled within this time, and a runtime handler with virtual machines boots one.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(2 * SECOND),
    rationale: "a sandbox takes 0.1 to 0.5 s on a quiet node (captures); the slowest healthy plugin takes about a second",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog, Evidence::RuntimeMetrics, Evidence::KubeletMetrics],
    phases: &[Phase::Sandbox],
    logs: Some(|case| {
        // A busy node is slow for all pods; quick sandboxes at the same time show that it is not busy.
        let quick = case.startup.context.neighbours.is_some_and(|others| others.sandbox < Nanos(SECOND));
        (!case.burst() || quick || case.seconds(Phase::Sandbox) >= 5.0 + case.relist_uncertainty().seconds()).then(Match::default)
    }),
    metrics: Some(|case| {
        let sandbox = case.long_part(Phase::Sandbox).filter(|_| !super::node_overloaded::by_burst(case))?;
        let network = sandbox.remarks.first().map_or(String::new(), |remark| format!("; {remark}"));
        Some(MetricClaim::of(sandbox, format!("sandboxes took {} per start{network}{}", format_duration(sandbox.mean_s), case.beside_others())))
    }),
};
