//! A container could not be created or started.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::time::{SECOND, Span};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "container-start-error",
    title: "A container could not be created or started.",
    advice: &[Advice { since: 0, set: "read the error line: command, mounts, device, runtime class", price: "none" }],
    text: "\
What it means
The runtime refused to create or start the container; the kubelet tries again.

How it is recognised
RunContainerError, CreateContainerError or PostStartHookError in the pod's errors.

What to do
The error names the reason: a command that does not exist, a mount that fails, a hook that returns an error.

When it misleads
None known.
",
    limit: Span(SECOND),
    phases: &[Phase::RestartBackoff],
    check: |_| Some(None),
};
