//! The pieces queries are made of, and groups of startups: by what people blame.

use std::collections::BTreeMap;

use polars_core::prelude::*;

use super::batch::Batch;
use super::part::BEGAN;
use super::phase_seconds::phase_column;
use super::row::Row;
use super::startups::{Keep, Table};
use crate::model::error::{Error, ErrorKind};
use crate::model::hash::HashMap;
use crate::model::names::named_enum;
use crate::model::phase::{PHASES, Phase};
use crate::model::quantile::select_quantile;
use crate::model::time::{SECOND, Time};

/// Nanoseconds of an hour.
const HOUR: i64 = 3600 * SECOND;

/// Seconds as whole microseconds, the nearest: sums of them do not depend on their order.
pub(super) fn micros(seconds: f64) -> i64 {
    let micros = seconds * 1e6 + 0.5;
    // Longer than an age is no length of time.
    if micros.abs() < 9e18 { micros as i64 } else { 0 }
}

/// The sum of a column in whole microseconds.
pub(super) fn sum_micros(column: &Float64Chunked) -> i64 {
    column.iter().flatten().map(micros).fold(0, i64::saturating_add)
}

/// Microseconds as seconds.
pub(super) fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// Something for each name, and for those that have none.
#[derive(Debug)]
pub(super) struct ByName<T> {
    named: HashMap<Box<str>, T>,
    nameless: Option<T>,
}

impl<T: Default> ByName<T> {
    pub(super) fn new() -> Self {
        ByName { named: HashMap::default(), nameless: None }
    }

    pub(super) fn entry(&mut self, name: Option<&str>) -> &mut T {
        let Some(name) = name else { return self.nameless.get_or_insert_default() };
        // The name is copied once, not at every look.
        if !self.named.contains_key(name) {
            self.named.insert(name.into(), T::default());
        }
        self.named.get_mut(name).unwrap_or_else(|| self.nameless.get_or_insert_default())
    }

    /// How many names there are.
    pub(super) fn names(&self) -> usize {
        self.named.len()
    }

    /// Of all names and of those that have none, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.named.values().chain(&self.nameless)
    }

    /// In the order of names, those without one first.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = (Option<Box<str>>, T)> {
        let named: BTreeMap<Box<str>, T> = self.named.into_iter().collect();
        let nameless = self.nameless.map(|value| (None, value));
        nameless.into_iter().chain(named.into_iter().map(|(name, value)| (Some(name), value)))
    }
}

named_enum! {
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
            Error::new(ErrorKind::Setting, fixed).help("pulls are grouped by what they took, phases by their seconds")
        );
    }
    let all: Vec<String> = Row::plain_columns().into_iter().filter(|name| name.ends_with("_s")).collect();
    if all.iter().any(|name| name == column) {
        return Ok(());
    }
    let unknown = format!("--of: no column of seconds is named {column:?}");
    Err(Error::new(ErrorKind::Setting, unknown).help(format!("known: {}", all.join(" "))))
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
/// When a part of the table cannot be read.
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

/// The values of a group.
#[derive(Debug, Default)]
struct Values {
    /// How many rows it has, with the value or without.
    count: u64,
    values: Vec<f64>,
}

impl Values {
    fn add(&mut self, value: Option<f64>) {
        self.count += 1;
        self.values.extend(value);
    }

    fn group(mut self) -> Group {
        let mut at = |q: f64| select_quantile(&mut self.values, q);
        Group {
            count: self.count,
            p50_s: at(0.5),
            p95_s: at(0.95),
            p99_s: at(0.99),
            max_s: at(1.0),
            ..Group::default()
        }
    }
}

/// The names of the groups that the rows of a batch belong to.
enum Names<'a> {
    Pods { namespaces: &'a StringChunked, pods: &'a StringChunked, name: String },
    Hours { began: Int64Chunked, name: String },
    Column(&'a StringChunked),
}

