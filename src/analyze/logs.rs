//! Reads logs. Each has a thread that reads chunks, a pool of threads parses them, and one loop (this one) merges the records of
//! all by time and tracks pods. Chunks of a log are taken in their order, and at most a few are in flight.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, bounded};

use super::Options;
use super::duplicate_lines::{DuplicateLines, LineOwner};
use super::hosts::Hosts;
use super::inputs::Log;
use super::merge::{Direction, Merge, SourceState};
use super::objects::ObjectRecords;
use super::readers::{self, Job};
use super::reorder::{Dated, ReorderBuffer};
use super::row_sink::RowSink;
use crate::input::{ChunkLimits, Source};
use crate::model::error::Error;
use crate::model::time::Time;
use crate::parse;
use crate::parse::grammar::Grammars;
use crate::parse::records::Records;
use crate::report::Coverage;
use crate::table::Store;
use crate::track::Tracker;

/// What reading the logs gave.
pub(super) struct LogsRead {
    pub(super) store: Store,
    pub(super) coverage: Coverage,
    /// How many could not be read at all.
    pub(super) failed: usize,
}

/// How often reading begins anew with those sources sorted that proved not to be in the order of time; after that all are.
const MAX_RESTARTS: usize = 3;

/// Reads logs in the hope that their lines are in the order of time, which nearly all are. Where they are not, it begins anew
/// and sorts those logs first.
pub(super) fn read_logs(
    logs: &[Log],
    objects: &ObjectRecords,
    options: &Options,
    stop: &Arc<AtomicBool>,
    new_store: &dyn Fn() -> Store,
) -> Result<LogsRead, Error> {
    let mut known = Known {
        sorted: vec![None; logs.len()],
        hostless: vec![false; logs.len()],
        shared_names: BTreeSet::new(),
        may_restart: true,
    };
    let mut restarts = 0;
    loop {
        match read_logs_once(logs, objects, &known, options, stop, new_store())? {
            ControlFlow::Break(read) => return Ok(read),
            ControlFlow::Continue(found) => {
                (known.hostless, known.shared_names) = (found.hostless, found.shared_names);
                for (sorted, (late, direction)) in known.sorted.iter_mut().zip(found.directions) {
                    if late || restarts >= MAX_RESTARTS {
                        sorted.get_or_insert(direction);
                    }
                }
            }
        }
        restarts += 1;
        known.may_restart = restarts < MAX_RESTARTS;
    }
}

/// What reading the logs before has shown.
struct Known {
    /// How each is to be sorted.
    sorted: Vec<Option<Direction>>,
    /// Which name hosts in some of their records only, so that hosts would tear apart what belongs together.
    hostless: Vec<bool>,
    /// Names under which several machines registered.
    shared_names: BTreeSet<Box<str>>,
    /// Whether it may begin anew for the sake of hosts and names.
    may_restart: bool,
}

/// The same, as found when it begins anew.
struct Found {
    /// Of each, whether it is to be sorted, and how its lines follow each other.
    directions: Vec<(bool, Direction)>,
    hostless: Vec<bool>,
    shared_names: BTreeSet<Box<str>>,
}

impl Merge {
    /// What is to be known when it begins anew.
    fn found(&self, tracker: &mut Tracker) -> Found {
        Found {
            directions: self.directions(),
            hostless: self.hostless(),
            shared_names: std::mem::take(&mut tracker.shared_names),
        }
    }
}

