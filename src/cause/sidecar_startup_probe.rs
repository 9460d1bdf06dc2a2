//! The containers waited for a sidecar's start-up probe.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::record::Fact;
use crate::time::{SECOND, Span};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "sidecar-startup-probe",
    title: "The containers waited for a sidecar's start-up probe.",
    advice: &[Advice { since: 0, set: "a shorter periodSeconds or a faster sidecar", price: "more probing" }],
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
    limit: Span(2 * SECOND),
    phases: &[Phase::Start],
    check: |case| case.says(Fact::ProbeFailed, "tartup").map(|e| Some(e.place)),
};
