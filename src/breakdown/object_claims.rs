//! What the API's objects claim of a start that no log shows: scheduling and pulls are exact; between the two nothing says when
//! the volumes were there and the sandbox began, unless one of them failed or a volume was attached.

use super::bounded_instant::BoundedInstant;
use super::claims::{Claims, containers, rank};
use super::object_timeline::object_place;
use super::timeline::Timeline;
use super::{failures, resource_claims, within};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;

/// A retry that succeeds takes less (captures).
const RETRY: Nanos = Nanos(SECOND / 2);

/// Everything that objects claim of `begin..end`; all containers ran at `ran`.
pub(super) fn collect(
    startup: &Startup,
    timeline: &Timeline,
    begin: Time,
    ran: Option<BoundedInstant>,
    end: Time,
) -> Vec<super::claims::Claim> {
    let mut claims = Claims { list: Vec::new() };
    let bound = scheduling(startup, begin, end, &mut claims);
    let Some(bound) = bound else { return claims.list };
    let ready = timeline.sandbox_ready.map(|ready| ready.not_after(end));
    let gap_end = ready.unwrap_or(within(end, end));
    failures::network(startup, gap_end.at, &mut claims);
    resource_claims::dynamic_resources(startup, timeline, gap_end.at, &mut claims);
    failures::sandboxes(startup, timeline, begin, end, &mut claims);
    volumes(startup, bound, gap_end, &mut claims);
    claims.add(Phase::Unattributed, rank::GAP, bound, gap_end).waited_for = Some(after_binding(startup));
    failing_pull(startup, end, &mut claims);
    containers(startup, timeline, end, &mut claims);
    if timeline.runs.is_empty() {
        failures::containers(startup, begin, end, &mut claims);
    }
    waiting(startup, gap_end, end, ran.is_some(), &mut claims);
    if let Some(ran) = ran {
        reported(startup, timeline, ran, &mut claims);
    }
    claims.list
}

/// From creation, of which the second is known, until the pod was bound; until `end` if it is not. Gives when it was.
fn scheduling(startup: &Startup, begin: Time, end: Time, claims: &mut Claims) -> Option<BoundedInstant> {
    let status = startup.object.as_deref();
    let by_event = startup.scheduling.iter().rfind(|event| event.fact == Fact::PodScheduled).map(BoundedInstant::of);
    let first = startup.events.iter().map(|event| event.time).min();
    let by_status = status.and_then(|status| status.scheduled).map(|second| {
        let high = (second + Nanos(SECOND)).min(first.unwrap_or(end)).max(second);
        BoundedInstant::between(second, high, object_place(startup))
    });
    let by_events =
        first.map(|first| BoundedInstant::between(begin, first, startup.events.first().map(|event| event.place)));
    let pending = status.is_some_and(|status| status.node.is_none());
    let bound = match by_event.or(by_status).or(by_events) {
        Some(bound) => Some(bound.not_after(end)),
        None if pending => None,
        None => return Some(BoundedInstant::between(begin, begin, None)),
    };
    let created = status.and_then(|status| status.created).filter(|created| *created == begin);
    let to = bound
        .unwrap_or(BoundedInstant { place: startup.scheduling.last().map(|event| event.place), ..within(end, end) });
    let from = match created {
        Some(created) => BoundedInstant {
            at: begin,
            low: begin,
            high: (created + Nanos(SECOND)).min(to.at),
            inferred: false,
            place: None,
        },
        // Its first event.
        None => {
            let all = startup.scheduling.iter().chain(startup.events.iter()).map(BoundedInstant::of);
            all.filter(|mark| mark.at == begin).min_by_key(|mark| mark.low).unwrap_or(within(begin, begin))
        }
    };
    claims.add(Phase::Scheduling, rank::SCHEDULING, from, to);
    bound
}

/// What a pod waits for once it is bound.
fn after_binding(startup: &Startup) -> WaitedFor {
    match startup.object.as_deref().filter(|status| status.unacknowledged && startup.events.is_empty()) {
        Some(status) if status.node_not_ready => WaitedFor::NodeNotReady,
        Some(_) => WaitedFor::UnacknowledgedByKubelet,
        None => WaitedFor::VolumesOrSandbox,
    }
}

