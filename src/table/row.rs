//! The startups table: one row per startup, with its findings, spans, pulls, volumes and log lines as tables within the row, so
//! that one file is enough to make the report again.
//!
//! To add a column: a field here, and its value in `build_row`. Files, JSON, documentation and reading back follow.

use std::sync::Arc;

use crate::breakdown::Precision;
use crate::model::phase::Phase;
use crate::model::startup::State;
use crate::model::time::{Nanos, Time};

use super::cells::Places;
use super::columns::{Cell, Columns, Described, columns};
use super::phase_seconds::PhaseSeconds;

columns! {
    /// One startup.
    Row as RowCells {
        node: Option<Box<str>> = "the node's name, as it registered or as its host is called",
        namespace: Box<str> = "the pod's namespace",
        pod: Box<str> = "the pod's name",
        uid: Option<Box<str>> = "the pod's uid; null if no line has it",
        workload: Box<str> = "namespace/workload: the owner where pod objects were given, else the name without generated suffixes",
        kubelet_version: Option<Box<str>> = "the kubelet's version, if logged before the start ends",
        record_format: Option<Box<str>> = "the kubelet versions that print the record in this format; null without a record",
        state: State = "running, starting (nothing is wrong so far), failing (still fails to start: a step failed, or a container waits to be started again), failed (refused), gone (deleted before it came up) or ended (it came and went; no line shows whether it ran)",
        created: Option<Time> = "creation by the API server's clock, truncated to whole seconds",
        seen: Option<Time> = "first seen by the kubelet",
        running: Option<Time> = "the API server accepted the status with all containers running",
        watched: Option<Time> = "seen on the kubelet's own watch",
        total_s: Option<f64> = "created to watched (to now, or to the end of the log, while starting or failing), seconds; the phases but readiness sum to it",
        running_s: Option<f64> = "created (its first line if unknown) to running, seconds; the upper bound if not exact",
        running_min_s: Option<f64> = "the lower bound of running_s; equal to it if exact",
        ready: Option<Time> = "all containers were ready for the first time; the best estimate if not exact",
        ready_s: Option<f64> = "created (its first line if unknown) to ready, seconds; the best estimate if not exact; null if the input does not show it",
        ready_min_s: Option<f64> = "the lower bound of ready_s; equal to it if exact",
        ready_max_s: Option<f64> = "the upper bound of ready_s; equal to it if exact",
        slo_recorded_s: Option<f64> = "podStartSLOduration as the kubelet recorded it, seconds",
        slo_s: Option<f64> = "created to running without pulls and init containers, seconds",
        stateful: Option<bool> = "the kubelet treats the pod as stateful (its SLI excludes such pods); null before 1.34.8",
        #[serde(flatten)]
        phases: PhaseSeconds = "seconds of each phase",
        pulls: i64 = "image pulls that succeeded",
        pull_failures: i64 = "image pulls that failed",
        pulled_bytes: Option<i64> = "bytes of the images pulled, if logged",
        sandbox_attempts: i64 = "how often the sandbox was requested",
        restarts: i64 = "container restarts before the pod ran",
        cause: Option<Box<str>> = "the cause with the most seconds lost",
        cause_s: Option<f64> = "seconds lost to it",
        anomalies: Vec<Box<str>> = "anomalies, by id",
        evidence: Box<str> = "the inputs that cover the start, separated by spaces: record, kubelet-log, kubelet-events, runtime-log, pods",
        settings: Box<str> = "known settings of its kubelet, as name=value separated by spaces",
        source: Arc<str> = "the input that has its record, or its first line",
        line: i64 = "that line's number, from 1",
        findings: Vec<Finding> = "every cause with seconds lost, the costliest first",
        spans: Vec<Span> = "the phases in order of time, with the precision of their ends",
        image_pulls: Vec<Pull> = "the pulls the start waited for",
        volume_mounts: Vec<Volume> = "the volumes the start waited for",
        lines: Vec<Line> = "the log lines of findings and spans, shortened",
    }
}

columns! {
    /// The seconds that one startup lost to a cause.
    Finding as FindingCells {
        cause: Box<str> = "the cause's id",
        lost_s: f64 = "seconds lost",
        lost_min_s: f64 = "at least so many seconds are certain",
        waited_for: Option<Box<str>> = "what the start waited for",
        error: Option<Box<str>> = "the reason in the error that shows it, shortened; null if no error shows it",
        evidence: Option<Place> = "the line that shows it",
    }
}

