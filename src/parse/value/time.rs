//! Durations and times as Go prints them.

use chrono::{DateTime, NaiveDate};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, opt, recognize, value};
use nom::multi::fold_many1;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use crate::model::time::{Nanos, SECOND, Time};

/// Go's `time.Duration` as its `String` prints it. It must end in a unit of seconds (`1h` alone is never printed, so it
/// is a truncated `1h2m3s`), which makes a truncated duration no duration.
pub fn duration(text: &str) -> Option<Nanos> {
    if text == "0s" || text == "0" {
        return Some(Nanos(0));
    }
    if !text.ends_with('s') {
        return None;
    }
    all_consuming(go_duration).parse(text).ok().map(|(_, span)| span)
}

fn go_duration(text: &str) -> IResult<&str, Nanos> {
    let (rest, minus) = opt(char('-')).parse(text)?;
    let (rest, nanos) = fold_many1(duration_part, || 0_i128, |sum, part| sum + part).parse(rest)?;
    let nanos = i64::try_from(if minus.is_some() { -nanos } else { nanos })
        .map_err(|_| nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::TooLarge)))?;
    Ok((rest, Nanos(nanos)))
}

fn duration_part(text: &str) -> IResult<&str, i128> {
    let (rest, whole) = digit1(text)?;
    let (rest, fraction) = opt(preceded(char('.'), digit1)).parse(rest)?;
    let second = i128::from(SECOND);
    let (rest, unit) = alt((
        value(1, tag("ns")),
        value(1_000, alt((tag("µs"), tag("μs"), tag("us")))),
        value(1_000_000, tag("ms")),
        value(second, tag("s")),
        value(60 * second, tag("m")),
        value(3600 * second, tag("h")),
    ))
    .parse(rest)?;
    let too_large = || nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::TooLarge));
    let whole: i128 = whole.parse::<i64>().map_err(|_| too_large())?.into();
    let mut nanos = whole * unit;
    if let Some(digits) = fraction {
        let digits = digits.get(..digits.len().min(18)).unwrap_or_default();
        let scale = 10_i128.pow(u32::try_from(digits.len()).map_err(|_| too_large())?);
        nanos += digits.parse::<i128>().map_err(|_| too_large())? * unit / scale;
    }
    Ok((rest, nanos))
}

/// Go's `time.Time` as its `String` prints it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GoTime {
    /// The instant; `None` for the zero time, which means *never set*.
    pub time: Option<Time>,
    /// Seconds east of UTC of the zone it is printed in.
    pub offset: i32,
    /// The monotonic reading (`m=+S.N`): since the process started.
    pub monotonic: Option<Nanos>,
}

/// The zero time.
const NEVER: &str = "0001-01-01 00:00:00 +0000 UTC";

/// `2006-01-02 15:04:05.999999999 -0700 MST m=+0.000000000`; the zone's name is free text and is not used.
pub fn go_time(text: &str) -> Option<GoTime> {
    // A record has it twice where nothing was pulled.
    if text == NEVER {
        return Some(GoTime { time: None, offset: 0, monotonic: None });
    }
    let date_time = recognize((digits_dashes, char(' '), take_while1(|c: char| !c.is_whitespace())));
    let offset = recognize((alt((char('+'), char('-'))), digit1));
    let read: IResult<&str, (&str, &str)> = (terminated(date_time, char(' ')), offset).parse(text);
    let (rest, (wall, offset)) = read.ok()?;
    if offset.len() != 5 {
        return None;
    }
    let (nanos, offset) = instant(wall, offset)?;
    let zero = wall == "0001-01-01 00:00:00";
    let monotonic = match rest.rsplit_once(" m=") {
        Some((_, reading)) => Some(all_consuming(seconds).parse(reading).ok()?.1),
        None => None,
    };
    let time = if zero { None } else { Some(Time(nanos?)) };
    Some(GoTime { time, offset, monotonic })
}

/// Nanoseconds since 1970, `None` where they do not fit, and the offset in seconds.
fn instant(wall: &str, offset: &str) -> Option<(Option<i64>, i32)> {
    if let Some((nanos, offset)) = plain_instant(wall.as_bytes(), offset.as_bytes()) {
        return Some((Some(nanos), offset));
    }
    let utc = DateTime::parse_from_str(&format!("{wall} {offset}"), "%Y-%m-%d %H:%M:%S%.f %z").ok()?;
    Some((utc.timestamp_nanos_opt(), utc.offset().local_minus_utc()))
}

