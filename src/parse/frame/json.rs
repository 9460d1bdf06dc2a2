//! JSON as far as frames need it: an object's fields in order, and text without its escapes. Tolerates truncated objects and
//! broken UTF-8, so it is no JSON checker; what fields mean is not known here.

use std::borrow::Cow;

use memchr::memchr2;

/// A value, not yet decoded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'t> {
    /// Between the quotes; `closed` is false when the line ended before the second one.
    Text { raw: &'t [u8], closed: bool },
    /// Arrays and objects with their brackets, numbers, `null`.
    Other(&'t [u8]),
}

impl<'t> Value<'t> {
    /// The line ended inside the string.
    pub(super) fn open(self) -> bool {
        matches!(self, Value::Text { closed: false, .. })
    }

    /// The text of a string; of an array its bytes (journald writes what is not UTF-8 as numbers) or its first string
    /// (a field that occurs more than once); of `null` the empty text, of a number its digits.
    pub(super) fn text(self) -> Option<Cow<'t, [u8]>> {
        match self {
            Value::Text { raw, .. } => Some(unescape(raw)),
            Value::Other(b"null") => Some(Cow::Borrowed(b"")),
            Value::Other(raw) => match raw.strip_prefix(b"[") {
                Some(inner) => {
                    let inner = inner.trim_ascii_start();
                    match inner.strip_prefix(b"\"") {
                        Some(first) => Some(unescape(string(first).0)),
                        None => numbers(inner).map(Cow::Owned),
                    }
                }
                None => raw.first().is_some_and(u8::is_ascii_digit).then_some(Cow::Borrowed(raw)),
            },
        }
    }

    /// What is between the braces of an object; nothing for other values.
    pub(super) fn inside(self) -> &'t [u8] {
        match self {
            Value::Other(raw) => raw.strip_prefix(b"{").unwrap_or_default(),
            Value::Text { .. } => b"",
        }
    }
}

/// The bytes of `73, 49, 49]`.
fn numbers(inner: &[u8]) -> Option<Vec<u8>> {
    let list = inner.strip_suffix(b"]").unwrap_or(inner);
    if list.trim_ascii().is_empty() {
        return Some(Vec::new());
    }
    list.split(|&byte| byte == b',').map(|number| std::str::from_utf8(number.trim_ascii()).ok()?.parse().ok()).collect()
}

/// The fields of an object whose opening brace is passed; ends where the text is no longer JSON.
pub(super) struct Fields<'t>(pub(super) &'t [u8]);

impl<'t> Iterator for Fields<'t> {
    type Item = (&'t [u8], Value<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.trim_ascii_start();
        let text = text.strip_prefix(b",").unwrap_or(text).trim_ascii_start();
        let (key, closed, rest) = string(text.strip_prefix(b"\"")?);
        let rest = rest.trim_ascii_start();
        let rest = rest.strip_prefix(b":").filter(|_| closed)?.trim_ascii_start();
        let (value, rest) = if let Some(inner) = rest.strip_prefix(b"\"") {
            let (raw, closed, rest) = string(inner);
            (Value::Text { raw, closed }, rest)
        } else {
            let (raw, rest) = rest.split_at_checked(extent(rest))?;
            (Value::Other(raw.trim_ascii_end()), rest)
        };
        self.0 = rest;
        Some((key, value))
    }
}

/// The length of an array, an object, a number or a word.
fn extent(text: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                let inner = text.get(at + 1..).unwrap_or_default();
                at = text.len() - string(inner).2.len();
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return if depth == 1 { at + 1 } else { at },
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Splits behind the opening quote: the raw text, whether a closing quote was there, and what follows it.
pub(super) fn string(text: &[u8]) -> (&[u8], bool, &[u8]) {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if text.get(at) == Some(&b'"') {
            return (text.get(..at).unwrap_or_default(), true, text.get(at + 1..).unwrap_or_default());
        }
        at += 2;
    }
    (text, false, b"")
}

/// Undoes JSON's escapes. Unknown ones stay as they are; one that is truncated at the end is dropped.
pub(super) fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', raw) else {
        return Cow::Borrowed(raw);
    };
    let mut text = Vec::with_capacity(raw.len());
    let mut next = Some(first);
    let mut rest = raw;
    while let Some((plain, escape)) = next.and_then(|at| rest.split_at_checked(at)) {
        text.extend_from_slice(plain);
        let (length, character) = match escape.get(1) {
            Some(b'n') => (2, '\n'),
            Some(b't') => (2, '\t'),
            Some(b'r') => (2, '\r'),
            Some(b'b') => (2, '\u{8}'),
            Some(b'f') => (2, '\u{c}'),
            Some(&sign @ (b'"' | b'\\' | b'/')) => (2, char::from(sign)),
            Some(b'u') if escape.len() >= 6 => unicode(escape),
            Some(b'u') | None => {
                rest = b"";
                break;
            }
            Some(_) => (1, '\\'),
        };
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(length..).unwrap_or_default();
        next = memchr::memchr(b'\\', rest);
    }
    text.extend_from_slice(rest);
    Cow::Owned(text)
}

/// `\u001b`, or two of them for a character beyond the first plane; U+FFFD for a half of such a pair.
fn unicode(escape: &[u8]) -> (usize, char) {
    let unit = |text: &[u8]| {
        let digits = text.strip_prefix(b"\\u")?.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    match unit(escape) {
        Some(high @ 0xD800..=0xDBFF) => match escape.get(6..).and_then(unit) {
            Some(low @ 0xDC00..=0xDFFF) => {
                let point = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                (12, char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            _ => (6, char::REPLACEMENT_CHARACTER),
        },
        Some(point) => (6, char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)),
        None => (1, '\\'),
    }
}
