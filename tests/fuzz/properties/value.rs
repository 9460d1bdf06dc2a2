//! The syntax of values: what Go writes is read back, and what is read is a part of what stands there.

use std::fmt::Write;

use podlag::internals::model::time::{Nanos, Time};
use podlag::internals::parse::value::{Raw, duration, float, go_time, members, pairs, quoted, unescape};

pub fn holds(data: &[u8]) {
    let quote = go_quoted(data);
    let (inside, rest) = quoted(&quote).expect("a whole string");
    assert_eq!((unescape(inside).as_ref(), rest), (String::from_utf8_lossy(data).as_ref(), ""));
    if let Some((eight, _)) = data.split_first_chunk::<8>() {
        numbers(i64::from_le_bytes(*eight));
    }
    let text = &String::from_utf8_lossy(data);
    if let Some((inside, rest)) = quoted(text) {
        assert_eq!(&format!("\"{inside}\"{rest}"), text.as_ref());
        assert!(Raw::Go(&text[..inside.len() + 2]).text().is_some());
    }
    each_pair(text);
    let pair = format!("a={quote} b=2");
    let mut read = Vec::new();
    assert_eq!(pairs(&pair, |key, raw| read.push((key, raw.text().map(|text| text.into_owned())))), "");
    assert_eq!(read, [("a", Some(String::from_utf8_lossy(data).into_owned())), ("b", Some("2".into()))]);
    if let Some(span) = duration(text) {
        assert_eq!(duration(&go_duration(span)), Some(span), "{text:?}");
    }
    if let Some(time) = go_time(text) {
        assert!(time.offset.abs() < 24 * 3600, "{text:?}");
    }
    assert!(float(text).is_none_or(f64::is_finite));
    if let Ok(serde_json::Value::Object(object)) = serde_json::from_str(text) {
        let read = members(text).expect("what is JSON has members");
        assert!(object.keys().all(|key| read.iter().any(|(name, _)| name == key)) && read.len() >= object.len());
    }
    for raw in [Raw::Go(text), Raw::Json(text)] {
        let _ = (raw.text(), raw.member("name"), raw.pods(), raw.pod());
    }
}

/// A length of time and an instant, as Go writes them.
fn numbers(nanos: i64) {
    let (span, time) = (Nanos(nanos), Time(nanos));
    assert_eq!(duration(&go_duration(span)), Some(span));
    let wall = time.to_string().replace('T', " ").replace('Z', "");
    for (zone, east) in [("+0000 UTC", 0), ("-0330 NST", -12_600)] {
        let read = go_time(&format!("{wall} {zone}"));
        // An instant beyond the range of 64 bits is no instant.
        let expected = nanos.checked_sub(i64::from(east) * 1_000_000_000);
        assert_eq!(
            read.map(|read| (read.time, read.offset)),
            expected.map(|nanos| (Some(Time(nanos)), east)),
            "{wall} {zone}"
        );
    }
}

/// Pairs and what is left tile the text.
fn each_pair(text: &str) {
    let mut at = 0;
    let left = pairs(text, |key, raw| {
        let (Raw::Go(raw) | Raw::Json(raw) | Raw::Plain(raw)) = raw;
        at += text[at..].len() - text[at..].trim_start_matches(' ').len();
        let pair = format!("{key}={raw}");
        assert!(text[at..].starts_with(&pair), "{pair:?} stands at {at}");
        at += pair.len();
    });
    assert_eq!(left, text[at..].trim_start_matches(' '));
}

/// As strconv.Quote writes it: bytes that are not UTF-8 as `\xNN`.
fn go_quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for part in bytes.utf8_chunks() {
        for c in part.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '\x07' => out.push_str("\\a"),
                '\x08' => out.push_str("\\b"),
                '\x0c' => out.push_str("\\f"),
                '\x0b' => out.push_str("\\v"),
                c if (c as u32) < 0x20 || c as u32 == 0x7f => write!(out, "\\x{:02x}", c as u32).unwrap(),
                c if c.is_control() => write!(out, "\\u{:04x}", c as u32).unwrap(),
                c if c > '\u{ffff}' => write!(out, "\\U{:08x}", c as u32).unwrap(),
                c => out.push(c),
            }
        }
        part.invalid().iter().for_each(|byte| write!(out, "\\x{byte:02x}").unwrap());
    }
    out.push('"');
    out
}

/// As `time.Duration` prints itself.
fn go_duration(span: Nanos) -> String {
    let (sign, nanos) = (if span.0 < 0 { "-" } else { "" }, span.0.unsigned_abs());
    let fraction = |of: u64, digits: usize| {
        let (whole, rest) = (nanos / of, nanos % of);
        let rest = format!("{rest:0digits$}");
        let rest = rest.trim_end_matches('0');
        if rest.is_empty() { whole.to_string() } else { format!("{whole}.{rest}") }
    };
    let seconds = nanos / 1_000_000_000;
    match nanos {
        0 => "0s".into(),
        1..1_000 => format!("{sign}{nanos}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(1_000, 3)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(1_000_000, 6)),
        _ => {
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let whole = fraction(1_000_000_000, 9);
            let rest = whole.split_once('.').map_or(String::new(), |(_, rest)| format!(".{rest}"));
            let second = format!("{}{rest}s", seconds % 60);
            match (hours, minutes) {
                (0, 0) => format!("{sign}{second}"),
                (0, _) => format!("{sign}{minutes}m{second}"),
                _ => format!("{sign}{hours}h{minutes}m{second}"),
            }
        }
    }
}
