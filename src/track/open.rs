//! A startup while it is being collected, and as it leaves the tracker.

use super::objects::PodObjects;
use crate::model::record::{Fact, Field, Record, SourceLine, StartupRecord};
use crate::model::startup::{Event, Events, NodeContext};
use crate::model::time::{Nanos, SECOND, Time};

/// What the lines say of one pod's start so far.
#[derive(Clone, Debug, Default)]
pub struct OpenStartup {
    /// The node it belongs to: a number of the tracker's.
    pub node: usize,
    /// `namespace/name`.
    pub pod: Box<str>,
    /// The pod's uid, once a line showed it.
    pub uid: Option<Box<str>>,
    /// The kubelet's record, once written.
    pub observed: Option<Box<StartupRecord>>,
    /// When the record was written, and where it is.
    pub observed_at: Option<(Time, SourceLine)>,
    /// A line of the kubelet shows that it is this node's.
    pub by_kubelet: bool,
    /// The node whose runtime's lines mention it.
    pub runtime_node: Option<usize>,
    /// A static pod: the record is its mirror's.
    pub static_pod: bool,
    /// Some line proves that the pod started here, and is not one that was there before.
    pub confirmed: bool,
    /// It is among the pods that its node took.
    pub taken: bool,
    /// The API asked to end it.
    pub deleted: Option<Time>,
    /// Admission refused it.
    pub rejected: Option<Time>,
    /// Its events, as they came.
    pub events: Events,
    /// When its node's kubelet started, while it was on its way.
    pub restarts: Vec<Event>,
    /// When one of its containers last exited, or waited to be started again, after the record.
    pub exited: Option<Time>,
    /// When the kubelet last said that a pull of it failed.
    pub pull_failed: Option<Time>,
    /// It had run, and its sandbox was made anew: what comes is no part of its start.
    pub restarted: bool,
    /// When a line last mentioned it.
    pub last_event: Time,
    /// What the API's objects show of it.
    pub objects: Option<Box<PodObjects>>,
}

/// A container that ran for so long was up: one in a crash loop exits within seconds.
const UP: Nanos = Nanos(30 * SECOND);

impl OpenStartup {
    /// A line of a node's kubelet is about it: it is that node's, whatever log of the runtime showed it first.
    pub(super) fn settle_node(&mut self, node: usize) {
        if !std::mem::replace(&mut self.by_kubelet, true) && self.node != node {
            self.node = node;
            self.taken = false;
        }
    }

    /// Adds an event.
    pub(super) fn push(&mut self, event: Event) {
        let ends = match event.fact {
            Fact::ContainerExited => true,
            Fact::PlegEvent => event.fields.text(Field::Type) == Some("ContainerDied"),
            Fact::SyncFailed | Fact::ContainerFailed => event.fields.text(Field::Reason) == Some("CrashLoopBackOff"),
            _ => false,
        };
        if ends && self.observed.is_some() {
            self.exited = self.exited.max(Some(event.time));
        }
        self.last_event = self.last_event.max(event.time);
        self.events.push(event);
    }

    /// Whether a record begins the pod's second life on its node, after a reboot of the node or a restart of the runtime: its
    /// containers had started and stayed. Only the runtime's lines need this: the kubelet's show when a pod ran.
    pub(super) fn is_restart(&self, record: &Record, time: Time) -> bool {
        let again =
            record.fact == Fact::SandboxRequested && record.fields.number(Field::Attempt).is_some_and(|n| n > 0);
        if !again || !self.events.iter().all(|event| event.from_runtime) {
            return false;
        }
        let started = self.events.of(Fact::ContainerStarted).map(|event| event.time).max();
        let quick = |event: &Event| started.is_some_and(|started| event.time >= started && event.time < started + UP);
        started.is_some_and(|started| time - started > UP) && !self.events.of(Fact::ContainerExited).any(quick)
    }

    /// The first event of a fact.
    pub(super) fn first(&self, fact: Fact) -> Option<&Event> {
        self.events.of(fact).next()
    }

    /// When its first sandbox was there: then its first pull is asked for.
    pub fn sandbox_ready(&self) -> Option<Time> {
        self.first(Fact::SandboxReady).map(|event| event.time)
    }

    /// When the record says the API accepted "running".
    pub(super) fn running(&self) -> Option<Time> {
        self.observed.as_deref()?.running.time()
    }
}

/// A startup that is over: its events are in the order of time.
#[derive(Clone, Debug)]
pub struct ClosedStartup {
    /// What the lines say of it.
    pub startup: OpenStartup,
    /// What its node was doing meanwhile.
    pub context: NodeContext,
    /// The pod was not ready yet when its startup was over; by this number the tracker tells what came then.
    pub awaits_ready: Option<u64>,
}
