//! What evidence claims of preparing the devices that a pod claims (dynamic resource allocation): after its volumes, before
//! its sandbox. The seconds are under `sandbox`; what they waited for distinguishes them from the network.

use super::bounded_instant::BoundedInstant;
use super::claims::{Claims, mark, rank};
use super::timeline::Timeline;
use super::within;
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;

/// The kubelet writes a failure twice at `-v=3`, as an event and as an error, within milliseconds.
const TWICE: Nanos = Nanos(SECOND / 10);
/// The longest time to the next periodic sync: `syncFrequency`, 1 min by default, and up to half of it more
/// (`workerResyncIntervalJitterFactor` in pkg/kubelet/pod_workers.go).
const NEXT_SYNC: Nanos = Nanos(90 * SECOND);

/// Attempts that failed with the wait for the next sync after each, and the one that did not fail.
pub(super) fn dynamic_resources(startup: &Startup, timeline: &Timeline, running: Time, claims: &mut Claims) {
    let mut failures: Vec<&Event> =
        startup.all(Fact::DynamicResourcesFailed).filter(|event| event.time <= running).collect();
    failures.dedup_by(|later, first| later.time - first.time <= TWICE);
    let mut since = Time(i64::MIN);
    for failure in &failures {
        let whose = whose(startup, since, failure);
        if let Some(begun) = begun(startup, since, failure.time) {
            claims.add(Phase::Sandbox, rank::SANDBOX, begun, mark(failure)).waited_for = Some(whose.clone());
        }
        let next = next_sync(startup, failure.time, running);
        claims.add(Phase::RetryBackoff, rank::RETRY, mark(failure), next).waited_for = Some(whose);
        since = failure.time;
    }
    let requested = || startup.all(Fact::DynamicResourcesRequested).find(|event| event.time > since);
    if failures.is_empty() && requested().is_none() {
        return;
    }
    let sandbox = startup.all(Fact::SandboxRequested).find(|event| event.from_runtime && event.time > since);
    let ready = timeline.sandbox_ready.map_or(running, |ready| ready.at.min(running));
    let (Some(done), first) = (match sandbox {
        Some(sandbox) => (Some(mark(sandbox).inferred()), requested()),
        None => {
            let first = requested();
            (first.and_then(|first| driver_done(startup, first.time, ready)), first)
        }
    }) else {
        return;
    };
    let from = first.filter(|first| first.time <= done.at).map(mark).or_else(|| begun(startup, since, done.at));
    let Some(from) = from.filter(|from| from.at <= done.at && done.at <= running) else { return };
    let whose = match (first, failures.last()) {
        (None, Some(failure)) => whose(startup, Time(i64::MIN), failure),
        _ => driver(startup, from.at, done.at).or_else(|| claim(first?)).unwrap_or_else(nobody),
    };
    claims.add(Phase::Sandbox, rank::SANDBOX, from, done).waited_for = Some(whose);
}

/// When an attempt began: at its first line, else where the sync found that the pod needs a sandbox.
fn begun(startup: &Startup, since: Time, until: Time) -> Option<BoundedInstant> {
    let inside = |event: &&Event| event.time > since && event.time <= until && !event.from_runtime;
    let needed = startup
        .events
        .iter()
        .filter(inside)
        .rfind(|event| matches!(event.fact, Fact::SandboxNeeded | Fact::SandboxRequested));
    let from = needed.map_or(since, |needed| needed.time);
    let requested = startup.all(Fact::DynamicResourcesRequested).filter(inside).find(|event| event.time >= from);
    requested.map(mark).or_else(|| needed.map(|needed| mark(needed).inferred()))
}

/// The next sync after a failure; without any line of it, it came within the time between two periodic ones.
fn next_sync(startup: &Startup, failed: Time, running: Time) -> BoundedInstant {
    let after = |event: &&Event| event.time > failed + TWICE && event.time <= running;
    let next = startup.events.iter().filter(after).find(|event| {
        matches!(
            event.fact,
            Fact::SyncStarted
                | Fact::SandboxNeeded
                | Fact::DynamicResourcesRequested
                | Fact::DynamicResourcesFailed
                | Fact::SandboxRequested
        )
    });
    match next {
        // The sync began somewhere before; it would not have been without the failure.
        Some(next) if next.from_runtime || next.fact == Fact::DynamicResourcesFailed => mark(next).inferred(),
        Some(next) => mark(next),
        None if startup.observed.is_none() => BoundedInstant { low: failed, ..within(running, running) },
        None => within(failed, running.min(failed + NEXT_SYNC)),
    }
}

/// When drivers had answered, where the sandbox's request is not logged. Others' calls may be among them.
fn driver_done(startup: &Startup, from: Time, to: Time) -> Option<BoundedInstant> {
    let mut calls = calls(startup, from, to);
    let first = calls.next()?;
    let last = calls.last().unwrap_or(first);
    Some(BoundedInstant { low: first.time, ..mark(last) })
}

fn calls(startup: &Startup, from: Time, to: Time) -> impl Iterator<Item = &Event> {
    let events = startup.context.events().filter(|event| event.fact == Fact::DynamicResourcesPrepared);
    events.filter(move |event| event.time >= from && event.time <= to)
}

/// The one driver that was called between two instants.
fn driver(startup: &Startup, from: Time, to: Time) -> Option<WaitedFor> {
    let mut names = calls(startup, from, to).filter_map(|event| event.fields.text(Field::Driver));
    let first = names.next()?;
    names.all(|name| name == first).then(|| WaitedFor::DraDriver(first.into()))
}

fn claim(requested: &Event) -> Option<WaitedFor> {
    Some(WaitedFor::ResourceClaim(requested.fields.text(Field::Claim)?.into()))
}

/// Whose devices a failure is about, by its error.
fn whose(startup: &Startup, since: Time, failure: &Event) -> WaitedFor {
    let error = failure.fields.text(Field::Error).unwrap_or_default();
    let after = |before: &str| {
        let name = error.split_once(before)?.1.split([' ', ':', '(']).next()?;
        (!name.is_empty()).then_some(name)
    };
    if let Some(driver) = after("DRA driver ").or_else(|| after("plugin name ")) {
        return WaitedFor::DraDriver(driver.into());
    }
    let named = ["for ResourceClaim ", "for claim ", "use ResourceClaim ", "use resource claim ", "ResourceClaim "];
    if let Some(claim) = named.into_iter().find_map(after) {
        return WaitedFor::ResourceClaim(claim.into());
    }
    let mut requested = startup.all(Fact::DynamicResourcesRequested);
    let requested = requested.rfind(|event| event.time > since && event.time <= failure.time);
    requested.and_then(claim).unwrap_or_else(nobody)
}

fn nobody() -> WaitedFor {
    WaitedFor::ResourceClaim("of the pod".into())
}
