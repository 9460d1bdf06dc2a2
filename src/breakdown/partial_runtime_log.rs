//! A runtime's log that begins after a startup did, ends before it, or has a hole in it: by what the kubelet's lines show of the
//! runtime's work. What is left of such a log would be taken for the whole, so the startup is broken down by the kubelet's lines
//! alone.

use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Events};
use crate::model::time::{Nanos, SECOND};

/// CRI-O's lines may be dated to the second.
const CLOCK: Nanos = Nanos(SECOND);

/// Removes the runtime's events where some are missing; whether it did.
pub(super) fn leave_out(events: &mut Events) -> bool {
    let partial = begins_late(events) || lacks_a_container(events);
    if partial {
        events.retain(|event| !event.from_runtime);
    }
    partial
}

/// The kubelet had an answer of the runtime before the runtime's first line, or there is none of the sandbox that it asked for.
fn begins_late(events: &Events) -> bool {
    let Some(first) = events.iter().find(|event| event.from_runtime) else { return false };
    let has_sandbox = [Fact::SandboxRequested, Fact::SandboxReady, Fact::SandboxFailed]
        .into_iter()
        .any(|fact| events.of(fact).any(|event| event.from_runtime));
    if !has_sandbox && events.of(Fact::SandboxNeeded).next().is_some() {
        return true;
    }
    let mut kubelet = events.iter().filter(|event| !event.from_runtime);
    let is_answer = |event: &Event| matches!(event.fact, Fact::PullFailed | Fact::SandboxFailed) || is_started(event);
    kubelet.find(|event| is_answer(event)).is_some_and(|event| event.time + CLOCK < first.time)
}

/// The relist noticed a container, or a sandbox, that no line of the runtime named before.
fn lacks_a_container(events: &Events) -> bool {
    // Of very many events some are gone.
    if events.dropped() > 0 || !events.iter().any(|event| event.from_runtime) {
        return false;
    }
    events.of(Fact::PlegEvent).filter(|event| is_started(event)).any(|noticed| {
        let Some(id) = noticed.fields.text(Field::ContainerId) else { return false };
        let before = events.iter().filter(|event| event.from_runtime && event.time <= noticed.time + CLOCK);
        let mut named =
            before.flat_map(|event| [Field::ContainerId, Field::Sandbox].map(|field| event.fields.text(field)));
        !named.any(|named| named == Some(id))
    })
}

fn is_started(event: &Event) -> bool {
    event.fact == Fact::PlegEvent && event.fields.text(Field::Type) == Some("ContainerStarted")
}
