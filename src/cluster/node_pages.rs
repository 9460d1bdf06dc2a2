//! Pages of kubelets, through the API server: metrics and settings.

use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::bounded;

use super::error::{message, rule};
use super::feed::is_name;
use super::{Cluster, Found, MAX_REQUESTS};
use crate::web::{Body, HttpErrorKind};

/// The pages, as paths of a kubelet.
const PAGES: [&str; 3] = [NodePage::SETTINGS, NodePage::METRICS, "metrics/cadvisor"];
/// How many nodes are named that something could not be read of.
pub(super) const MAX_NAMED: usize = 3;

/// A page of a kubelet.
pub struct NodePage {
    /// Its node.
    pub node: String,
    /// Its path there.
    pub path: &'static str,
    /// What it says.
    pub bytes: Vec<u8>,
}

impl NodePage {
    /// The page of a kubelet's settings.
    pub const SETTINGS: &'static str = "configz";
    /// The page of a kubelet's own metrics; one more has those of containers.
    pub const METRICS: &'static str = "metrics";
}

impl Cluster {
    /// Whether the user may ask kubelets through the API server; if not, that is said.
    pub(super) fn may_ask_kubelets(&self, remarks: &mut Vec<String>) -> bool {
        let refused = match self.kubectl.may(&self.context, "get", "nodes", "proxy") {
            Ok(true) => return true,
            Ok(false) => "no permission to get nodes/proxy".to_owned(),
            Err(error) => error.to_string(),
        };
        let flags = [(self.options.node_metrics, "--node-metrics"), (self.options.node_logs.is_some(), "--node-logs")];
        let flags: Vec<&str> = flags.into_iter().filter_map(|(given, flag)| given.then_some(flag)).collect();
        let flags = flags.join(" and ");
        remarks.push(format!(
            "{flags}: kubelets are not asked: {refused}\n  help: a rule that allows it: in a \
             ClusterRole, {} (examples/rbac.yaml). It allows more than reading: who has it can run commands in every pod of a node",
            rule("nodes/proxy", "\"get\"")
        ));
        false
    }

    /// Reads the pages of these nodes, some at a time.
    pub(super) fn node_pages(&self, nodes: &[String], each: &mut dyn FnMut(Found), remarks: &mut Vec<String>) {
        let (mut failed, mut answered) = (Vec::<String>::new(), 0);
        each(Found::Answered(answered, nodes.len()));
        let ask = |node: &str, give: &mut dyn FnMut(Result<NodePage, String>) -> bool| {
            for path in PAGES {
                let page = self.node_page(node, path);
                let is_missing = page.is_err();
                if !give(page) || is_missing {
                    break;
                }
            }
        };
        ask_nodes(nodes, ask, &mut |page| {
            if page.as_ref().map_or(true, |page| Some(&page.path) == PAGES.last()) {
                answered += 1;
                each(Found::Answered(answered, nodes.len()));
            }
            match page {
                Ok(page) => each(Found::Page(page)),
                Err(error) => failed.push(error),
            }
        });
        failed.sort_unstable();
        let count = failed.len();
        if count > 0 && !self.stop.load(Ordering::Relaxed) {
            failed.truncate(MAX_NAMED);
            let more = if count > MAX_NAMED { format!("; and {} more", count - MAX_NAMED) } else { String::new() };
            remarks.push(format!("--node-metrics: {count} of {} nodes: {}{more}", nodes.len(), failed.join("; ")));
        }
    }

    /// The address of a path of a node's kubelet.
    pub(super) fn kubelet_url(&self, node: &str, path: &str) -> String {
        format!("{}/api/v1/nodes/{node}/proxy/{path}", self.context.origin())
    }

    fn node_page(&self, node: &str, path: &'static str) -> Result<NodePage, String> {
        if !is_name(node) {
            return Err("a node has no name that can be asked for".to_owned());
        }
        match self.client.get(&self.kubelet_url(node, path), &[], false) {
            Ok(Body { bytes, .. }) => Ok(NodePage { node: node.to_owned(), path, bytes }),
            Err(error) if matches!(error.kind, HttpErrorKind::Status(_)) => Err(format!("{node}: {}", message(&error))),
            Err(error) => Err(format!("{node}: {}", error.message)),
        }
    }
}

/// Asks nodes, some at a time. `ask` gives what it gets until that is no longer wanted, and `take` gets it.
pub(super) fn ask_nodes<T: Send>(
    nodes: &[String],
    ask: impl Fn(&str, &mut dyn FnMut(T) -> bool) + Sync,
    take: &mut dyn FnMut(T),
) {
    let next = AtomicUsize::new(0);
    let (give, taken) = bounded::<T>(MAX_REQUESTS);
    std::thread::scope(|scope| {
        for _ in 0..MAX_REQUESTS {
            let (give, next, ask) = (give.clone(), &next, &ask);
            scope.spawn(move || {
                while let Some(node) = nodes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    ask(node, &mut |found| give.send(found).is_ok());
                }
            });
        }
        drop(give);
        taken.into_iter().for_each(take);
    });
}
