//! The runtime relabelled every file of a volume for SELinux.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "selinux-relabel",
    title: "The runtime relabelled the files of volumes for SELinux.",
    advice: &[
        Advice::new(0, "upgrade: from 1.28 on volumes with access mode ReadWriteOncePod are mounted with their label (KEP-1710); until then a CSI driver that sets it, or fewer files"),
        Advice::new(28, "access mode ReadWriteOncePod with a CSI driver that has seLinuxMount: true (SELinuxMountReadWriteOncePod is on by default here)").side_effect("such a volume is of one pod at a time"),
        Advice::new(30, "the SELinuxMount gate (off by default here) with a CSI driver that has seLinuxMount: true, for all access modes; else ReadWriteOncePod volumes").side_effect("pods with different labels can no longer share a volume on a node: see volume_manager_selinux_* first"),
        Advice::new(37, "a CSI driver that has seLinuxMount: true (SELinuxMount is on by default here); seLinuxChangePolicy: Recursive in the pod turns it off").side_effect("pods with different labels can no longer share a volume on a node"),
    ],
    text: "\
What it means
On nodes with SELinux the runtime sets the pod's label on each file of its volumes before it starts a container. On volumes with millions of files that takes minutes. Mounted with the label (`-o context=`), nothing is walked (KEP-1710).

How it is recognised
Never by the log alone. With pods given as objects: the pod has a SELinux label and a persistent volume, and its containers took more than 2 s to be created; likely, so certain is 0. No metric tells what it cost.

What to do
See the CSIDriver's seLinuxMount and the volumes' access modes. Before the gate is turned on, volume_manager_selinux_* tell which pods would come into conflict.

When it misleads
A container may be slow to create for other reasons: disk, image snapshot, the number of pods started at once.
",
    baseline: Nanos(SECOND / 2),
    threshold: Nanos(2 * SECOND),
    rationale: "a container is created and started within 0.1 to 0.3 s on a quiet node (captures)",
    shown_by: &[Evidence::Pods],
    phases: &[Phase::Start],
    counts_as_loss: true,
    check: |case| {
        let traits = case.traits?;
        (traits.selinux && traits.persistent && !case.burst()).then(|| Match { likely: true, ..Match::default() })
    },
};
