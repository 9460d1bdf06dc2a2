//! Sources on their way in: each with its clock and its records, and the merge of all of them by time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;

use crossbeam_channel::Sender;

use super::readers::{ReaderEvent, ReaderEvents};
use super::reorder::Dated;
use crate::model::record::{MAX_EXAMPLES, Record, SourceLine};
use crate::model::time::Time;
use crate::parse::calendar::{Clock, Knowledge};
use crate::report::{Coverage, UnusedLine};

/// How many records of a source wait for a line that shows its year and zone.
const MAX_UNDATED_RECORDS: usize = 100_000;

/// One source on its way in.
pub(super) struct SourceState {
    number: usize,
    /// Which of the merge's nodes it is of, and the first host its lines name.
    node: usize,
    host: Option<Rc<str>>,
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
    /// The node's other logs, whose zone it was to have, show different ones.
    others_disagree: bool,
    /// Of how many unused lines of each kind the place is kept.
    kept: [usize; 4],
}

/// The records of all sources, merged by time.
pub(super) struct Merge {
    sources: Vec<SourceState>,
    /// The sources of each folder.
    nodes: Vec<Vec<usize>>,
    /// The next record of each source.
    heap: BinaryHeap<Reverse<(Time, usize)>>,
    /// Of how many sources nothing could be read.
    pub failed: usize,
}

impl Merge {
    /// `folders`: the folder of each source. Bare files of one folder are of one node.
    pub(super) fn new(sources: Vec<SourceState>, folders: &[Option<PathBuf>], coverage: &mut Coverage) -> Self {
        let mut nodes: BTreeMap<Option<PathBuf>, Vec<usize>> = BTreeMap::new();
        for (at, folder) in folders.iter().enumerate() {
            nodes.entry(folder.clone()).or_default().push(at);
        }
        let mut merge = Merge { heap: BinaryHeap::new(), sources, nodes: nodes.into_values().collect(), failed: 0 };
        for (number, node) in merge.nodes.iter().enumerate() {
            for at in node {
                if let Some(source) = merge.sources.get_mut(*at) {
                    source.node = number;
                }
            }
        }
        // What one source shows of year and zone is known to all of its node before any record is dated by a guess.
        for source in &mut merge.sources {
            source.fill(coverage, &mut merge.failed);
        }
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
        loop {
            let Some(source) = self.sources.get_mut(at) else { return };
            source.fill(coverage, &mut self.failed);
            if !source.ready.is_empty() || source.waiting.is_empty() {
                break;
            }
            let others = self.others(at);
            let Some(source) = self.sources.get_mut(at) else { return };
            source.date_by(&others, coverage);
        }
        let Some(source) = self.sources.get_mut(at) else { return };
        if let Some((time, _, _)) = source.ready.front() {
            self.heap.push(Reverse((*time, at)));
        } else if source.ended {
            source.note_zones(coverage);
        }
    }

    /// What the other sources of the same node show of year and zone.
    fn others(&self, at: usize) -> Vec<Knowledge> {
        let Some(source) = self.sources.get(at) else { return Vec::new() };
        let same = |other: &&SourceState| match (&source.host, &other.host) {
            (Some(host), Some(other)) => host == other,
            _ => true,
        };
        let node = self.nodes.get(source.node).into_iter().flatten().filter(|other| **other != at);
        node.filter_map(|other| self.sources.get(*other)).filter(same).map(|other| other.clock.knowledge()).collect()
    }
}

impl SourceState {
    pub(super) fn new(number: usize, answers: ReaderEvents, clock: Clock, emptied: Sender<Vec<Record>>) -> Self {
        SourceState {
            number,
            node: 0,
            host: None,
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
            others_disagree: false,
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
            Ok(ReaderEvent::Error(error)) => {
                // A remark (a file found in a folder that is no log) is reported, and is no failure.
                *failed += usize::from(!error.is_warning() && !self.got);
                coverage.unread_sources += u64::from(!error.is_warning());
                coverage.source_errors.push(error.to_string());
            }
            Err(_) => {
                self.ended = true;
            }
        }
    }

    /// Reads on until there is a dated record, too many wait for a date, or the source ends.
    fn fill(&mut self, coverage: &mut Coverage, failed: &mut usize) {
        while self.ready.is_empty() && !self.ended && self.waiting.len() <= MAX_UNDATED_RECORDS {
            match self.parsed.pop_front() {
                Some(record) => self.take(record, coverage),
                None => self.next(coverage, failed),
            }
        }
    }

    /// Reports once, at the end, what lines said of zones that do not fit together.
    fn note_zones(&mut self, coverage: &mut Coverage) {
        let name = coverage.sources.get(self.number).cloned().unwrap_or_default();
        if self.clock.conflicts() {
            coverage.source_errors.push(format!("{name}: log time zone differs from --timezone; using the log's"));
        }
        let lines = match self.clock.contradictions() {
            0 => None,
            1 => Some("1 line shows another time zone than the lines".to_owned()),
            count => Some(format!("{count} lines show another time zone than the lines")),
        };
        if let Some(lines) = lines {
            let error = format!("{name}: {lines} before; each time is read by the zone last shown");
            coverage.source_errors.push(error);
        }
        if std::mem::take(&mut self.others_disagree) {
            let error = format!(
                "{name}: no line shows its time zone, and the node's other logs disagree; using the one nearest to them"
            );
            coverage.source_errors.push(error);
        }
    }

    /// Takes a record: it waits where the clock does not know yet.
    fn take(&mut self, record: Record, coverage: &mut Coverage) {
        let host = record.host.and_then(|host| self.hosts.get(usize::from(host))).cloned();
        if self.host.is_none() {
            self.host.clone_from(&host);
        }
        if self.waiting.is_empty() && (self.clock.is_calibrated() || Clock::is_dated(&record)) {
            return self.date_one(record, host, coverage);
        }
        if !self.clock.is_calibrated() {
            self.clock.learn(&record);
        }
        self.waiting.push_back((record, host));
        if self.clock.is_calibrated() {
            self.date(coverage);
        }
    }

    /// Dates what waits by what the node's other logs show, or by a guess.
    fn date_by(&mut self, others: &[Knowledge], coverage: &mut Coverage) {
        if let Some((first, _)) = self.waiting.front() {
            self.others_disagree |= self.clock.borrow_from(others, first);
        }
        self.date(coverage);
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
        coverage.zone_assumed |= wall && self.clock.is_zone_unknown();
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
