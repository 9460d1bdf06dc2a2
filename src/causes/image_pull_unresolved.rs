//! Slow pull; the input cannot separate queueing from transfer.

use super::metric_rules::{MIN_MEAN_S, MetricClaim};
use super::{Advice, Cause, Evidence, Match};
use crate::breakdown::timeline::own_pulling_time;
use crate::model::duration::format_duration;
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
        // By times in whole seconds: both together are about a second, and either may be that second.
        let both = case.seconds(Phase::ImageWait) + case.seconds(Phase::ImagePull);
        let short = case.breakdown.timeline.whole_seconds && both < 2.0;
        let divided = |least: Nanos| least > Nanos(0) && !(short && least < Nanos(SECOND));
        (pulls.peek().is_some() && pulls.all(|pull| !divided(pull.min))).then(|| {
            let counted = own_pulling_time(case.startup).is_some();
            Match { counted, ..Match::default() }
        })
    }),
    metrics: Some(|case| {
        let wait = case.part(Phase::ImageWait).filter(|part| part.phases.len() > 1 && part.mean_s >= MIN_MEAN_S)?;
        let observed =
            format!("{} per start of the first sync are not explained by runtime and volumes", format_duration(wait.mean_s));
        Some(MetricClaim::up_to(wait.high_s, observed))
    }),
};
