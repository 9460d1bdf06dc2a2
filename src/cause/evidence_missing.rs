//! The log does not tell where the time went.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::time::{SECOND, Span};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "evidence-missing",
    title: "The log does not tell where the time went.",
    advice: &[Advice {
        since: 0,
        set: "add the runtime's log, or run the kubelet with -v=4 for a while",
        price: "log volume",
    }],
    text: "\
What it means
No line covers these seconds.

How it is recognised
More than 3 s that no phase claims.

What to do
Give podlag the container runtime's log of the same time; raise the kubelet's verbosity on one node.

When it misleads
None: it says what is not known.
",
    limit: Span(3 * SECOND),
    phases: &[Phase::Unattributed],
    check: |_| Some(None),
};
