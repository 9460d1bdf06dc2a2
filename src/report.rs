//! The report: the one result value every output reads. Rows are startups; every figure beside them is a query of `table`.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::breakdown::{self, Breakdown, Piece};
use crate::cause::Finding;
use crate::phase::PHASES;
use crate::record::Place;
use crate::startup::Startup;
use crate::table::Summary;

/// The version of the JSON forms; names do not change within one.
pub const VERSION: u32 = 1;

/// One startup, finished for reading.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its node's name.
    pub node: Option<Box<str>>,
    /// The pod's names and events.
    pub startup: Startup,
    /// Its phases.
    pub breakdown: Breakdown,
    /// What it lost its time to.
    pub findings: Vec<Finding>,
    /// The kubelet's version.
    pub kubelet: Option<Box<str>>,
    /// The source its record, or its first line, stands in.
    pub source: Box<str>,
    /// That line's number.
    pub line: u64,
}

impl Row {
    /// Created → running, in seconds; `None` without both.
    pub fn running_s(&self) -> Option<f64> {
        Some((self.breakdown.running? - self.breakdown.created?).seconds())
    }

    /// The seconds a reader cares for: to running where that is known, else the whole.
    pub fn felt_s(&self) -> Option<f64> {
        self.running_s().or(self.breakdown.total.map(crate::time::Span::seconds))
    }

    /// The workload: the name without the suffixes that a ReplicaSet, a StatefulSet, a Job or a CronJob adds.
    pub fn workload(&self) -> String {
        let (namespace, name) = self.startup.names();
        let generated = |part: &str, lengths: &[usize]| {
            lengths.contains(&part.len()) && part.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c))
        };
        let parts: Vec<&str> = name.split('-').collect();
        let base = match parts.as_slice() {
            [base @ .., hash, pod] if !base.is_empty() && generated(pod, &[5]) && generated(hash, &[8, 9, 10]) => {
                base.join("-")
            }
            [base @ .., pod] if !base.is_empty() && generated(pod, &[5]) => base.join("-"),
            [base @ .., ordinal]
                if !base.is_empty() && ordinal.len() <= 4 && ordinal.bytes().all(|b| b.is_ascii_digit()) =>
            {
                base.join("-")
            }
            _ => name.to_owned(),
        };
        format!("{namespace}/{base}")
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (namespace, pod) = self.startup.names();
        let b = &self.breakdown;
        let time = |time: Option<crate::time::Time>| time.map(|time| time.to_string());
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("node", &self.node)?;
        map.serialize_entry("namespace", namespace)?;
        map.serialize_entry("pod", pod)?;
        map.serialize_entry("uid", &self.startup.uid)?;
        map.serialize_entry("workload", &self.workload())?;
        map.serialize_entry("kubelet_version", &self.kubelet)?;
        let format = self.startup.observed.as_deref().and_then(|observed| observed.format);
        map.serialize_entry("record_format", &format.map(crate::record::Format::name))?;
        map.serialize_entry("state", b.state.name())?;
        map.serialize_entry("created", &time(b.created))?;
        map.serialize_entry("seen", &time(b.seen))?;
        map.serialize_entry("running", &time(b.running))?;
        map.serialize_entry("watched", &time(b.watched))?;
        map.serialize_entry("total_s", &b.total.map(crate::time::Span::seconds))?;
        map.serialize_entry("running_s", &self.running_s())?;
        map.serialize_entry("kubelet_slo_s", &b.kubelet_slo)?;
        map.serialize_entry("slo_s", &b.slo)?;
        map.serialize_entry("stateful", &self.startup.observed.as_deref().and_then(|observed| observed.stateful))?;
        for (phase, name) in PHASES {
            map.serialize_entry(&format!("{name}_s"), &b.total.map(|_| b.of(*phase).seconds()))?;
        }
        map.serialize_entry("pulls", &b.pulls)?;
        map.serialize_entry("pull_failures", &b.pull_failures)?;
        map.serialize_entry("pulled_bytes", &b.pulled_bytes)?;
        map.serialize_entry("sandbox_attempts", &b.sandbox_attempts)?;
        map.serialize_entry("restarts", &b.restarts)?;
        let main = self.findings.first();
        map.serialize_entry("cause", &main.map(|finding| finding.cause))?;
        map.serialize_entry("cause_s", &main.map(|finding| finding.lost.seconds()))?;
        map.serialize_entry("anomalies", &b.anomalies)?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("line", &self.line)?;
        map.serialize_entry("findings", &self.findings)?;
        map.serialize_entry("spans", &b.pieces)?;
        map.end()
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("cause", self.cause)?;
        map.serialize_entry("lost_s", &self.lost.seconds())?;
        map.serialize_entry("certain_s", &self.certain.seconds())?;
        map.serialize_entry("about", &self.about)?;
        map.serialize_entry("evidence", &self.evidence)?;
        map.end()
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("line", &self.line)?;
        map.end()
    }
}

impl Serialize for Piece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("phase", self.phase.name())?;
        map.serialize_entry("from", &self.from.to_string())?;
        map.serialize_entry("to", &self.to.to_string())?;
        map.serialize_entry("precision", self.precision.name())?;
        map.serialize_entry("min_s", &self.min.seconds())?;
        map.serialize_entry("max_s", &self.max.seconds())?;
        map.serialize_entry("about", &self.about)?;
        map.serialize_entry("line", &self.place)?;
        map.end()
    }
}

/// What was read, and what could not be.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Coverage {
    /// The sources by number, as findings and spans refer to them.
    pub sources: Vec<String>,
    /// Sources that could not be read, or not to their end, with the reason.
    pub source_troubles: Vec<String>,
    /// Bytes read, unpacked.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines that proved something.
    pub records: u64,
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
    /// Messages that journald says it dropped.
    pub suppressed_messages: i64,
    /// The run was stopped before the end of the input.
    pub partial: bool,
}

/// The result of an analysis.
#[derive(Debug)]
pub struct Report {
    /// The startups, in the order of their creation.
    pub rows: Vec<Row>,
    /// Figures over them.
    pub summary: Summary,
    /// What was read.
    pub coverage: Coverage,
}

impl Report {
    /// The name of the source with this number.
    pub fn source(&self, place: Place) -> &str {
        self.coverage.sources.get(place.source as usize).map_or("?", String::as_str)
    }

    /// The line a place refers to, as far as the row keeps it; empty when it does not.
    pub fn line<'a>(&self, row: &'a Row, place: Place) -> &'a str {
        let events = row.startup.events.iter().chain(&row.startup.around).map(|event| (event.place, &event.text));
        let transfers = row.startup.transfers.iter().map(|transfer| (transfer.place, &transfer.text));
        events.chain(transfers).find(|(known, _)| *known == place).map_or("", |(_, text)| text)
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("podlag_report", &VERSION)?;
        map.serialize_entry("summary", &self.summary)?;
        map.serialize_entry("coverage", &self.coverage)?;
        let anomalies: std::collections::BTreeMap<_, _> = breakdown::ANOMALIES.iter().copied().collect();
        map.serialize_entry("anomaly_meanings", &anomalies)?;
        map.serialize_entry("startups", &self.rows)?;
        map.end()
    }
}
