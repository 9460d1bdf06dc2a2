//! The kubelet changed the owner of every file of a volume (fsGroup).

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::time::Span;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-ownership-walk",
    title: "The kubelet changed the owner of every file of a volume (fsGroup).",
    advice: &[Advice { since: 0, set: "fsGroupChangePolicy: OnRootMismatch in the pod's securityContext", price: "files below the root that have another owner stay so" }],
    text: "\
What it means
With fsGroup the kubelet walks the whole volume at each mount and sets group and mode of each file; on volumes with millions of files that takes minutes.

How it is recognised
storage_operation_duration_seconds of volume_apply_access_control: more than a second for a start.

What to do
fsGroupChangePolicy: OnRootMismatch, or a CSI driver that applies the group at mount (fsGroupPolicy).

When it misleads
None known.
",
    limit: Span(0),
    phases: &[Phase::Volumes],
    check: |_| None,
};
