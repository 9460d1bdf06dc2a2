//! Follows pods through the records: which startup a line belongs to, and when a startup is over. The only stage that
//! remembers between lines, and bounded: a startup leaves by its end, by its age in log time, or by the cap, each counted.

mod aliases;
mod closing;
mod correlate;
mod failed_mirrors;
mod node;
mod node_lines;
mod objects;
mod open;
mod pulls;
mod readiness;
mod unready;

use std::collections::{BTreeMap, BTreeSet};

use aliases::{Aliases, RecentSet};
use node::{NodeState, pod_latency, push_bounded};
pub use open::{ClosedStartup, OpenStartup};
pub use pulls::{FinishedPull, ImageRemovals, NodePulls, Pulls};
pub use readiness::Readiness;
use unready::Unready;

use crate::model::hash::HashMap;
use crate::model::record::{Fact, Field, Record, RecordedTime};
use crate::model::startup::{Event, Node};
use crate::model::time::{Nanos, SECOND, Time};

/// Bounds of the tracker's memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open startups, beyond which the least recently touched leave.
    pub open: usize,
    /// How long after its record a startup is held open for lines that still belong to it.
    pub settle: Nanos,
    /// How long it is held after one of its containers exited: it may be in a crash loop.
    pub crash_loop: Nanos,
    /// How long an unfinished startup may go without any line.
    pub age: Nanos,
    /// How many closed startups are remembered, so that the same record twice counts once.
    pub remembered: usize,
}

impl Default for Limits {
    /// 65,536 open startups (a node holds a few hundred pods), 30 s to settle (the relist after the record takes 1 s, a
    /// slow one some seconds more), 330 s in a crash loop (the longest back-off is 300 s), 24 h of silence, 200,000 remembered (some 10 MiB).
    fn default() -> Self {
        Limits {
            open: 65_536,
            settle: Nanos(30 * SECOND),
            crash_loop: Nanos(330 * SECOND),
            age: Nanos(24 * 3600 * SECOND),
            remembered: 200_000,
        }
    }
}

/// What the tracker counted.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Startups that left because the pod ended or the record had settled.
    pub ended: u64,
    /// Startups that left because nothing was said of them for long.
    pub aged: u64,
    /// Startups that left because too many were open.
    pub capped: u64,
    /// The same record a second time.
    pub duplicates: u64,
    /// Pods that were there before the log or the kubelet's start: no startups.
    pub existing: u64,
    /// Events not kept for the bound of one startup.
    pub dropped_events: u64,
}

type Id = u64;

/// See the module.
#[derive(Debug, Default)]
pub struct Tracker {
    limits: Limits,
    /// What the nodes say of themselves.
    pub nodes: Vec<Node>,
    /// What was counted.
    pub counts: Counts,
    states: Vec<NodeState>,
    pulls: Vec<Pulls>,
    removals: Vec<ImageRemovals>,
    by_scope: HashMap<Box<str>, usize>,
    open: HashMap<Id, OpenStartup>,
    next: Id,
    by_uid: HashMap<Box<str>, Id>,
    by_name: HashMap<Box<str>, Id>,
    by_object: HashMap<Box<str>, Id>,
    aliases: HashMap<Id, Aliases>,
    closed: RecentSet,
    /// Names of pods that have started and not been removed since: lines that only name them begin nothing.
    already_running: RecentSet,
    /// Closed, and waiting for others of their burst.
    closed_startups: Vec<ClosedStartup>,
    /// Closed, with all of their burst.
    complete: Vec<ClosedStartup>,
    /// Closed, and not known to be ready yet.
    unready: Unready,
    last_sweep: Time,
    /// What the API's objects show.
    objects: objects::Objects,
    /// There are logs too.
    pub beside_logs: bool,
    /// The versions of kubelets, as the nodes' objects show them.
    pub kubelets: BTreeMap<Box<str>, Box<str>>,
    /// Nodes that are not ready, as their objects show it.
    pub not_ready: BTreeSet<Box<str>>,
    /// Names under which several machines registered: those are called by their hosts.
    pub shared_names: BTreeSet<Box<str>>,
}

