//! The dates that journald, syslog and container runtimes write in front of a line. Not those of klog or Go's `Time`.

use chrono::{Datelike, NaiveDate};
use nom::bytes::complete::{tag, take_while_m_n, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{map, opt, value};
use nom::sequence::{preceded, separated_pair};
use nom::{IResult, Parser};

use crate::model::time::Stamp;

type Parsed<'t, T> = IResult<&'t [u8], T, ()>;

const NANOS: i64 = 1_000_000_000;
/// Days from the first day of year 1 to 1970-01-01, as `chrono` counts them.
const EPOCH: i64 = 719_163;

/// A date found in front of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dated {
    /// `None` for a time since boot, and for a month in a language not known here.
    pub(super) stamp: Option<Stamp>,
    /// Many programs date their own lines this way, so the date alone does not prove a frame.
    pub(super) common: bool,
}

/// Reads any of the dates; what follows is a blank or nothing.
pub(super) fn any(text: &[u8]) -> Option<(&[u8], Dated)> {
    let sure = |stamp| Dated { stamp, common: false };
    let found = match text.first()? {
        b'[' => map(monotonic, |()| sure(None)).parse(text),
        b'0'..=b'9' => iso(text)
            .or_else(|_| map(unix, |stamp| sure(Some(stamp))).parse(text))
            .or_else(|_| map(syslog, sure).parse(text)),
        b'A'..=b'Z' | b'a'..=b'z' | 0x80.. => {
            if let Some((rest, stamp)) = precise(text) {
                return rest
                    .first()
                    .is_none_or(|byte| matches!(byte, b' ' | b'\t'))
                    .then_some((rest, sure(Some(stamp))));
            }
            map(full, |stamp| sure(Some(stamp))).parse(text).or_else(|_| map(syslog, sure).parse(text))
        }
        _ => return None,
    };
    let (rest, dated) = found.ok()?;
    rest.first().is_none_or(|byte| matches!(byte, b' ' | b'\t')).then_some((rest, dated))
}

/// An RFC 3339 date that is the whole of `text`, as agents write it into JSON.
pub(super) fn complete(text: &[u8]) -> Option<Stamp> {
    iso(text).ok().filter(|(rest, _)| rest.is_empty()).and_then(|(_, dated)| dated.stamp)
}

/// A time as stores keep it: an RFC 3339 date, or a number since 1970 whose size tells its unit, from seconds (with a fraction) to
/// nanoseconds.
pub(super) fn stored(text: &[u8]) -> Option<Stamp> {
    let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let behind = text.get(whole..)?;
    if whole == 0 || !(behind.is_empty() || behind.first() == Some(&b'.')) {
        return complete(text);
    }
    let number: i64 = std::str::from_utf8(text.get(..whole)?).ok()?.parse().ok()?;
    let (_, part) = fraction(behind).ok().filter(|(left, _)| left.is_empty())?;
    let unit = match whole {
        ..=11 => NANOS,
        12..=14 => 1_000_000,
        15..=17 => 1_000,
        _ => 1,
    };
    number.checked_mul(unit)?.checked_add(part / (NANOS / unit)).map(Stamp::Utc)
}

/// A number of `least` to `most` digits; at most nine, so that it fits.
fn number<'t>(least: usize, most: usize) -> impl Parser<&'t [u8], Output = u32, Error = ()> {
    map(take_while_m_n(least, most.min(9), |byte: u8| byte.is_ascii_digit()), |digits: &[u8]| {
        digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    })
}

/// The digits behind a point (or comma), as nanoseconds; digits beyond the ninth are dropped.
fn fraction(input: &[u8]) -> Parsed<'_, i64> {
    let digits = preceded(one_of(".,"), take_while1(|byte: u8| byte.is_ascii_digit()));
    map(opt(digits), |digits: Option<&[u8]>| {
        let digits = digits.unwrap_or_default();
        (0..9).fold(0, |sum, at| sum * 10 + digits.get(at).map_or(0, |digit| i64::from(digit - b'0')))
    })
    .parse(input)
}

/// `18:59:59.494136` as nanoseconds of the day. A leap second is let through.
fn clock(input: &[u8]) -> Parsed<'_, i64> {
    let (rest, (hour, _, minute, _, second, nanos)) =
        (number(2, 2), char(':'), number(2, 2), char(':'), number(2, 2), fraction).parse(input)?;
    if hour > 23 || minute > 59 || second > 60 {
        return Err(nom::Err::Error(()));
    }
    Ok((rest, i64::from(hour * 3_600 + minute * 60 + second) * NANOS + nanos))
}

