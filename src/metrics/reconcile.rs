//! Logs and metrics of the same node, side by side: the kubelet writes its record and observes its metrics in the same
//! moment, so what differs has a reason, and where none is known it is called unexplained.

use serde::{Deserialize, Serialize};

use super::components::{MeanComponent, StartupStats};
use super::families::name;
use super::histogram::Bounds;
use super::window::Window;
use crate::model::phase::{PHASES, Phase};
use crate::model::quantile::quantile;
use crate::model::time::{Nanos, SECOND, Time};
use crate::table::Recorded;

/// One figure by both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comparison {
    /// What it is.
    pub figure: String,
    /// By the logs.
    pub logs: Option<f64>,
    /// By the metrics: between these.
    pub metrics: Option<Bounds>,
    /// Whether they agree.
    pub agree: bool,
    /// Why they differ, or what is to be known.
    pub why: Option<String>,
}

/// What the comparison of one node gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reconciliation {
    /// The figures.
    pub figures: Vec<Comparison>,
    /// Records that are in the logs and not in the metrics, or the other way round, with their reason.
    pub left_out: Vec<String>,
    /// Starts that one side has and the other lacks without a known reason; more in the metrics is positive.
    pub unexplained: f64,
}

/// Gauges with a time are written once a second; the scrape follows within that and the time to the next relist.
fn late(window: &Window) -> Nanos {
    let interval = window.sum(name::RELIST_INTERVAL, "").filter(|(_, count)| *count > 0.0);
    Nanos(SECOND) + Nanos::from_seconds(interval.map_or(1.0, |(sum, count)| sum / count))
}