/// For so long after its start a kubelet takes up the pods that ran before: within 5 s in captures.
const TAKING_UP: Nanos = Nanos(10 * SECOND);

/// Lines after which a pod is known to be starting here, and not just there.
fn confirms_start(record: &Record) -> bool {
    match record.fact {
        Fact::SandboxNeeded
        | Fact::DynamicResourcesRequested
        | Fact::DynamicResourcesFailed
        | Fact::SandboxRequested
        | Fact::SandboxFailed
        | Fact::StartupObserved
        | Fact::PullRequested
        | Fact::PullFinished
        | Fact::ImageVolumePulled
        | Fact::PullFailed
        | Fact::PullBackoff
        | Fact::RunningMarked
        | Fact::NetworkNotReady => true,
        // What crashes again has run before, and volumes of running pods are mounted anew.
        Fact::SyncFailed | Fact::ContainerFailed => match record.fields.text(Field::Reason) {
            Some(reason) => {
                !matches!(reason, "CrashLoopBackOff" | "BackOff" | "KillContainerError" | "KillPodSandboxError")
            }
            None => record.fact == Fact::SyncFailed && record.fields.line().contains("unmounted volumes="),
        },
        _ => false,
    }
}

/// Lines that show a pod starting, unless its kubelet has just started: then the pod may have run before.
fn takes_pod(fact: Fact) -> bool {
    matches!(fact, Fact::PodAdmitted | Fact::SyncStarted | Fact::VolumesAwaited | Fact::VolumeVerifyStarted)
}

impl Tracker {
    /// A tracker with these bounds.
    pub fn new(limits: Limits) -> Self {
        Tracker { limits, ..Tracker::default() }
    }

    /// The node of a scope: a host named by frames, or the folder of bare files.
    pub fn node(&mut self, scope: &str, host: Option<&str>) -> usize {
        if let Some(known) = self.by_scope.get(scope) {
            return *known;
        }
        let number = self.nodes.len();
        self.nodes.push(Node { scope: scope.into(), host: host.map(Into::into), ..Node::default() });
        self.states.push(NodeState::default());
        self.pulls.push(Pulls::default());
        self.removals.push(ImageRemovals::default());
        self.by_scope.insert(scope.into(), number);
        number
    }

    /// Whether there is anything to take.
    pub fn has_closed(&self) -> bool {
        !self.complete.is_empty() || self.unready.has_settled()
    }

    /// Takes the startups that are over.
    pub fn take(&mut self) -> Vec<ClosedStartup> {
        std::mem::take(&mut self.complete)
    }

    /// Takes the pods of which no more is awaited, by their startups' `awaits_ready`: what lines showed after the startups were over.
    pub fn take_settled(&mut self) -> Vec<(u64, Vec<Event>)> {
        self.unready.take()
    }

