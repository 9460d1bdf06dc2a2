//! Node and API-server clocks differ.

use super::{Advice, Cause, Evidence, Match};
use crate::breakdown::Anomaly;
use crate::model::time::Nanos;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "clock-skew",
    title: "Node and API-server clocks differ",
    advice: &[Advice::new(0, "run time synchronisation (chrony, systemd-timesyncd) on the nodes and the API servers")],
    text: "\
What it means
The API server sets the creation timestamp, the node sets all others. If their clocks differ, scheduling, the total and the SLO value are too long or too short by the difference.

How it is detected
The record says that the pod ran before it was created. This cause counts no time, because only a lower bound of the clock difference is known.

What to do
Compare `chronyc tracking` on both machines. Phases after `scheduling` use one clock and stay correct.

When it misleads
If the node's clock is ahead, scheduling looks longer; the log does not show whether that is a real wait.
",
    baseline: Nanos(0),
    threshold: Nanos(0),
    rationale: "a pod cannot run before it is created; the creation timestamp is truncated to the second, so no tolerance is needed",
    shown_by: &[Evidence::Record],
    phases: &[],
    logs: Some(|case| case.breakdown.anomalies.contains(&Anomaly::ClockSkew).then(Match::default)),
    metrics: None,
};
