//! The containers of a start that only the API's objects show: what events leave out, by the status, which has whole seconds.

use super::bounded_instant::BoundedInstant;
use super::container_run::ContainerRun;
use crate::model::pod_status::{ContainerKind, ContainerStatus, PodStatus};
use crate::model::record::{Fact, Field, SourceLine};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, SECOND, Time};

/// The instant that is known to the second.
fn second(time: Time, place: Option<SourceLine>) -> BoundedInstant {
    BoundedInstant::between(time, time + Nanos(SECOND), place)
}

/// Where the pod's object is.
pub(super) fn object_place(startup: &Startup) -> Option<SourceLine> {
    startup.scheduling.iter().find(|event| event.fact == Fact::PodObject).map(|event| event.place)
}

/// Completes the runs that events show.
pub(super) fn complete(startup: &Startup, runs: &mut Vec<ContainerRun>) {
    let nothing = PodStatus::default();
    let status = startup.object.as_deref().unwrap_or(&nothing);
    let place = object_place(startup);
    for container in &status.containers {
        let Some(started) = container.started else { continue };
        let mine = || runs.iter().rposition(|run| run.name.as_deref() == Some(&*container.name));
        match mine().and_then(|at| runs.get_mut(at)) {
            // What was repeated in between is not known: the last start is that of the status.
            Some(run) if run.started.is_none() && container.restarts == 0 => {
                run.started = Some(second(started, place));
            }
            None if container.restarts == 0 => {
                let mut run = ContainerRun::new(Some(&container.name), None);
                run.started = Some(second(started, place));
                runs.push(run);
            }
            _ => {}
        }
    }
    for run in runs.iter_mut() {
        let known = run.name.as_deref().and_then(|name| status.container(name));
        if let Some(known) = known {
            run.init = known.kind == ContainerKind::Init;
            run.exited = known.finished.filter(|_| run.init).map(|finished| second(finished, place));
        }
    }
    runs.sort_by_key(ContainerRun::first_instant);
    for number in 0..runs.len() {
        let Some((before, rest)) = runs.split_at_mut_checked(number + 1) else { break };
        let Some(run) = before.last_mut() else { break };
        let next = rest.iter().find(|later| later.name != run.name).and_then(ContainerRun::first_instant);
        let again = rest.iter().any(|later| later.name == run.name);
        let started = run.started.map(|started| started.low);
        if run.init && !again {
            // The next container begins after it has ended.
            run.exited = match (run.exited, next) {
                (Some(exited), Some(next)) => Some(exited.not_after(next.max(exited.low))),
                (None, Some(next)) => started.map(|started| BoundedInstant::between(started, next, None)),
                (exited, None) => exited,
            };
            if let (Some(exited), Some(started)) = (&mut run.exited, started) {
                exited.low = exited.low.max(started);
                exited.high = exited.high.max(exited.low);
                exited.at = exited.at.max(exited.low);
            }
        } else if run.init {
            run.exited = None;
        }
        let in_vain = |container: &ContainerStatus| container.exited_quickly() && !run.init;
        if again && run.name.as_deref().and_then(|name| status.container(name)).is_some_and(in_vain) {
            // Its run was of no use: the wait for the next one begins with it.
            run.exited = run.started;
        }
        let probed = run.name.as_deref().and_then(|name| status.container(name));
        if probed.is_some_and(|known| known.kind == ContainerKind::Sidecar && known.startup_probe) {
            run.probe_passed = next.zip(rest.first().and_then(|next| next.requested.or(next.started)?.place));
        }
    }
}

/// The first thing that is known of any container: then the sandbox was there, for 3 to 176 ms in captures.
pub(super) fn sandbox_ready(startup: &Startup, runs: &[ContainerRun]) -> Option<BoundedInstant> {
    let of_container = |event: &&Event| {
        event.fields.text(Field::Container).is_some() && !matches!(event.fact, Fact::ProbeFailed)
            || event.fact == Fact::ImageVolumePulled
    };
    let begun = |event: &Event| {
        let waited = event.fields.length(Field::Waited).or(event.fields.length(Field::Duration));
        BoundedInstant::of(event).earlier(waited.unwrap_or_default())
    };
    let by_events = startup.events.iter().filter(of_container).map(begun).min_by_key(|mark| mark.at);
    let by_runs = runs.iter().filter_map(|run| run.requested.or(run.started)).min_by_key(|mark| mark.at);
    [by_events, by_runs].into_iter().flatten().min_by_key(|mark| mark.at)
}
