//! Log lines inside JSON: journald's json forms, docker's json-file, the objects of log agents. Objects that programs
//! write themselves are recognised and left as they are.

use std::borrow::Cow;

use super::json::{Fields, Value, string, unescape};
use super::keys::{PARTS, Part, Path, Wrapper};
use super::{header, program, stamp};
use crate::model::time::Stamp;

/// Docker splits longer lines; a part of this size without a newline at its end is not a complete line.
const DOCKER_SPLIT_LEN: usize = 16 * 1024;
/// Names of labels are shorter, in bytes.
const MAX_LABEL: usize = 128;
/// How far the message of a row of CSV may be, in bytes.
const MAX_CSV_FRONT: usize = 512;

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
    let mut record = Record::default();
    record.fill(Fields(inside), Path::ROOT, false);
    let leveled = inside.starts_with(b"\"level\":\"");
    let Record { envelope, program, .. } = record;
    // A program's own line begins with its level, or has `msg`; a store may have put its level in front of a line.
    let framed = |message: &[u8]| !leveled || program::is_log_line(message);
    match &envelope.message {
        Some(message) if !program && framed(message) => Object::Envelope(envelope),
        _ if program || leveled => Object::Program,
        _ => Object::Other,
    }
}

/// Whether `text` could begin an object: a cheap test for places where reading all of it would cost too much.
pub(super) fn looks_like_object(text: &[u8]) -> bool {
    let Some(key) = text.strip_prefix(b"{\"") else {
        return false;
    };
    let end =
        key.iter().take(40).position(|&byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'.')));
    end.is_some_and(|end| {
        end > 0 && key.get(end..).is_some_and(|rest| rest.starts_with(b"\":") || rest.starts_with(b"\"=>"))
    })
}

/// One field on a line of its own, as `json-pretty` prints it: `"MESSAGE" : "…",`.
pub(super) fn pretty(text: &[u8]) -> Option<Envelope<'_>> {
    if !text.starts_with(b"\"") {
        return None;
    }
    let (key, value) = Fields(text).next()?;
    let mut record = Record::default();
    let (rank, row) = Path::ROOT.join(key)?.row().filter(|(_, row)| row.part == Part::Message && key != b"msg")?;
    record.take(rank, row.part, key, value);
    record.envelope.message.is_some().then_some(record.envelope)
}

/// A complete line in double quotes with its inner quotes escaped; perhaps a comma or bracket behind it.
pub(super) fn quoted_line(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (inner, closed, rest) = string(text.strip_prefix(b"\"")?);
    let rest = rest.trim_ascii();
    (closed && inner.len() > 20 && matches!(rest, b"" | b"," | b"]")).then(|| unescape(inner))
}

/// An envelope being filled.
#[derive(Default)]
struct Record<'t> {
    envelope: Envelope<'t>,
    /// The places in the table of what was found.
    ranks: [Option<usize>; PARTS],
    /// It has a `msg` that is no line: it is a program's own.
    program: bool,
}

impl<'t> Record<'t> {
    /// Takes over the fields whose names are known. `labels`: they tell of the record, and have no line of it.
    fn fill(&mut self, fields: Fields<'t>, place: Path, labels: bool) {
        for (key, value) in fields {
            let Some(path) = place.join(key) else { continue };
            if let (Value::Other(_), Some(wrapper)) = (value, path.wrapper())
                && !value.inside().is_empty()
            {
                self.fill(Fields(value.inside()), Path::ROOT, labels || wrapper == Wrapper::Labels);
            } else if !value.inside().is_empty() {
                if path.is_prefix() {
                    self.fill(Fields(value.inside()), path, labels);
                }
            } else if let Some((rank, row)) = path.row() {
                let is_line = || value.text().is_some_and(|text| program::is_log_line(&text));
                if key == b"msg" && !labels && !is_line() {
                    self.program = true;
                } else if !(labels && matches!(row.part, Part::Message | Part::Time)) {
                    self.take(rank, row.part, key, value);
                }
            } else if let (b"_stream" | b"stream" | b"labels", Some(text)) = (key, value.text()) {
                self.take_labels(&text);
            }
        }
    }

