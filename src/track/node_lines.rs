//! What the lines of a node say of the node itself: its kubelet, its runtime, its settings, its name, how long its log is.

use super::Tracker;
use super::node::NodeState;
use crate::model::record::{Fact, Field, Record};
use crate::model::startup::{Event, Node};
use crate::model::time::{Nanos, SECOND, Time};

impl Tracker {
    /// Notes by whose lines the node is known, and from when to when they are.
    pub(super) fn note_coverage(&mut self, record: &Record, time: Time, node: usize) {
        let (known, state) = (&mut self.nodes[node], &mut self.states[node]);
        // The runtime's log may go on after the kubelet's: then it does not say how long a pod has been waiting.
        if !record.from_runtime && !state.by_kubelet {
            state.by_kubelet = true;
            known.log_range = None;
        }
        if record.from_runtime != state.by_kubelet {
            let (from, to) = known.log_range.unwrap_or((time, time));
            known.log_range = Some((from.min(time), to.max(time)));
        }
        if let (false, Some(pid), Fact::KubeletVersion) = (record.from_runtime, record.pid, record.fact) {
            state.pid = Some(pid);
        }
    }

    /// Takes a line about the node.
    pub(super) fn describe(&mut self, record: Record, time: Time, node: usize) {
        let text = |field| record.fields.text(field).map(Box::from);
        let known = &mut self.nodes[node];
        match record.fact {
            Fact::KubeletVersion => {
                known.kubelet = text(Field::Version).or(known.kubelet.take());
                self.restarted(&Event::of(record, time), node, true);
            }
            Fact::RuntimeVersion => {
                let parts = [record.fields.text(Field::Runtime), record.fields.text(Field::Version)];
                known.runtime = Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" ").into());
            }
            Fact::Flag => {
                let (flag, value) = (record.fields.text(Field::Flag), record.fields.text(Field::Value));
                if let (Some(flag), Some(value)) = (flag, value)
                    && known.flags.len() < 1000
                    && known.flags.get(flag).is_none_or(|known| **known != *value)
                {
                    known.flags.insert(flag.into(), value.into());
                    known.flag_changes += 1;
                }
            }
            Fact::NodeRegistered => {
                if let Some(name) = text(Field::Node) {
                    self.register(node, name, record.pid);
                }
            }
            _ => known.suppressed += record.fields.number(Field::Count).unwrap_or(0),
        }
    }

    /// Notes a node's own name. Where a log store's records name another host for the same name, that is another machine, unless
    /// it is the same kubelet or the same host in short.
    fn register(&mut self, node: usize, name: Box<str>, process: Option<u32>) {
        let (Some(known), Some(state)) = (self.nodes.get(node), self.states.get(node)) else { return };
        let short = |host: &str| host.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let host = known.host.as_deref().map(short).filter(|host| host != "localhost");
        let process = process.or(state.registered_by);
        let is_other = |(other, state): (&Node, &NodeState)| {
            let other_host = other.host.as_deref().map(short).filter(|host| host != "localhost");
            other.registered.as_ref() == Some(&name)
                && other_host.is_some_and(|other| host.as_ref().is_some_and(|host| *host != other))
                && process.is_some_and(|process| state.registered_by.is_some_and(|other| process != other))
        };
        if self.nodes.iter().zip(&self.states).any(is_other) {
            self.shared_names.insert(name.clone());
        }
        let is_shared = host.is_some() && self.shared_names.contains(&name);
        if let (Some(known), Some(state)) = (self.nodes.get_mut(node), self.states.get_mut(node)) {
            state.registered_by = process;
            if !is_shared {
                known.registered = Some(name);
            }
        }
    }

    /// The kubelet's version line comes first in its life; logs without it show at least the main loop's start.
    pub(super) fn restarted(&mut self, start: &Event, node: usize, by_version: bool) {
        let starts = &mut self.nodes[node].starts;
        let same_life = !by_version && starts.last().is_some_and(|last| start.time - last.time < Nanos(120 * SECOND));
        if same_life || starts.len() >= 1000 {
            return;
        }
        starts.push(start.clone());
        self.states[node].first_list = true;
        self.states[node].started = Some(start.time);
        for startup in self.open.values_mut().filter(|open| open.node == node && open.observed.is_none()) {
            startup.restarts.push(start.clone());
        }
    }
}
