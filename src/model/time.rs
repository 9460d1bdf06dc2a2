//! Instants and lengths of time: UTC nanoseconds inside, and the forms in which log lines give an instant.
//! Learning what a log leaves out (year, zone) is `clock`'s work, not this file's.

use std::fmt;
use std::ops::{Add, Sub};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat};
use serde::{Deserialize, Serialize};

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;
/// Nanoseconds in a day.
pub const DAY: i64 = 86_400 * SECOND;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, bitcode::Encode, bitcode::Decode)]
pub struct Time(pub i64);

/// A length of time in nanoseconds; may be negative (clock skew).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Nanos(pub i64);

impl Nanos {
    /// The length in seconds.
    pub fn seconds(self) -> f64 {
        // Whole and fraction apart: one division of the whole number would lose the nanoseconds of long spans.
        (self.0 / SECOND) as f64 + (self.0 % SECOND) as f64 / SECOND as f64
    }

    /// The same without its sign; saturates at the end of the range.
    #[must_use]
    pub fn abs(self) -> Self {
        Nanos(self.0.saturating_abs())
    }

    /// A length from seconds; saturates at the ends of the range.
    pub fn from_seconds(seconds: f64) -> Self {
        Nanos((seconds * SECOND as f64).round() as i64)
    }
}

impl Add<Nanos> for Time {
    type Output = Time;
    fn add(self, span: Nanos) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl Sub<Nanos> for Time {
    type Output = Time;
    fn sub(self, span: Nanos) -> Time {
        Time(self.0.saturating_sub(span.0))
    }
}

impl Sub for Time {
    type Output = Nanos;
    fn sub(self, earlier: Time) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Nanos {
    type Output = Nanos;
    fn add(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(other.0))
    }
}

impl Sub for Nanos {
    type Output = Nanos;
    fn sub(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for Nanos {
    fn sum<I: Iterator<Item = Nanos>>(spans: I) -> Nanos {
        spans.fold(Nanos(0), Nanos::add)
    }
}

/// RFC 3339 in UTC with nanoseconds: the form every text output uses.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&DateTime::from_timestamp_nanos(self.0).to_rfc3339_opts(SecondsFormat::Nanos, true))
    }
}

impl Time {
    /// From RFC 3339.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt().map(Time)
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        Time::from_rfc3339(&text).ok_or_else(|| serde::de::Error::custom(format!("invalid time {text:?} (RFC 3339)")))
    }
}

/// An instant as one log line gives it, before the zone and the year are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stamp {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Utc(i64),
    /// A wall clock that names no zone, and no year when `year` is `None` (klog, classic syslog, `journalctl -o short`).
    Wall {
        /// The year, when the line shows it.
        year: Option<i32>,
        /// The month, from 1.
        month: u8,
        /// The day of the month, from 1.
        day: u8,
        /// Nanoseconds since midnight.
        nanos_of_day: i64,
    },
}

impl Stamp {
    /// The wall clock read as if it were UTC in `year` (its own year wins); `None` for a day that year does not have.
    pub fn as_utc_in(self, year: i32) -> Option<i64> {
        match self {
            Stamp::Utc(nanos) => Some(nanos),
            Stamp::Wall { year: own, month, day, nanos_of_day } => {
                let date = NaiveDate::from_ymd_opt(own.unwrap_or(year), month.into(), day.into())?;
                let midnight = NaiveDateTime::new(date, NaiveTime::MIN).and_utc().timestamp_nanos_opt()?;
                midnight.checked_add(nanos_of_day)
            }
        }
    }
}
