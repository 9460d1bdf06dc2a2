//! Which startups stand in the page, by the bytes there are: all of them in full if they fit; else all in the list and in full the worst
//! of each cause, those that did not come up and the slowest; else a list of those, and a fair sample of the others.
//!
//! The sample is by hash, so it is the same whatever order startups came in. Rows pass one by one; what is held is bounded by the page.

mod fitting;

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use serde_json::value::{RawValue, to_raw_value};

use self::fitting::Fitting;
use super::data::{Columns, Listed};
use super::json_bytes;
use super::startup::{Startup, hash, micros, text_bytes};
use super::tables::Summing;
use crate::causes;
use crate::model::error::Error;
use crate::report::Report;
use crate::table::{Incident, Row};

/// How many of the startups that lost most to a cause are always there in full.
const WORST: usize = 5;
/// How many are listed by each length of time that the table of startups can be sorted by.
pub(super) const TOP: usize = 200;
/// The part of the room that those in full have at least, and at most where that cuts the list; in percent.
const IN_FULL: (usize, usize) = (25, 60);
/// The part of the list's room that those may take which stand for themselves; in percent.
const SURE: usize = 50;

/// The startups of a page, the slowest first.
#[derive(Default)]
pub(super) struct Sample {
    /// How many the report has.
    pub startups: usize,
    /// Those listed, each with its place among the whole ones.
    pub rows: Vec<Listed>,
    /// Those that stand there in full, as JSON.
    pub whole: Vec<Rc<RawValue>>,
    /// Which of the listed ones are a sample and stand for `weight` each. None where all are listed.
    pub sampled: Option<Vec<bool>>,
    /// See `sampled`.
    pub weight: f64,
}

/// The longest way to running first; then by a number of each.
type Slow = (Reverse<Option<i64>>, u64);
/// What lost most to a cause first.
type Lost = (Reverse<i64>, u64);

/// A startup that may come into the page.
#[derive(Clone)]
struct Candidate {
    number: u64,
    slow: Slow,
    startup: Rc<Startup>,
    /// In full, where it may stand so.
    whole: Option<Rc<RawValue>>,
}

impl Candidate {
    fn bytes(&self) -> usize {
        self.whole
            .as_ref()
            .map_or(0, |whole| whole.get().len() + 1 + 5 * whole.get().bytes().filter(|byte| *byte == b'<').count())
    }
}

