//! A gate: figures of the startups against limits, with a verdict that knows how much evidence there is.
//!
//! A limit says when to fail. A quantile, a mean or a share of a sample is known as an interval; the verdict is *fail* when the
//! whole interval breaks the limit, *pass* when none of it does, and *not enough evidence* in between. Counts, sums and extremes
//! cover exactly the given startups: they are exact. Without startups, limits are checked against metrics where these allow it.

mod alternatives;
pub mod expression;
mod filter;
mod margins;
mod metrics;

pub use alternatives::Alternative;
use filter::{Filter, takes_until_ready, takes_until_running};
use margins::{baseline_margins, interval_margins, outcome};
use metrics::Buckets;
use polars_core::prelude::DataType;

use crate::metrics::MetricsReport;
use crate::model::error::{Error, ErrorKind};
use crate::model::names::named_enum;
use crate::model::startup::State;
use crate::report::Report;
use crate::report::gate::expression::{Bound, ColumnType, Expression, Function};
use crate::report::stat::{self, Interval};
use crate::table::{Batch, Described, Row, Table};

/// How sure a verdict is: of a hundred five may be wrong.
pub const CONFIDENCE: f64 = 0.95;

/// What is checked when only a baseline is given: the start as users feel it, by five hundredths.
const DEFAULTS: [&str; 3] =
    ["p50(running_s) > baseline + 5%", "p95(running_s) > baseline + 5%", "p99(running_s) > baseline + 5%"];

named_enum! {
    /// What comes of a limit.
    Outcome OUTCOMES {
        /// It holds.
        Pass = "pass",
        /// The interval lies on both sides, or nothing has the value.
        Unknown = "not enough evidence",
        /// It is broken.
        Fail = "fail",
    }
}

named_enum! {
    /// What it means to a pipeline that there is not enough evidence for a verdict.
    #[derive(Default)]
    OnUnknown ON_UNKNOWN {
        /// An exit code of its own.
        #[default]
        Unknown = "unknown",
        /// The check passes.
        Pass = "pass",
        /// The check fails.
        Fail = "fail",
    }
}

impl Outcome {
    /// The exit code.
    pub fn code(self, on_unknown: OnUnknown) -> u8 {
        match (self, on_unknown) {
            (Outcome::Pass, _) | (Outcome::Unknown, OnUnknown::Pass) => 0,
            (Outcome::Fail, _) | (Outcome::Unknown, OnUnknown::Fail) => 1,
            (Outcome::Unknown, OnUnknown::Unknown) => 4,
        }
    }
}

/// Checks that every input was read: a missing input must not let a check pass.
///
/// # Errors
/// When an input could not be read, or reading was stopped.
pub fn ensure_complete_input(report: &Report) -> Result<(), Error> {
    let unread = report.coverage.unread_sources;
    if unread > 0 {
        let words = if unread == 1 { "one input was" } else { "inputs were" };
        return Err(Error::new(ErrorKind::Source, format!("no verdict: {words} unread or partly read")));
    }
    if report.coverage.partial { Err(Error::new(ErrorKind::Source, "no verdict: interrupted")) } else { Ok(()) }
}

/// One limit and what came of it.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Verdict {
    /// The expression, as given.
    pub limit: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The value: seconds, bytes, a number, or a share (0 to 1).
    pub value: Option<f64>,
    /// The lower end of its interval; null if there are too few startups.
    pub low: Option<f64>,
    /// The upper end of its interval.
    pub high: Option<f64>,
    /// The value it is compared with.
    pub bound: Option<f64>,
    /// The number of startups with a value.
    pub count: usize,
    /// Startups that were refused or deleted before they ran: they count as longer than any bound.
    pub never_ran: usize,
    /// Startups still starting, whose value is not known yet.
    pub open: usize,
    /// The baseline's value, if there is one.
    pub baseline: Option<f64>,
    /// The number of startups with a value in the baseline.
    pub baseline_count: Option<usize>,
    /// With fewer startups (here, and in the baseline) the limit cannot pass, whatever their values; null if any number will do.
    pub starts_needed: Option<usize>,
    /// Similar limits that these startups decide; only where this one is not decided.
    pub alternatives: Vec<Alternative>,
    /// The unit: `s`, `B`, `share` or empty.
    pub unit: &'static str,
}

