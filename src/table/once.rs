//! The same startup given twice counts once: which rows are told better by another row.

use std::collections::HashMap;
use std::hash::Hash;

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128, SipHasher13 as SipHasher128};

use super::row::Row;
use crate::breakdown::Precision;
use crate::model::startup::State;

/// A short hash of a row's key: equal ones may be of the same startup. It is written into files, so its algorithm is named and
/// does not change with the toolchain.
pub(super) fn short(row: &Row) -> u64 {
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
type Weight = (bool, bool, usize, usize, u128);

fn weight(row: &Row) -> Weight {
    let exact = row.spans.iter().filter(|piece| piece.precision == Precision::Exact).count();
    let mut hasher = SipHasher128::new();
    serde_json::to_string(row).unwrap_or_default().hash(&mut hasher);
    let text = hasher.finish128().as_u128();
    (row.record_format.is_some(), row.state == State::Running, exact, row.lines.len(), text)
}

/// The numbers of rows whose short hashes are not theirs alone, as a mark for each number below `taken`.
pub(super) fn suspects(mut keys: Vec<(u64, u64)>, taken: u64) -> Option<Vec<bool>> {
    keys.sort_unstable();
    let mut marks = Vec::new();
    for pair in keys.windows(2) {
        if let [(one, first), (other, second)] = pair
            && one == other
        {
            marks.resize(usize::try_from(taken).unwrap_or(usize::MAX), false);
            for number in [first, second] {
                mark(&mut marks, *number);
            }
        }
    }
    (!marks.is_empty()).then_some(marks)
}

pub(super) fn mark(marks: &mut [bool], number: u64) {
    if let Some(mark) = usize::try_from(number).ok().and_then(|number| marks.get_mut(number)) {
        *mark = true;
    }
}

pub(super) fn marked(marks: &[bool], number: u64) -> bool {
    usize::try_from(number).is_ok_and(|number| marks.get(number).copied().unwrap_or(false))
}

/// The best row of each startup seen so far.
#[derive(Default)]
pub(super) struct Best(HashMap<u128, (Weight, u64)>);

impl Best {
    /// Takes a row; gives the number of the one that is lost, if its startup was there.
    pub(super) fn take(&mut self, row: &Row, number: u64) -> Option<u64> {
        let mine = (weight(row), number);
        match self.0.get_mut(&long(row)) {
            None => {
                self.0.insert(long(row), mine);
                None
            }
            Some(known) if mine.0 > known.0 => Some(std::mem::replace(known, mine).1),
            // Of rows that are equal in everything the first stays; nobody can tell.
            Some(_) => Some(number),
        }
    }
}
