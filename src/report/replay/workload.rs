//! What starts asked of their nodes, as the table has it: pulls with when they were asked for and how long they took, and what
//! the limits of the kubelet cost.

use super::arrival_order::{ARRIVAL_JITTER, ArrivalOrder};
use super::queue::{self, PullRequest, SharingModel};
use super::scenario::Scenario;
use crate::causes::setting::{Setting, Settings};
use crate::model::error::Error;
use crate::model::quantile::rank;
use crate::model::time::{Nanos, SECOND, Time};
use crate::table::{self, Batch, Pull, Row, Table};

/// Of so much of the time that pulls took it must be known when their transfers began.
const MIN_KNOWN_SHARE: f64 = 0.9;

/// A start that a replay may change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Start {
    /// Created → running, nanoseconds.
    pub running: i64,
    /// What client-side throttling cost, and what of it is certain, nanoseconds.
    pub throttled: Option<(i64, i64)>,
    /// What refused pulls cost, likewise.
    pub refused: Option<(i64, i64)>,
    /// Its kubelet's kubeAPIQPS, where that is known.
    pub rate: Option<f64>,
    pulls: Vec<KnownPull>,
}

/// A pull whose instants are known.
#[derive(Clone, Debug, PartialEq)]
struct KnownPull {
    requested: Time,
    started: Time,
    ended: Time,
    image: Box<str>,
    bytes: Option<i64>,
}

/// Starts whose pulls can have waited for each other: their numbers, and how many pulls their node does at once. A node has
/// several of them where its queue surely ran empty in between: its settings may have been others by then, and several clusters'
/// nodes may have one name.
#[derive(Debug, Default)]
struct Node {
    starts: Vec<usize>,
    slots: Option<usize>,
    /// The most pulls that ran at once, if none waited.
    at_ease: Option<usize>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Workload {
    /// Starts that a replay may change.
    pub starts: Vec<Start>,
    /// Created → running of all others, nanoseconds, sorted.
    others: Vec<i64>,
    nodes: Vec<Node>,
    /// Seconds of pulls whose instants are known, and of those whose are not.
    known: (f64, f64),
}

/// The columns that are read of a touched start.
const COLUMNS: [&str; 11] = [
    "node",
    "namespace",
    "pod",
    "running_s",
    "kubelet_version",
    "settings",
    "pulls",
    "pull_failures",
    "cause",
    "image_pulls",
    "findings",
];

/// The demand that a scenario is about.
pub(super) fn of(table: &Table, scenario: &Scenario) -> Result<Workload, Error> {
    let (of_pulls, of_limits) = (scenario.is_of_pulls(), scenario.is_of_limits());
    let touched = |batch: &Batch| {
        let (pulls, failures, cause) =
            (batch.integers("pulls")?, batch.integers("pull_failures")?, batch.text("cause")?);
        let rows = pulls.iter().zip(failures.iter()).zip(cause.iter());
        let touched = rows.map(|((pulls, failures), cause)| {
            let pulled = pulls > Some(0) || failures > Some(0);
            (of_pulls && pulled) || ((of_limits || !of_pulls) && cause.is_some())
        });
        Ok::<Vec<bool>, Error>(touched.collect())
    };
    let mut demand = Workload::default();
    let others = |batch: &Batch| Ok(touched(batch)?.into_iter().map(|touched| !touched).collect::<Vec<bool>>());
    let looked = ["pulls", "pull_failures", "cause"];
    demand.others = table::values(table, "running_s", Some((&looked, &others)))?.into_iter().map(nanos).collect();
    let ran = |batch: &Batch| {
        let running = batch.nulls("running_s")?;
        Ok(touched(batch)?
            .into_iter()
            .zip(running)
            .map(|(touched, unknown)| touched && !unknown)
            .collect::<Vec<bool>>())
    };
    let mut found: Vec<(Box<str>, Settings, Start)> = Vec::new();
    table.each(&COLUMNS, &ran, &mut |row| {
        found.push((
            row.node.clone().unwrap_or_default(),
            Settings::read(&row.settings),
            start(&row, &mut demand.known),
        ));
    })?;
    // Whatever parts the table lies in, the numbers of starts are the same.
    found.sort_by(|a, b| {
        let key = |start: &Start| (start.pulls.first().map(|pull| (pull.requested, pull.ended)), start.running);
        a.0.cmp(&b.0).then_with(|| key(&a.2).cmp(&key(&b.2)))
    });
    let mut nodes: Vec<(Node, Settings)> = Vec::new();
    let mut before: Option<(Box<str>, Drain)> = None;
    for (number, (node, settings, start)) in found.into_iter().enumerate() {
        let same = before.take().filter(|(known, _)| *known == node).map(|(_, drain)| drain);
        let empty = same.as_ref().is_none_or(|drain| drain.is_empty_before(&start));
        let mut drain = same.filter(|_| !empty).unwrap_or_default();
        drain.take(&start);
        before = Some((node, drain));
        if empty {
            nodes.push(<(Node, Settings)>::default());
        }
        demand.starts.push(start);
        let Some(entry) = nodes.last_mut() else { continue };
        entry.0.starts.push(number);
        // The latest value counts.
        entry.1 = settings.over(&entry.1);
    }
    for (mut node, settings) in nodes {
        let (most, waited) = demand.observed(&node);
        // That pulls are parallel says not how many at once; where some waited, there was a limit.
        node.slots = match settings.pull_concurrency() {
            Some(Some(slots)) => Some(slots),
            _ => waited.then_some(most),
        };
        node.at_ease = (!waited).then_some(most);
        demand.nodes.push(node);
    }
    Ok(demand)
}

/// When a node's queue is empty, had its pulls run one after another.
#[derive(Debug, Default)]
struct Drain(Option<Time>);

impl Drain {
    /// Whether it is empty before a start asks for its first pull, however the race for the queue went.
    fn is_empty_before(&self, start: &Start) -> bool {
        let race = Nanos((2.0 * ARRIVAL_JITTER * SECOND as f64) as i64);
        self.0.zip(start.pulls.first()).is_some_and(|(empty, pull)| pull.requested > empty + race)
    }

