//! Metrics: the second source, for fleets without logs. Scrapes in text, and servers that speak Prometheus' HTTP API, both give
//! [`Scrape`]s; the difference between the scrapes of a process is a [`Window`]; all else is computed from windows.
//!
//! ```text
//! text --exposition--> samples ─┐
//!                               ├─> Scrape --window--> Window --components--> MeanComponent ──> NodeMetrics
//! URL  --prometheus--> series ──┘                        └──────────── reconcile with the recorded startups ┘
//! ```

pub mod components;
pub mod exposition;
pub mod families;
mod finding;
pub mod histogram;
pub mod prometheus;
pub mod reconcile;
pub mod scrape;
pub mod startup_stats;
pub mod window;

use std::collections::BTreeMap;

use serde::Serialize;

pub use components::MeanComponent;
pub use finding::MetricFinding;
pub use histogram::{Bounds, Histogram};
pub use reconcile::{Reconciliation, RecordedStartup};
pub use scrape::{Scrape, ScrapeCollector};
pub use startup_stats::StartupStats;
pub use window::Window;

use startup_stats::SLO_S;

/// The kubelet's SLI or total in a few figures.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct LatencySummary {
    /// How many values.
    pub count: f64,
    /// Their mean, seconds.
    pub mean_s: Option<f64>,
    /// Half do not exceed it.
    pub p50_s: Option<Bounds>,
    /// 95 % do not exceed it.
    pub p95_s: Option<Bounds>,
    /// 99 % do not exceed it.
    pub p99_s: Option<Bounds>,
    /// The share of values within 5 s, from and to: equal where 5 s is a bound and no value overflowed.
    pub within_5s: Option<(f64, f64)>,
}

/// The metrics of one node, or of all nodes.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct NodeMetrics {
    /// What they are computed from.
    pub window: Window,
    /// How many starts the kubelet recorded.
    pub startups: f64,
    /// Of these stateful, where the SLI excludes them.
    pub stateful: Option<f64>,
    /// Values of the SLI that overflowed to about -9.2e9 s, a known kubelet bug.
    pub overflowed: f64,
    /// The kubelet's SLI.
    pub slo_s: Option<LatencySummary>,
    /// Created → observed.
    pub total_s: Option<LatencySummary>,
    /// Mean seconds per start.
    pub mean_s: Option<f64>,
    /// Where they went.
    pub components: Vec<MeanComponent>,
    /// The causes that they show.
    // The room `causes` adds them.
    pub causes: Vec<MetricFinding>,
    /// The comparison with the logs of the same node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciled: Option<Reconciliation>,
}

impl LatencySummary {
    fn new(
        histogram: &Histogram,
        quantile: impl Fn(f64) -> Option<Bounds>,
        within_5s: Option<(f64, f64)>,
    ) -> LatencySummary {
        LatencySummary {
            count: histogram.count,
            mean_s: histogram.mean(),
            p50_s: quantile(0.5),
            p95_s: quantile(0.95),
            p99_s: quantile(0.99),
            within_5s,
        }
    }
}

impl NodeMetrics {
    /// The figures of a window; `recorded` are the startups in the logs of the node.
    fn from_window(window: Window, recorded: Option<&[RecordedStartup]>) -> Self {
        let stats = StartupStats::from_window(&window).unwrap_or_default();
        let components = components::split_mean(&window, &stats);
        let sli = |sli| LatencySummary::new(sli, |q| stats.sli_quantile(q), stats.share_within_slo());
        let total = |all: &Histogram| LatencySummary::new(all, |q| all.quantile(q), all.share_le(SLO_S));
        NodeMetrics {
            startups: stats.count,
            stateful: stats.stateful,
            overflowed: stats.overflowed,
            slo_s: stats.sli.as_ref().map(sli),
            total_s: stats.total.as_ref().map(total),
            mean_s: mean(&components),
            reconciled: recorded.map(|recorded| reconcile::reconcile(&window, &stats, &components, recorded)),
            components,
            causes: Vec::new(),
            window,
        }
    }

