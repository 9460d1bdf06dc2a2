//! Node network not ready; no sandboxes.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "network-not-ready",
    title: "Node network not ready; no sandboxes",
    advice: &[Advice::new(0, "start the CNI daemon before the node accepts pods (a startup taint)").side_effect("nodes join later")],
    text: "\
What it means
The runtime reports NetworkReady=false, so the kubelet fails each sync at once and retries.

How it is detected
`network is not ready` in the pod's errors, about every 2 s.

What to do
Find out why the CNI configuration came late: the image of the CNI daemon, or its API access. Keep pods off the node with a taint that the daemon removes.

When it misleads
Pods on the host network do not wait for it.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the kubelet retries after 1 to 1.5 s",
    shown_by: &[Evidence::KubeletLog, Evidence::Events],
    phases: &[Phase::RetryBackoff],
    logs: Some(|case| {
        let shown = case.failure(Fact::NetworkNotReady, |_| true)?;
        // Other retries of the same pod have other causes.
        let waited = case.spans(Phase::RetryBackoff).find(|span| span.waited_for == Some(WaitedFor::NodeNetwork))?;
        Some(Match { within: vec![(waited.from, waited.to)], ..Match::failing(shown) })
    }),
    metrics: None,
};
