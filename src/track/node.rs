//! What is remembered of a node for the startups on it: its own events, its pulls, how its pods got on.

use std::collections::VecDeque;
use std::sync::Arc;

use super::open::OpenStartup;
use crate::model::record::{Fact, Field, StartupRecord};
use crate::model::startup::{BURST_WINDOW, Event, NeighbourStats, Node, NodeContext};
use crate::model::time::{Nanos, SECOND, Time};

/// How many events of a node (throttling, pulls) are remembered, each kind.
const NODE_EVENTS: usize = 8192;
/// How many of them are given to one startup.
const MAX_CONTEXT_EVENTS: usize = 40;
/// How many relists are given to one startup.
const MAX_CONTEXT_RELISTS: usize = 1024;
/// How many are remembered: those of a startup, and of as long after it until it is over.
const NODE_RELISTS: usize = 2 * MAX_CONTEXT_RELISTS;
/// Lines of one relist are written within a few milliseconds.
const ONE_RELIST: Nanos = Nanos(SECOND / 20);

/// What a node needs to remember for its pods.
#[derive(Debug, Default)]
pub(super) struct NodeState {
    /// The next list of pods is the one that a starting kubelet gets: old pods and new ones.
    pub(super) first_list: bool,
    pub(super) pid: Option<u32>,
    /// The process that registered it.
    pub(super) registered_by: Option<u32>,
    /// When its kubelet last started: what it says of pods for a while may be of pods that ran before.
    pub(super) started: Option<Time>,
    /// In the order of time.
    pub(super) events: VecDeque<Arc<Event>>,
    /// When its pods were first spoken of.
    pub(super) taken: VecDeque<Time>,
    /// When its kubelet's relists noticed anything, in the order of time.
    pub(super) relists: VecDeque<Time>,
    /// How its pods got on, by when they ran.
    pub(super) pod_latencies: VecDeque<(Time, NeighbourStats)>,
    pub(super) by_kubelet: bool,
    /// When the last line was whose time is known to the second only.
    last_whole_second: Time,
}

impl NodeState {
    /// Lines of one second whose times have no fraction keep their order: each is put a nanosecond after the one before.
    pub(super) fn in_order(&mut self, time: Time) -> Time {
        let same = self.last_whole_second.0.div_euclid(SECOND) == time.0.div_euclid(SECOND);
        self.last_whole_second = if same { self.last_whole_second + Nanos(1) } else { time };
        self.last_whole_second
    }

    /// Counts a startup among the pods that the node took, once it is known to be one: at its first line, which may be
    /// before others that are known.
    pub(super) fn take(&mut self, startup: &mut OpenStartup) {
        let Some(time) = startup.events.first().map(|event| event.time) else { return };
        if !startup.confirmed || std::mem::replace(&mut startup.taken, true) {
            return;
        }
        let at = self.taken.partition_point(|known| *known <= time);
        self.taken.insert(at, time);
        if self.taken.len() > NODE_EVENTS {
            self.taken.pop_front();
        }
    }

    /// Something happened on it, perhaps before other things that are known.
    pub(super) fn push_event(&mut self, event: Event) {
        let at = self.events.partition_point(|known| known.time <= event.time);
        self.events.insert(at, Arc::new(event));
        if self.events.len() > NODE_EVENTS {
            self.events.pop_front();
        }
    }

    /// A relist noticed something.
    pub(super) fn relisted(&mut self, time: Time) {
        if self.relists.back().is_none_or(|last| time - *last >= ONE_RELIST) {
            self.relists.push_back(time);
            if self.relists.len() > NODE_RELISTS {
                self.relists.pop_front();
            }
        }
    }

    /// How much is remembered.
    #[cfg(any(test, feature = "internals"))]
    pub(super) fn held(&self) -> usize {
        self.events.len() + self.taken.len() + self.relists.len() + self.pod_latencies.len()
    }

