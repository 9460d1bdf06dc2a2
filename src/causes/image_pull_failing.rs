//! Image pulls failed and were retried with back-off.

use super::metric_rules::MetricClaim;
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-failing",
    title: "Image pulls failed and were retried with back-off",
    advice: &[Advice::new(0, "fix the image name, the credentials or the registry that the error names")],
    text: "\
What it means
After each failed pull, the kubelet waits 10 s before it retries, doubling up to 5 min.

How it is detected
ErrImagePull and ImagePullBackOff in the pod's errors; the wait lasts from the first failure to the next successful attempt. In metrics: pull operations that failed.

What to do
Read the error: a wrong tag, missing credentials, or a registry that returns errors. Push images before you apply the manifests that use them.

When it misleads
A registry outage of seconds can cost minutes here: the back-off is counted, not the outage.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "the first back-off is 10 s; a shorter wait is a retry that found the image",
    shown_by: &[Evidence::KubeletLog, Evidence::Events, Evidence::KubeletMetrics],
    phases: &[Phase::ImageBackoff],
    logs: Some(|case| {
        // Of events the one with the image and the error.
        let event = case.failure(Fact::PullFailed, |_| case.startup.by_objects);
        if let Some(event) = event {
            let image = event.fields.text(Field::Image).map(|image| WaitedFor::Image(image.into()));
            return Some(Match { waited_for: image, ..case.with_failed_pulls(Match::failing(event)) });
        }
        let Some(failed) = case.failed_with(&["ErrImagePull", "ImagePullBackOff"]) else {
            return Some(case.with_failed_pulls(Match::default()));
        };
        let matched = case.with_failed_pulls(Match::failing(failed));
        let image = failed.fields.text(Field::Error).and_then(image_in).map(WaitedFor::Image);
        Some(Match { waited_for: image.or(matched.waited_for.clone()), ..matched })
    }),
    metrics: Some(|case| {
        let failed = case.runtime_errors("pull_image");
        (failed > 0.0).then(|| MetricClaim::up_to(case.unexplained_kubelet_work(), format!("{failed:.0} pulls failed")))
    }),
};

/// The image that an error names: `… image "registry/name:tag": …`, or CRI-O's `… source docker://registry/name:tag: …`.
fn image_in(error: &str) -> Option<Box<str>> {
    let behind = |words| error.split_once(words).map(|(_, rest)| rest);
    let rest = behind("image \\\"").or_else(|| behind("image \"")).or_else(|| behind("docker://"))?;
    let image = rest.split(['"', '\\', ' ']).next()?.trim_end_matches(':');
    (!image.is_empty()).then(|| image.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_read_from_the_error() {
        let named = r#"with ErrImagePull: "failed to pull and unpack image \"reg.test/a:v1\": failed to resolve""#;
        assert_eq!(image_in(named).as_deref(), Some("reg.test/a:v1"));
        assert_eq!(image_in(r#"Back-off pulling image "reg.test/b:v2""#).as_deref(), Some("reg.test/b:v2"));
        let by_crio =
            "pull image err: initializing source docker://reg.test/c:v3: reading manifest v3 in reg.test/c: unknown";
        assert_eq!(image_in(by_crio).as_deref(), Some("reg.test/c:v3"));
        assert_eq!((image_in("pull QPS exceeded"), image_in(r#"image ""#)), (None, None));
    }
}