    fn take(&mut self, start: &Start) {
        for pull in &start.pulls {
            let from = self.0.map_or(pull.requested, |empty| empty.max(pull.requested));
            self.0 = Some((from + (pull.ended - pull.started)).max(pull.ended));
        }
    }
}

fn nanos(seconds: f64) -> i64 {
    (seconds * SECOND as f64).round() as i64
}

fn start(row: &Row, known: &mut (f64, f64)) -> Start {
    let claim = |cause: &str| {
        let finding = row.findings.iter().find(|finding| &*finding.cause == cause)?;
        Some((nanos(finding.lost_s), nanos(finding.lost_min_s)))
    };
    let minor = row.kubelet_version.as_deref().and_then(crate::causes::minor);
    let set = Settings::read(&row.settings).get(Setting::KubeApiQps).and_then(|rate| rate.parse().ok());
    let set = set.filter(|rate: &f64| *rate > 0.0);
    // The default of 1.26 and before is slow enough to be what held requests back; that of later versions is not.
    let default = || minor.filter(|minor| *minor < 27).map(|_| 5.0);
    Start {
        running: nanos(row.running_s.unwrap_or_default()),
        throttled: claim("api-client-throttled"),
        refused: claim("pull-rate-limited"),
        rate: set.or_else(default),
        pulls: row.image_pulls.iter().filter_map(|pull| known_pull(pull, known)).collect(),
    }
}

fn known_pull(pull: &Pull, known: &mut (f64, f64)) -> Option<KnownPull> {
    match (pull.started, pull.ended) {
        (Some(started), Some(ended)) if ended >= started => {
            let requested = pull.requested.filter(|requested| *requested <= started).unwrap_or(started);
            known.0 += (ended - requested).seconds();
            Some(KnownPull {
                requested,
                started,
                ended,
                image: pull.image.clone().unwrap_or_default(),
                bytes: pull.bytes,
            })
        }
        _ => {
            known.1 += pull.took_s.unwrap_or_default();
            None
        }
    }
}

impl Workload {
    /// How many pulls there are.
    pub(super) fn pulls(&self) -> usize {
        self.starts.iter().map(|start| start.pulls.len()).sum()
    }

    /// Whether enough is known of the pulls to replay them.
    pub(super) fn ensure_known(&self) -> Result<(), String> {
        let (known, unknown) = self.known;
        if known <= 0.0 || known / (known + unknown) < MIN_KNOWN_SHARE {
            return Err("the input does not show when transfers started: add the container runtime's log".into());
        }
        Ok(())
    }

