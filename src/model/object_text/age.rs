//! Ages as kubectl writes them (`HumanDuration` in k8s.io/apimachinery/pkg/util/duration): rounded down, the coarser the older.

/// An age: it was at least so many seconds, and less than `grain` more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age {
    pub(super) seconds: i64,
    pub(super) grain: i64,
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
/// What is older is no age.
const OLDEST: i64 = 200 * YEAR;

impl Age {
    /// `12s`, `5m30s`, `100m`, `3h20m`, `2d`; none of `<unknown>`, `<invalid>` and what is no age.
    pub(super) fn of(text: &str) -> Option<Self> {
        let (mut seconds, mut number, mut finest) = (0_i64, None::<i64>, i64::MAX);
        for c in text.chars() {
            if let Some(digit) = c.to_digit(10) {
                number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit.into())?);
                continue;
            }
            let unit = match c {
                's' => 1,
                'm' => MINUTE,
                'h' => HOUR,
                'd' => DAY,
                'y' => YEAR,
                _ => return None,
            };
            // Each unit stands once, the largest first.
            if unit >= finest {
                return None;
            }
            finest = unit;
            seconds = seconds.checked_add(number.take()?.checked_mul(unit)?)?;
        }
        let known = number.is_none() && !text.is_empty() && seconds <= OLDEST;
        known.then_some(Age { seconds, grain: grain(seconds) })
    }
}

/// What is left out of an age so old: seconds from ten minutes on, minutes from eight hours on, hours from eight days on, days
/// from eight years on.
fn grain(seconds: i64) -> i64 {
    match seconds {
        ..600 => 1,
        600..28_800 => MINUTE,
        28_800..691_200 => HOUR,
        691_200..252_288_000 => DAY,
        _ => YEAR,
    }
}
