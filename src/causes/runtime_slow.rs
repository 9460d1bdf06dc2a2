//! Creating and starting the containers took long in the runtime.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "runtime-slow",
    title: "Creating and starting the containers took long in the runtime.",
    advice: &[Advice::new(0, "look at the node's disk and CPU; spread bursts over nodes")],
    text: "\
What it means
From CreateContainer to the running process: snapshot, mounts, runtime hooks, relabelling, and postStart hooks where the log shows them.

How it is recognised
More than 2 s for all containers together.

What to do
On SELinux nodes with large volumes look at relabelling (SELinuxMount); else at disk throughput and the number of pods started at once.

When it misleads
In a burst of starts the node is the reason (node-overloaded). Without the runtime's log the end is known to the kubelet's relist only.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(2 * SECOND),
    rationale: "a container is created and started within 0.1 to 0.3 s on a quiet node (captures)",
    shown_by: &[Evidence::RuntimeLog, Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Start],
    counts_as_loss: true,
    check: |case| (!case.burst()).then(Match::default),
};