    /// What happened around a startup that is over; restarts of the kubelet that it waited for are added to it.
    pub(super) fn context(&self, startup: &mut OpenStartup, node: &Node) -> NodeContext {
        let (from, to) = startup.events.first().map_or((startup.last_event, startup.last_event), |first| {
            (first.time, startup.running().unwrap_or(startup.last_event))
        });
        let near = self.events.partition_point(|event| event.time < from);
        let before = self.events.range(..near).rev().take_while(|event| event.time >= from - LISTED);
        let takes = startup.events.first().is_some_and(|first| first.fact == Fact::PodAdded);
        let throttled_list = before.filter(|_| takes && !startup.static_pod).find(|event| lists_pods(event)).cloned();
        let near = self.events.range(near..).take_while(|event| event.time <= to + Nanos(SECOND));
        // Taken in the order of time, so the burst is a range.
        let first = self.taken.partition_point(|time| *time < from - BURST_WINDOW);
        let last = self.taken.partition_point(|time| *time <= from + BURST_WINDOW);
        add_earlier_restarts(startup, node, from);
        let relists = self.relists.range(self.relists.partition_point(|time| *time < from)..);
        NodeContext {
            relists: relists
                .take_while(|time| **time <= to + Nanos(SECOND))
                .take(MAX_CONTEXT_RELISTS)
                .copied()
                .collect(),
            events: near.take(MAX_CONTEXT_EVENTS).cloned().collect(),
            throttled_list,
            concurrent_starts: last.saturating_sub(first).saturating_sub(usize::from(startup.taken)),
            neighbours: startup.running().and_then(|running| neighbours(&self.pod_latencies, running)),
            log_begin: node.log_range.map(|(from, _)| from),
            log_end: node.log_range.map_or(startup.last_event, |(_, to)| to),
        }
    }
}

/// The kubelet takes the pods of an answer within this after it asked for them.
const LISTED: Nanos = Nanos(SECOND);

/// Whether it is the kubelet's request for the pods of its node (a list, or the watch that follows), which its rate limit held back.
fn lists_pods(event: &Event) -> bool {
    event.fact == Fact::Throttled
        && event.mentions("client-side throttling")
        && event
            .fields
            .text(Field::Url)
            .is_some_and(|url| url.contains("/api/v1/pods?") && url.contains("spec.nodeName"))
}

/// A kubelet that started after the pod was created and before it took the pod made it wait. Creation is cut to whole
/// seconds, so the pod may be up to one younger than it says.
fn add_earlier_restarts(startup: &mut OpenStartup, node: &Node, taken: Time) {
    let Some(created) = startup.observed.as_deref().and_then(|observed| observed.created.time()) else { return };
    for start in &node.starts {
        // The first start that the log shows is a boot, or the log's beginning: nothing was there to restart.
        let again = node.log_range.is_some_and(|(first, _)| start.time - first > Nanos(SECOND));
        let between = start.time > created + Nanos(SECOND) && start.time <= taken + Nanos(SECOND);
        if again && between && !startup.restarts.contains(start) {
            startup.restarts.push(start.clone());
        }
    }
}

/// Adds to what a node remembers; the oldest goes.
pub(super) fn push_bounded<T>(all: &mut VecDeque<T>, new: T) {
    all.push_back(new);
    if all.len() > NODE_EVENTS {
        all.pop_front();
    }
}

/// When a pod ran, and how long its sandbox and its report took, by the lines there are.
pub(super) fn pod_latency(startup: &OpenStartup, observed: &StartupRecord) -> Option<(Time, NeighbourStats)> {
    let running = observed.running.time()?;
    let started = |event: &&Event| event.fields.text(Field::Type) == Some("ContainerStarted") && event.time <= running;
    let noticed = startup.events.of(Fact::PlegEvent).rev().find(started)?.time;
    let needed = startup.events.of(Fact::SandboxNeeded).rev().find(|event| event.time <= noticed);
    let asked = startup.first(Fact::SandboxRequested).or(needed)?.time;
    let ready = startup.first(Fact::SandboxReady).or(startup.first(Fact::PlegEvent))?.time;
    Some((running, NeighbourStats { reported: running - noticed, sandbox: ready - asked, start: noticed - ready }))
}

/// How others got on that ran within half a minute of an instant, two at least beside the pod itself.
fn neighbours(pod_latencies: &VecDeque<(Time, NeighbourStats)>, at: Time) -> Option<NeighbourStats> {
    // They come in about the order of time: those of some minutes before are not looked at.
    let late = pod_latencies.iter().rev().take_while(|(time, _)| at - *time < Nanos(300 * SECOND));
    let near = late.filter(|(time, _)| (*time - at).abs() <= Nanos(30 * SECOND) && *time != at);
    let near: Vec<&NeighbourStats> = near.map(|(_, others)| others).collect();
    let of = |length: fn(&NeighbourStats) -> Nanos| near.iter().map(|others| length(others)).collect::<Vec<Nanos>>();
    let (mut reported, mut sandbox) = (of(|others| others.reported), of(|others| others.sandbox));
    let mut start = of(|others| others.start);
    let count = near.len();
    (count >= 2).then(|| NeighbourStats {
        reported: *reported.select_nth_unstable(count / 2).1,
        sandbox: *sandbox.select_nth_unstable(count / 4).1,
        start: *start.select_nth_unstable(count / 2).1,
    })
}
