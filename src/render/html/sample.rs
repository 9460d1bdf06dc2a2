//! Which startups stand in the page: all of them while they are few, else the slowest, those that never ran, and a fair sample of
//! the others.
//!
//! A page is to stay below 5 MB and open at once, whatever it is made of. The sample is by hash, so it is the same whatever
//! order startups came in.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::model::error::Error;
use crate::model::phase::PHASES;
use crate::model::startup::State;
use crate::model::time::Time;
use crate::report::Report;
use crate::table::Row;

/// How many startups are listed at most (some 200 bytes each), and how many of these are the slowest ones.
const MAX_LISTED: usize = 12_000;
const SLOWEST: usize = 2_000;
/// How many that never ran are listed beside the slowest: a reader looks for these first, and they need not be slow.
const MAX_NEVER_RAN: usize = 500;
/// How many stand there whole, with spans and evidence, where not all can: of the slowest, and of the sample.
const WHOLE: (usize, usize) = (120, 60);
/// The same of those that never ran.
const WHOLE_NEVER_RAN: usize = 40;
/// Startups all of which are whole: some 5 to 8 kB each.
const FEW: usize = 400;
/// Bytes that the whole ones may take, in either case.
const BYTES: (usize, usize) = (1_500_000, 3_500_000);

/// Bytes that the columns of the listed ones may take.
const COLUMNS: usize = 2_600_000;

/// A startup as the page lists it: what its figures and filters need. Seconds are whole microseconds, as sums are made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Startup {
    pub namespace: Box<str>,
    pub pod: Box<str>,
    pub uid: Option<Box<str>>,
    pub node: Option<Box<str>>,
    pub workload: Box<str>,
    pub kubelet: Option<Box<str>>,
    pub state: &'static str,
    pub created: Option<i64>,
    pub started: Option<i64>,
    pub ended: Option<i64>,
    pub running: Option<i64>,
    pub ready: Option<i64>,
    pub total: Option<i64>,
    pub slo: Option<i64>,
    pub stateful: Option<bool>,
    pub phases: [Option<i64>; PHASES.len()],
    pub images: Vec<Box<str>>,
    pub findings: Vec<(Box<str>, i64, i64)>,
    pub anomalies: Vec<Box<str>>,
}

/// The nearest whole microsecond, as the summary's sums have it.
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6 + 0.5).trunc() as i64
}

fn of(row: &Row) -> Startup {
    let stamp = |time: Time| time.0.div_euclid(1000);
    let mut images: Vec<Box<str>> = row.image_pulls.iter().filter_map(|pull| pull.image.clone()).collect();
    images.sort_unstable();
    images.dedup();
    let phases = row.phases.0.map(|seconds| seconds.map(micros));
    Startup {
        namespace: row.namespace.clone(),
        pod: row.pod.clone(),
        uid: row.uid.clone(),
        node: row.node.clone(),
        workload: row.workload.clone(),
        kubelet: row.kubelet_version.clone(),
        state: row.state.name(),
        created: row.created.map(stamp),
        started: row.began().map(stamp),
        ended: row.watched.or(row.spans.last().map(|span| span.to)).map(stamp),
        running: row.running_s.map(micros),
        ready: row.ready_s.map(micros),
        total: row.total_s.map(micros),
        slo: row.slo_s.map(micros),
        stateful: row.stateful,
        phases,
        images,
        findings: row
            .findings
            .iter()
            .map(|finding| (finding.cause.clone(), micros(finding.lost_s), micros(finding.lost_min_s)))
            .collect(),
        anomalies: row.anomalies.clone(),
    }
}

/// The startups of a page, the slowest first.
#[derive(Default)]
pub(super) struct Sample {
    /// How many the report has.
    pub startups: usize,
    /// Those listed, each with its place among the whole ones.
    pub rows: Vec<(Startup, Option<usize>)>,
    /// Those that stand there whole.
    pub whole: Vec<Row>,
    /// How many of the first stand for themselves; the others for `weight` each. None where nothing was cut.
    pub sure: Option<usize>,
    /// See `sure`.
    pub weight: f64,
}

/// A startup with what it is chosen by, the least first.
struct Kept<K> {
    key: K,
    startup: Startup,
    row: Option<Box<Row>>,
}

impl<K: Ord> PartialEq for Kept<K> {
    fn eq(&self, tie_break: &Self) -> bool {
        self.key == tie_break.key
    }
}
impl<K: Ord> Eq for Kept<K> {}
impl<K: Ord> PartialOrd for Kept<K> {
    fn partial_cmp(&self, tie_break: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(tie_break))
    }
}
impl<K: Ord> Ord for Kept<K> {
    fn cmp(&self, tie_break: &Self) -> std::cmp::Ordering {
        self.key.cmp(&tie_break.key)
    }
}

