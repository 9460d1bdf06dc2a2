//! Volumes waited to be attached to the node.

use super::{Advice, Cause};
use crate::phase::Phase;
use crate::time::Span;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-attach-slow",
    title: "Volumes waited to be attached to the node.",
    advice: &[Advice {
        since: 0,
        set: "look at the CSI driver's controller and the cloud's attach limits; reuse nodes for stateful pods",
        price: "none",
    }],
    text: "\
What it means
The kubelet waits until the attach controller reports the volume as attached before it mounts it.

How it is recognised
storage_operation_duration_seconds of verify_controller_attached_volume: more than a second for a start.

What to do
Read the VolumeAttachment objects and the attacher's log; detaching from the node before is a part of the wait.

When it misleads
Each try is counted, and volumes of one pod are attached side by side.
",
    limit: Span(0),
    phases: &[Phase::Volumes],
    check: |_| None,
};
