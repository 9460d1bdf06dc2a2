//! Which labels distinguish nodes: they differ between set-ups, so they are found by looking at the kubelets' series.

use std::collections::{BTreeMap, BTreeSet};

use super::response::Labels;

/// Labels that name a node, the best first. `instance` is always there: an address and port.
const NODE_LABELS: &[&str] = &[
    "node",
    "kubernetes_io_hostname",
    "node_name",
    "nodename",
    "kubernetes_node",
    "k8s_node_name",
    "hostname",
    "host",
    "exported_node",
    "instance",
];
/// Labels that name a cluster, where one server holds several.
const CLUSTER_LABELS: &[&str] = &["cluster", "k8s_cluster_name", "cluster_name"];

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeLabels {
    /// The label that names the node.
    pub node: String,
    /// The label that names the cluster, where there are several.
    pub cluster: Option<String>,
    /// Labels that differ among the series of one node: it is scraped more than once.
    pub replica_labels: Vec<String>,
    /// The jobs that scrape kubelets.
    pub jobs: BTreeSet<String>,
}

/// Finds them in the labels of series of which each kubelet has one per scrape; `own` overrides the node's label.
#[must_use]
pub fn find(series: &[Labels], own: Option<&str>) -> Option<NodeLabels> {
    if series.is_empty() {
        return None;
    }
    let values = |label: &str| series.iter().filter_map(|labels| labels.get(label)).collect::<BTreeSet<_>>().len();
    let host = |labels: &Labels| {
        labels.get("instance").map(|at| at.rsplit_once(':').map_or(at.clone(), |(host, _)| host.into()))
    };
    let targets = series.iter().filter_map(host).collect::<BTreeSet<String>>().len();
    // A label of the whole scraper is on all series too, but distinguishes nothing. A machine that was replaced has two addresses.
    let tells = |label: &str| values(label) * 2 >= targets;
    let on_all = |label: &&&str| {
        series.iter().all(|labels| labels.get(**label).is_some_and(|value| !value.is_empty())) && tells(label)
    };
    let node = match own {
        Some(own) => series.iter().any(|labels| labels.contains_key(own)).then_some(own)?,
        None => NODE_LABELS.iter().find(on_all)?,
    };
    let cluster = CLUSTER_LABELS.iter().find(|label| {
        let clusters: BTreeSet<_> = series.iter().filter_map(|labels| labels.get(**label)).collect();
        clusters.len() > 1
    });
    let mut found = NodeLabels {
        node: node.into(),
        cluster: cluster.map(|label| (*label).into()),
        replica_labels: Vec::new(),
        jobs: series.iter().filter_map(|labels| labels.get("job")).filter(|job| !job.is_empty()).cloned().collect(),
    };
    let mut nodes: BTreeMap<Option<String>, Vec<&Labels>> = BTreeMap::new();
    for labels in series {
        nodes.entry(found.name(labels)).or_default().push(labels);
    }
    let mut replica_labels: BTreeSet<&String> = BTreeSet::new();
    for mine in nodes.values() {
        let known: BTreeSet<&String> = mine.iter().flat_map(|labels| labels.keys()).collect();
        replica_labels.extend(known.into_iter().filter(|label| {
            let values: BTreeSet<_> = mine.iter().map(|labels| labels.get(*label)).collect();
            values.len() > 1
        }));
    }
    found.replica_labels = replica_labels.into_iter().filter(|label| *label != "__name__").cloned().collect();
    Some(found)
}

impl NodeLabels {
    /// The node that a series is of, with its cluster's name before it where there are several.
    #[must_use]
    pub fn name(&self, labels: &Labels) -> Option<String> {
        let node = labels.get(&self.node).filter(|node| !node.is_empty())?;
        match self.cluster.as_ref().and_then(|label| labels.get(label)) {
            Some(cluster) => Some(format!("{cluster}/{node}")),
            None => Some(node.clone()),
        }
    }

    /// The value of the node's label in a name that [`NodeLabels::name`] gave.
    #[must_use]
    pub fn value<'a>(&self, name: &'a str) -> &'a str {
        match self.cluster {
            Some(_) => name.split_once('/').map_or(name, |(_, node)| node),
            None => name,
        }
    }

    /// The labels that distinguish what was scraped.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        [&self.node].into_iter().chain(&self.cluster).chain(&self.replica_labels).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn the_best_label_that_all_have_names_the_node() {
        let a = labels(&[("job", "kubelet"), ("instance", "10.0.0.1:10250"), ("node", "a")]);
        let b = labels(&[("job", "kubelet"), ("instance", "10.0.0.2:10250"), ("node", "b")]);
        let found = find(&[a.clone(), b.clone()], None).unwrap();
        assert_eq!((found.node.as_str(), found.replica_labels.len()), ("node", 0));
        assert_eq!(found.name(&b).as_deref(), Some("b"));
        let names_missing = labels(&[("job", "kubelet"), ("instance", "10.0.0.3:10250")]);
        assert_eq!(find(&[a.clone(), names_missing], None).unwrap().node, "instance");
        assert_eq!(find(std::slice::from_ref(&a), Some("job")).unwrap().node, "job");
        assert_eq!(find(&[a], Some("rack")), None, "no series has it");
        assert_eq!(find(&[], None), None, "nothing to look at");
    }

    #[test]
    fn a_label_of_the_scraper_names_no_node() {
        let of = |n: usize| labels(&[("host", "agent-0"), ("instance", &format!("10.0.0.{n}:10250"))]);
        let found = find(&(1..6).map(of).collect::<Vec<_>>(), None).unwrap();
        assert_eq!(found.node, "instance");
    }

    #[test]
    fn a_node_that_is_scraped_twice_shows_by_what_differs() {
        let once = |job: &str, cluster: &str| labels(&[("job", job), ("node", "a"), ("cluster", cluster)]);
        let found = find(&[once("kubelet", "x"), once("kubernetes-nodes", "x")], None).unwrap();
        assert_eq!((found.replica_labels, found.cluster), (vec!["job".to_owned()], None));
        let found = find(&[once("kubelet", "x"), once("kubelet", "y")], None).unwrap();
        assert_eq!((found.replica_labels.len(), found.cluster.as_deref()), (0, Some("cluster")));
    }
}
