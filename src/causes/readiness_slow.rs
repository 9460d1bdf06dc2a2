//! The pod ran, and its containers were not ready.

use super::{Advice, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "readiness-slow",
    title: "Containers ran, but were not ready",
    advice: &[
        Advice::new(0, "set initialDelaySeconds of the readiness probe to 0, periodSeconds to 1 or 2 and successThreshold to 1; what is left is the application's own start")
            .side_effect("more frequent probes"),
    ],
    text: "\
What it means
The pod ran, but its containers were not ready yet. Until then it gets no traffic from Services, and a rollout waits for it. The time does not count for created → running nor for the SLO.

How it is detected
At -v=1 and up the kubelet logs when a container with a probe is not ready and when it is (SyncLoop (probe)). If pod objects are given, the line shows how much of the time the probe's settings take at the least: initialDelaySeconds, and periodSeconds for each further success that successThreshold asks for.

What to do
A probe finds an application ready up to one period (periodSeconds, 10 s by default) after it is. Use a startup probe with a period of 1 s for what starts slowly, and no initialDelaySeconds. Then measure the application's own start.

When it misleads
The kubelet does not log which container it means. If a container is started again before it is ready, the time is that of its last start.
",
    baseline: Nanos(0),
    threshold: Nanos(2 * SECOND),
    rationale: "a probe with a period of 1 s finds a container that starts at once ready within 2 s",
    shown_by: &[Evidence::KubeletLog, Evidence::Events, Evidence::Pods],
    phases: &[Phase::Readiness],
    logs: Some(|case| {
        let span = case.breakdown.readiness.as_ref()?;
        let probe = case.traits.and_then(|traits| traits.readiness_probe);
        let failed = || case.startup.all(Fact::ProbeFailed).rfind(|event| event.time <= span.to);
        let waited_for = match probe {
            Some(probe) => {
                Some(WaitedFor::ReadinessProbe { least: probe.least_seconds(), period: probe.period_seconds() })
            }
            None => failed()
                .and_then(|event| event.fields.text(Field::Container))
                .map(|container| WaitedFor::Container(container.into())),
        };
        Some(Match { place: span.place, waited_for, ..Match::default() })
    }),
    metrics: None,
};
