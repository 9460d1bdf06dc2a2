//! The pieces queries are made of, and groups of startups: by what people blame.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

use super::cell::{failed, phase_column};
use super::row::Row;
use super::store::Table;
use crate::model::error::{Error, Kind};
use crate::model::phase::{PHASES, Phase};
use crate::model::record::named;
use crate::model::time::{SECOND, Time};

/// What a row is filed under: see `Row::began`.
pub(super) const BEGAN: &str = "_began";

/// Nanoseconds of an hour.
const HOUR: i64 = 3600 * SECOND;

/// Seconds as whole microseconds, the nearest: sums of them do not depend on their order.
pub(super) fn micros(column: &str) -> Expr {
    (col(column) * lit(1e6) + lit(0.5)).cast(DataType::Int64)
}

/// A quantile as a value that occurred: the smallest that at least a share `q` of the values do not exceed
/// (`quantile_disc` of SQL).
pub(super) fn quantile(of: Expr, q: f64) -> Expr {
    of.quantile(lit(q), QuantileMethod::Equiprobable)
}

/// A number of a collected frame.
pub(super) fn seconds(frame: &DataFrame, column: &str, row: usize) -> Option<f64> {
    frame.column(column).ok()?.get(row).ok()?.try_extract::<f64>().ok()
}

/// The one number a query gives.
pub(super) fn scalar(query: LazyFrame) -> Result<f64, Error> {
    let found = query.collect().map_err(failed)?;
    let value = found.columns().first().and_then(|column| column.get(0).ok());
    Ok(value.and_then(|value| value.try_extract::<f64>().ok()).unwrap_or(0.0))
}

/// The words of a query's one column, without null.
pub(super) fn strings(query: LazyFrame) -> Result<BTreeSet<String>, Error> {
    let found = query.collect().map_err(failed)?;
    let Some(column) = found.columns().first() else { return Ok(BTreeSet::new()) };
    Ok(column.str().map_err(failed)?.iter().flatten().map(str::to_owned).collect())
}

/// A table within the rows, as rows of its own; other columns repeat beside it.
pub(super) fn nested(frame: LazyFrame, column: &str) -> LazyFrame {
    let options = ExplodeOptions { empty_as_null: false, keep_nulls: false };
    frame.explode(by_name([column], true, false), options).unnest(by_name([column], true, false), None)
}

named! {
    /// What startups are grouped by.
    #[derive(Default)]
    Key KEYS {
        /// One line a pod.
        #[default]
        Pod = "pod",
        /// The owner, as far as it is known.
        Workload = "workload",
        /// The namespace.
        Namespace = "namespace",
        /// The node.
        Node = "node",
        /// The image of each pull.
        Image = "image",
        /// The registry of each pull.
        Registry = "registry",
        /// The phases themselves.
        Phase = "phase",
        /// The hour of creation, UTC.
        Hour = "hour",
    }
}

/// A group of startups, or of pulls, and its figures.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Group {
    /// Its name; `None` for those that have none.
    pub name: Option<String>,
    /// How many startups (of images and registries: pulls) it has, with the value or without.
    pub count: u64,
    /// Half do not exceed it, seconds.
    pub p50_s: Option<f64>,
    /// 95 % do not exceed it, seconds.
    pub p95_s: Option<f64>,
    /// 99 % do not exceed it, seconds.
    pub p99_s: Option<f64>,
    /// The largest, seconds.
    pub max_s: Option<f64>,
    /// Seconds that causes claim; for images, registries and phases all their seconds.
    pub lost_s: f64,
    /// The phase with the most seconds.
    pub phase: Option<&'static str>,
    /// The cause that claims the most seconds; none of pulls and phases.
    pub cause: Option<String>,
}

/// Checks that a column holds seconds, of which quantiles make sense, and that the key lets one choose.
///
/// # Errors
/// When there is no such column, or it holds something else.
pub fn of_seconds(column: &str, key: Key) -> Result<(), Error> {
    if matches!(key, Key::Image | Key::Registry | Key::Phase) && column != "running_s" {
        let fixed = format!("--of {column}: --by {} has figures of its own", key.name());
        return Err(
            Error::new(Kind::Setting, fixed).help("pulls are grouped by what they took, phases by their seconds")
        );
    }
    let all: Vec<String> = Row::plain_columns().into_iter().filter(|name| name.ends_with("_s")).collect();
    if all.iter().any(|name| name == column) {
        return Ok(());
    }
    let unknown = format!("--of: no column of seconds is named {column:?}");
    Err(Error::new(Kind::Setting, unknown).help(format!("known: {}", all.join(" "))))
}

