//! Kubelet did not get a ConfigMap or Secret from the API server.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-object-not-synced",
    title: "Kubelet did not get a ConfigMap or Secret from the API server",
    advice: &[Advice::new(0, "check whether the kubelet throttles its own requests (kubeAPIQPS, kubeAPIBurst); then the connection from the kubelet to the API server, its load, and whether the node may read the object (node authorizer)")],
    text: "\
What it means
The kubelet watches the ConfigMaps and Secrets of its pods. It could not list one of them within the time limit, so the volume could not be mounted. The volume plugin and fsGroup have nothing to do with it.

How it is detected
A failed mount whose error says `failed to sync configmap cache` or `failed to sync secret cache`.

What to do
Check that the node reaches the API server, that the API server is not overloaded, and that the kubelet does not throttle its own requests (kubeAPIQPS). The kubelet retries with back-off (0.5 s, doubling up to 2 min).

When it misleads
Right after the kubelet started, one such failure is normal: its caches are empty.
",
    baseline: Nanos(3 * SECOND / 10),
    threshold: Nanos(2 * SECOND),
    rationale: "the kubelet polls volumes every 0.3 s, so every pod with a volume waits that long; the first failure after a kubelet start costs up to 1.8 s (captures)",
    shown_by: &[Evidence::KubeletLog, Evidence::Events],
    phases: &[Phase::Volumes],
    logs: Some(|case| {
        let failed = |kind: &str| case.event_mentioning(Fact::VolumeFailed, kind);
        failed("failed to sync configmap cache").or_else(|| failed("failed to sync secret cache")).map(Match::failing)
    }),
    metrics: None,
};