    /// Takes a value over, unless there is one already that counts more.
    fn take(&mut self, rank: usize, part: Part, key: &[u8], value: Value<'t>) {
        let Some(known) = self.ranks.get_mut(part as usize) else { return };
        if known.is_some_and(|known| known <= rank) {
            return;
        }
        let envelope = &mut self.envelope;
        let owned_text = || value.text().map(readable).filter(|text| !text.is_empty());
        match part {
            Part::Message => {
                let Some(mut text) = value.text() else { return };
                let ended = text.ends_with(b"\n");
                if ended {
                    shorten(&mut text, 1);
                }
                if value.open() && text.ends_with(b">") {
                    shorten(&mut text, 1);
                }
                envelope.truncated = value.open() || (key == b"log" && !ended && text.len() >= DOCKER_SPLIT_LEN);
                envelope.message = Some(text);
            }
            Part::Time => {
                let Some(stamp) = value.text().and_then(|text| stamp::stored(&text)) else { return };
                envelope.stamp = Some(stamp);
            }
            Part::Host => {
                let Some(host) = owned_text().and_then(|host| as_host(key, host)) else { return };
                envelope.host = Some(host);
            }
            Part::Unit => {
                let Some(unit) = owned_text() else { return };
                envelope.identifier = Some(unit);
            }
            Part::Process => {
                let text = value.text();
                let Some(pid) = text.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok()) else { return };
                envelope.pid = Some(pid);
            }
        }
        *known = Some(rank);
    }

    /// The host of a stream that is written as a text of labels (VictoriaLogs), where no key has it.
    fn take_labels(&mut self, text: &[u8]) {
        if self.envelope.host.is_none()
            && let Some((labels, _)) = labels(text)
        {
            self.envelope.host = labels.host.map(|host| Cow::Owned(host.into_owned()));
        }
    }
}

/// A host as a key's value names it. A CloudWatch stream's name has it in front; Graylog's `source` may be anything.
fn as_host<'t>(key: &[u8], value: Cow<'t, str>) -> Option<Cow<'t, str>> {
    if key.eq_ignore_ascii_case(b"source") {
        return Some(value).filter(|name| {
            header::is_host(name) && !name.contains('/') && name.bytes().any(|byte| byte.is_ascii_digit())
        });
    }
    if key.ends_with(b"logStreamName") || key.ends_with(b"logStream") {
        let host = stream_host(&value)?.to_owned();
        return Some(Cow::Owned(host));
    }
    Some(value)
}

/// The node in the name of a stream of CloudWatch's: what stands before the part that tells of the unit.
pub(super) fn stream_host(name: &str) -> Option<&str> {
    let host = ["-dataplane", "-host.", ".kubelet", "/kubelet"].iter().find_map(|mark| name.split_once(mark));
    let host = host.map_or(name, |(host, _)| host);
    let is_unit = [".service", ".log"].iter().any(|end| host.ends_with(end));
    (header::is_host(host) && !is_unit && host.bytes().any(|byte| byte.is_ascii_alphabetic())).then_some(host)
}

/// Labels as Loki and VictoriaLogs write them, `{name="value", …}`, and what follows them.
pub(super) fn labels(text: &[u8]) -> Option<(Envelope<'_>, &[u8])> {
    let mut rest = text.strip_prefix(b"{")?;
    let mut record = Record::default();
    loop {
        rest = rest.trim_ascii_start();
        if let Some(behind) = rest.strip_prefix(b"}") {
            return Some((record.envelope, behind));
        }
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        let end = rest.iter().take(MAX_LABEL).position(|byte| *byte == b'=')?;
        let (name, behind) = rest.split_at_checked(end)?;
        let (raw, closed, behind) = string(behind.strip_prefix(b"=\"")?);
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b':');
        if !closed || name.is_empty() || !name.iter().all(word) {
            return None;
        }
        if let Some((rank, row)) = Path::ROOT.join(name).and_then(|path| path.row())
            && !matches!(row.part, Part::Message | Part::Time)
        {
            record.take(rank, row.part, name, Value::Text { raw, closed });
        }
        rest = behind;
    }
}

