//! The startups table as columns, and the figures every output shows, each a lazy query over it.

use polars::prelude::*;

use crate::error::{Error, Kind};
use crate::phase::PHASES;
use crate::report::Row;
use crate::startup::State;

/// Seconds at the quantiles people ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Quantiles {
    /// How many values.
    pub count: u32,
    /// Half are below.
    pub p50: f64,
    /// 95 % are below.
    pub p95: f64,
    /// 99 % are below.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

/// One phase over all startups.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PhaseLine {
    /// The phase's name.
    pub phase: &'static str,
    /// Its seconds in all startups.
    pub lost_s: f64,
    /// Their share of all seconds, 0 to 1.
    pub share: f64,
    /// Its seconds in one startup: 99 % are below.
    pub p99_s: f64,
    /// How many of its seconds stand on exact ends, 0 to 1.
    pub exact_share: f64,
}

/// One cause over all startups.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CauseLine {
    /// The cause's id.
    pub cause: String,
    /// The seconds it claims.
    pub lost_s: f64,
    /// How many of them are certain.
    pub certain_s: f64,
    /// In how many startups.
    pub pods: u32,
    /// On how many nodes.
    pub nodes: u32,
    /// The row with the largest claim.
    pub worst: usize,
}

/// The figures of the first screen.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Summary {
    /// How many startups.
    pub startups: usize,
    /// By state.
    pub states: Vec<(&'static str, usize)>,
    /// On how many nodes.
    pub nodes: usize,
    /// The kubelets' versions.
    pub kubelets: Vec<String>,
    /// The first creation and the last instant, RFC 3339.
    pub window: Option<(String, String)>,
    /// Created → running.
    pub running: Quantiles,
    /// Our own SLI value of stateless pods (and of those whose record does not say).
    pub slo: Quantiles,
    /// Their share within 5 s, 0 to 1.
    pub slo_within: f64,
    /// Values of the kubelet that were repaired.
    pub repaired: usize,
    /// Where the time went.
    pub phases: Vec<PhaseLine>,
    /// Why, by seconds lost.
    pub causes: Vec<CauseLine>,
    /// The rows with the longest way to running.
    pub slowest: Vec<usize>,
    /// Oddities and how often.
    pub anomalies: Vec<(&'static str, usize)>,
}

fn failed(trouble: PolarsError) -> Error {
    Error::new(Kind::Output, format!("a figure could not be computed: {trouble}"))
}

fn startups(rows: &[Row]) -> Result<DataFrame, Error> {
    let floats = |name: &str, value: &dyn Fn(&Row) -> Option<f64>| {
        Series::new(name.into(), rows.iter().map(value).collect::<Vec<_>>()).into_column()
    };
    let mut columns = vec![
        floats("running_s", &Row::running_s),
        floats("slo_s", &|row| {
            row.breakdown.slo.filter(|_| row.startup.observed.as_deref().and_then(|o| o.stateful) != Some(true))
        }),
        floats("felt_s", &Row::felt_s),
    ];
    for (phase, name) in PHASES {
        columns.push(floats(name, &|row| row.breakdown.total.map(|_| row.breakdown.of(*phase).seconds())));
        let exact = |row: &Row| {
            let pieces = row.breakdown.pieces.iter().filter(|piece| piece.phase == *phase);
            Some(pieces.filter(|piece| piece.min == piece.max).map(|piece| (piece.to - piece.from).seconds()).sum())
        };
        columns.push(floats(&format!("{name}_exact"), &exact));
    }
    DataFrame::new(rows.len(), columns).map_err(failed)
}

fn findings(rows: &[Row]) -> Result<DataFrame, Error> {
    let all: Vec<_> =
        rows.iter().enumerate().flat_map(|(number, row)| row.findings.iter().map(move |f| (number, row, f))).collect();
    let node = |row: &Row| row.node.as_deref().unwrap_or("").to_owned();
    let columns = vec![
        Series::new("cause".into(), all.iter().map(|(_, _, f)| f.cause).collect::<Vec<_>>()).into_column(),
        Series::new("lost_s".into(), all.iter().map(|(_, _, f)| f.lost.seconds()).collect::<Vec<_>>()).into_column(),
        Series::new("certain_s".into(), all.iter().map(|(_, _, f)| f.certain.seconds()).collect::<Vec<_>>())
            .into_column(),
        Series::new("node".into(), all.iter().map(|(_, row, _)| node(row)).collect::<Vec<_>>()).into_column(),
        Series::new("row".into(), all.iter().map(|(number, _, _)| *number as u64).collect::<Vec<_>>()).into_column(),
    ];
    DataFrame::new(all.len(), columns).map_err(failed)
}

fn float(frame: &DataFrame, column: &str, row: usize) -> f64 {
    let value = frame.column(column).and_then(|column| column.get(row));
    value.ok().and_then(|value| value.try_extract::<f64>().ok()).unwrap_or(0.0)
}

/// Quantiles are values that occurred (nearest rank), not interpolated ones.
fn quantiles(frame: &DataFrame, column: &str) -> Result<Quantiles, Error> {
    let at = |q: f64| col(column).quantile(lit(q), QuantileMethod::Nearest).alias(format!("q{q}"));
    let query = frame.clone().lazy().select([
        col(column).count().alias("count"),
        at(0.5),
        at(0.95),
        at(0.99),
        col(column).max().alias("max"),
    ]);
    let found = query.collect().map_err(failed)?;
    let get = |name: &str| float(&found, name, 0);
    Ok(Quantiles {
        count: get("count") as u32,
        p50: get("q0.5"),
        p95: get("q0.95"),
        p99: get("q0.99"),
        max: get("max"),
    })
}

/// The figures over these rows.
///
/// # Errors
/// When a query fails, which it does only for lack of memory.
pub fn summary(rows: &[Row]) -> Result<Summary, Error> {
    if rows.is_empty() {
        return Ok(Summary::default());
    }
    let frame = startups(rows)?;
    let mut sums = Vec::new();
    for (_, name) in PHASES {
        sums.push(col(*name).sum().alias(*name));
        sums.push(col(*name).quantile(lit(0.99), QuantileMethod::Nearest).alias(format!("{name}_p99")));
        sums.push(col(format!("{name}_exact")).sum().alias(format!("{name}_exact")));
    }
    let sums = frame.clone().lazy().select(sums).collect().map_err(failed)?;
    let all: f64 = PHASES.iter().map(|(_, name)| float(&sums, name, 0)).sum();
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let phases = PHASES.iter().map(|(_, name)| {
        let lost = float(&sums, name, 0);
        let (p99_s, exact) = (float(&sums, &format!("{name}_p99"), 0), float(&sums, &format!("{name}_exact"), 0));
        PhaseLine { phase: name, lost_s: lost, share: share(lost, all), p99_s, exact_share: share(exact, lost) }
    });
    let within = frame.clone().lazy().filter(col("slo_s").lt_eq(lit(5.0))).select([col("slo_s").count().alias("n")]);
    let within = float(&within.collect().map_err(failed)?, "n", 0);
    let slo = quantiles(&frame, "slo_s")?;
    let mut summary = Summary {
        startups: rows.len(),
        running: quantiles(&frame, "running_s")?,
        slo,
        slo_within: share(within, f64::from(slo.count)),
        phases: phases.collect(),
        causes: causes(rows)?,
        slowest: slowest(rows),
        ..Summary::default()
    };
    describe(rows, &mut summary);
    Ok(summary)
}

fn causes(rows: &[Row]) -> Result<Vec<CauseLine>, Error> {
    let by_loss = SortMultipleOptions::default().with_order_descending_multi([true, false]);
    let query = findings(rows)?.lazy().sort(["lost_s", "row"], by_loss.clone()).group_by_stable([col("cause")]).agg([
        col("lost_s").sum().alias("lost_s"),
        col("certain_s").sum().alias("certain_s"),
        col("row").n_unique().alias("pods"),
        col("node").n_unique().alias("nodes"),
        col("row").first().alias("worst"),
    ]);
    let found = query.sort(["lost_s", "cause"], by_loss).collect().map_err(failed)?;
    let names = found.column("cause").and_then(|column| column.str().cloned()).map_err(failed)?;
    let line = |(number, name): (usize, Option<&str>)| CauseLine {
        cause: name.unwrap_or_default().to_owned(),
        lost_s: float(&found, "lost_s", number),
        certain_s: float(&found, "certain_s", number),
        pods: float(&found, "pods", number) as u32,
        nodes: float(&found, "nodes", number) as u32,
        worst: float(&found, "worst", number) as usize,
    };
    Ok(names.iter().enumerate().map(line).collect())
}

fn slowest(rows: &[Row]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order
        .sort_by(|a, b| rows[*b].felt_s().unwrap_or(-1.0).total_cmp(&rows[*a].felt_s().unwrap_or(-1.0)).then(a.cmp(b)));
    order.truncate(10);
    order
}

fn describe(rows: &[Row], summary: &mut Summary) {
    for state in [State::Running, State::Starting, State::Failed, State::Gone] {
        summary.states.push((state.name(), rows.iter().filter(|row| row.breakdown.state == state).count()));
    }
    let mut nodes: Vec<_> = rows.iter().map(|row| (row.node.clone(), row.startup.node)).collect();
    nodes.sort_unstable();
    nodes.dedup_by(|a, b| if a.0.is_some() { a.0 == b.0 } else { a == b });
    summary.nodes = nodes.len();
    let mut kubelets: Vec<String> = rows.iter().filter_map(|row| row.kubelet.as_deref().map(str::to_owned)).collect();
    kubelets.sort_unstable();
    kubelets.dedup();
    summary.kubelets = kubelets;
    let from = rows.iter().filter_map(|row| row.breakdown.created.or(row.breakdown.seen)).min();
    let to = rows.iter().filter_map(|row| row.breakdown.watched.or(row.breakdown.running).or(row.breakdown.seen)).max();
    summary.window = from.zip(to).map(|(from, to)| (from.to_string(), to.to_string()));
    summary.repaired = rows.iter().filter(|row| row.breakdown.anomalies.contains(&"slo-overflow")).count();
    for (id, _) in crate::breakdown::ANOMALIES {
        let count = rows.iter().filter(|row| row.breakdown.anomalies.contains(id)).count();
        if count > 0 {
            summary.anomalies.push((id, count));
        }
    }
}
