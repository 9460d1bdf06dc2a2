//! Flags about clusters: what of them is read.

use std::time::Duration;

use clap::Args;

use crate::cluster::ClusterOptions;
use crate::model::time::Time;

/// What is read of the input `cluster`.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ClusterArgs {
    /// Context of the kubeconfig, instead of the current one: the same as the input cluster:CONTEXT
    #[arg(long, value_name = "CONTEXT", help_heading = "Cluster")]
    pub(in crate::cli) context: Option<String>,
    /// All namespaces [default: that of the context, or those of --namespace]
    #[arg(short = 'A', long, help_heading = "Cluster")]
    all_namespaces: bool,
    /// Only pods with these labels, e.g. app=checkout,tier!=db
    #[arg(short = 'l', long, value_name = "LABELS", help_heading = "Cluster")]
    pod_selector: Option<String>,
    /// Watch pods and events for so long, e.g. 10m, or until Ctrl-C, then report everything that was seen
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, help_heading = "Cluster")]
    watch: Option<Duration>,
    /// Also read metrics and settings of the nodes' kubelets. Needs the permission nodes/proxy, which allows more than reading
    #[arg(long, help_heading = "Cluster")]
    node_metrics: bool,
    /// Also read the nodes' logs of the time window (--window, --from, --to). Needs the permission nodes/proxy, which allows more than
    /// reading
    #[arg(long, help_heading = "Cluster")]
    node_logs: bool,
    /// The namespace of the pod that is asked for, which counts where no other is named.
    #[arg(skip)]
    pod_namespace: Option<String>,
}

impl ClusterArgs {
    /// The library's options. Filters with wildcards are of no help to the API server: everything is read then.
    pub(super) fn options(
        &self,
        namespaces: &[String],
        nodes: &[String],
        window: Option<(Time, Time)>,
        units: &[String],
    ) -> ClusterOptions {
        let has_wildcards = |globs: &[String]| globs.iter().any(|glob| glob.contains(['*', '?']));
        let named = |globs: &[String]| if has_wildcards(globs) { Vec::new() } else { globs.to_vec() };
        ClusterOptions {
            namespaces: if namespaces.is_empty() {
                self.pod_namespace.iter().cloned().collect()
            } else {
                named(namespaces)
            },
            all_namespaces: self.all_namespaces || has_wildcards(namespaces),
            nodes: named(nodes),
            pod_selector: self.pod_selector.clone(),
            watch: self.watch,
            node_metrics: self.node_metrics,
            node_logs: window.filter(|_| self.node_logs).map(|(from, to)| from..to),
            units: units.to_vec(),
        }
    }

    /// The same for a pod that is asked for as `namespace/name`.
    pub(in crate::cli) fn about(mut self, pod: &str) -> Self {
        self.pod_namespace = pod.split_once('/').map(|(namespace, _)| namespace.to_owned());
        self
    }

    /// A flag that means nothing without a cluster.
    pub(in crate::cli) fn given(&self) -> Option<&'static str> {
        let flags = [
            (self.context.is_some(), "--context"),
            (self.all_namespaces, "--all-namespaces"),
            (self.pod_selector.is_some(), "--pod-selector"),
            (self.watch.is_some(), "--watch"),
            (self.node_metrics, "--node-metrics"),
            (self.node_logs, "--node-logs"),
        ];
        flags.into_iter().find_map(|(given, flag)| given.then_some(flag))
    }
}
