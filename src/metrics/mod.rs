//! Metrics: the second source, for fleets whose logs are not at hand. Scrapes in text, and servers that speak Prometheus' HTTP
//! API, both give [`Scrape`]s; what came between two pages of a process is a [`Window`]; all else is made of windows.
//!
//! ```text
//! text --exposition--> samples ─┐
//!                               ├─> Scrape --between--> Window --components--> MeanComponent ──> NodeMetrics
//! URL  --prometheus--> series ──┘                        └──────────── reconcile with the startups table ┘
//! ```

pub mod components;
pub mod exposition;
pub mod families;
mod finding;
pub mod histogram;
pub mod prometheus;
pub mod reconcile;
pub mod scrape;
pub mod window;

use std::collections::BTreeMap;

use serde::Serialize;

pub use components::{MeanComponent, StartupStats};
pub use finding::MetricFinding;
pub use histogram::{Bounds, Histogram};
pub use reconcile::{Comparison, Reconciliation};
pub use scrape::{Scrape, ScrapeCollector};
pub use window::Window;

use crate::table::Recorded;

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
    /// The share of values within 5 s, from and to: equal where 5 s is a bound and no value is broken.
    pub within_5s: Option<(f64, f64)>,
}

/// What the metrics of a node, or of all, say.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct NodeMetrics {
    /// What they are made of.
    pub window: Window,
    /// How many starts the kubelet recorded.
    pub startups: f64,
    /// Of these stateful, as far as the SLI leaves them out.
    pub stateful: Option<f64>,
    /// Values of the SLI that are about -9.2e9 s.
    pub overflowed: f64,
    /// The kubelet's SLI.
    pub slo_s: Option<LatencySummary>,
    /// Created → watched.
    pub total_s: Option<LatencySummary>,
    /// Mean seconds of a start.
    pub mean_s: Option<f64>,
    /// Where they went.
    pub parts: Vec<MeanComponent>,
    /// The causes they prove: the room `causes` adds them.
    pub causes: Vec<MetricFinding>,
    /// The logs of the same node beside them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciled: Option<Reconciliation>,
}

impl NodeMetrics {
    /// The figures of a window; `recorded` are the starts that logs of the node recorded.
    #[must_use]
    pub fn of(window: Window, recorded: Option<&[Recorded]>) -> Self {
        let starts = StartupStats::of(&window).unwrap_or_default();
        let parts = components::of(&window, &starts);
        type Quantile<'a> = &'a dyn Fn(f64) -> Option<Bounds>;
        let spread = |histogram: &Histogram, quantile: Quantile<'_>, within: Option<(f64, f64)>| LatencySummary {
            count: histogram.count,
            mean_s: histogram.mean(),
            p50_s: quantile(0.5),
            p95_s: quantile(0.95),
            p99_s: quantile(0.99),
            within_5s: within,
        };
        NodeMetrics {
            startups: starts.count,
            stateful: starts.stateful,
            overflowed: starts.overflowed,
            slo_s: starts.sli.as_ref().map(|sli| spread(sli, &|q| starts.quantile(q), starts.within())),
            total_s: starts.total.as_ref().map(|all| spread(all, &|q| all.quantile(q), all.share_le(5.0))),
            mean_s: (!parts.is_empty()).then(|| parts.iter().map(|part| part.mean_s).sum()),
            reconciled: recorded.map(|recorded| reconcile::reconcile(&window, &starts, &parts, recorded)),
            parts,
            causes: Vec::new(),
            window,
        }
    }
}

impl NodeMetrics {
    /// The figures of several nodes: histograms and counts are added up, parts weighted by recorded starts.
    fn aggregate(mut window: Window, nodes: &[NodeMetrics]) -> Self {
        let parts: Vec<(f64, &[MeanComponent])> =
            nodes.iter().map(|node| (node.startups, node.parts.as_slice())).collect();
        let parts = components::aggregate(&parts);
        let mean_s = (!parts.is_empty()).then(|| parts.iter().map(|part| part.mean_s).sum());
        let known = nodes.iter().filter(|node| node.total_s.is_some()).count();
        if known > 0 && known < nodes.len() {
            let all = nodes.len();
            window
                .remarks
                .push(format!("created → watched is of {known} of {all} nodes: kubelets before 1.29 do not tell it"));
        }
        let sum = |of: fn(&NodeMetrics) -> f64| nodes.iter().map(of).sum::<f64>();
        let stateful = nodes.iter().any(|node| node.stateful.is_some());
        NodeMetrics {
            startups: sum(|node| node.startups),
            stateful: stateful.then(|| sum(|node| node.stateful.unwrap_or(0.0))),
            overflowed: sum(|node| node.overflowed),
            mean_s,
            parts,
            ..NodeMetrics::of(window, None)
        }
    }
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
    /// What windows say, beside the starts that logs recorded (none: they are not to be compared). None without windows.
    #[must_use]
    pub fn of(windows: Vec<Window>, recorded: Option<&[Recorded]>) -> Option<Self> {
        let mut by_node: BTreeMap<String, Window> = BTreeMap::new();
        let mut remarks: Vec<String> = Vec::new();
        for window in windows {
            match by_node.get_mut(&window.node) {
                Some(mine) if mine.overlaps(&window) => {
                    remarks.push(format!("{}: two inputs count the same time; one of them counts", mine.node));
                }
                Some(mine) => mine.merge(&window),
                None => drop(by_node.insert(window.node.clone(), window)),
            }
        }
        let strange: Vec<String> = by_node
            .values()
            .filter(|window| StartupStats::of(window).is_none())
            .map(|window| window.node.clone())
            .collect();
        by_node.retain(|node, _| !strange.contains(node));
        if !strange.is_empty() && !by_node.is_empty() {
            remarks.push(format!(
                "no kubelet's page goes with these, and nothing was made of them: {} (a folder for each node, or --node-name, puts \
                 pages together)",
                strange.join(", ")
            ));
        }
        let mut fleet = Window { node: "fleet".into(), ..Window::default() };
        by_node.values().for_each(|window| fleet.merge(window));
        let mut rows: BTreeMap<Option<&str>, Vec<Recorded>> = BTreeMap::new();
        for row in recorded.into_iter().flatten() {
            rows.entry(row.node.as_deref()).or_default().push(row.clone());
        }
        // Where one node is all there is, logs that name none are of it.
        let nameless = if by_node.len() == 1 && rows.len() == 1 { rows.remove(&None) } else { None };
        let mut nodes: Vec<NodeMetrics> = Vec::new();
        for (node, window) in by_node {
            let mine = rows.get(&Some(node.as_str())).or(nameless.as_ref());
            nodes.push(NodeMetrics::of(window, mine.map(Vec::as_slice)));
        }
        nodes.sort_by(|a, b| {
            b.mean_s
                .unwrap_or(-1.0)
                .total_cmp(&a.mean_s.unwrap_or(-1.0))
                .then_with(|| a.window.node.cmp(&b.window.node))
        });
        if nodes.is_empty() {
            return None;
        }
        let mut fleet = match nodes.as_slice() {
            [alone] => NodeMetrics { reconciled: None, ..alone.clone() },
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
