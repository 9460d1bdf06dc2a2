//! Creating the sandbox took long; the network plugin runs inside.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::time::{SECOND, Span};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "sandbox-slow",
    title: "Creating the sandbox took long; the network plugin runs inside.",
    advice: &[Advice { since: 0, set: "look at the CNI plugin's own timing; spread bursts over nodes", price: "none" }],
    text: "\
What it means
RunPodSandbox: cgroups, the pause image if it is missing, and the network plugin. No line at info level separates them.

How it is recognised
More than 2 s from the ask to the ready sandbox. Without the runtime's log its end is known to the kubelet's relist (about 1 s).

What to do
containerd: `containerd_cri_sandbox_create_network_seconds` tells the network's share. Check the CNI plugin, its API calls, and the node's load.

When it misleads
Many pods at once on few cores make every sandbox slow.
",
    limit: Span(2 * SECOND),
    phases: &[Phase::Sandbox],
    check: |_| Some(None),
};
