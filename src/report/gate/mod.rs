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
mod sample;

pub use alternatives::Alternative;
use margins::{baseline_margins, interval_margins, outcome};
use polars_core::prelude::DataType;
use sample::{Sample, Values};

use crate::metrics::MetricsReport;
use crate::model::error::{Error, ErrorKind};
use crate::model::names::named_enum;
use crate::model::startup::State;
use crate::report::Report;
use crate::report::gate::expression::{Bound, ColumnType, Expression, Function};
use crate::table::{Described, Row};

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
    /// Startups that did not come up: they count as longer than any bound.
    pub did_not_come_up: usize,
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
    /// What is to be known of the value; empty if it is what its column says.
    pub remark: &'static str,
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
    /// How many of them did not come up: they fail to start, were refused, or were deleted before they came up.
    pub did_not_come_up: usize,
    /// How many of them are still starting, and nothing is wrong so far.
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
        verdict.remark = remark(limit, &verdict, report);
        if verdict.outcome == Outcome::Unknown {
            verdict.alternatives = alternatives::decided(limit, &verdict, report, baseline)?;
        }
        Ok(verdict)
    };
    let verdicts = limits.iter().map(judge).collect::<Result<_, Error>>()?;
    let startups = measured(report).map_or(report.table.len(), |metrics| metrics.startups().round() as usize);
    let count = |states: &[State]| states.iter().map(|state| report.summary.in_state(*state)).sum::<u64>() as usize;
    let (did_not_come_up, starting) = (count(&State::DID_NOT_COME_UP), count(&[State::Starting]));
    Ok(Verdicts { podlag_check: 1, confidence: CONFIDENCE, startups, did_not_come_up, starting, on_unknown, verdicts })
}

/// The verdict on one limit.
fn one(limit: &Expression, report: &Report, baseline: Option<&Report>) -> Result<Verdict, Error> {
    let now = Sample::given(limit, report)?;
    let before = baseline.map(|baseline| Sample::given(limit, baseline)).transpose()?;
    Ok(verdict(limit, &now, before.as_ref()))
}

/// What is to be known of a limit's value in this input.
fn remark(limit: &Expression, verdict: &Verdict, report: &Report) -> &'static str {
    let named = limit.column.as_ref().or(limit.condition.as_ref().map(|condition| &condition.column));
    let name = named.map_or("", |column| column.name.as_str());
    match (name, measured(report).is_some()) {
        ("slo_s" | "slo_recorded_s", true) => {
            "by metrics, slo_s is the kubelet's SLI: it includes the watch delay, which no pod waits for"
        }
        ("total_s", true) => "by metrics, total_s ends when the kubelet's watch saw the pod run",
        ("slo_s" | "slo_recorded_s", false) if verdict.value.is_none() && report.coverage.records == 0 => {
            "pods and events do not show it: add the kubelet's log"
        }
        _ => "",
    }
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
            did_not_come_up: 0,
            open: 0,
            baseline,
            baseline_count: None,
            starts_needed: None,
            alternatives: Vec::new(),
            unit: "",
            remark: "",
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
        did_not_come_up: now.did_not_come_up,
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
        remark: "",
    }
}
