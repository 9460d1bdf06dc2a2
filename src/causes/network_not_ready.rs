//! The node's network was not ready: no pod could get a sandbox.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "network-not-ready",
    title: "The node's network was not ready: no pod could get a sandbox.",
    advice: &[Advice::new(0, "let the CNI daemon start before the node takes pods (a startup taint)").side_effect("nodes join later")],
    text: "\
What it means
The runtime reports NetworkReady=false, so the kubelet fails each sync at once and tries again.

How it is recognised
`network is not ready` in the pod's errors, every 2 s or so.

What to do
See why the CNI configuration came late: image of the CNI daemon, its own API access. Keep pods away with a taint that the daemon removes.

When it misleads
Pods on the host network do not wait for it.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the kubelet tries again after 1 to 1.5 s",
    shown_by: &[Evidence::KubeletLog],
    phases: &[Phase::RetryBackoff],
    counts_as_loss: true,
    check: |case| {
        let shown = case.startup.first(Fact::NetworkNotReady).filter(|event| case.in_time(event))?;
        // Other retries of the same pod are of other causes.
        let waited = case.spans(Phase::RetryBackoff).find(|span| span.about.as_deref() == Some("the node's network"))?;
        Some(Match { within: Some((waited.from, waited.to)), ..Match::at(shown) })
    },
};