impl<'a> Names<'a> {
    /// The columns it is made of.
    fn columns(key: Key) -> Vec<&'static str> {
        match key {
            Key::Pod => vec!["namespace", "pod"],
            Key::Hour => vec![BEGAN],
            key => vec![key.name()],
        }
    }

    fn of(batch: &'a Batch, key: Key) -> Result<Self, Error> {
        let name = String::new();
        Ok(match key {
            Key::Pod => Names::Pods { namespaces: batch.text("namespace")?, pods: batch.text("pod")?, name },
            Key::Hour => Names::Hours { began: batch.integers(BEGAN)?, name },
            key => Names::Column(batch.text(key.name())?),
        })
    }

    fn get(&mut self, row: usize) -> Option<&str> {
        match self {
            Names::Pods { namespaces, pods, name } => {
                name.clear();
                name.push_str(namespaces.get(row)?);
                name.push('/');
                name.push_str(pods.get(row)?);
                Some(name)
            }
            Names::Hours { began, name } => {
                *name = hour(began.get(row)?);
                Some(name)
            }
            Names::Column(names) => names.get(row),
        }
    }
}

/// An instant as the hour it lies in: `2026-11-23T18:00Z`.
fn hour(nanos: i64) -> String {
    let mut text = Time(nanos.div_euclid(HOUR).saturating_mul(HOUR)).to_string();
    text.truncate(16);
    text + "Z"
}

/// What the startups of a group have in common.
#[derive(Debug, Default)]
struct Startups {
    values: Values,
    /// Microseconds of each phase.
    phases: [i64; PHASES.len()],
    /// Microseconds that each cause claims.
    claims: BTreeMap<Box<str>, i64>,
}

fn by_name_of(table: &Table, key: Key, column: &str) -> Result<Vec<Group>, Error> {
    let phases: Vec<String> = PHASES.iter().map(|(phase, _)| phase_column(*phase)).collect();
    let mut columns = Names::columns(key);
    columns.extend(phases.iter().map(String::as_str));
    columns.push("findings");
    if !columns.contains(&column) {
        columns.push(column);
    }
    let mut groups: ByName<Startups> = ByName::new();
    table.scan(&columns, &mut |batch| {
        let (mut names, values) = (Names::of(batch, key)?, batch.seconds(column)?);
        let phases = phases.iter().map(|name| batch.seconds(name)).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.len() {
            let group = groups.entry(names.get(row));
            group.values.add(values.get(row));
            for (sum, phase) in group.phases.iter_mut().zip(&phases) {
                *sum = sum.saturating_add(phase.get(row).map_or(0, micros));
            }
        }
        let findings = batch.nested("findings")?;
        let (causes, lost) = (findings.items.text("cause")?, findings.items.seconds("lost_s")?);
        for ((row, cause), lost) in findings.rows.iter().zip(causes.iter()).zip(lost.iter()) {
            let Some(cause) = cause else { continue };
            let group = groups.entry(names.get(*row));
            let claim = match group.claims.get_mut(cause) {
                Some(claim) => claim,
                None => group.claims.entry(cause.into()).or_default(),
            };
            *claim = claim.saturating_add(lost.map_or(0, micros));
        }
        Ok(())
    })?;
    let group = |(name, Startups { values, phases, claims }): (Option<Box<str>>, Startups)| {
        let spent = PHASES
            .iter()
            .zip(phases)
            .filter(|((phase, _), total)| !matches!(phase, Phase::Watch | Phase::Readiness) && *total > 0);
        let phase = spent.max_by_key(|(_, total)| *total).map(|((_, name), _)| *name);
        let lost_s = claims.values().map(|claim| *claim as f64).sum::<f64>() / 1e6;
        // Of equal claims the first in the order of names.
        let cause = claims.into_iter().rev().max_by_key(|(_, claim)| *claim).map(|(cause, _)| cause.into());
        Group { name: name.map(Into::into), phase, lost_s, cause, ..values.group() }
    };
    Ok(groups.into_sorted().map(group).collect())
}

fn by_phase(table: &Table) -> Result<Vec<Group>, Error> {
    let mut groups = Vec::new();
    for some in PHASES.chunks(table.columns_at_once()) {
        for ((_, name), (lost, values)) in some.iter().zip(phase_values(table, some)?) {
            let group = Values { count: table.len() as u64, values }.group();
            if group.max_s.is_some_and(|max| max > 0.0) {
                groups.push(Group { name: Some((*name).to_owned()), lost_s: seconds(lost), ..group });
            }
        }
    }
    Ok(groups)
}

