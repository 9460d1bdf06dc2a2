//! Sources on their way in: each with its clock and its records, and the merge of all of them by time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

use super::hosts::Hosts;
use super::objects::ObjectRecords;
use super::readers::{ReaderEvent, ReaderEvents};
use super::reorder::{Dated, REORDER_WINDOW};
use super::sorter::{Sorted, Sorter};
use crate::model::error::Error;
use crate::model::record::{MAX_EXAMPLES, Record, SourceLine};
use crate::model::time::{Stamp, Time};
use crate::parse::calendar::{Clock, Hints, Knowledge};
use crate::parse::records::Records;
use crate::report::{Coverage, UnusedLine};

/// How many records of a source wait for a line that shows its year and zone.
const MAX_UNDATED_RECORDS: usize = 100_000;

/// One source on its way in.
pub(super) struct SourceState {
    number: usize,
    /// Which of the merge's nodes it is of, and the first host its lines name.
    node: usize,
    host: Option<Rc<str>>,
    /// The host of lines that name none: the only one that the folder's logs name.
    host_of_folder: Option<Rc<str>>,
    answers: ReaderEvents,
    clock: Clock,
    /// Its lines are not in the order of time: all of its records are sorted before any is given.
    sorted: Option<Direction>,
    /// A record came so late that its place in the order was gone.
    out_of_order: bool,
    /// Records of the chunk that is being taken, and the hosts they name.
    parsed: Records,
    /// How many lines of it came before that chunk, and with that chunk: parsers see one chunk alone, and number its lines.
    lines: (u64, u64),
    /// How many records came after the one before them in time, and before it.
    steps: (u64, u64),
    hosts: Vec<Rc<str>>,
    /// Where the memory of a chunk's records goes back to.
    emptied: Sender<Records>,
    /// What it is, if no line of it is used.
    unsupported: Option<String>,
    /// Whether its records name their hosts.
    records: Hosts,
    stop: Arc<AtomicBool>,
    /// Records that wait for the clock to know.
    waiting: VecDeque<(Box<Record>, Option<Rc<str>>)>,
    ready: VecDeque<(Time, Box<Record>, Option<Rc<str>>)>,
    ended: bool,
    /// Some of it could be read.
    got: bool,
    /// A line of it was used.
    used: bool,
    /// Some of it could not.
    failed: bool,
    /// The time of the line before, and the latest of all.
    last: Option<Time>,
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
    /// The next record of each source that is in the order of time.
    heap: BinaryHeap<Reverse<(Time, usize)>>,
    /// The records of all others.
    sorted: Option<Sorted>,
    /// A source that was not to be sorted is not in the order of time.
    is_out_of_order: bool,
    /// Records of a source that is not known for it name hosts only now and then.
    has_incomplete_hosts: bool,
    /// Of how many sources nothing could be read.
    pub failed: usize,
}

impl Merge {
    /// `folders`: the folder of each source. Bare files of one folder are of one node. `temp`: where records are sorted that
    /// do not fit into memory.
    ///
    /// # Errors
    /// When they cannot be.
    pub(super) fn new(
        sources: Vec<SourceState>,
        folders: &[Option<PathBuf>],
        temp: &Path,
        objects: &ObjectRecords,
        coverage: &mut Coverage,
    ) -> Result<Self, Error> {
        let mut nodes: BTreeMap<Option<PathBuf>, Vec<usize>> = BTreeMap::new();
        for (at, folder) in folders.iter().enumerate() {
            nodes.entry(folder.clone()).or_default().push(at);
        }
        let nodes = nodes.into_values().collect();
        let mut merge = Merge {
            heap: BinaryHeap::new(),
            sorted: None,
            is_out_of_order: false,
            has_incomplete_hosts: false,
            sources,
            nodes,
            failed: 0,
        };
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
        for node in
            merge.nodes.iter().filter(|node| node.iter().any(|at| folders.get(*at).is_some_and(Option::is_some)))
        {
            let sources = node.iter().filter_map(|at| merge.sources.get(*at));
            let hosts: BTreeSet<Rc<str>> = sources.filter_map(|source| source.host.clone()).collect();
            let only = hosts.first().filter(|_| hosts.len() == 1).cloned();
            for at in node {
                if let Some(source) = merge.sources.get_mut(*at) {
                    source.host_of_folder.clone_from(&only);
                }
            }
        }
        let mut sorter = None;
        if !objects.is_empty() {
            objects.sort_into(sorter.get_or_insert_with(|| Sorter::new(temp.into())), folders.len())?;
        }
        for at in 0..merge.sources.len() {
            let next = merge.refill(at, coverage);
            if merge.sources.get(at).is_some_and(|source| source.sorted.is_some()) {
                merge.sort(at, sorter.get_or_insert_with(|| Sorter::new(temp.into())), coverage)?;
            } else {
                merge.heap.extend(next.map(|time| Reverse((time, at))));
            }
        }
        merge.sorted = sorter.map(Sorter::finish).transpose()?;
        Ok(merge)
    }

