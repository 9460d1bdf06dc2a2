//! The time zone a user names: one of the tz database, which knows when clocks change, or an offset, which does not.

use chrono::{FixedOffset, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// A named zone or an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// A zone of the tz database.
    Named(Tz),
    /// East of UTC.
    Fixed(FixedOffset),
}

impl Zone {
    /// UTC.
    pub const UTC: Zone = Zone::Named(Tz::UTC);

    /// `Europe/Berlin`, `-07:00`, `+0530`, `+05`, `UTC+2`; `None` for anything else.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let bare = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
        let offset =
            bare.strip_prefix('+').map(|rest| (1, rest)).or_else(|| bare.strip_prefix('-').map(|rest| (-1, rest)));
        let Some((sign, digits)) = offset else {
            return match text {
                "Z" | "z" => Some(Zone::UTC),
                name => name.parse().ok().map(Zone::Named),
            };
        };
        FixedOffset::east_opt(sign * seconds(digits)?).map(Zone::Fixed)
    }
}

/// `07:00`, `0530`, `05`, `5` as seconds; no zone is farther than 14 hours from UTC.
fn seconds(digits: &str) -> Option<i32> {
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some((hours, minutes)), _) if minutes.len() == 2 => (hours, minutes),
        (None, 4) => digits.split_at_checked(2)?,
        (None, 1 | 2) => (digits, "0"),
        _ => return None,
    };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i32>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= 14 * 60).then_some(hours * 3600 + minutes * 60)
}

impl From<Tz> for Zone {
    fn from(zone: Tz) -> Self {
        Zone::Named(zone)
    }
}

impl TimeZone for Zone {
    type Offset = FixedOffset;

    fn from_offset(offset: &FixedOffset) -> Self {
        Zone::Fixed(*offset)
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> LocalResult<FixedOffset> {
        match self {
            Zone::Named(zone) => zone.offset_from_local_date(local).map(|offset| offset.fix()),
            Zone::Fixed(offset) => LocalResult::Single(*offset),
        }
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> LocalResult<FixedOffset> {
        match self {
            Zone::Named(zone) => zone.offset_from_local_datetime(local).map(|offset| offset.fix()),
            Zone::Fixed(offset) => LocalResult::Single(*offset),
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> FixedOffset {
        match self {
            Zone::Named(zone) => zone.offset_from_utc_date(utc).fix(),
            Zone::Fixed(offset) => *offset,
        }
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> FixedOffset {
        match self {
            Zone::Named(zone) => zone.offset_from_utc_datetime(utc).fix(),
            Zone::Fixed(offset) => *offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_names_are_zones() {
        let east = |text| match Zone::of(text) {
            Some(Zone::Fixed(offset)) => Some(offset.local_minus_utc()),
            _ => None,
        };
        for (text, seconds) in [
            ("-07:00", -25_200),
            ("+0530", 19_800),
            ("+05:30", 19_800),
            ("+8", 28_800),
            ("UTC-3", -10_800),
            ("+00:00", 0),
        ] {
            assert_eq!(east(text), Some(seconds), "{text}");
        }
        assert_eq!(Zone::of("Europe/Berlin"), Some(Zone::Named(Tz::Europe__Berlin)));
        assert_eq!((Zone::of("Z"), Zone::of("UTC")), (Some(Zone::UTC), Some(Zone::UTC)));
        for wrong in ["", "+", "-7:0", "+15:00", "+05:60", "+123", "Mars", "+ 5", "--5", "07:00"] {
            assert_eq!(Zone::of(wrong), None, "{wrong}");
        }
    }
}
