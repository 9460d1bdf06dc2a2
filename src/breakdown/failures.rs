//! Lines that say a step of a start failed, and what they claim where no other line shows that step: from the first
//! failure to the last it is certain, from there to what follows it is likely.

use super::bounded_instant::BoundedInstant;
use super::claims::{Claims, mark, rank};
use super::timeline::{self, Timeline};
use super::within;
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailedStep {
    /// The sandbox was not created.
    Sandbox,
    /// An image was not pulled.
    Pull,
    /// A container was not created or started, or it waits for its next start.
    Container,
}

/// A failed step.
pub(super) struct Failure {
    pub(super) at: BoundedInstant,
    pub(super) step: FailedStep,
}

/// Which step a line says has failed. Volumes have lines of their own.
fn failed_step(event: &Event) -> Option<FailedStep> {
    if event.from_runtime {
        return (event.fact == Fact::ContainerFailed).then_some(FailedStep::Container);
    }
    match event.fact {
        Fact::SandboxFailed => Some(FailedStep::Sandbox),
        Fact::PullFailed | Fact::PullBackoff => Some(FailedStep::Pull),
        Fact::SyncFailed | Fact::ContainerFailed => match event.fields.text(Field::Reason)? {
            "ErrImagePull"
            | "ImagePullBackOff"
            | "RegistryUnavailable"
            | "ErrImageNeverPull"
            | "InvalidImageName"
            | "SignatureValidationFailed"
            | "ImageInspectError" => Some(FailedStep::Pull),
            // What is left of a sandbox that failed is removed before the next is made.
            "CreatePodSandboxError" | "KillPodSandboxError" => Some(FailedStep::Sandbox),
            _ if event.fields.line().contains("unmounted volumes") => None,
            _ => Some(FailedStep::Container),
        },
        _ => None,
    }
}

/// Whether what a line says has failed is a pull.
pub(super) fn is_pull(event: &Event) -> bool {
    failed_step(event) == Some(FailedStep::Pull)
}

/// The failed steps of a startup in the order of time.
pub(super) fn failures(startup: &Startup) -> impl Iterator<Item = Failure> {
    startup.events.iter().filter_map(|event| Some(Failure { at: mark(event), step: failed_step(event)? }))
}

/// The first and the last failure of a step up to an instant.
fn range(startup: &Startup, step: FailedStep, until: Time) -> Option<(BoundedInstant, BoundedInstant)> {
    let mut failed = failures(startup).filter(|failure| failure.step == step && failure.at.at <= until);
    let first = failed.next()?.at;
    Some((first, failed.last().map_or(first, |last| last.at)))
}

/// Failing sandboxes where no line shows when one was asked for.
pub(super) fn sandboxes(startup: &Startup, timeline: &Timeline, begin: Time, running: Time, claims: &mut Claims) {
    let ready = timeline.sandbox_ready.map_or(running, |ready| ready.at.min(running));
    let Some((first, last)) = range(startup, FailedStep::Sandbox, ready) else { return };
    // A pull or a container that failed proves that the sandbox was there.
    let next = failures(startup).find(|failure| failure.step != FailedStep::Sandbox && failure.at.at > last.at);
    let to = next.map_or(ready, |next| next.at.at.min(ready));
    let from = BoundedInstant { low: begin, ..first };
    claims.add(Phase::Sandbox, rank::SANDBOX, from, BoundedInstant { at: to, low: last.at, high: to, ..last });
}

/// Failing pulls and containers where no line shows the containers. Whether pulls failed.
pub(super) fn containers(startup: &Startup, begin: Time, running: Time, claims: &mut Claims) -> bool {
    if let Some((first, last)) = range(startup, FailedStep::Container, running) {
        let to = BoundedInstant { at: running, low: last.at, high: running, ..last };
        claims.add(Phase::RetryBackoff, rank::RETRY, first, to);
    }
    let Some((first, last)) = range(startup, FailedStep::Pull, running) else { return false };
    let observed = startup.observed.as_deref();
    let start = observed.and_then(|observed| observed.first_pull.time()).filter(|start| *start <= first.at);
    // The record counts the pulling from the first request, which came before the first failure.
    let counted = observed.and_then(timeline::pulling_time).map(|pulling| first.at + pulling);
    let by_record = observed.and_then(|observed| observed.last_pull.time()).filter(|end| *end >= last.at);
    // A container that failed for another reason had its image.
    let other = failures(startup).find(|failure| failure.step == FailedStep::Container && failure.at.at > last.at);
    let high = [Some(running), counted, other.map(|other| other.at.at)].into_iter().flatten().min().unwrap_or(running);
    let high = high.max(last.at);
    let to = match by_record {
        Some(end) => last.moved_to(end.min(running)),
        None => BoundedInstant { at: high, low: last.at, high, ..last },
    };
    let from = start.map_or(BoundedInstant { low: begin, ..first }, |start| first.moved_to(start));
    claims.add(Phase::ImagePull, rank::PULL, from, first);
    claims.add(Phase::ImageBackoff, rank::BACKOFF, first, to);
    true
}

/// When a volume that failed was mounted at last, where no line says so: after its last back-off, or the next failure
/// would have been logged.
pub(super) fn volumes_end(startup: &Startup, running: Time) -> Option<BoundedInstant> {
    let last = startup.all(Fact::VolumeFailed).rfind(|event| event.time <= running)?;
    let retried = last.fields.length(Field::Delay).map_or(last.time, |delay| last.time + delay);
    let low = retried.min(running);
    // The retry is logged only when it fails. Where the log ends before it, it was never made.
    let at = if startup.observed.is_some() { (low + Nanos(SECOND / 2)).min(running) } else { running };
    Some(BoundedInstant { at, low, high: running, inferred: true, place: Some(last.place) })
}

/// The node's network is not ready: each sync fails at once, until one does not.
pub(super) fn network(startup: &Startup, running: Time, claims: &mut Claims) {
    let failures: Vec<&Event> = startup.all(Fact::NetworkNotReady).filter(|event| event.time <= running).collect();
    let (Some(first), Some(last)) = (failures.first(), failures.last()) else { return };
    let next = |event: &&Event| {
        matches!(event.fact, Fact::SandboxNeeded | Fact::SyncStarted | Fact::SandboxRequested) && event.time > last.time
    };
    let to = match startup.events.iter().find(next) {
        Some(next) => mark(next),
        // While it still fails, the pod waits.
        None if startup.observed.is_none() && !startup.events.iter().any(|event| event.time > last.time) => {
            BoundedInstant { low: last.time, ..within(running, running) }
        }
        None => mark(last),
    };
    claims.add(Phase::RetryBackoff, rank::RETRY, mark(first), to).waited_for = Some(WaitedFor::NodeNetwork);
}
