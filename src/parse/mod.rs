//! A chunk of text in, records out: a pure function, so chunks can be parsed on any number of threads.
//!
//! One search for all literals over the raw bytes finds the few lines worth reading; the others are only counted.

pub mod calendar;
pub mod entry;
pub mod field_buffer;
pub mod frame;
pub mod grammar;
pub mod object;
pub mod prefilter;
pub mod records;
pub mod startup_record;
pub mod value;

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::model::fields::Fields;
use crate::model::record::{Fact, Field, MAX_EXAMPLES, Record, SourceLine, StartupRecord, ZonedTime};
use crate::model::time::{Stamp, Time};
use crate::parse::grammar::Grammars;
use entry::{Dialect, Entry, Keys};
use frame::{Frame, FrameReader};
use records::Records;

/// How many lines a multi-line value or a wrapped record may span. klog prints an error's stack on some hundred lines at most.
const MAX_CONTINUATION_LINES: usize = 200;

/// What a chunk held.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The records in the order of their lines.
    pub records: Records,
    /// The hosts named by frames, referred to by number.
    pub hosts: Vec<Box<str>>,
    /// How many lines there were.
    pub lines: u64,
    /// Lines that hold a literal but are no message of any grammar (prose, other programs, newer versions).
    pub unknown: u64,
    /// Records whose line is truncated.
    pub truncated: u64,
    /// Bytes of its own.
    pub bytes: u64,
    /// Lines that were longer than the limit, by number.
    pub long_lines: Vec<u64>,
    /// The first unknown ones, for the report's examples.
    pub unknown_places: Vec<SourceLine>,
    /// The first truncated ones, for the report's examples.
    pub truncated_places: Vec<SourceLine>,
}

/// Parses a chunk: `text[..end]` is its own, what follows only completes records that span lines.
/// `first_line` is the number of its first line in source number `source`.
#[cfg(any(test, feature = "internals"))]
pub fn chunk(grammars: &Grammars, text: &[u8], end: usize, source: u32, first_line: u64) -> Parsed {
    let mut parsed = chunk_into(Records::default(), grammars, text, end, source);
    let places = parsed.unknown_places.iter_mut().chain(&mut parsed.truncated_places);
    for place in places.chain(parsed.records.heads_mut().map(|record| &mut record.place)) {
        place.line += first_line - 1;
    }
    parsed
}

/// The same, with lines numbered within the chunk, from 1, and with the records of a chunk put where those of another were: as
/// a chunk may hold thousands of them, memory that is asked for anew for each costs more than they do.
pub(crate) fn chunk_into(records: Records, grammars: &Grammars, text: &[u8], end: usize, source: u32) -> Parsed {
    let own = text.get(..end).unwrap_or(text);
    let mut parsed = Parsed { records, ..Parsed::default() };
    // The line that `counted` lies in; newlines are counted up to there only, so each byte is counted once.
    let (mut line, mut counted) = (1, 0);
    let (mut scratch, mut reader) = (Scratch::default(), FrameReader::default());
    for found in grammars.lines(own) {
        line += count_lines(own.get(counted..found.start).unwrap_or_default());
        counted = found.start;
        let after = text.get((found.end + 1).min(text.len())..).unwrap_or_default();
        let place = SourceLine { source, line };
        let frame = reader.open(own.get(found).unwrap_or_default());
        parsed.take(grammars, &frame, after, place, &mut scratch);
    }
    let rest = own.get(counted..).unwrap_or_default();
    let last = u64::from(!rest.is_empty() && rest.last() != Some(&b'\n'));
    parsed.lines = line - 1 + count_lines(rest) + last;
    parsed
}

/// What the lines of a chunk use one after another.
#[derive(Default)]
struct Scratch {
    /// What a value continues on the next lines.
    joined: String,
    /// The keys of the line before.
    keys: Keys<'static>,
}

/// The instant of a line as its own text has it, with its zone: the runtime's stamp, the watch that the tracker's record was
/// written at, and of a volume's retry the time it is put off to less the delay.
fn own_time(entry: &Entry<'_>, startup_record: Option<&StartupRecord>) -> Option<ZonedTime> {
    if let Some(record) = startup_record {
        return Some(ZonedTime { time: record.watched.time()?, offset: record.offset? });
    }
    match (entry.dialect, entry.stamp, entry.offset) {
        (Dialect::Logrus, Some(Stamp::Utc(nanos)), Some(offset)) => Some(ZonedTime { time: Time(nanos), offset }),
        (Dialect::Klog, ..) => put_off(&entry.text),
        _ => None,
    }
}

/// `Operation for "…" failed. No retries permitted until TIME (durationBeforeRetry LENGTH)`. Other lines quote the same words
/// later than they were written.
fn put_off(text: &str) -> Option<ZonedTime> {
    let (_, behind) = text.strip_prefix("Operation for ")?.split_once(" failed. No retries permitted until ")?;
    let (until, behind) = behind.split_once(" (durationBeforeRetry ")?;
    let delay = value::duration(behind.split_once(')')?.0)?;
    let until = value::go_time(until)?;
    Some(ZonedTime { time: until.time? - delay, offset: until.offset })
}

fn count_lines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