/// Another number of a startup, for ties among the slowest: by the sample's own, these would be missing in the sample.
fn tie_break(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn did_not_come_up(row: &Row) -> bool {
    Incident::of_row(row) == Some(Incident::DidNotComeUp)
}

/// What may come into a page, chosen while the rows pass.
pub(super) struct Candidates {
    startups: usize,
    room: usize,
    /// All of them by hash, as a list; and the slowest, and the first by other lengths.
    listed: Fitting<u64, Candidate>,
    slow: Fitting<Slow, Candidate>,
    never_listed: Fitting<Slow, Candidate>,
    top: [Fitting<Slow, Candidate>; 3],
    /// In full: those that did not come up, the slowest, the others by hash, and those that lost most to each cause.
    did_not_come_up: Fitting<Slow, Candidate>,
    whole_slow: Fitting<Slow, Candidate>,
    whole: Fitting<u64, Candidate>,
    worst: BTreeMap<Box<str>, Fitting<Lost, Candidate>>,
    /// Causes by the time lost to them.
    causes: Vec<Box<str>>,
}

impl Candidates {
    /// The candidates for a page that has so many bytes for startups.
    pub(super) fn new(report: &Report, room: usize) -> Self {
        let top = || Fitting::new(room, TOP);
        Candidates {
            startups: report.table.len(),
            room,
            listed: Fitting::new(room, usize::MAX),
            slow: Fitting::new(room * SURE / 100, usize::MAX),
            never_listed: Fitting::new(room * SURE / 200, usize::MAX),
            top: [top(), top(), top()],
            did_not_come_up: Fitting::new(room * IN_FULL.1 / 100, usize::MAX),
            whole_slow: Fitting::new(room, usize::MAX),
            whole: Fitting::new(room, usize::MAX),
            worst: BTreeMap::new(),
            causes: report.summary.causes.iter().map(|line| line.cause.as_str().into()).collect(),
        }
    }

    /// Takes a row, if there may be room for it.
    pub(super) fn take(&mut self, row: &Row, sums: &mut Summing) -> Result<(), Error> {
        let number = hash(row);
        let tie = tie_break(number);
        let key = |value: Option<f64>| (Reverse(value.map(micros)), tie);
        let slow: Slow = key(row.user_latency_s());
        let startup = Rc::new(Startup::of(row));
        sums.take(row, &startup);
        let listed = || Candidate { number, slow, startup: Rc::clone(&startup), whole: None };
        let in_full = OnceCell::new();
        let whole = || -> Result<Candidate, Error> {
            if in_full.get().is_none() {
                let json: Rc<RawValue> = Rc::from(to_raw_value(row).map_err(std::io::Error::from)?);
                in_full.get_or_init(|| json);
            }
            Ok(Candidate { whole: in_full.get().cloned(), ..listed() })
        };
        if self.listed.takes(number) {
            let one = listed();
            self.listed.put(number, one.startup.bytes(), one);
        }
        for (queue, wanted) in [(&mut self.slow, true), (&mut self.never_listed, did_not_come_up(row))] {
            if wanted && queue.takes(slow) {
                let one = listed();
                queue.put(slow, one.startup.bytes(), one);
            }
        }
        for (top, value) in self.top.iter_mut().zip([row.running_s, row.total_s, row.slo_s]) {
            if value.is_some() && top.takes(key(value)) {
                top.put(key(value), 0, listed());
            }
        }
        let queues = [(&mut self.did_not_come_up, did_not_come_up(row)), (&mut self.whole_slow, true)];
        for (queue, wanted) in queues {
            if wanted && queue.takes(slow) {
                let one = whole()?;
                queue.put(slow, one.bytes(), one);
            }
        }
        if self.whole.takes(tie) {
            let one = whole()?;
            self.whole.put(tie, one.bytes(), one);
        }
        for finding in row.findings.iter().filter(|finding| causes::named(&finding.cause).is_some()) {
            let key: Lost = (Reverse(micros(finding.lost_s)), tie);
            if !self.worst.contains_key(&finding.cause) {
                self.worst.insert(finding.cause.clone(), Fitting::new(self.room, WORST));
            }
            if let Some(queue) = self.worst.get_mut(&finding.cause).filter(|queue| queue.takes(key)) {
                let one = whole()?;
                queue.put(key, one.bytes(), one);
            }
        }
        Ok(())
    }

    /// Whether all startups fit into the page in full.
    pub(super) fn all_fit(&self) -> bool {
        self.listed.has_all()
            && self.whole.has_all()
            && self.whole.used() + Listing::of(self.listed.iter()).bytes <= self.room
    }

    /// The startups of the page, if these bytes of its room go to something else.
    pub(super) fn fit(mut self, taken: usize) -> Result<Sample, Error> {
        let room = self.room.saturating_sub(taken);
        let mut in_full = InFull::default();
        // Of each cause the worst first, then the second of each: so that none is without.
        let mut worst: Vec<Vec<Candidate>> = self
            .causes
            .iter()
            .filter_map(|cause| self.worst.remove(cause))
            .map(|queue| queue.into_sorted().collect())
            .collect();
        worst.iter_mut().for_each(|of_cause| of_cause.reverse());
        let mut needed: Vec<Candidate> = Vec::new();
        for _ in 0..WORST {
            needed.extend(worst.iter_mut().filter_map(Vec::pop));
        }
        needed.extend(self.did_not_come_up.into_sorted());
        let all = self.listed.has_all().then(|| Listing::of(self.listed.iter()).bytes);
        let at_most = room * IN_FULL.1 / 100;
        for one in &needed {
            in_full.add(one, at_most);
        }
        let for_list = room - in_full.bytes.max(room * IN_FULL.0 / 100).min(at_most);
        let (rows, sampled) =
            match all.filter(|bytes| *bytes <= for_list || self.whole.has_all() && bytes + self.whole.used() <= room) {
                Some(_) => (self.listed.into_sorted().collect(), None),
                None => {
                    let top = self.top.into_iter().flat_map(Fitting::into_sorted);
                    let did_not_come_up = self.never_listed.into_sorted();
                    let sure = needed.iter().cloned().chain(top).chain(did_not_come_up).chain(self.slow.into_sorted());
                    sample(sure, self.listed.into_sorted(), for_list)
                }
            };
        let mut rows: Vec<(Candidate, bool)> = match sampled {
            None => rows.into_iter().map(|one: Candidate| (one, false)).collect(),
            Some(sure) => rows.into_iter().enumerate().map(|(at, one)| (one, at >= sure)).collect(),
        };
        rows.sort_by_key(|(one, _)| one.slow);
        let sampled: Option<Vec<bool>> = sampled.map(|_| rows.iter().map(|(_, sampled)| *sampled).collect());
        // What the list takes less than was feared is for those in full.
        let list: Vec<Listed> = rows.iter().map(|(one, _)| (Rc::clone(&one.startup), None)).collect();
        let left = room.saturating_sub(json_bytes(&Columns(&list, sampled.as_deref()))?);
        let listed: HashSet<u64> = rows.iter().map(|(one, _)| one.number).collect();
        // Half of what is left to the slowest, so that a view of others has some in full too.
        let slow: Vec<Candidate> = self.whole_slow.into_sorted().collect();
        let half = in_full.bytes + left.saturating_sub(in_full.bytes) / 2;
        for (ones, most) in [(slow.clone(), half), (self.whole.into_sorted().collect(), left), (slow, left)] {
            for one in ones.iter().filter(|one| listed.contains(&one.number)) {
                if !in_full.add(one, most) {
                    break;
                }
            }
        }
        let sure = rows.iter().filter(|(_, sampled)| !sampled).count();
        let rest = rows.len() - sure;
        let mut whole = Vec::new();
        let mut places = Vec::with_capacity(rows.len());
        for (one, _) in &rows {
            places.push(in_full.rows.remove(&one.number).map(|row| {
                whole.push(row);
                whole.len() - 1
            }));
        }
        Ok(Sample {
            startups: self.startups,
            weight: if rest == 0 { 1.0 } else { (self.startups - sure) as f64 / rest as f64 },
            sampled,
            rows: rows.into_iter().zip(places).map(|((one, _), place)| (one.startup, place)).collect(),
            whole,
        })
    }
}

/// The list where not all have room: those that stand for themselves, and of the others by hash as many as fit.
/// Gives how many of the first stand for themselves.
fn sample(
    sure: impl Iterator<Item = Candidate>,
    others: impl Iterator<Item = Candidate>,
    room: usize,
) -> (Vec<Candidate>, Option<usize>) {
    let mut listing = Listing::default();
    let mut chosen = HashSet::new();
    let mut rows = Vec::new();
    // None may be passed over for its size: of a sample the small ones would stand for too many.
    let mut fill = |ones: &mut dyn Iterator<Item = Candidate>, most: usize| {
        for one in ones {
            if chosen.contains(&one.number) {
                continue;
            }
            if !listing.add(&one.startup, most) {
                break;
            }
            chosen.insert(one.number);
            rows.push(one);
        }
        rows.len()
    };
    let (mut sure, mut others) = (sure, others);
    let first = fill(&mut sure, room * SURE / 100);
    fill(&mut others, room);
    (rows, Some(first))
}

/// The bytes of a list of startups, each shared text once.
#[derive(Default)]
struct Listing {
    bytes: usize,
    shared: HashSet<Box<str>>,
}

impl Listing {
    fn of<'a>(ones: impl Iterator<Item = &'a Candidate>) -> Self {
        let mut all = Listing::default();
        for one in ones {
            all.add(&one.startup, usize::MAX);
        }
        all
    }

    /// Adds one if it fits into so many bytes.
    fn add(&mut self, startup: &Startup, most: usize) -> bool {
        let new: HashSet<&str> = startup.shared().filter(|text| !self.shared.contains(*text)).collect();
        let bytes = self.bytes + startup.bytes() + new.iter().map(|text| text_bytes(text)).sum::<usize>();
        if bytes > most {
            return false;
        }
        self.bytes = bytes;
        for text in new {
            self.shared.insert(text.into());
        }
        true
    }
}

/// The startups that stand in the page in full, by number.
#[derive(Default)]
struct InFull {
    bytes: usize,
    rows: HashMap<u64, Rc<RawValue>>,
}

impl InFull {
    /// Adds one if it fits into so many bytes.
    fn add(&mut self, one: &Candidate, most: usize) -> bool {
        let Some(row) = one.whole.as_ref().filter(|_| !self.rows.contains_key(&one.number)) else { return true };
        let bytes = self.bytes + one.bytes();
        if bytes > most {
            return false;
        }
        self.bytes = bytes;
        self.rows.insert(one.number, Rc::clone(row));
        true
    }
}

#[cfg(test)]
mod tests;
