//! Startups that are over → rows in the store, under their node's name.

use std::path::Path;
use std::sync::Arc;

use super::Options;
use super::nodes::Nodes;
use crate::breakdown::{self, Breakdown};
use crate::causes;
use crate::causes::setting::{Setting, Settings};
use crate::model::error::Error;
use crate::model::hash::HashMap;
use crate::model::startup::{Event, Node, Startup};
use crate::table::{Row, RowContext, Store, build_row};
use crate::track::Tracker;

/// Startups that are over, on their way to the store.
pub(super) struct RowSink<'a> {
    pub options: &'a Options,
    pub nodes: &'a Nodes,
    pub sources: Vec<Arc<str>>,
    /// The nodes' names, once settled: a node keeps the name its first startup got.
    pub names: Vec<Option<Box<str>>>,
    /// Rows of nodes that have no name yet: a bare klog file shows it only when the kubelet registers.
    pub waiting: Vec<(usize, Row)>,
    /// Startups that are over, of pods that were not ready then.
    pub unready: HashMap<u64, (Startup, Breakdown)>,
    /// What lines showed of such pods afterwards.
    pub settled: HashMap<u64, Vec<Event>>,
    /// Of each node, what its flags set, and after how many changes of them.
    flag_settings: HashMap<usize, (u64, Settings)>,
}

/// How many rows wait for their node's name.
const MAX_ROWS_WITHOUT_NODE: usize = 4096;

impl<'a> RowSink<'a> {
    pub(super) fn new(options: &'a Options, nodes: &'a Nodes, sources: Vec<String>) -> Self {
        let sources = sources.into_iter().map(Into::into).collect();
        let (names, waiting) = (Vec::new(), Vec::new());
        let (unready, settled, flag_settings) = (HashMap::default(), HashMap::default(), HashMap::default());
        RowSink { options, nodes, sources, names, waiting, unready, settled, flag_settings }
    }

    pub(super) fn take(&mut self, tracker: &mut Tracker, store: &mut Store) -> Result<(), Error> {
        // The queue of pulls is first come, first served: of pulls that end together the earlier request's is the one that
        // began first.
        if !tracker.has_closed() && self.waiting.len() <= MAX_ROWS_WITHOUT_NODE {
            return Ok(());
        }
        let mut all = tracker.take();
        all.sort_by_key(|closed| closed.startup.sandbox_ready());
        self.settled.extend(tracker.take_settled());
        for closed in all {
            let (pulls, awaits_ready) = (tracker.pulls_of(&closed.startup), closed.awaits_ready);
            let (startup, breakdown) = breakdown::break_down(closed, pulls);
            match awaits_ready {
                Some(number) => drop(self.unready.insert(number, (startup, breakdown))),
                None => self.finish(startup, breakdown, tracker, store)?,
            }
        }
        let mut settled: Vec<u64> =
            self.settled.keys().copied().filter(|number| self.unready.contains_key(number)).collect();
        settled.sort_unstable();
        for number in settled {
            let (Some(events), Some((mut startup, breakdown))) =
                (self.settled.remove(&number), self.unready.remove(&number))
            else {
                continue;
            };
            events.into_iter().for_each(|event| startup.events.push(event));
            self.finish(startup, breakdown, tracker, store)?;
        }
        if self.waiting.len() > MAX_ROWS_WITHOUT_NODE { self.release(tracker, store) } else { Ok(()) }
    }

    /// Writes the row of a startup of which nothing more will be known.
    fn finish(
        &mut self,
        startup: Startup,
        mut breakdown: Breakdown,
        tracker: &Tracker,
        store: &mut Store,
    ) -> Result<(), Error> {
        let unknown = Node::default();
        let number = startup.node;
        let node = tracker.nodes.get(number).unwrap_or(&unknown);
        let (namespace, pod) = startup.names();
        let traits = store.owners.traits(namespace, pod, startup.uid.as_deref());
        breakdown::readiness::note(&startup, &mut breakdown, traits);
        let case = causes::Case { startup: &startup, breakdown: &breakdown, traits };
        let findings = causes::judge(&case);
        breakdown.state = causes::state(&case, &findings);
        self.names.resize(self.names.len().max(tracker.nodes.len()), None);
        let name = match self.names.get_mut(number) {
            Some(settled) => {
                if settled.is_none() {
                    *settled = self.options.node.as_deref().or(node.name()).map(Into::into);
                }
                settled.as_deref()
            }
            None => None,
        };
        let of_flags = || (node.flag_changes, Settings::of_flags(&node.flags));
        let (changes, known) = self.flag_settings.entry(number).or_insert_with(of_flags);
        if *changes != node.flag_changes {
            (*changes, *known) = of_flags();
        }
        let mut settings = known.clone();
        if let Some(known) = self.nodes.settings(name) {
            settings = settings.over(known);
        }
        settings = settings.over(&self.options.settings);
        if startup.parallel_pulls && settings.pull_concurrency().is_none() {
            settings.set(Setting::SerializeImagePulls, "false");
        }
        let context = RowContext {
            node: name,
            kubelet: node.kubelet.as_deref(),
            sources: &self.sources,
            settings: &settings,
            object: traits.is_some(),
        };
        let row = build_row(&startup, &breakdown, &findings, &context);
        if row.node.is_some() || node.is_none {
            store.push(row)?
        } else {
            self.waiting.push((number, row))
        }
        Ok(())
    }

    /// Rows that waited for their node's name go on with what is known by now.
    pub(super) fn release(&mut self, tracker: &Tracker, store: &mut Store) -> Result<(), Error> {
        for (number, mut row) in std::mem::take(&mut self.waiting) {
            let node = tracker.nodes.get(number);
            let settled = self.names.get(number).and_then(Option::as_deref);
            let folder = node.and_then(|node| folder_name(node, &tracker.nodes));
            let name =
                settled.or(node.and_then(|node| node.name())).or(folder).or(self.options.default_node.as_deref());
            row.node = name.map(Into::into);
            store.push(row)?;
        }
        Ok(())
    }
}

/// The folder of a node that no line names, where there are several of those: as much of its path as tells them apart.
fn folder_name<'a>(node: &'a Node, nodes: &[Node]) -> Option<&'a str> {
    let last = |node: &'a Node| Path::new(&*node.scope).file_name()?.to_str();
    let mut unnamed = nodes.iter().filter(|other| other.name().is_none() && other.scope != node.scope).peekable();
    unnamed.peek()?;
    let unique = unnamed.all(|other| Path::new(&*other.scope).file_name() != Path::new(&*node.scope).file_name());
    if unique { last(node) } else { Some(node.scope.trim_end_matches('/')) }
}
