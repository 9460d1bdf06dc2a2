//! Images that garbage collection had removed were pulled again.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::startup::Repull;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-gc-repull",
    title: "Images that the kubelet had removed to free disk were pulled again.",
    advice: &[Advice::new(0, "a larger disk for images, or imageGCHighThresholdPercent nearer to what the disk bears (85 by default)").side_effect("less room before the disk is full")],
    text: "\
What it means
At 85 % of the image disk the kubelet removes images that no container uses, the longest unused first. A pod that needs one again pays for its pull.

How it is recognised
The runtime pulled the same image before, and the kubelet's garbage collection ran between that pull and this one. Metrics: kubelet_image_garbage_collected_total grew while images were pulled.

What to do
Give the image store more room, use fewer large images on a node, or keep the ones that count with a DaemonSet that runs them.

When it misleads
Garbage collection may have removed other images, and this one was pulled again for imagePullPolicy: Always.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a pull of less than a second is no trouble",
    shown_by: &[Evidence::RuntimeLog, Evidence::KubeletMetrics],
    phases: &[Phase::ImagePull, Phase::ImageWait],
    counts_as_loss: true,
    check: |case| {
        let pull = case.longest_pull()?;
        match pull.repull {
            Some(Repull::Collected(place)) => {
                Some(Match { place: Some(place), about: Some(pull.image.clone()), ..Match::default() })
            }
            _ => None,
        }
    },
};
