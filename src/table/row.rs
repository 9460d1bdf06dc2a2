//! The startups table: one row a startup, with what stands beside it (findings, spans, pulls, volumes, the lines it stands on)
//! as tables within the row, so that one file is enough to make the report again.
//!
//! To add a column: a field here, and its value in `of`. Files, JSON, documentation and reading back follow.

use crate::breakdown::Precision;
use crate::model::phase::Phase;
use crate::model::startup::State;
use crate::model::time::Time;

use super::columns::{Cell, Columns, Described, columns};
use super::phase_seconds::PhaseSeconds;

columns! {
    /// One startup.
    Row {
        node: Option<Box<str>> = "the node's name, as it registered or as its host is called",
        namespace: Box<str> = "the pod's namespace",
        pod: Box<str> = "the pod's name",
        uid: Option<Box<str>> = "the pod's uid; null when no line tells it",
        workload: Box<str> = "namespace/workload: the owner where pod objects were given, else the name without generated suffixes",
        kubelet_version: Option<Box<str>> = "the kubelet's version, where its log tells it before the start is over",
        record_format: Option<Box<str>> = "which kubelets print the record in this shape; null without a record",
        state: State = "running, starting, failed or gone",
        created: Option<Time> = "creation by the API server's clock, cut to whole seconds",
        seen: Option<Time> = "first taken by the kubelet",
        running: Option<Time> = "the API accepted the status in which all containers run",
        watched: Option<Time> = "seen on the kubelet's own watch",
        total_s: Option<f64> = "created to watched (to now, or to the end of the log, while starting), seconds; the phases sum to it",
        running_s: Option<f64> = "created to running, seconds",
        kubelet_slo_s: Option<f64> = "podStartSLOduration as the kubelet printed it, seconds",
        slo_s: Option<f64> = "created to running without pulls and init containers, seconds",
        stateful: Option<bool> = "the kubelet holds the pod for stateful (its SLI leaves such pods out); null before 1.34.8",
        #[serde(flatten)]
        phases: PhaseSeconds = "seconds of each phase",
        pulls: i64 = "image pulls that ended well",
        pull_failures: i64 = "image pulls that failed",
        pulled_bytes: Option<i64> = "bytes of the images pulled, where a line tells",
        sandbox_attempts: i64 = "how often the sandbox was asked for",
        restarts: i64 = "containers that ended and were started again before the pod ran",
        cause: Option<Box<str>> = "the cause that claims the most seconds",
        cause_s: Option<f64> = "the seconds it claims",
        anomalies: Vec<Box<str>> = "oddities, by id",
        evidence: Box<str> = "what tells of the start, with blanks between: record, kubelet-log, kubelet-events, runtime-log, pods",
        settings: Box<str> = "what is known to be set on its kubelet, as name=value with blanks between",
        source: Box<str> = "the input its record, or its first line, stands in",
        line: i64 = "that line's number, from 1",
        findings: Vec<Finding> = "every cause that claims seconds, the costliest first",
        spans: Vec<Span> = "the phases in order of time, with how well their ends are known",
        image_pulls: Vec<Pull> = "the pulls the start waited for",
        volume_mounts: Vec<Volume> = "the volumes the start waited for",
        lines: Vec<Line> = "the lines that findings and spans refer to, shortened",
    }
}

columns! {
    /// A cause's claim on seconds of one startup.
    Finding {
        cause: Box<str> = "the cause's id",
        lost_s: f64 = "seconds it cost",
        certain_s: f64 = "how many of them are certain",
        about: Option<Box<str>> = "whom or what was waited for",
        evidence: Option<Place> = "the line that shows it",
    }
}

columns! {
    /// A phase's place in one startup.
    Span {
        phase: Phase = "the phase",
        from: Time = "its start",
        to: Time = "its end",
        precision: Precision = "exact, inferred or bounded",
        min_s: f64 = "it took at least this, seconds",
        max_s: f64 = "it took at most this, seconds",
        about: Option<Box<str>> = "whom or what it waited for",
        evidence: Option<Place> = "the line its end stands on",
    }
}

columns! {
    /// One pull of an image.
    Pull {
        image: Option<Box<str>> = "the image; null when only the record tells of the pull",
        registry: Option<Box<str>> = "the registry's host in the image's name; docker.io where the name has none",
        asked: Option<Time> = "the kubelet asked for it",
        began: Option<Time> = "the transfer began",
        ended: Option<Time> = "it ended, well or not",
        wait_s: Option<f64> = "asked to began, seconds",
        pull_s: Option<f64> = "began to ended, seconds",
        took_s: Option<f64> = "asked (where that is not known: began) to ended, seconds",
        bytes: Option<i64> = "the image's size, where a line tells",
        behind: Option<Box<str>> = "the image whose pull filled most of the waiting",
        outcome: Box<str> = "pulled or failed",
    }
}

columns! {
    /// One volume of a pod.
    Volume {
        volume: Box<str> = "its name in the pod",
        plugin: Option<Box<str>> = "the volume plugin, with the driver for CSI",
        wanted: Option<Time> = "the kubelet began to verify that it is attached",
        mounting: Option<Time> = "the mount began",
        device: Option<Time> = "its device was mounted on the node",
        mounted: Option<Time> = "it was mounted for the pod",
        attempts: i64 = "how often it was tried",
        error: Option<Box<str>> = "the last error",
    }
}

