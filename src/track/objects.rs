//! Startups as the API's objects show them: pods and their events, joined by uid. They are kept apart from what logs show, which
//! they never change; a startup that a log shows takes its objects with it when it is over, and those that no log shows are
//! startups of their own. Bounded: of too many the longest untouched leave first.

use std::collections::BTreeMap;

use super::aliases::RecentSet;
use super::{ClosedStartup, OpenStartup, Tracker};
use crate::model::hash::HashMap;
use crate::model::pod_status::PodStatus;
use crate::model::record::{Fact, Field, Record};
use crate::model::startup::{BURST_WINDOW, Event, Events, NodeContext};
use crate::model::time::{Nanos, SECOND, Time};

/// How many uids are remembered whose startup is over.
const REMEMBERED: usize = 200_000;

/// What the objects of all startups may weigh, in bytes: some 15,000 pods with six events each. Those untouched for longest have
/// started or are stuck, and leave first.
const MAX_WEIGHT: usize = 64 << 20;
/// What an event weighs besides its text and its fields, and a pod's status besides its containers.
const OBJECT_WEIGHT: usize = 256;
/// What a field or a container weighs.
const PART_WEIGHT: usize = 64;

/// What objects show of one pod.
#[derive(Clone, Debug, Default)]
pub struct PodObjects {
    weight: usize,
    pub(super) pod: Box<str>,
    pub(super) uid: Option<Box<str>>,
    /// Another uid by which it is known: a mirror's static pod.
    other_uid: Option<Box<str>>,
    node: Option<Box<str>>,
    /// Its object, the latest of several.
    pub status: Option<Box<PodStatus>>,
    /// Where its object is.
    pub place: Option<Event>,
    /// Its events.
    pub events: Events,
    touched: Time,
    /// Images that are pulled at each start (`imagePullPolicy: Always`) and that its node had already.
    pub pulled_before: Vec<Box<str>>,
    /// Bytes a second that its node's pulls moved while one of its own was under way, by the end of that.
    pub rates: Vec<(Time, f64)>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pods: HashMap<u64, PodObjects>,
    next: u64,
    by_uid: HashMap<Box<str>, u64>,
    by_name: HashMap<Box<str>, Vec<u64>>,
    over: RecentSet,
    weight: usize,
    /// The latest instant that any object shows: they were read then or later.
    latest: Option<Time>,
}

impl Objects {
    /// Takes a record.
    fn push(&mut self, mut record: Record, time: Time, node: Option<&str>) {
        let Some(pod) = record.fields.text(Field::Pod).map(Box::<str>::from) else { return };
        let uid = record.fields.text(Field::Uid).map(Box::<str>::from);
        let Some(id) = self.id(&pod, uid.as_deref()) else { return };
        let status = record.pod_status.take();
        let containers = status.as_ref().map_or(0, |status| 3 * status.containers.len());
        let uncertainty = record.fields.length(Field::Uncertainty).unwrap_or(Nanos(SECOND));
        let uncertainty = if record.whole_second { uncertainty } else { Nanos(0) };
        let weight = OBJECT_WEIGHT + record.fields.line().len() + (record.fields.len() + containers) * PART_WEIGHT;
        self.latest = self.latest.max(status.as_ref().and_then(|status| status.latest)).max(Some(time + uncertainty));
        let Some(known) = self.pods.get_mut(&id) else { return };
        known.touched = known.touched.max(time);
        if let Some(node) = node {
            known.node = Some(node.into());
        }
        if let Some(status) = status {
            if let Some(mirror) = &status.mirror {
                known.other_uid = Some(mirror.clone());
                self.by_uid.entry(mirror.clone()).or_insert(id);
            }
            // A description shows less.
            if known.status.as_ref().is_some_and(|known| known.created.is_some()) && status.created.is_none() {
                return;
            }
            if known.status.replace(status).is_none() {
                known.weight += weight;
                self.weight += weight;
            }
            known.place = Some(Event::of(record, time));
            return;
        }
        let event = Event::of(record, time);
        // The same event, from JSON and from text: the one that is better known stays.
        if let Some(old) = known.events.iter().find(|old| is_told_twice(old, &event)) {
            if event.uncertainty() < old.uncertainty() {
                let (time, line) = (old.time, Box::<str>::from(old.fields.line()));
                known.events.retain(|old| old.time != time || *old.fields.line() != *line);
                known.events.push(event);
            }
            return;
        }
        // From two dumps or two API groups.
        let same = |old: &Event| {
            old.fact == event.fact
                && old.time == event.time
                && old.fields.text(Field::Container) == event.fields.text(Field::Container)
                && old.fields.text(Field::Volume) == event.fields.text(Field::Volume)
        };
        if !known.events.iter().any(same) {
            known.events.push(event);
            known.weight += weight;
            self.weight += weight;
        }
    }

