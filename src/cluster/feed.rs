//! What is listed: a kind of objects, of a namespace or of all, of a node or of all.

use super::ClusterOptions;
use crate::model::error::{Error, ErrorKind};

/// A kind of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nodes, for their kubelets' versions.
    Nodes,
    /// Pods.
    Pods,
    /// Events about pods.
    Events,
}

impl Kind {
    /// Its name in paths and in RBAC rules.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Nodes => "nodes",
            Kind::Pods => "pods",
            Kind::Events => "events",
        }
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// What it lists.
    pub kind: Kind,
    /// Of which namespace; none: of all.
    pub namespace: Option<String>,
    /// Of which node; none: of all.
    node: Option<String>,
    selector: Option<String>,
}

impl Feed {
    /// How places in it are named: `pods`, `shop/pods`, `pods/node-1`.
    pub fn name(&self) -> String {
        let parts = [self.namespace.as_deref(), Some(self.kind.name()), self.node.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join("/")
    }

    /// In words: `pods in namespace shop`.
    pub(super) fn words(&self) -> String {
        match &self.namespace {
            _ if self.kind == Kind::Nodes => "nodes".to_owned(),
            Some(namespace) => format!("{} in namespace {namespace}", self.kind.name()),
            None => format!("{} in all namespaces", self.kind.name()),
        }
    }

    pub(super) fn path(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("/api/v1/namespaces/{namespace}/{}", self.kind.name()),
            None => format!("/api/v1/{}", self.kind.name()),
        }
    }

    /// Its selectors, as a query.
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let fields = match (self.kind, &self.node) {
            (Kind::Events, _) => Some("involvedObject.kind=Pod".to_owned()),
            (Kind::Pods, Some(node)) => Some(format!("spec.nodeName={node}")),
            (Kind::Nodes, Some(node)) => Some(format!("metadata.name={node}")),
            _ => None,
        };
        let labels = self.selector.clone().map(|selector| ("labelSelector", selector));
        fields.map(|fields| ("fieldSelector", fields)).into_iter().chain(labels).collect()
    }
}

/// Whether a name can be part of a path: the API server allows no others.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':');
    !name.is_empty() && name.len() <= 253 && name.bytes().all(allowed) && !name.starts_with('.')
}

/// All that options need; `namespace` is the context's.
pub(super) fn feeds(options: &ClusterOptions, namespace: &str) -> Result<Vec<Feed>, Error> {
    let namespaces: Vec<Option<String>> = match options.namespaces.as_slice() {
        _ if options.all_namespaces => vec![None],
        [] => vec![Some(namespace.to_owned())],
        some => some.iter().cloned().map(Some).collect(),
    };
    let nodes: Vec<Option<String>> = match options.nodes.as_slice() {
        [] => vec![None],
        some => some.iter().cloned().map(Some).collect(),
    };
    if let Some(name) = namespaces.iter().chain(&nodes).flatten().find(|name| !is_name(name)) {
        let message = format!("{name:?} is no name of a namespace or node");
        return Err(Error::new(ErrorKind::Setting, message).help("kubectl get namespaces,nodes lists the names"));
    }
    let feed = |kind, namespace: &Option<String>, node: &Option<String>| Feed {
        kind,
        namespace: namespace.clone(),
        node: node.clone(),
        selector: options.pod_selector.clone().filter(|_| kind == Kind::Pods),
    };
    let mut all: Vec<Feed> = nodes.iter().map(|node| feed(Kind::Nodes, &None, node)).collect();
    for namespace in &namespaces {
        all.extend(nodes.iter().map(|node| feed(Kind::Pods, namespace, node)));
    }
    // No selector knows the node of an event.
    all.extend(namespaces.iter().map(|namespace| feed(Kind::Events, namespace, &None)));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_is_listed() {
        let paths = |options: &ClusterOptions| -> Vec<String> {
            let feeds = feeds(options, "mine").unwrap();
            let one = |feed: &Feed| {
                let query: Vec<String> = feed.query().iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{}?{}", feed.path(), query.join("&"))
            };
            feeds.iter().map(one).collect()
        };
        let mut options = ClusterOptions::default();
        let events = "/api/v1/namespaces/mine/events?fieldSelector=involvedObject.kind=Pod";
        assert_eq!(paths(&options), ["/api/v1/nodes?", "/api/v1/namespaces/mine/pods?", events]);
        options.all_namespaces = true;
        options.nodes = vec!["n1".into()];
        options.pod_selector = Some("app=web".into());
        let expected = [
            "/api/v1/nodes?fieldSelector=metadata.name=n1",
            "/api/v1/pods?fieldSelector=spec.nodeName=n1&labelSelector=app=web",
            "/api/v1/events?fieldSelector=involvedObject.kind=Pod",
        ];
        assert_eq!(paths(&options), expected);
        for wrong in ["", "../nodes", "a/b", "a b", "a?b", "a%2fb"] {
            let options = ClusterOptions { namespaces: vec![wrong.into()], ..ClusterOptions::default() };
            assert!(feeds(&options, "mine").is_err(), "{wrong}");
        }
    }
}
