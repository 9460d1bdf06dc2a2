//! The report: the one result value every output reads. Its table holds the startups; every figure beside it is a query.

pub mod anonymize;
pub mod compare;
pub mod gate;
mod not_checked;
pub mod replay;
pub mod stat;

use std::cell::RefCell;

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::breakdown;
use crate::causes;
use crate::metrics::{MetricsReport, NodeMetrics, Window};
use crate::model::error::Error;
use crate::report::replay::{Scenario, WhatIf};
use crate::table::{self, Row, Summary, Table};

pub use crate::table::{Coverage, UnusedLine, VERSION};
pub use not_checked::NotChecked;

/// The result of an analysis.
#[derive(Debug)]
pub struct Report {
    /// The startups.
    pub table: Table,
    /// Figures over them.
    pub summary: Summary,
    /// The metrics, if given.
    pub metrics: Option<MetricsReport>,
    /// Whether no filter but that of nodes was set: metrics have the startups of all namespaces and pods, and know no others.
    pub metrics_are_comparable: bool,
    /// Estimates of these starts with other settings.
    pub what_if: Vec<WhatIf>,
    /// Causes that could not be checked, and the input that would show them.
    pub not_checked: Vec<NotChecked>,
    /// The data of a page that was made of more startups than it holds, and is all there is: as a page it goes on as it is.
    pub page: Option<Box<str>>,
    /// What was read.
    pub coverage: Coverage,
    /// The inputs as the user named them, for commands to paste; empty where nobody did.
    pub inputs: Vec<String>,
}

impl Report {
    /// A report of a table, and of the metrics beside it. They are compared where `comparable` says that the table holds all
    /// starts of its nodes.
    ///
    /// # Errors
    /// When a figure cannot be computed.
    pub fn of(
        table: Table,
        windows: Vec<Window>,
        comparable: bool,
        scenarios: &[Scenario],
        mut coverage: Coverage,
    ) -> Result<Self, Error> {
        coverage.add(Coverage {
            duplicate_startups: table.duplicates,
            filtered: table.filtered,
            ..Coverage::default()
        });
        let summary = table::summary(&table)?;
        if !comparable && !windows.is_empty() {
            coverage.source_errors.push("metrics cover all starts: only --node filters them".into());
        }
        let beside = comparable && !windows.is_empty() && !table.is_empty();
        let recorded = beside.then(|| table::recorded(&table)).transpose()?;
        let mut metrics = MetricsReport::new(windows, recorded.as_deref());
        if let Some(metrics) = &mut metrics {
            causes::metric_rules::add_causes(metrics, recorded.as_deref().unwrap_or_default());
        }
        let mut what_if = replay::all(&table, &summary, scenarios)?;
        if table.filtered > 0 {
            for reason in what_if.iter_mut().filter_map(|what_if| what_if.not_estimated_because.as_mut()) {
                reason.push_str("; the filters leave out pods, and with them their pulls");
            }
        }
        let not_checked = not_checked::causes(&summary, metrics.as_ref());
        let metrics_are_comparable = comparable;
        Ok(Report {
            table,
            summary,
            metrics,
            metrics_are_comparable,
            what_if,
            not_checked,
            page: None,
            coverage,
            inputs: Vec::new(),
        })
    }

    /// Whether it has no start.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty() && self.metrics.as_ref().is_none_or(|metrics| metrics.startups() <= 0.0)
    }

    /// Identifies this run: the same input gives the same id, in whatever format the result is stored.
    pub fn run(&self) -> String {
        self.table.run()
    }
}

/// The report without its startups, with at most so many nodes of its metrics.
pub struct Head<'a>(pub &'a Report, pub usize);

impl Serialize for Head<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.head(&mut map, self.1)?;
        map.end()
    }
}

impl Report {
    fn head<M: SerializeMap>(&self, map: &mut M, nodes: usize) -> Result<(), M::Error> {
        map.serialize_entry("podlag_report", &VERSION)?;
        map.serialize_entry("run", &self.run())?;
        map.serialize_entry("summary", &self.summary)?;
        if let Some(metrics) = &self.metrics {
            let some = metrics.nodes.get(..nodes.min(metrics.nodes.len())).unwrap_or_default();
            map.serialize_entry("metrics", &MetricsOf { fleet: &metrics.fleet, nodes: some })?;
        }
        map.serialize_entry("what_if", &self.what_if)?;
        map.serialize_entry("not_checked", &self.not_checked)?;
        map.serialize_entry("coverage", &self.coverage)?;
        let anomalies: std::collections::BTreeMap<_, _> =
            breakdown::ANOMALIES.iter().map(|(anomaly, id)| (id, anomaly.meaning())).collect();
        map.serialize_entry("anomaly_meanings", &anomalies)
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.head(&mut map, usize::MAX)?;
        map.serialize_entry("startups", &Startups(RefCell::new(Some(self.table.rows()))))?;
        map.end()
    }
}

/// Metrics of some nodes.
#[derive(serde::Serialize)]
struct MetricsOf<'a> {
    fleet: &'a NodeMetrics,
    nodes: &'a [NodeMetrics],
}

/// The rows, read and written one by one.
struct Startups<'a>(RefCell<Option<table::Rows<'a>>>);

impl Serialize for Startups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for row in self.0.take().into_iter().flatten() {
            list.serialize_element(&row.map_err(S::Error::custom)?)?;
        }
        list.end()
    }
}

impl Report {
    /// The startups, in the order of creation, name and uid, read one by one from where they are held.
    pub fn startups(&self) -> impl Iterator<Item = Result<Row, Error>> {
        self.table.rows()
    }

    /// How many startups there are.
    pub fn startup_count(&self) -> usize {
        self.table.len()
    }

    /// The figures over all startups: quantiles, phases, causes by time lost, the slowest.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Inputs that could not be read, or only in part, each with the reason.
    pub fn source_errors(&self) -> &[String] {
        &self.coverage.source_errors
    }

    /// Whether the reading was stopped before the end of the input.
    pub fn is_partial(&self) -> bool {
        self.coverage.partial
    }
}
