//! Volume waited for a missing ConfigMap or Secret.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-object-missing",
    title: "Volume waited for a missing ConfigMap or Secret",
    advice: &[Advice::new(0, "create ConfigMaps and Secrets before the pods that mount them")],
    text: "\
What it means
The kubelet cannot mount a ConfigMap or Secret that does not exist, and retries with an exponential back-off (0.5 s, doubling up to 2 min).

How it is detected
A failed mount whose error says that the object was not found.

What to do
Create the objects first (Helm hooks, Argo CD sync waves), or mark the volume `optional` if the pod can run without it.

When it misleads
Because of the back-off, the wait is longer than the object was missing: in one measured case, 20 s became 33 s.
",
    baseline: Nanos(3 * SECOND / 10),
    threshold: Nanos(SECOND),
    rationale: "the kubelet polls volumes every 0.3 s, so every pod with a volume waits that long",
    shown_by: &[Evidence::KubeletLog, Evidence::Events],
    phases: &[Phase::Volumes],
    logs: Some(|case| {
        // "not found" also occurs for CSI drivers, devices and paths.
        let missing = |event: &Event| {
            event.mentions("not found")
                && ["configmap ", "secret ", "ConfigMap ", "Secret "].iter().any(|kind| event.mentions(kind))
        };
        case.failure(Fact::VolumeFailed, missing).map(Match::failing)
    }),
    metrics: None,
};
