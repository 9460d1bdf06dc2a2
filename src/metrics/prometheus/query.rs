//! The texts of queries. Series are summed by the server over all labels that are not needed.

use std::fmt::Write as _;

use super::labels::NodeLabels;
use crate::metrics::families::{Exporter, FAMILIES, Family, OUTCOME, Shape, name};

/// Families that each kubelet has from its start, so that its series can be looked at, the best first.
pub const PROBE_FAMILIES: &[&str] = &[name::POD_START, name::SLI];

/// A string in PromQL.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Matchers that any of these values fit.
fn any_of<'a>(label: &str, values: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<String> = values.map(regex::escape).collect();
    format!("{label}=~{}", quoted(&all.join("|")))
}

/// What restricts a query to the series that are wanted.
#[derive(Clone, Debug, Default)]
pub struct Scope<'a> {
    /// The user's own matchers, without braces.
    pub selector: &'a str,
    /// The labels of nodes.
    pub found: Option<&'a NodeLabels>,
    /// Only these values of the node's label; empty: all.
    pub nodes: &'a [String],
}

impl Scope<'_> {
    /// Matchers for the kubelets: other components export some of the same families.
    fn kubelet_matchers(&self) -> String {
        let jobs = self.found.map(|found| &found.jobs).filter(|jobs| !jobs.is_empty());
        let jobs = jobs.map_or(String::new(), |jobs| format!(",{}", any_of("job", jobs.iter().map(String::as_str))));
        format!("{jobs}{}", self.all())
    }

    fn all(&self) -> String {
        let mut out = String::new();
        if let (Some(found), false) = (self.found, self.nodes.is_empty()) {
            let _ = write!(out, ",{}", any_of(&found.node, self.nodes.iter().map(String::as_str)));
        }
        if !self.selector.is_empty() {
            let _ = write!(out, ",{}", self.selector);
        }
        out
    }

    fn labels(&self) -> String {
        self.found.map_or(String::new(), |found| found.all().collect::<Vec<_>>().join(", "))
    }

    /// The series to look at: one of each kubelet (and scrape of it) for each name.
    pub fn find_kubelet_series(&self) -> Vec<String> {
        let of = |name: &str| [format!("{name}_count"), name.to_owned()];
        let matcher = |name: String| format!("{{__name__={}{}}}", quoted(&name), self.all());
        PROBE_FAMILIES.iter().flat_map(|name| of(name)).map(matcher).collect()
    }

    /// All that kubelets count, summed by node.
    pub fn counters(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        let mut kept: Vec<&str> = vec!["__name__", "le"];
        for family in FAMILIES.iter().filter(|family| family.exporter == Exporter::Kubelet) {
            match family.shape {
                Shape::Info => continue,
                Shape::Counter => names.push(family.name.to_owned()),
                Shape::Sum => names.push(format!("{}(_sum|_count)?", family.name)),
                Shape::Histogram => names.push(format!("{}(_sum|_count|_bucket)?", family.name)),
            }
            let outcome = family.failed_apart.then_some(OUTCOME.0);
            let needed = family.matchers.iter().map(|(label, _)| *label).chain([family.label]).chain(outcome);
            for label in needed.filter(|label| !label.is_empty()) {
                if !kept.contains(&label) {
                    kept.push(label);
                }
            }
        }
        let names = quoted(&names.join("|"));
        format!("sum by ({}, {}) ({{__name__=~{names}{}}})", kept.join(", "), self.labels(), self.kubelet_matchers())
    }

    /// When each kubelet's process started.
    pub fn started(&self) -> String {
        let matchers = self.kubelet_matchers();
        format!("max by (__name__, {}) ({{__name__={}{matchers}}})", self.labels(), quoted(name::PROCESS_START))
    }

    /// When that was scraped: an answer is of the last scrape before its instant.
    pub fn scraped(&self) -> String {
        let matchers = self.kubelet_matchers();
        let process = quoted(name::PROCESS_START);
        format!("max by ({}) (timestamp({{__name__={process}{matchers}}}))", self.labels())
    }

    /// How often that changed within a time.
    pub fn restarts(&self, seconds: i64) -> String {
        let matchers = self.kubelet_matchers();
        let process = quoted(name::PROCESS_START);
        format!("max by ({}) (changes({{__name__={process}{matchers}}}[{seconds}s]))", self.labels())
    }

    /// How often their counts began anew: for servers that do not keep the process' start.
    pub fn resets(&self, seconds: i64) -> String {
        let (matchers, count) = (self.kubelet_matchers(), quoted(&format!("{}_count", name::POD_START)));
        format!("max by ({}) (resets({{__name__={count}{matchers}}}[{seconds}s]))", self.labels())
    }

    /// The versions of the kubelets.
    pub fn versions(&self) -> String {
        format!(
            "max by (git_version, {}) ({}{{{}}})",
            self.labels(),
            name::BUILD,
            self.kubelet_matchers().trim_start_matches(',')
        )
    }

    /// The nodes' names where only their addresses are labels.
    pub fn names(&self) -> String {
        format!(
            "max by (node, {}) ({}{{{}}})",
            self.labels(),
            name::NODE_NAME,
            self.kubelet_matchers().trim_start_matches(',')
        )
    }

    /// Which of the other exporters' series there are.
    pub fn other_families(&self) -> String {
        let names: Vec<String> = other_families().flat_map(|(_, names)| names).collect();
        format!("count by (__name__) ({{__name__=~{}{}}})", quoted(&names.join("|")), self.all())
    }

    /// What one of them counted. Their series come and go with containers, so the server adds up what each counted.
    pub fn increase(&self, family: &Family, series: &str, seconds: i64) -> String {
        let mut matchers = vec![format!("__name__={}", quoted(series))];
        if !family.required_label.is_empty() {
            matchers.push(format!("{}!=\"\"", family.required_label));
        }
        if !family.label_values.is_empty() {
            matchers.push(any_of(family.label, family.label_values.iter().copied()));
        }
        // Within one target they are added up; of targets that show the same of a node (replicas) the largest counts.
        let labels = self.found.map_or(String::new(), |found| {
            [&found.node].into_iter().chain(&found.cluster).map(String::as_str).collect::<Vec<_>>().join(", ")
        });
        let label = if family.label.is_empty() || family.sum_over_label {
            String::new()
        } else {
            format!("{}, ", family.label)
        };
        let replica_labels = self.found.map_or(String::new(), |found| {
            found
                .replica_labels
                .iter()
                .filter(|label| !["job", "instance"].contains(&label.as_str()))
                .map(|label| format!(", {label}"))
                .collect()
        });
        let all = self.all();
        let matchers = matchers.join(",");
        format!(
            "max by ({label}{labels}) (sum by ({label}{labels}, job, instance{replica_labels}) (increase({{{matchers}{all}}}[{seconds}s])))"
        )
    }
}

