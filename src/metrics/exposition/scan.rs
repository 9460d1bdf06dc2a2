//! The part of a line that prometheus-parse does not get right: everything in front of the value, and an exemplar
//! behind it. One pass, by the rules of Prometheus' own linter, and for quoted names by those of its version 3.

use std::borrow::Cow;
use std::collections::BTreeSet;

use memchr::memchr2;

use super::{Label, number};

/// Up to here every label is compared with every other, which allocates nothing; a hostile line has more.
const MAX_PAIRWISE: usize = 24;

/// A sample's line, taken apart.
pub(super) struct Series<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) labels: Vec<Label<'a>>,
    /// The name is the label `__name__`.
    pub(super) dumped: bool,
    /// The value and, behind blanks, the timestamp: printable ASCII, no more than two words.
    pub(super) numbers: &'a str,
}

impl<'a> Series<'a> {
    /// Takes a line apart; `labels` is empty room.
    pub(super) fn scan(line: &'a str, mut labels: Vec<Label<'a>>) -> Result<Self, &'static str> {
        let (name, rest) = name(line.as_bytes());
        let rest = line.get(line.len() - rest.len()..).unwrap_or_default();
        let mut name = (!name.is_empty()).then_some(Cow::Borrowed(name));
        let rest = match after_blanks(rest).strip_prefix('{') {
            Some(inside) => braces(inside, &mut name, &mut labels)?,
            None if name.is_none() => return Err("no metric name"),
            None if rest.starts_with(BLANKS) || rest.is_empty() => rest,
            None => return Err("no metric name followed by a value"),
        };
        // As dumps of a database write it.
        let dumped = labels.iter().position(|(label, _)| label == "__name__").filter(|_| name.is_none());
        if let Some(at) = dumped {
            name = Some(labels.remove(at).1);
        }
        let name = name.ok_or("no metric name")?;
        if has_duplicate(&labels) {
            return Err("duplicate label");
        }
        Ok(Self { name, labels, dumped: dumped.is_some(), numbers: strip_exemplar(rest)? })
    }

    /// The value and the time, without prometheus-parse.
    pub(super) fn valid(&self) -> bool {
        is_value_and_time(self.numbers)
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

fn after_blanks(text: &str) -> &str {
    text.trim_start_matches(BLANKS)
}

/// The metric name that a line begins with, empty if it begins with none, and what follows. Prometheus' names are
/// ASCII; others stand quoted in the braces.
pub(super) fn name(line: &[u8]) -> (&str, &[u8]) {
    let length = match line.first() {
        Some(b'0'..=b'9') | None => 0,
        Some(_) => line.iter().position(|&byte| !is_name_byte(byte) && byte != b':').unwrap_or(line.len()),
    };
    let (name, rest) = line.split_at_checked(length).unwrap_or((b"", line));
    (std::str::from_utf8(name).unwrap_or_default(), rest)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a line may go uncounted whose name is not wanted. Labels are believed unseen, as most of a large page is
/// this; without any, a line is short, and may be a sentence.
pub(super) fn is_plausible(behind_name: &[u8]) -> Result<(), &'static str> {
    let rest = behind_name.trim_ascii_start();
    let valid = match rest.first() {
        Some(b'{') => true,
        _ if rest.len() == behind_name.len() => false,
        _ => std::str::from_utf8(rest).is_ok_and(|rest| strip_exemplar(rest).is_ok_and(is_value_and_time)),
    };
    valid.then_some(()).ok_or("no metric name followed by a value")
}

/// Labels up to the closing brace, and among them a metric name that needs quotes. Returns what follows.
fn braces<'a>(
    inside: &'a str,
    name: &mut Option<Cow<'a, str>>,
    labels: &mut Vec<Label<'a>>,
) -> Result<&'a str, &'static str> {
    let mut rest = after_blanks(inside);
    loop {
        if let Some(behind) = rest.strip_prefix('}') {
            return Ok(behind);
        }
        let (key, in_quotes, behind) = key(rest)?;
        rest = after_blanks(behind);
        if let Some(behind) = rest.strip_prefix('=') {
            let quote = after_blanks(behind).strip_prefix('"').ok_or("label value without quotes")?;
            let (value, behind) = quoted(quote).ok_or("unterminated label value")?;
            labels.push((key, value));
            rest = after_blanks(behind);
        } else if in_quotes && name.is_none() {
            *name = Some(key);
        } else {
            return Err("label without a value");
        }
        rest = match rest.strip_prefix(',') {
            Some(behind) => after_blanks(behind),
            None if rest.starts_with('}') => rest,
            None => return Err("no comma between labels"),
        };
    }
}

