//! The page's tables over all startups, for a page that does not hold them all: what is listed would give wrong sums and orders.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::Serialize;

use super::startup::{Startup, micros};
use crate::causes;
use crate::model::phase::{PHASES, Phase};
use crate::model::quantile::rank;
use crate::table::{Pull, Row};

/// A table with no more rows is there as a whole.
const ALL: usize = 500;
/// Of a longer one so many of the first by each column of numbers.
const TOP: usize = 100;
/// A table of more groups is not made: it would take too much memory.
const MOST: usize = 50_000;
/// How many volumes are listed, by the time they took and by their attempts.
const VOLUMES: usize = 200;

/// Rows of a table, and how many it has in all.
#[derive(Debug, Serialize)]
pub(super) struct Rows<T> {
    /// How many rows there are.
    pub of: usize,
    /// So many of the first by each column are here; none where all are.
    pub top: Option<usize>,
    pub rows: Vec<T>,
}

/// All of them.
#[derive(Debug, Serialize)]
pub(super) struct Tables {
    pub node: Option<Rows<Group>>,
    pub workload: Option<Rows<Group>>,
    pub image: Option<Rows<Group>>,
    pub registry: Option<Rows<Group>>,
    pub plugin: Option<Rows<Plugin>>,
    pub volume: Rows<Mount>,
}

/// A group of startups. Times are microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    name: Option<Box<str>>,
    count: i64,
    p50: Option<i64>,
    p99: Option<i64>,
    max: Option<i64>,
    spent: i64,
    phase: Option<&'static str>,
    cause: Option<&'static str>,
    pulling: i64,
    pulls: i64,
    failed: i64,
    waited: Option<i64>,
    pulled: Option<i64>,
    took: Option<i64>,
    bytes: Option<i64>,
}

/// The volumes of a plugin.
#[derive(Debug, Serialize)]
pub(super) struct Plugin {
    plugin: Option<Box<str>>,
    mounts: i64,
    pods: i64,
    again: i64,
    p50: Option<i64>,
    p99: Option<i64>,
    max: Option<i64>,
}

/// One volume of a startup.
#[derive(Debug, Serialize)]
pub(super) struct Mount {
    volume: Box<str>,
    pod: String,
    plugin: Option<Box<str>>,
    took: Option<i64>,
    attempts: i64,
    error: Option<Box<str>>,
}

/// What is summed up of a group.
#[derive(Default)]
struct Sums {
    count: i64,
    running: Vec<i64>,
    phases: [i64; PHASES.len()],
    causes: Vec<(&'static str, i64)>,
    pulls: i64,
    failed: i64,
    waited: Option<i64>,
    pulled: Option<i64>,
    took: Vec<i64>,
    bytes: Option<i64>,
}

/// Groups by name; none when there were too many.
struct Groups<T>(Option<HashMap<Option<Box<str>>, T>>);

impl<T: Default> Groups<T> {
    fn new() -> Self {
        Groups(Some(HashMap::new()))
    }

    fn entry(&mut self, name: Option<&str>) -> Option<&mut T> {
        let name: Option<Box<str>> = name.map(Into::into);
        if self.0.as_ref().is_some_and(|groups| groups.len() >= MOST && !groups.contains_key(&name)) {
            self.0 = None;
        }
        Some(self.0.as_mut()?.entry(name).or_default())
    }
}

#[derive(Default)]
struct OfPlugin {
    mounts: i64,
    pods: i64,
    again: i64,
    took: Vec<i64>,
}

/// Sums up the rows that pass.
pub(super) struct Summing {
    node: Groups<Sums>,
    workload: Groups<Sums>,
    image: Groups<Sums>,
    registry: Groups<Sums>,
    plugin: Groups<OfPlugin>,
    volumes: Vec<Mount>,
    mounts: usize,
}

impl Summing {
    pub(super) fn new() -> Self {
        Summing {
            node: Groups::new(),
            workload: Groups::new(),
            image: Groups::new(),
            registry: Groups::new(),
            plugin: Groups::new(),
            volumes: Vec::new(),
            mounts: 0,
        }
    }

