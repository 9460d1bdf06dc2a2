//! The figures of the first screen, each a lazy query over the table. Sums are taken in whole microseconds: so they do not
//! depend on the order of rows, and merged tables give the same bytes as one.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use super::cell::{failed, phase_column};
use super::found::Found;
use super::query::{BEGAN, micros, nested, quantile, scalar, seconds, strings};
use super::row::{Place, Row};
use super::store::Table;
use crate::causes::Advised;
use crate::causes::setting::{SETTINGS, Setting, Settings};
use crate::model::error::Error;
use crate::model::phase::PHASES;
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
    /// The seconds it claims.
    pub lost_s: f64,
    /// How many of them are certain.
    pub certain_s: f64,
    /// In how many startups.
    pub pods: u64,
    /// On how many nodes.
    pub nodes: u64,
    /// Created → running of all startups without what it claims.
    pub without: Quantiles,
    /// The startup with the largest claim.
    pub worst: Option<Example>,
    /// What to set about it on these kubelets, and what that costs.
    pub advised: Advised,
    /// What that would save, in words, where it can be replayed.
    pub what_if: Option<String>,
}

/// A setting as it is known of some nodes.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct SettingLine {
    /// Its name.
    pub name: &'static str,
    /// Its value; none: nothing tells it.
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
    /// How it stands.
    pub state: State,
    /// How long it took: to running where that is known, else the whole.
    pub seconds: Option<f64>,
    /// Whether it is known when it ran.
    pub ran: bool,
    /// The cause, and what it claims.
    pub cause: Option<Box<str>>,
    /// See `cause`.
    pub cause_s: Option<f64>,
    /// Whom or what was waited for.
    pub about: Option<Box<str>>,
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
            None => findings.find(|finding| &*finding.cause != "record-late"),
        };
        let evidence = finding.and_then(|finding| finding.evidence.clone());
        Example {
            pod: row.full_name(),
            uid: row.uid.clone(),
            node: row.node.clone(),
            state: row.state,
            seconds: row.felt_s().filter(|seconds| *seconds >= 0.0),
            ran: row.running_s.is_some(),
            cause: finding.map(|finding| finding.cause.clone()),
            cause_s: finding.map(|finding| finding.lost_s),
            about: finding.and_then(|finding| finding.about.clone()),
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
    /// Values of the kubelet that were repaired.
    pub repaired: u64,
    /// Where the time went.
    pub phases: Vec<PhaseLine>,
    /// Why, by seconds lost.
    pub causes: Vec<CauseLine>,
    /// The startups with the longest way to running.
    pub slowest: Vec<Example>,
    /// Oddities and how often.
    pub anomalies: Vec<(&'static str, u64)>,
    /// What is known to be set, and on how many nodes.
    pub settings: Vec<SettingLine>,
    /// What the startups stand on, and how many stand on that.
    pub evidence: Vec<(String, u64)>,
}

impl Summary {
    /// What is known to be set alike on all nodes.
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
const SLOWEST: u32 = 10;

/// The figures over a table.
///
/// # Errors
/// When a query fails, which it does only for lack of memory or of a part of the table.
pub fn summary(table: &Table) -> Result<Summary, Error> {
    if table.is_empty() {
        return Ok(Summary::default());
    }
    let stateless = table.select(&[col("slo_s"), col("stateful")])?.filter(col("stateful").fill_null(lit(false)).not());
    let slo = quantiles(stateless.clone(), "slo_s")?;
    let within = scalar(stateless.filter(col("slo_s").lt_eq(lit(5.0))).select([col("slo_s").count()]))?;
    let anomalies = anomalies(table)?;
    let mut summary = Summary {
        startups: table.len(),
        states: states(table)?,
        nodes: nodes(table)?,
        kubelets: strings(table.select(&[col("kubelet_version").unique()])?)?.into_iter().collect(),
        window: window(table)?,
        running: quantiles(table.select(&[col("running_s")])?, "running_s")?,
        slo,
        slo_within: if slo.count > 0 { within / slo.count as f64 } else { 0.0 },
        repaired: anomalies.iter().find(|(id, _)| *id == "slo-overflow").map_or(0, |(_, count)| *count),
        phases: phases(table)?,
        slowest: slowest(table)?,
        anomalies,
        settings: settings(table)?,
        evidence: counts(table, "evidence")?.into_iter().collect(),
        ..Summary::default()
    };
    summary.causes = causes(table, &summary)?;
    Ok(summary)
}

/// How often each word of a column is there.
fn counts(table: &Table, column: &str) -> Result<BTreeMap<String, u64>, Error> {
    let found = table.select(&[col(column)])?.group_by([col(column)]).agg([len().alias("count")]);
    let found = found.collect().map_err(failed)?;
    let words = found.column(column).map_err(failed)?.str().map_err(failed)?.clone();
    let count = |at| seconds(&found, "count", at).unwrap_or(0.0) as u64;
    Ok(words.iter().enumerate().map(|(at, word)| (word.unwrap_or_default().to_owned(), count(at))).collect())
}

/// What is known to be set: a line for each value of a setting that some node's lines tell.
fn settings(table: &Table) -> Result<Vec<SettingLine>, Error> {
    let pairs = table.select(&[col("node"), col("settings"), col(BEGAN)])?;
    let pairs = pairs.group_by([col("node"), col("settings")]).agg([col(BEGAN).max().alias("last")]);
    // In the order of time: what was told later holds.
    let found = pairs.sort(["last", "settings"], SortMultipleOptions::default()).collect().map_err(failed)?;
    let text = |name: &str| Ok::<_, Error>(found.column(name).map_err(failed)?.str().map_err(failed)?.clone());
    let mut nodes: BTreeMap<Option<String>, Settings> = BTreeMap::new();
    for (node, words) in text("node")?.iter().zip(text("settings")?.iter()) {
        let known = nodes.entry(node.map(str::to_owned)).or_default();
        *known = Settings::read(words.unwrap_or_default()).over(known);
    }
    let mut lines = Vec::new();
    for (knob, name) in SETTINGS {
        let mut values: BTreeMap<Option<&str>, u64> = BTreeMap::new();
        nodes.values().for_each(|known| *values.entry(known.get(*knob)).or_default() += 1);
        if values.keys().any(Option::is_some) {
            lines.extend(values.into_iter().map(|(value, nodes)| SettingLine {
                name,
                value: value.map(str::to_owned),
                nodes,
            }));
        }
    }
    Ok(lines)
}

/// Created → running of all startups without what each cause claims before that.
struct Effects {
    /// Of each row, by its number over all parts; NaN where it is not known.
    running: Vec<f64>,
    /// The rows that each cause claims of, and how much.
    claims: BTreeMap<String, Vec<(u32, f32)>>,
}

impl Effects {
    fn add(&mut self, part: &LazyFrame) -> Result<(), Error> {
        let first = self.running.len();
        let running = part.clone().select([col("running_s")]).collect().map_err(failed)?;
        let seconds = running.column("running_s").map_err(failed)?.f64().map_err(failed)?;
        self.running.extend(seconds.iter().map(|running| running.unwrap_or(f64::NAN)));
        let claims = part.clone().with_row_index("row", None).select([col("row"), col("findings")]);
        let claims = nested(claims, "findings").select([col("row"), col("cause"), col("lost_s")]);
        let found = claims.collect().map_err(failed)?;
        let rows = found.column("row").map_err(failed)?.idx().map_err(failed)?;
        let causes = found.column("cause").map_err(failed)?.str().map_err(failed)?;
        let lost = found.column("lost_s").map_err(failed)?.f64().map_err(failed)?;
        for ((row, cause), lost) in rows.iter().zip(causes.iter()).zip(lost.iter()) {
            let (Some(row), Some(cause), Some(lost)) = (row, cause, lost) else { continue };
            // The record may be late, the pod is not: that changes nothing of when it ran.
            if cause == "record-late" {
                continue;
            }
            let row = u32::try_from(first + row as usize).unwrap_or(u32::MAX);
            match self.claims.get_mut(cause) {
                Some(claims) => claims.push((row, lost as f32)),
                None => drop(self.claims.insert(cause.to_owned(), vec![(row, lost as f32)])),
            }
        }
        Ok(())
    }

    fn without(&self, cause: &str) -> Quantiles {
        let mut left = self.running.clone();
        for (row, lost) in self.claims.get(cause).into_iter().flatten() {
            if let Some(running) = left.get_mut(*row as usize) {
                *running = (*running - f64::from(*lost)).max(0.0);
            }
        }
        left.retain(|running| !running.is_nan());
        let count = left.len();
        let mut at = |share: f64| {
            let rank = ((count as f64 * share).ceil() as usize).clamp(1, count.max(1)) - 1;
            if count == 0 { 0.0 } else { *left.select_nth_unstable_by(rank, f64::total_cmp).1 }
        };
        Quantiles { count: count as u64, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1.0) }
    }
}

fn quantiles(frame: LazyFrame, column: &str) -> Result<Quantiles, Error> {
    let at = |q: f64| quantile(col(column), q).alias(format!("{q}"));
    let query =
        frame.select([col(column).count().alias("count"), at(0.5), at(0.95), at(0.99), col(column).max().alias("max")]);
    let found = query.collect().map_err(failed)?;
    let get = |name: &str| seconds(&found, name, 0).unwrap_or(0.0);
    Ok(Quantiles { count: get("count") as u64, p50: get("0.5"), p95: get("0.95"), p99: get("0.99"), max: get("max") })
}

fn states(table: &Table) -> Result<Vec<(&'static str, u64)>, Error> {
    let all = table.select(&[col("state")])?;
    let count = |state: &State| {
        let found = all.clone().filter(col("state").eq(lit(state.name()))).select([col("state").count()]);
        Ok((state.name(), scalar(found)? as u64))
    };
    crate::model::startup::STATES.iter().map(|(state, _)| count(state)).collect()
}

/// Nodes are told by name; where no line names them, the files of one folder are of one node.
fn nodes(table: &Table) -> Result<usize, Error> {
    let named = strings(table.select(&[col("node").unique()])?)?;
    let nameless = col("source").filter(col("node").is_null()).unique();
    let sources = strings(table.select(&[nameless])?)?;
    let folders: BTreeSet<_> =
        sources.iter().map(|source| source.rsplit_once('/').map_or("", |(folder, _)| folder)).collect();
    Ok(named.len() + folders.len())
}

fn window(table: &Table) -> Result<Option<(Time, Time)>, Error> {
    let number = |expression: Expr| expression.cast(DataType::Int64);
    let last = col("watched").fill_null(col("running")).fill_null(col("seen"));
    let found = table.select(&[col(BEGAN).min().alias("from"), number(last.max()).alias("to")])?;
    let found = found.select([col("from").min(), col("to").max()]).collect().map_err(failed)?;
    let get = |name: &str| -> Result<Option<Time>, Error> {
        Ok(found.column(name).map_err(failed)?.i64().map_err(failed)?.get(0).map(Time))
    };
    // By two clocks the last instant may lie before the first.
    Ok(get("from")?.zip(get("to")?).map(|(from, to)| (from.min(to), from.max(to))))
}

fn phases(table: &Table) -> Result<Vec<PhaseLine>, Error> {
    let mut lines = Vec::new();
    for some in PHASES.chunks(table.columns_at_once()) {
        let columns: Vec<String> = some.iter().map(|(phase, _)| phase_column(*phase)).collect();
        let lost = columns.iter().map(|column| micros(column).sum().alias(format!("{column} lost")));
        let p99 = columns.iter().map(|column| quantile(col(column.as_str()), 0.99).alias(format!("{column} p99")));
        let figures: Vec<Expr> = lost.chain(p99).collect();
        let wanted: Vec<Expr> = columns.iter().map(|column| col(column.as_str())).collect();
        let found = table.select(&wanted)?.select(figures).collect().map_err(failed)?;
        for ((_, phase), column) in some.iter().zip(columns) {
            let get = |figure: &str| seconds(&found, &format!("{column} {figure}"), 0).unwrap_or(0.0);
            let (lost_s, p99_s) = (get("lost") / 1e6, get("p99"));
            lines.push(PhaseLine { phase, lost_s, share: 0.0, p99_s, certain_share: 0.0 });
        }
    }
    let mut certain: BTreeMap<String, f64> = BTreeMap::new();
    for part in table.parts() {
        let spans = nested(part.select([col("spans")]), "spans");
        let found =
            spans.group_by([col("phase")]).agg([micros("min_s").sum().alias("certain")]).collect().map_err(failed)?;
        let names = found.column("phase").map_err(failed)?.str().map_err(failed)?;
        for (at, name) in names.iter().enumerate() {
            *certain.entry(name.unwrap_or_default().to_owned()).or_default() +=
                seconds(&found, "certain", at).unwrap_or(0.0);
        }
    }
    let whole: f64 = lines.iter().map(|line| line.lost_s).sum();
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    for line in &mut lines {
        line.share = share(line.lost_s, whole);
        // A phase may be several spans, each cut to microseconds by itself.
        line.certain_share = share(certain.get(line.phase).copied().unwrap_or(0.0) / 1e6, line.lost_s).min(1.0);
    }
    Ok(lines)
}

#[derive(Default)]
struct Claims {
    lost: f64,
    certain: f64,
    pods: u64,
    nodes: BTreeSet<String>,
    worst: Option<Found>,
}

fn causes(table: &Table, summary: &Summary) -> Result<Vec<CauseLine>, Error> {
    let mut all: BTreeMap<String, Claims> = BTreeMap::new();
    let mut effects = Effects { running: Vec::with_capacity(table.len()), claims: BTreeMap::new() };
    for (number, part) in table.parts().into_iter().enumerate() {
        effects.add(&part)?;
        let findings = nested(part.with_row_index("row", None).select(Found::columns(&[col("findings")])), "findings");
        let largest = SortMultipleOptions::default().with_order_descending_multi([true, false]);
        let mut figures = vec![
            micros("lost_s").sum().alias("lost"),
            micros("certain_s").sum().alias("certain"),
            col("row").n_unique().alias("pods"),
            col("node").unique().alias("nodes"),
            col("lost_s").first().alias("most"),
        ];
        figures.extend(Found::COLUMNS.map(|name| col(name).first().alias(format!("first {name}"))));
        let query = findings.sort(["lost_s", "row"], largest).group_by_stable([col("cause")]).agg(figures);
        let found = query.collect().map_err(failed)?;
        let names = found.column("cause").map_err(failed)?.str().map_err(failed)?;
        let nodes = found.column("nodes").map_err(failed)?.list().map_err(failed)?;
        for (at, name) in names.iter().enumerate() {
            let get = |column: &str| seconds(&found, column, at).unwrap_or(0.0);
            let claims = all.entry(name.unwrap_or_default().to_owned()).or_default();
            claims.lost += get("lost");
            claims.certain += get("certain");
            claims.pods += get("pods") as u64;
            if let Some(nodes) = nodes.get_as_series(at) {
                claims
                    .nodes
                    .extend(nodes.str().map_err(failed)?.iter().map(|node| node.unwrap_or_default().to_owned()));
            }
            let found = Found::of(&found, at, number, get("most"), "first ")?;
            if claims.worst.as_ref().is_none_or(|known| found.before(known)) {
                claims.worst = Some(found);
            }
        }
    }
    let known = summary.known();
    let versions = || summary.kubelets.iter().map(String::as_str);
    let advised = |cause: &str| crate::causes::named(cause).map(|cause| cause.advised(versions(), &known));
    let worst = Found::rows(&all.values().filter_map(|claims| claims.worst.as_ref()).collect::<Vec<_>>(), table)?;
    let mut worst = worst.into_iter();
    let line = |(cause, claims): (String, Claims)| {
        let worst = claims.worst.and_then(|_| worst.next());
        CauseLine {
            without: effects.without(&cause),
            advised: advised(&cause).unwrap_or_default(),
            what_if: None,
            lost_s: claims.lost / 1e6,
            certain_s: claims.certain / 1e6,
            pods: claims.pods,
            nodes: claims.nodes.len() as u64,
            worst: worst.map(|row| Example::of(&row, Some(&cause))),
            cause,
        }
    };
    let mut lines: Vec<CauseLine> = all.into_iter().map(line).collect();
    lines.sort_by(|a, b| b.lost_s.total_cmp(&a.lost_s).then_with(|| a.cause.cmp(&b.cause)));
    Ok(lines)
}

fn slowest(table: &Table) -> Result<Vec<Example>, Error> {
    let mut all: Vec<Found> = Vec::new();
    for (number, part) in table.parts().into_iter().enumerate() {
        // By two clocks a whole may be negative: of that nothing is the slowest.
        let felt = col("running_s").fill_null(col("total_s"));
        let felt = when(felt.clone().gt_eq(lit(0.0))).then(felt).otherwise(lit(f64::NEG_INFINITY)).alias("felt");
        let longest = SortMultipleOptions::default().with_order_descending_multi([true, false]);
        let query = part.with_row_index("row", None).select(Found::columns(&[felt]));
        let found = query.sort(["felt", "row"], longest).limit(SLOWEST).collect().map_err(failed)?;
        for at in 0..found.height() {
            let felt = seconds(&found, "felt", at).unwrap_or(f64::NEG_INFINITY);
            all.push(Found::of(&found, at, number, felt, "")?);
        }
    }
    all.sort_by(Found::cmp);
    all.truncate(SLOWEST as usize);
    let rows = Found::rows(&all.iter().collect::<Vec<_>>(), table)?;
    Ok(rows.iter().map(|row| Example::of(row, None)).collect())
}

fn anomalies(table: &Table) -> Result<Vec<(&'static str, u64)>, Error> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for part in table.parts() {
        let options = ExplodeOptions { empty_as_null: false, keep_nulls: false };
        let query = part.select([col("anomalies")]).explode(by_name(["anomalies"], true, false), options);
        let found = query.group_by([col("anomalies")]).agg([len().alias("count")]).collect().map_err(failed)?;
        let names = found.column("anomalies").map_err(failed)?.str().map_err(failed)?;
        for (at, name) in names.iter().enumerate() {
            *counts.entry(name.unwrap_or_default().to_owned()).or_default() +=
                seconds(&found, "count", at).unwrap_or(0.0) as u64;
        }
    }
    let known = crate::breakdown::ANOMALIES.iter();
    Ok(known.filter_map(|(id, _)| Some((*id, *counts.get(*id)?))).collect())
}
