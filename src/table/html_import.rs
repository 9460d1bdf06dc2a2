//! Reading back a report that was written as a page. Startups that stand there whole are rows again; those that are only
//! listed come back without spans and evidence, and of those that were cut nothing is left but the page's own figures.

use std::io::Read;

use serde::Deserialize;

use super::Coverage;
use super::import::{ImportedRuns, Stored, tiled};
use super::phase_seconds::PhaseSeconds;
use super::row::{Finding, Row};
use super::store::Store;
use crate::model::error::{Error, ErrorKind};
use crate::model::phase::PHASES;
use crate::model::startup::State;
use crate::model::time::Time;

/// No page of ours is larger than 5 MB; what is far larger is none.
const LARGEST: u64 = 64 << 20;

/// The version of a page's data.
pub(crate) const PAGE_VERSION: u32 = 2;

#[derive(Deserialize)]
struct Data {
    podlag_page: u32,
    cut: Cut,
    report: Head,
    rows: Listed,
    whole: Vec<Row>,
}

#[derive(Deserialize)]
struct Cut {
    startups: usize,
    #[serde(default)]
    nodes: usize,
    #[serde(default)]
    measured: usize,
}

#[derive(Deserialize)]
struct Head {
    run: String,
    coverage: Coverage,
    #[serde(default)]
    metrics: Stored,
}

/// The columns of listed startups, as far as they make rows.
#[derive(Deserialize)]
struct Listed {
    strings: Vec<Box<str>>,
    namespace: Vec<usize>,
    pod: Vec<Box<str>>,
    uid: Vec<Option<Box<str>>>,
    node: Vec<Option<usize>>,
    workload: Vec<usize>,
    kubelet: Vec<Option<usize>>,
    state: Vec<usize>,
    created: Vec<Option<i64>>,
    running: Vec<Option<i64>>,
    #[serde(default)]
    ready: Vec<Option<i64>>,
    total: Vec<Option<i64>>,
    slo: Vec<Option<i64>>,
    stateful: Vec<Option<bool>>,
    phases: std::collections::BTreeMap<String, Vec<Option<i64>>>,
    findings: Vec<Vec<(usize, i64, i64)>>,
    anomalies: Vec<Vec<usize>>,
    whole: Vec<Option<usize>>,
}

/// What the head of podlag's pages holds; by this one is recognised as input.
pub(crate) const PAGE_MARK: &str = "<meta name=\"generator\" content=\"podlag\">";
/// What is before a page's data, and after them.
pub(crate) const PAGE_DATA: (&str, &str) = ("<script type=\"application/json\" id=\"data\">", "</script>");

/// Reads a page into a store.
pub(crate) fn read_page(reader: impl Read, store: &mut Store, runs: &mut ImportedRuns) -> Result<(), Error> {
    let broken =
        |error: String| Error::new(ErrorKind::Source, format!("it cannot be read as a report of podlag's: {error}"));
    let mut text = String::new();
    reader.take(LARGEST).read_to_string(&mut text).map_err(|error| broken(error.to_string()))?;
    let (before, after) = PAGE_DATA;
    let data = text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map(|(data, _)| data);
    let data = data.ok_or_else(|| broken("its data are not there, or cut".into()))?;
    let page: Data = serde_json::from_str(data).map_err(|error| broken(error.to_string()))?;
    let mut coverage = page.report.coverage;
    let whole = page.whole.len();
    let startups = page.cut.startups;
    let cut = whole < startups || page.cut.measured < page.cut.nodes;
    if cut && page.podlag_page != PAGE_VERSION {
        return Err(broken("another version of podlag wrote it, and it does not hold all startups".into()));
    }
    page.whole.into_iter().try_for_each(|row| store.push(tiled(row)?))?;
    if whole < startups {
        let listed = page.rows.pod.len();
        coverage.source_errors.push(format!(
            "a page holds {whole} of its {startups} startups whole and {listed} listed; what follows is of those"
        ));
        // A gate must not judge what is left of a report.
        coverage.unread_sources += 1;
        page.rows.rows().try_for_each(|row| store.push(row))?;
        runs.truncated_pages.push(data.into());
    }
    if page.cut.measured < page.cut.nodes {
        let (measured, nodes) = (page.cut.measured, page.cut.nodes);
        coverage.source_errors.push(format!("a page holds the metrics of {measured} of {nodes} nodes"));
        runs.truncated_pages.push(data.into());
    }
    runs.add(&page.report.run, coverage, page.report.metrics.windows());
    Ok(())
}

impl Listed {
    /// The rows that are not whole.
    fn rows(&self) -> impl Iterator<Item = Row> {
        (0..self.pod.len()).filter(|at| self.whole.get(*at).is_none_or(Option::is_none)).filter_map(|at| self.row(at))
    }

    /// One row; none where columns are of different lengths, which none of podlag's own are.
    fn row(&self, at: usize) -> Option<Row> {
        let text = |number: usize| self.strings.get(number).cloned().unwrap_or_default();
        let seconds = |column: &[Option<i64>]| column.get(at).copied().flatten().map(|micros| micros as f64 / 1e6);
        let phase = |name: &str| self.phases.get(name).and_then(|column| seconds(column));
        let phases = std::array::from_fn(|at| PHASES.get(at).and_then(|(_, name)| phase(name)));
        let finding = |(cause, lost, certain): &(usize, i64, i64)| Finding {
            cause: text(*cause),
            lost_s: *lost as f64 / 1e6,
            lost_min_s: *certain as f64 / 1e6,
            ..Finding::default()
        };
        let findings: Vec<Finding> = self.findings.get(at)?.iter().map(finding).collect();
        Some(Row {
            namespace: text(*self.namespace.get(at)?),
            pod: self.pod.get(at)?.clone(),
            uid: self.uid.get(at)?.clone(),
            node: self.node.get(at)?.map(text),
            workload: text(*self.workload.get(at)?),
            kubelet_version: self.kubelet.get(at)?.map(text),
            state: State::from_name(&text(*self.state.get(at)?)).unwrap_or_default(),
            created: self.created.get(at)?.and_then(|micros| micros.checked_mul(1000)).map(Time),
            running_s: seconds(&self.running),
            ready_s: seconds(&self.ready),
            total_s: seconds(&self.total),
            slo_s: seconds(&self.slo),
            stateful: self.stateful.get(at).copied().flatten(),
            phases: PhaseSeconds(phases),
            cause: findings.first().map(|finding| finding.cause.clone()),
            cause_s: findings.first().map(|finding| finding.lost_s),
            anomalies: self.anomalies.get(at)?.iter().map(|number| text(*number)).collect(),
            findings,
            ..Row::default()
        })
    }
}