    pub(super) fn take(&mut self, row: &Row, startup: &Startup) {
        self.node.entry(row.node.as_deref()).into_iter().for_each(|sums| sums.add(startup));
        self.workload.entry(Some(&row.workload)).into_iter().for_each(|sums| sums.add(startup));
        let (mut images, mut registries): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for pull in &row.image_pulls {
            let Some(image) = pull.image.as_deref() else { continue };
            let registry = pull.registry.as_deref();
            for (groups, name, seen) in
                [(&mut self.image, Some(image), &mut images), (&mut self.registry, registry, &mut registries)]
            {
                let Some(sums) = name.and_then(|name| groups.entry(Some(name))) else { continue };
                if !seen.contains(&name.unwrap_or_default()) {
                    seen.extend(name);
                    sums.add(startup);
                }
                sums.add_pull(pull);
            }
        }
        let mut plugins: Vec<Option<&str>> = Vec::new();
        for volume in &row.volume_mounts {
            let plugin = volume.plugin.as_deref();
            let took = volume.wanted.zip(volume.mounted).map(|(from, to)| (to.0 - from.0) / 1000);
            if let Some(sums) = self.plugin.entry(plugin) {
                sums.mounts += 1;
                sums.again += i64::from(volume.error.is_some() || volume.attempts > 1);
                sums.pods += i64::from(!plugins.contains(&plugin));
                sums.took.extend(took);
            }
            plugins.push(plugin);
            self.mounts += 1;
            self.volumes.push(Mount {
                volume: volume.volume.clone(),
                pod: row.full_name(),
                plugin: volume.plugin.clone(),
                took,
                attempts: volume.attempts,
                error: volume.error.clone(),
            });
        }
        if self.volumes.len() > 20 * VOLUMES {
            let some = std::mem::take(&mut self.volumes);
            self.volumes = top(some, VOLUMES, &[|one| one.took, |one| Some(one.attempts)], |one| {
                (one.pod.clone(), one.volume.clone())
            });
        }
    }

    pub(super) fn tables(self) -> Tables {
        type By = fn(&Group) -> Option<i64>;
        const STARTUPS: [By; 5] =
            [|one| Some(one.count), |one| one.p50, |one| one.p99, |one| one.max, |one| Some(one.spent)];
        const PULLS: [By; 8] = [
            |one| Some(one.count),
            |one| Some(one.pulling),
            |one| Some(one.pulls),
            |one| Some(one.failed),
            |one| one.waited,
            |one| one.pulled,
            |one| one.took,
            |one| one.bytes,
        ];
        let groups = |groups: Groups<Sums>, by: &[By], first: By| -> Option<Rows<Group>> {
            let all: Vec<Group> = groups.0?.into_iter().map(|(name, sums)| sums.group(name)).collect();
            Some(rows(all, by, first, |one| one.name.clone()))
        };
        let plugins = self.plugin.0.map(|all| {
            let all = all.into_iter().map(|(plugin, sums)| sums.group(plugin)).collect();
            let by: [fn(&Plugin) -> Option<i64>; 6] = [
                |one| Some(one.mounts),
                |one| Some(one.pods),
                |one| Some(one.again),
                |one| one.p50,
                |one| one.p99,
                |one| one.max,
            ];
            rows(all, &by, |one| one.max, |one| one.plugin.clone())
        });
        let volumes = top(self.volumes, VOLUMES, &[|one| one.took, |one| Some(one.attempts)], |one| {
            (one.pod.clone(), one.volume.clone())
        });
        Tables {
            node: groups(self.node, &STARTUPS, |one| Some(one.spent)),
            workload: groups(self.workload, &STARTUPS, |one| Some(one.spent)),
            image: groups(self.image, &PULLS, |one| Some(one.pulling)),
            registry: groups(self.registry, &PULLS, |one| Some(one.pulling)),
            plugin: plugins,
            volume: Rows { of: self.mounts, top: (volumes.len() < self.mounts).then_some(VOLUMES), rows: volumes },
        }
    }
}

/// The rows of a table in its own order; of a long one the first by each column.
fn rows<T, N: Ord>(
    all: Vec<T>,
    by: &[fn(&T) -> Option<i64>],
    first: fn(&T) -> Option<i64>,
    name: impl Fn(&T) -> N,
) -> Rows<T> {
    let of = all.len();
    let cut = of > ALL;
    let mut rows = if cut { top(all, TOP, by, &name) } else { all };
    rows.sort_by_cached_key(|one| (Reverse(first(one)), name(one)));
    Rows { of, top: cut.then_some(TOP), rows }
}

/// The first `most` by each of some columns, in the order of the first column.
fn top<T, N: Ord>(mut all: Vec<T>, most: usize, by: &[fn(&T) -> Option<i64>], name: impl Fn(&T) -> N) -> Vec<T> {
    let mut kept = 0;
    for column in by {
        // Those that a column before this one keeps may be among its first, too.
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_cached_key(|at| all.get(*at).map(|one| (Reverse(column(one)), name(one))));
        let mut chosen: Vec<usize> = order.into_iter().take(most).filter(|at| *at >= kept).collect();
        chosen.sort_unstable();
        for at in chosen {
            all.swap(kept, at);
            kept += 1;
        }
    }
    all.truncate(kept);
    if let Some(column) = by.first() {
        all.sort_by_cached_key(|one| (Reverse(column(one)), name(one)));
    }
    all
}

/// A value that so many do not exceed.
fn quantile(values: &mut [i64], q: f64) -> Option<i64> {
    let rank = rank(values.len(), q);
    (!values.is_empty()).then(|| *values.select_nth_unstable(rank).1)
}

impl Sums {
    fn add(&mut self, startup: &Startup) {
        self.count += 1;
        self.running.extend(startup.running);
        for (sum, micros) in self.phases.iter_mut().zip(startup.phases) {
            *sum = sum.saturating_add(micros.unwrap_or(0));
        }
        for (cause, lost, _) in &startup.findings {
            let Some(cause) = causes::named(cause) else { continue };
            match self.causes.iter_mut().find(|(id, _)| *id == cause.id) {
                Some((_, sum)) => *sum = sum.saturating_add(*lost),
                None => self.causes.push((cause.id, *lost)),
            }
        }
    }

