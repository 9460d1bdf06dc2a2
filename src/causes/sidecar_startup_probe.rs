//! Containers waited for a sidecar's startup probe.

use super::{Advice, Case, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND, Time};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "sidecar-startup-probe",
    title: "Containers waited for a sidecar's startup probe",
    advice: &[Advice::new(0, "shorten periodSeconds or make the sidecar faster").side_effect("more frequent probes")],
    text: "\
What it means
A sidecar (restartable init container) with a startup probe blocks all containers after it until the probe succeeds.

How it is detected
A startup probe that failed before the containers started.

What to do
Make the sidecar ready sooner, and set periodSeconds of the probe to 1.

When it misleads
The startup probe of an app container does not block the start.
",
    baseline: Nanos(0),
    threshold: Nanos(2 * SECOND),
    rationale: "a probe that succeeds at its first attempt takes less",
    shown_by: &[Evidence::KubeletLog, Evidence::Events],
    phases: &[Phase::Start],
    logs: Some(|case| {
        case.event_mentioning(Fact::ProbeFailed, "tartup")
            .map(|event| Match { within: waits(case, event), ..Match::at(event) })
    }),
    metrics: None,
};

/// The steps in which a probe failed. The starts of other containers are no part of the wait.
fn waits(case: &Case<'_>, failed: &Event) -> Vec<(Time, Time)> {
    let wait = case.spans(Phase::Start).filter(|span| span.from <= failed.time && failed.time <= span.to);
    wait.map(|span| (span.from, span.to)).collect()
}