    /// Whether a scenario changes anything for these nodes.
    pub(super) fn changed(&self, scenario: &Scenario) -> Result<(), String> {
        let images = || self.starts.iter().flat_map(|start| &start.pulls).map(|pull| &*pull.image);
        if let Some(unknown) = scenario.prepull.iter().find(|known| !images().any(|image| scenario.names(known, image)))
        {
            return Err(format!("no pull of {unknown} in the input (give the image with its tag, as in the log)"));
        }
        let Some(slots) = scenario.settings.pull_concurrency().filter(|_| scenario.prepull.is_empty()) else {
            return Ok(());
        };
        // As many at once as before, or more than there ever were to wait for.
        let same = |node: &&Node| {
            node.slots == slots || node.at_ease.is_some_and(|most| slots.is_none_or(|slots| most <= slots))
        };
        if self.nodes.iter().any(|node| node.slots == slots) && self.nodes.iter().all(|node| same(&node)) {
            let pulls = slots.map_or("without a limit".into(), |slots| format!("{slots} at a time"));
            return Err(format!("no change: pulls already ran {pulls}"));
        }
        Ok(())
    }

    /// The most pulls that a node had under way at once, and whether others waited: where none did, there may be no limit.
    fn observed(&self, node: &Node) -> (usize, bool) {
        let pulls: Vec<&KnownPull> = self.of(node).flat_map(|start| &start.pulls).collect();
        let waited = pulls.iter().any(|pull| pull.started - pull.requested >= Nanos(SECOND / 2));
        let mut cuts: Vec<(Time, i64)> = pulls.iter().flat_map(|pull| [(pull.started, 1), (pull.ended, -1)]).collect();
        // What begins the moment another ends took its place.
        cuts.sort_unstable();
        let most = cuts.iter().scan(0, |open, (_, step)| {
            *open += step;
            Some(*open)
        });
        (usize::try_from(most.max().unwrap_or(1)).unwrap_or(1).max(1), waited)
    }

    fn of(&self, node: &Node) -> impl Iterator<Item = &Start> {
        node.starts.iter().filter_map(|number| self.starts.get(*number))
    }

    /// The bounds of how pulls get on beside each other: they share what one had, or each keeps what it had. Where large pulls of
    /// different images all went at the same rate, the way was the limit and not the single pull: then more than the best rate
    /// seen is not to be had.
    pub(super) fn ways(&self) -> [SharingModel; 2] {
        let mut rates: Vec<f64> = Vec::new();
        let mut best = 0.0f64;
        for node in &self.nodes {
            let pulls: Vec<&KnownPull> = self.of(node).flat_map(|start| &start.pulls).collect();
            for (pull, own) in pulls.iter().zip(self.service_times(&pulls, SharingModel::Share(1.0))) {
                let Some(bytes) = pull.bytes.filter(|bytes| *bytes >= 1_000_000) else { continue };
                let rate = bytes as f64 / own.max(0.01);
                best = best.max(rate);
                if bytes >= LARGE && own >= 1.0 {
                    rates.push(rate);
                }
            }
        }
        rates.sort_by(f64::total_cmp);
        let at = |share: f64| rates.get((rates.len() as f64 * share) as usize).copied().unwrap_or_default();
        let (low, middle, high) = (at(0.25), at(0.5), at(0.75));
        if rates.len() >= 5 && high <= low * 1.25 {
            [SharingModel::Share(1.0), SharingModel::Share((best / middle).clamp(1.0, 2.0))]
        } else {
            [SharingModel::Share(1.0), SharingModel::Keep]
        }
    }

    fn service_times(&self, pulls: &[&KnownPull], model: SharingModel) -> Vec<f64> {
        let Some(first) = pulls.iter().map(|pull| pull.requested).min() else { return Vec::new() };
        let spans: Vec<(f64, f64)> =
            pulls.iter().map(|pull| ((pull.started - first).seconds(), (pull.ended - first).seconds())).collect();
        queue::service_times(&spans, model)
    }