/// The same for the one layout Go prints, years from 1970 on: chrono's reading of formats takes ten times as long, and a
/// record has four times.
fn plain_instant(wall: &[u8], offset: &[u8]) -> Option<(i64, i32)> {
    let number = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0_u32, |sum, digit| Some(sum * 10 + u32::from(digit.checked_sub(b'0').filter(|d| *d < 10)?)))
    };
    let (head, fraction) = wall.split_at_checked(19)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b' ', h1, h2, b':', n1, n2, b':', s1, s2] = *head else {
        return None;
    };
    let two = |tens: u8, ones: u8| number(&[tens, ones]);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok().filter(|year| (1970..2200).contains(year))?;
    let date = NaiveDate::from_ymd_opt(year, two(m1, m2)?, two(d1, d2)?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = match fraction.split_first() {
        None => 0,
        Some((b'.', digits)) if (1..=9).contains(&digits.len()) => {
            number(digits)? * 10_u32.pow(9 - u32::try_from(digits.len()).ok()?)
        }
        Some(_) => return None,
    };
    let [sign @ (b'+' | b'-'), h1, h2, n1, n2] = *offset else { return None };
    let (hours, minutes) = (two(h1, h2).filter(|hours| *hours < 24)?, two(n1, n2).filter(|minutes| *minutes < 60)?);
    let east = i32::try_from(hours * 3600 + minutes * 60).ok()? * if sign == b'-' { -1 } else { 1 };
    let seconds = date.signed_duration_since(NaiveDate::default()).num_seconds()
        + i64::from(hour * 3600 + minute * 60 + second)
        - i64::from(east);
    Some((seconds * SECOND + i64::from(nanos), east))
}

fn digits_dashes(text: &str) -> IResult<&str, &str> {
    take_while1(|c: char| c.is_ascii_digit() || c == '-')(text)
}

/// `+12.345678901` as a length of time.
fn seconds(text: &str) -> IResult<&str, Nanos> {
    let sign = opt(alt((char('+'), char('-'))));
    let mut parts = (sign, digit1, opt(preceded(char('.'), digit1)));
    let (rest, (sign, whole, fraction)): (&str, (Option<char>, &str, Option<&str>)) = parts.parse(text)?;
    let fail = || nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::Digit));
    let whole: i64 = whole.parse().map_err(|_| fail())?;
    let digits = fraction.unwrap_or("0").bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let total = whole.checked_mul(SECOND).and_then(|n| n.checked_add(nanos)).ok_or_else(fail)?;
    Ok((rest, Nanos(if sign == Some('-') { -total } else { total })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_completely_or_not_at_all() {
        let ns = |text| duration(text).map(|span| span.0);
        assert_eq!(ns("15.414697194s"), Some(15_414_697_194));
        assert_eq!(ns("180.183041ms"), Some(180_183_041));
        assert_eq!(ns("999µs"), Some(999_000));
        assert_eq!(ns("1m1s"), Some(61 * SECOND));
        assert_eq!(ns("3h2m0s"), Some((3 * 3600 + 120) * SECOND));
        assert_eq!(ns("-5s"), Some(-5 * SECOND));
        assert_eq!(ns("0s"), Some(0));
        for cut in ["4", "4.", "15.4146", "1h", "1m", "1m1", "", "s", "99999999999999999999s", "1.5.5s"] {
            assert_eq!(ns(cut), None, "{cut}");
        }
    }

    #[test]
    fn times_keep_offset_and_monotonic_reading() {
        let time = go_time("2025-02-25 21:38:53.716675693 +0000 UTC m=+565.329525386").unwrap();
        assert_eq!(time.time, Some(Time(1_740_519_533_716_675_693)));
        assert_eq!(time.monotonic, Some(Nanos(565_329_525_386)));
        let moscow = go_time("2023-04-15 15:57:02 +0300 MSK").unwrap();
        assert_eq!(
            (moscow.time.unwrap().to_string().as_str(), moscow.offset),
            ("2023-04-15T12:57:02.000000000Z", 10800)
        );
        assert_eq!(go_time("2023-04-15 15:57:02 -0300 -0300").unwrap().offset, -10800);
        assert_eq!(go_time("0001-01-01 00:00:00 +0000 UTC").unwrap().time, None);
        for cut in ["2025-02-25 21:38:53.71667", "2025-02-25 21:38:53 +00", "2025-02-25", "", "x"] {
            assert_eq!(go_time(cut), None, "{cut}");
        }
        assert_eq!(go_time("2025-02-25 21:38:53.716675693 +0000 UTC m=+565."), None);
    }

    #[test]
    fn times_are_the_same_by_either_way() {
        for wall in
            ["2025-02-25 21:38:53", "1970-01-01 00:00:00.1", "2199-12-31 23:59:59.999999999", "2024-02-29 12:00:00.120"]
        {
            for offset in ["+0000", "-0330", "+1400"] {
                let chrono = DateTime::parse_from_str(&format!("{wall} {offset}"), "%Y-%m-%d %H:%M:%S%.f %z").unwrap();
                let expected = (chrono.timestamp_nanos_opt().unwrap(), chrono.offset().local_minus_utc());
                assert_eq!(plain_instant(wall.as_bytes(), offset.as_bytes()), Some(expected), "{wall} {offset}");
            }
        }
        for other in [
            "2025-02-29 00:00:00",
            "2025-2-25 21:38:53",
            "0001-01-01 00:00:00",
            "2025-02-25 21:38:60",
            "2025-02-25 21:38:53.",
        ] {
            assert_eq!(plain_instant(other.as_bytes(), b"+0000"), None, "{other}");
        }
    }
}
