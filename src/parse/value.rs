//! The value syntax of kubelet and runtime lines: Go quoted strings, durations, times, `key=value` lists, and the
//! members of structured values in their three renderings (JSON, Go struct, JSON logging). It reads, it never guesses:
//! a truncated value is absent.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, opt, recognize, value};
use nom::multi::fold_many1;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};
use serde_json::value::RawValue;

use crate::model::time::{Nanos, SECOND, Time};

/// A value as it stands in the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw<'a> {
    /// klog and logrus text, quotes and escapes still on.
    Go(&'a str),
    /// A JSON value, verbatim.
    Json(&'a str),
}

impl<'a> Raw<'a> {
    /// The value as text: unquoted and unescaped; other forms verbatim. A truncated string (no closing quote) is `None`.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            // JSON logging writes a reference to a node or another object without namespace as an object.
            Raw::Json(raw) if raw.starts_with("{\"name\":") && !raw.contains("\"namespace\"") => {
                self.member("name").map(|name| Cow::Owned(name.into_owned()))
            }
            Raw::Json(raw) if raw.starts_with('"') => serde_json::from_str(raw).ok().map(|JsonText(text)| text),
            Raw::Json("null") => None,
            Raw::Json(raw) => Some(Cow::Borrowed(raw)),
            Raw::Go(raw) if raw.starts_with('"') => {
                let (inside, rest) = quoted(raw)?;
                rest.is_empty().then(|| unescape(inside))
            }
            Raw::Go(raw) if raw.starts_with("<\n") => Some(Cow::Owned(undent(raw))),
            Raw::Go("<nil>" | "null") => None,
            Raw::Go(raw) => Some(Cow::Borrowed(raw)),
        }
    }

    /// One member of a structured value; `None` when the value has no such member. Of two of one name the last counts.
    pub fn member(self, name: &str) -> Option<Cow<'a, str>> {
        self.members()?.iter().rev().find(|(member, _)| member == name)?.1.text()
    }

    /// The members of a structured value: of a JSON object, of a Go struct (`&{ID:x Type:y}`), or of an object in JSON
    /// logging. `None` when the value is none.
    pub fn members(self) -> Option<Vec<(Cow<'a, str>, Raw<'a>)>> {
        match self {
            Raw::Go(raw) if raw.starts_with("&{") || (raw.starts_with('{') && !raw.starts_with("{\"")) => {
                let inside = raw.trim_start_matches('&').strip_prefix('{')?.strip_suffix('}')?;
                let parts = inside.split(' ').filter_map(|part| part.split_once(':'));
                Some(parts.map(|(name, value)| (Cow::Borrowed(name), Raw::Go(value))).collect())
            }
            Raw::Go(raw) | Raw::Json(raw) => members(raw),
        }
    }

    /// A list of pods as `namespace/name`: `["a/b"]`, `"[a/b c/d]"` (1.26), `[{"name":..,"namespace":..}]` (JSON logging).
    pub fn pods(self) -> Option<Vec<String>> {
        let raw = match self {
            Raw::Go(raw) | Raw::Json(raw) => raw,
        };
        if raw.starts_with('"') {
            let text = self.text()?;
            let inside = text.strip_prefix('[')?.strip_suffix(']')?;
            return Some(inside.split_whitespace().map(str::to_owned).collect());
        }
        let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
        items.into_iter().map(|item| Raw::Json(item.get()).pod().map(Cow::into_owned)).collect()
    }

    /// One pod as `namespace/name`.
    pub fn pod(self) -> Option<Cow<'a, str>> {
        match self {
            Raw::Json(raw) if raw.starts_with('{') => {
                let name = self.member("name")?;
                let namespace = self.member("namespace").unwrap_or_default();
                Some(if namespace.is_empty() { name } else { Cow::Owned(format!("{namespace}/{name}")) })
            }
            _ => self.text(),
        }
    }
}

