//! A line without its frame, as the program that wrote it meant it: when, which process, what text, which keys.
//! Three dialects: klog text, the kubelet's JSON logging, logrus (containerd, CRI-O); anything else is plain text.

use std::borrow::Cow;

use chrono::{Datelike, Timelike};
use nom::IResult;
use nom::Parser;
use nom::bytes::complete::{tag, take, take_till1, take_while1};
use nom::character::complete::{char, digit1, one_of, space1};
use nom::combinator::map_opt;
use nom::sequence::{delimited, preceded, terminated};

use crate::model::time::{SECOND, Stamp};
use crate::parse::startup_record;
use crate::parse::value::{self, Raw};

/// How the line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// klog text: the kubelet's default.
    Klog,
    /// The kubelet's `--logging-format=json`.
    Json,
    /// logrus, text or JSON: containerd and CRI-O.
    Logrus,
    /// None of these.
    Plain,
}

/// Keys and their values as they are written.
pub type Keys<'a> = Vec<(Cow<'a, str>, Raw<'a>)>;

/// The memory of keys, for those of another line.
pub(super) fn emptied<'a>(mut keys: Keys<'_>) -> Keys<'a> {
    keys.clear();
    // Collected in place: the memory stays.
    keys.into_iter().map_while(|_| None).collect()
}

/// One line, read.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// How it is written.
    pub dialect: Dialect,
    /// The process id in its header.
    pub pid: Option<u32>,
    /// When, by its own header.
    pub stamp: Option<Stamp>,
    /// Seconds east of UTC of the zone that its header names.
    pub offset: Option<i32>,
    /// Its stamp has no fraction of a second (CRI-O's JSON logging): it was written within the second that begins then.
    pub whole_second: bool,
    /// The message, unquoted and unescaped.
    pub text: Cow<'a, str>,
    /// Its keys, in order, values as they are written.
    pub keys: Keys<'a>,
    /// It ends before its last value does.
    pub truncated: bool,
}

impl<'a> Entry<'a> {
    /// The value of a key: the last one if it is there twice (klog keeps the last since 2.140).
    pub fn key(&self, name: &str) -> Option<Raw<'a>> {
        // The first byte nearly always decides, without a call.
        let first = name.as_bytes().first();
        let is_it = |key: &str| key.as_bytes().first() == first && key == name;
        self.keys.iter().rev().find(|(key, _)| is_it(key)).map(|(_, raw)| *raw)
    }

    /// Whether its text is a line of klog's: k0s and others log what the kubelet writes.
    pub fn is_wrapped(&self) -> bool {
        self.dialect == Dialect::Logrus
            && self.text.starts_with(['I', 'W', 'E', 'F'])
            && klog_header(&self.text).is_ok()
    }

    /// Reads a line's body; never fails, the last resort is plain text.
    pub fn read(body: &'a str) -> Entry<'a> {
        Entry::read_into(Vec::new(), body)
    }

    /// The same, with its keys put into this empty list.
    pub fn read_into(keys: Keys<'a>, body: &'a str) -> Entry<'a> {
        match body.as_bytes().first() {
            Some(b'{') => json(body),
            Some(b't') if body.starts_with("time=\"") => logrus(keys, body),
            _ => klog(keys, body),
        }
        .unwrap_or_else(|| plain(body))
    }
}

fn plain(body: &str) -> Entry<'_> {
    Entry {
        dialect: Dialect::Plain,
        pid: None,
        stamp: None,
        offset: None,
        whole_second: false,
        text: Cow::Borrowed(body),
        keys: Vec::new(),
        truncated: false,
    }
}

