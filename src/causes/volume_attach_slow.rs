//! Volumes waited to be attached to the node.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-attach-slow",
    title: "Volumes waited to be attached to the node.",
    advice: &[Advice::new(0, "look at the CSI driver's controller and the cloud's attach limits; reuse nodes for stateful pods")],
    text: "\
What it means
The kubelet waits until the attach controller reports the volume as attached before it mounts it.

How it is recognised
A volume's `VerifyControllerAttachedVolume` line comes long before its mount began, and that is most of the time the volumes took. Metrics: storage_operation_duration_seconds of verify_controller_attached_volume, more than a second for a start.

What to do
Read the VolumeAttachment objects and the attacher's log; detaching from the node before is a part of the wait.

When it misleads
Each try is counted, and volumes of one pod are attached side by side.
",
    baseline: Nanos(3 * SECOND / 10),
    threshold: Nanos(2 * SECOND),
    rationale: "what is attached already is verified within some tenths of a second",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::Volumes],
    counts_as_loss: true,
    check: |case| {
        let first = |fact, volume: &str| {
            case.startup.all(fact).find(|event| event.fields.text(Field::Volume) == Some(volume) && case.in_time(event))
        };
        let wanted = case.startup.all(Fact::VolumeVerifyStarted).filter_map(|event| {
            let mounting = first(Fact::VolumeMountStarted, event.fields.text(Field::Volume)?)?;
            Some((mounting.time - event.time, mounting))
        });
        let (waited, mounting) = wanted.max_by_key(|(waited, _)| *waited)?;
        let most = waited.seconds() * 2.0 > case.seconds(Phase::Volumes);
        (most && waited >= Nanos(2 * SECOND) && case.held().seconds() * 2.0 < waited.seconds()).then(|| Match::at(mounting))
    },
};