    fn add_pull(&mut self, pull: &Pull) {
        let add = |sum: &mut Option<i64>, seconds: Option<f64>| {
            if let Some(seconds) = seconds {
                *sum = Some(sum.unwrap_or(0).saturating_add(micros(seconds)));
            }
        };
        self.pulls += 1;
        self.failed += i64::from(&*pull.outcome != "pulled");
        add(&mut self.waited, pull.wait_s);
        add(&mut self.pulled, pull.pull_s);
        self.took.extend(pull.took_s.map(micros));
        self.bytes = self.bytes.max(pull.bytes);
    }

    fn group(mut self, name: Option<Box<str>>) -> Group {
        let phases = || PHASES.iter().zip(self.phases);
        let spent = phases().filter(|((phase, _), _)| phase.is_in_total()).map(|(_, micros)| micros).sum();
        let pulling = |phase: Phase| matches!(phase, Phase::ImageWait | Phase::ImagePull | Phase::ImageBackoff);
        // Of equals the first, as the page has it.
        let longest = phases().filter(|((phase, _), _)| phase.is_in_total()).rev().max_by_key(|(_, micros)| *micros);
        let cause = self.causes.iter().max_by_key(|(id, lost)| (*lost, Reverse(*id))).map(|(id, _)| *id);
        Group {
            name,
            count: self.count,
            spent,
            phase: longest.filter(|_| spent > 0).map(|((_, name), _)| *name),
            cause,
            pulling: phases().filter(|((phase, _), _)| pulling(*phase)).map(|(_, micros)| micros).sum(),
            pulls: self.pulls,
            failed: self.failed,
            waited: self.waited,
            pulled: self.pulled,
            p50: quantile(&mut self.running, 0.5),
            p99: quantile(&mut self.running, 0.99),
            max: quantile(&mut self.running, 1.0),
            took: quantile(&mut self.took, 0.99),
            bytes: self.bytes,
        }
    }
}

impl OfPlugin {
    fn group(mut self, plugin: Option<Box<str>>) -> Plugin {
        let mut at = |q: f64| quantile(&mut self.took, q);
        Plugin {
            plugin,
            mounts: self.mounts,
            pods: self.pods,
            again: self.again,
            p50: at(0.5),
            p99: at(0.99),
            max: at(1.0),
        }
    }
}