    /// By how much each start comes to run later (or, below 0, earlier) in a scenario, nanoseconds; none: with the settings as
    /// they were.
    pub(super) fn shifts(&self, scenario: Option<&Scenario>, model: SharingModel, order: ArrivalOrder) -> Vec<i64> {
        let mut shifts = vec![0; self.starts.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            let pulls: Vec<&KnownPull> = self.of(node).flat_map(|start| &start.pulls).collect();
            let Some(first) = pulls.iter().map(|pull| pull.requested).min() else { continue };
            let own = self.service_times(&pulls, model);
            let mut jitters = order.jitters(at, own.as_slice()).into_iter();
            let mut own = own.into_iter();
            let mut requests: Vec<Vec<PullRequest>> = Vec::with_capacity(node.starts.len());
            for start in self.of(node) {
                let mut before: Option<Time> = None;
                let mut all = Vec::with_capacity(start.pulls.len());
                for pull in &start.pulls {
                    // Only a start's first pull is in the race: the others come when the one before them has ended.
                    let jitter = jitters.next().filter(|_| before.is_none()).unwrap_or_default();
                    let after = (pull.requested - before.unwrap_or(first)).seconds() + jitter;
                    let present = scenario.is_some_and(|scenario| scenario.has(&pull.image));
                    all.push(PullRequest { after: after.max(0.0), work: own.next().unwrap_or_default(), present });
                    before = Some(pull.ended);
                }
                requests.push(all);
            }
            let slots = scenario.and_then(|scenario| scenario.settings.pull_concurrency()).unwrap_or(node.slots);
            let ends = queue::run(&requests, slots, model);
            for ((number, start), end) in node.starts.iter().zip(self.of(node)).zip(ends) {
                let (Some(last), Some(shift)) = (start.pulls.last(), shifts.get_mut(*number)) else { continue };
                *shift = nanos(end - (last.ended - first).seconds());
            }
        }
        shifts
    }

    /// p50, p95, p99, the longest and the sum of created → running with these shifts, seconds.
    pub(super) fn figures(&self, shifts: &[i64]) -> [f64; 5] {
        self.figures_beside(shifts, &self.others)
    }

    /// The same of the starts that a replay may change alone.
    pub(super) fn figures_of_touched(&self, shifts: &[i64]) -> [f64; 5] {
        self.figures_beside(shifts, &[])
    }

    fn figures_beside(&self, shifts: &[i64], others: &[i64]) -> [f64; 5] {
        let mut touched: Vec<i64> =
            self.starts.iter().zip(shifts).map(|(start, shift)| (start.running + shift).max(0)).collect();
        touched.sort_unstable();
        let count = touched.len() + others.len();
        let seconds = |nanos: i64| nanos as f64 / SECOND as f64;
        let at = |share: f64| seconds(nth(&touched, others, rank(count, share)));
        let sum: i128 = touched.iter().chain(others).map(|nanos| i128::from(*nanos)).sum();
        [at(0.5), at(0.95), at(0.99), at(1.0), sum as f64 / SECOND as f64]
    }
}

/// From this size on a pull's time is mostly its transfer.
const LARGE: i64 = 10_000_000;

/// The n-th of two sorted lists together.
fn nth(a: &[i64], b: &[i64], n: usize) -> i64 {
    let get = |list: &[i64], at: usize| list.get(at).copied();
    // How many of the first n come from `a`: the least number whose successor in `a` is not below what then comes from `b`.
    let (mut low, mut high) = (n.saturating_sub(b.len()), n.min(a.len()));
    while low < high {
        let middle = (low + high) / 2;
        let from_b = n - middle;
        if from_b > 0 && get(a, middle) < get(b, from_b - 1) && middle < a.len() {
            low = middle + 1
        } else {
            high = middle
        }
    }
    match (get(a, low), get(b, n - low)) {
        (Some(a), Some(b)) => a.min(b),
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_nth_of_two_lists_is_that_of_the_one_they_make(mut a in prop::collection::vec(0i64..50, 0..20), mut b in prop::collection::vec(0i64..50, 0..20)) {
            a.sort_unstable();
            b.sort_unstable();
            let mut all = [a.clone(), b.clone()].concat();
            all.sort_unstable();
            for (n, expected) in all.iter().enumerate() {
                prop_assert_eq!(super::nth(&a, &b, n), *expected);
            }
        }
    }
}
