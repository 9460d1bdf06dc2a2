//! Runtime relabelled volume files for SELinux.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "selinux-relabel",
    title: "Runtime relabelled volume files for SELinux",
    advice: &[
        Advice::new(0, "upgrade: since 1.28, volumes with access mode ReadWriteOncePod are mounted with their label (KEP-1710); until then, use a CSI driver that sets it, or fewer files"),
        Advice::new(28, "use access mode ReadWriteOncePod with a CSI driver that has seLinuxMount: true (SELinuxMountReadWriteOncePod is on by default here)")
            .side_effect("the volume can be used by one pod at a time"),
        Advice::new(30, "enable the SELinuxMount feature gate (off by default here) and use a CSI driver that has seLinuxMount: true, for all access modes; otherwise use ReadWriteOncePod volumes")
            .side_effect("pods with different labels can no longer share a volume on a node: check the volume_manager_selinux_* metrics first"),
        Advice::new(37, "use a CSI driver that has seLinuxMount: true (SELinuxMount is on by default here); seLinuxChangePolicy: Recursive in the pod turns it off")
            .side_effect("pods with different labels can no longer share a volume on a node"),
    ],
    text: "\
What it means
On nodes with SELinux, the runtime sets the pod's label on each file of its volumes before it starts a container. On volumes with millions of files this takes minutes. A volume that is mounted with the label (`-o context=`) needs no relabelling (KEP-1710).

How it is detected
Never by the log alone. If pod objects are given: the pod has an SELinux label and a persistent volume, and its containers took more than 2 s to be created. This makes the cause likely, so certain is 0. No metric shows the time it took.

What to do
Check seLinuxMount of the CSIDriver and the access modes of the volumes. Before you enable the feature gate, check volume_manager_selinux_* for pods that would conflict.

When it misleads
A container may be slow to create for other reasons: disk, image snapshot, the number of pods started at once.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(2 * SECOND),
    rationale: "a container is created and started within 0.1 to 0.3 s on a quiet node (captures)",
    shown_by: &[Evidence::Pods],
    phases: &[Phase::Start],
    logs: Some(|case| {
        let traits = case.traits?;
        (traits.selinux && traits.persistent && !case.burst()).then(|| Match { likely: true, ..Match::default() })
    }),
    metrics: None,
};