/// The verdicts on all limits.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Verdicts {
    /// The version of this format.
    pub podlag_check: u32,
    /// The confidence level of the intervals.
    pub confidence: f64,
    /// The number of startups checked.
    pub startups: usize,
    /// How many of them never ran: refused, or deleted before they ran.
    pub never_ran: usize,
    /// How many of them are still starting.
    pub starting: usize,
    /// What *not enough evidence* means for the exit code.
    pub on_unknown: OnUnknown,
    /// One verdict for each limit, in order.
    pub verdicts: Vec<Verdict>,
}

impl Verdicts {
    /// The verdict on all: one broken limit is enough.
    pub fn worst(&self) -> Outcome {
        self.verdicts.iter().map(|verdict| verdict.outcome).max().unwrap_or(Outcome::Pass)
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.worst().code(self.on_unknown)
    }
}

/// The columns an expression can name, with their meaning.
pub fn columns() -> Vec<(String, &'static str)> {
    described().into_iter().map(|(column, _)| (column.name, column.about)).collect()
}

fn described() -> Vec<(Described, ColumnType)> {
    let holds = |column: &Described| match &column.dtype {
        DataType::String => Some(ColumnType::Text),
        DataType::List(inner) if **inner == DataType::String => Some(ColumnType::Texts),
        DataType::Float64 => Some(ColumnType::Seconds),
        DataType::Int64 if column.name.ends_with("_bytes") => Some(ColumnType::Bytes),
        DataType::Int64 => Some(ColumnType::Number),
        DataType::Boolean => Some(ColumnType::Bool),
        DataType::Datetime(..) => Some(ColumnType::Time),
        _ => None,
    };
    Row::described().into_iter().filter_map(|column| holds(&column).map(|holds| (column, holds))).collect()
}

/// Reads limits; without any, those a baseline gives.
///
/// # Errors
/// The mistakes of all that cannot be read, each with its place; or that there is nothing to check.
pub fn limits(texts: &[String], baseline: bool) -> Result<Vec<Expression>, Error> {
    let defaults = DEFAULTS.map(str::to_owned);
    let texts = match (texts, baseline) {
        ([], true) => &defaults,
        ([], false) => {
            return Err(Error::new(ErrorKind::Setting, "nothing to check: no --fail-if and no --baseline")
                .help("podlag check --fail-if 'p99(slo_s) > 5s' INPUT"));
        }
        (texts, _) => texts,
    };
    let known = described();
    let columns: Vec<(&str, ColumnType)> = known.iter().map(|(column, holds)| (column.name.as_str(), *holds)).collect();
    let mut limits = Vec::new();
    let mut wrong = Vec::new();
    for text in texts {
        match expression::parse(text, &columns) {
            Ok(limit) if limit.needs_baseline() && !baseline => {
                wrong.push(format!("{text}\nhelp: it compares with a baseline; give one with --baseline"));
            }
            Ok(limit) => limits.push(limit),
            Err(error) => wrong.push(error.show(text)),
        }
    }
    if wrong.is_empty() {
        Ok(limits)
    } else {
        Err(Error::new(ErrorKind::Setting, format!("--fail-if:\n{}", wrong.join("\n"))))
    }
}

