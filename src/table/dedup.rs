//! The same startup given twice counts once: which rows another row describes better.

use std::collections::HashMap;
use std::hash::Hash;

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128, SipHasher13 as SipHasher128};

use super::held_rows::GROUP;
use super::part::Part;
use super::row::Row;
use crate::breakdown::Precision;
use crate::model::error::Error;
use crate::model::startup::State;

/// Notes the keys of rows that are stored, and finds those that are there twice once all are.
#[derive(Debug, Default)]
pub(super) struct Dedup {
    /// Short hashes of the rows' keys by their number.
    keys: Vec<(u64, u64)>,
}

/// What is there twice.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Duplicates {
    /// A mark for the number of each row that is not to stay.
    pub lost: Vec<bool>,
    /// How many they are.
    pub count: u64,
}

impl Dedup {
    /// Notes a row, and gives it a number: that of its arrival.
    pub(super) fn note(&mut self, row: &Row) -> u64 {
        let number = self.keys.len() as u64;
        self.keys.push((short(row), number));
        number
    }

    /// Of the keys that were noted, whatever their order.
    pub(super) fn digest(&self) -> u64 {
        self.keys.iter().fold(self.keys.len() as u64, |sum, (key, _)| sum.wrapping_add(*key))
    }

    /// Finds the rows whose startup another row of these parts describes better.
    pub(super) fn find_duplicates(self, parts: &[Part]) -> Result<Duplicates, Error> {
        let Some(possible) = possible_duplicates(self.keys) else { return Ok(Duplicates::default()) };
        let (mut best, mut found) = (Best::default(), Duplicates { lost: vec![false; possible.len()], count: 0 });
        for part in parts {
            let numbers = part.numbers()?;
            let places = numbers.iter().enumerate().filter(|(_, number)| is_marked(&possible, **number));
            let places: Vec<usize> = places.map(|(at, _)| at).collect();
            for some in places.chunks(GROUP) {
                for (at, row) in some.iter().zip(part.at(some)?) {
                    if let Some(number) = best.take(&row, numbers.get(*at).copied().unwrap_or_default()) {
                        mark(&mut found.lost, number);
                        found.count += 1;
                    }
                }
            }
        }
        Ok(found)
    }
}

/// A short hash of a row's key: equal ones may be of the same startup. It is written into files, so its algorithm is named and
/// does not change with the toolchain.
fn short(row: &Row) -> u64 {
    let mut hasher = SipHasher13::new();
    row.key().hash(&mut hasher);
    std::hash::Hasher::finish(&hasher)
}

/// A long hash of a key: equal ones are of the same startup.
fn long(row: &Row) -> u128 {
    let mut hasher = SipHasher128::new();
    row.key().hash(&mut hasher);
    hasher.finish128().as_u128()
}

/// How much is known of the start: of two rows of one the greater stays. Nothing of the order they came in is in it: between
/// equals their text decides.
type Completeness = (bool, bool, usize, usize, u128);

fn completeness(row: &Row) -> Completeness {
    let exact = row.spans.iter().filter(|span| span.precision == Precision::Exact).count();
    let mut hasher = SipHasher128::new();
    serde_json::to_string(row).unwrap_or_default().hash(&mut hasher);
    let text = hasher.finish128().as_u128();
    (row.record_format.is_some(), row.state == State::Running, exact, row.lines.len(), text)
}

/// A mark for each row whose short hash is not its alone; none: there is no such row.
fn possible_duplicates(mut keys: Vec<(u64, u64)>) -> Option<Vec<bool>> {
    keys.sort_unstable();
    let mut marks = Vec::new();
    for pair in keys.windows(2) {
        if let [(one, first), (other, second)] = pair
            && one == other
        {
            marks.resize(keys.len(), false);
            for number in [first, second] {
                mark(&mut marks, *number);
            }
        }
    }
    (!marks.is_empty()).then_some(marks)
}

fn mark(marks: &mut [bool], number: u64) {
    if let Some(mark) = usize::try_from(number).ok().and_then(|number| marks.get_mut(number)) {
        *mark = true;
    }
}

/// Whether the row of this number is marked.
pub(super) fn is_marked(marks: &[bool], number: u64) -> bool {
    usize::try_from(number).is_ok_and(|number| marks.get(number).copied().unwrap_or(false))
}

/// The best row of each startup observed so far.
#[derive(Default)]
struct Best(HashMap<u128, (Completeness, u64)>);

impl Best {
    /// Takes a row; gives the number of the one that is lost, if its startup was there.
    fn take(&mut self, row: &Row, number: u64) -> Option<u64> {
        let mine = (completeness(row), number);
        match self.0.get_mut(&long(row)) {
            None => {
                self.0.insert(long(row), mine);
                None
            }
            Some(known) if mine.0 > known.0 => Some(std::mem::replace(known, mine).1),
            // Of rows that are equal in everything the first stays; nothing decides.
            Some(_) => Some(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Time;
    use crate::table::held_rows::HeldRows;

    fn row(pod: &str, state: State) -> Row {
        Row { pod: pod.into(), created: Some(Time(1)), state, ..Row::default() }
    }

    #[test]
    fn of_two_rows_of_a_startup_the_one_that_ran_stays() {
        let rows = [row("a", State::Starting), row("b", State::Running), row("a", State::Running)];
        let mut dedup = Dedup::default();
        let mut held = HeldRows::default();
        rows.iter().for_each(|row| held.push(dedup.note(row), row));
        let found = dedup.find_duplicates(&[Part::Held(held)]).unwrap();
        assert_eq!(found, Duplicates { lost: vec![true, false, false], count: 1 });
    }

    #[test]
    fn the_digest_is_of_the_rows_and_not_of_their_order() {
        let digest = |pods: [&str; 2]| {
            let mut dedup = Dedup::default();
            for pod in pods {
                dedup.note(&row(pod, State::Running));
            }
            dedup.digest()
        };
        assert_eq!(digest(["a", "b"]), digest(["b", "a"]));
        assert_ne!(digest(["a", "b"]), digest(["a", "c"]));
    }
}
