//! Lines as a kubelet's log query answers them: `journalctl --utc --output=short-precise`, in UTC, without year and zone.

use std::io::{self, BufRead, Read};

use chrono::{DateTime, Datelike, NaiveDateTime};

use crate::model::time::Time;

/// How long the date is: `Nov 28 23:08:15.763706`.
const DATE: usize = 22;
/// How far a time is from one nearby, in days, at most.
const HALF_YEAR: i64 = 183;
/// How much of a line is held at once, in bytes; what follows comes as another part.
const MAX_PART: u64 = 1 << 20;

/// The time of a line, and what stands behind its host's name. Its year is that of `near`, or of half a year around it.
pub(super) fn dated(line: &[u8], near: Time) -> Option<(Time, &[u8])> {
    let (date, rest) = line.split_at_checked(DATE)?;
    let date = std::str::from_utf8(date).ok()?;
    let rest = rest.strip_prefix(b" ")?;
    let host = rest.iter().position(|byte| *byte == b' ').filter(|length| *length > 0)?;
    let near = DateTime::from_timestamp_nanos(near.0);
    let time = [0, -1, 1].into_iter().find_map(|years| {
        let dated = format!("{} {date}", near.year() + years);
        let time = NaiveDateTime::parse_from_str(&dated, "%Y %b %d %H:%M:%S%.f").ok()?.and_utc();
        ((time - near).num_days().abs() <= HALF_YEAR).then_some(time)
    })?;
    Some((Time(time.timestamp_nanos_opt()?), rest.get(host + 1..)?))
}

/// The next line with its end, or a part of one that is longer than may be held; empty at the end of the text.
pub(super) fn next<'l>(text: &mut impl BufRead, line: &'l mut Vec<u8>) -> io::Result<&'l [u8]> {
    line.clear();
    text.take(MAX_PART).read_until(b'\n', line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::from_rfc3339(text).unwrap()
    }

    #[test]
    fn the_year_is_that_nearby() {
        let near = at("2027-01-01T00:10:00Z");
        let read = |line: &'static str| dated(line.as_bytes(), near);
        let rest = &b"kubelet[7]: I0101 00:00:00"[..];
        assert_eq!(
            read("Dec 31 23:59:59.999999 n kubelet[7]: I0101 00:00:00"),
            Some((at("2026-12-31T23:59:59.999999Z"), rest))
        );
        assert_eq!(
            read("Jan 01 00:00:00.000001 n kubelet[7]: I0101 00:00:00"),
            Some((at("2027-01-01T00:00:00.000001Z"), rest))
        );
        let leap = dated(b"Feb 29 00:00:00.000000 n k: x", at("2028-03-01T00:00:00Z"));
        assert_eq!(leap.map(|(time, _)| time), Some(at("2028-02-29T00:00:00Z")));
        for line in [
            "",
            "-- No entries --",
            "log not found for nosuchservice",
            "    continued from the line before it",
            "Feb 29 00:00:00.000000 n kubelet[7]: no such day",
            "Jan 01 00:00:00.000001  kubelet[7]: no host",
            "Jan 01 00:00:00.000001 host",
        ] {
            assert_eq!(dated(line.as_bytes(), near), None, "{line}");
        }
    }
}
