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
use crate::model::phase::{PHASES, Phase};
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
    pub total: Option<i64>,
    pub slo: Option<i64>,
    pub stateful: Option<bool>,
    pub phases: Option<[i64; PHASES.len()]>,
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
    let phases = row.phases.0.map(|_| {
        let seconds = |phase: Phase| row.phases.of(phase).map_or(0, micros);
        std::array::from_fn(|at| PHASES.get(at).map_or(0, |(phase, _)| seconds(*phase)))
    });
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
    let all = startups <= MAX_LISTED;
    let (slowest, sampled) = if all { (startups, 0) } else { (SLOWEST, MAX_LISTED - SLOWEST) };
    let (whole_slow, whole_sampled) = if startups <= FEW { (startups, 0) } else { WHOLE };
    let mut slow: BinaryHeap<Kept<Slow>> = BinaryHeap::new();
    let mut sample: BinaryHeap<Kept<u64>> = BinaryHeap::new();
    let mut never_ran: BinaryHeap<Kept<Slow>> = BinaryHeap::new();
    let mut whole_never_ran: BinaryHeap<Kept<Slow>> = BinaryHeap::new();
    // The whole rows of the slowest are a queue of their own, so that the others need not be held whole.
    let mut whole: BinaryHeap<Kept<Slow>> = BinaryHeap::new();
    let mut whole_sample: BinaryHeap<Kept<u64>> = BinaryHeap::new();
    for row in report.table.rows() {
        let row = row?;
        let number = hash(&row);
        let key: Slow = (Reverse(row.user_latency_s().map(micros)), tie_break(number));
        let startup = of(&row);
        if startups > FEW && row.state != State::Running {
            if has_room(&never_ran, &key, MAX_NEVER_RAN) {
                keep(&mut never_ran, Kept { key, startup: startup.clone(), row: None }, MAX_NEVER_RAN);
            }
            if has_room(&whole_never_ran, &key, WHOLE_NEVER_RAN) {
                let row = Some(Box::new(row.clone()));
                keep(&mut whole_never_ran, Kept { key, startup: Startup::default(), row }, WHOLE_NEVER_RAN);
            }
        }
        let boxed = Box::new(row);
        keep(&mut slow, Kept { key, startup: startup.clone(), row: None }, slowest);
        if sampled > 0 {
            keep(&mut sample, Kept { key: number, startup, row: None }, sampled + SLOWEST);
        }
        if has_room(&whole, &key, whole_slow) {
            if let Some(out) = keep(&mut whole, Kept { key, startup: Startup::default(), row: Some(boxed) }, whole_slow)
                && let Some(row) = out.row
            {
                keep(
                    &mut whole_sample,
                    Kept { key: hash(&row), startup: Startup::default(), row: Some(row) },
                    whole_sampled,
                );
            }
        } else if whole_sampled > 0 {
            keep(&mut whole_sample, Kept { key: number, startup: Startup::default(), row: Some(boxed) }, whole_sampled);
        }
    }
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
    let fit = slow.iter().take_while(|kept| room_for(&mut left, &kept.startup)).count();
    if fit < slow.len() {
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
    let fit = pool
        .iter()
        .take(MAX_LISTED - slow.len().min(MAX_LISTED))
        .take_while(|kept| room_for(&mut left, &kept.startup))
        .count();
    pool.truncate(fit);
    let mut rest = pool;
    rest.sort();
    let mut listed = Sample {
        startups,
        sure: (slow.len() < startups).then_some(slow.len()),
        weight: if rest.is_empty() { 1.0 } else { (startups - slow.len()) as f64 / rest.len() as f64 },
        ..Sample::default()
    };
    let mut room = if startups <= FEW { BYTES.1 } else { BYTES.0 };
    let mut places = HashMap::new();
    let whole_rows = whole.into_sorted_vec().into_iter().map(|kept| (kept.key.1, kept.row));
    let never_ran_rows = whole_never_ran.into_sorted_vec().into_iter().map(|kept| (kept.key.1, kept.row));
    let sampled_rows = whole_sample.into_sorted_vec().into_iter().map(|kept| (tie_break(kept.key), kept.row));
    for (number, row) in whole_rows.chain(never_ran_rows).chain(sampled_rows) {
        if places.contains_key(&number) {
            continue;
        }
        let bytes = row.as_ref().and_then(|row| serde_json::to_vec(row).ok()).map_or(0, |json| json.len());
        room = room.saturating_sub(bytes);
        if let Some(row) = row.filter(|_| room > 0) {
            places.insert(number, listed.whole.len());
            listed.whole.push(*row);
        }
    }
    listed.rows = slow.into_iter().chain(rest).map(|kept| (kept.startup, places.get(&kept.key.1).copied())).collect();
    Ok(listed)
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
mod tests {
    use super::*;
    use crate::model::time::SECOND;
    use crate::report::Coverage;
    use crate::table::Table;

    fn report(count: usize) -> Report {
        let row = |number: usize| Row {
            namespace: "shop".into(),
            pod: format!("web-{number}").into(),
            uid: Some(format!("00000000-0000-4000-8000-{number:012}").into()),
            created: Some(Time(1_700_000_000 * SECOND + number as i64)),
            // Every thousandth takes long.
            state: State::Running,
            running_s: Some(if number.is_multiple_of(1000) { 100.0 } else { 1.0 + (number % 7) as f64 }),
            ..Row::default()
        };
        let table = Table::from_rows((0..count).map(row).collect()).unwrap();
        Report::of(table, Vec::new(), false, &[], Coverage::default()).unwrap()
    }

    #[test]
    fn those_that_never_ran_are_listed_however_short() {
        let count = MAX_LISTED + 8000;
        let mut rows: Vec<Row> = report(count).table.rows().map(Result::unwrap).collect();
        for (number, row) in rows.iter_mut().enumerate() {
            if number % 100 == 7 {
                (row.state, row.running_s, row.total_s) = (State::Starting, None, Some(0.5));
            }
        }
        let never = rows.iter().filter(|row| row.running_s.is_none()).count();
        assert!(never < MAX_NEVER_RAN && never > WHOLE_NEVER_RAN);
        let table = Table::from_rows(rows).unwrap();
        let listed = of_report(&Report::of(table, Vec::new(), false, &[], Coverage::default()).unwrap()).unwrap();
        let sure = listed.sure.unwrap();
        assert_eq!(sure, SLOWEST + never);
        let known = |rows: &[(Startup, Option<usize>)]| rows.iter().filter(|(row, _)| row.running.is_none()).count();
        assert_eq!((known(&listed.rows[..sure]), known(&listed.rows[sure..])), (never, 0));
        assert_eq!(listed.whole.iter().filter(|row| row.running_s.is_none()).count(), WHOLE_NEVER_RAN);
        assert!((listed.weight * (MAX_LISTED - sure) as f64 - (count - sure) as f64).abs() < 1e-6);
    }

    #[test]
    fn few_stand_there_whole() {
        let listed = of_report(&report(FEW)).unwrap();
        assert_eq!((listed.rows.len(), listed.whole.len(), listed.sure), (FEW, FEW, None));
        assert!(listed.rows.iter().enumerate().all(|(at, (_, whole))| *whole == Some(at)), "in the order of the list");
        assert_eq!(listed.rows[0].0.running, Some(100_000_000));
    }

    #[test]
    fn of_many_the_slowest_and_a_fair_sample() {
        let count = MAX_LISTED + 8000;
        let listed = of_report(&report(count)).unwrap();
        assert_eq!(
            (listed.rows.len(), listed.sure, listed.whole.len()),
            (MAX_LISTED, Some(SLOWEST), WHOLE.0 + WHOLE.1)
        );
        let long = listed.rows.iter().filter(|(row, _)| row.running == Some(100_000_000)).count();
        assert_eq!(long, count / 1000, "all of the slow ones");
        let pods: HashSet<&str> = listed.rows.iter().map(|(row, _)| &*row.pod).collect();
        assert_eq!(pods.len(), MAX_LISTED, "none twice");
        assert!((listed.weight * (MAX_LISTED - SLOWEST) as f64 - (count - SLOWEST) as f64).abs() < 1e-6);
        // The sample is of all lengths alike: an estimate of the mean is near the truth.
        let (slow, rest) = listed.rows.split_at(SLOWEST);
        let sum = |rows: &[(Startup, Option<usize>)]| {
            rows.iter().filter_map(|(row, _)| row.running).sum::<i64>() as f64 / 1e6
        };
        let (estimate, truth) = (
            sum(slow) + listed.weight * sum(rest),
            (0..count).map(|n| if n % 1000 == 0 { 100.0 } else { 1.0 + (n % 7) as f64 }).sum::<f64>(),
        );
        assert!((estimate / truth - 1.0).abs() < 0.02, "{estimate} {truth}");
    }
}
