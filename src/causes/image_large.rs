//! Large image; transfer rate was normal.

use super::registry_slow::MIN_RATE;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-large",
    title: "Large image; transfer rate was normal",
    advice: &[Advice::new(0, "use smaller images; pre-pull this image (DaemonSet, node image); or use lazy loading (stargz, Nydus); with containerd 2.2 or later, unpack layers in parallel (max_concurrent_unpacks in [plugins.'io.containerd.transfer.v1.local'], 1 by default)")
        .side_effect("disk space on every node; parallel unpacking uses more CPU and disk at once, and needs a patch release with containerd pull request 13125, before which deleted files of an image could stay")
        .what_if("prepull")],
    text: "\
What it means
The image has many bytes to transfer and unpack.

How it is detected
The image size from the runtime log (with CRI-O, from the kubelet's event) takes 2 s or more at the transfer rate of the node at that time, and that rate was 10 MB/s or more.

What to do
Look for build stages, caches and models in the image (`dive`, `docker history`). For what must stay large, pre-pull the image, or use a base image that other images share.

When it misleads
The size is that of the compressed layers; some layers may have been cached.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a start has 5 s in total, and sandbox and container take half of them on a busy node: a pull of 1 s is what may exceed it",
    shown_by: &[Evidence::RuntimeLog, Evidence::Events],
    phases: &[Phase::ImagePull],
    logs: Some(|case| {
        let pull = case.longest_pull()?;
        let (bytes, rate) = (pull.bytes? as f64, pull.rate.filter(|rate| *rate >= MIN_RATE)?);
        (bytes / rate >= 2.0).then(|| Match { place: Some(pull.place), waited_for: Some(WaitedFor::Image(pull.image.clone())), ..Match::default() })
    }),
    metrics: None,
};