/// Compares a node's metrics with the starts that its logs recorded.
#[must_use]
pub fn reconcile(
    window: &Window,
    starts: &StartupStats,
    parts: &[MeanComponent],
    recorded: &[Recorded],
) -> Reconciliation {
    let mut found = Reconciliation::default();
    let late = late(window);
    let say = |found: &mut Reconciliation, count: usize, words: &str| {
        if count > 0 {
            found.left_out.push(format!("{count} {} {words}", if count == 1 { "record" } else { "records" }));
        }
    };
    // Stateful starts are in the total and not in the SLI.
    let all: Vec<&Recorded> = recorded.iter().collect();
    let before = |row: &&Recorded| window.from.is_some_and(|from| row.at < from);
    let after = |row: &&Recorded| window.to.is_some_and(|to| row.at > to + late);
    let beside = |row: &&Recorded, edge: Option<Time>| edge.is_some_and(|edge| row.at >= edge && row.at <= edge + late);
    let earlier = if window.restarts > 0 || window.scrapes == 1 {
        "before the kubelet's last start"
    } else {
        "before the first scrape"
    };
    say(&mut found, all.iter().filter(|row| before(row)).count(), earlier);
    say(&mut found, all.iter().filter(|row| after(row)).count(), "after the last scrape");
    let mut within: Vec<&Recorded> = all.into_iter().filter(|row| !before(row) && !after(row)).collect();
    within.sort_by_key(|row| row.at);

    // A scrape's time is known to a second or two, and a process' start to one (the kernel's boot time is cut to whole
    // seconds): records in that time may be on either side of it.
    let edges = within.iter().filter(|row| beside(row, window.from) || beside(row, window.to)).count() as f64;
    let surplus = within.len() as f64 - starts.count;
    if surplus > 0.0 && surplus <= edges {
        // The latest are the ones that the last scrape does not have yet; the first ones the first scrape had.
        let mut over = surplus as usize;
        let gone = |row: &&Recorded| window.to.is_some_and(|to| row.at >= to);
        while over > 0 && within.last().is_some_and(gone) {
            within.pop();
            over -= 1;
        }
        within.drain(..over.min(within.len()));
        say(
            &mut found,
            surplus as usize,
            "within the second or two in which a scrape was made, or the kubelet started",
        );
    }
    found.unexplained = starts.count - within.len() as f64;
    let unexplained = |count: f64| {
        (count.abs() >= 0.5).then(|| {
            let more = if count > 0.0 { "metrics" } else { "logs" };
            format!(
                "{:.0} more in the {more}, unexplained: lost log lines, or a log that does not cover the window",
                count.abs()
            )
        })
    };
    let exactly = |value: f64| Bounds { low: value, high: Some(value), point: value };
    found.figures.push(Comparison {
        figure: "starts recorded".into(),
        logs: Some(within.len() as f64),
        metrics: Some(exactly(starts.count)),
        agree: found.unexplained.abs() < 0.5,
        why: unexplained(found.unexplained),
    });
    let same = found.unexplained.abs() < 0.5;
    let differs = (!same).then(|| "not the same starts".to_owned());

    // From 1.34.8, 1.35.5 and 1.36.0 on the SLI leaves stateful pods out: where metrics lack just those, it is so here.
    let stateful = within.iter().filter(|row| row.stateful == Some(true)).count();
    let left_out = stateful > 0 && starts.sli.as_ref().is_some_and(|sli| (within.len() - stateful) as f64 == sli.count);
    let mut sli: Vec<f64> =
        within.iter().filter(|row| !(left_out && row.stateful == Some(true))).filter_map(|row| row.sli_s).collect();
    sli.sort_by(f64::total_cmp);
    if let Some(histogram) = &starts.sli {
        let stateful =
            left_out.then(|| format!("{stateful} stateful starts are not in the SLI metric of this kubelet"));
        found.figures.push(Comparison {
            figure: "starts in the SLI".into(),
            logs: Some(sli.len() as f64),
            metrics: Some(exactly(histogram.count)),
            agree: sli.len() as f64 == histogram.count,
            why: stateful.or(differs.clone()),
        });
        let (low, high) = histogram.count_le(5.0);
        let logs = sli.iter().filter(|value| **value <= 5.0).count() as f64;
        let count = |count: f64, of: f64| if of > 0.0 { count / of } else { 0.0 };
        let broken = (starts.overflowed > 0.0).then(|| {
            format!(
                "{:.0} values of the kubelet are broken (about -9.2e9 s) and count as within 5 s in both",
                starts.overflowed
            )
        });
        found.figures.push(Comparison {
            figure: "share of the SLI within 5 s".into(),
            logs: Some(count(logs, sli.len() as f64)),
            metrics: Some(Bounds {
                low: count(low, histogram.count),
                high: Some(count(high, histogram.count)),
                point: count(low, histogram.count),
            }),
            agree: same && low <= logs && logs <= high,
            why: broken.or(differs.clone()),
        });
        for q in [0.5, 0.95, 0.99] {
            let metrics = starts.quantile(q);
            let logs = quantile(&sli, q);
            let agree = same && agrees(logs, metrics);
            found.figures.push(Comparison {
                figure: format!("SLI p{:.0}", q * 100.0),
                logs,
                metrics,
                agree,
                why: differs.clone(),
            });
        }
    }
    if let Some(histogram) = &starts.total {
        let mut total: Vec<f64> = within.iter().filter_map(|row| row.total_s).collect();
        total.sort_by(f64::total_cmp);
        for q in [0.5, 0.99] {
            let (logs, metrics) = (quantile(&total, q), histogram.quantile(q));
            let agree = same && agrees(logs, metrics);
            found.figures.push(Comparison {
                figure: format!("total p{:.0}", q * 100.0),
                logs,
                metrics,
                agree,
                why: differs.clone(),
            });
        }
    }
    found.figures.extend(parts.iter().filter_map(|part| mean(part, starts, &within)));
    found.figures.extend(largest(parts, starts, &within));
    found
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

fn of_logs(phases: &[Phase], within: &[&Recorded]) -> f64 {
    let seconds = |row: &&Recorded| -> f64 { phases.iter().filter_map(|phase| row.phases.get(phase.index())).sum() };
    within.iter().map(seconds).sum::<f64>() / (within.len().max(1)) as f64
}

/// Mean seconds that two programs, two populations and two ways to count may differ by: a quarter of a second and a tenth.
fn near(metrics: &Bounds, logs: f64) -> bool {
    let room = 0.25 + 0.1 * logs.abs();
    logs >= metrics.low - room && metrics.high.is_none_or(|high| logs <= high + room)
}

/// Pods that began within the window and were not recorded in it are in the families of operations.
fn others(starts: &StartupStats, within: &[&Recorded]) -> Option<String> {
    let begun = starts.sandboxed.filter(|begun| (begun - within.len() as f64).abs() >= 0.5)?;
    Some(format!("the families hold {begun:.0} pods, compared are the {} recorded", within.len()))
}

fn mean(part: &MeanComponent, starts: &StartupStats, within: &[&Recorded]) -> Option<Comparison> {
    if within.is_empty() || part.phases == [Phase::Unattributed] {
        return None;
    }
    let logs = of_logs(&part.phases, within);
    let metrics = Bounds { low: part.low_s, high: Some(part.high_s), point: part.mean_s };
    let agree = near(&metrics, logs);
    let why = (!agree).then(|| {
        match others(starts, within).or(part.remarks.iter().find(|remark| !remark.contains("relist")).cloned()) {
            Some(why) => why,
            None => {
                "unexplained: families count operations of all pods on the node, logs the recorded starts".to_owned()
            }
        }
    });
    Some(Comparison { figure: format!("mean {}", part.part), logs: Some(logs), metrics: Some(metrics), agree, why })
}

/// Whether the part that is largest by the metrics holds the phase that is largest by the logs.
fn largest(parts: &[MeanComponent], starts: &StartupStats, within: &[&Recorded]) -> Option<Comparison> {
    let of = |phase: Phase| of_logs(&[phase], within);
    let (phase, name) = PHASES.iter().max_by(|a, b| of(a.0).total_cmp(&of(b.0))).filter(|_| !within.is_empty())?;
    let part = parts.iter().max_by(|a, b| a.mean_s.total_cmp(&b.mean_s))?;
    let agree = part.phases.contains(phase);
    let why = if part.phases == [*phase] {
        None
    } else {
        let mut remarks = part.remarks.clone();
        remarks.extend(others(starts, within));
        let reason = if remarks.is_empty() { String::new() } else { format!(": {}", remarks.join("; ")) };
        Some(format!("by the logs {name}; by the metrics {:?}{reason}", part.part))
    };
    let seconds = Bounds { low: part.low_s, high: Some(part.high_s), point: part.mean_s };
    Some(Comparison { figure: "largest part".into(), logs: Some(of(*phase)), metrics: Some(seconds), agree, why })
}