    /// The next record of all sources.
    ///
    /// # Errors
    /// When what was sorted cannot be read.
    pub(super) fn next(&mut self, coverage: &mut Coverage) -> Result<Option<Dated>, Error> {
        let next = self.heap.peek().map(|Reverse(next)| *next);
        if let Some(sorted) = &mut self.sorted
            && let Some(first) = sorted.peek()
            && next.is_none_or(|next| first < next)
        {
            return Ok(sorted.next().transpose()?.map(|(_, dated)| dated));
        }
        let Some(Reverse((time, at))) = self.heap.pop() else { return Ok(None) };
        let Some(source) = self.sources.get_mut(at) else { return Ok(None) };
        let Some((_, record, host)) = source.ready.pop_front() else { return Ok(None) };
        let host = host.or_else(|| source.host_of_folder.clone());
        let dated = Dated { time, record, host, source: source.number };
        let next = self.refill(at, coverage);
        self.heap.extend(next.map(|time| Reverse((time, at))));
        Ok(Some(dated))
    }

    /// Whether a source that was not to be sorted is not in the order of time.
    pub(super) fn is_out_of_order(&self) -> bool {
        self.is_out_of_order
    }

    /// Of each source: whether it is known by now to have to be sorted, and how its lines follow each other.
    pub(super) fn directions(&self) -> Vec<(bool, Direction)> {
        let direction = |source: &SourceState| {
            let (forward, back) = source.steps;
            (source.out_of_order, if back > forward { Direction::Descending } else { Direction::Ascending })
        };
        self.sources.iter().map(direction).collect()
    }

    /// Whether records of a source that is not known for it name hosts only now and then.
    pub(super) fn has_incomplete_hosts(&self) -> bool {
        self.has_incomplete_hosts
    }

    /// Of each source, whether its hosts are not to be looked at.
    pub(super) fn hostless(&self) -> Vec<bool> {
        self.sources.iter().map(|source| source.records.are_ignored()).collect()
    }

    /// Reads a source to its end.
    fn sort(&mut self, at: usize, sorter: &mut Sorter, coverage: &mut Coverage) -> Result<(), Error> {
        while self.sources.get(at).is_some_and(|source| !source.ready.is_empty()) {
            if let Some(source) = self.sources.get_mut(at) {
                for (time, record, host) in source.ready.drain(..) {
                    let line = i64::try_from(record.place.line).unwrap_or(i64::MAX);
                    let line = if source.sorted == Some(Direction::Descending) { -line } else { line };
                    let host = host.or_else(|| source.host_of_folder.clone());
                    sorter.push(Dated { time, record, host, source: source.number }, line)?;
                }
            }
            self.refill(at, coverage);
        }
        Ok(())
    }

    /// Sees to it that a source has its next record, reading on until it has one or ends. Gives the record's time.
    fn refill(&mut self, at: usize, coverage: &mut Coverage) -> Option<Time> {
        loop {
            let source = self.sources.get_mut(at)?;
            source.fill(coverage, &mut self.failed);
            if !source.ready.is_empty() || source.waiting.is_empty() {
                break;
            }
            let others = self.others(at);
            self.sources.get_mut(at)?.date_by(&others, coverage);
        }
        let source = self.sources.get_mut(at)?;
        self.is_out_of_order |= source.out_of_order && source.sorted.is_none();
        self.has_incomplete_hosts |= source.records.are_incomplete();
        if source.ready.is_empty() && source.ended {
            source.note_zones(coverage);
        }
        source.ready.front().map(|(time, _, _)| *time)
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

/// How the lines of a source that is sorted follow each other. It is found before the sorting, by all records up to the first
/// that came too late, so that chunks do not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Mostly forward in time.
    Ascending,
    /// Mostly back: of lines of one instant the later in the text is the earlier.
    Descending,
}

impl SourceState {
    /// `sorted`: its lines are known not to be in the order of time.
    pub(super) fn new(
        number: usize,
        answers: ReaderEvents,
        hints: Hints,
        sorted: Option<Direction>,
        emptied: Sender<Records>,
        (unsupported, records): (Option<String>, Hosts),
        stop: Arc<AtomicBool>,
    ) -> Self {
        SourceState {
            number,
            node: 0,
            host: None,
            host_of_folder: None,
            answers,
            clock: if sorted.is_some() { Clock::of_unordered(hints) } else { Clock::new(hints) },
            sorted,
            out_of_order: false,
            parsed: Records::default(),
            lines: (0, 0),
            steps: (0, 0),
            hosts: Vec::new(),
            emptied,
            unsupported,
            records,
            stop,
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            ended: false,
            got: false,
            used: false,
            failed: false,
            last: None,
            latest: None,
            others_disagree: false,
            kept: [0; 4],
        }
    }