/// Judges limits over a report, and the baseline where they name one.
///
/// # Errors
/// When a query fails.
pub fn judge(
    limits: &[Expression],
    report: &Report,
    baseline: Option<&Report>,
    on_unknown: OnUnknown,
) -> Result<Verdicts, Error> {
    let judge = |limit: &Expression| {
        if is_empty(report) {
            return Ok(Verdict::of_nothing(limit));
        }
        let mut verdict = one(limit, report, baseline)?;
        if verdict.outcome == Outcome::Unknown {
            verdict.alternatives = alternatives::decided(limit, &verdict, report, baseline)?;
        }
        Ok(verdict)
    };
    let verdicts = limits.iter().map(judge).collect::<Result<_, Error>>()?;
    let startups = measured(report).map_or(report.table.len(), |metrics| metrics.startups().round() as usize);
    let count = |states: &[State]| {
        let of =
            |(name, count): &(&str, u64)| if states.iter().any(|state| state.name() == *name) { *count } else { 0 };
        report.summary.states.iter().map(of).sum::<u64>() as usize
    };
    let (never_ran, starting) = (count(&State::NEVER_RAN), count(&[State::Starting]));
    Ok(Verdicts { podlag_check: 1, confidence: CONFIDENCE, startups, never_ran, starting, on_unknown, verdicts })
}

/// The verdict on one limit.
fn one(limit: &Expression, report: &Report, baseline: Option<&Report>) -> Result<Verdict, Error> {
    let now = Sample::given(limit, report)?;
    let before = baseline.map(|baseline| Sample::given(limit, baseline)).transpose()?;
    Ok(verdict(limit, &now, before.as_ref()))
}

/// The metrics that stand in for the startups of a report. Where a filter leaves none of its startups they do not: they hold
/// all others too.
fn measured(report: &Report) -> Option<&MetricsReport> {
    report.metrics.as_ref().filter(|_| report.table.is_empty() && report.metrics_are_comparable)
}

/// Whether there is nothing that limits could be checked over.
pub fn is_empty(report: &Report) -> bool {
    report.table.is_empty() && measured(report).is_none_or(|metrics| metrics.startups() <= 0.0)
}

impl Verdict {
    /// Without startups nothing is known, whatever the limit asks.
    fn of_nothing(limit: &Expression) -> Self {
        let limit = limit.text.clone();
        let (value, low, high, bound, baseline) = (None, None, None, None, None);
        Verdict {
            limit,
            outcome: Outcome::Unknown,
            value,
            low,
            high,
            bound,
            count: 0,
            never_ran: 0,
            open: 0,
            baseline,
            baseline_count: None,
            starts_needed: None,
            alternatives: Vec::new(),
            unit: "",
        }
    }
}

/// What an expression's figure is of.
struct Sample {
    values: Values,
    /// How many startups the figure is of.
    count: usize,
    /// How many of these never ran: they count as longer than any bound.
    never_ran: usize,
    /// How many of the startups that pass the filters have no value yet, for they are still on their way.
    open: usize,
}

enum Values {
    /// Sorted values.
    Of(Vec<f64>),
    /// So many that fit a condition.
    Share(usize),
    /// So many.
    Count(usize),
    /// A histogram; with a bound, the share of it that lies at or below (or above) that.
    Buckets(Buckets, Option<(f64, bool)>),
}

/// Which startups never ran and so have no value in this column.
fn never_ran(batch: &Batch, column: &str) -> Result<Vec<bool>, Error> {
    let states = State::NEVER_RAN.map(State::name);
    let ended = batch.text("state")?.iter().map(|state| state.is_some_and(|state| states.contains(&state)));
    Ok(ended.zip(batch.nulls(column)?).map(|(ended, unknown)| ended && unknown).collect())
}

impl Sample {
    /// Of startups where there are any, else of metrics.
    fn given(limit: &Expression, report: &Report) -> Result<Self, Error> {
        match measured(report) {
            Some(measured) => Sample::measured(limit, measured),
            None => Sample::of(limit, &report.table),
        }
    }