columns! {
    /// A line of a log.
    Line {
        source: Box<str> = "the input it stands in",
        line: i64 = "its number, from 1",
        text: Box<str> = "the line as its program wrote it, shortened",
    }
}

/// Where a line stands.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Place {
    /// The input.
    pub source: Box<str>,
    /// Its number, from 1.
    pub line: i64,
}

impl Cell for Option<Place> {
    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
        <Option<Box<str>> as Cell>::describe(&format!("{name}_source"), about, into);
        <Option<i64> as Cell>::describe(&format!("{name}_line"), about, into);
    }

    fn write(
        name: &str,
        cells: &[&Self],
        into: &mut Vec<polars_core::prelude::Column>,
    ) -> polars_core::prelude::PolarsResult<()> {
        let sources: Vec<Option<Box<str>>> =
            cells.iter().map(|cell| cell.as_ref().map(|place| place.source.clone())).collect();
        let lines: Vec<Option<i64>> = cells.iter().map(|cell| cell.as_ref().map(|place| place.line)).collect();
        Cell::write(&format!("{name}_source"), &sources.iter().collect::<Vec<_>>(), into)?;
        Cell::write(&format!("{name}_line"), &lines.iter().collect::<Vec<_>>(), into)
    }

    fn read(
        name: &str,
        frame: &polars_core::prelude::DataFrame,
        put: &mut dyn FnMut(usize, Self),
    ) -> Result<(), crate::model::error::Error> {
        let mut sources: Vec<Option<Box<str>>> = vec![None; frame.height()];
        <Option<Box<str>> as Cell>::read(&format!("{name}_source"), frame, &mut |at, source| {
            if let Some(cell) = sources.get_mut(at) {
                *cell = source;
            }
        })?;
        <Option<i64> as Cell>::read(&format!("{name}_line"), frame, &mut |at, line| {
            if let (Some(line), Some(source)) = (line, sources.get_mut(at).and_then(Option::take)) {
                put(at, Some(Place { source, line }));
            }
        })
    }
}

impl Row {
    /// The seconds a reader cares for: to running where that is known, else the whole.
    pub fn user_latency_s(&self) -> Option<f64> {
        self.running_s.or(self.total_s)
    }

    /// How much memory it takes, in bytes, roughly: for a bound, not for figures.
    pub(crate) fn weight(&self) -> usize {
        let texts: usize = self.lines.iter().map(|line| line.text.len()).sum();
        let parts = size_of_val(&*self.lines)
            + size_of_val(&*self.spans)
            + size_of_val(&*self.image_pulls)
            + size_of_val(&*self.volume_mounts)
            + size_of_val(&*self.findings);
        // The names within them.
        let names = 64 * (self.spans.len() + self.image_pulls.len() + self.volume_mounts.len() + self.findings.len());
        size_of::<Self>() + texts + parts + names + 1024
    }

    /// `namespace/name`, as people write it.
    pub fn full_name(&self) -> String {
        if self.namespace.is_empty() { self.pod.to_string() } else { format!("{}/{}", self.namespace, self.pod) }
    }

    /// The instant it is filed under: its creation, else the first that is known.
    pub fn began(&self) -> Option<Time> {
        self.created.or(self.seen).or(self.spans.first().map(|span| span.from)).or(self.running).or(self.watched)
    }

    /// Every column, as files document it.
    pub fn described() -> Vec<Described> {
        Row::describe()
    }

    /// The names of the columns that are no tables of their own.
    pub fn plain_columns() -> Vec<String> {
        let nested = |dtype: &polars_core::prelude::DataType| matches!(dtype, polars_core::prelude::DataType::List(inner) if inner.is_struct());
        Row::describe().into_iter().filter(|column| !nested(&column.dtype)).map(|column| column.name).collect()
    }

    /// The text of a line it refers to; empty when it is not kept.
    pub fn text(&self, place: &Place) -> &str {
        let line = self.lines.iter().find(|line| line.line == place.line && line.source == place.source);
        line.map_or("", |line| &line.text)
    }

    /// Rows are given in this order, whatever order they came in.
    pub fn order(&self) -> (Option<Time>, &str, &str, &str, &str) {
        let uid = self.uid.as_deref().unwrap_or("");
        (self.began(), &self.namespace, &self.pod, uid, self.node.as_deref().unwrap_or(""))
    }

    /// Two rows of one pod's start have the same key: node and uid, or where no line tells the uid, name and creation. A static
    /// pod's uid is the hash of its manifest and comes again when the node does: there the creation tells starts apart.
    pub fn key(&self) -> (&str, &str, Option<(&str, Time)>) {
        let node = self.node.as_deref().unwrap_or("");
        let began = || Some((&*self.namespace, self.began().unwrap_or_default()));
        match self.uid.as_deref() {
            Some(uid) if uid.contains('-') => (node, uid, None),
            Some(hash) => (node, hash, began()),
            None => (node, &self.pod, began()),
        }
    }
}
