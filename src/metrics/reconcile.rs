//! Logs and metrics of the same node, side by side: the kubelet writes its record and observes its metrics in the same
//! moment, so what differs has a reason, and where none is known the difference is called unexplained.

use std::fmt;

use serde::{Serialize, Serializer};

use super::components::{Component, MeanComponent};
use super::families::name;
use super::histogram::{Bounds, Histogram};
use super::startup_stats::{SLO_S, StartupStats};
use super::window::Window;
use crate::model::names::named_enum;
use crate::model::phase::{PHASES, Phase};
use crate::model::quantile::quantile;
use crate::model::time::{Nanos, SECOND, Time};

/// A startup that the kubelet recorded in its log, as far as its metrics count the same.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedStartup {
    /// Its node.
    pub node: Option<String>,
    /// When it was recorded.
    pub at: Time,
    /// Created → observed, seconds.
    pub total_s: Option<f64>,
    /// The SLI value as the kubelet printed it, which is what its metric got.
    pub sli_s: Option<f64>,
    /// The kubelet takes it for stateful; none before 1.34.8.
    pub stateful: Option<bool>,
    /// Seconds of each phase, in the order of [`PHASES`].
    pub phases: Vec<f64>,
    /// The cause that the logs show as its main one.
    pub cause: Option<String>,
}

impl RecordedStartup {
    /// Seconds of a phase.
    pub fn phase(&self, phase: Phase) -> f64 {
        let at = PHASES.iter().position(|(known, _)| *known == phase);
        at.and_then(|at| self.phases.get(at)).copied().unwrap_or(0.0)
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// How many startups were recorded.
    Startups,
    /// How many of them the SLI counts.
    SliStartups,
    /// The share of them within the SLO.
    SliShare,
    /// A quantile of the SLI.
    SliQuantile(f64),
    /// A quantile of created → observed.
    TotalQuantile(f64),
    /// The mean seconds of a component.
    Mean(Component),
}

named_enum! {
    /// What a figure's numbers are.
    FigureUnit FIGURE_UNITS {
        /// Startups, counted.
        Startups = "startups",
        /// A share of startups, 0 to 1.
        Share = "share",
        /// Seconds.
        Seconds = "seconds",
    }
}

impl Figure {
    /// What its numbers are.
    #[must_use]
    pub fn unit(self) -> FigureUnit {
        match self {
            Figure::Startups | Figure::SliStartups => FigureUnit::Startups,
            Figure::SliShare => FigureUnit::Share,
            _ => FigureUnit::Seconds,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Startups => f.write_str("startups recorded"),
            Figure::SliStartups => f.write_str("startups in the SLI"),
            Figure::SliShare => f.write_str("SLI share within 5 s"),
            Figure::SliQuantile(q) => write!(f, "SLI p{:.0}", q * 100.0),
            Figure::TotalQuantile(q) => write!(f, "total p{:.0}", q * 100.0),
            Figure::Mean(component) => write!(f, "mean {}", component.name()),
        }
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One figure by logs and by metrics.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Comparison {
    /// What is compared.
    #[schemars(with = "String")]
    pub figure: Figure,
    /// What its numbers are.
    pub unit: FigureUnit,
    /// By the logs.
    pub logs: Option<f64>,
    /// By the metrics, within these bounds.
    pub metrics: Option<Bounds>,
    /// Whether they agree.
    pub agree: bool,
    /// Why they differ, or what is to be known.
    pub reason: Option<String>,
}

impl Comparison {
    fn new(figure: Figure, logs: Option<f64>, metrics: Option<Bounds>, agree: bool, reason: Option<String>) -> Self {
        Comparison { figure, unit: figure.unit(), logs, metrics, agree, reason }
    }
}

/// What the comparison of one node gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Reconciliation {
    /// The figures.
    pub figures: Vec<Comparison>,
    /// Records in the logs that the metrics do not cover, with the reason.
    pub excluded: Vec<String>,
    /// Startups that one side has and the other lacks without a known reason; more in the metrics is positive.
    pub unexplained: f64,
}

/// Compares a node's metrics with the startups that its logs recorded.
#[must_use]
pub fn reconcile(
    window: &Window,
    stats: &StartupStats,
    components: &[MeanComponent],
    recorded: &[RecordedStartup],
) -> Reconciliation {
    let mut excluded = Vec::new();
    let startups = covered(window, stats, recorded, &mut excluded);
    let unexplained = stats.count - startups.len() as f64;
    let both = Both { stats, startups, same: unexplained.abs() < 0.5 };
    let mut figures = vec![both.count(unexplained)];
    if let Some(sli) = &stats.sli {
        figures.extend(both.sli(sli));
    }
    if let Some(total) = &stats.total {
        figures.extend(both.total(total));
    }
    figures.extend(components.iter().filter_map(|one| both.mean(one)));
    Reconciliation { figures, excluded, unexplained }
}

/// Gauges with a time are written once a second; the scrape follows within that and the time to the next relist.
fn scrape_delay(window: &Window) -> Nanos {
    let interval = window.sum(name::RELIST_INTERVAL, "").filter(|(_, count)| *count > 0.0);
    Nanos(SECOND) + Nanos::from_seconds(interval.map_or(1.0, |(sum, count)| sum / count))
}

/// The recorded startups that the window counts, in their order; the others are named in `excluded`.
fn covered<'a>(
    window: &Window,
    stats: &StartupStats,
    recorded: &'a [RecordedStartup],
    excluded: &mut Vec<String>,
) -> Vec<&'a RecordedStartup> {
    let delay = scrape_delay(window);
    let mut exclude = |count: usize, why: &str| {
        if count > 0 {
            excluded.push(format!("{count} {} {why}", if count == 1 { "record" } else { "records" }));
        }
    };
    let before = |row: &RecordedStartup| window.from.is_some_and(|from| row.at < from);
    let after = |row: &RecordedStartup| window.to.is_some_and(|to| row.at > to + delay);
    let begin = if window.restarts > 0 || window.scrapes == 1 {
        "before the last kubelet start"
    } else {
        "before the first scrape"
    };
    exclude(recorded.iter().filter(|row| before(row)).count(), begin);
    exclude(recorded.iter().filter(|row| after(row)).count(), "after the last scrape");
    let mut within: Vec<&RecordedStartup> = recorded.iter().filter(|row| !before(row) && !after(row)).collect();
    within.sort_by_key(|row| row.at);

