//! One pod's start: its events, the pulls taken to be its own, and what its node was doing meanwhile. What they mean is
//! `breakdown`'s work.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use crate::model::fields::Fields;
use crate::model::names::named_enum;
use crate::model::pod_status::PodStatus;
use crate::model::record::{FACTS, Fact, Field, Record, SourceLine, StartupRecord};
use crate::model::time::{Nanos, SECOND, Time};

/// How many events of one fact a startup keeps: the first ones and the latest. A crash loop repeats itself; sixty of
/// each is more than any start in the captures has, and keeps a startup under a few hundred KiB at the worst.
const KEPT_OF_ONE_FACT: usize = 60;

/// A dated line that belongs to a startup.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub time: Time,
    /// Where it is.
    pub place: SourceLine,
    /// What it proves.
    pub fact: Fact,
    /// The runtime wrote it.
    pub from_runtime: bool,
    /// Its time is not exact: it lies within a second after `time`, or within its [`Field::Uncertainty`].
    pub whole_second: bool,
    /// The line, shortened, and its fields.
    pub fields: Fields,
}

impl Event {
    /// An event from its record.
    pub fn of(record: Record, time: Time) -> Self {
        Event {
            time,
            place: record.place,
            fact: record.fact,
            from_runtime: record.from_runtime,
            whole_second: record.whole_second,
            fields: record.fields,
        }
    }

    /// By how much later than `time` it may have been.
    pub fn uncertainty(&self) -> Nanos {
        if self.whole_second { self.fields.length(Field::Uncertainty).unwrap_or(Nanos(SECOND)) } else { Nanos(0) }
    }

    /// Whether the line's error, or the line, holds a word.
    pub fn mentions(&self, word: &str) -> bool {
        self.fields.text(Field::Error).is_some_and(|error| error.contains(word)) || self.fields.line().contains(word)
    }
}

/// One pull in the runtime.
#[derive(Clone, Debug, PartialEq)]
pub struct Transfer {
    /// The image, as the runtime names it.
    pub image: Box<str>,
    /// When the runtime began.
    pub started: Time,
    /// When it ended, well or not.
    pub finished: Time,
    /// Of both instants: known to the second only, and then the latest that they can be.
    pub whole_seconds: (bool, bool),
    /// Before which of the startup's containers it was, as the lines follow each other, where their times do not show it.
    pub before_container: Option<usize>,
    /// It ended well.
    pub ok: bool,
    /// The image's size, when the runtime shows it.
    pub bytes: Option<i64>,
    /// The line of its end.
    pub place: SourceLine,
    /// That line, shortened.
    pub text: Box<str>,
    /// The image whose pull filled most of the waiting before it.
    pub blocked_by: Option<Box<str>>,
    /// The image had been pulled on the node before the pod asked for it, as far as the log goes.
    pub repull: Option<Repull>,
    /// Bytes a second that the node's pulls moved while it was under way, where their sizes are given.
    pub rate: Option<f64>,
    /// When the pull began that ended the moment this one could begin: then this one was queued.
    pub queued_since: Option<Time>,
    /// The mirrors that were asked first and did not serve it, in the order of time.
    pub failed_mirrors: Vec<FailedMirror>,
}

/// A registry mirror that was asked for an image and did not serve it.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedMirror {
    /// Its host, with its port.
    pub host: Box<str>,
    /// It was asked: when the pull began, or when the host before it had failed.
    pub from: Time,
    /// Or later, but not after this: lines that name no image may be of another host of this pull, or of another pull.
    pub from_high: Time,
    /// The runtime gave it up.
    pub to: Time,
    /// The line that says so.
    pub place: SourceLine,
}

/// Why an image was pulled that had been pulled before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repull {
    /// Nothing removed it in between.
    Present,
    /// The kubelet removed images in between: the line that says so.
    Collected(SourceLine),
}

