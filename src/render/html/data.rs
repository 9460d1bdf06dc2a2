//! The page's data: one JSON object. The report's figures as its JSON form has them, the listed startups as columns (a
//! dictionary and numbers take a fifth of what objects would), and the whole ones as rows.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::sample::{self, Sample};
use super::startup::{Pulled, Startup};
use super::tables::Tables;
use crate::causes;
use crate::model::phase::PHASES;
use crate::render::{cause_parts, estimate, palette};
use crate::report::{Head, Report};
use crate::table::coverage::Counter;
use crate::table::{CauseLine, Incident, PAGE_VERSION};

/// The version of the page's data.
const VERSION: u32 = PAGE_VERSION;
/// How many nodes of the metrics are on it, the slowest first: some 15 kB each.
const NODES: usize = 40;
/// How many things that the startups of a cause waited for are named.
const PARTS: usize = 3;

/// All of it.
#[derive(Serialize)]
pub(super) struct Data<'a> {
    podlag_page: u32,
    cut: Cut,
    report: Head<'a>,
    words: Words<'a>,
    rows: Columns<'a>,
    weight: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tables: Option<&'a Tables>,
    whole: Vec<&'a RawValue>,
}

/// How many startups a page's data were made of.
pub(super) fn startups(data: &str) -> Option<usize> {
    #[derive(serde::Deserialize)]
    struct Only {
        cut: Count,
    }
    #[derive(serde::Deserialize)]
    struct Count {
        startups: usize,
    }
    serde_json::from_str::<Only>(data).ok().map(|data| data.cut.startups)
}

/// How many startups there are, are listed, and stand there whole.
#[derive(Serialize)]
struct Cut {
    startups: usize,
    listed: usize,
    whole: usize,
    /// Nodes of which there are metrics, and how many of them are here.
    nodes: usize,
    measured: usize,
    /// How many are listed by each length of time that startups can be sorted by.
    top: usize,
}

/// What phases and causes mean.
#[derive(Serialize)]
struct Words<'a> {
    phases: Vec<PhaseWords>,
    causes: Vec<CauseWords>,
    /// The cause that ranks last whatever it costs: nobody can act on it.
    unexplained: &'static str,
    /// The estimates for the advice of causes, by cause.
    estimates: BTreeMap<&'static str, String>,
    /// What the startups of each cause waited for, and why.
    parts: BTreeMap<&'a str, Vec<String>>,
    counters: Vec<CounterWords>,
}

/// A counter of what was read.
#[derive(Serialize)]
struct CounterWords {
    name: &'static str,
    count: u64,
    label: &'static str,
}

#[derive(Serialize)]
struct PhaseWords {
    name: &'static str,
    group: &'static str,
    label: &'static str,
    meaning: &'static str,
    in_total: bool,
    delays_pod: bool,
    texture: &'static str,
}

#[derive(Serialize)]
struct CauseWords {
    id: &'static str,
    title: &'static str,
    text: &'static str,
    /// Whether logs can show it: then metrics beside logs do not name it.
    by_logs: bool,
    set: String,
    side_effect: Option<String>,
}

impl<'a> Data<'a> {
    pub(super) fn of(report: &'a Report, listed: &'a Sample, tables: Option<&'a Tables>) -> Self {
        let phase = |(phase, name): &(crate::model::phase::Phase, &'static str)| {
            let words = phase.words();
            PhaseWords {
                name,
                group: words.group,
                label: words.label,
                meaning: words.meaning,
                in_total: phase.is_in_total(),
                delays_pod: phase.delays_pod(),
                texture: palette::texture(*phase).name(),
            }
        };
        let mut versions: Vec<&str> = report.summary.kubelets.iter().map(String::as_str).collect();
        let nodes = report.metrics.iter().flat_map(|metrics| &metrics.nodes);
        versions.extend(nodes.flat_map(|node| node.window.versions()));
        let known = report.summary.known();
        let cause = |cause: &causes::Cause| {
            let of_starts = report.summary.causes.iter().find(|line| line.cause == cause.id);
            let of_starts = of_starts.map(|line| line.advised.clone());
            let advised = of_starts.unwrap_or_else(|| cause.advised(versions.iter().copied(), &known));
            let (set, side_effect) = (advised.set, advised.side_effect);
            CauseWords {
                id: cause.id,
                title: cause.title,
                text: cause.text,
                by_logs: cause.logs.is_some(),
                set,
                side_effect,
            }
        };
        let counter = |Counter { name, count, label }: Counter| CounterWords { name, count, label };
        let nodes = report.metrics.as_ref().map_or(0, |metrics| metrics.nodes.len());
        let measured = nodes.min(NODES);
        Data {
            podlag_page: VERSION,
            cut: Cut {
                startups: listed.startups,
                listed: listed.rows.len(),
                whole: listed.whole.len(),
                nodes,
                measured,
                top: sample::TOP,
            },
            report: Head(report, NODES),
            words: Words {
                phases: PHASES.iter().map(phase).collect(),
                causes: causes::all().map(cause).collect(),
                unexplained: causes::UNEXPLAINED,
                estimates: causes::all()
                    .filter_map(|cause| Some((cause.id, estimate::of_cause(report, cause.id)?)))
                    .collect(),
                parts: report.summary.causes.iter().map(|line| (line.cause.as_str(), parts(line))).collect(),
                counters: report.coverage.counters().into_iter().map(counter).collect(),
            },
            rows: Columns(&listed.rows, listed.sampled.as_deref()),
            weight: listed.weight,
            tables,
            whole: listed.whole.iter().map(|row| &**row).collect(),
        }
    }
}

