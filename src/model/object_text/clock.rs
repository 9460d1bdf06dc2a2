//! When a text was written, which it does not say: by what it shows as an age and as an instant. The stamps of most events are
//! cut to whole seconds, so that it is enough to know the second.

use super::age::Age;
use crate::model::time::{SECOND, Time};

/// The second, since 1970, in which the text was written: one of these, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Now {
    pub(super) low: i64,
    pub(super) high: i64,
}

/// When an event was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum When {
    #[default]
    Unknown,
    Age(Age),
    At(Time),
}

/// Not before `low` and before `high`, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) low: i64,
    pub(super) high: i64,
}

impl When {
    pub(super) fn or(self, other: When) -> When {
        if self == When::Unknown { other } else { self }
    }

    pub(super) fn age(self) -> Option<Age> {
        if let When::Age(age) = self { Some(age) } else { None }
    }

    /// When it was, by the second of the text. `whole_second`: its stamp was cut before its age was computed.
    pub(super) fn bounds(self, now: Now, whole_second: bool) -> Option<Bounds> {
        match self {
            When::Unknown => None,
            When::At(time) => {
                let low = time.0.div_euclid(SECOND);
                Some(Bounds { low, high: low.saturating_add(1) })
            }
            When::Age(Age { seconds, grain }) => {
                let early = grain - i64::from(whole_second);
                Some(Bounds {
                    low: now.low.saturating_sub(seconds).saturating_sub(early),
                    high: now.high.saturating_sub(seconds).saturating_add(1),
                })
            }
        }
    }
}

impl Now {
    /// The text's second if something was in this second and had this age.
    pub(super) fn of(second: i64, age: Age, whole_second: bool) -> Self {
        let late = age.grain - i64::from(whole_second);
        let low = second.saturating_add(age.seconds);
        Now { low, high: low.saturating_add(late) }
    }

    pub(super) fn and(self, other: Now) -> Option<Now> {
        let both = Now { low: self.low.max(other.low), high: self.high.min(other.high) };
        (both.low <= both.high).then_some(both)
    }

    /// What most of them agree on: a clock may be wrong, a name may be anyone's.
    pub(super) fn shared(all: &[Now]) -> Option<Now> {
        // Where one begins comes before where another ends in the same second.
        let mut ends: Vec<(i64, bool)> = all.iter().flat_map(|now| [(now.low, false), (now.high, true)]).collect();
        ends.sort_unstable();
        let (mut open, mut most, mut best) = (0_usize, 0, None);
        let mut ends = ends.into_iter().peekable();
        while let Some((second, is_end)) = ends.next() {
            if is_end {
                open = open.saturating_sub(1);
                continue;
            }
            open += 1;
            // It lasts until the next of them ends.
            if open > most
                && let Some((next, true)) = ends.peek()
            {
                (most, best) = (open, Some(Now { low: second, high: *next }));
            }
        }
        best
    }
}

/// A pod's description is written within a second of that before it: kubectl asks for each by itself, and waits if it has
/// asked for more than 50 a second.
const EACH: i64 = 1;
/// More than this is not said of a description by those before and after it.
const FAR: i64 = 60;

/// The seconds in which the descriptions of several pods were written, one after the other, each by what it shows itself: it was
/// not before the one, not after the other. `since` is that of the one before the first. None: nothing tells.
pub(super) fn in_order(own: &[(Option<i64>, Option<i64>)], since: &mut Option<i64>) -> Vec<Option<Now>> {
    let mut lows: Vec<Option<i64>> = Vec::with_capacity(own.len());
    for (low, high) in own {
        let before = since.filter(|since| high.is_none_or(|high| *since <= high));
        let low = before.max(*low);
        *since = low.or(*since);
        lows.push(low);
    }
    let mut after: Option<i64> = None;
    let mut highs: Vec<Option<i64>> = Vec::with_capacity(own.len());
    for ((_, high), low) in own.iter().zip(&lows).rev() {
        let next = after.filter(|after| low.is_none_or(|low| low <= *after));
        let high = [*high, next].into_iter().flatten().min();
        after = high.or(after);
        highs.push(high);
    }
    highs.reverse();
    let (mut number, mut known) = (0_i64, 0_i64);
    lows.into_iter()
        .zip(highs)
        .map(|(low, high)| {
            number += 1;
            if high.is_some() {
                known = number;
            }
            let far = ((number - known + 1) * EACH).min(FAR);
            match (low, high) {
                (Some(low), Some(high)) => Some(Now { low, high: high.max(low) }),
                (Some(low), None) => Some(Now { low, high: low.saturating_add(far) }),
                (None, Some(high)) => Some(Now { low: high.saturating_sub(FAR), high }),
                (None, None) => None,
            }
        })
        .collect()
}
