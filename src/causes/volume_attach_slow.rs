//! Volume attach was slow.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "volume-attach-slow",
    title: "Volume attach was slow",
    advice: &[Advice::new(0, "check the CSI driver's controller and the attach limits of the cloud; reuse nodes for stateful pods")],
    text: "\
What it means
The kubelet mounts a volume only after the attach controller has reported it as attached.

How it is detected
A volume's `VerifyControllerAttachedVolume` line comes long before its mount began, and this is most of the time that the volumes took. In metrics: storage_operation_duration_seconds of verify_controller_attached_volume, 1 s or more per start.

What to do
Read the VolumeAttachment objects and the attacher's log; detaching from the previous node is part of the wait.

When it misleads
Each attempt is counted, and the volumes of one pod are attached in parallel.
",
    baseline: Nanos(3 * SECOND / 10),
    threshold: Nanos(2 * SECOND),
    rationale: "a volume that is attached already is verified within a few tenths of a second",
    shown_by: &[Evidence::KubeletLog, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::Volumes],
    logs: Some(|case| {
        if case.startup.by_objects {
            let failed = case.failure(Fact::VolumeFailed, |event| {
                event.fields.line().contains("AttachVolume.Attach failed") || event.fields.line().contains("Multi-Attach error")
            });
            let attached = || case.startup.all(Fact::VolumeAttached).rfind(|event| case.in_time(event)).map(Match::at);
            return failed.map(Match::failing).or_else(attached);
        }
        let first = |fact, volume: &str| {
            case.startup.all(fact).find(|event| event.fields.text(Field::Volume) == Some(volume) && case.in_time(event))
        };
        let wanted = case.startup.all(Fact::VolumeVerifyStarted).filter_map(|event| {
            let mounting = first(Fact::VolumeMountStarted, event.fields.text(Field::Volume)?)?;
            Some((mounting.time - event.time, mounting))
        });
        let (waited, mounting) = wanted.max_by_key(|(waited, _)| *waited)?;
        let most = waited.seconds() * 2.0 > case.seconds(Phase::Volumes);
        (most && waited >= Nanos(2 * SECOND) && case.throttled_time().seconds() * 2.0 < waited.seconds()).then(|| Match::at(mounting))
    }),
    metrics: Some(|case| case.storage("verify_controller_attached_volume")),
};