    /// The pulls of the node whose runtime mentions a startup, as far as the records taken show them.
    pub fn pulls_of(&mut self, startup: &OpenStartup) -> Option<NodePulls<'_>> {
        let pulls = self.pulls.get_mut(startup.runtime_node?)?;
        Some(NodePulls { pulls, removals: self.removals.get(startup.node)? })
    }

    /// How many things it holds: startups and their events, names that lead to them, what it remembers of nodes and of
    /// closed startups. Each has a bound, whatever the input.
    #[cfg(any(test, feature = "internals"))]
    pub fn held(&self) -> usize {
        let closed = self.closed_startups.iter().map(|closed| &closed.startup);
        let startups = self.open.values().chain(closed).map(|open| 1 + open.events.len() + open.restarts.len());
        let aliases = self.aliases.values().map(|aliases| aliases.uids.len() + aliases.objects.len());
        let nodes = self.states.iter().map(NodeState::held);
        let pulls = self.pulls.iter().map(Pulls::held).chain(self.removals.iter().map(ImageRemovals::held));
        let maps = self.by_name.len() + self.by_uid.len() + self.by_object.len() + self.unready.held();
        let known = self.nodes.iter().map(|node| 1 + node.flags.len() + node.starts.len());
        let remembered = self.closed.held() + self.already_running.held();
        let maps = maps + self.objects.held();
        startups.chain(aliases).chain(nodes).chain(pulls).chain(known).sum::<usize>() + maps + remembered
    }

    /// Takes one record, in the order of time (small disorder does no harm).
    pub fn push(&mut self, record: Record, time: Time, node: usize) {
        let time = if record.whole_second && !record.from_api { self.states[node].in_order(time) } else { time };
        self.note_coverage(&record, time, node);
        if !record.from_runtime && matches!(record.fact, Fact::PlegEvent | Fact::ContainerExited) {
            self.states[node].relisted(time);
        }
        match record.fact {
            Fact::KubeletVersion
            | Fact::RuntimeVersion
            | Fact::Flag
            | Fact::NodeRegistered
            | Fact::MessagesSuppressed => {
                self.describe(record, time, node);
            }
            Fact::KubeletStarted => self.restarted(&Event::of(record, time), node, false),
            Fact::TransferStarted | Fact::TransferFinished | Fact::TransferFailed | Fact::RegistryHostFailed => {
                // The kubelet's own lines about the call say the same some milliseconds later, without an end.
                if record.from_runtime {
                    self.pulls[node].push(&record, time);
                }
            }
            Fact::RuntimeStarted => self.pulls[node].interrupt(time),
            Fact::Throttled
            | Fact::PlegUnhealthy
            | Fact::HousekeepingLate
            | Fact::ImageGc
            | Fact::DynamicResourcesPrepared
            | Fact::CredentialsFailed => {
                if record.fact == Fact::ImageGc {
                    self.removals[node].push(time, record.place);
                }
                self.states[node].push_event(Event::of(record, time));
            }
            Fact::PodAdded | Fact::PodDeleted | Fact::PodRemoved => self.listed(record, time, node),
            Fact::StartupObserved => self.observed(record, time, node),
            _ => match self.startup_for(&record, node) {
                Some(id) => self.attach(id, record, time, node),
                None => self.unready.push(record, time),
            },
        }
        if time - self.last_sweep > Nanos(10 * SECOND) || self.open.len() > self.limits.open {
            self.sweep(time);
        }
    }

    fn listed(&mut self, mut record: Record, time: Time, node: usize) {
        let from_api = record.fields.text(Field::Source) == Some("api");
        let from_file = record.fields.text(Field::Source) == Some("file");
        let first_list = from_api && record.fact == Fact::PodAdded && std::mem::take(&mut self.states[node].first_list);
        // A list may be long: each pod's event is to hold the line without it.
        let pods = record.fields.take_pods();
        let event = Event::of(record, time);
        for pod in &pods {
            self.unready.end(pod);
            let known = self.named(pod);
            let id = match (known, event.fact) {
                (Some(id), _) => id,
                // A starting kubelet lists old pods too; one that was seen to start is not new.
                (None, Fact::PodAdded) if first_list && self.already_running.contains(pod) => continue,
                (None, Fact::PodAdded) => self.begin(pod, node),
                (None, Fact::PodRemoved) => {
                    self.already_running.remove(pod);
                    continue;
                }
                (None, _) => continue,
            };
            let Some(startup) = self.open.get_mut(&id) else { continue };
            startup.settle_node(node);
            let event = event.clone();
            match event.fact {
                Fact::PodAdded => {
                    startup.confirmed |= from_api && !first_list;
                    startup.static_pod |= from_file;
                    startup.push(event);
                    self.states[startup.node].take(startup);
                }
                Fact::PodDeleted => {
                    startup.deleted.get_or_insert(time);
                    startup.push(event);
                }
                _ => {
                    startup.push(event);
                    self.close(id, false);
                    self.already_running.remove(pod);
                }
            }
        }
    }

    fn observed(&mut self, mut record: Record, time: Time, node: usize) {
        let Some(observed) = record.startup_record.take() else { return };
        let Some(pod) = record.fields.text(Field::Pod) else { return };
        // What distinguishes one life of a name from another, spelt as numbers: that is quick.
        let noted = |noted: RecordedTime| match noted {
            RecordedTime::Unknown => -2,
            RecordedTime::Never => -1,
            RecordedTime::At(time) => time.0,
        };
        let (slo, e2e) = (observed.slo.map_or(0, f64::to_bits), observed.e2e.map_or(0, |span| span.0));
        let life = format!("{pod} {} {} {slo} {e2e}", noted(observed.created), noted(observed.watched));
        if self.closed.contains(&life) {
            self.counts.duplicates += 1;
            return;
        }
        let id = match self.named(pod) {
            Some(id) if self.open.get(&id).is_some_and(|open| open.observed.is_some()) => {
                // One record a pod: a second one is a second pod under the same name.
                self.close(id, false);
                self.begin(pod, node)
            }
            Some(id) => id,
            None => self.begin(pod, node),
        };
        self.closed.insert(&life, self.limits.remembered);
        if let Some(startup) = self.open.get_mut(&id) {
            if let Some(pod_latency) = pod_latency(startup, &observed) {
                push_bounded(&mut self.states[node].pod_latencies, pod_latency);
            }
            startup.settle_node(node);
            startup.observed = Some(observed);
            startup.observed_at = Some((time, record.place));
            startup.confirmed = true;
            self.states[startup.node].take(startup);
            startup.push(Event::of(record, time));
        }
    }

    fn attach(&mut self, id: Id, record: Record, time: Time, node: usize) {
        for field in [Field::Sandbox, Field::ContainerId] {
            if let Some(object) = record.fields.text(field)
                && !self.by_object.contains_key(object)
            {
                Aliases::link(&mut self.aliases.entry(id).or_default().objects, &mut self.by_object, object, id);
            }
        }
        let Some(startup) = self.open.get_mut(&id) else { return };
        startup.restarted |= startup.is_restart(&record, time);
        if startup.restarted && record.from_runtime {
            startup.last_event = startup.last_event.max(time);
            return;
        }
        if !record.from_runtime {
            startup.settle_node(node);
        }
        let state = &mut self.states[startup.node];
        let taking_up = state.started.is_some_and(|started| time - started < TAKING_UP);
        // A starting kubelet's first list holds old pods too: one counts once it proves to start.
        let listed = startup.events.first().is_some_and(|event| event.fact == Fact::PodAdded);
        startup.confirmed |= confirms_start(&record) || (takes_pod(record.fact) && !taking_up && !listed);
        if record.from_runtime {
            startup.runtime_node = Some(node);
        }
        if record.fields.text(Field::Reason) == Some("ErrImagePull") && !record.from_runtime {
            // The kubelet writes of each container that failed, then of the sync: that is no failure of another pod's request.
            let last = startup.pull_failed.replace(time).filter(|_| record.fact == Fact::SyncFailed);
            let again = last.is_some_and(|last| time - last < Nanos(SECOND));
            let pulls = startup.runtime_node.and_then(|node| self.pulls.get_mut(node));
            if let (Some(pulls), false) = (pulls, again) {
                pulls.failed(&record, time);
            }
        }
        if record.fact == Fact::PodRejected {
            startup.rejected.get_or_insert(time);
            startup.confirmed = true;
        }
        startup.push(Event::of(record, time));
        state.take(startup);
    }

    fn begin(&mut self, pod: &str, node: usize) -> Id {
        let id = self.next;
        self.next += 1;
        self.unready.end(pod);
        let startup = OpenStartup { node, pod: pod.into(), ..OpenStartup::default() };
        self.open.insert(id, startup);
        self.by_name.insert(pod.into(), id);
        self.already_running.remove(pod);
        id
    }

    /// A pod's open startup by its name: a name belongs to one pod of a cluster at a time.
    fn named(&self, pod: &str) -> Option<Id> {
        self.by_name.get(pod).copied().filter(|id| self.open.contains_key(id))
    }
}
