//! What changed between two sets of startups, and whether it is more than noise.
//!
//! Each line compares the same column of both sets: a distribution test says whether they differ at all (p-values are adjusted
//! for the number of lines of a kind, Holm 1979), bootstrap intervals say by how much at p50, p95 and p99. A change counts
//! when the test says so, the interval of a quantile leaves zero out, and the quantile moved by more than the stamps' resolution.
//!
//! Starts of one burst wait for each other, which the test does not know: with few bursts it is surer than it should be.

mod comparable;
mod per_start;
mod settings;

use std::collections::{BTreeMap, BTreeSet};

use comparable::{ends_differ, group_of, inputs_differ, only_phase_of, shown_by_one_side, unattributed_elsewhere};
pub use per_start::{Part, PerStart};
pub use settings::SettingChange;

use crate::model::error::Error;
use crate::model::names::named_enum;
use crate::model::phase::{PHASES, Phase};
use crate::model::workload::node_pool;
use crate::report::Report;
use crate::report::stat::{self, Change};
use crate::table::{self, Batch, Table, phase_column};

/// How sure an interval is: of a hundred such intervals five may miss.
pub const CONFIDENCE: f64 = 0.95;
/// Differences below are no change, seconds: logs stamp milliseconds, and a start's steps are some ten of them.
pub const FLOOR: f64 = 0.05;
/// Creation stamps are cut to whole seconds, for all pods of one second by the same part: over `k` distinct seconds a length
/// that begins at creation is known to a second divided by √k. Changes below that are no change.
fn floor(from_creation: bool, seconds: usize) -> f64 {
    if from_creation { FLOOR.max(1.0 / (seconds.max(1) as f64).sqrt()) } else { FLOOR }
}

/// A side with fewer values is not compared.
const MIN_VALUES: usize = 5;
/// The quantiles compared.
pub const QUANTILES: [(f64, &str); 3] = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")];

named_enum! {
    /// What a comparison says.
    Verdict VERDICTS {
        /// After takes longer.
        Slower = "slower",
        /// After takes less.
        Faster = "faster",
        /// The difference is no more than noise.
        Noise = "noise",
        /// The test finds a difference, but no quantile changed for certain.
        Unclear = "unclear",
        /// A certain change below the resolution of the timestamps.
        Slight = "slight",
        /// One side has too few values.
        TooFew = "too few",
        /// The inputs of the two sides differ in kind.
        NotComparable = "not comparable",
        /// Only before has it.
        Gone = "gone",
        /// Only after has it.
        New = "new",
    }
}

named_enum! {
    /// What a line compares.
    LineKind LINE_KINDS {
        /// A duration of the whole start.
        Total = "total",
        /// A group of phases.
        Group = "group",
        /// A phase.
        Phase = "phase",
        /// A workload.
        Workload = "workload",
        /// A node pool.
        NodePool = "node_pool",
    }
}

/// One column of both sets.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Line {
    /// What it compares.
    pub kind: LineKind,
    /// Its name.
    pub name: String,
    /// How many values before.
    pub before: usize,
    /// How many after.
    pub after: usize,
    /// Mean seconds before.
    pub mean_before_s: Option<f64>,
    /// Mean seconds after.
    pub mean_after_s: Option<f64>,
    /// Total seconds before.
    pub sum_before_s: f64,
    /// Total seconds after.
    pub sum_after_s: f64,
    /// The quantiles and their change, in the order of [`QUANTILES`].
    pub quantiles: Vec<Quantile>,
    /// The resolution of the timestamps: a smaller change is none.
    pub floor_s: f64,
    /// The p-value of the difference, adjusted for the number of lines of the kind.
    pub p_value: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
}

/// A quantile of both sets.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Quantile {
    /// `p50`, `p95` or `p99`.
    pub name: &'static str,
    /// Before, seconds.
    pub before_s: f64,
    /// After, seconds.
    pub after_s: f64,
    /// After − before.
    pub change_s: f64,
    /// The change is at least this, as sure as [`CONFIDENCE`]; `None` where a side has too few values to decide, or the test
    /// finds no difference.
    pub low_s: Option<f64>,
    /// And at most this.
    pub high_s: Option<f64>,
}

