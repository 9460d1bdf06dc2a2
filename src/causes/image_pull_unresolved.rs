//! Slow pull; the input cannot separate queueing from transfer.

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "image-pull-unresolved",
    title: "Slow pull; the input cannot separate queueing from transfer",
    advice: &[Advice::new(0, "nothing yet: add the container runtime log, or run the kubelet with -v=4, to see which of the two it is")],
    text: "\
What it means
The kubelet's record counts the wait before a pull and the pull itself as one duration. Either can be nearly all of it.

How it is detected
More than 1 s of pulling in the record, and no line of the runtime and no event shows when the transfer began: the image_wait and image_pull spans can each be anything from zero to the whole duration. In metrics (before 1.30): 0.5 s or more per start of the first sync that runtime and volumes do not explain.

What to do
Add the runtime log of the same time (journalctl -u containerd or -u crio). The cause is then image-pull-queued (parallel pulls help) or image-pull-slow (they do not).

When it misleads
A single slow image on a quiet node had no queue to wait in, but its own log lines do not show that it was alone.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "a start has 5 s in total; a pull below this is normal, whichever of the two it was",
    shown_by: &[Evidence::KubeletLog, Evidence::Record, Evidence::KubeletMetrics],
    phases: &[Phase::ImageWait, Phase::ImagePull],
    logs: Some(|case| {
        let mut pulls =
            case.breakdown.spans.iter().filter(|p| p.phase == Phase::ImagePull && p.to > p.from).peekable();
        (pulls.peek().is_some() && pulls.all(|pull| pull.min == Nanos(0))).then(Match::default)
    }),
    metrics: Some(|case| {
        let wait = case.part(Phase::ImageWait).filter(|part| part.phases.len() > 1 && part.mean_s >= MIN_MEAN_S)?;
        let observed =
            format!("{:.1} s per start of the first sync are not explained by runtime and volumes", wait.mean_s);
        Some(MetricClaim::up_to(wait.high_s, observed))
    }),
};