    // A scrape's time is known to a second or two, and a process' start to one (the kernel's boot time is cut to whole
    // seconds): records in that time may be on either side of it.
    let at_edge =
        |row: &RecordedStartup, edge: Option<Time>| edge.is_some_and(|edge| (edge..=edge + delay).contains(&row.at));
    let edges = within.iter().filter(|row| at_edge(row, window.from) || at_edge(row, window.to)).count() as f64;
    let surplus = within.len() as f64 - stats.count;
    if surplus > 0.0 && surplus <= edges {
        // The latest are the ones that the last scrape does not have yet; the first ones the first scrape had.
        let mut over = surplus as usize;
        while over > 0 && within.last().is_some_and(|row| window.to.is_some_and(|to| row.at >= to)) {
            within.pop();
            over -= 1;
        }
        within.drain(..over.min(within.len()));
        exclude(surplus as usize, "within 2 s of a scrape or a kubelet start");
    }
    within
}

/// Shares of nearly the same startups that differ by less agree: they are printed in whole percent.
const SAME_SHARE: f64 = 0.005;

/// The same startups by metrics and by logs.
struct Both<'a> {
    stats: &'a StartupStats,
    startups: Vec<&'a RecordedStartup>,
    /// As many on both sides.
    same: bool,
}

impl Both<'_> {
    /// Why a figure may differ. That one agrees although a few startups are on one side only needs no reason: their number is
    /// a figure of its own.
    fn differs(&self, agree: bool) -> Option<String> {
        (!self.same && !agree).then(|| "not the same startups".to_owned())
    }

    fn count(&self, unexplained: f64) -> Comparison {
        let reason = (!self.same).then(|| {
            let count = unexplained.abs();
            match unexplained > 0.0 {
                true => format!("{count:.0} more in the metrics: log lines are lost, or the log does not cover the window"),
                false => {
                    format!("{count:.0} more in the logs: a scrape is missing before a kubelet restart, or is of another node of the same name")
                }
            }
        });
        let (logs, metrics) = (self.startups.len() as f64, exactly(self.stats.count));
        Comparison::new(Figure::Startups, Some(logs), Some(metrics), self.same, reason)
    }

    fn sli(&self, histogram: &Histogram) -> Vec<Comparison> {
        // From 1.34.8, 1.35.5 and 1.36.0 on the SLI excludes stateful pods: where metrics lack just those, it does here.
        let stateful = self.startups.iter().filter(|row| row.stateful == Some(true)).count();
        let excluded = stateful > 0 && (self.startups.len() - stateful) as f64 == histogram.count;
        let counted = self.startups.iter().filter(|row| !(excluded && row.stateful == Some(true)));
        let mut sli: Vec<f64> = counted.filter_map(|row| row.sli_s).collect();
        sli.sort_by(f64::total_cmp);
        let all = sli.len() as f64;
        let reason = excluded.then(|| format!("this kubelet's SLI excludes stateful pods, here {stateful}"));
        let startups = Comparison::new(
            Figure::SliStartups,
            Some(all),
            Some(exactly(histogram.count)),
            all == histogram.count,
            reason.or(self.differs(all == histogram.count)),
        );
        let quantiles = [0.5, 0.95, 0.99].map(|q| {
            let (logs, metrics) = (quantile(&sli, q), self.stats.sli_quantile(q));
            let agree = agrees(logs, metrics);
            Comparison::new(Figure::SliQuantile(q), logs, metrics, agree, self.differs(agree))
        });
        [startups, self.sli_share(histogram, &sli)].into_iter().chain(quantiles).collect()
    }

    fn sli_share(&self, histogram: &Histogram, sli: &[f64]) -> Comparison {
        let (low, high) = histogram.count_le(SLO_S);
        let logs = sli.iter().filter(|value| **value <= SLO_S).count() as f64;
        let share = |count: f64, of: f64| if of > 0.0 { count / of } else { 0.0 };
        let overflowed = self.stats.overflowed;
        let reason = (overflowed > 0.0).then(|| match overflowed.round() as u64 {
            1 => "1 overflowed value (known kubelet bug) counts as within 5 s in both".to_owned(),
            many => format!("{many} overflowed values (known kubelet bug) count as within 5 s in both"),
        });
        let metrics = Bounds {
            low: share(low, histogram.count),
            high: Some(share(high, histogram.count)),
            point: share(low, histogram.count),
        };
        let mine = share(logs, sli.len() as f64);
        // Of as many startups the counts are compared; else shares that look the same are.
        let agree = match self.same {
            true => low <= logs && logs <= high,
            false => metrics.low - SAME_SHARE <= mine && metrics.high.is_none_or(|high| mine <= high + SAME_SHARE),
        };
        Comparison::new(Figure::SliShare, Some(mine), Some(metrics), agree, reason.or(self.differs(agree)))
    }

    fn total(&self, histogram: &Histogram) -> [Comparison; 2] {
        let mut total: Vec<f64> = self.startups.iter().filter_map(|row| row.total_s).collect();
        total.sort_by(f64::total_cmp);
        [0.5, 0.99].map(|q| {
            let (logs, metrics) = (quantile(&total, q), histogram.quantile(q));
            let agree = agrees(logs, metrics);
            Comparison::new(Figure::TotalQuantile(q), logs, metrics, agree, self.differs(agree))
        })
    }

    /// Mean seconds of phases by the logs.
    fn mean_of(&self, phases: &[Phase]) -> f64 {
        let seconds =
            |row: &&RecordedStartup| -> f64 { phases.iter().filter_map(|phase| row.phases.get(phase.index())).sum() };
        self.startups.iter().map(seconds).sum::<f64>() / (self.startups.len().max(1)) as f64
    }

    /// Pods that began within the window and were not recorded in it are counted by the families of operations.
    fn other_pods(&self) -> Option<String> {
        let recorded = self.startups.len();
        let pods = self.stats.sandboxed.filter(|pods| (pods - recorded as f64).abs() >= 0.5)?;
        Some(format!("the metrics count operations of {pods:.0} pods, the logs {recorded} recorded startups"))
    }

    fn mean(&self, one: &MeanComponent) -> Option<Comparison> {
        if self.startups.is_empty() || one.phases == [Phase::Unattributed] {
            return None;
        }
        let logs = self.mean_of(&one.phases);
        let metrics = bounds(one);
        let agree = near(&metrics, logs);
        let reason = (!agree).then(|| {
            let remark = || one.remarks.iter().find(|remark| remark.explains_difference()).map(ToString::to_string);
            self.other_pods().or_else(remark).unwrap_or_else(|| "no reason is known".into())
        });
        Some(Comparison::new(Figure::Mean(one.component), Some(logs), Some(metrics), agree, reason))
    }
}

fn exactly(value: f64) -> Bounds {
    Bounds { low: value, high: Some(value), point: value }
}

fn bounds(one: &MeanComponent) -> Bounds {
    Bounds { low: one.low_s, high: Some(one.high_s), point: one.mean_s }
}

/// Bounds are met but for the last digits of a sum of floats; a value below 0 lies in the first bucket.
fn agrees(logs: Option<f64>, metrics: Option<Bounds>) -> bool {
    match (logs, metrics) {
        (Some(logs), Some(metrics)) => {
            (logs >= metrics.low - 1e-6 || metrics.low == 0.0) && metrics.high.is_none_or(|high| logs <= high + 1e-6)
        }
        (logs, metrics) => logs.is_none() && metrics.is_none(),
    }
}

/// Mean seconds that two programs, two populations and two ways to count may differ by: a quarter of a second and a tenth.
fn near(metrics: &Bounds, logs: f64) -> bool {
    let margin = 0.25 + 0.1 * logs.abs();
    logs >= metrics.low - margin && metrics.high.is_none_or(|high| logs <= high + margin)
}
