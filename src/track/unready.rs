//! Startups that are over but for the readiness of their pod: their probes' lines go on being collected, the pulls and events
//! around them do not. Bounded in number, in events and in log time.

use super::Id;
use super::open::OpenStartup;
use super::readiness::Readiness;
use crate::model::hash::HashMap;
use crate::model::record::{Fact, Field, Record};
use crate::model::startup::Event;
use crate::model::time::{Nanos, SECOND, Time};

/// How many pods are awaited, beyond which the longest awaited are given up.
const MAX_AWAITED: usize = 4096;
/// For so long a pod is awaited. What is not ready in an hour is not slow, but broken.
const PATIENCE: Nanos = Nanos(3600 * SECOND);
/// How many events one pod may add: a probe that fails every second for as long as it is awaited.
const MAX_EVENTS: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Unready {
    awaited: HashMap<Box<str>, Awaited>,
    /// Pods of which nothing more is awaited, with what was collected.
    settled: Vec<(Id, Vec<Event>)>,
}

#[derive(Debug)]
struct Awaited {
    id: Id,
    since: Time,
    readiness: Readiness,
    events: Vec<Event>,
}

impl Unready {
    /// Awaits the readiness of a startup that is over, if its lines show that it is still to come; returns whether they do.
    pub(super) fn admit(&mut self, id: Id, startup: &OpenStartup, now: Time) -> bool {
        let readiness = Readiness::of(startup.events.iter());
        if !readiness.is_pending() || startup.deleted.is_some() {
            return false;
        }
        self.end(&startup.pod);
        self.awaited.insert(startup.pod.clone(), Awaited { id, since: now, readiness, events: Vec::new() });
        true
    }

    /// Takes a line about a pod whose startup is over.
    pub(super) fn push(&mut self, record: Record, time: Time) {
        let relevant = matches!(record.fact, Fact::ProbeResult | Fact::ProbeFailed | Fact::PlegEvent);
        if self.awaited.is_empty() || !relevant {
            return;
        }
        let Some(pod) = record.fields.text(Field::Pod).map(Box::<str>::from) else { return };
        let Some(awaited) = self.awaited.get_mut(&pod) else { return };
        let event = Event::of(record, time);
        awaited.readiness.push(&event);
        let settled = !awaited.readiness.is_pending();
        // A probe that fails again and again says no more than the last of its failures.
        if awaited.events.len() >= MAX_EVENTS
            && let Some(failure) = awaited.events.iter().rposition(|known| known.fact == event.fact)
        {
            awaited.events.remove(failure);
        }
        awaited.events.push(event);
        if settled {
            self.end(&pod);
        }
    }

    /// Awaits nothing more of a pod.
    pub(super) fn end(&mut self, pod: &str) {
        if let Some(awaited) = self.awaited.remove(pod) {
            self.settled.push((awaited.id, awaited.events));
        }
    }

    /// Gives up what has been awaited for too long, or is too much.
    pub(super) fn sweep(&mut self, now: Time) {
        let since = |awaited: &Awaited| (awaited.since, awaited.id);
        let mut all: Vec<(Time, Id)> = self.awaited.values().map(since).collect();
        all.sort_unstable();
        let excess = all.len().saturating_sub(MAX_AWAITED);
        let given_up = |(number, (since, _)): &(usize, &(Time, Id))| *number < excess || now - *since > PATIENCE;
        let mut ids: Vec<Id> = all.iter().enumerate().filter(given_up).map(|(_, (_, id))| *id).collect();
        ids.sort_unstable();
        self.end_all(|awaited| ids.binary_search(&awaited.id).is_ok());
    }

    /// Awaits nothing more.
    pub(super) fn finish(&mut self) {
        self.end_all(|_| true);
    }

    fn end_all(&mut self, which: impl Fn(&Awaited) -> bool) {
        let over = self.awaited.extract_if(|_, awaited| which(awaited));
        self.settled.extend(over.map(|(_, awaited)| (awaited.id, awaited.events)));
    }

    /// Whether something is settled that was not taken yet.
    pub(super) fn has_settled(&self) -> bool {
        !self.settled.is_empty()
    }

    /// What is settled since it was last taken.
    pub(super) fn take(&mut self) -> Vec<(Id, Vec<Event>)> {
        std::mem::take(&mut self.settled)
    }

    /// How much it holds.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn held(&self) -> usize {
        let events = self.awaited.values().map(|awaited| 1 + awaited.events.len());
        events.sum::<usize>() + self.settled.len()
    }
}