/// `2026-11-23`, checked against the calendar.
fn date(input: &[u8]) -> Parsed<'_, NaiveDate> {
    let (rest, (year, _, month, _, day)) =
        (number(4, 4), char('-'), number(2, 2), char('-'), number(2, 2)).parse(input)?;
    let date = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    date.map(|date| (rest, date)).ok_or(nom::Err::Error(()))
}

/// `Z`, `+0530`, `+05:30` or `+05` as seconds east of Greenwich.
fn offset(input: &[u8]) -> Parsed<'_, i64> {
    if let Some(rest) = input.strip_prefix(b"Z") {
        return Ok((rest, 0));
    }
    let sign = value(1, char('+')).or(value(-1, char('-')));
    let minutes = preceded(opt(char(':')), number(2, 2));
    let (rest, (sign, hours, minutes)) = (sign, number(2, 2), opt(minutes)).parse(input)?;
    Ok((rest, sign * i64::from(hours * 3_600 + minutes.unwrap_or(0) * 60)))
}

/// Puts date, time of day and offset together; without an offset the clock's zone stays open.
fn at(date: NaiveDate, nanos_of_day: i64, offset: Option<i64>) -> Option<Stamp> {
    let Some(offset) = offset else {
        let (month, day) = (u8::try_from(date.month()).ok()?, u8::try_from(date.day()).ok()?);
        return Some(Stamp::Wall { year: Some(date.year()), month, day, nanos_of_day });
    };
    let days = i64::from(date.num_days_from_ce()) - EPOCH;
    let nanos = (days * 86_400 - offset).checked_mul(NANOS)?.checked_add(nanos_of_day)?;
    Some(Stamp::Utc(nanos))
}

/// `journalctl -o short-iso`, `short-iso-precise`, RFC 3339, CRI: `2026-11-23T18:59:59.494136+00:00`.
fn iso(input: &[u8]) -> Parsed<'_, Dated> {
    let (rest, (date, between, nanos, offset)) = (date, one_of("T "), clock, opt(offset)).parse(input)?;
    Ok((rest, Dated { stamp: at(date, nanos, offset), common: between == ' ' }))
}

/// `journalctl -o short-full` and `with-unit`: `Mon 2026-11-23 18:59:59 UTC`.
///
/// Zone names are not unique (CST is three zones), so only UTC, GMT and numbers (`+03`) make an instant.
fn full(input: &[u8]) -> Parsed<'_, Stamp> {
    let weekday = take_while_m_n(3, 3, |byte: u8| byte.is_ascii_alphabetic());
    let zone = take_while_m_n(1, 6, |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b':'));
    let (rest, (_, _, (date, nanos), _, zone)) =
        (weekday, char(' '), separated_pair(date, char(' '), clock), char(' '), zone).parse(input)?;
    let offset = match zone {
        b"UTC" | b"GMT" => Some(0),
        zone => offset(zone).ok().filter(|(left, _)| left.is_empty()).map(|(_, seconds)| seconds),
    };
    at(date, nanos, offset).map(|stamp| (rest, stamp)).ok_or(nom::Err::Error(()))
}

/// `journalctl -o short-unix`: `1795460399.494136`.
fn unix(input: &[u8]) -> Parsed<'_, Stamp> {
    let (rest, (tens, ones, _, nanos)) =
        (number(8, 8), number(2, 2), nom::combinator::peek(char('.')), fraction).parse(input)?;
    // Ten digits reach beyond what 64 bits of nanoseconds hold (year 2262).
    let instant =
        (i64::from(tens) * 100 + i64::from(ones)).checked_mul(NANOS).and_then(|whole| whole.checked_add(nanos));
    instant.map(|instant| (rest, Stamp::Utc(instant))).ok_or(nom::Err::Error(()))
}

/// `journalctl -o short-monotonic` and `short-delta`: `[  902.540269]`, `[  902.540269 <    0.004003 >]`.
fn monotonic(input: &[u8]) -> Parsed<'_, ()> {
    let seconds = |input| {
        let digits = || take_while1(|byte: u8| byte.is_ascii_digit());
        preceded(blanks, (digits(), char('.'), digits())).parse(input)
    };
    let delta = (blanks, char('<'), opt(seconds), blanks, char('>'));
    value((), (char('['), seconds, opt(delta), blanks, char(']'))).parse(input)
}