/// A cause in both sets.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct CauseChange {
    /// Its id.
    pub cause: String,
    /// Startups that lost time to it, before.
    pub pods_before: u64,
    /// After.
    pub pods_after: u64,
    /// Seconds lost to it per startup, over all startups, before.
    pub each_before_s: f64,
    /// After.
    pub each_after_s: f64,
}

impl Diff {
    /// Whether both sides have workloads, and none of them is on both.
    pub fn shares_no_workload(&self) -> bool {
        let workloads = || self.lines.iter().filter(|line| line.kind == LineKind::Workload);
        let of_side = |side: fn(&Line) -> usize| workloads().any(|line| side(line) > 0);
        of_side(|line| line.before)
            && of_side(|line| line.after)
            && workloads().all(|line| line.before.min(line.after) == 0)
    }
}

impl CauseChange {
    /// `new`, `gone`, or nothing.
    pub fn note(&self) -> &'static str {
        match (self.pods_before, self.pods_after) {
            (0, _) => "new",
            (_, 0) => "gone",
            _ => "",
        }
    }
}

/// What changed.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Diff {
    /// The version of this format.
    pub podlag_diff: u32,
    /// The confidence level of the intervals.
    pub confidence: f64,
    /// The seed of the bootstrap: the same input gives the same intervals.
    pub seed: u64,
    /// Startups before and after.
    pub startups: (usize, usize),
    /// Nodes before and after.
    pub nodes: (usize, usize),
    /// Kubelet versions before and after.
    pub kubelets: (Vec<String>, Vec<String>),
    /// By how much the mean start changed, phase by phase.
    pub per_start: PerStart,
    /// Settings that are known of both sides and differ, or are known of one side only.
    pub settings: Vec<SettingChange>,
    /// The lines, kind by kind.
    pub lines: Vec<Line>,
    /// Causes, by the change of what they cost.
    pub causes: Vec<CauseChange>,
}

/// Compares two reports.
///
/// # Errors
/// When a query fails.
pub fn of(before: &Report, after: &Report) -> Result<Diff, Error> {
    let mut lines = Vec::new();
    let seconds = created(&before.table)?.min(created(&after.table)?);
    let total = [("running_s", false), ("ready_s", false), ("slo_s", true)];
    let total = total.map(|(name, stateless)| Column { name, of: vec![name.to_owned()], stateless });
    lines.extend(columns(LineKind::Total, &total, before, after, seconds)?);
    lines.extend(columns(LineKind::Group, &phase_groups(), before, after, seconds)?);
    let phases = PHASES.iter().map(|(phase, name)| Column { name, of: vec![phase_column(*phase)], stateless: false });
    lines.extend(columns(LineKind::Phase, &phases.collect::<Vec<_>>(), before, after, seconds)?);
    lines.extend(groups(LineKind::Workload, "workload", before, after, seconds, str::to_owned)?);
    lines.extend(groups(LineKind::NodePool, "node", before, after, seconds, node_pool)?);
    let one_sided = shown_by_one_side(&lines, before, after);
    let ends_differ = ends_differ(before, after);
    for line in lines.iter_mut().filter(|line| line.p_value.is_some()) {
        let differs = match line.kind {
            LineKind::Total | LineKind::Workload | LineKind::NodePool => ends_differ,
            // What one side does not show lies in what is unattributed there.
            LineKind::Phase => {
                let moved = line.name == Phase::Unattributed.name() && !one_sided.is_empty();
                moved || one_sided.contains(&line.name.as_str()) || inputs_differ(&line.name, before, after)
            }
            LineKind::Group => {
                let alone = PHASES.iter().find(|(_, phase)| only_phase_of(phase) == Some(&line.name));
                one_sided.iter().any(|phase| group_of(phase) == Some(&line.name))
                    || alone.is_some_and(|(_, phase)| inputs_differ(phase, before, after))
            }
        };
        if differs {
            (line.p_value, line.verdict) = (None, Verdict::NotComparable);
        }
    }
    // Each kind is a family of its own: a thousand workloads must not hide what changed for all.
    for kind in lines.chunk_by_mut(|a, b| a.kind == b.kind) {
        judge(kind);
    }
    unattributed_elsewhere(&mut lines, before, after);
    let alone: Vec<Line> = lines.iter().filter(|line| line.kind == LineKind::Group).cloned().collect();
    for line in lines.iter_mut().filter(|line| line.kind == LineKind::Phase && line.p_value.is_some()) {
        // A group's only phase is the group: what is said of one holds for the other, also that nothing is.
        if let Some(group) = only_phase_of(&line.name).and_then(|name| alone.iter().find(|group| group.name == name)) {
            (line.p_value, line.verdict) = (group.p_value, group.verdict);
        }
    }
    let each = |report: &Report| (report.summary.kubelets.clone(), report.summary.nodes, report.table.len());
    let ((k1, n1, s1), (k2, n2, s2)) = (each(before), each(after));
    Ok(Diff {
        podlag_diff: 1,
        confidence: CONFIDENCE,
        seed: stat::SEED,
        startups: (s1, s2),
        nodes: (n1, n2),
        kubelets: (k1, k2),
        // Where a part of one side is missing the parts do not add up to the change.
        per_start: if one_sided.is_empty() && !ends_differ { PerStart::of(&lines) } else { PerStart::default() },
        settings: settings::changes(&before.summary.settings, &after.summary.settings),
        lines,
        causes: causes(before, after),
    })
}