    /// The figures of several nodes: histograms and counts are added up, components weighted by recorded
    /// starts.
    fn aggregate(mut window: Window, nodes: &[NodeMetrics]) -> Self {
        let components: Vec<(f64, &[MeanComponent])> =
            nodes.iter().map(|node| (node.startups, node.components.as_slice())).collect();
        let components = components::aggregate(&components);
        let (all, known) = (nodes.len(), nodes.iter().filter(|node| node.total_s.is_some()).count());
        if known > 0 && known < all {
            window
                .remarks
                .push(format!("created → observed covers {known} of {all} nodes: kubelets before 1.29 lack it"));
        }
        let sum = |of: fn(&NodeMetrics) -> f64| nodes.iter().map(of).sum::<f64>();
        let stateful = nodes.iter().any(|node| node.stateful.is_some());
        NodeMetrics {
            startups: sum(|node| node.startups),
            stateful: stateful.then(|| sum(|node| node.stateful.unwrap_or(0.0))),
            overflowed: sum(|node| node.overflowed),
            mean_s: mean(&components),
            components,
            ..NodeMetrics::from_window(window, None)
        }
    }
}

/// The mean start, which its components sum to.
fn mean(components: &[MeanComponent]) -> Option<f64> {
    (!components.is_empty()).then(|| components.iter().map(|one| one.mean_s).sum())
}

/// The metrics part of a report.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct MetricsReport {
    /// All nodes together.
    pub fleet: NodeMetrics,
    /// Each node, the one whose mean start took longest first.
    pub nodes: Vec<NodeMetrics>,
}

impl MetricsReport {
    /// The metrics of windows; `recorded` are the startups in logs, none where they are not to be compared. None without
    /// windows.
    #[must_use]
    pub fn new(windows: Vec<Window>, recorded: Option<&[RecordedStartup]>) -> Option<Self> {
        let (by_node, mut remarks) = merge_by_node(windows);
        let mut fleet = Window { node: "fleet".into(), ..Window::default() };
        by_node.values().for_each(|window| fleet.merge(window));
        let mut rows: BTreeMap<Option<&str>, Vec<RecordedStartup>> = BTreeMap::new();
        for row in recorded.into_iter().flatten() {
            rows.entry(row.node.as_deref()).or_default().push(row.clone());
        }
        // With a single node, logs without a node's name are of it.
        let unnamed = if by_node.len() == 1 && rows.len() == 1 { rows.remove(&None) } else { None };
        let mut nodes: Vec<NodeMetrics> = Vec::new();
        for (node, window) in by_node {
            let recorded = rows.get(&Some(node.as_str())).or(unnamed.as_ref());
            nodes.push(NodeMetrics::from_window(window, recorded.map(Vec::as_slice)));
        }
        fleet.processes.clear();
        let mean = |node: &NodeMetrics| node.mean_s.unwrap_or(-1.0);
        nodes.sort_by(|a, b| mean(b).total_cmp(&mean(a)).then_with(|| a.window.node.cmp(&b.window.node)));
        let mut fleet = match nodes.as_slice() {
            [] => return None,
            [single] => {
                let window = Window { processes: Vec::new(), ..single.window.clone() };
                NodeMetrics { reconciled: None, window, ..single.clone() }
            }
            nodes => NodeMetrics::aggregate(fleet, nodes),
        };
        remarks.sort_unstable();
        remarks.dedup();
        fleet.window.remarks.extend(remarks);
        Some(MetricsReport { fleet, nodes })
    }

    /// How many starts they count.
    #[must_use]
    pub fn startups(&self) -> f64 {
        self.fleet.startups
    }
}

/// One window for each node that has the kubelet's metrics, and what was left out.
fn merge_by_node(windows: Vec<Window>) -> (BTreeMap<String, Window>, Vec<String>) {
    let mut by_node: BTreeMap<String, Window> = BTreeMap::new();
    let mut remarks: Vec<String> = Vec::new();
    for window in windows {
        match by_node.get_mut(&window.node) {
            Some(known) if known.overlaps(&window) => {
                remarks.push(format!("{}: two inputs cover the same time, only one is used", known.node));
            }
            Some(known) => known.merge(&window),
            None => drop(by_node.insert(window.node.clone(), window)),
        }
    }
    let without: Vec<String> = by_node
        .values()
        .filter(|window| StartupStats::from_window(window).is_none())
        .map(|window| window.node.clone())
        .collect();
    by_node.retain(|node, _| !without.contains(node));
    if !without.is_empty() && !by_node.is_empty() {
        remarks.push(format!(
            "ignored, as no kubelet metrics belong to them: {} (put the scrapes of a node in one folder, or set --node-name)",
            without.join(", ")
        ));
    }
    (by_node, remarks)
}
