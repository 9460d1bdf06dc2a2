//! Images removed by garbage collection were pulled again.

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::metrics::families::name;
use crate::model::phase::Phase;
use crate::model::startup::Repull;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-gc-repull",
    title: "Images removed by garbage collection were pulled again",
    advice: &[Advice::new(0, "use a larger image disk, or raise imageGCHighThresholdPercent if the disk allows (85 by default)").side_effect("less free space before the disk is full")],
    text: "\
What it means
When the image disk is 85 % full, the kubelet removes images that no container uses, the longest unused first. A pod that needs such an image must pull it again.

How it is detected
The runtime pulled the same image before, and the kubelet's garbage collection ran between the two pulls. In metrics: kubelet_image_garbage_collected_total increased while images were pulled.

What to do
Give the image store more space, use fewer large images per node, or keep important images in use with a DaemonSet.

When it misleads
Garbage collection may have removed other images, and this one was pulled again because of imagePullPolicy: Always.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a pull below this is normal",
    shown_by: &[Evidence::RuntimeLog, Evidence::KubeletMetrics],
    phases: &[Phase::ImagePull, Phase::ImageWait],
    logs: Some(|case| {
        let pull = case.longest_pull()?;
        match pull.repull {
            Some(Repull::Collected(place)) => {
                Some(Match { place: Some(place), waited_for: Some(WaitedFor::Image(pull.image.clone())), ..Match::default() })
            }
            _ => None,
        }
    }),
    metrics: Some(|case| {
        let removed = case.window.counter(name::IMAGE_GC, "").filter(|removed| *removed > 0.0)?;
        let pull = case.part(Phase::ImagePull).filter(|part| part.mean_s >= MIN_MEAN_S)?;
        let observed = format!("{removed:.0} images were removed to free disk space, and images were pulled");
        Some(MetricClaim::up_to(pull.high_s, observed))
    }),
};