/// A JSON string that borrows where it can.
#[derive(serde::Deserialize)]
struct JsonText<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of a JSON object in order, duplicates kept; `None` if it is incomplete.
pub fn members(raw: &str) -> Option<Vec<(Cow<'_, str>, Raw<'_>)>> {
    /// About how many there are.
    struct Members(usize);
    impl<'de> serde::de::Visitor<'de> for Members {
        type Value = Vec<(Cow<'de, str>, Raw<'de>)>;
        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("a JSON object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::with_capacity(self.0);
            while let Some(JsonText(key)) = map.next_key()? {
                let raw: &'de RawValue = map.next_value()?;
                members.push((key, Raw::Json(raw.get())));
            }
            Ok(members)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw);
    serde::Deserializer::deserialize_map(&mut deserializer, Members((raw.len() / 32).min(16))).ok()
}

/// Splits `"..."` with Go escapes at its closing quote: what is inside (escapes still on), and what follows.
pub fn quoted(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('"')?;
    let bytes = inside.as_bytes();
    let mut at = 0;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(found) == Some(&b'"') {
            return Some((inside.get(..found)?, inside.get(found + 1..)?));
        }
        at = found + 2;
    }
}

/// Takes Go's escapes out of the inside of a quoted string (strconv.Quote's set); an unknown escape stays as it is.
pub fn unescape(inside: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', inside.as_bytes()).is_none() {
        return Cow::Borrowed(inside);
    }
    // \xNN stands for a byte that was not UTF-8, so the text is rebuilt as bytes.
    let mut out: Vec<u8> = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(found) = rest.find('\\') {
        let (before, escape) = rest.split_at(found);
        out.extend_from_slice(before.as_bytes());
        let mut letters = escape.chars();
        letters.next();
        let letter = letters.next();
        rest = letters.as_str();
        let hex = |digits: usize| rest.get(..digits).and_then(|h| u32::from_str_radix(h, 16).ok());
        let (plain, used): (Option<char>, usize) = match letter {
            Some('n') => (Some('\n'), 0),
            Some('t') => (Some('\t'), 0),
            Some('r') => (Some('\r'), 0),
            Some('a') => (Some('\x07'), 0),
            Some('b') => (Some('\x08'), 0),
            Some('f') => (Some('\x0c'), 0),
            Some('v') => (Some('\x0b'), 0),
            Some(same @ ('"' | '\\' | '\'')) => (Some(same), 0),
            Some('x') => match hex(2) {
                Some(byte) => {
                    out.push(byte as u8);
                    (None, 2)
                }
                None => (Some('x'), 0),
            },
            Some('u') => (hex(4).and_then(char::from_u32), 4),
            Some('U') => (hex(8).and_then(char::from_u32), 8),
            other => (other, 0),
        };
        if let Some(plain) = plain {
            out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
        }
        rest = rest.get(used..).unwrap_or("");
    }
    out.extend_from_slice(rest.as_bytes());
    Cow::Owned(String::from_utf8(out).unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned()))
}

/// klog's multi-line value (`<`, lines behind a TAB, ` >`) as plain text.
fn undent(raw: &str) -> String {
    let lines = raw.lines().skip(1).map(|line| line.strip_prefix('\t').unwrap_or(line));
    let mut text = String::with_capacity(raw.len());
    for line in lines.filter(|line| *line != " >") {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
    }
    text
}

/// Reads ` key=value` pairs until the text ends or stops making sense; calls `pair` for each that is complete.
/// What remains unread is returned: empty after a complete line, else the place where the line is truncated or mixed with others.
pub fn pairs<'a>(mut rest: &'a str, mut pair: impl FnMut(&'a str, Raw<'a>)) -> &'a str {
    loop {
        rest = rest.trim_start_matches(' ');
        if rest.is_empty() {
            return rest;
        }
        match one_pair(rest) {
            Ok((after, (key, raw))) => {
                pair(key, raw);
                rest = after;
            }
            Err(_) => return rest,
        }
    }
}

fn one_pair(text: &str) -> IResult<&str, (&str, Raw<'_>)> {
    let key = take_while1(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '@'));
    let (rest, key) = terminated(key, char('=')).parse(text)?;
    let (rest, raw) = one_value(rest)?;
    Ok((rest, (key, raw)))
}

