//! Pulls were refused by the kubelet's own rate limit and waited for their back-off.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::record::Fact;
use crate::time::{SECOND, Span};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "pull-rate-limited",
    title: "Pulls were refused by the kubelet's own rate limit and waited for their back-off.",
    advice: &[Advice {
        since: 0,
        set: "registryPullQPS: 0 or higher, registryBurst to match",
        price: "bursts reach the registry",
    }],
    text: "\
What it means
registryPullQPS (5, burst 10) fails a pull at once instead of queueing it; the back-off then costs at least 10 s.

How it is recognised
The words `pull QPS exceeded` in the pod's errors.

What to do
Raise or switch off registryPullQPS; with parallel pulls set maxParallelImagePulls as the limit instead.

When it misleads
The limit protects a registry that has limits of its own.
",
    limit: Span(SECOND),
    phases: &[Phase::ImageBackoff, Phase::ImageWait],
    check: |case| case.says(Fact::SyncFailed, "pull QPS exceeded").map(|e| Some(e.place)),
};