named_enum! {
    /// The state of a startup.
    #[derive(Default, bitcode::Encode, bitcode::Decode)]
    State STATES {
        /// All containers ran.
        Running = "running",
        /// Still on its way when the log ends, and nothing is wrong so far.
        #[default]
        Starting = "starting",
        /// Still fails to start when the log ends: a step failed, or a container waits to be started again.
        Failing = "failing",
        /// It will not start: admission refused it.
        Failed = "failed",
        /// Deleted before it came up.
        Gone = "gone",
        /// It has ended; no line shows when it ran, or whether.
        Ended = "ended",
    }
}

impl State {
    /// Of pods that did not come up: such a startup is longer than any limit.
    pub const DID_NOT_COME_UP: [State; 3] = [State::Failing, State::Failed, State::Gone];

    /// It in words, as people read it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Starting => "still starting",
            State::Failing => "fails to start",
            State::Failed => "refused",
            State::Gone => "deleted before it came up",
            State::Ended => "ended, not known whether it ran",
        }
    }
}

/// How other pods of a node got on at about the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighbourStats {
    /// From the relist noticing a pod's last container to its status being accepted: the middle.
    pub reported: Nanos,
    /// Until a pod's sandbox was there: a quarter was not slower.
    pub sandbox: Nanos,
    /// From the sandbox to the relist that noticed the pod's last container: the middle.
    pub start: Nanos,
}

/// The events of one startup in the order of time, bounded in number.
#[derive(Clone, Debug, Default)]
pub struct Events {
    list: Vec<Event>,
    /// A bit for each fact that an event is or was of: most questions are about facts that a startup has none of.
    facts: u128,
    dropped: u64,
}

/// The bit of a fact.
const fn bit(fact: Fact) -> u128 {
    1 << fact as u32
}

const _: () = assert!(FACTS.len() <= 128, "a fact has no bit");

impl Events {
    /// Adds an event; of many of one fact the first and the latest stay.
    pub fn push(&mut self, event: Event) {
        let same = self.of(event.fact).count();
        if same >= KEPT_OF_ONE_FACT
            && let Some(latest) = self.list.iter().rposition(|known| known.fact == event.fact)
        {
            self.list.remove(latest);
            self.dropped += 1;
        }
        self.facts |= bit(event.fact);
        self.list.push(event);
    }

    /// Leaves out those that are not to stay.
    pub fn retain(&mut self, stays: impl FnMut(&Event) -> bool) {
        self.list.retain(stays);
    }

    /// Puts them in the order of time; those of one instant stay as they came.
    pub fn sort(&mut self) {
        self.list.sort_by_key(|event| event.time);
    }

    /// Each, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Event> {
        self.list.iter_mut()
    }

    /// Every event of a fact.
    pub fn of(&self, fact: Fact) -> impl DoubleEndedIterator<Item = &Event> {
        let list = if self.facts & bit(fact) == 0 { &[] } else { &*self.list };
        list.iter().filter(move |event| event.fact == fact)
    }

    /// How many were not kept for the bound.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Deref for Events {
    type Target = [Event];

    fn deref(&self) -> &Self::Target {
        &self.list
    }
}

/// What a pod's node was doing while the pod was on its way.
#[derive(Clone, Debug, Default)]
pub struct NodeContext {
    /// Events of the node, which startups on it share.
    pub events: Vec<Arc<Event>>,
    /// The kubelet's request for its pods that waited in its own rate limit and went out just before it took this pod.
    pub throttled_list: Option<Arc<Event>>,
    /// How many other pods the node took within [`BURST_WINDOW`] of it.
    pub concurrent_starts: usize,
    /// When the kubelet's relists noticed anything of any pod meanwhile: each looks at all containers of the node.
    pub relists: Vec<Time>,
    /// How others of the node got on that ran within half a minute of it, where there are two or more.
    pub neighbours: Option<NeighbourStats>,
    /// The beginning of what the node's log shows; none where there is no log.
    pub log_begin: Option<Time>,
    /// The end of what the node's log shows.
    pub log_end: Time,
}