fn blanks(input: &[u8]) -> Parsed<'_, &[u8]> {
    nom::bytes::complete::take_while(|byte| byte == b' ').parse(input)
}

/// `journalctl -o short`, `short-precise`, RFC 3164: `Nov 23 18:59:59.494136`, some with the year behind the day.
///
/// The month comes from the locale; of an unknown one (2 to 12 bytes) the shape alone is taken.
fn syslog(input: &[u8]) -> Parsed<'_, Option<Stamp>> {
    let name = take_while_m_n(2, 12, |byte: u8| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b':' | b'='));
    let year = map(preceded(tag(" "), number(4, 4)), i32::try_from);
    let (rest, (name, _, day, year, _, nanos_of_day)) =
        (name, (char(' '), blanks), number(1, 2), opt(year), (char(' '), blanks), clock).parse(input)?;
    let day = u8::try_from(day).ok().filter(|day| (1..=31).contains(day)).ok_or(nom::Err::Error(()))?;
    let year = year.and_then(Result::ok);
    Ok((rest, month(name).map(|month| Stamp::Wall { year, month, day, nanos_of_day })))
}

/// The same in English without a year, as nearly all journals have it: a tenth of the time.
pub(super) fn precise(input: &[u8]) -> Option<(&[u8], Stamp)> {
    let [
        m1,
        m2,
        m3,
        b' ',
        tens @ (b' ' | b'0'..=b'3'),
        ones @ b'0'..=b'9',
        b' ',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
        rest @ ..,
    ] = input
    else {
        return None;
    };
    let digit = |byte: &u8| byte.checked_sub(b'0').filter(|digit| *digit < 10);
    let two = |tens, ones| Some(i64::from(digit(tens)? * 10 + digit(ones)?));
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let month = match &[m1, m2, m3].map(u8::to_ascii_lowercase) {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    };
    let day = digit(tens).unwrap_or(0) * 10 + digit(ones)?;
    let (rest, nanos) = match rest {
        [b'.', d1, d2, d3, d4, d5, d6, rest @ ..] if rest.first().is_none_or(|byte| !byte.is_ascii_digit()) => {
            let digits = [d1, d2, d3, d4, d5, d6].into_iter();
            let micros = digits.map(digit).try_fold(0, |sum: i64, digit| Some(sum * 10 + i64::from(digit?)));
            (rest, micros? * 1_000)
        }
        _ => fraction(rest).ok()?,
    };
    let nanos_of_day = (hour * 3_600 + minute * 60 + second) * NANOS + nanos;
    (1..=31).contains(&day).then_some((rest, Stamp::Wall { year: None, month, day, nanos_of_day }))
}

/// The beginnings of the months' names in English, German, French, Spanish, Italian, Portuguese, Dutch and Russian,
/// as far as they do not contradict each other.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene", "gen", "янв"],
    &["feb", "fév", "fev", "фев"],
    &["mar", "mär", "mrt", "мар"],
    &["apr", "avr", "abr", "апр"],
    &["may", "mai", "mei", "mag", "май", "мая"],
    &["jun", "juin", "giu", "июн"],
    &["jul", "juil", "lug", "июл"],
    &["aug", "aoû", "ago", "авг"],
    &["sep", "set", "сен"],
    &["oct", "okt", "ott", "out", "окт"],
    &["nov", "ноя"],
    &["dec", "dez", "déc", "dic", "дек"],
];

/// 1 to 12; also for `11月` and `11월`.
fn month(name: &[u8]) -> Option<u8> {
    if let Some(digits) = name.strip_suffix("月".as_bytes()).or_else(|| name.strip_suffix("월".as_bytes())) {
        let month = std::str::from_utf8(digits).ok()?.parse().ok()?;
        return (1..=12).contains(&month).then_some(month);
    }
    let is = |known: &&str| name.get(..known.len()).is_some_and(|head| head.eq_ignore_ascii_case(known.as_bytes()));
    (1..).zip(MONTHS).find(|(_, names)| names.iter().any(is)).map(|(month, _)| month)
}
