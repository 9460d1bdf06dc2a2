//! The figures of the first screen, each made batch by batch. Sums are taken in whole microseconds: so they do not depend on
//! the order of rows, and merged tables give the same bytes as one.

use std::collections::{BTreeMap, BTreeSet};

use super::part::BEGAN;
use super::query::{ByName, micros, phase_values, seconds};
use super::row::{Place, Row};
use super::row_ref::{RowRef, RowRefs};
use super::startups::Table;
use crate::causes::setting::{SETTINGS, Setting, Settings};
use crate::causes::{self, Advised};
use crate::model::error::Error;
use crate::model::hash::{HashMap, HashSet};
use crate::model::phase::PHASES;
use crate::model::quantile::select_quantile;
use crate::model::startup::{STATES, State};
use crate::model::time::Time;

/// Seconds at the quantiles people ask for. A quantile is a value that occurred: the smallest that so many do not exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Quantiles {
    /// How many values.
    pub count: u64,
    /// Half do not exceed it.
    pub p50: f64,
    /// 95 % do not exceed it.
    pub p95: f64,
    /// 99 % do not exceed it.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

impl Quantiles {
    /// Of values in any order.
    fn of(mut values: Vec<f64>) -> Self {
        let count = values.len() as u64;
        let mut at = |q: f64| select_quantile(&mut values, q).unwrap_or(0.0);
        Quantiles { count, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1.0) }
    }
}

/// One phase over all startups.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct PhaseLine {
    /// The phase's name.
    pub phase: &'static str,
    /// Its seconds in all startups.
    pub lost_s: f64,
    /// Their share of all seconds, 0 to 1.
    pub share: f64,
    /// Its seconds in one startup: 99 % do not exceed them.
    pub p99_s: f64,
    /// How many of its seconds are certain (it took at least these), 0 to 1.
    pub certain_share: f64,
}

/// One cause over all startups.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct CauseLine {
    /// The cause's id.
    pub cause: String,
    /// Seconds lost to it.
    pub lost_s: f64,
    /// At least so many of them are certain.
    pub lost_min_s: f64,
    /// In how many startups.
    pub pods: u64,
    /// On how many nodes.
    pub nodes: u64,
    /// Created → running of all startups without the seconds lost to it.
    pub without: Quantiles,
    /// The startup that lost most to it.
    pub example: Option<Example>,
    /// What to change on these kubelets, and the trade-off.
    pub advised: Advised,
}

/// A setting as it is known of some nodes.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct SettingLine {
    /// Its name.
    pub name: &'static str,
    /// Its value; null if unknown.
    pub value: Option<String>,
    /// On how many nodes.
    pub nodes: u64,
}

impl SettingLine {
    /// Settings that are the same on so many nodes.
    pub(crate) fn of(settings: &Settings, nodes: u64) -> Vec<Self> {
        let line =
            |(knob, value): (Setting, &str)| SettingLine { name: knob.name(), value: Some(value.to_owned()), nodes };
        settings.iter().map(line).collect()
    }
}

/// A startup that stands for many.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Example {
    /// `namespace/name`.
    pub pod: String,
    /// Its uid.
    pub uid: Option<Box<str>>,
    /// Its node.
    pub node: Option<Box<str>>,
    /// Its state.
    pub state: State,
    /// How long it took: created → running if known, else the total.
    pub seconds: Option<f64>,
    /// Whether it is known when it started running.
    pub ran: bool,
    /// The cause, and the seconds lost to it.
    pub cause: Option<Box<str>>,
    /// See `cause`.
    pub cause_s: Option<f64>,
    /// What it waited for.
    pub waited_for: Option<Box<str>>,
    /// The line that shows it.
    pub evidence: Option<Place>,
    /// That line's text, shortened.
    pub text: Box<str>,
}

