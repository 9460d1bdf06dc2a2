//! Causes that could not be checked for all startups, and the input that would show them.

use std::collections::BTreeMap;

use crate::causes;
use crate::causes::evidence::Evidence;
use crate::metrics::MetricsReport;
use crate::metrics::families::{Exporter, FAMILIES};
use crate::table::Summary;

/// Causes that the same input would show.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct NotChecked {
    /// How to get the input that would show them: any one of these.
    pub how_to_get: Vec<&'static str>,
    /// The causes' ids.
    pub causes: Vec<&'static str>,
    /// For how many startups they could not be checked.
    pub startups: u64,
}

/// The causes of which not all startups had the evidence.
pub(super) fn causes(summary: &Summary, metrics: Option<&MetricsReport>) -> Vec<NotChecked> {
    let measured = measured(metrics);
    let mut all: BTreeMap<(Vec<&'static str>, u64), Vec<&'static str>> = BTreeMap::new();
    for cause in causes::all() {
        if cause.shown_by.iter().any(|kind| measured.contains(kind)) {
            continue;
        }
        let blind = |words: &&(String, u64)| {
            // Rows of tables that do not say which inputs cover them are not counted.
            // Where the kubelet's other lines are, a record that is missing was not written.
            let shows = |kind: Evidence| {
                cause.shown_by.contains(&kind)
                    || kind == Evidence::KubeletLog && cause.shown_by.contains(&Evidence::Record)
            };
            !words.0.is_empty() && !Evidence::read(&words.0).any(shows)
        };
        let startups: u64 = summary.evidence.iter().filter(blind).map(|(_, count)| count).sum();
        if startups > 0 {
            // Pods and their events that are there already do not show it beside logs.
            let given = summary
                .evidence
                .iter()
                .filter(blind)
                .any(|(words, _)| Evidence::read(words).any(|kind| kind == Evidence::Pods));
            let would_help = |kind: &&Evidence| !given || **kind != Evidence::Events;
            let mut how_to_get: Vec<&str> =
                cause.shown_by.iter().filter(would_help).map(|kind| kind.how_to_get()).collect();
            how_to_get.dedup();
            all.entry((how_to_get, startups)).or_default().push(cause.id);
        }
    }
    all.into_iter().map(|((how_to_get, startups), causes)| NotChecked { how_to_get, causes, startups }).collect()
}

/// The kinds of metrics that every node's window holds.
fn measured(metrics: Option<&MetricsReport>) -> Vec<Evidence> {
    let Some(metrics) = metrics.filter(|metrics| !metrics.nodes.is_empty()) else { return Vec::new() };
    let of = |exporters: &[Exporter]| {
        metrics.nodes.iter().all(|node| {
            node.window.series.iter().any(|(family, ..)| {
                FAMILIES.iter().any(|known| known.name == family && exporters.contains(&known.exporter))
            })
        })
    };
    let kinds = [
        (Evidence::KubeletMetrics, &[Exporter::Kubelet][..]),
        (Evidence::ContainerMetrics, &[Exporter::Cadvisor]),
        (Evidence::RuntimeMetrics, &[Exporter::Containerd, Exporter::Crio]),
        (Evidence::NodeMetrics, &[Exporter::Node]),
    ];
    kinds.into_iter().filter(|(_, exporters)| of(exporters)).map(|(kind, _)| kind).collect()
}
