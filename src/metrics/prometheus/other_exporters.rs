//! The families of other exporters than the kubelet: their series come and go with containers, so the server adds up what
//! each counted.

use std::collections::{BTreeMap, BTreeSet};

use super::NODES_PER_QUERY;
use super::labels::NodeLabels;
use super::query::{self, Scope};
use super::server::Server;
use crate::metrics::families::Shape;
use crate::metrics::histogram::Histogram;
use crate::metrics::window::{SeriesDelta, Window};

/// The families of other exporters, a window each; a server that cannot answer is reported and skipped.
pub(super) fn read(
    server: &mut Server<'_>,
    found: &NodeLabels,
    names: &BTreeMap<String, String>,
    windows: &mut Vec<Window>,
) {
    let scope = Scope { selector: &server.options.selector, found: Some(found), nodes: &[] };
    let there: BTreeSet<String> = match server.instant(&scope.other_families()) {
        Ok(series) => series.into_iter().filter_map(|one| one.metric.get("__name__").cloned()).collect(),
        Err(error) => return server.result.remarks.push(error.to_string()),
    };
    let known: BTreeSet<String> = windows.iter().map(|window| window.node.clone()).collect();
    let labels: BTreeSet<String> = windows
        .iter()
        .map(|window| {
            let own = names.iter().find(|(_, name)| **name == window.node).map_or(&window.node, |(own, _)| own);
            found.value(own).to_owned()
        })
        .collect();
    let labels: Vec<String> = labels.into_iter().collect();
    let length = server.options.seconds() as f64;
    let mut counters: BTreeMap<(String, String, String), SeriesDelta> = BTreeMap::new();
    for (family, series) in query::other_families() {
        for series in series.iter().filter(|series| there.contains(*series)) {
            let mut answers = Vec::new();
            for some in labels.chunks(NODES_PER_QUERY) {
                let scope = Scope { selector: &server.options.selector, found: Some(found), nodes: some };
                match server.range_query(|seconds| scope.increase(family, series, seconds)) {
                    Ok(some) => answers.extend(some),
                    Err(error) => {
                        server.result.remarks.push(error.to_string());
                        break;
                    }
                }
            }
            for one in answers {
                let Some(node) = found.name(&one.metric) else { continue };
                let node = names.get(&node).cloned().unwrap_or(node);
                let label =
                    if family.sum_over_label { "" } else { one.metric.get(family.label).map_or("", String::as_str) };
                let sum: f64 = one.numbers().map(|(_, number)| number).sum();
                let counters = counters.entry((node, family.name.to_owned(), label.to_owned())).or_default();
                match (family.shape, series.ends_with("_sum")) {
                    (Shape::Counter | Shape::Info, _) => {
                        counters.value += sum;
                        counters.seconds = Some(length);
                    }
                    (_, true) => counters.histogram = Some(counters.histogram.take().unwrap_or_default().with_sum(sum)),
                    (_, false) => {
                        let own = counters.histogram.take().map_or(0.0, |histogram| histogram.sum);
                        counters.histogram = Some(Histogram::classic([], own, Some(sum)));
                    }
                }
            }
        }
    }
    let (from, to) = server.options.window;
    for ((node, family, label), counters) in counters {
        // Other machines than the nodes whose kubelets are scraped are none of our business.
        if known.contains(&node) {
            let series = vec![(family, label, counters)];
            windows.push(Window { node, from: Some(from), to: Some(to), series, ..Window::default() });
        }
    }
}