fn one_value(text: &str) -> IResult<&str, Raw<'_>> {
    let truncated = || nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::Eof));
    let split = |rest: &'_ str| text.len() - rest.len();
    let rest = match text.as_bytes().first() {
        Some(b'"') => quoted(text).ok_or_else(truncated)?.1,
        Some(b'<') if text.starts_with("<\n") => {
            let end = text.find("\n >").ok_or_else(truncated)?;
            text.get(end + 3..).ok_or_else(truncated)?
        }
        Some(b'{' | b'[' | b'&') => bracketed(text).ok_or_else(truncated)?,
        _ => take_while(|c: char| c != ' ').parse(text)?.0,
    };
    let raw = text.get(..split(rest)).ok_or_else(truncated)?;
    Ok((rest, Raw::Go(raw)))
}

/// What follows a bracketed value; strings inside may hold brackets.
fn bracketed(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0_usize);
    loop {
        match bytes.get(at)? {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return text.get(at + 1..);
                }
            }
            b'"' => {
                let (inside, _) = quoted(text.get(at..)?)?;
                at += inside.len() + 1;
            }
            _ => {}
        }
        at += 1;
    }
}

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

/// `2006-01-02 15:04:05.999999999 -0700 MST m=+0.000000000`; the zone's name is free text and is not used.
pub fn go_time(text: &str) -> Option<GoTime> {
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
    let fraction = fraction.unwrap_or("0");
    let padded = format!("{fraction:0<9}");
    let nanos: i64 = padded.get(..9).and_then(|n| n.parse().ok()).ok_or_else(fail)?;
    let total = whole.checked_mul(SECOND).and_then(|n| n.checked_add(nanos)).ok_or_else(fail)?;
    Ok((rest, Nanos(if sign == Some('-') { -total } else { total })))
}

/// A float in any of the three notations the kubelet used: `e+09` (1.26), plain decimals, whole numbers.
pub fn float(text: &str) -> Option<f64> {
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let read: IResult<&str, &str> = all_consuming(take_while1(digits)).parse(text);
    let (_, number) = read.ok()?;
    number.parse().ok().filter(|n: &f64| n.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_whole_or_not_at_all() {
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

    #[test]
    fn pairs_stop_where_the_line_is_cut() {
        let mut seen = Vec::new();
        let rest = pairs(r#" pod="a/b" n=1.5 event={"ID":"x","Data":"}"} s=&{ID:u Type:T} cut="4."#, |key, raw| {
            seen.push((key, raw))
        });
        assert_eq!(seen.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["pod", "n", "event", "s"]);
        assert_eq!(rest, r#"cut="4."#);
        assert_eq!(seen[2].1.member("ID").as_deref(), Some("x"));
        assert_eq!(seen[3].1.member("Type").as_deref(), Some("T"));
        assert_eq!(pairs(" err=<\n\ta \"b\"\n\tc\n > pod=\"x/y\"", |key, raw| seen.push((key, raw))), "");
        assert_eq!(seen[4].1.text().unwrap(), "a \"b\"\nc");
        assert_eq!(seen[5].0, "pod");
    }

    #[test]
    fn strings_lose_their_escapes_once() {
        assert_eq!(unescape(r#"a \"b\" \\ \u00b5 \t \x41 \q"#), "a \"b\" \\ µ \t A q");
        assert_eq!(Raw::Go(r#""cut"#).text(), None);
        assert_eq!(Raw::Json(r#""a\"b""#).text().unwrap(), "a\"b");
    }

    #[test]
    fn pod_lists_in_three_renderings() {
        let expected = Some(vec!["a/b".to_owned(), "c/d".to_owned()]);
        assert_eq!(Raw::Go(r#"["a/b","c/d"]"#).pods(), expected);
        assert_eq!(Raw::Go(r#""[a/b c/d]""#).pods(), expected);
        assert_eq!(Raw::Json(r#"[{"name":"b","namespace":"a"},{"name":"d","namespace":"c"}]"#).pods(), expected);
        assert_eq!(Raw::Go(r#""[]""#).pods(), Some(vec![]));
    }
}
