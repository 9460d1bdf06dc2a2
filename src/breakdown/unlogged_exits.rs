//! Ends of containers that the runtime does not write (CRI-O at info): the relist's notice bounds them, or what the record counts.

use super::bounded_instant::BoundedInstant;
use super::container_run::ContainerRun;
use super::relist;
use crate::model::startup::Startup;
use crate::model::time::Nanos;

/// Adds them to runs, which are in the order of their requests.
pub(super) fn add(startup: &Startup, runs: &mut [ContainerRun]) {
    for run in runs.iter_mut().filter(|run| run.exited.is_none()) {
        if let (Some((time, place)), Some(started)) = (run.exit_noticed, run.started) {
            let alive = run
                .noticed
                .map_or(started.low, |(noticed, _)| noticed.max(started.low).max(relist::last_alive(startup, time)));
            run.exited = Some(BoundedInstant::between(alive.min(time), time, Some(place)));
        }
    }
    by_record(startup, runs);
}

/// The record counts how long init containers ran, which come first: each ended before the next container was requested.
fn by_record(startup: &Startup, runs: &mut [ContainerRun]) {
    let counted = startup.observed.as_deref().and_then(|observed| observed.init);
    let Some(mut left) = counted.filter(|counted| counted.0 > 0) else { return };
    if runs.iter().any(|run| run.exited.is_some() || run.exit_noticed.is_some()) {
        return;
    }
    for number in 1..runs.len() {
        let [run, next] = &mut runs[number - 1..=number] else { return };
        let (Some(started), Some(requested)) = (run.started, next.requested) else { return };
        if left <= Nanos(0) {
            return;
        }
        run.exited = Some(BoundedInstant::between(started.low, requested.at.max(started.at), requested.place));
        left = left - (requested.at - started.at);
    }
}