/// Fields that a shipper wrote without escapes: `"K"=>"V", …` (Fluent Bit's standard output), `"K":"V"` between tabs (its LTSV),
/// `K="V" …` (its Loki lines). Where a message ends can then be seen only if it is the last, or by the next field's arrow.
pub(super) fn unescaped(text: &[u8]) -> Option<Envelope<'_>> {
    let mut rest = text.strip_prefix(b"{").unwrap_or(text);
    let mut record = Record::default();
    loop {
        let quoted = rest.strip_prefix(b"\"");
        let is_end = |byte: &u8| *byte == if quoted.is_some() { b'"' } else { b'=' };
        let from = quoted.unwrap_or(rest);
        let (name, behind) = from.split_at_checked(from.iter().take(MAX_LABEL).position(is_end)?)?;
        let behind = if quoted.is_some() { behind.get(1..)? } else { behind };
        let arrow = behind.strip_prefix(b"=>");
        // What is escaped is read as JSON is.
        let behind = arrow.or_else(|| behind.strip_prefix(if quoted.is_some() { b":" } else { b"=" }))?;
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@');
        if name.is_empty() || !name.iter().all(word) {
            return None;
        }
        if name == b"msg" {
            // A program's own.
            return None;
        }
        let row = Path::ROOT.join(name).and_then(|path| path.row());
        let Some(value) = behind.strip_prefix(b"\"") else {
            // A number.
            let end = behind.iter().position(|byte| matches!(byte, b'\t' | b' ' | b','))?;
            rest = behind.get(end..)?.trim_ascii_start();
            rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
            continue;
        };
        if row.is_none_or(|(_, row)| row.part != Part::Message) {
            let (raw, behind) = value.split_at_checked(memchr::memchr(b'"', value)?)?;
            if let Some((rank, row)) = row {
                record.take(rank, row.part, name, Value::Text { raw, closed: true });
            }
            rest = behind.get(1..)?.trim_ascii_start();
            rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
            continue;
        }
        let next = if arrow.is_some() {
            memchr::memmem::find(value, b"\", \"_")
        } else {
            memchr::memmem::find(value, b"\"\t\"")
        };
        let value = match next {
            Some(end) => value.get(..end)?,
            None => value.trim_ascii_end().strip_suffix(b"]").unwrap_or(value.trim_ascii_end()),
        };
        let value = if next.is_none() { value.strip_suffix(b"}").unwrap_or(value) } else { value };
        record.envelope.message = Some(Cow::Borrowed(value.strip_suffix(b"\"").unwrap_or(value)));
        return Some(record.envelope);
    }
}

/// The last field of a row of a CSV file of which no names of columns are known, if it is a program's line.
pub(super) fn csv_row(text: &[u8]) -> Option<Envelope<'_>> {
    let front = text.get(..text.len().min(MAX_CSV_FRONT))?;
    let at = memchr::memmem::find_iter(front, b",\"").find(|at| text.get(at + 2..).is_some_and(begins_quoted_line))?;
    let line = text.get(at + 2..)?.trim_ascii_end();
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    let message = if has_doubled_quotes(line) {
        let mut text = Vec::with_capacity(line.len());
        let mut skip = false;
        for byte in line {
            skip = *byte == b'"' && !skip;
            if !skip {
                text.push(*byte);
            }
        }
        Cow::Owned(text)
    } else {
        Cow::Borrowed(line)
    };
    Some(Envelope { message: Some(message), ..Envelope::default() })
}

/// Whether a program's line begins here, perhaps with its quotes doubled.
fn begins_quoted_line(text: &[u8]) -> bool {
    program::is_log_line(text) || text.starts_with(b"time=\"\"") || text.starts_with(b"{\"\"ts\"\":")
}

/// Whether all quotes stand in pairs, as CSV escapes them. Not every writer does.
fn has_doubled_quotes(line: &[u8]) -> bool {
    let mut rest = line;
    let mut any = false;
    while let Some(at) = memchr::memchr(b'"', rest) {
        if rest.get(at + 1) != Some(&b'"') {
            return false;
        }
        any = true;
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    any
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
