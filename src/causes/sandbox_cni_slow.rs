//! Creating the sandbox took long; the network plugin runs inside.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "sandbox-cni-slow",
    title: "Creating the sandbox took long; the network plugin runs inside.",
    advice: &[Advice::new(0, "look at the CNI plugin's own timing; spread bursts over nodes")],
    text: "\
What it means
RunPodSandbox: cgroups, the pause image if it is missing, and the network plugin. No line at info level separates them.

How it is recognised
More than 2 s from the ask to the ready sandbox. Without the runtime's log its end is known to the kubelet's relist (about 1 s).

What to do
containerd: `containerd_cri_sandbox_create_network_seconds` tells the network's share. Check the CNI plugin, its API calls, and the node's load.

When it misleads
Many pods at once on few cores make every sandbox slow: in a burst it is named only where other sandboxes of the time were quick, or from 5 s on. A missing pause image is pulled inside, and a runtime handler with a virtual machine starts one.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(2 * SECOND),
    rationale: "a sandbox takes 0.1 to 0.5 s on a quiet node (captures); the slowest plugin that is not ill takes about a second",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog, Evidence::RuntimeMetrics, Evidence::KubeletMetrics],
    phases: &[Phase::Sandbox],
    counts_as_loss: true,
    check: |case| {
        // A node that is busy is slow for all; quick sandboxes beside this one show that it is not.
        let quick = case.startup.context.neighbours.is_some_and(|others| others.sandbox < Nanos(SECOND));
        (!case.burst() || quick || case.seconds(Phase::Sandbox) >= 5.0 + case.relist_uncertainty()).then(Match::default)
    },
};