/// Groups with what they are of.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Groups {
    /// What they are grouped by.
    pub by: &'static str,
    /// What the quantiles are of.
    pub of: String,
    /// The groups, the costliest first.
    pub groups: Vec<Group>,
}

/// Groups a table's startups by a key; the quantiles are of `column`, a column of seconds. Pulls are grouped by what they
/// took from asking to their end, phases by their seconds in every startup.
///
/// # Errors
/// When a query fails.
pub fn groups(table: &Table, key: Key, column: &str) -> Result<Groups, Error> {
    let (of, mut groups) = match key {
        Key::Phase => ("seconds of the phase in each startup".to_owned(), by_phase(table)?),
        Key::Image | Key::Registry => ("seconds of a pull, asked to ended".to_owned(), by_pull(table, key.name())?),
        _ => (column.to_owned(), by_name_of(table, key, column)?),
    };
    let slow = |group: &Group| group.max_s.unwrap_or(f64::NEG_INFINITY);
    if key == Key::Pod {
        groups.sort_by(|a, b| slow(b).total_cmp(&slow(a)).then_with(|| a.name.cmp(&b.name)));
    } else if key == Key::Hour {
        groups.sort_by(|a, b| a.name.cmp(&b.name));
    } else {
        groups.sort_by(|a, b| b.lost_s.total_cmp(&a.lost_s).then_with(|| a.name.cmp(&b.name)));
    }
    Ok(Groups { by: key.name(), of, groups })
}

/// The quantiles of a column, as expressions.
fn figures(column: &str) -> [Expr; 5] {
    [
        len().alias("count"),
        quantile(col(column), 0.5).alias("p50"),
        quantile(col(column), 0.95).alias("p95"),
        quantile(col(column), 0.99).alias("p99"),
        col(column).max().alias("max"),
    ]
}

impl Group {
    fn of(frame: &DataFrame, at: usize) -> Self {
        let get = |name: &str| seconds(frame, name, at);
        Group {
            count: get("count").unwrap_or(0.0) as u64,
            p50_s: get("p50"),
            p95_s: get("p95"),
            p99_s: get("p99"),
            max_s: get("max"),
            ..Group::default()
        }
    }
}

/// The column that names a startup's group.
fn name_of(key: Key) -> Expr {
    match key {
        Key::Pod => (col("namespace") + lit("/") + col("pod")).alias("group"),
        Key::Hour => {
            col(BEGAN).map(hours, |_, field| Ok(Field::new(field.name().clone(), DataType::String))).alias("group")
        }
        key => col(key.name()).alias("group"),
    }
}

/// Instants as the hour they lie in: `2026-11-23T18:00Z`.
fn hours(column: Column) -> PolarsResult<Column> {
    let hour = |nanos: i64| {
        let mut text = Time(nanos.div_euclid(HOUR).saturating_mul(HOUR)).to_string();
        text.truncate(16);
        text + "Z"
    };
    let words: StringChunked = column.i64()?.iter().map(|nanos| nanos.map(hour)).collect();
    Ok(words.with_name(column.name().clone()).into_column())
}

/// The names of a collected frame's groups.
fn names(frame: &DataFrame) -> Result<Vec<Option<String>>, Error> {
    let column = frame.column("group").map_err(failed)?.str().map_err(failed)?;
    Ok(column.iter().map(|name| name.map(str::to_owned)).collect())
}

fn by_name_of(table: &Table, key: Key, column: &str) -> Result<Vec<Group>, Error> {
    let value = table.select(&[name_of(key), col(column)])?;
    let found = value.group_by([col("group")]).agg(figures(column)).collect().map_err(failed)?;
    let mut groups: BTreeMap<Option<String>, Group> = BTreeMap::new();
    for (at, name) in names(&found)?.into_iter().enumerate() {
        groups.insert(name, Group::of(&found, at));
    }
    // Seconds are added part by part, so that the phases of all startups are never in memory at once.
    let mut sums: BTreeMap<Option<String>, [f64; PHASES.len()]> = BTreeMap::new();
    let mut claims: BTreeMap<Option<String>, BTreeMap<String, f64>> = BTreeMap::new();
    for part in table.parts() {
        let mut columns = vec![name_of(key)];
        columns.extend(PHASES.iter().map(|(phase, _)| micros(&phase_column(*phase)).alias(phase_column(*phase))));
        let each = PHASES.iter().map(|(phase, _)| col(phase_column(*phase)).sum());
        let query = part.clone().select(columns).group_by([col("group")]).agg(each.collect::<Vec<_>>());
        let found = query.collect().map_err(failed)?;
        for (at, name) in names(&found)?.into_iter().enumerate() {
            let sum = sums.entry(name).or_default();
            for ((phase, _), total) in PHASES.iter().zip(sum) {
                *total += seconds(&found, &phase_column(*phase), at).unwrap_or(0.0);
            }
        }
        let claimed = nested(part.select([name_of(key), col("findings")]), "findings");
        let claimed = claimed.filter(col("cause").neq(lit("record-late")));
        let by_cause = claimed.group_by([col("group"), col("cause")]).agg([micros("lost_s").sum().alias("lost")]);
        let found = by_cause.collect().map_err(failed)?;
        let causes = found.column("cause").map_err(failed)?.str().map_err(failed)?;
        for ((at, name), cause) in names(&found)?.into_iter().enumerate().zip(causes.iter()) {
            let lost = seconds(&found, "lost", at).unwrap_or(0.0);
            *claims.entry(name).or_default().entry(cause.unwrap_or_default().to_owned()).or_default() += lost;
        }
    }
    let named = groups.into_iter().map(|(name, group)| {
        let sum = sums.get(&name);
        let most = sum.and_then(|sum| {
            let all = PHASES.iter().zip(sum).filter(|((phase, _), total)| *phase != Phase::Watch && **total > 0.0);
            all.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|((_, name), _)| *name)
        });
        let claims = claims.remove(&name).unwrap_or_default();
        let lost_s = claims.values().sum::<f64>() / 1e6;
        // Of equal claims the first in the order of names.
        let cause = claims.into_iter().rev().max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(cause, _)| cause);
        Group { name, phase: most, lost_s, cause, ..group }
    });
    Ok(named.collect())
}

