//! The report: the one result value every output reads. Its table holds the startups; every figure beside it is a query.

pub mod compare;
pub mod gate;
mod not_checked;
pub mod replay;
pub mod stat;
mod unused_line;

use std::cell::RefCell;

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::breakdown;
use crate::causes;
use crate::metrics::{MetricsReport, NodeMetrics, Window};
use crate::model::error::Error;
use crate::report::replay::{Scenario, WhatIf};
use crate::table::{self, Row, Summary, Table};

pub use not_checked::NotChecked;
pub use unused_line::UnusedLine;
pub(crate) use unused_line::words as unused_lines;

/// The version of the JSON forms and of tables; names do not change within one.
pub const VERSION: u32 = 1;

/// What was read, and what could not be.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Coverage {
    /// The inputs, by name.
    pub sources: Vec<String>,
    /// Inputs that are unread or partly read, with the error.
    pub source_errors: Vec<String>,
    /// How many inputs are unread or partly read.
    pub unread_sources: u64,
    /// The first few lines that were not used, or only partly.
    pub unused_lines: Vec<UnusedLine>,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines used.
    pub records: u64,
    /// Metric samples used.
    pub samples: u64,
    /// Lines among metrics that are invalid.
    pub invalid_samples: u64,
    /// Lines that contain a known word but are not recognised.
    pub unknown_lines: u64,
    /// Records on truncated lines.
    pub truncated_records: u64,
    /// Lines longer than the limit.
    pub long_lines: u64,
    /// Records without a timestamp.
    pub undated: u64,
    /// The log has no time zone: UTC was assumed.
    pub zone_assumed: bool,
    /// Duplicate records dropped.
    pub duplicate_records: u64,
    /// Pods that are older than the log, or than the kubelet's start.
    pub existing_pods: u64,
    /// Startups dropped because they were idle too long.
    pub evicted_idle: u64,
    /// Startups dropped because too many were open at once.
    pub evicted_limit: u64,
    /// Duplicate events of startups dropped.
    pub dropped_events: u64,
    /// Duplicate startups (the same node and uid) merged.
    pub duplicate_startups: u64,
    /// The filters, as text; times in UTC.
    pub filters: Vec<String>,
    /// Startups that were filtered out.
    pub filtered: u64,
    /// Names are pseudonyms: the id of the key they are made with. Equal keys make equal pseudonyms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pseudonyms: Vec<String>,
    /// Messages that journald says it dropped.
    pub suppressed_messages: i64,
    /// The run was interrupted before the end of the input.
    pub partial: bool,
}

impl Coverage {
    /// Notes where a line stands that was not used.
    pub fn add_unused_line(&mut self, line: UnusedLine) {
        self.unused_lines.push(line);
        if self.unused_lines.len() > 1000 {
            unused_line::keep_first(&mut self.unused_lines);
        }
    }

    /// Adds what another run read.
    pub fn add(&mut self, other: Coverage) {
        let Coverage { sources, source_errors, filters, pseudonyms, .. } = other;
        for (mine, theirs) in [
            (&mut self.sources, sources),
            (&mut self.source_errors, source_errors),
            (&mut self.filters, filters),
            (&mut self.pseudonyms, pseudonyms),
        ] {
            mine.extend(theirs);
            mine.sort_unstable();
            mine.dedup();
        }
        self.unused_lines.extend(other.unused_lines);
        unused_line::keep_first(&mut self.unused_lines);
        self.unread_sources += other.unread_sources;
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.records += other.records;
        self.samples += other.samples;
        self.invalid_samples += other.invalid_samples;
        self.unknown_lines += other.unknown_lines;
        self.truncated_records += other.truncated_records;
        self.long_lines += other.long_lines;
        self.undated += other.undated;
        self.zone_assumed |= other.zone_assumed;
        self.duplicate_records += other.duplicate_records;
        self.existing_pods += other.existing_pods;
        self.evicted_idle += other.evicted_idle;
        self.evicted_limit += other.evicted_limit;
        self.dropped_events += other.dropped_events;
        self.duplicate_startups += other.duplicate_startups;
        self.filtered += other.filtered;
        self.suppressed_messages += other.suppressed_messages;
        self.partial |= other.partial;
    }
}

/// The result of an analysis.
#[derive(Debug)]
pub struct Report {
    /// The startups.
    pub table: Table,
    /// Figures over them.
    pub summary: Summary,
    /// The metrics, if given.
    pub metrics: Option<MetricsReport>,
    /// Estimates of these starts with other settings.
    pub what_if: Vec<WhatIf>,
    /// Causes that could not be checked, and the input that would show them.
    pub not_checked: Vec<NotChecked>,
    /// The data of a page that was made of more startups than it holds, and is all there is: as a page it goes on as it is.
    pub page: Option<Box<str>>,
    /// What was read.
    pub coverage: Coverage,
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
        let mut summary = table::summary(&table)?;
        if !comparable && !windows.is_empty() {
            coverage.source_errors.push("metrics cover all starts: only --node filters them".into());
        }
        let beside = comparable && !windows.is_empty() && !table.is_empty();
        let recorded = beside.then(|| table::recorded(&table)).transpose()?;
        let mut metrics = MetricsReport::of(windows, recorded.as_deref());
        metrics.iter_mut().for_each(causes::metric_rules::add_causes);
        let what_if = replay::all(&table, &summary, scenarios)?;
        for (line, what_if) in summary.causes.iter_mut().filter_map(|line| {
            let mine = what_if.iter().find(|what_if| what_if.cause.as_deref() == Some(&line.cause))?;
            Some((line, mine))
        }) {
            line.what_if = Some(what_if.words());
        }
        let not_checked = not_checked::causes(&summary, metrics.as_ref());
        Ok(Report { table, summary, metrics, what_if, not_checked, page: None, coverage })
    }

    /// Whether it has no start.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty() && self.metrics.as_ref().is_none_or(|metrics| metrics.startups() <= 0.0)
    }

    /// Identifies this run: the same input gives the same id, in whatever format the result is stored.
    pub fn run(&self) -> String {
        format!("{:016x}", self.table.digest)
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
        let anomalies: std::collections::BTreeMap<_, _> = breakdown::ANOMALIES.iter().copied().collect();
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