    /// The pod of a record; None: its startup is over.
    fn id(&mut self, pod: &str, uid: Option<&str>) -> Option<u64> {
        let id = match uid {
            Some(uid) if self.over.contains(uid) => return None,
            Some(uid) => self.by_uid.get(uid).copied().or_else(|| self.adopt(pod, uid)),
            None => self.by_name.get(pod).and_then(|ids| ids.last()).copied(),
        };
        if id.is_some() {
            return id;
        }
        let id = self.next;
        self.next += 1;
        let new = PodObjects { pod: pod.into(), uid: uid.map(Into::into), ..PodObjects::default() };
        self.pods.insert(id, new);
        self.by_name.entry(pod.into()).or_default().push(id);
        if let Some(uid) = uid {
            self.by_uid.insert(uid.into(), id);
        }
        Some(id)
    }

    /// A pod that text shows, which has no uids, is that of this name.
    fn adopt(&mut self, pod: &str, uid: &str) -> Option<u64> {
        // It is the first of its name: one without a uid joins those that are there.
        let id = *self.by_name.get(pod)?.first()?;
        let known = self.pods.get_mut(&id).filter(|known| known.uid.is_none())?;
        known.uid = Some(uid.into());
        self.by_uid.insert(uid.into(), id);
        Some(id)
    }

    fn remove(&mut self, id: u64) -> Option<PodObjects> {
        let removed = self.pods.remove(&id)?;
        self.weight -= removed.weight;
        for uid in [&removed.uid, &removed.other_uid].into_iter().flatten() {
            self.by_uid.remove(uid);
            self.over.insert(uid, REMEMBERED);
        }
        if let Some(ids) = self.by_name.get_mut(&removed.pod) {
            ids.retain(|known| *known != id);
            if ids.is_empty() {
                self.by_name.remove(&removed.pod);
            }
        }
        Some(removed)
    }

    /// Takes out what belongs to a startup that a log shows: by its uid, else by its name and its creation.
    pub(super) fn take_for(&mut self, startup: &OpenStartup) -> Option<PodObjects> {
        if self.pods.is_empty() {
            return None;
        }
        let by_uid = startup.uid.as_deref().and_then(|uid| self.by_uid.get(uid)).copied();
        let id = by_uid.or_else(|| {
            let created = startup.observed.as_deref().and_then(|observed| observed.created.time());
            let first = startup.events.iter().map(|event| event.time).min();
            let is_it = |id: &&u64| {
                let Some(pod) = self.pods.get(id) else { return false };
                let is_other = |uid: &str| pod.uid.as_deref().is_some_and(|known| known != uid);
                // A static pod's own uid has no dashes, its mirror's has.
                if startup.uid.as_deref().is_some_and(|uid| uid.contains('-') && is_other(uid)) {
                    return false;
                }
                let theirs = pod.status.as_deref().and_then(|status| status.created);
                match (created, theirs) {
                    (Some(created), Some(theirs)) => startup.static_pod || (created - theirs).abs() <= Nanos(SECOND),
                    (None, Some(theirs)) => startup.static_pod || first.is_some_and(|first| theirs <= first),
                    _ => true,
                }
            };
            self.by_name.get(&startup.pod)?.iter().rfind(is_it).copied()
        });
        self.remove(id?)
    }

    /// The pulls of each node, by their ends.
    fn pulls(&self) -> HashMap<Box<str>, Vec<EventPull>> {
        let mut pulls: HashMap<Box<str>, Vec<EventPull>> = HashMap::default();
        for pod in self.pods.values() {
            let Some(node) = &pod.node else { continue };
            let pulled = pod.events.iter().filter_map(EventPull::of);
            pulls.entry(node.clone()).or_default().extend(pulled);
        }
        pulls
            .values_mut()
            .for_each(|pulls| pulls.sort_unstable_by_key(|pull| (pull.finished, pull.started, pull.bytes)));
        pulls
    }

