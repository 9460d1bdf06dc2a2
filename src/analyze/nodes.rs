//! What is known of nodes besides their logs: from their objects, and from the pages of their kubelets.

use std::collections::{BTreeMap, BTreeSet};

use crate::causes::setting::Settings;
use crate::model::object::{self, Object};
use crate::model::time::Time;

/// The largest clusters have 15,000 nodes.
const MAX_NODES: usize = 65_536;

/// What is known of a node.
#[derive(Debug, Default)]
pub(super) struct NodeFacts {
    /// Its kubelet's version.
    pub(super) kubelet: Option<Box<str>>,
    /// When it was last known to become ready, or not ready.
    ready: Option<(Time, bool)>,
    /// The settings in force.
    pub(super) settings: Settings,
}

/// The same of all nodes, by name.
#[derive(Debug, Default)]
pub(super) struct Nodes(BTreeMap<Box<str>, NodeFacts>);

impl Nodes {
    /// Takes a node's object; of others it takes nothing.
    pub(super) fn add(&mut self, object: &Object) {
        let version = object.text(&["status", "nodeInfo", "kubeletVersion"]);
        if version.is_empty() {
            return;
        }
        let Some(facts) = self.facts(object.text(&["metadata", "name"])) else { return };
        facts.kubelet = Some(version.into());
        let conditions = object.list(&["status", "conditions"]);
        let ready = conditions.iter().find(|condition| object::text(condition, &["type"]) == "Ready");
        if let Some(ready) = ready
            && let Some(since) = Time::from_rfc3339(object::text(ready, &["lastTransitionTime"]))
        {
            // Of several dumps of a node the latest change counts, in whatever order they come.
            facts.ready = facts.ready.max(Some((since, object::text(ready, &["status"]) == "True")));
        }
    }

    /// Nodes that are not ready.
    pub(super) fn not_ready(&self) -> BTreeSet<Box<str>> {
        let not_ready = self.0.iter().filter(|(_, facts)| facts.ready.is_some_and(|(_, ready)| !ready));
        not_ready.map(|(name, _)| name.clone()).collect()
    }

    /// What is known of a node, to be completed; none of one more than can be kept.
    pub(super) fn facts(&mut self, name: &str) -> Option<&mut NodeFacts> {
        let may = !name.is_empty() && (self.0.len() < MAX_NODES || self.0.contains_key(name));
        may.then(|| self.0.entry(name.into()).or_default())
    }

    /// The settings of a node.
    pub(super) fn settings(&self, name: Option<&str>) -> Option<&Settings> {
        self.0.get(name?).map(|facts| &facts.settings)
    }

    /// The version of each node's kubelet.
    pub(super) fn kubelets(&self) -> BTreeMap<Box<str>, Box<str>> {
        self.0.iter().filter_map(|(name, facts)| Some((name.clone(), facts.kubelet.clone()?))).collect()
    }
}