/// Reads logs, or finds out what is to be known first.
fn read_logs_once(
    logs: &[Log],
    objects: &ObjectRecords,
    known: &Known,
    options: &Options,
    stop: &Arc<AtomicBool>,
    mut store: Store,
) -> Result<ControlFlow<LogsRead, Found>, Error> {
    let sources: Vec<Source> = logs.iter().map(|log| log.source.clone()).collect();
    let sources = sources.as_slice();
    let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    let mut coverage = Coverage { sources: names.clone(), ..Coverage::default() };
    (coverage.pods, coverage.events) = (objects.pods, objects.events);
    if objects.events > 0 || logs.is_empty() {
        coverage.sources.extend(objects.sources.iter().cloned());
    }
    let mut tracker = Tracker::new(options.limits);
    tracker.beside_logs = !logs.is_empty();
    tracker.kubelets = objects.nodes.kubelets();
    tracker.not_ready = objects.nodes.not_ready();
    tracker.shared_names.clone_from(&known.shared_names);
    let mut lines = DuplicateLines::default();
    let mut sink =
        RowSink::new(options, &objects.nodes, names.into_iter().chain(objects.sources.iter().cloned()).collect());
    let threads = options.threads.max(1);
    // Many sources at once share the memory that one may have.
    let chunks = ChunkLimits {
        chunk: options.chunks.chunk.min(((64 << 20) / sources.len().max(1)).max(1 << 16)),
        ..options.chunks
    };
    let (jobs, work) = bounded::<Job>(2 * threads);
    let (emptied, empty) = bounded::<Records>(3 * threads + 1);
    let abandoned = Arc::new(AtomicBool::new(false));
    let read = std::thread::scope(|scope| {
        for _ in 0..threads {
            let (work, empty) = (work.clone(), empty.clone());
            scope.spawn(move || parse_chunks(&work, &empty, &options.grammars));
        }
        drop(work);
        let answers = readers::start(scope, logs, chunks, &options.budget.temp, threads, &jobs, [stop, &abandoned]);
        drop(jobs);
        let folders: Vec<_> = sources.iter().map(|source| source.folder.clone()).collect();
        let states = answers.into_iter().zip(&known.sorted).enumerate().map(|(number, (answers, sorted))| {
            let log = logs.get(number);
            let unsupported = log.and_then(|log| log.unsupported.clone());
            let is_export = log.is_some_and(|log| log.is_export);
            let hosts = Hosts::new(is_export, known.hostless.get(number).copied().unwrap_or_default());
            SourceState::new(
                number,
                answers,
                options.hints,
                *sorted,
                emptied.clone(),
                (unsupported, hosts),
                Arc::clone(stop),
            )
        });
        let mut merge = Merge::new(states.collect(), &folders, &options.budget.temp, objects, &mut coverage)?;
        let mut order = ReorderBuffer::new();
        while let Some(dated) = merge.next(&mut coverage)? {
            order.push(dated);
            // A run that was stopped tells what it has read.
            if merge.is_out_of_order() && !stop.load(Ordering::Relaxed) && logs.iter().all(Log::can_be_read_again) {
                abandoned.store(true, Ordering::Relaxed);
                return Ok(ControlFlow::Continue(merge.found(&mut tracker)));
            }
            while let Some(first) = order.pop_ready() {
                track(&mut tracker, &mut lines, first, order.next_time(), sources, options);
                sink.take(&mut tracker, &mut store)?;
            }
            // Rows may be written already, under a name that is no longer one's own or of a node that is only a part of one.
            let is_new = tracker.shared_names.len() > known.shared_names.len() || merge.has_incomplete_hosts();
            if is_new && known.may_restart && !stop.load(Ordering::Relaxed) && logs.iter().all(Log::can_be_read_again) {
                abandoned.store(true, Ordering::Relaxed);
                return Ok(ControlFlow::Continue(merge.found(&mut tracker)));
            }
        }
        while let Some(first) = order.first() {
            track(&mut tracker, &mut lines, first, order.next_time(), sources, options);
            sink.take(&mut tracker, &mut store)?;
        }
        coverage.out_of_order = order.late;
        Ok::<_, Error>(ControlFlow::Break(merge.failed))
    })?;
    let failed = match read {
        ControlFlow::Break(failed) => failed,
        ControlFlow::Continue(found) => return Ok(ControlFlow::Continue(found)),
    };
    tracker.finish();
    sink.take(&mut tracker, &mut store)?;
    sink.release(&tracker, &mut store)?;
    note_counts(&tracker, &mut coverage);
    coverage.duplicate_records += lines.count;
    Ok(ControlFlow::Break(LogsRead { store, coverage, failed }))
}

/// Parses chunks until there are no more, in records that were emptied before.
fn parse_chunks(work: &Receiver<Job>, empty: &Receiver<Records>, grammars: &Grammars) {
    for (chunk, answer, spare) in work {
        let (records, text) = (empty.try_recv().unwrap_or_default(), &chunk.text);
        let mut parsed = parse::chunk_into(records, grammars, text, chunk.end, chunk.source);
        parsed.records.shrink();
        parsed.long_lines = chunk.truncated_lines.iter().map(|cut| cut.line).collect();
        parsed.bytes = chunk.end as u64 + chunk.truncated_lines.iter().map(|cut| cut.dropped).sum::<u64>();
        // Nobody waits for it any more when the run was stopped.
        let _ = answer.send(parsed);
        // One that is not wanted is freed.
        let _ = spare.try_send(chunk.text);
    }
}

fn note_counts(tracker: &Tracker, coverage: &mut Coverage) {
    let counts = &tracker.counts;
    coverage.duplicate_records = counts.duplicates;
    coverage.existing_pods = counts.existing;
    (coverage.evicted_idle, coverage.evicted_limit, coverage.dropped_events) =
        (counts.aged, counts.capped, counts.dropped_events);
    let suppressed: i64 = tracker.nodes.iter().map(|node| node.suppressed).sum();
    coverage.suppressed_messages = u64::try_from(suppressed).unwrap_or(0);
}

/// `next`: the time of the record that follows.
fn track(
    tracker: &mut Tracker,
    lines: &mut DuplicateLines,
    dated: Dated,
    next: Option<Time>,
    sources: &[Source],
    options: &Options,
) {
    let Dated { time, record, host, source } = dated;
    if record.from_api {
        return tracker.push_object(*record, time, host.as_deref());
    }
    let node = if let Some(node) = options.node.as_deref() {
        tracker.node(node, Some(node))
    } else if let Some(host) = host.as_deref() {
        tracker.node(host, Some(host))
    } else {
        // Bare files of one folder are of one node.
        let folder = sources.get(source).and_then(|source| source.folder.as_ref());
        let scope = folder.map_or(String::new(), |folder| format!("{}/", folder.display()));
        tracker.node(&scope, None)
    };
    let owner = LineOwner { node, named: options.node.is_some() || host.is_some() };
    if !lines.is_duplicate(&record, time, owner, next) {
        tracker.push(*record, time, node);
    }
}