/// The longest way to running first; then by the order of rows, so that none depends on the order they came in.
type Slow = (Reverse<Option<i64>>, u64);

fn hash(row: &Row) -> u64 {
    let mut hasher = SipHasher13::new();
    let (node, name, began) = row.key();
    for part in [node, name, &row.namespace, &row.pod] {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.write_i64(began.map_or(0, |(_, time)| time.0));
    hasher.finish()
}

/// Another number of a startup, for ties among the slowest: by the sample's own, these would be missing in the sample.
fn tie_break(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// Chooses the startups of a page. The rows pass one by one; only the chosen ones are held.
pub(super) fn of_report(report: &Report) -> Result<Sample, Error> {
    let startups = report.table.len();
    let mut queues = Queues::new(startups);
    for row in report.table.rows() {
        queues.take(row?);
    }
    let Queues { slow, sample, never_ran, whole, whole_never_ran, whole_sample, .. } = queues;
    let (slow, rest) = fit(slow, never_ran, sample);
    let mut listed = Sample {
        startups,
        sure: (slow.len() < startups).then_some(slow.len()),
        weight: if rest.is_empty() { 1.0 } else { (startups - slow.len()) as f64 / rest.len() as f64 },
        ..Sample::default()
    };
    let whole_rows = whole.into_sorted_vec().into_iter().map(|kept| (kept.key.1, kept.row));
    let never_ran_rows = whole_never_ran.into_sorted_vec().into_iter().map(|kept| (kept.key.1, kept.row));
    let sampled_rows = whole_sample.into_sorted_vec().into_iter().map(|kept| (tie_break(kept.key), kept.row));
    let places = listed.place_whole(whole_rows.chain(never_ran_rows).chain(sampled_rows));
    listed.rows = slow.into_iter().chain(rest).map(|kept| (kept.startup, places.get(&kept.key.1).copied())).collect();
    Ok(listed)
}

/// The startups that are held while the rows pass, and how many of each kind.
struct Queues {
    startups: usize,
    slowest: usize,
    sampled: usize,
    whole_slow: usize,
    whole_sampled: usize,
    slow: BinaryHeap<Kept<Slow>>,
    sample: BinaryHeap<Kept<u64>>,
    never_ran: BinaryHeap<Kept<Slow>>,
    /// The whole rows of the slowest are a queue of their own, so that the others need not be held whole.
    whole: BinaryHeap<Kept<Slow>>,
    whole_never_ran: BinaryHeap<Kept<Slow>>,
    whole_sample: BinaryHeap<Kept<u64>>,
}

impl Queues {
    fn new(startups: usize) -> Self {
        let all = startups <= MAX_LISTED;
        let (slowest, sampled) = if all { (startups, 0) } else { (SLOWEST, MAX_LISTED - SLOWEST) };
        let (whole_slow, whole_sampled) = if startups <= FEW { (startups, 0) } else { WHOLE };
        Queues {
            startups,
            slowest,
            sampled,
            whole_slow,
            whole_sampled,
            slow: BinaryHeap::new(),
            sample: BinaryHeap::new(),
            never_ran: BinaryHeap::new(),
            whole: BinaryHeap::new(),
            whole_never_ran: BinaryHeap::new(),
            whole_sample: BinaryHeap::new(),
        }
    }

    fn take(&mut self, row: Row) {
        let number = hash(&row);
        let key: Slow = (Reverse(row.user_latency_s().map(micros)), tie_break(number));
        let startup = of(&row);
        if self.startups > FEW && row.state != State::Running {
            if has_room(&self.never_ran, &key, MAX_NEVER_RAN) {
                keep(&mut self.never_ran, Kept { key, startup: startup.clone(), row: None }, MAX_NEVER_RAN);
            }
            if has_room(&self.whole_never_ran, &key, WHOLE_NEVER_RAN) {
                let row = Some(Box::new(row.clone()));
                keep(&mut self.whole_never_ran, Kept { key, startup: Startup::default(), row }, WHOLE_NEVER_RAN);
            }
        }
        keep(&mut self.slow, Kept { key, startup: startup.clone(), row: None }, self.slowest);
        if self.sampled > 0 {
            keep(&mut self.sample, Kept { key: number, startup, row: None }, self.sampled + SLOWEST);
        }
        let row = Some(Box::new(row));
        if has_room(&self.whole, &key, self.whole_slow) {
            let whole = Kept { key, startup: Startup::default(), row };
            if let Some(Kept { row: Some(row), .. }) = keep(&mut self.whole, whole, self.whole_slow) {
                let sampled = Kept { key: hash(&row), startup: Startup::default(), row: Some(row) };
                keep(&mut self.whole_sample, sampled, self.whole_sampled);
            }
        } else if self.whole_sampled > 0 {
            keep(&mut self.whole_sample, Kept { key: number, startup: Startup::default(), row }, self.whole_sampled);
        }
    }
}

/// The startups that are listed, in order: those that stand for themselves, and of the sample as much as there is room for.
fn fit(
    slow: BinaryHeap<Kept<Slow>>,
    never_ran: BinaryHeap<Kept<Slow>>,
    sample: BinaryHeap<Kept<u64>>,
) -> (Vec<Kept<Slow>>, Vec<Kept<Slow>>) {
    let mut slow = slow.into_sorted_vec();
    let mut chosen: HashSet<u64> = slow.iter().map(|kept| kept.key.1).collect();
    let never_ran_numbers: HashSet<u64> = never_ran.iter().map(|kept| kept.key.1).collect();
    slow.extend(never_ran.into_iter().filter(|kept| chosen.insert(kept.key.1)));
    slow.sort();
    let mut pool: Vec<Kept<Slow>> = sample
        .into_sorted_vec()
        .into_iter()
        .filter(|kept| !chosen.contains(&tie_break(kept.key)))
        .map(|kept| Kept {
            key: (Reverse(kept.startup.running.or(kept.startup.total)), tie_break(kept.key)),
            startup: kept.startup,
            row: None,
        })
        .collect();
    // Names may be long: what does not fit is left to the sample, and of that as much stays as fits.
    let mut left = COLUMNS;
    let fitting = slow.iter().take_while(|kept| room_for(&mut left, &kept.startup)).count();
    if fitting < slow.len() {
        left = COLUMNS;
        let mut at = 0;
        let (sure, mut rest): (Vec<_>, Vec<_>) = slow.into_iter().partition(|kept| {
            at += 1;
            (at <= SLOWEST || never_ran_numbers.contains(&kept.key.1)) && room_for(&mut left, &kept.startup)
        });
        slow = sure;
        rest.sort_by_key(|kept| tie_break(kept.key.1));
        pool.splice(0..0, rest);
    }
    let fitting = pool
        .iter()
        .take(MAX_LISTED - slow.len().min(MAX_LISTED))
        .take_while(|kept| room_for(&mut left, &kept.startup))
        .count();
    pool.truncate(fitting);
    pool.sort();
    (slow, pool)
}

impl Sample {
    /// Takes the rows that stand whole while there is room for them; gives their places by number.
    fn place_whole(&mut self, rows: impl Iterator<Item = (u64, Option<Box<Row>>)>) -> HashMap<u64, usize> {
        let mut room = if self.startups <= FEW { BYTES.1 } else { BYTES.0 };
        let mut places = HashMap::new();
        for (number, row) in rows {
            if places.contains_key(&number) {
                continue;
            }
            let bytes = row.as_ref().and_then(|row| serde_json::to_vec(row).ok()).map_or(0, |json| json.len());
            room = room.saturating_sub(bytes);
            if let Some(row) = row.filter(|_| room > 0) {
                places.insert(number, self.whole.len());
                self.whole.push(*row);
            }
        }
        places
    }
}

/// Takes the bytes of a startup off what is left, and returns whether it fits. Numbers take some 180, names their length; those
/// that many share are counted each time, which errs to the safe side.
fn room_for(left: &mut usize, startup: &Startup) -> bool {
    let text = |text: &Option<Box<str>>| text.as_deref().map_or(0, str::len);
    let lists = startup.images.iter().chain(&startup.anomalies).map(|text| text.len()).sum::<usize>();
    let causes = startup.findings.iter().map(|(cause, ..)| cause.len() + 20).sum::<usize>();
    let names = startup.pod.len() + startup.workload.len() + startup.namespace.len();
    let bytes = 110 + names + text(&startup.uid) + text(&startup.node) + lists + causes;
    let fits = bytes <= *left;
    *left = left.saturating_sub(bytes);
    fits
}

/// Whether a queue of so many would keep one.
fn has_room(queue: &BinaryHeap<Kept<Slow>>, key: &Slow, most: usize) -> bool {
    queue.len() < most || queue.peek().is_some_and(|last| *key < last.key)
}

/// Puts one into a queue of so many, the least of all; gives what falls out.
fn keep<K: Ord>(queue: &mut BinaryHeap<Kept<K>>, one: Kept<K>, most: usize) -> Option<Kept<K>> {
    if most == 0 {
        return Some(one);
    }
    queue.push(one);
    if queue.len() > most { queue.pop() } else { None }
}

#[cfg(test)]
mod tests;
