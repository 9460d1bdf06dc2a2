//! What the API's objects add to a startup, or, where no log shows it, all that is known of it.

use super::bounded_instant::BoundedInstant;
use crate::model::fields::Fields;
use crate::model::pod_status::PodStatus;
use crate::model::record::{Fact, Field, Value};
use crate::model::startup::{Event, Events, NodeContext, Repull, Startup, Transfer};
use crate::model::time::{Nanos, SECOND, Time};
use crate::track::OpenStartup;

/// From the binding to the kubelet's first line: its watch takes some hundred milliseconds. What is later was not the start.
const TAKEN_WITHIN: Nanos = Nanos(10 * SECOND);

/// Bytes a second from which on a registry counts as fast: below it other pulls of the node may be the reason.
const LEAST_RATE: f64 = 10e6;

/// What objects show.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) status: Option<Box<PodStatus>>,
    pub(super) scheduling: Vec<Event>,
    /// Pulls, as events tell them.
    pub(super) transfers: Vec<Transfer>,
    /// Nothing else is known.
    pub(super) alone: bool,
}

/// Takes what objects show out of a startup that is over. Its events become the startup's where no log has any.
pub(super) fn take(open: &mut OpenStartup, context: &NodeContext) -> Shown {
    let Some(objects) = open.objects.take().map(|objects| *objects) else { return Shown::default() };
    let of_scheduler = |event: &&Event| matches!(event.fact, Fact::SchedulingFailed | Fact::PodScheduled);
    let says_less = || {
        let started = objects.status.iter().flat_map(|status| &status.containers).any(|known| known.started.is_some());
        open.rejected.is_none()
            && !open.events.iter().any(shows_steps)
            && (started || objects.events.iter().any(|event| !of_scheduler(&event) && shows_steps(event)))
    };
    let alone = open.observed.is_none() && (open.events.is_empty() || says_less());
    let mut scheduling: Vec<Event> = Vec::new();
    if alone {
        scheduling.extend(objects.place.clone());
        scheduling.extend(unscheduled(objects.status.as_deref(), objects.place.as_ref()));
    }
    scheduling.extend(objects.events.iter().filter(of_scheduler).cloned());
    if alone {
        let mut events = Events::default();
        objects.events.iter().filter(|event| !of_scheduler(event)).for_each(|event| events.push(event.clone()));
        for event in waiting(objects.status.as_deref(), objects.place.as_ref(), &events, context.log_end) {
            events.push(event);
        }
        open.events = events;
    }
    let transfers = if alone { transfers(&open.events, &objects.pulled_before, &objects.rates) } else { Vec::new() };
    Shown { status: objects.status, scheduling, transfers, alone }
}

/// Whether a line shows more of a start than that the kubelet took the pod and was at its volumes: objects show more than that.
fn shows_steps(event: &Event) -> bool {
    !matches!(
        event.fact,
        Fact::PodAdded
            | Fact::PodAdmitted
            | Fact::PodDeleted
            | Fact::PodRemoved
            | Fact::SyncStarted
            | Fact::VolumesAwaited
            | Fact::VolumesReady
            | Fact::VolumeVerifyStarted
            | Fact::VolumeMountStarted
            | Fact::VolumeDeviceMounted
            | Fact::VolumeMounted
            | Fact::VolumeUnmounted
            | Fact::SandboxNeeded
            | Fact::SandboxRemoved
            | Fact::ContainerStopping
    )
}

/// The pulls that events tell of. Events of others may be gone, so the node's rate is the least that it had.
fn transfers(events: &Events, pulled_before: &[Box<str>], rates: &[(Time, f64)]) -> Vec<Transfer> {
    events
        .of(Fact::PullFinished)
        .filter_map(|event| {
            // How long it took is exact where the instant is not.
            let finished = BoundedInstant::of(event).at;
            let took = event.fields.length(Field::Duration).filter(|took| took.0 > 0)?;
            let image = event.fields.text(Field::Image)?;
            let bytes = event.fields.number(Field::Bytes).filter(|bytes| *bytes > 0);
            let repull = pulled_before.iter().any(|known| **known == *image).then_some(Repull::Present);
            Some(Transfer {
                image: image.into(),
                started: finished - took,
                finished,
                whole_seconds: (false, false),
                before_container: None,
                ok: true,
                bytes,
                place: event.place,
                text: event.fields.line().into(),
                blocked_by: None,
                repull,
                rate: rates.iter().find(|(end, rate)| *end == finished && *rate >= LEAST_RATE).map(|(_, rate)| *rate),
                queued_since: None,
                failed_mirrors: Vec::new(),
            })
        })
        .collect()
}

/// When a pod was created of which a log shows the start, but not its creation.
pub(super) fn created(startup: &Startup) -> Option<Time> {
    let status = startup.object.as_deref().filter(|_| !startup.static_pod)?;
    if startup.by_objects {
        return status.created;
    }
    let first = startup.events.first()?.time;
    let bound = startup.scheduling.iter().rfind(|event| event.fact == Fact::PodScheduled).map(|event| event.time);
    let bound = bound.or(status.scheduled)?;
    status.created.filter(|created| *created <= first && (first - bound).abs() <= TAKEN_WITHIN)
}

/// Why the pod has no node yet, as its condition says it.
fn unscheduled(status: Option<&PodStatus>, place: Option<&Event>) -> Option<Event> {
    let (reason, message, since) = status?.unscheduled.as_ref()?;
    let place = place?;
    let fields = vec![(Field::Reason, Value::text(reason)), (Field::Error, Value::text(message))];
    Some(Event {
        time: since.unwrap_or(place.time),
        fact: Fact::SchedulingFailed,
        whole_second: true,
        fields: Fields::of(&format!("{}: {reason}: {message}", place.fields.line()), fields),
        ..place.clone()
    })
}

/// What containers wait for when the object was read, where no event says that anything failed.
fn waiting(status: Option<&PodStatus>, place: Option<&Event>, events: &Events, end: Time) -> Vec<Event> {
    let (Some(status), Some(place)) = (status, place) else { return Vec::new() };
    let failed = |event: &Event| matches!(event.fact, Fact::PullFailed | Fact::PullBackoff | Fact::ContainerFailed);
    if events.iter().any(failed) {
        return Vec::new();
    }
    let waits = status.containers.iter().filter_map(|container| Some((&*container.name, container.waiting.as_ref()?)));
    let stuck = waits.filter(|(_, (reason, _))| !matches!(&**reason, "ContainerCreating" | "PodInitializing"));
    let event = |(name, (reason, message)): (&str, &(Box<str>, Box<str>))| {
        let fields = vec![
            (Field::Container, Value::text(name)),
            (Field::Reason, Value::text(reason)),
            (Field::Error, Value::text(message)),
        ];
        let line = format!("{} container={name} waiting: {reason}: {message}", place.fields.line());
        Event {
            time: end,
            fact: Fact::SyncFailed,
            whole_second: false,
            fields: Fields::of(&line, fields),
            ..place.clone()
        }
    };
    stuck.map(event).take(10).collect()
}