impl Example {
    fn of(row: &Row, cause: Option<&str>) -> Self {
        // The watch is late, not the pod: it explains no slow start.
        let mut findings = row.findings.iter();
        let finding = match cause {
            Some(cause) => findings.find(|finding| *finding.cause == *cause),
            None => findings.find(|finding| causes::counts_as_loss(&finding.cause)),
        };
        let evidence = finding.and_then(|finding| finding.evidence.clone());
        Example {
            pod: row.full_name(),
            uid: row.uid.clone(),
            node: row.node.clone(),
            state: row.state,
            seconds: row.user_latency_s().filter(|seconds| *seconds >= 0.0),
            ran: row.running_s.is_some(),
            cause: finding.map(|finding| finding.cause.clone()),
            cause_s: finding.map(|finding| finding.lost_s),
            waited_for: finding.and_then(|finding| finding.waited_for.clone()),
            text: evidence.as_ref().map_or("", |place| row.text(place)).into(),
            evidence,
        }
    }
}

/// The figures of the first screen.
#[derive(Clone, Debug, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Summary {
    /// How many startups.
    pub startups: usize,
    /// By state.
    pub states: Vec<(&'static str, u64)>,
    /// On how many nodes.
    pub nodes: usize,
    /// The kubelets' versions.
    pub kubelets: Vec<String>,
    /// The first creation and the last instant.
    pub window: Option<(Time, Time)>,
    /// Created → running.
    pub running: Quantiles,
    /// Our own SLI value of stateless pods (and of those whose record does not say).
    pub slo: Quantiles,
    /// Their share within 5 s, 0 to 1.
    pub slo_within: f64,
    /// Corrupt values of the kubelet that were corrected.
    pub corrected: u64,
    /// Where the time went.
    pub phases: Vec<PhaseLine>,
    /// Why, by seconds lost.
    pub causes: Vec<CauseLine>,
    /// The slowest startups.
    pub slowest: Vec<Example>,
    /// Anomalies and how often.
    pub anomalies: Vec<(&'static str, u64)>,
    /// Known settings, and on how many nodes.
    pub settings: Vec<SettingLine>,
    /// The inputs that cover the startups, and how many startups each.
    pub evidence: Vec<(String, u64)>,
}

impl Summary {
    /// The settings that are known and the same on all nodes.
    #[must_use]
    pub fn known(&self) -> Settings {
        let mut known = Settings::default();
        for (knob, name) in SETTINGS {
            let mut lines = self.settings.iter().filter(|line| line.name == *name);
            if let (Some(SettingLine { value: Some(value), .. }), None) = (lines.next(), lines.next()) {
                known.set(*knob, value);
            }
        }
        known
    }
}

/// How many of the slowest are named.
const SLOWEST: usize = 10;

/// The figures over a table.
///
/// # Errors
/// When a part of the table cannot be read.
pub fn summary(table: &Table) -> Result<Summary, Error> {
    if table.is_empty() {
        return Ok(Summary::default());
    }
    let slo = slo_values(table)?;
    let within = slo.iter().filter(|seconds| **seconds <= 5.0).count();
    let slo_within = if slo.is_empty() { 0.0 } else { within as f64 / slo.len() as f64 };
    let (counts, effects) = (Counts::collect(table)?, Counterfactual::collect(table)?);
    let anomalies = anomalies(table)?;
    let mut summary = Summary {
        startups: table.len(),
        states: counts.states(),
        nodes: counts.nodes(),
        kubelets: counts.kubelets.iter().map(ToString::to_string).collect(),
        // By two clocks the last instant may lie before the first.
        window: counts.first.zip(counts.last).map(|(from, to)| (Time(from.min(to)), Time(from.max(to)))),
        running: effects.running(),
        slo: Quantiles::of(slo),
        slo_within,
        corrected: anomalies.iter().find(|(id, _)| *id == "slo-overflow").map_or(0, |(_, count)| *count),
        phases: phases(table)?,
        slowest: slowest(table)?,
        anomalies,
        settings: counts.settings(),
        evidence: counts.evidence.into_sorted().map(|(word, count)| (word.unwrap_or_default().into(), count)).collect(),
        ..Summary::default()
    };
    summary.causes = causes(table, &summary, &effects)?;
    Ok(summary)
}

/// The SLI values of startups that are not known to be stateful.
fn slo_values(table: &Table) -> Result<Vec<f64>, Error> {
    let mut all = Vec::with_capacity(table.len());
    table.scan(&["slo_s", "stateful"], &mut |batch| {
        let rows = batch.seconds("slo_s")?.iter().zip(batch.flags("stateful")?.iter());
        all.extend(rows.filter(|(_, stateful)| *stateful != Some(true)).filter_map(|(slo, _)| slo));
        Ok(())
    })?;
    Ok(all)
}

/// What is counted in one scan.
struct Counts {
    /// Startups of each state, in the order of [`STATES`].
    states: [u64; STATES.len()],
    evidence: ByName<u64>,
    kubelets: BTreeSet<Box<str>>,
    /// Nodes that are named, with what their rows say is set and when that was last said.
    settings: ByName<HashMap<Box<str>, Option<i64>>>,
    /// The folders of sources that name no node.
    folders: HashSet<Box<str>>,
    /// The first creation, and the last instant.
    first: Option<i64>,
    last: Option<i64>,
}

impl Counts {
    const COLUMNS: [&str; 10] =
        ["state", "evidence", "kubelet_version", "node", "settings", "source", BEGAN, "watched", "running", "seen"];

    fn collect(table: &Table) -> Result<Self, Error> {
        let mut counts = Counts {
            states: [0; STATES.len()],
            evidence: ByName::new(),
            kubelets: BTreeSet::new(),
            settings: ByName::new(),
            folders: HashSet::default(),
            first: None,
            last: None,
        };
        table.scan(&Self::COLUMNS, &mut |batch| {
            for state in batch.text("state")?.iter() {
                let known = STATES.iter().zip(&mut counts.states).find(|((_, name), _)| state == Some(name));
                known.into_iter().for_each(|(_, count)| *count += 1);
            }
            batch.text("evidence")?.iter().for_each(|word| *counts.evidence.entry(word) += 1);
            for version in batch.text("kubelet_version")?.iter().flatten() {
                if !counts.kubelets.contains(version) {
                    counts.kubelets.insert(version.into());
                }
            }
            let began = batch.integers(BEGAN)?;
            let rows = batch.text("node")?.iter().zip(batch.text("settings")?.iter()).zip(batch.text("source")?.iter());
            for (((node, settings), source), began) in rows.zip(began.iter()) {
                counts.first = counts.first.into_iter().chain(began).min();
                let (known, settings) = (counts.settings.entry(node), settings.unwrap_or_default());
                match known.get_mut(settings) {
                    Some(last) => *last = began.max(*last),
                    None => drop(known.insert(settings.into(), began)),
                }
                let folder = source.map(|source| source.rsplit_once('/').map_or("", |(folder, _)| folder));
                if let Some(folder) = folder.filter(|folder| node.is_none() && !counts.folders.contains(*folder)) {
                    counts.folders.insert(folder.into());
                }
            }
            let (watched, running, seen) =
                (batch.integers("watched")?, batch.integers("running")?, batch.integers("seen")?);
            let ends = watched.iter().zip(running.iter()).zip(seen.iter());
            let last = ends.filter_map(|((watched, running), seen)| watched.or(running).or(seen)).max();
            counts.last = counts.last.max(last);
            Ok(())
        })?;
        Ok(counts)
    }

    fn states(&self) -> Vec<(&'static str, u64)> {
        STATES.iter().zip(self.states).map(|((_, name), count)| (*name, count)).collect()
    }

    /// Nodes are told by name; where no line names them, the files of one folder are of one node.
    fn nodes(&self) -> usize {
        self.settings.names() + self.folders.len()
    }

    /// What is known to be set: a line for each value of a setting that some node's lines tell.
    fn settings(&self) -> Vec<SettingLine> {
        let nodes: Vec<Settings> = self
            .settings
            .values()
            .map(|said| {
                // In the order of time: what was told later holds.
                let mut said: Vec<(Option<i64>, &str)> = said.iter().map(|(words, last)| (*last, &**words)).collect();
                said.sort_unstable();
                said.iter().fold(Settings::default(), |known, (_, words)| Settings::read(words).over(&known))
            })
            .collect();
        let mut lines = Vec::new();
        for (knob, name) in SETTINGS {
            let mut values: BTreeMap<Option<&str>, u64> = BTreeMap::new();
            nodes.iter().for_each(|known| *values.entry(known.get(*knob)).or_default() += 1);
            if values.keys().any(Option::is_some) {
                lines.extend(values.into_iter().map(|(value, nodes)| SettingLine {
                    name,
                    value: value.map(str::to_owned),
                    nodes,
                }));
            }
        }
        lines
    }
}

/// Created → running of all startups without what each cause claims before that.
struct Counterfactual {
    /// Of each row, by its number over all parts; NaN where it is not known.
    running: Vec<f64>,
    /// The rows that each cause claims of, and how much.
    claims: BTreeMap<Box<str>, Vec<(u32, f32)>>,
}

impl Counterfactual {
    fn collect(table: &Table) -> Result<Self, Error> {
        let mut all = Counterfactual { running: Vec::with_capacity(table.len()), claims: BTreeMap::new() };
        table.scan(&["running_s", "findings"], &mut |batch| {
            let first = all.running.len();
            all.running.extend(batch.seconds("running_s")?.iter().map(|running| running.unwrap_or(f64::NAN)));
            let findings = batch.nested("findings")?;
            let (causes, lost) = (findings.items.text("cause")?, findings.items.seconds("lost_s")?);
            for ((row, cause), lost) in findings.rows.iter().zip(causes.iter()).zip(lost.iter()) {
                let (Some(cause), Some(lost)) = (cause, lost) else { continue };
                // The record may be late, the pod is not: that changes nothing of when it ran.
                if !causes::counts_as_loss(cause) {
                    continue;
                }
                let claim = (u32::try_from(first + row).unwrap_or(u32::MAX), lost as f32);
                match all.claims.get_mut(cause) {
                    Some(claims) => claims.push(claim),
                    None => drop(all.claims.insert(cause.into(), vec![claim])),
                }
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// As it was.
    fn running(&self) -> Quantiles {
        Quantiles::of(self.running.iter().copied().filter(|running| !running.is_nan()).collect())
    }

    fn without(&self, cause: &str) -> Quantiles {
        let mut left = self.running.clone();
        for (row, lost) in self.claims.get(cause).into_iter().flatten() {
            if let Some(running) = left.get_mut(*row as usize) {
                *running = (*running - f64::from(*lost)).max(0.0);
            }
        }
        left.retain(|running| !running.is_nan());
        Quantiles::of(left)
    }
}

fn phases(table: &Table) -> Result<Vec<PhaseLine>, Error> {
    let mut lines = Vec::new();
    for some in PHASES.chunks(table.columns_at_once()) {
        for ((_, phase), (lost, mut values)) in some.iter().zip(phase_values(table, some)?) {
            let p99_s = select_quantile(&mut values, 0.99).unwrap_or(0.0);
            lines.push(PhaseLine { phase, lost_s: seconds(lost), share: 0.0, p99_s, certain_share: 0.0 });
        }
    }
    let mut certain: ByName<i64> = ByName::new();
    table.scan(&["spans"], &mut |batch| {
        let spans = batch.nested("spans")?.items;
        for (phase, least) in spans.text("phase")?.iter().zip(spans.seconds("min_s")?.iter()) {
            let sum = certain.entry(phase);
            *sum = sum.saturating_add(least.map_or(0, micros));
        }
        Ok(())
    })?;
    let whole: f64 = lines.iter().map(|line| line.lost_s).sum();
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    for line in &mut lines {
        line.share = share(line.lost_s, whole);
        // A phase may be several spans, each cut to microseconds by itself.
        line.certain_share = share(seconds(*certain.entry(Some(line.phase))), line.lost_s).min(1.0);
    }
    Ok(lines)
}

/// What a cause claims of all startups.
#[derive(Default)]
struct Claims {
    /// Microseconds.
    lost: i64,
    certain: i64,
    pods: u64,
    /// The last row that was counted.
    last: Option<(usize, usize)>,
    nodes: BTreeSet<Box<str>>,
    worst: Option<RowRef>,
}

fn claims(table: &Table) -> Result<BTreeMap<Box<str>, Claims>, Error> {
    let mut all: BTreeMap<Box<str>, Claims> = BTreeMap::new();
    let mut columns = vec!["findings"];
    columns.extend(RowRefs::COLUMNS);
    table.scan(&columns, &mut |batch| {
        let (rows, nodes, findings) = (RowRefs::of(batch)?, batch.text("node")?, batch.nested("findings")?);
        let items = &findings.items;
        let claimed = items.seconds("lost_s")?.iter().zip(items.seconds("lost_min_s")?.iter());
        let causes = items.text("cause")?.iter().map(Option::unwrap_or_default);
        for ((row, cause), (lost, certain)) in findings.rows.iter().zip(causes).zip(claimed) {
            if !all.contains_key(cause) {
                all.insert(cause.into(), Claims::default());
            }
            let Some(claims) = all.get_mut(cause) else { continue };
            claims.lost = claims.lost.saturating_add(lost.map_or(0, micros));
            claims.certain = claims.certain.saturating_add(certain.map_or(0, micros));
            // A cause may claim of one startup twice.
            let place = (batch.part, batch.first + row);
            claims.pods += u64::from(claims.last.replace(place) != Some(place));
            let node = nodes.get(*row).unwrap_or_default();
            if !claims.nodes.contains(node) {
                claims.nodes.insert(node.into());
            }
            let lost = lost.unwrap_or(0.0);
            if !claims.worst.as_ref().is_some_and(|worst| worst.outranks(batch.part, lost)) {
                let found = rows.get(*row, lost);
                if claims.worst.as_ref().is_none_or(|worst| found.cmp(worst).is_lt()) {
                    claims.worst = Some(found);
                }
            }
        }
        Ok(())
    })?;
    Ok(all)
}

fn causes(table: &Table, summary: &Summary, effects: &Counterfactual) -> Result<Vec<CauseLine>, Error> {
    let all = claims(table)?;
    let known = summary.known();
    let versions = || summary.kubelets.iter().map(String::as_str);
    let advised = |cause: &str| crate::causes::named(cause).map(|cause| cause.advised(versions(), &known));
    let worst = RowRef::rows(&all.values().filter_map(|claims| claims.worst.as_ref()).collect::<Vec<_>>(), table)?;
    let mut worst = worst.into_iter();
    let line = |(cause, claims): (Box<str>, Claims)| {
        let worst = claims.worst.and_then(|_| worst.next());
        CauseLine {
            without: effects.without(&cause),
            advised: advised(&cause).unwrap_or_default(),
            lost_s: seconds(claims.lost),
            lost_min_s: seconds(claims.certain),
            pods: claims.pods,
            nodes: claims.nodes.len() as u64,
            example: worst.map(|row| Example::of(&row, Some(&cause))),
            cause: cause.into(),
        }
    };
    let mut lines: Vec<CauseLine> = all.into_iter().map(line).collect();
    lines.sort_by(|a, b| b.lost_s.total_cmp(&a.lost_s).then_with(|| a.cause.cmp(&b.cause)));
    Ok(lines)
}

fn slowest(table: &Table) -> Result<Vec<Example>, Error> {
    let mut all: Vec<RowRef> = Vec::new();
    let mut columns = vec!["running_s", "total_s"];
    columns.extend(RowRefs::COLUMNS);
    table.scan(&columns, &mut |batch| {
        let rows = RowRefs::of(batch)?;
        for (row, (running, total)) in
            batch.seconds("running_s")?.iter().zip(batch.seconds("total_s")?.iter()).enumerate()
        {
            // By two clocks a whole may be negative: of that nothing is the slowest.
            let latency = running.or(total).filter(|latency| *latency >= 0.0).unwrap_or(f64::NEG_INFINITY);
            if all.len() == SLOWEST && all.last().is_some_and(|last| last.outranks(batch.part, latency)) {
                continue;
            }
            let found = rows.get(row, latency);
            let at = all.partition_point(|known| known.cmp(&found).is_le());
            all.insert(at, found);
            all.truncate(SLOWEST);
        }
        Ok(())
    })?;
    let rows = RowRef::rows(&all.iter().collect::<Vec<_>>(), table)?;
    Ok(rows.iter().map(|row| Example::of(row, None)).collect())
}

fn anomalies(table: &Table) -> Result<Vec<(&'static str, u64)>, Error> {
    let mut counts: ByName<u64> = ByName::new();
    table.scan(&["anomalies"], &mut |batch| {
        batch.words("anomalies")?.0.iter().for_each(|id| *counts.entry(id) += 1);
        Ok(())
    })?;
    let counts: BTreeMap<_, _> = counts.into_sorted().collect();
    let known = crate::breakdown::ANOMALIES.iter();
    Ok(known.filter_map(|(id, _)| Some((*id, *counts.get(&Some((*id).into()))?))).collect())
}
