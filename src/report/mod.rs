//! The report: the one result value every output reads. Its table holds the startups; every figure beside it is a query.

pub mod compare;
pub mod gate;
mod judged;
mod place;
pub mod replay;
pub mod stat;

use std::cell::RefCell;

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::breakdown;
use crate::metrics::{MetricsReport, NodeMetrics, Window};
use crate::model::error::Error;
use crate::report::replay::{Scenario, WhatIf};
use crate::table::{self, Row, Summary, Table};

pub use judged::NotChecked;
pub(crate) use place::words as places;
pub use place::{FEW, UnusedLine};

/// The version of the JSON forms and of tables; names do not change within one.
pub const VERSION: u32 = 1;

/// What was read, and what could not be.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Coverage {
    /// The sources, by name.
    pub sources: Vec<String>,
    /// Sources that could not be read, or not to their end, with the reason.
    pub source_troubles: Vec<String>,
    /// How many inputs could not be read, or not to their end.
    pub unread_sources: u64,
    /// Where the first few lines stand that were not used, or not wholly.
    pub places: Vec<UnusedLine>,
    /// Bytes read, unpacked.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines that proved something.
    pub records: u64,
    /// Samples of metrics that podlag knows.
    pub samples: u64,
    /// Lines among metrics that are no exposition.
    pub bad_samples: u64,
    /// Lines that hold a known word but are no known message.
    pub unknown_lines: u64,
    /// Records on a cut line.
    pub cut_records: u64,
    /// Lines longer than the limit.
    pub long_lines: u64,
    /// Records without any time.
    pub undated: u64,
    /// The zone was not told by any line: UTC was taken.
    pub zone_assumed: bool,
    /// The same record a second time.
    pub duplicate_records: u64,
    /// Pods that were there before the log, or before the kubelet's start.
    pub existing_pods: u64,
    /// Startups that left the tracker by their age, and by the cap.
    pub aged: u64,
    /// See `aged`.
    pub capped: u64,
    /// Events of startups not kept for the bound.
    pub dropped_events: u64,
    /// Startups that were given twice (the same node and uid): each counts once.
    pub duplicate_startups: u64,
    /// The filters, as words; times in UTC.
    pub filters: Vec<String>,
    /// Startups that a filter left out.
    pub filtered: u64,
    /// Names are pseudonyms: of which key, or of which run. Equal words, equal pseudonyms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pseudonyms: Vec<String>,
    /// Messages that journald says it dropped.
    pub suppressed_messages: i64,
    /// The run was stopped before the end of the input.
    pub partial: bool,
}

impl Coverage {
    /// Notes where a line stands that was not used.
    pub fn place(&mut self, place: UnusedLine) {
        self.places.push(place);
        if self.places.len() > 1000 {
            place::few(&mut self.places);
        }
    }

    /// Adds what another run read.
    pub fn add(&mut self, other: Coverage) {
        let Coverage { sources, source_troubles, filters, pseudonyms, .. } = other;
        for (mine, theirs) in [
            (&mut self.sources, sources),
            (&mut self.source_troubles, source_troubles),
            (&mut self.filters, filters),
            (&mut self.pseudonyms, pseudonyms),
        ] {
            mine.extend(theirs);
            mine.sort_unstable();
            mine.dedup();
        }
        self.places.extend(other.places);
        place::few(&mut self.places);
        self.unread_sources += other.unread_sources;
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.records += other.records;
        self.samples += other.samples;
        self.bad_samples += other.bad_samples;
        self.unknown_lines += other.unknown_lines;
        self.cut_records += other.cut_records;
        self.long_lines += other.long_lines;
        self.undated += other.undated;
        self.zone_assumed |= other.zone_assumed;
        self.duplicate_records += other.duplicate_records;
        self.existing_pods += other.existing_pods;
        self.aged += other.aged;
        self.capped += other.capped;
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
    /// What metrics say, where some were given.
    pub metrics: Option<MetricsReport>,
    /// What other settings would have made of these starts.
    pub what_if: Vec<WhatIf>,
    /// Causes that could not be judged for want of evidence.
    pub unjudged: Vec<NotChecked>,
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
            coverage.source_troubles.push("metrics are of all starts: they know no filter but --node".into());
        }
        let beside = comparable && !windows.is_empty() && !table.is_empty();
        let recorded = beside.then(|| table::recorded(&table)).transpose()?;
        let metrics = MetricsReport::new(windows, recorded.as_deref());
        let what_if = replay::all(&table, &summary, scenarios)?;
        for (line, what_if) in summary.causes.iter_mut().filter_map(|line| {
            let mine = what_if.iter().find(|what_if| what_if.cause.as_deref() == Some(&line.cause))?;
            Some((line, mine))
        }) {
            line.what_if = Some(what_if.words());
        }
        let unjudged = judged::not(&summary, metrics.as_ref());
        Ok(Report { table, summary, metrics, what_if, unjudged, page: None, coverage })
    }

    /// Whether it tells of any start.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty() && self.metrics.as_ref().is_none_or(|metrics| metrics.startups() <= 0.0)
    }

    /// Tells this run from others: the same input gives the same, in whatever form the result is stored.
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
        map.serialize_entry("unjudged", &self.unjudged)?;
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
        &self.coverage.source_troubles
    }

    /// Whether the reading was stopped before the end of the input.
    pub fn is_partial(&self) -> bool {
        self.coverage.partial
    }
}
