//! An entry as the line that `journalctl -o short-iso-precise` prints of it, in UTC: with date, host, program and process,
//! which `-o export` has on lines of their own.

use std::io::Write;
use std::sync::Arc;

use chrono::{DateTime, Datelike};
use memchr::memchr;

use super::blocks::{Blocks, Fault, Found};
use super::object::{DATA, Header, Object, entry};
use super::selection::JournalSelection;
use crate::model::hash::HashMap;

/// The longest field that is read: more than a line may have, so that a longer one is counted as such.
const MAX_FIELD: usize = 1 << 20;
/// The longest field of those that say who wrote.
const MAX_NAME: usize = 512;
/// How many fields are remembered by their place.
const MAX_REMEMBERED: usize = 1 << 16;

/// A field that says who wrote an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Host,
    Process,
    SyslogProcess,
    Identifier,
    Program,
    Unit,
}

/// A field that many entries share; none if it is not needed.
type SharedField = Option<(Name, Arc<[u8]>)>;

/// What stands at a place.
enum Field {
    /// It may stand in other entries too.
    Shared(SharedField),
    /// When it was sent.
    Sent(i64),
    /// It is in the buffer for messages.
    Message,
}

/// Writes entries as lines.
pub(super) struct LineWriter {
    selection: Arc<JournalSelection>,
    shared: HashMap<u64, SharedField>,
    bytes: Vec<u8>,
    message: Vec<u8>,
    /// The second that was written last, and its date.
    second: Option<(i64, String)>,
}

impl LineWriter {
    /// For the entries of a selection.
    pub(super) fn new(selection: Arc<JournalSelection>) -> Self {
        LineWriter { selection, shared: HashMap::default(), bytes: Vec::new(), message: Vec::new(), second: None }
    }

    /// Writes the entry at a place, if it is of a wanted unit or identifier and has a message.
    pub(super) fn write(
        &mut self,
        blocks: &mut Blocks,
        header: &Header,
        at: u64,
        damage: &mut dyn FnMut(u64),
        out: &mut Vec<u8>,
    ) -> Found<()> {
        let (received, fields) = entry(blocks, header, at, &mut self.bytes)?;
        let mut damage = |place, length| damage(if place < length { place } else { at });
        let written = self.write_fields(blocks, header, received, &fields, &mut damage, out)?;
        if written { Ok(()) } else { Err(Fault::Damaged(at)) }
    }

    /// Whether its date can be written.
    fn write_fields(
        &mut self,
        blocks: &mut Blocks,
        header: &Header,
        received: u64,
        fields: &[u64],
        damage: &mut dyn FnMut(u64, u64),
        out: &mut Vec<u8>,
    ) -> Found<bool> {
        let (mut names, mut sent, mut has_message) = ([const { None }; 6], None, false);
        for place in fields {
            match self.field(blocks, header, *place) {
                Ok(Field::Shared(Some((name, value)))) => {
                    if let Some(slot) = names.get_mut(name as usize) {
                        *slot = Some(value);
                    }
                }
                Ok(Field::Shared(None)) => {}
                Ok(Field::Sent(micros)) => sent = Some(micros),
                Ok(Field::Message) => has_message = true,
                Err(Fault::Damaged(place)) => damage(place, blocks.len()),
                Err(error) => return Err(error),
            }
        }
        let [host, process, syslog_process, identifier, program, unit] = names;
        if !has_message || !self.selection.takes(unit.as_deref(), identifier.as_deref()) {
            return Ok(true);
        }
        let Some(micros) = sent.or_else(|| i64::try_from(received).ok()) else { return Ok(false) };
        let start = out.len();
        if !self.write_date(micros, out) {
            return Ok(false);
        }
        if let Some(host) = host {
            out.push(b' ');
            out.extend_from_slice(&host);
        }
        out.push(b' ');
        out.extend_from_slice(identifier.or(program).as_deref().unwrap_or(b"unknown"));
        if let Some(process) = process.or(syslog_process) {
            out.push(b'[');
            out.extend_from_slice(&process);
            out.push(b']');
        }
        out.extend_from_slice(b": ");
        let width = out.len() - start;
        let mut rest = self.message.strip_prefix(b"MESSAGE=").unwrap_or_default();
        // Further lines of a message stand under its first.
        while let Some(end) = memchr(b'\n', rest) {
            let (line, behind) = rest.split_at(end);
            out.extend_from_slice(line);
            rest = behind.get(1..).unwrap_or_default();
            out.push(b'\n');
            if rest.is_empty() {
                return Ok(true);
            }
            out.resize(out.len() + width, b' ');
        }
        out.extend_from_slice(rest);
        out.push(b'\n');
        Ok(true)
    }

    fn write_date(&mut self, micros: i64, out: &mut Vec<u8>) -> bool {
        let (second, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        if self.second.as_ref().is_none_or(|(known, _)| *known != second) {
            let date = DateTime::from_timestamp(second, 0).filter(|date| (1970..10_000).contains(&date.year()));
            self.second = date.map(|date| (second, date.format("%Y-%m-%dT%H:%M:%S").to_string()));
        }
        let Some((_, date)) = &self.second else { return false };
        write!(out, "{date}.{micros:06}+00:00").is_ok()
    }

    fn field(&mut self, blocks: &mut Blocks, header: &Header, at: u64) -> Found<Field> {
        if let Some(known) = self.shared.get(&at) {
            return Ok(Field::Shared(known.clone()));
        }
        let object = Object::of(blocks, at, DATA)?;
        object.field(blocks, header, MAX_NAME, &mut self.bytes)?;
        let equals = memchr(b'=', &self.bytes).ok_or(Fault::Damaged(at))?;
        let (name, value) = self.bytes.split_at(equals);
        let value = value.get(1..).unwrap_or_default();
        let name = match name {
            b"MESSAGE" => {
                if self.bytes.len() < MAX_NAME {
                    std::mem::swap(&mut self.bytes, &mut self.message);
                } else {
                    object.field(blocks, header, MAX_FIELD, &mut self.message)?;
                }
                return Ok(Field::Message);
            }
            b"_SOURCE_REALTIME_TIMESTAMP" => {
                let micros = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                return micros.map(Field::Sent).ok_or(Fault::Damaged(at));
            }
            b"_HOSTNAME" => Some(Name::Host),
            b"_PID" => Some(Name::Process),
            b"SYSLOG_PID" => Some(Name::SyslogProcess),
            b"SYSLOG_IDENTIFIER" => Some(Name::Identifier),
            b"_COMM" => Some(Name::Program),
            b"_SYSTEMD_UNIT" => Some(Name::Unit),
            _ => None,
        };
        // Line ends in a name would make a line of their own.
        let named = name.filter(|_| !value.iter().any(u8::is_ascii_control)).map(|name| (name, Arc::from(value)));
        if self.shared.len() >= MAX_REMEMBERED {
            self.shared.clear();
        }
        self.shared.insert(at, named.clone());
        Ok(Field::Shared(named))
    }
}