/// `Lmmdd hh:mm:ss.uuuuuu PPPPPPP file.go:LINE] body`: klog's text header has no year and no zone.
fn klog_header(line: &str) -> IResult<&str, (Stamp, u32)> {
    let two = || {
        map_opt(
            take(2_usize),
            |d: &str| if d.bytes().all(|b| b.is_ascii_digit()) { d.parse::<u8>().ok() } else { None },
        )
    };
    let date = preceded(one_of("IWEF"), (two(), two()));
    let clock = (two(), preceded(char(':'), two()), preceded(char(':'), two()), preceded(char('.'), digit1));
    let pid = map_opt(digit1, |d: &str| d.parse::<u32>().ok());
    let file = (take_till1(|c: char| c == ':' || c == ' ' || c == '"'), char(':'), digit1, tag("] "));
    let header = (terminated(date, char(' ')), clock, delimited(space1, pid, char(' ')), file);
    map_opt(header, |((month, day), (hour, minute, second, fraction), pid, _): (_, _, _, _)| {
        let nanos = fraction_nanos(fraction)?;
        let of_day = (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * SECOND + nanos;
        let valid = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
        valid.then_some((Stamp::Wall { year: None, month, day, nanos_of_day: of_day }, pid))
    })
    .parse(line)
}

/// The same for a header with six digits of a second and blanks alone, which is every one that klog itself writes.
fn fixed_width_header(line: &str) -> Option<(&str, (Stamp, u32))> {
    let [b'I' | b'W' | b'E' | b'F', date_and_clock @ .., b' '] = line.as_bytes().first_chunk::<22>()? else {
        return None;
    };
    let [m1, m2, d1, d2, b' ', h1, h2, b':', n1, n2, b':', s1, s2, b'.', fraction @ ..] = date_and_clock else {
        return None;
    };
    let digit = |byte: &u8| byte.checked_sub(b'0').filter(|digit| *digit < 10);
    let two = |tens, ones| Some(digit(tens)? * 10 + digit(ones)?);
    let (month, day, hour, minute, second) = (two(m1, m2)?, two(d1, d2)?, two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let micros = fraction.iter().try_fold(0_i64, |sum, byte| Some(sum * 10 + i64::from(digit(byte)?)))?;
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    let of_day = (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * SECOND + micros * 1000;
    let rest = line.get(22..)?.trim_start_matches(' ');
    let (pid, digits) = number(rest.as_bytes())?;
    let rest = rest.get(digits..)?.strip_prefix(' ')?;
    let file = rest.bytes().position(|byte| matches!(byte, b':' | b' ' | b'"')).filter(|end| *end > 0)?;
    let rest = rest.get(file..)?.strip_prefix(':')?;
    let (_, digits) = number(rest.as_bytes())?;
    let rest = rest.get(digits..)?.strip_prefix("] ")?;
    valid.then_some((rest, (Stamp::Wall { year: None, month, day, nanos_of_day: of_day }, pid)))
}

/// A number, and how many digits it has.
fn number(text: &[u8]) -> Option<(u32, usize)> {
    let (mut value, mut digits) = (0_u32, 0);
    for byte in text {
        let Some(digit) = byte.checked_sub(b'0').filter(|digit| *digit < 10) else { break };
        value = value.checked_mul(10)?.checked_add(u32::from(digit))?;
        digits += 1;
    }
    (digits > 0).then_some((value, digits))
}

fn fraction_nanos(digits: &str) -> Option<i64> {
    let digits = digits.get(..digits.len().min(9))?;
    let scale = 10_i64.pow(u32::try_from(9 - digits.len()).ok()?);
    Some(digits.parse::<i64>().ok()? * scale)
}

/// A header whose head is lost: `racker.go:102] `, or nothing at all before the quoted message.
fn partial_header(line: &str) -> IResult<&str, &str> {
    let file = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    terminated(file, (char(':'), digit1, tag("] "))).parse(line)
}

fn klog<'a>(keys: Keys<'a>, body: &'a str) -> Option<Entry<'a>> {
    let (rest, header) = match fixed_width_header(body).or_else(|| klog_header(body).ok()) {
        Some((rest, header)) => (rest, Some(header)),
        // Without its header only the one message is worth believing that nothing else looks like.
        None => {
            let rest = partial_header(body).map_or(body, |(rest, _)| rest);
            let message = rest.strip_prefix('"')?.strip_prefix(startup_record::MESSAGE)?;
            message.starts_with("\" pod").then_some((rest, None))?
        }
    };
    let mut entry = Entry { dialect: Dialect::Klog, keys, ..plain(rest) };
    if let Some((stamp, pid)) = header {
        entry.stamp = Some(stamp);
        entry.pid = Some(pid);
    }
    let Some((text, after)) = value::quoted(rest) else {
        entry.truncated = rest.starts_with('"');
        return Some(entry);
    };
    entry.text = value::unescape(text);
    let left = value::pairs(after, |key, raw| entry.keys.push((Cow::Borrowed(key), raw)));
    entry.truncated = !left.is_empty();
    Some(entry)
}

/// One object a line; `ts` is milliseconds since the epoch with a fraction.
fn json(body: &str) -> Option<Entry<'_>> {
    let mut keys = value::members(body.trim_end())?;
    let find = |name: &str| keys.iter().find(|(key, _)| key == name).map(|(_, raw)| *raw);
    let text = find("msg")?.text()?;
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches('\n')),
        Cow::Owned(text) => Cow::Owned(text.trim_end_matches('\n').to_owned()),
    };
    let (dialect, (stamp, offset), whole_second) = match (find("ts"), find("time")) {
        (Some(ts), _) => (Dialect::Json, (Stamp::Utc(millis(&ts.text()?)?), None), false),
        (None, Some(time)) => {
            let time = time.text()?;
            (Dialect::Logrus, rfc3339(&time)?, !time.contains('.'))
        }
        (None, None) => return None,
    };
    keys.retain(|(key, _)| !matches!(key.as_ref(), "ts" | "msg" | "v" | "caller" | "logger" | "level" | "time"));
    Some(Entry { dialect, pid: None, stamp: Some(stamp), offset, whole_second, text, keys, truncated: false })
}

