//! The node itself was short of CPU, memory or disk while pods started.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::time::Span;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "node-overloaded",
    title: "The node itself was short of CPU, memory or disk while pods started.",
    advice: &[Advice { since: 0, set: "spread starts over nodes; faster disks; reserve CPU for the system (systemReserved, kubeReserved)", price: "more or larger nodes" }],
    text: "\
What it means
Everything on the node waits for the same CPU or disk: the runtime, the kubelet and the containers that start.

How it is recognised
Pressure stall information of the whole node (cAdvisor's cgroup \"/\" or node_exporter): some task waited for a CPU, a disk or memory in at least a fifth of the time; or the kubelet's relists took more than a second on average.

What to do
See which of the three it is. Start fewer pods at once on a node, reserve CPU for kubelet and runtime, put /var/lib/containerd on a faster disk.

When it misleads
Pressure is of the whole window, starts may lie in a quiet part of it: take a window around them.
",
    limit: Span(0),
    phases: &[Phase::Sandbox, Phase::Start, Phase::Detect, Phase::ImagePull, Phase::Unattributed],
    check: |_| None,
};
