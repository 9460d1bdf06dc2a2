//! The value syntax of kubelet and runtime lines: Go quoted strings, durations, times, `key=value` lists, and the
//! members of structured values in their three renderings (JSON, Go struct, JSON logging). It reads, it never guesses:
//! a truncated value is absent.

mod time;

use std::borrow::Cow;

use nom::bytes::complete::take_while1;
use nom::character::complete::char;
use nom::combinator::all_consuming;
use nom::sequence::terminated;
use nom::{IResult, Parser};
use serde_json::value::RawValue;

pub use time::{duration, go_time};

/// A value as it is in the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw<'a> {
    /// klog and logrus text, quotes and escapes still on.
    Go(&'a str),
    /// A JSON value, verbatim.
    Json(&'a str),
    /// The text itself.
    Plain(&'a str),
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
            Raw::Go(raw) | Raw::Plain(raw) => Some(Cow::Borrowed(raw)),
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
            Raw::Plain(_) => None,
        }
    }

    /// A list of pods as `namespace/name`: `["a/b"]`, `"[a/b c/d]"` (1.26), `[{"name":..,"namespace":..}]` (JSON logging).
    pub fn pods(self) -> Option<Vec<Cow<'a, str>>> {
        let raw = match self {
            Raw::Go(raw) | Raw::Json(raw) | Raw::Plain(raw) => raw,
        };
        if raw.starts_with('"') {
            return match self.text()? {
                Cow::Borrowed(text) => Some(listed(text)?.map(Cow::Borrowed).collect()),
                Cow::Owned(text) => Some(listed(&text)?.map(|pod| Cow::Owned(pod.to_owned())).collect()),
            };
        }
        let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
        items.into_iter().map(|item| Raw::Json(item.get()).pod()).collect()
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

/// What stands in a list as Go prints it: `[a/b c/d]`.
fn listed(text: &str) -> Option<impl Iterator<Item = &str>> {
    Some(text.strip_prefix('[')?.strip_suffix(']')?.split_whitespace())
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
    // \xNN represents a byte that was not UTF-8, so the text is rebuilt as bytes.
    let mut out: Vec<u8> = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(found) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at(found);
        out.extend_from_slice(before.as_bytes());
        // Nearly all of them.
        if let Some(quoted) = escape.strip_prefix("\\\"") {
            out.push(b'"');
            rest = quoted;
            continue;
        }
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
        while let Some(behind) = rest.strip_prefix(' ') {
            rest = behind;
        }
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

/// The bytes of keys.
const IS_ASCII_KEY: [bool; 256] = {
    let (mut set, mut byte) = ([false; 256], 0_u8);
    while byte < 128 {
        set[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'@');
        byte += 1;
    }
    set
};

fn one_pair(text: &str) -> IResult<&str, (&str, Raw<'_>)> {
    let in_key = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '@');
    // Nearly every key is ASCII, and bytes are looked up with less work than letters.
    let end = text.bytes().position(|byte| !IS_ASCII_KEY[usize::from(byte)]).unwrap_or(text.len());
    let (rest, key) = match text.split_at_checked(end) {
        Some((key, rest)) if end > 0 && rest.starts_with('=') => (rest.get(1..).unwrap_or_default(), key),
        _ => terminated(take_while1(in_key), char('=')).parse(text)?,
    };
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
        _ => text.get(memchr::memchr(b' ', text.as_bytes()).unwrap_or(text.len())..).unwrap_or_default(),
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
        let expected = Some(vec!["a/b".into(), "c/d".into()]);
        assert_eq!(Raw::Go(r#"["a/b","c/d"]"#).pods(), expected);
        assert_eq!(Raw::Go(r#""[a/b c/d]""#).pods(), expected);
        assert_eq!(Raw::Json(r#"[{"name":"b","namespace":"a"},{"name":"d","namespace":"c"}]"#).pods(), expected);
        assert_eq!(Raw::Go(r#""[]""#).pods(), Some(vec![]));
    }
}
