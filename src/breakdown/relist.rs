//! What the kubelet's relist (PLEG) shows of a startup's sandbox and containers: each change is noticed up to a second late.

use super::bounded_instant::BoundedInstant;
use super::container_run::ContainerRun;
use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, SECOND, Time};

/// The sandbox's id by the relist alone. Within one relist the kubelet names the containers first and the sandbox last
/// (seen in every such case of the captures); a sandbox noticed on its own comes first.
pub(super) fn relisted_sandbox(startup: &Startup) -> Option<&str> {
    let started: Vec<&Event> = startup
        .all(Fact::PlegEvent)
        .filter(|event| event.fields.text(Field::Type) == Some("ContainerStarted"))
        .collect();
    let first = started.first()?;
    // Lines of one relist are written within a millisecond or two.
    let mut together = started.iter().filter(|event| event.time - first.time < Nanos(SECOND / 20));
    together.next_back()?.fields.text(Field::ContainerId)
}

/// Adds what the relist noticed to steps known by id; with `make`, a container only the relist knows becomes a step.
pub(super) fn relist(startup: &Startup, sandboxes: &[&str], runs: &mut Vec<ContainerRun>, make: bool) {
    for event in startup.events.iter().filter(|event| !event.from_runtime) {
        let Some(id) = event.fields.text(Field::ContainerId).filter(|id| !sandboxes.contains(id)) else { continue };
        let kind = match event.fact {
            Fact::PlegEvent => event.fields.text(Field::Type).unwrap_or_default(),
            Fact::ContainerExited => "ContainerDied",
            _ => continue,
        };
        if !matches!(kind, "ContainerStarted" | "ContainerDied") {
            continue;
        }
        let known = runs.iter().position(|run| run.id.as_deref() == Some(id));
        let number = match known {
            Some(number) => number,
            None if make => {
                runs.push(ContainerRun::new(None, Some(id)));
                runs.len() - 1
            }
            None => continue,
        };
        let Some(run) = runs.get_mut(number) else { continue };
        let noticed = (event.time, event.place);
        if kind == "ContainerStarted" {
            run.noticed.get_or_insert(noticed);
        } else {
            run.exit_noticed.get_or_insert(noticed);
        }
    }
    if make {
        bound(startup, runs);
    }
}

/// With events, ids are not known by name: the relist's containers are distinguished by their order.
pub(super) fn relist_in_order(startup: &Startup, sandboxes: &[&str], runs: &mut [ContainerRun]) {
    let mut noticed = Vec::new();
    relist(startup, sandboxes, &mut noticed, true);
    noticed.sort_by_key(|run| run.noticed.map(|(time, _)| time));
    runs.sort_by_key(ContainerRun::first_instant);
    let mut left = noticed.into_iter();
    for run in runs.iter_mut() {
        let Some(started) = run.started else { continue };
        // A notice before the start belongs to a container that is no step (it failed to start).
        let Some(relisted) =
            left.by_ref().find(|r| r.noticed.is_none_or(|(time, _)| time >= started.at - Nanos(SECOND / 10)))
        else {
            break;
        };
        run.noticed = relisted.noticed;
        run.exit_noticed = relisted.exit_noticed;
        run.id = relisted.id;
        if let Some((time, place)) = run.exit_noticed {
            run.exited = Some(BoundedInstant::between(started.at, time, Some(place)));
        }
    }
}

/// When a container whose end a relist noticed was surely still there: each relist looks at all containers, so the one before
/// would have noticed it. A relist looks before its lines are written, by as much as it takes and as the kubelet's main loop
/// is late: the last but one that wrote any, and two periods before.
pub(super) fn last_alive(startup: &Startup, noticed: Time) -> Time {
    let relists = &startup.context.relists;
    let before = relists.partition_point(|time| *time < noticed - Nanos(SECOND / 20));
    let known = before.checked_sub(2).and_then(|at| relists.get(at)).copied().unwrap_or_default();
    known.min(noticed - Nanos(2 * SECOND))
}

/// Bounds for containers only the relist knows: each started after the one before was noticed, and ended after it was
/// last seen alive.
fn bound(startup: &Startup, runs: &mut [ContainerRun]) {
    runs.sort_by_key(|run| run.noticed.or(run.exit_noticed).map(|(time, _)| time));
    let requested = startup.all(Fact::SandboxNeeded).next_back().map(|event| event.time);
    let mut before = requested.or(startup.events.first().map(|event| event.time)).unwrap_or_default();
    for run in runs {
        if let Some((time, place)) = run.noticed {
            run.started = Some(BoundedInstant::between(before, time, Some(place)));
        }
        if let Some((time, place)) = run.exit_noticed {
            let alive = run.noticed.map_or(before, |(started, _)| started.max(last_alive(startup, time)));
            run.exited = Some(BoundedInstant::between(alive, time, Some(place)));
        }
        before = run.exit_noticed.or(run.noticed).map_or(before, |(time, _)| time);
    }
}
