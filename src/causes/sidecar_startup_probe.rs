//! The containers waited for a sidecar's start-up probe.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "sidecar-startup-probe",
    title: "The containers waited for a sidecar's start-up probe.",
    advice: &[Advice::new(0, "a shorter periodSeconds or a faster sidecar").side_effect("more probing")],
    text: "\
What it means
A sidecar (restartable init container) with a start-up probe holds back all containers after it until the probe passes.

How it is recognised
A start-up probe that failed before the containers started.

What to do
Make the sidecar ready sooner, and let the probe's period be a second.

When it misleads
The start-up probe of a main container does not hold the start back.
",
    baseline: Nanos(0),
    threshold: Nanos(2 * SECOND),
    rationale: "a probe that passes at its first try costs less",
    shown_by: &[Evidence::KubeletLog],
    phases: &[Phase::Start],
    counts_as_loss: true,
    check: |case| case.event_mentioning(Fact::ProbeFailed, "tartup").map(Match::at),
};
