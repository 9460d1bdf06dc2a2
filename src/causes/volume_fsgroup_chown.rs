//! The kubelet changed the owner of every file of a volume (fsGroup).

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-fsgroup-chown",
    title: "The kubelet changed the owner of every file of a volume (fsGroup).",
    advice: &[Advice::new(0, "fsGroupChangePolicy: OnRootMismatch in the pod's securityContext").side_effect("files below the root that have another owner stay so")],
    text: "\
What it means
With fsGroup the kubelet walks the whole volume at each mount and sets group and mode of each file; on volumes with millions of files that takes minutes.

How it is recognised
The kubelet's line `Setting volume ownership for` the pod's volume, and volumes that took long: the line comes with each walk up to 1.32, later only with those of 30 s and more. Metrics: storage_operation_duration_seconds of volume_apply_access_control, more than a second for a start.

What to do
fsGroupChangePolicy: OnRootMismatch, or a CSI driver that applies the group at mount (fsGroupPolicy).

When it misleads
None known.
",
    baseline: Nanos(3 * SECOND / 10),
    threshold: Nanos(SECOND),
    rationale: "the kubelet prints its line before each walk up to 1.32, short ones too",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Volumes],
    counts_as_loss: true,
    check: |case| case.startup.first(Fact::VolumeOwnership).filter(|event| case.in_time(event)).map(Match::at),
};
