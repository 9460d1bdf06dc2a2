//! Log lines inside JSON: journald's json forms, docker's json-file, the objects of log agents. Objects that programs
//! write themselves are recognised and left as they are.

use std::borrow::Cow;

use super::json::{Fields, Value, string, unescape};
use super::stamp;
use crate::model::time::Stamp;

/// Docker splits longer lines; a part of this size without a newline at its end is not a complete line.
const DOCKER_SPLIT_LEN: usize = 16 * 1024;

/// What a JSON object says about the line inside it.
#[derive(Debug, Default)]
pub(super) struct Envelope<'t> {
    pub(super) stamp: Option<Stamp>,
    pub(super) host: Option<Cow<'t, str>>,
    pub(super) identifier: Option<Cow<'t, str>>,
    pub(super) pid: Option<u32>,
    pub(super) message: Option<Cow<'t, [u8]>>,
    /// The message ends before its closing quote, or docker split it.
    pub(super) truncated: bool,
}

/// What an object at the beginning of a line is.
#[derive(Debug)]
pub(super) enum Object<'t> {
    /// A frame: it contains a line.
    Envelope(Envelope<'t>),
    /// A program's own line (`{"level":…,"msg":…}`).
    Program,
    /// Neither is certain.
    Other,
}

/// Reads an object; `text` should begin with `{`.
pub(super) fn object(text: &[u8]) -> Object<'_> {
    let Some(inside) = text.strip_prefix(b"{") else {
        return Object::Other;
    };
    let mut envelope = Envelope::default();
    let mut program = inside.starts_with(b"\"level\":\"");
    for (key, value) in Fields(inside) {
        match key {
            b"msg" => program = true,
            b"jsonPayload" | b"_source" => fill(&mut envelope, Fields(value.inside())),
            _ => field(&mut envelope, key, value),
        }
    }
    match envelope.message {
        Some(_) if !program => Object::Envelope(envelope),
        _ if program => Object::Program,
        _ => Object::Other,
    }
}

/// Whether `text` could begin an object: a cheap test for places where reading all of it would cost too much.
pub(super) fn looks_like_object(text: &[u8]) -> bool {
    let Some(key) = text.strip_prefix(b"{\"") else {
        return false;
    };
    let end = key.iter().take(40).position(|&byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@')));
    end.is_some_and(|end| end > 0 && key.get(end..).is_some_and(|rest| rest.starts_with(b"\":")))
}

/// One field on a line of its own, as `json-pretty` prints it: `"MESSAGE" : "…",`.
pub(super) fn pretty(text: &[u8]) -> Option<Envelope<'_>> {
    if !text.starts_with(b"\"") {
        return None;
    }
    let (key, value) = Fields(text).next()?;
    let mut envelope = Envelope::default();
    field(&mut envelope, key, value);
    envelope.message.is_some().then_some(envelope)
}

/// A complete line in double quotes with its inner quotes escaped; perhaps a comma or bracket behind it.
pub(super) fn quoted_line(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (inner, closed, rest) = string(text.strip_prefix(b"\"")?);
    let rest = rest.trim_ascii();
    (closed && inner.len() > 20 && matches!(rest, b"" | b"," | b"]")).then(|| unescape(inner))
}

fn fill<'t>(envelope: &mut Envelope<'t>, fields: Fields<'t>) {
    for (key, value) in fields {
        field(envelope, key, value);
    }
}

/// Takes one field over, if its name is known: journald's names (also without the underscores that fluent-bit takes
/// off), docker's, and the usual ones of agents.
fn field<'t>(envelope: &mut Envelope<'t>, key: &[u8], value: Value<'t>) {
    let owned_text = |value: Value<'t>| value.text().map(readable).filter(|text| !text.is_empty());
    match key {
        b"MESSAGE" | b"message" | b"log" | b"line" | b"textPayload" => {
            let Some(mut text) = value.text() else { return };
            let ended = text.ends_with(b"\n");
            if ended {
                shorten(&mut text, 1);
            }
            if value.open() && text.ends_with(b">") {
                shorten(&mut text, 1);
            }
            envelope.truncated |= value.open() || (key == b"log" && !ended && text.len() >= DOCKER_SPLIT_LEN);
            envelope.message = Some(text);
        }
        b"_HOSTNAME" | b"HOSTNAME" | b"hostname" | b"host" | b"kubernetes" => {
            let nested = Fields(value.inside()).find(|(key, _)| matches!(*key, b"host" | b"name" | b"hostname"));
            let found = nested.and_then(|(_, value)| owned_text(value)).or_else(|| owned_text(value));
            envelope.host = found.or(envelope.host.take());
        }
        b"SYSLOG_IDENTIFIER" => envelope.identifier = owned_text(value),
        b"_PID" | b"PID" => {
            envelope.pid = value.text().and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok());
        }
        b"__REALTIME_TIMESTAMP" => envelope.stamp = value.text().and_then(|text| stamp::realtime(&text)),
        b"time" | b"timestamp" | b"@timestamp" => {
            envelope.stamp = envelope.stamp.or_else(|| value.text().and_then(|text| stamp::complete(&text)));
        }
        _ => {}
    }
}

fn readable(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Takes `bytes` off the end.
fn shorten(text: &mut Cow<'_, [u8]>, bytes: usize) {
    let length = text.len().saturating_sub(bytes);
    match text {
        Cow::Borrowed(slice) => *slice = slice.get(..length).unwrap_or_default(),
        Cow::Owned(vec) => vec.truncate(length),
    }
}
