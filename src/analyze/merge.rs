//! Sources on their way in: each with its clock and its records, and the merge of all of them by time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;

use crossbeam_channel::Sender;

use super::readers::{ReaderEvent, ReaderEvents};
use super::reorder::Dated;
use crate::model::record::{MAX_EXAMPLES, Record, SourceLine};
use crate::model::time::Time;
use crate::parse::calendar::Clock;
use crate::report::{Coverage, UnusedLine};

/// How many records of a source wait for a line that tells its year and zone.
const MAX_UNDATED_RECORDS: usize = 100_000;

/// One source on its way in.
pub(super) struct SourceState {
    number: usize,
    answers: ReaderEvents,
    clock: Clock,
    /// Records of the chunk that is being taken, and the hosts they name.
    parsed: VecDeque<Record>,
    hosts: Vec<Rc<str>>,
    /// Where the memory of a chunk's records goes back to.
    emptied: Sender<Vec<Record>>,
    /// Records that wait for the clock to know.
    waiting: VecDeque<(Record, Option<Rc<str>>)>,
    ready: VecDeque<(Time, Record, Option<Rc<str>>)>,
    ended: bool,
    /// Some of it could be read.
    got: bool,
    latest: Option<Time>,
    /// Of how many unused lines of each kind the place is kept.
    kept: [usize; 4],
}

/// The records of all sources, merged by time.
pub(super) struct Merge {
    sources: Vec<SourceState>,
    /// The next record of each source.
    heap: BinaryHeap<Reverse<(Time, usize)>>,
    /// Of how many sources nothing could be read.
    pub failed: usize,
}

impl Merge {
    pub(super) fn new(sources: Vec<SourceState>, coverage: &mut Coverage) -> Self {
        let mut merge = Merge { heap: BinaryHeap::new(), sources, failed: 0 };
        for at in 0..merge.sources.len() {
            merge.refill(at, coverage);
        }
        merge
    }

    /// The next record of all sources.
    pub(super) fn next(&mut self, coverage: &mut Coverage) -> Option<Dated> {
        let Reverse((time, at)) = self.heap.pop()?;
        let source = self.sources.get_mut(at)?;
        let (_, record, host) = source.ready.pop_front()?;
        let dated = Dated { time, record, host, source: source.number };
        self.refill(at, coverage);
        Some(dated)
    }

    /// Sees to it that a source has its next record on the heap, reading on until it has one or ends.
    fn refill(&mut self, at: usize, coverage: &mut Coverage) {
        let Some(source) = self.sources.get_mut(at) else { return };
        while source.ready.is_empty() && !(source.ended && source.waiting.is_empty()) {
            match source.parsed.pop_front() {
                Some(record) => source.take(record, coverage),
                None => source.next(coverage, &mut self.failed),
            }
        }
        if let Some((time, _, _)) = source.ready.front() {
            self.heap.push(Reverse((*time, at)));
        }
    }
}

impl SourceState {
    pub(super) fn new(number: usize, answers: ReaderEvents, clock: Clock, emptied: Sender<Vec<Record>>) -> Self {
        SourceState {
            number,
            answers,
            clock,
            parsed: VecDeque::new(),
            hosts: Vec::new(),
            emptied,
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            ended: false,
            got: false,
            latest: None,
            kept: [0; 4],
        }
    }

    /// Waits for what comes next, once all records are taken.
    fn next(&mut self, coverage: &mut Coverage, failed: &mut usize) {
        let spent = std::mem::take(&mut self.parsed);
        if spent.capacity() > 0 {
            // What is not wanted is freed.
            let _ = self.emptied.try_send(spent.into());
        }
        match self.answers.answers.recv() {
            Ok(ReaderEvent::Turn(reading)) => self.answers.resume(reading),
            Ok(ReaderEvent::Chunk(parsed)) => {
                let Ok(parsed) = parsed.recv() else { return };
                self.got = true;
                coverage.lines += parsed.lines;
                coverage.bytes += parsed.bytes;
                coverage.records += parsed.records.len() as u64;
                coverage.unknown_lines += parsed.unknown;
                coverage.truncated_records += parsed.truncated;
                coverage.long_lines += parsed.long_lines.len() as u64;
                let lines = |places: &[SourceLine]| places.iter().map(|place| place.line).collect::<Vec<_>>();
                self.note_unused(coverage, 0, &lines(&parsed.unknown_places));
                self.note_unused(coverage, 1, &lines(&parsed.truncated_places));
                self.note_unused(coverage, 2, &parsed.long_lines);
                self.hosts = parsed.hosts.iter().map(|host| Rc::from(&**host)).collect();
                self.parsed = parsed.records.into();
            }
            Ok(ReaderEvent::Trouble(error)) => {
                // A remark (a file found in a folder that is no log) is told, and is no failure.
                *failed += usize::from(!error.is_warning() && !self.got);
                coverage.unread_sources += u64::from(!error.is_warning());
                coverage.source_errors.push(error.to_string());
            }
            Err(_) => {
                self.ended = true;
                self.date(coverage);
                if self.clock.conflicts() {
                    let name = coverage.sources.get(self.number).cloned().unwrap_or_default();
                    let error = format!("{name}: log time zone differs from --timezone; using the log's");
                    coverage.source_errors.push(error);
                }
            }
        }
    }

    /// Takes a record: it waits where the clock does not know yet.
    fn take(&mut self, record: Record, coverage: &mut Coverage) {
        let host = record.host.and_then(|host| self.hosts.get(usize::from(host))).cloned();
        if self.clock.is_calibrated() && self.waiting.is_empty() {
            return self.date_one(record, host, coverage);
        }
        if !self.clock.is_calibrated() {
            self.clock.learn(&record);
        }
        self.waiting.push_back((record, host));
        if self.clock.is_calibrated() || self.waiting.len() > MAX_UNDATED_RECORDS {
            self.date(coverage);
        }
    }

    /// Keeps the places of the first unused lines of a kind.
    fn note_unused(&mut self, coverage: &mut Coverage, kind: usize, lines: &[u64]) {
        let why =
            ["unknown_lines", "truncated_records", "long_lines", "undated"].get(kind).copied().unwrap_or_default();
        let Some(kept) = self.kept.get_mut(kind) else { return };
        for line in lines.iter().take(MAX_EXAMPLES.saturating_sub(*kept)) {
            *kept += 1;
            let source = coverage.sources.get(self.number).map(String::as_str).unwrap_or_default().into();
            coverage.add_unused_line(UnusedLine { why: why.into(), source, line: *line });
        }
    }

    fn date(&mut self, coverage: &mut Coverage) {
        for (record, host) in std::mem::take(&mut self.waiting) {
            self.date_one(record, host, coverage);
        }
    }

    fn date_one(&mut self, record: Record, host: Option<Rc<str>>, coverage: &mut Coverage) {
        self.clock.learn(&record);
        let wall = matches!(record.stamp, Some(crate::model::time::Stamp::Wall { .. }));
        coverage.zone_assumed |= wall && !self.clock.is_calibrated();
        match self.clock.time(&record).or(self.latest) {
            Some(time) => {
                self.latest = Some(time);
                self.ready.push_back((time, record, host));
            }
            None => {
                coverage.undated += 1;
                self.note_unused(coverage, 3, &[record.place.line]);
            }
        }
    }
}
