//! Runtime changed the owner of the image's files for a user namespace.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "userns-chown",
    title: "Runtime changed the owner of the image's files for a user namespace",
    advice: &[Advice::new(0, "use a kernel, a filesystem and a runtime that can mount images with an ID map (idmapped mounts: Linux 5.19 or later for overlayfs, containerd 2.0 or later), or smaller images with fewer files")],
    text: "\
What it means
A pod with hostUsers: false has a user namespace of its own. Without idmapped mounts, the runtime copies the ownership of each file of the image to the pod's IDs before a container is created. In containerd's own measurement (pull request 4734), this took 0.12 s for busybox and 39 s for fedora.

How it is detected
Never by the log alone. If pod objects are given: the pod has hostUsers: false, and its containers took more than 2 s to be created. This makes the cause likely, so certain is 0. The metric kubelet_started_user_namespaced_pods_total shows whether a node starts such pods at all, but not what it costs. This rule is written after the source; no real log of such a pod was at hand.

What to do
Compare a pod of the same image with hostUsers: true. Check the node's kernel and the filesystem under the runtime's image store.

When it misleads
A container may be slow to create for other reasons: disk, relabelling, the number of pods started at once.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(2 * SECOND),
    rationale: "a container is created and started within 0.1 to 0.3 s on a quiet node (captures)",
    shown_by: &[Evidence::Pods],
    phases: &[Phase::Start],
    logs: Some(|case| {
        let traits = case.traits?;
        (traits.user_namespace && !case.burst()).then(|| Match { likely: true, ..Match::default() })
    }),
    metrics: None,
};