impl Parsed {
    fn take(&mut self, grammars: &Grammars, frame: &Frame<'_>, after: &[u8], place: SourceLine, scratch: &mut Scratch) {
        // Most bodies are UTF-8, and checking that is several times as fast as looking for what is not.
        let body = simdutf8::basic::from_utf8(&frame.body)
            .map_or_else(|_| String::from_utf8_lossy(&frame.body), Cow::Borrowed);
        let body = body.trim_end_matches(['\r', '\n']);
        let Scratch { joined, keys } = scratch;
        let body = join_continuation(body, after, joined);
        let inner;
        let mut wrapped_at = None;
        let mut entry = Entry::read_into(std::mem::take(keys), &body);
        if entry.is_wrapped() {
            wrapped_at = entry.stamp;
            inner = entry.text.into_owned();
            entry = Entry::read_into(entry::emptied(entry.keys), &inner);
        }
        entry.truncated |= frame.truncated;
        self.recognize(grammars, &entry, (frame, wrapped_at), place, &body);
        *keys = entry::emptied(entry.keys);
    }

    /// Adds the record of a line, if it is a message.
    fn recognize(
        &mut self,
        grammars: &Grammars,
        entry: &Entry<'_>,
        (frame, wrapped_at): (&Frame<'_>, Option<Stamp>),
        place: SourceLine,
        body: &str,
    ) {
        let fields = self.records.fields();
        let since = fields.begin(body);
        let Some(message) = grammars.recognize(entry, fields) else {
            fields.take_back(since);
            self.unknown(place);
            return;
        };
        let fact = message.fact;
        let mut startup_record = None;
        if fact == Fact::StartupObserved {
            // Prose and other programs that quote the message are no records: those have a pod.
            if !fields.has(Field::Pod, since) {
                fields.take_back(since);
                self.unknown(place);
                return;
            }
            let read = startup_record::read(&entry.keys, entry.dialect == Dialect::Json, entry.truncated);
            startup_record = Some(Box::new(read));
        }
        let zoned = own_time(entry, startup_record.as_deref());
        if entry.truncated {
            self.truncated += 1;
            if self.truncated_places.len() < MAX_EXAMPLES {
                self.truncated_places.push(place);
            }
        }
        let host = frame.host.as_deref().and_then(|host| self.host(host));
        let record = Record {
            stamp: entry.stamp,
            frame_stamp: frame.stamp.or(wrapped_at),
            zoned,
            place,
            host,
            pid: entry.pid.or(frame.pid),
            from_runtime: entry.dialect == Dialect::Logrus,
            whole_second: entry.whole_second,
            fact,
            fields: Fields::default(),
            from_api: false,
            pod_status: None,
            startup_record,
        };
        self.records.push(record, since);
    }

    fn unknown(&mut self, place: SourceLine) {
        self.unknown += 1;
        if self.unknown_places.len() < MAX_EXAMPLES {
            self.unknown_places.push(place);
        }
    }

    fn host(&mut self, host: &str) -> Option<u16> {
        // The names of nodes mostly begin alike.
        let last = host.as_bytes().last();
        let known = self.hosts.iter().position(|known| known.as_bytes().last() == last && **known == *host);
        let number = known.unwrap_or_else(|| {
            self.hosts.push(host.into());
            self.hosts.len() - 1
        });
        u16::try_from(number).ok()
    }
}

/// Joins what a value continues on the next lines: klog's `key=<` blocks, and records that a mail or a web page wrapped.
fn join_continuation<'a>(body: &'a str, after: &[u8], scratch: &'a mut String) -> Cow<'a, str> {
    if body.ends_with("=<") {
        scratch.clear();
        scratch.push_str(body);
        for next in lines(after).take(MAX_CONTINUATION_LINES) {
            let next = frame::open(next);
            let next = String::from_utf8_lossy(&next.body);
            let next = next.trim_end_matches('\r');
            // Journals and files keep the TAB; some viewers turn it to blanks or take it away.
            let ends = next.trim_start().starts_with('>');
            scratch.push('\n');
            if ends {
                scratch.push(' ');
                scratch.push_str(next.trim_start());
                return Cow::Borrowed(scratch.as_str());
            }
            scratch.push_str(next);
        }
        return Cow::Borrowed(body);
    }
    if !body.starts_with('{')
        && RECORD_MESSAGE.find(body.as_bytes()).is_some()
        && !body.contains("watchObservedRunningTime=\"")
    {
        scratch.clear();
        scratch.push_str(body);
        for next in lines(after).take(8) {
            let Ok(next) = std::str::from_utf8(next) else { break };
            let next = next.trim();
            let continues = CONTINUATION_KEYS.iter().any(|key| next.starts_with(key));
            if !continues {
                break;
            }
            scratch.push(' ');
            scratch.push_str(next);
        }
        return Cow::Borrowed(scratch.as_str());
    }
    Cow::Borrowed(body)
}

/// Looked for in every line that is read.
static RECORD_MESSAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(startup_record::MESSAGE));

/// The keys that a wrapped record's next line can begin with.
const CONTINUATION_KEYS: &[&str] = &[
    "podStart",
    "pod.CreationTimestamp=",
    "podCreationTimestamp=",
    "firstStartedPulling=",
    "lastFinishedPulling=",
    "observedRunningTime=",
    "watchObservedRunningTime=",
];

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}