    /// Waits for what comes next, once all records are taken.
    fn next(&mut self, coverage: &mut Coverage, failed: &mut usize) {
        if let Some(emptied) = std::mem::take(&mut self.parsed).emptied() {
            // What is not wanted is freed.
            let _ = self.emptied.try_send(emptied);
        }
        match self.answers.answers.recv() {
            Ok(ReaderEvent::Turn(reading)) => self.answers.resume(reading),
            Ok(ReaderEvent::Chunk(parsed)) => {
                let Ok(parsed) = parsed.recv() else { return };
                self.got = true;
                coverage.lines += parsed.lines;
                self.lines = (self.lines.1, self.lines.1 + parsed.lines);
                coverage.bytes += parsed.bytes;
                coverage.records += parsed.records.len() as u64;
                if !parsed.records.is_empty() {
                    (self.unsupported, self.used) = (None, true);
                }
                coverage.unknown_lines += parsed.unknown;
                coverage.truncated_records += parsed.truncated;
                coverage.long_lines += parsed.long_lines.len() as u64;
                let before = self.lines.0;
                let lines = |places: &[SourceLine]| places.iter().map(|place| before + place.line).collect::<Vec<_>>();
                let long_lines: Vec<u64> = parsed.long_lines.iter().map(|line| before + line).collect();
                self.note_unused(coverage, 0, &lines(&parsed.unknown_places));
                self.note_unused(coverage, 1, &lines(&parsed.truncated_places));
                self.note_unused(coverage, 2, &long_lines);
                self.hosts = parsed.hosts.iter().map(|host| Rc::from(&**host)).collect();
                self.parsed = parsed.records;
            }
            Ok(ReaderEvent::Error(error)) => {
                self.failed = true;
                // A remark (a file found in a folder that is no log) is reported, and is no failure.
                *failed += usize::from(!error.is_warning() && !self.got);
                coverage.unread_sources += u64::from(!error.is_warning());
                coverage.source_errors.push(error.to_string());
            }
            Err(_) => {
                self.ended = true;
                // A run that was stopped may not have come to a line that it could use.
                let read = (self.got || !self.failed) && !self.stop.load(Ordering::Relaxed);
                if let Some(unsupported) = self.unsupported.take().filter(|_| read) {
                    // It was named by mistake, or is not what its name says.
                    coverage.unread_sources += 1;
                    coverage.source_errors.push(unsupported);
                } else if read && !self.used && self.lines.1 > 0 {
                    coverage.unused_sources.extend(coverage.sources.get(self.number).cloned());
                }
                if let Some(remark) = self.records.remark() {
                    let name = coverage.sources.get(self.number).map(String::as_str).unwrap_or_default();
                    let remark = format!("{name}: {remark}");
                    coverage.source_errors.push(remark);
                }
            }
        }
    }

    /// Reads on until there is a dated record, too many wait for a date, or the source ends.
    fn fill(&mut self, coverage: &mut Coverage, failed: &mut usize) {
        while self.ready.is_empty() && !self.ended && self.waiting.len() <= MAX_UNDATED_RECORDS {
            match self.parsed.next() {
                Some(mut record) => {
                    record.place.line += self.lines.0;
                    self.take(Box::new(record), coverage);
                }
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
    fn take(&mut self, record: Box<Record>, coverage: &mut Coverage) {
        let host = record.host.and_then(|host| self.hosts.get(usize::from(host))).cloned();
        let host = self.records.take(&record, host);
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

    fn date_one(&mut self, mut record: Box<Record>, host: Option<Rc<str>>, coverage: &mut Coverage) {
        self.clock.learn(&record);
        let wall = matches!(record.stamp, Some(Stamp::Wall { .. }));
        coverage.zone_assumed |= wall && self.clock.is_zone_unknown();
        match self.clock.time(&record).or(self.last) {
            Some(time) => {
                let framed = Some(time).filter(|_| record.whole_second);
                let framed = framed.and_then(|time| self.clock.within_second(&record, time));
                record.whole_second &= framed.is_none();
                let time = framed.unwrap_or(time);
                self.steps.0 += u64::from(self.last.is_some_and(|last| time > last));
                self.steps.1 += u64::from(self.last.is_some_and(|last| time < last));
                self.last = Some(time);
                self.out_of_order |= self.latest.is_some_and(|latest| time + REORDER_WINDOW < latest);
                self.latest = self.latest.max(Some(time));
                self.ready.push_back((time, record, host));
            }
            None => {
                coverage.undated += 1;
                self.note_unused(coverage, 3, &[record.place.line]);
            }
        }
    }
}
