//! The node itself was short of CPU, memory or disk while pods started.

use super::case::with_others;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "node-overloaded",
    title: "The node was short of CPU, memory or disk, or started too many pods at once.",
    advice: &[Advice::new(0, "spread starts over nodes; faster disks; reserve CPU for the system (systemReserved, kubeReserved)").side_effect("more or larger nodes")],
    text: "\
What it means
Everything on the node waits for the same CPU or disk: the runtime, the kubelet and the containers that start.

How it is recognised
In logs: eight or more other pods were taken within 3 s, and sandboxes and containers, which share nothing but the node, took 3 s longer together than on a quiet node; or the kubelet says that its PLEG is unhealthy or its housekeeping late. In metrics: pressure stall information of the whole node (cAdvisor's cgroup \"/\" or node_exporter): some task waited for a CPU, a disk or memory in at least a fifth of the time; or the kubelet's relists took more than a second on average.

What to do
See which of the three it is. Start fewer pods at once on a node, reserve CPU for kubelet and runtime, put /var/lib/containerd on a faster disk.

When it misleads
Pressure is of the whole window, starts may lie in a quiet part of it: take a window around them.
",
    baseline: Nanos(SECOND),
    threshold: Nanos(3 * SECOND),
    rationale: "sandbox and containers take together up to 1 s on a quiet node; 20 cached pods at once on two cores lost up to 3.6 s (captures)",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog, Evidence::ContainerMetrics, Evidence::NodeMetrics, Evidence::KubeletMetrics],
    phases: &[Phase::Sandbox, Phase::Start],
    counts_as_loss: true,
    check: |case| {
        let slow = case.node_event(Fact::PlegUnhealthy).or(case.node_event(Fact::HousekeepingLate));
        if let Some(slow) = slow {
            return Some(Match::at(slow));
        }
        // A sandbox that is slow for its network leaves the containers quick.
        let (sandbox, start) = (case.seconds(Phase::Sandbox), case.seconds(Phase::Start));
        let both = start >= 0.5 && sandbox + start >= 4.0 + case.relist_uncertainty();
        (case.burst() && both).then(|| Match { about: Some(with_others(case.startup.context.concurrent_starts)), ..Match::default() })
    },
};