fn parts(line: &CauseLine) -> Vec<String> {
    cause_parts::of(line).into_iter().take(PARTS).collect()
}

/// The listed startups, a list a column.
pub(super) struct Columns<'a>(pub &'a [Listed], pub Option<&'a [bool]>);

/// A startup, and its place among the whole ones.
pub(super) type Listed = (Rc<Startup>, Option<usize>);

/// Every text once, with its number.
#[derive(Default)]
struct Strings<'a> {
    known: HashMap<&'a str, usize>,
    all: Vec<&'a str>,
}

impl<'a> Strings<'a> {
    fn number(&mut self, text: &'a str) -> usize {
        *self.known.entry(text).or_insert_with(|| {
            self.all.push(text);
            self.all.len() - 1
        })
    }
}

impl<'a> Serialize for Columns<'a> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows: &'a [Listed] = self.0;
        let mut strings = Strings::default();
        let mut map = serializer.serialize_map(None)?;
        column(&mut map, rows, "namespace", |row| strings.number(&row.namespace))?;
        column(&mut map, rows, "pod", |row| &row.pod)?;
        column(&mut map, rows, "uid", |row| &row.uid)?;
        column(&mut map, rows, "node", |row| row.node.as_deref().map(|node| strings.number(node)))?;
        column(&mut map, rows, "workload", |row| strings.number(&row.workload))?;
        column(&mut map, rows, "kubelet", |row| row.kubelet.as_deref().map(|version| strings.number(version)))?;
        column(&mut map, rows, "state", |row| strings.number(row.state))?;
        column(&mut map, rows, "incident", |row| match row.incident {
            None => 0,
            Some(Incident::DidNotComeUp) => 1,
            Some(Incident::Restarted) => 2,
        })?;
        column(&mut map, rows, "created", |row| row.created)?;
        column(&mut map, rows, "started", |row| row.started)?;
        column(&mut map, rows, "lasted", |row| row.lasted)?;
        column(&mut map, rows, "running", |row| row.running)?;
        column(&mut map, rows, "ready", |row| row.ready)?;
        column(&mut map, rows, "total", |row| row.total)?;
        column(&mut map, rows, "slo", |row| row.slo)?;
        column(&mut map, rows, "stateful", |row| row.stateful)?;
        column(&mut map, rows, "pulls", |row| {
            let pull = |pull: &'a Pulled| {
                let failed = u8::from(pull.failed);
                (strings.number(&pull.image), pull.wait, pull.pull, pull.took, pull.bytes, failed)
            };
            row.pulls.iter().map(pull).collect::<Vec<_>>()
        })?;
        column(&mut map, rows, "least", |row| &row.least)?;
        column(&mut map, rows, "findings", |row| {
            let findings = row.findings.iter();
            findings.map(|(cause, lost, certain)| (strings.number(cause), *lost, *certain)).collect::<Vec<_>>()
        })?;
        column(&mut map, rows, "anomalies", |row| {
            row.anomalies.iter().map(|id| strings.number(id)).collect::<Vec<_>>()
        })?;
        map.serialize_entry("phases", &Phases(rows))?;
        if let Some(sampled) = self.1 {
            map.serialize_entry("sampled", &sampled.iter().map(|sampled| u8::from(*sampled)).collect::<Vec<_>>())?;
        }
        map.serialize_entry("whole", &rows.iter().map(|(_, whole)| whole).collect::<Vec<_>>())?;
        map.serialize_entry("strings", &strings.all)?;
        map.end()
    }
}

fn column<'a, M: SerializeMap, T: Serialize>(
    map: &mut M,
    rows: &'a [Listed],
    name: &'static str,
    mut of: impl FnMut(&'a Startup) -> T,
) -> Result<(), M::Error> {
    map.serialize_entry(name, &rows.iter().map(|(row, _)| of(row)).collect::<Vec<T>>())
}

/// A column for each phase.
struct Phases<'a>(&'a [Listed]);

impl Serialize for Phases<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let column =
            |at: usize| self.0.iter().map(|(row, _)| row.phases.get(at).copied().flatten()).collect::<Vec<_>>();
        serializer.collect_map(PHASES.iter().enumerate().map(|(at, (_, name))| (name, column(at))))
    }
}