/// The families of other exporters, each with the names of its series that are needed.
pub fn other_families() -> impl Iterator<Item = (&'static Family, Vec<String>)> {
    FAMILIES.iter().filter(|family| family.exporter != Exporter::Kubelet).map(|family| {
        let names = match family.shape {
            Shape::Histogram | Shape::Sum => vec![format!("{}_sum", family.name), format!("{}_count", family.name)],
            Shape::Counter | Shape::Info => vec![family.name.to_owned()],
        };
        (family, names)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_sum_on_the_server() {
        let jobs = ["kubelet".to_owned()].into();
        let found = NodeLabels { node: "node".into(), cluster: None, replica_labels: vec!["replica".into()], jobs };
        let nodes = ["a.b".to_owned(), "c\"d".to_owned()];
        let scope = Scope { selector: "cluster=\"x\"", found: Some(&found), nodes: &nodes };
        let query = scope.counters();
        assert!(query.starts_with("sum by (__name__, le, operation_type, plugin_name,"), "{query}");
        assert!(
            query.contains(
                ", node, replica) ({__name__=~\"kubelet_pod_start_sli_duration_seconds(_sum|_count|_bucket)?|"
            ),
            "{query}"
        );
        assert!(query.ends_with(r#",job=~"kubelet",node=~"a\\.b|c\"d",cluster="x"})"#), "{query}");
        let periods = FAMILIES.iter().find(|family| family.name == name::CFS_PERIODS).unwrap();
        assert_eq!(
            Scope { nodes: &[], selector: "", ..scope }.increase(periods, periods.name, 60),
            "max by (node) (sum by (node, job, instance, replica) \
             (increase({__name__=\"container_cpu_cfs_periods_total\",container!=\"\"}[60s])))"
        );
    }
}