columns! {
    /// A phase's place in one startup.
    Span as SpanCells {
        phase: Phase = "the phase",
        from: Time = "its start",
        to: Time = "its end",
        precision: Precision = "exact, inferred or bounded",
        min_s: f64 = "it took at least this, seconds",
        max_s: f64 = "it took at most this, seconds",
        waited_for: Option<Box<str>> = "what the start waited for",
        evidence: Option<Place> = "the line that shows its end",
    }
}

columns! {
    /// One pull of an image.
    Pull as PullCells {
        image: Option<Box<str>> = "the image; null if only the record shows the pull",
        registry: Option<Box<str>> = "the registry's host in the image's name; docker.io where the name has none",
        requested: Option<Time> = "the kubelet requested it",
        started: Option<Time> = "the transfer started",
        ended: Option<Time> = "it ended, successfully or not",
        wait_s: Option<f64> = "requested to started, seconds",
        pull_s: Option<f64> = "started to ended, seconds",
        took_s: Option<f64> = "requested (if unknown: started) to ended, seconds",
        bytes: Option<i64> = "the image's size, if logged",
        blocked_by: Option<Box<str>> = "the image whose pull took most of the wait",
        outcome: Box<str> = "pulled or failed",
    }
}

columns! {
    /// One volume of a pod.
    Volume as VolumeCells {
        volume: Box<str> = "its name in the pod",
        plugin: Option<Box<str>> = "the volume plugin, with the driver for CSI",
        wanted: Option<Time> = "the kubelet started to verify that it is attached",
        mounting: Option<Time> = "the mount started",
        device: Option<Time> = "its device was mounted on the node",
        mounted: Option<Time> = "it was mounted for the pod",
        attempts: i64 = "how many attempts",
        error: Option<Box<str>> = "the last error",
    }
}

columns! {
    /// A line of a log.
    Line as LineCells {
        source: Arc<str> = "the input that has it",
        line: i64 = "its number, from 1",
        text: Box<str> = "the line as its program wrote it, shortened",
    }
}

/// The place of a line.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Place {
    /// The input.
    pub source: Arc<str>,
    /// Its number, from 1.
    pub line: i64,
}

impl Cell for Option<Place> {
    type Cells = Places;

    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
        <Option<Box<str>> as Cell>::describe(&format!("{name}_source"), about, into);
        <Option<i64> as Cell>::describe(&format!("{name}_line"), about, into);
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
                put(at, Some(Place { source: source.into(), line }));
            }
        })
    }
}

impl Row {
    /// The seconds a reader cares for: to running where that is known, else the whole.
    pub fn user_latency_s(&self) -> Option<f64> {
        self.running_s.or(self.total_s)
    }

    /// From running to ready, as a span. It is none of `spans`: those tile the total.
    pub fn readiness_span(&self) -> Option<Span> {
        let (to, took) = (self.ready?, self.phases.of(Phase::Readiness).filter(|seconds| *seconds > 0.0)?);
        let slow = self.findings.iter().find(|finding| &*finding.cause == crate::causes::READINESS_SLOW);
        let off = |bound: Option<f64>| bound.zip(self.ready_s).map_or(0.0, |(bound, ready)| bound - ready);
        let (min_s, max_s) = ((took + off(self.ready_min_s)).max(0.0), took + off(self.ready_max_s));
        Some(Span {
            phase: Phase::Readiness,
            from: to - Nanos::from_seconds(took),
            to,
            precision: if min_s < max_s { Precision::Bounded } else { Precision::Exact },
            min_s,
            max_s,
            waited_for: slow.and_then(|finding| finding.waited_for.clone()),
            evidence: slow.and_then(|finding| finding.evidence.clone()),
        })
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

    /// Two rows of one pod's start have the same key: node and uid, or where no line shows the uid, name and creation. A static
    /// pod's uid is the hash of its manifest and comes again when the node does: there the creation distinguishes starts, by
    /// microseconds, for a row may come from a folder of tables, which has no more.
    pub fn key(&self) -> (&str, &str, Option<(&str, Time)>) {
        let node = self.node.as_deref().unwrap_or("");
        let micros = |time: Time| Time(time.0.div_euclid(1000) * 1000);
        let began = || Some((&*self.namespace, self.began().map(micros).unwrap_or_default()));
        match self.uid.as_deref() {
            Some(uid) if uid.contains('-') => (node, uid, None),
            Some(hash) => (node, hash, began()),
            None => (node, &self.pod, began()),
        }
    }
}