/// Milliseconds since the epoch as a decimal, to nanoseconds without a detour over floats.
fn millis(text: &str) -> Option<i64> {
    if text.contains(['e', 'E']) {
        return text.parse::<f64>().ok().filter(|m| m.abs() < 9e12).map(|m| (m * 1e6) as i64);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let padded = format!("{fraction:0<6}");
    whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(padded.get(..6)?.parse().ok()?)
}

/// `2026-11-23T19:10:23.950350750Z`, which every runtime in UTC prints: three times as fast as by chrono.
fn utc(text: &str) -> Option<Stamp> {
    let (head, fraction) = text.strip_suffix('Z')?.as_bytes().split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = head else {
        return None;
    };
    let digit = |byte: &u8| byte.checked_sub(b'0').filter(|digit| *digit < 10);
    let two = |tens, ones| Some(u32::from(digit(tens)? * 10 + digit(ones)?));
    let year = i32::try_from(two(y1, y2)? * 100 + two(y3, y4)?).ok()?;
    let date = chrono::NaiveDate::from_ymd_opt(year, two(m1, m2)?, two(d1, d2)?)?;
    let whole = date.and_hms_opt(two(h1, h2)?, two(n1, n2)?, two(s1, s2)?)?.and_utc().timestamp();
    let nanos = match fraction.split_first() {
        None => 0,
        Some((b'.', digits)) if (1..=9).contains(&digits.len()) => {
            let value = digits.iter().try_fold(0_i64, |sum, byte| Some(sum * 10 + i64::from(digit(byte)?)))?;
            value * 10_i64.pow(9 - u32::try_from(digits.len()).ok()?)
        }
        Some(_) => return None,
    };
    Some(Stamp::Utc(whole.checked_mul(SECOND)?.checked_add(nanos)?))
}

fn rfc3339(text: &str) -> Option<(Stamp, Option<i32>)> {
    if let Some(stamp) = utc(text) {
        return Some((stamp, Some(0)));
    }
    let time = chrono::DateTime::parse_from_rfc3339(text)
        .or_else(|_| chrono::DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z"))
        .or_else(|_| chrono::DateTime::parse_from_str(&text.replace('Z', "+00:00"), "%Y-%m-%d %H:%M:%S%.f%:z"));
    let time = time.ok()?;
    Some((Stamp::Utc(time.timestamp_nanos_opt()?), Some(time.offset().local_minus_utc())))
}

/// A date and a time without their zone.
fn wall(text: &str) -> Option<Stamp> {
    let time = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    let (month, day) = (u8::try_from(time.month()).ok()?, u8::try_from(time.day()).ok()?);
    let nanos_of_day = i64::from(time.num_seconds_from_midnight()) * SECOND + i64::from(time.nanosecond());
    Some(Stamp::Wall { year: Some(time.year()), month, day, nanos_of_day })
}

/// `time="..." level=info msg="..." key=value`: containerd (RFC 3339) and CRI-O (to 1.31 with a blank for the `T`).
fn logrus<'a>(mut keys: Keys<'a>, body: &'a str) -> Option<Entry<'a>> {
    let left = value::pairs(body, |key, raw| keys.push((Cow::Borrowed(key), raw)));
    let find = |name: &str| keys.iter().find(|(key, _)| key == name).map(|(_, raw): &(_, Raw<'_>)| *raw);
    let time = find("time")?.text()?;
    let text = find("msg")?.text()?;
    // k0s dates what it wraps without a zone.
    let wraps = || Some((wall(&time).filter(|_| klog_header(&text).is_ok())?, None));
    let (stamp, offset) = rfc3339(&time).or_else(wraps)?;
    let whole_second = !time.contains('.');
    keys.retain(|(key, _)| !matches!(key.as_ref(), "time" | "level" | "msg"));
    let truncated = !left.is_empty();
    Some(Entry { dialect: Dialect::Logrus, pid: None, stamp: Some(stamp), offset, whole_second, text, keys, truncated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn klog_text_has_wall_time_pid_and_keys() {
        let entry = Entry::read(
            r#"I1123 19:00:56.024962   25917 kubelet.go:2724] "SyncLoop ADD" source="api" pods=["default/app-03"]"#,
        );
        assert_eq!(entry.dialect, Dialect::Klog);
        assert_eq!(entry.stamp, Some(Stamp::Wall { year: None, month: 11, day: 23, nanos_of_day: 68_456_024_962_000 }));
        assert_eq!((entry.pid, entry.text.as_ref(), entry.truncated), (Some(25917), "SyncLoop ADD", false));
        assert_eq!(entry.key("pods").unwrap().pods().unwrap(), ["default/app-03"]);
    }

    #[test]
    fn the_memory_of_keys_is_used_again() {
        let line =
            r#"I1123 19:00:56.024962   25917 kubelet.go:2724] "SyncLoop ADD" source="api" pods=["default/app-03"]"#;
        let keys = Entry::read(line).keys;
        let (at, room) = (keys.as_ptr().addr(), keys.capacity());
        let again = Entry::read_into(emptied(keys), line);
        assert_eq!((again.keys.as_ptr().addr(), again.keys.capacity(), again.keys.len()), (at, room, 2));
    }

    #[test]
    fn headers_are_the_same_by_either_way() {
        let line = |head: &str| format!("{head} kubelet.go:2724] \"SyncLoop ADD\" a=1");
        for head in ["I1123 19:00:56.024962   25917", "F0229 00:00:60.999999 1", "E1231 23:59:59.000000    4294967295"]
        {
            assert_eq!(fixed_width_header(&line(head)), klog_header(&line(head)).ok(), "{head}");
            assert!(fixed_width_header(&line(head)).is_some(), "{head}");
        }
        for head in [
            "I1323 19:00:56.024962 1",
            "I1123 24:00:56.024962 1",
            "I1123 19:00:56.024962 4294967296",
            "I1123 19:00:56.02496 1",
            "X1123 19:00:56.024962 1",
            "I1123 19:00:56.024962  x",
            "I1123 19:00:56.024962",
        ] {
            assert_eq!(fixed_width_header(&line(head)), None, "{head}");
        }
        for truncated in 0..line("I1123 19:00:56.024962   25917").len() {
            let line = line("I1123 19:00:56.024962   25917");
            let quick = fixed_width_header(&line[..truncated]);
            assert!(quick.is_none() || quick == klog_header(&line[..truncated]).ok(), "{truncated}");
        }
    }

    #[test]
    fn instants_in_utc_are_the_same_by_either_way() {
        for text in [
            "2026-11-23T19:10:23Z",
            "2026-11-23T19:10:23.9Z",
            "1969-12-31T23:59:59.000000001Z",
            "2024-02-29T00:00:00.123456789Z",
        ] {
            let by_chrono = chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_nanos_opt().unwrap();
            assert_eq!(utc(text), Some(Stamp::Utc(by_chrono)), "{text}");
        }
        for text in [
            "2026-11-23T19:10:23+00:00",
            "2026-11-23 19:10:23Z",
            "2025-02-29T00:00:00Z",
            "2026-11-23T19:10:60Z",
            "2026-11-23T19:10:23.Z",
            "2026-11-23T19:10:23.1234567890Z",
            "2026-11-23T24:10:23Z",
            "9999-11-23T00:10:23Z",
            "2026-11-23T19:10:2Z",
            "Z",
            "",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn a_message_without_header_is_believed_only_when_it_is_the_record() {
        let lost = Entry::read(
            r#"tency_tracker.go:102] "Observed pod startup duration" pod="a/b" podStartSLOduration=2.5 podStart"#,
        );
        assert_eq!((lost.dialect, lost.truncated, lost.keys.len()), (Dialect::Klog, true, 2));
        for prose in [
            r#"We grep for "Observed pod startup duration" in the kubelet's log"#,
            r#"grep 'Observed pod startup duration' kubelet.log"#,
            r#"klog.InfoS("Observed pod startup duration", "pod", klog.KObj(pod))"#,
            r#""Observed pod startup duration""#,
        ] {
            assert_eq!(Entry::read(prose).dialect, Dialect::Plain, "{prose}");
        }
    }

    #[test]
    fn json_times_are_exact_and_msg_loses_its_newline() {
        let entry =
            Entry::read(r#"{"ts":1795460399493.9863,"caller":"kubelet/kubelet.go:2724","msg":"x\n","v":2,"pods":[]}"#);
        assert_eq!(entry.stamp, Some(Stamp::Utc(1_795_460_399_493_986_300)));
        assert_eq!((entry.text.as_ref(), entry.keys.len()), ("x", 1));
    }

    #[test]
    fn logrus_in_three_time_layouts() {
        let stamp = |line| Entry::read(line).stamp;
        let expected = Some(Stamp::Utc(1_767_131_894_213_504_533));
        assert_eq!(stamp(r#"time="2025-12-30T21:58:14.213504533Z" level=info msg="PullImage \"a\"""#), expected);
        assert_eq!(stamp(r#"time="2025-12-30 21:58:14.213504533Z" level=info msg="x""#), expected);
        assert_eq!(stamp(r#"time="2025-12-30 23:58:14.213504533+02:00" level=info msg="x""#), expected);
        assert_eq!(stamp(r#"{"level":"info","msg":"x","time":"2025-12-30T21:58:14.213504533Z"}"#), expected);
    }

    #[test]
    fn logrus_without_a_fraction_is_known_to_the_second() {
        let whole = |line| Entry::read(line).whole_second;
        assert!(whole(r#"{"level":"info","msg":"x","time":"2025-12-30T21:58:14Z"}"#));
        assert!(whole(r#"{"level":"info","msg":"x","time":"2025-12-30T23:58:14+02:00"}"#));
        assert!(whole(r#"time="2025-12-30T21:58:14Z" level=info msg="x""#));
        assert!(!whole(r#"{"level":"info","msg":"x","time":"2025-12-30T21:58:14.213504533Z"}"#));
        assert!(!whole(r#"time="2025-12-30T21:58:14.2Z" level=info msg="x""#));
        assert!(!whole(r#"{"ts":1795460399493.9863,"msg":"x","v":2}"#));
    }
}