/// A volume that was attached, or failed, before any sandbox.
fn volumes(startup: &Startup, bound: BoundedInstant, gap_end: BoundedInstant, claims: &mut Claims) {
    let sandbox = startup.first(Fact::SandboxFailed).map_or(gap_end.at, |event| event.time.min(gap_end.at));
    let in_gap = |event: &&Event| event.time <= sandbox && event.time >= bound.low;
    let attached = startup.all(Fact::VolumeAttached).rfind(in_gap).map(BoundedInstant::of);
    let failed = startup.all(Fact::VolumeFailed).rfind(in_gap).map(BoundedInstant::of);
    if let Some(attached) = attached.filter(|attached| failed.is_none_or(|failed| failed.at < attached.at)) {
        claims.add(Phase::Volumes, rank::VOLUMES, bound, attached.not_after(sandbox));
    } else if let Some(failed) = failed {
        let retried = (failed.at + back_off(startup) + RETRY).min(sandbox);
        let to = BoundedInstant {
            at: retried,
            low: failed.low.min(retried),
            high: sandbox,
            inferred: true,
            place: failed.place,
        };
        claims.add(Phase::Volumes, rank::VOLUMES, bound, to);
    }
}

/// How long a volume's next try is put off after the tries that events count (pkg/volume/util/exponentialbackoff: 500 ms,
/// doubled with each failure, up to 2 min 2 s).
fn back_off(startup: &Startup) -> Nanos {
    let failures = startup.all(Fact::VolumeFailed).map(|event| event.fields.number(Field::Count).unwrap_or(1)).max();
    let doubled = u32::try_from(failures.unwrap_or(1).clamp(1, 9) - 1).unwrap_or(0);
    Nanos(((SECOND / 2) << doubled).min(122 * SECOND))
}

/// The first pull of an image, if it failed.
fn failing_pull(startup: &Startup, end: Time, claims: &mut Claims) {
    for failed in startup.all(Fact::PullFailed).filter(|event| event.time <= end && !event.whole_second) {
        let image = failed.fields.text(Field::Image);
        let same = |event: &&Event| {
            event.time <= failed.time && event.fields.text(Field::Image) == image && !event.whole_second
        };
        if let Some(asked) = startup.all(Fact::PullRequested).rfind(same) {
            let claim = claims.add(Phase::ImagePull, rank::PULL, BoundedInstant::of(asked), BoundedInstant::of(failed));
            claim.waited_for = image.map(|image| WaitedFor::Image(image.into()));
        }
    }
}

/// A container that still waits, by the status alone: since when is not known.
fn waiting(startup: &Startup, gap_end: BoundedInstant, end: Time, ran: bool, claims: &mut Claims) {
    let Some(event) = startup.all(Fact::SyncFailed).find(|event| event.time >= end).filter(|_| !ran) else { return };
    let phase = if failures::is_pull(event) {
        (Phase::ImageBackoff, rank::BACKOFF)
    } else {
        (Phase::RetryBackoff, rank::RETRY)
    };
    let from = if gap_end.at < end { gap_end } else { *claims.list.last().map_or(&gap_end, |claim| &claim.from) };
    let from = BoundedInstant { high: end.max(from.at), ..from };
    claims.add(phase.0, phase.1, from, BoundedInstant { place: Some(event.place), ..within(end, end) });
}

/// From the last container's start until the status said so.
fn reported(startup: &Startup, timeline: &Timeline, ran: BoundedInstant, claims: &mut Claims) {
    let main = timeline.runs.iter().filter(|run| !run.init).filter_map(|run| run.started);
    let Some(started) = main.filter(|started| started.low <= ran.high).max_by_key(|started| started.at) else { return };
    if started == ran {
        // No status says when.
        return;
    }
    if startup.object.as_deref().is_some_and(|status| status.post_start) {
        claims.add(Phase::Start, rank::START, started, ran);
    } else {
        claims.add(Phase::Detection, rank::DETECT, started, ran).waited_for = Some(WaitedFor::DetectionOrUpdate);
    }
}
