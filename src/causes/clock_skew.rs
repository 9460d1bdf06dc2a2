//! The clocks of the node and of the API server differ.

use super::{Advice, Cause, Evidence, Match};
use crate::model::time::Nanos;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "clock-skew",
    title: "The clocks of the node and of the API server differ: lengths that begin at creation are off by that.",
    advice: &[Advice::new(0, "run time synchronisation (chrony, systemd-timesyncd) on the nodes and the API servers")],
    text: "\
What it means
Creation is stamped by the API server, everything else by the node. Where their clocks differ, scheduling, the whole and the SLO value are longer or shorter by the difference.

How it is recognised
The record says that the pod ran before it was created. It claims no seconds: how far the clocks were apart is only known to be at least that.

What to do
Compare `chronyc tracking` on both machines. Phases after `scheduling` are of one clock and stay right.

When it misleads
A node whose clock is ahead makes scheduling longer; no line tells that from a real wait.
",
    baseline: Nanos(0),
    threshold: Nanos(0),
    rationale: "a pod cannot run before it was created; creation is cut down to the second, so even a second of slack is not needed",
    shown_by: &[Evidence::Record],
    phases: &[],
    counts_as_loss: true,
    check: |case| case.breakdown.anomalies.contains(&"clock-skew").then(Match::default),
};
