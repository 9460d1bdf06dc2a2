//! Init containers ran before the app containers.

use super::{Advice, Case, Cause, Evidence, Match};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "init-containers",
    title: "Init containers ran before the app containers",
    advice: &[Advice::new(0, "shorten or parallelise the work of the init containers")],
    text: "\
What it means
Init containers run one after another. Each also waits until a PLEG relist detects its end (up to 1 s).

How it is detected
From the start to the end of each init container, based on runtime lines, events or relists.

What to do
Check what they wait for; a sidecar with a startup probe can replace a waiting loop.

When it misleads
The official SLI excludes this time, but users still wait for it.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND),
    rationale: "each takes up to 1 s until the relist detects its end, in addition to its run time",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog, Evidence::Events],
    phases: &[Phase::Init],
    logs: Some(|case| Some(Match { waited_for: containers(case), ..Match::default() })),
    metrics: None,
};

/// The containers that ran, where there were several: the seconds are those of all.
fn containers(case: &Case<'_>) -> Option<WaitedFor> {
    let mut names: Vec<&str> = Vec::new();
    for span in case.spans(Phase::Init) {
        let name = span.waited_for.as_ref()?.name()?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    (names.len() > 1).then(|| WaitedFor::Container(names.join(", ").into()))
}
