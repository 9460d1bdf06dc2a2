//! Groups of startups: by what people blame. Keys of startups (such as namespace and node) go together with one another, and with
//! keys of one kind of what startups consist of: their pulls, their phases, or what causes claim of them.

use std::collections::BTreeMap;

use super::group_names::{Names, split};
use super::phase_seconds::phase_column;
use super::pull_groups;
use super::query::{ByName, micros, seconds};
use super::row::Row;
use super::startups::Table;
use crate::model::error::{Error, ErrorKind};
use crate::model::names::named_enum;
use crate::model::phase::{PHASES, Phase};
use crate::model::quantile::select_quantile;

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
        /// The causes that claim time.
        Cause = "cause",
        /// The hour of creation, UTC.
        Hour = "hour",
    }
}

/// What the groups consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Items {
    Startups,
    Pulls,
    Phases,
    Claims,
}

impl Key {
    pub(super) fn items(self) -> Items {
        match self {
            Key::Image | Key::Registry => Items::Pulls,
            Key::Phase => Items::Phases,
            Key::Cause => Items::Claims,
            Key::Pod | Key::Workload | Key::Namespace | Key::Node | Key::Hour => Items::Startups,
        }
    }
}

impl Items {
    /// What groups by these keys consist of.
    ///
    /// # Errors
    /// When the keys ask for two kinds.
    fn of(keys: &[Key]) -> Result<Self, Error> {
        let mut kinds = keys.iter().filter(|key| key.items() != Items::Startups);
        let Some(first) = kinds.next() else { return Ok(Items::Startups) };
        match kinds.find(|other| other.items() != first.items()) {
            None => Ok(first.items()),
            Some(other) => {
                let words = format!("--by: {} and {} do not go together", first.name(), other.name());
                Err(Error::new(ErrorKind::Setting, words).help(
                    "a group is of startups, of pulls (image, registry), of phases, or of causes; pod, workload, namespace, \
                     node and hour go with each",
                ))
            }
        }
    }
}

/// A group of startups, or of pulls, phases or claims, and its figures.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Group {
    /// Its name by each key; `None` where it has none.
    pub names: Vec<Option<String>>,
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
    /// Seconds that causes claim; for images and registries all seconds of their pulls and of the back-off after failed ones, for phases
    /// all their seconds.
    pub lost_s: f64,
    /// The phase with the most seconds; none of phases and causes.
    pub phase: Option<&'static str>,
    /// The cause that claims the most seconds, or that is grouped by; none of pulls and phases.
    pub cause: Option<String>,
}