/// A label's name, whether it was in quotes, and what follows.
fn key(text: &str) -> Result<(Cow<'_, str>, bool, &str), &'static str> {
    if let Some(quote) = text.strip_prefix('"') {
        let (key, behind) = quoted(quote).ok_or("unterminated label name")?;
        return if key.is_empty() { Err("empty label name") } else { Ok((key, true, behind)) };
    }
    let length = text.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(text.len());
    match text.split_at_checked(length) {
        _ if text.is_empty() => Err("unterminated labels"),
        Some((key, behind)) if is_plain_name(key) => Ok((Cow::Borrowed(key), false, behind)),
        _ => Err("invalid label name"),
    }
}

/// Whether a name is one that prometheus-parse and every Prometheus reads without quotes.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_name_byte) && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// A text up to its closing quote, unescaped, and what follows. A backslash before any other character is kept with
/// it, as by Prometheus when it scrapes; its linter calls that an error.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut unescaped = Cow::Borrowed("");
    let mut rest = text;
    loop {
        let (part, mark) = rest.split_at_checked(memchr2(b'"', b'\\', rest.as_bytes())?)?;
        // Joining to an empty borrowed text borrows, so a text without escapes is never copied.
        unescaped += part;
        if let Some(behind) = mark.strip_prefix('"') {
            return Some((unescaped, behind));
        }
        let mut escape = mark.chars();
        match escape.nth(1)? {
            'n' => unescaped.to_mut().push('\n'),
            mark @ ('"' | '\\') => unescaped.to_mut().push(mark),
            other => unescaped.to_mut().extend(['\\', other]),
        }
        rest = escape.as_str();
    }
}

fn has_duplicate(labels: &[Label<'_>]) -> bool {
    if labels.len() > MAX_PAIRWISE {
        let mut names = BTreeSet::new();
        return !labels.iter().all(|(name, _)| names.insert(name));
    }
    let mut labels = labels.iter();
    while let Some((name, _)) = labels.next() {
        if labels.as_slice().iter().any(|(other, _)| other == name) {
            return true;
        }
    }
    false
}

/// The value and the timestamp; an exemplar behind them is checked, as all that follows a `#` would pass for one.
fn strip_exemplar(text: &str) -> Result<&str, &'static str> {
    let (kept, exemplar) = text.split_once('#').map_or((text, None), |(kept, exemplar)| (kept, Some(exemplar)));
    let words = kept.split_ascii_whitespace().count();
    // Only these blanks part words for Prometheus, but for prometheus-parse all that Unicode has.
    if words > 2 || !kept.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t') {
        return Err("more than a value and a timestamp");
    }
    if words == 0 {
        return Err("no value");
    }
    if let Some(exemplar) = exemplar {
        let inside = after_blanks(exemplar).strip_prefix('{').filter(|_| kept.ends_with(BLANKS));
        // It has no name, not even in quotes.
        let behind = inside.map(|inside| braces(inside, &mut Some(Cow::Borrowed("")), &mut Vec::new()));
        if !behind.is_some_and(|behind| behind.is_ok_and(is_value_and_time)) {
            return Err("invalid exemplar");
        }
    }
    Ok(after_blanks(kept).trim_end_matches(BLANKS))
}

/// Whether a text is a value, or a value and a timestamp.
fn is_value_and_time(text: &str) -> bool {
    let mut words = text.split(BLANKS).filter(|word| !word.is_empty());
    words.next().and_then(number::value).is_some()
        && words.next().is_none_or(|word| number::time(word).is_some())
        && words.next().is_none()
}