    /// Since when each node is known to have each image.
    fn present(&self) -> HashMap<(Box<str>, Box<str>), Time> {
        let mut present: HashMap<(Box<str>, Box<str>), Time> = HashMap::default();
        for pod in self.pods.values() {
            let Some(node) = &pod.node else { continue };
            let has = |event: &&Event| matches!(event.fact, Fact::PullFinished | Fact::ImagePresent);
            for event in pod.events.iter().filter(has) {
                let Some(image) = event.fields.text(Field::Image) else { continue };
                let since = present.entry((node.clone(), image.into())).or_insert(event.time);
                *since = event.time.min(*since);
            }
        }
        present
    }

    /// How much it holds.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn held(&self) -> usize {
        let pods: usize = self.pods.values().map(|pod| 1 + pod.events.len()).sum();
        pods + self.by_uid.len() + self.by_name.len() + self.over.held()
    }
}

/// Whether two differently well known events are one: of the same words, and of a time that may be the same.
fn is_told_twice(one: &Event, other: &Event) -> bool {
    one.uncertainty() != other.uncertainty()
        && one.fields.line() == other.fields.line()
        && one.time <= other.time + other.uncertainty()
        && other.time <= one.time + one.uncertainty()
}

/// A pull that ended well, as its event tells it.
#[derive(Clone, Copy)]
struct EventPull {
    started: Time,
    finished: Time,
    /// By how much earlier both may have been.
    uncertainty: Nanos,
    bytes: Option<i64>,
}

/// With how many pulls that end later one is compared: a node pulls some at a time.
const COMPARED_PULLS: usize = 200;

impl EventPull {
    fn of(event: &Event) -> Option<Self> {
        let pulled = matches!(event.fact, Fact::PullFinished | Fact::ImageVolumePulled);
        let took = event.fields.length(Field::Duration).filter(|took| pulled && took.0 > 0)?;
        let bytes = event.fields.number(Field::Bytes).filter(|bytes| *bytes > 0);
        let uncertainty = event.uncertainty();
        let finished = event.time + uncertainty;
        Some(EventPull { started: finished - took, finished, uncertainty, bytes })
    }

    /// Bytes a second that all pulls moved at least while this one was under way; none if a size is not known.
    fn rate(&self, all: &[EventPull]) -> Option<f64> {
        let seconds = (self.finished - self.started).seconds();
        let first = all.partition_point(|other| other.finished <= self.started);
        let mut moved = Nanos(0);
        for other in all.iter().skip(first).take(COMPARED_PULLS) {
            let mine = other.started == self.started && other.finished == self.finished && other.bytes == self.bytes;
            let unsure = if mine { Nanos(0) } else { other.uncertainty.max(self.uncertainty) };
            let shared = (other.finished.min(self.finished) - other.started.max(self.started) - unsure).seconds();
            let took = (other.finished - other.started).seconds();
            if shared > 0.0 && took > 0.0 {
                // Whole numbers, so that their order does not matter.
                moved = moved + Nanos((other.bytes? as f64 * shared / took).round() as i64);
            }
        }
        (seconds > 0.0 && moved.0 > 0).then(|| moved.0 as f64 / seconds)
    }
}

impl PodObjects {
    /// When its node had it, as far as is known.
    fn taken(&self) -> Option<Time> {
        let bound = self.events.of(Fact::PodScheduled).next().map(|event| event.time);
        bound.or_else(|| self.status.as_deref()?.scheduled).or_else(|| self.events.iter().map(|event| event.time).min())
    }

    fn pulled_before(&self, present: &HashMap<(Box<str>, Box<str>), Time>) -> Vec<Box<str>> {
        let (Some(status), Some(node)) = (self.status.as_deref(), &self.node) else { return Vec::new() };
        let always = status.containers.iter().filter(|container| container.pulls_always);
        let had = always.filter(|container| {
            let pulled = self
                .events
                .of(Fact::PullFinished)
                .find(|event| event.fields.text(Field::Container) == Some(&container.name));
            let asked = pulled.map(|event| event.time - event.fields.length(Field::Waited).unwrap_or_default());
            let since = present.get(&(node.clone(), container.image.clone()));
            asked.zip(since).is_some_and(|(asked, since)| *since < asked)
        });
        had.map(|container| container.image.clone()).collect()
    }