fn by_phase(table: &Table) -> Result<Vec<Group>, Error> {
    let mut groups = Vec::new();
    for (phase, name) in PHASES {
        let column = phase_column(*phase);
        let mut all = figures(&column).to_vec();
        all.push(micros(&column).sum().alias("lost"));
        let found = table.select(&[col(column.as_str())])?.select(all).collect().map_err(failed)?;
        let group = Group::of(&found, 0);
        if group.max_s.is_some_and(|max| max > 0.0) {
            let lost_s = seconds(&found, "lost", 0).unwrap_or(0.0) / 1e6;
            groups.push(Group { name: Some((*name).to_owned()), lost_s, ..group });
        }
    }
    Ok(groups)
}

fn by_pull(table: &Table, key: &str) -> Result<Vec<Group>, Error> {
    let parts = table.parts().into_iter().map(|part| {
        let pulls = nested(part.select([col("image_pulls")]), "image_pulls");
        pulls.select([col(key).alias("group"), col("took_s"), col("wait_s"), col("pull_s")])
    });
    let parts: Vec<LazyFrame> = parts.collect();
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = figures("took_s").to_vec();
    all.extend(
        [("took_s", "lost"), ("wait_s", "wait"), ("pull_s", "pull")].map(|(of, name)| micros(of).sum().alias(name)),
    );
    let query = concat(parts, UnionArgs::default()).map_err(failed)?.group_by([col("group")]).agg(all);
    let found = query.collect().map_err(failed)?;
    let groups = names(&found)?.into_iter().enumerate().map(|(at, name)| {
        let get = |column: &str| seconds(&found, column, at).unwrap_or(0.0);
        let phase = if get("wait") > get("pull") { Phase::ImageWait } else { Phase::ImagePull };
        Group { name, lost_s: get("lost") / 1e6, phase: Some(phase.name()), ..Group::of(&found, at) }
    });
    Ok(groups.collect())
}

/// The values of a numeric expression, sorted, null left out, of the rows another expression keeps; by the words of a column
/// where one is named.
///
/// # Errors
/// When the query fails.
pub fn values(
    table: &Table,
    of: &Expr,
    keep: Option<&Expr>,
    by: Option<&str>,
) -> Result<BTreeMap<Option<String>, Vec<f64>>, Error> {
    let group = by.map_or(lit(NULL).cast(DataType::String), col).alias("group");
    let keep = keep.cloned().unwrap_or(lit(true)).alias("keep");
    let columns = [group, of.clone().cast(DataType::Float64).alias("value"), keep];
    let found = table.select(&columns)?.filter(col("keep")).collect().map_err(failed)?;
    let names = found.column("group").map_err(failed)?.as_materialized_series().clone();
    let numbers = found.column("value").map_err(failed)?.f64().map_err(failed)?.clone();
    let mut groups: BTreeMap<Option<String>, Vec<f64>> = BTreeMap::new();
    for (name, value) in names.str().map_err(failed)?.iter().zip(numbers.iter()) {
        let values = match groups.get_mut(&name.map(str::to_owned)) {
            Some(values) => values,
            None => groups.entry(name.map(str::to_owned)).or_default(),
        };
        values.extend(value);
    }
    groups.values_mut().for_each(|values| values.sort_by(f64::total_cmp));
    Ok(groups)
}
