//! The families of other exporters than the kubelet: their series come and go with containers, so the server adds up what
//! each counted.

use std::collections::{BTreeMap, BTreeSet};

use super::NODES;
use super::labels::Found;
use super::query::{self, Scope};
use super::server::Server;
use crate::metrics::families::Shape;
use crate::metrics::histogram::Histogram;
use crate::metrics::window::{Counted, Window};

/// The families of other exporters, a window each; a server that cannot answer is told of and passed over.
pub(super) fn read(
    server: &mut Server<'_>,
    found: &Found,
    names: &BTreeMap<String, String>,
    windows: &mut Vec<Window>,
) {
    let scope = Scope { selector: &server.asked.selector, found: Some(found), nodes: &[] };
    let there: BTreeSet<String> = match server.instant(&scope.others()) {
        Ok(series) => series.into_iter().filter_map(|one| one.metric.get("__name__").cloned()).collect(),
        Err(trouble) => return server.told.remarks.push(trouble.to_string()),
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
    let length = server.asked.seconds() as f64;
    let mut counted: BTreeMap<(String, String, String), Counted> = BTreeMap::new();
    for (family, series) in query::others() {
        for series in series.iter().filter(|series| there.contains(*series)) {
            let mut answers = Vec::new();
            for some in labels.chunks(NODES) {
                let scope = Scope { selector: &server.asked.selector, found: Some(found), nodes: some };
                match server.stretched(|seconds| scope.increase(family, series, seconds)) {
                    Ok(some) => answers.extend(some),
                    Err(trouble) => {
                        server.told.remarks.push(trouble.to_string());
                        break;
                    }
                }
            }
            for one in answers {
                let Some(node) = found.name(&one.metric) else { continue };
                let node = names.get(&node).cloned().unwrap_or(node);
                let label = if family.apart { "" } else { one.metric.get(family.label).map_or("", String::as_str) };
                let sum: f64 = one.numbers().map(|(_, number)| number).sum();
                let counted = counted.entry((node, family.name.to_owned(), label.to_owned())).or_default();
                match (family.shape, series.ends_with("_sum")) {
                    (Shape::Counter | Shape::About, _) => {
                        counted.value += sum;
                        counted.seconds = Some(length);
                    }
                    (_, true) => counted.histogram = Some(counted.histogram.take().unwrap_or_default().summing(sum)),
                    (_, false) => {
                        let own = counted.histogram.take().map_or(0.0, |histogram| histogram.sum);
                        counted.histogram = Some(Histogram::classic([], own, Some(sum)));
                    }
                }
            }
        }
    }
    let (from, to) = server.asked.window;
    for ((node, family, label), counted) in counted {
        // Other machines than the nodes whose kubelets are scraped are none of our business.
        if known.contains(&node) {
            let series = vec![(family, label, counted)];
            windows.push(Window { node, from: Some(from), to: Some(to), series, ..Window::default() });
        }
    }
}
