//! Image pulls failed and were tried again after a growing back-off.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-failing",
    title: "Image pulls failed and were tried again after a growing back-off.",
    advice: &[Advice::new(0, "fix the image name, the credentials or the registry the error names")],
    text: "\
What it means
Each failed pull is followed by a wait of 10 s, doubling to 5 min.

How it is recognised
ErrImagePull and ImagePullBackOff in the pod's errors; the wait runs from the first failure to the next try that worked.

What to do
Read the error line: wrong tag, missing credentials, or a registry that answers with errors. Push images before the manifests that use them.

When it misleads
A registry that was down for seconds costs minutes here: the back-off, not the outage, is what is counted.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the first back-off is 10 s; less is a retry that found the image",
    shown_by: &[Evidence::KubeletLog, Evidence::KubeletMetrics],
    phases: &[Phase::ImageBackoff],
    counts_as_loss: true,
    check: |case| {
        Some(case.failed_with(&["ErrImagePull", "ImagePullBackOff"]).map_or_else(Match::default, Match::at))
    },
};
