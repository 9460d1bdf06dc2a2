//! Creating and starting the containers took long in the runtime.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::time::{SECOND, Span};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "container-start-slow",
    title: "Creating and starting the containers took long in the runtime.",
    advice: &[Advice { since: 0, set: "look at the node's disk and CPU; spread bursts over nodes", price: "none" }],
    text: "\
What it means
From CreateContainer to the running process: snapshot, mounts, runtime hooks, relabelling, and postStart hooks where the log shows them.

How it is recognised
More than 2 s for all containers together.

What to do
On SELinux nodes with large volumes look at relabelling (SELinuxMount); else at disk throughput and the number of pods started at once.

When it misleads
Without the runtime's log the end is known to the kubelet's relist only.
",
    limit: Span(2 * SECOND),
    phases: &[Phase::Start],
    check: |_| Some(None),
};