/// How many distinct seconds pods of a table were created in.
fn created(table: &Table) -> Result<usize, Error> {
    let created = table::values(table, "created", None)?;
    Ok(created.iter().map(|nanos| (nanos / 1e9).round() as i64).collect::<BTreeSet<_>>().len())
}

/// What a line compares: the sum of some columns.
struct Column {
    name: &'static str,
    of: Vec<String>,
    /// Of the startups that are not known to be stateful.
    stateless: bool,
}

impl Column {
    /// The values of a table, sorted.
    fn values(&self, table: &Table) -> Result<Vec<f64>, Error> {
        let stateless = |batch: &Batch| {
            Ok(batch.flags("stateful")?.iter().map(|stateful| stateful != Some(true)).collect::<Vec<bool>>())
        };
        let columns: Vec<&str> = self.of.iter().map(String::as_str).collect();
        table::sums(table, &columns, self.stateless.then_some((&["stateful"][..], &stateless)))
    }
}

/// The groups of phases, each the sum of its phases.
fn phase_groups() -> Vec<Column> {
    let mut groups: Vec<Column> = Vec::new();
    for (phase, _) in PHASES.iter().filter(|(phase, _)| *phase != Phase::Unattributed) {
        let group = phase.words().group;
        match groups.iter_mut().find(|known| known.name == group) {
            Some(known) => known.of.push(phase_column(*phase)),
            None => groups.push(Column { name: group, of: vec![phase_column(*phase)], stateless: false }),
        }
    }
    groups
}

fn columns(
    kind: LineKind,
    wanted: &[Column],
    before: &Report,
    after: &Report,
    seconds: usize,
) -> Result<Vec<Line>, Error> {
    let first = Phase::Scheduling;
    let from_creation = |name: &str| kind == LineKind::Total || name == first.name() || name == first.words().group;
    let mut lines = Vec::new();
    for column in wanted {
        let floor = floor(from_creation(column.name), seconds);
        let line = compare(kind, column.name, floor, &column.values(&before.table)?, &column.values(&after.table)?);
        // A phase that neither side has is no line.
        if line.quantiles.iter().any(|quantile| quantile.before_s != 0.0 || quantile.after_s != 0.0) {
            lines.push(line);
        }
    }
    Ok(lines)
}

fn groups(
    kind: LineKind,
    by: &str,
    before: &Report,
    after: &Report,
    seconds: usize,
    name: impl Fn(&str) -> String,
) -> Result<Vec<Line>, Error> {
    let side = |report: &Report| -> Result<BTreeMap<String, Vec<f64>>, Error> {
        let mut named: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (group, values) in table::values_by(&report.table, "running_s", by)? {
            named.entry(group.as_deref().map_or("–".into(), &name)).or_default().extend(values);
        }
        named.values_mut().for_each(|values| values.sort_by(f64::total_cmp));
        Ok(named)
    };
    let (before, after) = (side(before)?, side(after)?);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let none = Vec::new();
    let line = |name: &&String| {
        let values = |side: &'_ BTreeMap<String, Vec<f64>>| side.get(*name).unwrap_or(&none).clone();
        let (before, after) = (values(&before), values(&after));
        compare(kind, name, floor(true, seconds.min(before.len()).min(after.len())), &before, &after)
    };
    Ok(names.iter().map(line).collect())
}

