//! Init containers ran before the pod's own containers.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "init-containers",
    title: "Init containers ran before the pod's own containers.",
    advice: &[Advice::new(0, "shorten or parallelise what the init containers do")],
    text: "\
What it means
Init containers run one after another; each also costs one detection by the relist (up to 1 s).

How it is recognised
From the start to the end of each init container, by the runtime's lines, the events, or the relist.

What to do
Look at what they wait for; a sidecar with a start-up probe can replace a waiting loop.

When it misleads
Their time is left out of the official SLI, but users wait for it all the same.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "each costs a detection by the relist, up to 1 s, beside its own run",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog],
    phases: &[Phase::Init],
    counts_as_loss: true,
    check: |_| Some(Match::default()),
};
