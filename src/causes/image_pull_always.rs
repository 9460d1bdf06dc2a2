//! Registry was checked for images already on the node (imagePullPolicy: Always).

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::metrics::families::name;
use crate::model::phase::Phase;
use crate::model::startup::Repull;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-always",
    title: "Registry was checked for images already on the node (imagePullPolicy: Always)",
    advice: &[Advice::new(0, "use imagePullPolicy: IfNotPresent with fixed tags or digests; :latest means Always unless the policy is set").side_effect("a tag that moves is no longer followed")],
    text: "\
What it means
With imagePullPolicy: Always (the default for :latest), each start asks the registry for the digest of the tag, and waits in the node's pull queue for that, although all layers are on the node.

How it is detected
The runtime pulled the same image before this pod requested it, and nothing removed it in between. (If the tag has moved since, there was something to pull, and this cause does not apply.) In metrics (1.35 and later): pulls of present images by policy.

What to do
Pin the image and use IfNotPresent. If you use Always to check credentials, see imagePullCredentialsVerificationPolicy (1.33 and later).

When it misleads
Since 1.35, the kubelet also pulls a present image again if it must verify the pod's credentials (KEP-2535); then the policy is not the reason.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a request to a healthy registry takes a few tenths of a second",
    shown_by: &[Evidence::RuntimeLog, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::ImagePull, Phase::ImageWait],
    logs: Some(|case| {
        let pull = case.longest_pull()?;
        (pull.repull == Some(Repull::Present))
            .then(|| Match { place: Some(pull.place), waited_for: Some(WaitedFor::Image(pull.image.clone())), ..Match::default() })
    }),
    metrics: Some(|case| {
        let pulls = case.window.counter(name::ENSURE_IMAGE, "always").filter(|pulls| *pulls > 0.0)?;
        let pull = case.part(Phase::ImagePull)?;
        let high = pull.high_s + case.part(Phase::ImageWait).map_or(0.0, |part| part.high_s);
        (high >= MIN_MEAN_S).then(|| {
            MetricClaim::up_to(high, format!("the registry was checked for {pulls:.0} images already on the node"))
        })
    }),
};
