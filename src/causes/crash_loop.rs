//! Container crash-looped (CrashLoopBackOff).

use super::{Advice, Case, Cause, Evidence, Match};
use crate::breakdown::Anomaly;
use crate::breakdown::container_run::ContainerRun;
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND};
use crate::model::waited_for::WaitedFor;

/// See [`Cause`].
pub(super) const CAUSE: Cause = Cause {
    id: "crash-loop",
    title: "Container crash-looped (CrashLoopBackOff)",
    advice: &[Advice::new(0, "read the container's own log; if it was OOMKilled, raise its memory limit or make it use less")],
    text: "\
What it means
A container (often an init container) exits with an error. The kubelet waits 10 s, then 20 s, and so on, before it starts the container again.

How it is detected
CrashLoopBackOff in the pod's errors, or the same container created again before the pod ran. The time is counted from the first run to the beginning of the run that stays: short runs are a part of it.

What to do
The container's log and exit code show the reason. A container that was OOMKilled went beyond its memory limit: its log mostly shows nothing. Make a container wait for its dependencies instead of exiting.

When it misleads
Some programs exit on purpose until a dependency is available.
",
    baseline: Nanos(0),
    threshold: Nanos(SECOND / 2),
    rationale: "a container is started again at once the first time, and after 10 s the second",
    shown_by: &[Evidence::KubeletLog, Evidence::RuntimeLog, Evidence::Events],
    phases: &[Phase::RetryBackoff],
    logs: Some(|case| {
        let waits = || {
            let waits = |event: &&Event| event.fields.text(Field::Reason) == Some("CrashLoopBackOff");
            case.startup.events.iter().find(waits)
        };
        let waits = match case.breakdown.anomalies.contains(&Anomaly::CrashLoop) {
            true => waits(),
            false => case.failed_with(&["CrashLoopBackOff"]),
        };
        let again = || (case.breakdown.restarts > 0).then(Match::default);
        let matched = waits.map(|waits| Match { failing: !started_again(case), ..Match::failing(waits) }).or_else(again)?;
        let container = matched.waited_for.as_ref().and_then(WaitedFor::name);
        let error = exit(case, container);
        Some(Match { error, ..matched })
    }),
    metrics: None,
};

/// Whether the container that exited was started again by now: then it is not known to fail once more.
fn started_again(case: &Case<'_>) -> bool {
    let waits = |event: &&Event| event.fields.text(Field::Reason) == Some("CrashLoopBackOff");
    let Some(last) = case.startup.events.iter().rfind(waits) else { return false };
    let name = last.fields.text(Field::Container);
    let ended = |run: &ContainerRun| run.exited.is_some() || run.exit_noticed.is_some();
    case.breakdown.timeline.runs.iter().any(|run| {
        let same = run.name.is_none() || run.name.as_deref() == name;
        same && !ended(run) && run.started.is_some_and(|started| started.low > last.time)
    })
}

/// How the container exited: by its status, which names the reason, else by the code of its runs, where all had the same.
fn exit(case: &Case<'_>, container: Option<&str>) -> Option<Box<str>> {
    let startup = case.startup;
    let status = startup.object.as_deref().and_then(|status| match container {
        Some(name) => status.container(name),
        None => status.containers.iter().find(|container| container.restarts > 0),
    });
    if let Some((code, reason)) = status.and_then(|status| status.exit.as_ref()).filter(|(code, _)| *code != 0) {
        // What the kubelet calls every other exit with an error.
        let reason = if **reason == *"Error" { "" } else { reason };
        return Some(match reason {
            "" => format!("exit code {code}").into(),
            reason => format!("{reason}, exit code {code}").into(),
        });
    }
    let in_time = |event: &&Event| startup.deleted.is_none_or(|deleted| event.time < deleted);
    let exits = startup.all(Fact::ContainerExited).filter(in_time);
    let mut codes: Vec<i64> = exits.filter_map(|event| event.fields.number(Field::ExitCode)).collect();
    codes.retain(|code| *code != 0);
    codes.sort_unstable();
    codes.dedup();
    match *codes.as_slice() {
        [code] => Some(format!("exit code {code}").into()),
        _ => None,
    }
}
