//! Container crash-looped (CrashLoopBackOff).

use super::{Advice, Cause, Evidence, Match};
use crate::breakdown::Anomaly;
use crate::model::phase::Phase;
use crate::model::record::Field;
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "crash-loop",
    title: "Container crash-looped (CrashLoopBackOff)",
    advice: &[Advice::new(0, "read the container's own log")],
    text: "\
What it means
A container (often an init container) exits with an error. The kubelet waits 10 s, then 20 s, and so on, before it starts the container again.

How it is detected
CrashLoopBackOff in the pod's errors, or the same container created again before the pod ran. The time is counted from the first run to the beginning of the run that stays: short runs are a part of it.

What to do
The container's log and exit code show the reason. Make the container wait for its dependencies instead of exiting.

When it misleads
Some programs exit on purpose until a dependency is available.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND / 2),
    rationale: "a container is started again at once the first time, and after 10 s the second",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog, Evidence::Events],
    phases: &[Phase::RetryBackoff],
    logs: Some(|case| {
        let waits = || {
            let waits = |event: &&Event| event.fields.text(Field::Reason) == Some("CrashLoopBackOff");
            case.startup.events.iter().find(waits).map(Match::failing)
        };
        let again = || (case.breakdown.restarts > 0).then(Match::default);
        if case.breakdown.anomalies.contains(&Anomaly::CrashLoop) {
            return waits().or_else(again);
        }
        case.failed_with(&["CrashLoopBackOff"]).map(Match::failing).or_else(again)
    }),
    metrics: None,
};
