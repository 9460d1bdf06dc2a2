//! The lines of journald, syslog and container runtimes: date, host, identifier, process. JSON forms are in `json`.

use super::program;
use super::stamp::{self, Dated};
use crate::model::time::Stamp;

/// One frame taken off; the fields it does not have are `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer<'t> {
    pub(super) stamp: Option<Stamp>,
    pub(super) host: Option<&'t str>,
    pub(super) identifier: Option<&'t str>,
    pub(super) pid: Option<u32>,
    /// The rest is known to be only the first part of what the program wrote.
    pub(super) truncated: bool,
    pub(super) rest: &'t [u8],
}

impl<'t> Layer<'t> {
    /// A layer that says nothing about the line.
    pub(super) fn bare(rest: &'t [u8]) -> Self {
        Self { stamp: None, host: None, identifier: None, pid: None, truncated: false, rest }
    }
}

/// Takes off one journal, syslog or CRI header; `None` when `text` does not begin with one.
pub(super) fn layer(text: &[u8]) -> Option<Layer<'_>> {
    if let Some(rest) = priority(text) {
        return rfc5424(rest).or_else(|| dated(rest)).or_else(|| {
            // `<6>MSG` as systemd's daemons write it, and local syslog sockets without date and host.
            let tagged = tag(rest).filter(|layer| layer.pid.is_some());
            tagged.or_else(|| program::is_log_line(rest).then(|| Layer::bare(rest)))
        });
    }
    dated(text)
}

/// The rest behind syslog's `<30>`.
fn priority(text: &[u8]) -> Option<&[u8]> {
    let inner = text.strip_prefix(b"<")?;
    let end = inner.iter().take(4).position(|&byte| byte == b'>')?;
    let (digits, rest) = inner.split_at_checked(end)?;
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then(|| rest.get(1..)).flatten()
}

/// RFC 5424 behind its priority: `1 DATE HOST APP PROCID MSGID SD MSG`, with `-` for what is not known.
fn rfc5424(text: &[u8]) -> Option<Layer<'_>> {
    let text = text.strip_prefix(b"1 ")?;
    let (date, text) = word(text)?;
    let (host, text) = word(text)?;
    let (identifier, text) = word(text)?;
    let (process, text) = word(text)?;
    let (_message_id, text) = word(text)?;
    let text = structured_data(text)?;
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let known = |field| Some(field).filter(|&field| field != "-");
    Some(Layer {
        stamp: stamp::complete(date.as_bytes()),
        host: known(host),
        identifier: known(identifier),
        pid: process.parse().ok(),
        truncated: false,
        rest: text,
    })
}

/// The text behind `-` or `[id name="value"]…` and its blank.
fn structured_data(text: &[u8]) -> Option<&[u8]> {
    let mut rest = match text.strip_prefix(b"-") {
        Some(rest) => rest,
        None => text.starts_with(b"[").then_some(text)?,
    };
    while let Some(element) = rest.strip_prefix(b"[") {
        let (mut quoted, mut escaped) = (false, false);
        let end = element.iter().position(|&byte| {
            let ends = byte == b']' && !quoted;
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = !quoted,
                _ => {}
            }
            ends
        })?;
        rest = element.get(end + 1..)?;
    }
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(b" ") }
}

/// Everything that begins with a date.
fn dated(text: &[u8]) -> Option<Layer<'_>> {
    let (rest, Dated { stamp, common }) = stamp::any(text)?;
    let rest = rest.trim_ascii_start();
    let layer = container(rest).or_else(|| {
        // `--no-hostname`: only a process number or a known line behind it distinguishes an identifier from a program's word.
        let proven = |layer: &Layer| layer.pid.is_some() || program::is_log_line(layer.rest);
        tag(rest).filter(proven).or_else(|| hosted(rest).filter(|layer| !common || proven(layer)))
    });
    let layer = layer.or_else(|| program::is_log_line(rest).then(|| Layer::bare(rest)))?;
    Some(Layer { stamp, ..layer })
}

/// CRI's `stderr F MSG`. `P` marks a line that the runtime split; its other parts stand in lines of their own.
fn container(text: &[u8]) -> Option<Layer<'_>> {
    let text = text.strip_prefix(b"std").filter(|rest| rest.starts_with(b"out ") || rest.starts_with(b"err "))?;
    let text = text.get(4..)?;
    let truncated = text.starts_with(b"P");
    let rest = text.strip_prefix(b"F").or_else(|| text.strip_prefix(b"P"))?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(b" ")? };
    Some(Layer { truncated, ..Layer::bare(rest) })
}

/// `HOST IDENTIFIER[PID]: MSG`, or the program's line right behind the host.
fn hosted(text: &[u8]) -> Option<Layer<'_>> {
    let (host, rest) = word(text)?;
    if !is_host(host) {
        return None;
    }
    let rest = rest.trim_ascii_start();
    let layer = tag(rest).or_else(|| program::is_log_line(rest).then(|| Layer::bare(rest)))?;
    Some(Layer { host: Some(host), ..layer })
}

/// `IDENTIFIER[PID]: ` or `IDENTIFIER: `.
fn tag(text: &[u8]) -> Option<Layer<'_>> {
    let end = text.iter().take(256).position(|byte| matches!(byte, b'[' | b':' | b' ' | b'"' | b'\'' | b'=' | b'{'))?;
    let (identifier, rest) = text.split_at_checked(end)?;
    let identifier = graphic(identifier)?;
    let (pid, rest) = match rest.strip_prefix(b"[") {
        Some(inner) => {
            let end = inner.iter().take(24).position(|&byte| byte == b']')?;
            let (digits, rest) = inner.split_at_checked(end)?;
            (graphic(digits)?.parse().ok(), rest.get(1..)?)
        }
        None => (None, rest),
    };
    let rest = rest.strip_prefix(b":")?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(b" ")? };
    Some(Layer { identifier: Some(identifier), pid, ..Layer::bare(rest) })
}

/// The bytes up to the next blank or tab, and what follows that.
pub(super) fn word(text: &[u8]) -> Option<(&str, &[u8])> {
    let end = text.iter().take(256).position(|&byte| matches!(byte, b' ' | b'\t'))?;
    let (head, rest) = text.split_at_checked(end)?;
    Some((graphic(head)?, rest.get(1..)?))
}

/// Whether a word can be a host's name or address; log levels and words of a sentence with signs cannot.
pub(super) fn is_host(word: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%' | b'/');
    word.bytes().all(allowed) && !word.ends_with(':') && word.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

/// Visible ASCII, not empty.
fn graphic(bytes: &[u8]) -> Option<&str> {
    let visible = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
    visible.then(|| std::str::from_utf8(bytes).ok()).flatten()
}
