//! Images that the node had were asked for again at the registry.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::startup::Repull;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-always",
    title: "Images that the node had were asked for again at the registry.",
    advice: &[Advice::new(0, "imagePullPolicy: IfNotPresent with tags that do not move (or digests); :latest means Always unless said otherwise").side_effect("a tag that moves is no longer followed")],
    text: "\
What it means
With imagePullPolicy: Always (the default for :latest) each start asks the registry for the tag's digest, and waits its turn in the node's queue for that, though all layers are there.

How it is recognised
The runtime pulled the same image before this pod asked for it, and nothing removed it in between (a tag that moved since is pulled anew: then there was something to fetch). Metrics, 1.35 on: pulls of present images by policy.

What to do
Pin the image and use IfNotPresent. Where the check of credentials is what Always is for, see imagePullCredentialsVerificationPolicy (1.33 on).

When it misleads
Since 1.35 the kubelet pulls a present image again where it must check the pod's credentials (KEP-2535): then the policy is not the reason.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "asking a registry that is well takes some tenths of a second",
    shown_by: &[Evidence::RuntimeLog, Evidence::KubeletMetrics],
    phases: &[Phase::ImagePull, Phase::ImageWait],
    counts_as_loss: true,
    check: |case| {
        let pull = case.longest_pull()?;
        (pull.repull == Some(Repull::Present))
            .then(|| Match { place: Some(pull.place), about: Some(pull.image.clone()), ..Match::default() })
    },
};