/// A line without its verdict: the p-value is not yet adjusted.
fn compare(kind: LineKind, name: &str, floor_s: f64, before: &[f64], after: &[f64]) -> Line {
    // The values are sorted: their sum does not depend on the order of rows.
    let sum = |values: &[f64]| values.iter().fold(0.0, |sum, value| sum + value);
    let mean = |values: &[f64]| (!values.is_empty()).then(|| sum(values) / values.len() as f64);
    let enough = before.len().min(after.len()) >= MIN_VALUES;
    let p_value = enough.then(|| stat::mann_whitney_p(before, after));
    let change = |(q, name): &(f64, &'static str)| {
        let (Some(first), Some(second)) = (stat::quantile(before, *q), stat::quantile(after, *q)) else { return None };
        // Where the test finds nothing the interval decides nothing, and of thousands of workloads it takes its time.
        let differs = p_value.is_some_and(|p| p < 1.0 - CONFIDENCE);
        let change = if differs { stat::quantile_change(before, after, *q, CONFIDENCE) } else { None };
        let plain = Change { before: first, after: second, change: second - first, low: None, high: None };
        let Change { before, after, change, low, high } = change.unwrap_or(plain);
        Some(Quantile { name, before_s: before, after_s: after, change_s: change, low_s: low, high_s: high })
    };
    let verdict = match (before.len(), after.len()) {
        (0, 1..) => Verdict::New,
        (1.., 0) => Verdict::Gone,
        (before, after) if before.min(after) < MIN_VALUES => Verdict::TooFew,
        _ => Verdict::Noise,
    };
    Line {
        kind,
        name: name.to_owned(),
        before: before.len(),
        after: after.len(),
        mean_before_s: mean(before),
        mean_after_s: mean(after),
        sum_before_s: sum(before),
        sum_after_s: sum(after),
        quantiles: QUANTILES.iter().filter_map(change).collect(),
        floor_s,
        p_value: p_value.filter(|_| verdict == Verdict::Noise),
        verdict,
    }
}

/// Adjusts the p-values of a family of lines and says what each means.
fn judge(lines: &mut [Line]) {
    let raw: Vec<f64> = lines.iter().filter_map(|line| line.p_value).collect();
    let mut adjusted = stat::holm(&raw).into_iter();
    for line in lines.iter_mut().filter(|line| line.p_value.is_some()) {
        line.p_value = adjusted.next();
        line.verdict = verdict(line);
    }
}

fn verdict(line: &Line) -> Verdict {
    if line.p_value.is_none_or(|p| p >= 1.0 - CONFIDENCE) {
        return Verdict::Noise;
    }
    let certain = |quantile: &&Quantile| {
        quantile.low_s.is_some_and(|low| low > 0.0) || quantile.high_s.is_some_and(|high| high < 0.0)
    };
    let most = line.quantiles.iter().filter(certain).max_by(|a, b| a.change_s.abs().total_cmp(&b.change_s.abs()));
    match most {
        None => Verdict::Unclear,
        Some(most) if most.change_s.abs() < line.floor_s => Verdict::Slight,
        Some(most) if most.change_s > 0.0 => Verdict::Slower,
        Some(_) => Verdict::Faster,
    }
}

fn causes(before: &Report, after: &Report) -> Vec<CauseChange> {
    let each = |lost: f64, report: &Report| lost / report.table.len().max(1) as f64;
    let mut all: BTreeMap<&str, CauseChange> = BTreeMap::new();
    let change = |cause: &str| CauseChange {
        cause: cause.to_owned(),
        pods_before: 0,
        pods_after: 0,
        each_before_s: 0.0,
        each_after_s: 0.0,
    };
    for line in &before.summary.causes {
        let entry = all.entry(&line.cause).or_insert_with(|| change(&line.cause));
        (entry.pods_before, entry.each_before_s) = (line.pods, each(line.lost_s, before));
    }
    for line in &after.summary.causes {
        let entry = all.entry(&line.cause).or_insert_with(|| change(&line.cause));
        (entry.pods_after, entry.each_after_s) = (line.pods, each(line.lost_s, after));
    }
    let mut all: Vec<CauseChange> = all.into_values().collect();
    let size = |change: &CauseChange| (change.each_after_s - change.each_before_s).abs();
    all.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.cause.cmp(&b.cause)));
    all
}