impl NodeContext {
    /// Events of the node, in the order of time.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().map(|event| &**event)
    }
}

/// Pods that a node takes within this of each other are started at once.
pub const BURST_WINDOW: Nanos = Nanos(3 * SECOND);

/// One pod's start, complete.
#[derive(Clone, Debug, Default)]
pub struct Startup {
    /// The node it belongs to: a number of the tracker's.
    pub node: usize,
    /// `namespace/name`.
    pub pod: Box<str>,
    /// The pod's uid, when a line shows it. A static pod's is the hash of its manifest.
    pub uid: Option<Box<str>>,
    /// The kubelet's record, once written.
    pub observed: Option<Box<StartupRecord>>,
    /// When the record was written, and where it is.
    pub observed_at: Option<(Time, SourceLine)>,
    /// The record of its mirror, where the kubelet's own lines show the static pod's start.
    pub mirror: Option<Box<StartupRecord>>,
    /// A static pod: the record is its mirror's.
    pub static_pod: bool,
    /// The API asked to end it.
    pub deleted: Option<Time>,
    /// Admission refused it.
    pub rejected: Option<Time>,
    /// Its events in the order of time.
    pub events: Events,
    /// When its node's kubelet started, while it was on its way.
    pub restarts: Vec<Event>,
    /// When a line last mentioned it.
    pub last_event: Time,
    /// What its node was doing meanwhile.
    pub context: NodeContext,
    /// The runtime's pulls that are taken to be its own.
    pub transfers: Vec<Transfer>,
    /// The pod's object, where its start is known by the API alone or beside a log.
    pub object: Option<Box<PodStatus>>,
    /// The start is known by the API's objects alone: no line of a log is about it.
    pub by_objects: bool,
    /// What scheduler and autoscalers say of it in events, in the order of time.
    pub scheduling: Vec<Event>,
    /// A pull of it was under way beside another of its node: pulls are not serialized there.
    pub parallel_pulls: bool,
}

impl Startup {
    /// The first event of a fact.
    pub fn first(&self, fact: Fact) -> Option<&Event> {
        self.all(fact).next()
    }

    /// Every event of a fact.
    pub fn all(&self, fact: Fact) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.of(fact)
    }

    /// By how much later than its time the least known of its events may have been, where they are known by their ages.
    pub fn age_uncertainty(&self) -> Option<Nanos> {
        let all = self.events.iter().chain(&self.scheduling);
        all.filter_map(|event| event.fields.length(Field::Uncertainty)).max()
    }

    /// The namespace and the name.
    pub fn names(&self) -> (&str, &str) {
        self.pod.split_once('/').unwrap_or(("", &self.pod))
    }

    /// When the record says the API accepted "running".
    pub fn running(&self) -> Option<Time> {
        self.observed.as_deref()?.running.time()
    }
}

/// A node: what its log says of itself.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// It is no node, but stands for that of pods that have none yet.
    pub is_none: bool,
    /// The host in its frames, or the folder of its files.
    pub scope: Box<str>,
    /// The host in its frames.
    pub host: Option<Box<str>>,
    /// The name it registered with.
    pub registered: Option<Box<str>>,
    /// The kubelet's version.
    pub kubelet: Option<Box<str>>,
    /// The runtime's name and version.
    pub runtime: Option<Box<str>>,
    /// Flags seen, by name. The configuration file may override them.
    pub flags: BTreeMap<Box<str>, Box<str>>,
    /// How often a flag was new or had another value.
    pub flag_changes: u64,
    /// Which kubelet processes started when.
    pub starts: Vec<Event>,
    /// The first and the last instant its log covers, by the kubelet's lines where there are any.
    pub log_range: Option<(Time, Time)>,
    /// Messages journald dropped.
    pub suppressed: i64,
}

impl Node {
    /// The node's name for people: what it registered with, else the host.
    pub fn name(&self) -> Option<&str> {
        self.registered.as_deref().or(self.host.as_deref())
    }
}