/// Of some phases, in one scan: the sum in microseconds, and the seconds of every startup that has them.
pub(super) fn phase_values(table: &Table, phases: &[(Phase, &str)]) -> Result<Vec<(i64, Vec<f64>)>, Error> {
    let columns: Vec<String> = phases.iter().map(|(phase, _)| phase_column(*phase)).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut all = vec![(0i64, Vec::with_capacity(table.len())); columns.len()];
    table.scan(&columns, &mut |batch| {
        for (name, (sum, values)) in columns.iter().zip(&mut all) {
            let column = batch.seconds(name)?;
            *sum = sum.saturating_add(sum_micros(column));
            values.extend(column.iter().flatten());
        }
        Ok(())
    })?;
    Ok(all)
}

/// The pulls of a group.
#[derive(Debug, Default)]
struct Pulls {
    values: Values,
    /// Microseconds that they took, waited and transferred.
    took: i64,
    waited: i64,
    pulled: i64,
}

fn by_pull(table: &Table, key: &str) -> Result<Vec<Group>, Error> {
    let mut groups: ByName<Pulls> = ByName::new();
    table.scan(&["image_pulls"], &mut |batch| {
        let pulls = batch.nested("image_pulls")?.items;
        let (names, took) = (pulls.text(key)?, pulls.seconds("took_s")?);
        let (waited, pulled) = (pulls.seconds("wait_s")?, pulls.seconds("pull_s")?);
        for (((name, took), waited), pulled) in names.iter().zip(took.iter()).zip(waited.iter()).zip(pulled.iter()) {
            let group = groups.entry(name);
            group.values.add(took);
            let sums = [(&mut group.took, took), (&mut group.waited, waited), (&mut group.pulled, pulled)];
            for (sum, seconds) in sums {
                *sum = sum.saturating_add(seconds.map_or(0, micros));
            }
        }
        Ok(())
    })?;
    let group = |(name, pulls): (Option<Box<str>>, Pulls)| {
        let phase = if pulls.waited > pulls.pulled { Phase::ImageWait } else { Phase::ImagePull };
        let name = name.map(Into::into);
        Group { name, lost_s: seconds(pulls.took), phase: Some(phase.name()), ..pulls.values.group() }
    };
    Ok(groups.into_sorted().map(group).collect())
}

/// The values of a column of numbers, sorted, null left out; with `keep`, of the rows that are wanted by these columns.
///
/// # Errors
/// When a part of the table cannot be read.
pub(crate) fn values(table: &Table, column: &str, keep: Option<(&[&str], Keep<'_>)>) -> Result<Vec<f64>, Error> {
    let sum = [column];
    sums(table, &sum, keep)
}

/// The same of the sum of some columns; where one of them is null, so is the sum.
pub(crate) fn sums(table: &Table, columns: &[&str], keep: Option<(&[&str], Keep<'_>)>) -> Result<Vec<f64>, Error> {
    let mut read = columns.to_vec();
    let looked = keep.map_or(&[][..], |(looked, _)| looked);
    read.extend(looked.iter().filter(|name| !columns.contains(name)));
    let mut all = Vec::new();
    table.scan(&read, &mut |batch| {
        let mut numbers = columns.iter().map(|name| batch.numbers(name)).collect::<Result<Vec<_>, _>>()?.into_iter();
        let mut sum = numbers.next().unwrap_or_default();
        for more in numbers {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.zip(more).map(|(sum, more)| sum + more));
        }
        match keep {
            Some((_, keep)) => {
                all.extend(sum.into_iter().zip(keep(batch)?).filter(|(_, keep)| *keep).filter_map(|(value, _)| value));
            }
            None => all.extend(sum.into_iter().flatten()),
        }
        Ok(())
    })?;
    all.sort_by(f64::total_cmp);
    Ok(all)
}

/// A word of a column, and the sorted values of another column beside it.
pub(crate) type NamedValues = (Option<Box<str>>, Vec<f64>);

/// The values of a column of numbers, sorted, null left out, by the words of another column.
///
/// # Errors
/// When a part of the table cannot be read.
pub(crate) fn values_by(table: &Table, column: &str, by: &str) -> Result<Vec<NamedValues>, Error> {
    let mut groups: ByName<Vec<f64>> = ByName::new();
    table.scan(&[column, by], &mut |batch| {
        let names = batch.text(by)?;
        names.iter().zip(batch.numbers(column)?).for_each(|(name, value)| groups.entry(name).extend(value));
        Ok(())
    })?;
    let sort = |(name, mut values): NamedValues| {
        values.sort_by(f64::total_cmp);
        (name, values)
    };
    Ok(groups.into_sorted().map(sort).collect())
}
