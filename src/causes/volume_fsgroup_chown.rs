//! fsGroup ownership change was slow.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::Fact;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-fsgroup-chown",
    title: "fsGroup ownership change was slow",
    advice: &[Advice::new(0, "set fsGroupChangePolicy: OnRootMismatch in the pod's securityContext").side_effect("files below the root keep another owner")],
    text: "\
What it means
With fsGroup, the kubelet walks the whole volume at each mount and sets group and mode of each file. On volumes with millions of files this takes minutes.

How it is detected
The kubelet logs `Setting volume ownership for` the pod's volume, and the volumes took long. Up to 1.32 this line comes with each ownership change, later only with those of 30 s or more. In metrics: storage_operation_duration_seconds of volume_apply_access_control, 1 s or more per start.

What to do
Set fsGroupChangePolicy: OnRootMismatch, or use a CSI driver that applies the group at mount (fsGroupPolicy).

When it misleads
None known.
",
    baseline: Nanos(3 * SECOND / 10),
    threshold: Nanos(SECOND),
    rationale: "up to 1.32 the kubelet prints its line before each ownership change, short ones too",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Volumes],
    logs: Some(|case| case.startup.first(Fact::VolumeOwnership).filter(|event| case.in_time(event)).map(Match::at)),
    metrics: Some(|case| case.storage("volume_apply_access_control")),
};