/// Checks that the keys go together, that a column holds seconds, of which quantiles make sense, and that the keys let one
/// choose.
///
/// # Errors
/// When they do not, there is no such column, or it holds something else.
pub fn of_seconds(column: &str, keys: &[Key]) -> Result<(), Error> {
    if Items::of(keys)? != Items::Startups && column != "running_s" {
        let names: Vec<&str> = keys.iter().map(|key| key.name()).collect();
        let fixed = format!("--of {column}: --by {} has figures of its own", names.join(","));
        return Err(Error::new(ErrorKind::Setting, fixed).help(
            "pulls are grouped by what they took, phases by their seconds, causes by the seconds that a startup lost to them",
        ));
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
    pub by: Vec<Key>,
    /// What the quantiles are of.
    pub of: String,
    /// The groups, the costliest first.
    pub groups: Vec<Group>,
}

/// Groups a table's startups by keys; the quantiles are of `column`, a column of seconds. Pulls are grouped by what they
/// took from asking to their end (the back-off after failed ones is lost as well), phases by their seconds in every startup, causes by what a startup lost to them.
///
/// # Errors
/// When a part of the table cannot be read, or the keys do not go together.
pub fn groups(table: &Table, keys: &[Key], column: &str) -> Result<Groups, Error> {
    let (of, mut groups) = match Items::of(keys)? {
        Items::Phases => ("seconds of the phase in each startup", by_phase(table, keys)?),
        Items::Pulls => ("seconds of a pull, from the request to its end", pull_groups::by_pull(table, keys)?),
        Items::Claims => ("seconds that a startup lost to the cause", by_cause(table, keys)?),
        Items::Startups => (column, by_startup(table, keys, column)?),
    };
    let slow = |group: &Group| group.max_s.unwrap_or(f64::NEG_INFINITY);
    match keys {
        [Key::Pod] => groups.sort_by(|a, b| slow(b).total_cmp(&slow(a)).then_with(|| a.names.cmp(&b.names))),
        [Key::Hour, ..] => groups.sort_by(|a, b| {
            let hour = |group: &Group| group.names.first().cloned();
            hour(a).cmp(&hour(b)).then(b.lost_s.total_cmp(&a.lost_s)).then_with(|| a.names.cmp(&b.names))
        }),
        _ => groups.sort_by(|a, b| b.lost_s.total_cmp(&a.lost_s).then_with(|| a.names.cmp(&b.names))),
    }
    Ok(Groups { by: keys.to_vec(), of: of.to_owned(), groups })
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

    fn group(mut self, names: Vec<Option<String>>) -> Group {
        let mut at = |q: f64| select_quantile(&mut self.values, q);
        Group {
            names,
            count: self.count,
            p50_s: at(0.5),
            p95_s: at(0.95),
            p99_s: at(0.99),
            max_s: at(1.0),
            ..Group::default()
        }
    }
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

fn by_startup(table: &Table, keys: &[Key], column: &str) -> Result<Vec<Group>, Error> {
    let phases: Vec<String> = PHASES.iter().map(|(phase, _)| phase_column(*phase)).collect();
    let mut columns = Names::columns(keys);
    columns.extend(phases.iter().map(String::as_str));
    columns.push("findings");
    if !columns.contains(&column) {
        columns.push(column);
    }
    let mut groups: ByName<Startups> = ByName::new();
    table.scan(&columns, &mut |batch| {
        let (mut names, values) = (Names::of(batch, batch, keys)?, batch.seconds(column)?);
        let phases = phases.iter().map(|name| batch.seconds(name)).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.len() {
            let group = groups.entry(names.get(row, 0, ""));
            group.values.add(values.get(row));
            for (sum, phase) in group.phases.iter_mut().zip(&phases) {
                *sum = sum.saturating_add(phase.get(row).map_or(0, micros));
            }
        }
        let findings = batch.nested("findings")?;
        let (causes, lost) = (findings.items.text("cause")?, findings.items.seconds("lost_s")?);
        for ((row, cause), lost) in findings.rows.iter().zip(causes.iter()).zip(lost.iter()) {
            let Some(cause) = cause else { continue };
            let group = groups.entry(names.get(*row, 0, ""));
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
        let lost_s = seconds(claims.values().fold(0, |sum, claim| sum.saturating_add(*claim)));
        // Of equal claims the first in the order of names.
        let cause = claims.into_iter().rev().max_by_key(|(_, claim)| *claim).map(|(cause, _)| cause.into());
        Group { phase, lost_s, cause, ..values.group(split(name, keys.len())) }
    };
    Ok(groups.into_sorted().map(group).collect())
}

/// The seconds of a group's items.
#[derive(Debug, Default)]
pub(super) struct Lost {
    values: Values,
    /// Microseconds.
    lost: i64,
}

impl Lost {
    pub(super) fn add(&mut self, value: Option<f64>) {
        self.values.add(value);
        self.lost = self.lost.saturating_add(value.map_or(0, micros));
    }

    /// Microseconds that are lost beside the items.
    pub(super) fn lose(&mut self, micros: i64) {
        self.lost = self.lost.saturating_add(micros);
    }

    pub(super) fn group(self, names: Vec<Option<String>>) -> Group {
        Group { lost_s: seconds(self.lost), ..self.values.group(names) }
    }
}

fn by_phase(table: &Table, keys: &[Key]) -> Result<Vec<Group>, Error> {
    let mut all = Vec::new();
    // The values of few phases are held at once.
    for some in PHASES.chunks(table.columns_at_once()) {
        let phases: Vec<String> = some.iter().map(|(phase, _)| phase_column(*phase)).collect();
        let mut columns = Names::columns(keys);
        columns.extend(phases.iter().map(String::as_str));
        let mut groups: ByName<Lost> = ByName::new();
        table.scan(&columns, &mut |batch| {
            let mut names = Names::of(batch, batch, keys)?;
            for ((_, name), column) in some.iter().zip(&phases) {
                let values = batch.seconds(column)?;
                (0..batch.len()).for_each(|row| groups.entry(names.get(row, row, name)).add(values.get(row)));
            }
            Ok(())
        })?;
        let groups = groups.into_sorted().map(|(name, lost)| lost.group(split(name, keys.len())));
        all.extend(groups.filter(|group| group.max_s.is_some_and(|max| max > 0.0)));
    }
    Ok(all)
}

fn by_cause(table: &Table, keys: &[Key]) -> Result<Vec<Group>, Error> {
    let mut columns = Names::columns(keys);
    columns.push("findings");
    let mut groups: ByName<Lost> = ByName::new();
    table.scan(&columns, &mut |batch| {
        let findings = batch.nested("findings")?;
        let lost = findings.items.seconds("lost_s")?;
        let mut names = Names::of(batch, &findings.items, keys)?;
        // A cause may claim of one startup several times: the startup has lost the sum.
        let mut of_row: Vec<(Box<str>, i64)> = Vec::new();
        let mut items = findings.rows.iter().zip(lost.iter()).enumerate().peekable();
        while let Some((item, (row, lost))) = items.next() {
            if let Some(name) = names.get(*row, item, "") {
                let lost = lost.map_or(0, micros);
                match of_row.iter_mut().find(|(known, _)| **known == *name) {
                    Some((_, sum)) => *sum = sum.saturating_add(lost),
                    None => of_row.push((name.into(), lost)),
                }
            }
            if items.peek().is_none_or(|(_, (next, _))| *next != row) {
                of_row.drain(..).for_each(|(name, lost)| groups.entry(Some(&name)).add(Some(seconds(lost))));
            }
        }
        Ok(())
    })?;
    Ok(groups.into_sorted().map(|(name, lost)| lost.group(split(name, keys.len()))).collect())
}
