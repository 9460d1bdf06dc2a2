//! The image is large: the registry delivered well, and it took long all the same.

use super::case::SLOW_RATE;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-large",
    title: "The image is large: data came well, there was much of it.",
    advice: &[Advice::new(0, "smaller images; pre-pull this one (a DaemonSet, the node's image); lazy loading (stargz, Nydus)").side_effect("disk on every node").what_if("prepull")],
    text: "\
What it means
Transfer and unpacking of many bytes.

How it is recognised
The runtime's size of the image, at the rate the node pulled at (10 MB/s or more), makes 2 s or more.

What to do
Look at what is in it (`dive`, `docker history`): build stages, caches, models. What cannot be smaller can be on the node before: pre-pulling, or a base that is shared with other images.

When it misleads
The size is that of the compressed layers; of those the node may have had some.
",
    baseline: Nanos(0),
    threshold: Nanos(2 * SECOND),
    rationale: "2 s move 50 MB at the 25 MB/s of a modest registry; a start has 5 s in all",
    shown_by: &[Evidence::RuntimeLog],
    phases: &[Phase::ImagePull],
    counts_as_loss: true,
    check: |case| {
        let pull = case.longest_pull()?;
        let (bytes, rate) = (pull.bytes? as f64, pull.rate.filter(|rate| *rate >= SLOW_RATE)?);
        (bytes / rate >= 2.0).then(|| Match { place: Some(pull.place), about: Some(pull.image.clone()), ..Match::default() })
    },
};