    fn of(limit: &Expression, table: &Table) -> Result<Self, Error> {
        let filters = limit.filters.iter().map(Filter::new).collect::<Result<Vec<_>, Error>>()?;
        let condition = limit.condition.as_ref().map(Filter::new).transpose()?;
        let of = limit.column.as_ref().map(|column| column.name.as_str());
        let looked_at = condition.as_ref().map(Filter::column).or(of);
        let mut columns: Vec<&str> = filters.iter().map(Filter::column).chain(looked_at).chain(["state"]).collect();
        columns.sort_unstable();
        columns.dedup();
        let (mut sample, mut hits, mut values) = (Sample::empty(), 0, Vec::new());
        table.scan(&columns, &mut |batch| {
            let mut keep = vec![true; batch.len()];
            for filter in &filters {
                let before = keep.clone();
                keep.iter_mut().zip(filter.fits(batch)?).for_each(|(keep, fits)| *keep &= fits == Some(true));
                // A pod that never ran took longer than any bound that is counted by.
                if filter.fits_unbounded() == Some(true) {
                    let never = never_ran(batch, filter.column())?;
                    keep.iter_mut()
                        .zip(&before)
                        .zip(never)
                        .for_each(|((keep, before), never)| *keep |= *before && never);
                }
            }
            let kept = keep.iter().filter(|keep| **keep).count();
            if let Some(condition) = &condition {
                // Startups of which the condition says nothing are no part of the share.
                let fits =
                    condition.fits(batch)?.into_iter().zip(&keep).filter_map(|(fits, keep)| fits.filter(|_| *keep));
                for fits in fits {
                    sample.count += 1;
                    hits += usize::from(fits);
                }
            } else if let Some(of) = of {
                let known = values.len();
                values.extend(
                    batch.numbers(of)?.into_iter().zip(&keep).filter_map(|(value, keep)| value.filter(|_| *keep)),
                );
                sample.count += values.len() - known;
            } else {
                hits += kept;
            }
            let unbounded = match &condition {
                Some(condition) => condition.fits_unbounded(),
                None => of.filter(|of| takes_until_running(of)).map(|_| true),
            };
            if let (Some(fits), Some(name)) = (unbounded, looked_at) {
                let never =
                    never_ran(batch, name)?.into_iter().zip(&keep).filter(|(never, keep)| *never && **keep).count();
                sample.never_ran += never;
                sample.count += never;
                hits += if fits { never } else { 0 };
                if condition.is_none() {
                    values.extend(std::iter::repeat_n(f64::INFINITY, never));
                }
            }
            // A condition on a value that comes with running says nothing of those that do not run yet.
            if let Some(name) = looked_at.filter(|_| condition.as_ref().is_none_or(Filter::comes_with_running)) {
                // A pod that runs may not be ready yet.
                let not_yet = |state: &str| {
                    state == State::Starting.name() || state == State::Running.name() && takes_until_ready(name)
                };
                let state = batch.text("state")?.iter().map(|state| state.is_some_and(not_yet));
                let open = state
                    .zip(batch.nulls(name)?)
                    .zip(&keep)
                    .filter(|((starting, unknown), keep)| *starting && *unknown && **keep);
                sample.open += open.count();
            }
            Ok(())
        })?;
        sample.values = match (&condition, of) {
            (Some(_), _) => Values::Share(hits),
            (None, Some(_)) => {
                values.sort_by(f64::total_cmp);
                Values::Of(values)
            }
            (None, None) => {
                sample.count = table.len();
                Values::Count(hits)
            }
        };
        Ok(sample)
    }

    fn empty() -> Self {
        Sample { values: Values::Count(0), count: 0, never_ran: 0, open: 0 }
    }

