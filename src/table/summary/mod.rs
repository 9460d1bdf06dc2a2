//! The figures of the first screen, each made batch by batch. Sums are taken in whole microseconds: so they do not depend on
//! the order of rows, and merged tables give the same bytes as one.

mod claims;
mod counts;
mod incidents;
mod phases;
mod slo;

use std::collections::BTreeMap;

use claims::{Counterfactual, cause_lines};
use counts::Counts;
pub use incidents::{Incident, Incidents};
use slo::SloValues;

use super::query::{ByName, seconds};
use super::row::{Place, Row};
use super::row_ref::{RowRef, RowRefs};
use super::startups::Table;
use crate::breakdown::{ANOMALIES, Anomaly};
use crate::causes::setting::{SETTINGS, Setting, Settings};
use crate::causes::{Advised, UNEXPLAINED};
use crate::model::error::Error;
use crate::model::quantile::{rank, select_quantile};
use crate::model::startup::State;
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
    /// What was waited for and which errors show it: that of the most startups first, at most ten.
    pub parts: Vec<CausePart>,
    /// The startup that lost most to it.
    pub example: Option<Example>,
    /// What to change on these kubelets, and the trade-off.
    pub advised: Advised,
}

impl CauseLine {
    /// Whether all that it may have cost is certain.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.lost_s <= 0.0 || self.lost_min_s / self.lost_s >= 0.995
    }
}

/// The startups of a cause that waited for the same, by the same error.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct CausePart {
    /// What they waited for; null if unknown.
    pub waited_for: Option<Box<str>>,
    /// The reason in the error; null if no error shows the cause.
    pub error: Option<Box<str>>,
    /// In how many startups.
    pub pods: u64,
    /// Seconds lost.
    pub lost_s: f64,
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

/// A startup that represents many.
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
    /// The reason in the error that shows it.
    pub error: Option<Box<str>>,
    /// The line that shows it.
    pub evidence: Option<Place>,
    /// That line's text, shortened.
    pub text: Box<str>,
}

impl Example {
    fn of(row: &Row, cause: Option<&str>) -> Self {
        let mut findings = row.findings.iter();
        let finding = match cause {
            Some(cause) => findings.find(|finding| *finding.cause == *cause),
            // What nothing explains says less than any cause.
            None => findings.clone().find(|finding| *finding.cause != *UNEXPLAINED).or_else(|| findings.next()),
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
            error: finding.and_then(|finding| finding.error.clone()),
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
    /// Those that still fail to start, were refused, or were deleted before they came up.
    pub did_not_come_up: Incidents,
    /// Those whose containers were started again.
    pub restarted: Incidents,
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
    /// Created → ready, of the startups whose readiness is known.
    pub ready: Quantiles,
    /// Our own SLO value of stateless pods (and of those whose record does not say).
    pub slo: Quantiles,
    /// How many have none because they did not come up. They count as longer than the limit.
    pub slo_did_not_come_up: u64,
    /// The p99 with these; null where it is not bounded because of them, or where no value is known.
    pub slo_p99: Option<f64>,
    /// The share within 5 s of all of them, 0 to 1.
    pub slo_within: f64,
    /// What these values leave out: seconds of waiting for images and pulling them.
    pub slo_without_pulls_s: f64,
    /// And seconds of init containers.
    pub slo_without_init_s: f64,
    /// Corrupt values of the kubelet that were corrected.
    pub corrected: u64,
    /// Where the time went.
    pub phases: Vec<PhaseLine>,
    /// Why, by seconds lost.
    pub causes: Vec<CauseLine>,
    /// The slowest startups.
    pub slowest: Vec<Example>,
    /// Anomalies and how often.
    #[schemars(with = "Vec<(String, u64)>")]
    pub anomalies: Vec<(Anomaly, u64)>,
    /// Known settings, and on how many nodes.
    pub settings: Vec<SettingLine>,
    /// The inputs that cover the startups, and how many startups each.
    pub evidence: Vec<(String, u64)>,
}

impl Summary {
    /// Of how many startups the SLO is: of those with a value, and those that did not come up.
    #[must_use]
    pub fn slo_of(&self) -> u64 {
        self.slo.count + self.slo_did_not_come_up
    }

    /// How many are in a state.
    #[must_use]
    pub fn in_state(&self, state: State) -> u64 {
        self.states.iter().find(|(name, _)| *name == state.name()).map_or(0, |(_, count)| *count)
    }

    /// Of how many pods it may be said that containers of them were restarted: of those that came up, or may.
    #[must_use]
    pub fn others(&self) -> usize {
        self.startups.saturating_sub(self.did_not_come_up.count as usize)
    }

    /// Whether 99 % of these came to run within 5 s.
    #[must_use]
    pub fn slo_met(&self) -> bool {
        self.slo_p99.is_some_and(|p99| p99 <= 5.0)
    }

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
    let SloValues { values: mut slo, did_not_come_up: slo_did_not_come_up, pulls, init } = slo::collect(table)?;
    let slo_of = slo.len() + slo_did_not_come_up;
    let within = slo.iter().filter(|seconds| **seconds <= 5.0).count();
    let slo_within = if slo_of == 0 { 0.0 } else { within as f64 / slo_of as f64 };
    slo.sort_by(f64::total_cmp);
    let slo_p99 = slo.get(rank(slo_of, 0.99)).copied();
    let (counts, effects) = (Counts::collect(table)?, Counterfactual::collect(table)?);
    let anomalies = anomalies(table)?;
    let (did_not_come_up, restarted) = incidents::collect(table)?;
    let mut summary = Summary {
        startups: table.len(),
        did_not_come_up,
        restarted,
        states: counts.states(),
        nodes: counts.nodes(),
        kubelets: counts.kubelets.iter().map(ToString::to_string).collect(),
        // By two clocks the last instant may lie before the first.
        window: counts.first.zip(counts.last).map(|(from, to)| (Time(from.min(to)), Time(from.max(to)))),
        running: effects.running(),
        ready: Quantiles::of(super::query::values(table, "ready_s", None)?),
        slo: Quantiles::of(slo),
        slo_did_not_come_up: slo_did_not_come_up as u64,
        slo_p99,
        slo_within,
        slo_without_pulls_s: seconds(pulls),
        slo_without_init_s: seconds(init),
        corrected: anomalies
            .iter()
            .find(|(anomaly, _)| *anomaly == Anomaly::SloOverflow)
            .map_or(0, |(_, count)| *count),
        phases: phases::collect(table)?,
        slowest: slowest(table)?,
        anomalies,
        settings: counts.settings(),
        evidence: counts.evidence.into_sorted().map(|(word, count)| (word.unwrap_or_default().into(), count)).collect(),
        ..Summary::default()
    };
    summary.causes = cause_lines(table, &summary, &effects)?;
    Ok(summary)
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

fn anomalies(table: &Table) -> Result<Vec<(Anomaly, u64)>, Error> {
    let mut counts: ByName<u64> = ByName::new();
    table.scan(&["anomalies"], &mut |batch| {
        batch.words("anomalies")?.0.iter().for_each(|id| *counts.entry(id) += 1);
        Ok(())
    })?;
    let counts: BTreeMap<_, _> = counts.into_sorted().collect();
    let known = ANOMALIES.iter();
    Ok(known.filter_map(|(anomaly, id)| Some((*anomaly, *counts.get(&Some((*id).into()))?))).collect())
}