    /// Whether it is a start to report: a mirror's times are not those of its static pod. Beside logs a pod without an event
    /// is one that had started before them.
    fn is_start(&self, beside_logs: bool) -> bool {
        let mirror = self.status.as_deref().is_some_and(|status| status.mirror.is_some());
        // The kubelet's own uid of a static pod has no dashes.
        let is_static = self.uid.as_deref().is_some_and(|uid| !uid.contains('-'));
        !mirror && !is_static && (!self.events.is_empty() || self.status.is_some() && !beside_logs)
    }
}

impl Tracker {
    /// Takes the record of an API object, in the order of time; `node` is the name of the pod's node.
    pub fn push_object(&mut self, record: Record, time: Time, node: Option<&str>) {
        self.objects.push(record, time, node);
        if self.objects.pods.len() > self.limits.open || self.objects.weight > MAX_WEIGHT {
            let mut touched: Vec<(Time, u64)> = self.objects.pods.iter().map(|(id, pod)| (pod.touched, *id)).collect();
            touched.sort_unstable();
            touched.truncate(touched.len() / 8 + 1);
            self.counts.capped += touched.len() as u64;
            let ids = touched.into_iter().map(|(_, id)| id).collect();
            self.close_objects(ids);
        }
    }

    /// Closes all startups that only objects show: the input has ended.
    pub(super) fn finish_objects(&mut self) {
        let mut ids: Vec<u64> = self.objects.pods.keys().copied().collect();
        ids.sort_unstable();
        self.close_objects(ids);
    }

    fn close_objects(&mut self, ids: Vec<u64>) {
        let latest = self.objects.latest.unwrap_or_default();
        let mut taken: BTreeMap<Option<Box<str>>, Vec<Time>> = BTreeMap::new();
        for pod in self.objects.pods.values() {
            taken.entry(pod.node.clone()).or_default().extend(pod.taken());
        }
        let (present, pulls) = (self.objects.present(), self.objects.pulls());
        taken.values_mut().for_each(|times| times.sort_unstable());
        for id in ids {
            let Some(mut pod) = self.objects.remove(id).filter(|pod| pod.is_start(self.beside_logs)) else { continue };
            let concurrent_starts = pod.taken().zip(taken.get(&pod.node)).map_or(0, |(time, all)| {
                let first = all.partition_point(|other| *other < time - BURST_WINDOW);
                let last = all.partition_point(|other| *other <= time + BURST_WINDOW);
                last.saturating_sub(first).saturating_sub(1)
            });
            pod.pulled_before = pod.pulled_before(&present);
            if let (Some(status), Some(node)) = (&mut pod.status, &pod.node) {
                status.node_not_ready = self.not_ready.contains(node);
            }
            if let Some(pulls) = pod.node.as_ref().and_then(|node| pulls.get(node)) {
                let mine = pod.events.iter().filter_map(EventPull::of);
                pod.rates = mine.filter_map(|pull| Some((pull.finished, pull.rate(pulls)?))).collect();
            }
            let node = match pod.node.as_deref() {
                Some(name) => {
                    let number = self.node(name, Some(name));
                    if let (Some(node), Some(version)) = (self.nodes.get_mut(number), self.kubelets.get(name)) {
                        node.kubelet.get_or_insert_with(|| version.clone());
                    }
                    number
                }
                None => self.no_node(),
            };
            self.counts.ended += 1;
            self.counts.dropped_events += pod.events.dropped();
            let mut startup = OpenStartup {
                node,
                pod: pod.pod.clone(),
                uid: pod.uid.clone(),
                last_event: pod.touched,
                confirmed: true,
                objects: Some(Box::new(pod)),
                ..OpenStartup::default()
            };
            if let Some(objects) = &mut startup.objects {
                objects.events.sort();
            }
            let context = NodeContext { concurrent_starts, log_end: latest, ..NodeContext::default() };
            self.complete.push(ClosedStartup { startup, context, awaits_ready: None });
        }
    }

    /// The node of pods that have none yet.
    fn no_node(&mut self) -> usize {
        let number = self.node(NO_NODE, None);
        if let Some(node) = self.nodes.get_mut(number) {
            node.is_none = true;
        }
        number
    }
}

/// No host and no folder has this name.
const NO_NODE: &str = "\0";