    /// The figure, and between what it lies. Startups still on their way may come to have any value: low ones at one end,
    /// high ones at the other.
    fn figure(&self, function: Function) -> (Option<f64>, Interval) {
        let interval = |low: Option<f64>, high: Option<f64>| Interval { low, high };
        let settled = self.open == 0;
        // Nothing adds up to 0, not to -0.
        let sum = |values: &[f64]| values.iter().fold(0.0, |sum, value| sum + value);
        match (&self.values, function) {
            (Values::Buckets(buckets, Some((bound, above))), _) => buckets.share(*bound, *above),
            (Values::Buckets(buckets, None), Function::Quantile(q)) => buckets.quantile(q),
            (Values::Buckets(..), _) => (None, interval(None, None)),
            (Values::Count(count), _) => (Some(*count as f64), interval(Some(*count as f64), Some(*count as f64))),
            (Values::Share(_), _) if self.count == 0 => (None, interval(None, None)),
            (Values::Share(hits), _) => {
                let all = self.count + self.open;
                let (low, _) = stat::share_interval(*hits, all, CONFIDENCE);
                let (_, high) = stat::share_interval(hits + self.open, all, CONFIDENCE);
                (Some(*hits as f64 / self.count as f64), interval(Some(low), Some(high)))
            }
            (Values::Of(values), Function::Quantile(q)) => {
                let with = |value: f64| {
                    let mut all = values.clone();
                    all.extend(std::iter::repeat_n(value, self.open));
                    all.sort_by(f64::total_cmp);
                    stat::quantile_interval(&all, q, CONFIDENCE)
                };
                let finite = |end: Option<f64>| end.filter(|end| end.is_finite());
                let (low, high) = (finite(with(f64::NEG_INFINITY).low), finite(with(f64::INFINITY).high));
                (stat::quantile(values, q), interval(low, high))
            }
            (Values::Of(_), Function::Mean | Function::Sum) if self.never_ran > 0 => {
                (Some(f64::INFINITY), interval(Some(f64::INFINITY), Some(f64::INFINITY)))
            }
            (Values::Of(values), Function::Mean) => {
                let known = stat::mean_interval(values, CONFIDENCE).filter(|_| settled).unzip();
                ((!values.is_empty()).then(|| sum(values) / values.len() as f64), interval(known.0, known.1))
            }
            (Values::Of(values), Function::Min) => {
                let least = values.first().copied();
                (least, interval(least.filter(|_| settled), least))
            }
            (Values::Of(values), Function::Max) => {
                let most = values.last().copied();
                (most, interval(most, most.filter(|most| settled || most.is_infinite())))
            }
            (Values::Of(values), _) => {
                let sum = Some(sum(values));
                (sum, interval(sum, sum.filter(|_| settled)))
            }
        }
    }
}

fn verdict(limit: &Expression, now: &Sample, before: Option<&Sample>) -> Verdict {
    let (value, interval) = now.figure(limit.function);
    let baseline = before.filter(|_| limit.needs_baseline()).and_then(|before| before.figure(limit.function).0);
    let (bound, side) = match (limit.bound, before) {
        (Bound::Value(bound), _) => (Some(bound), interval_margins(interval, bound)),
        (Bound::Baseline { factor, plus }, Some(before)) => {
            let (figure, known) = before.figure(limit.function);
            (limit.bound.over(figure), baseline_margins(limit.function, now, interval, before, known, factor, plus))
        }
        (Bound::Baseline { .. }, None) => (None, None),
    };
    Verdict {
        limit: limit.text.clone(),
        outcome: outcome(limit.comparison, value, bound, side),
        value,
        low: interval.low,
        high: interval.high,
        bound,
        count: now.count,
        never_ran: now.never_ran,
        open: now.open,
        baseline,
        baseline_count: before.filter(|_| limit.needs_baseline()).map(|before| before.count),
        starts_needed: alternatives::starts_needed(limit),
        alternatives: Vec::new(),
        unit: match limit.column.as_ref().map(|column| column.kind) {
            Some(ColumnType::Seconds) => "s",
            Some(ColumnType::Bytes) => "B",
            _ if limit.function == Function::Share => "share",
            _ => "",
        },
    }
}
