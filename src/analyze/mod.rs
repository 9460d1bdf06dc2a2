//! The driver: sources in, report out. Threads and order live only here; the answer depends on neither.
//!
//! Each source has a thread that reads chunks, a pool of threads parses them, and one loop (this one) merges the records
//! of all sources by time and tracks pods. Chunks of a source are taken in their order, and at most a few are in flight.

mod analyzer;
mod builder;
mod cluster;
mod duplicate_lines;
mod hosts;
mod inputs;
mod merge;
mod nodes;
mod objects;
mod readers;
mod reorder;
mod row_sink;
mod scrapes;
mod sorter;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use analyzer::Analyzer;
use crossbeam_channel::{Receiver, bounded};
use duplicate_lines::{DuplicateLines, LineOwner};
use hosts::Hosts;
use inputs::{Inputs, Log, Probed};
use merge::{Direction, Merge, SourceState};
use objects::ObjectRecords;
use readers::Job;
use reorder::{Dated, ReorderBuffer};
use row_sink::RowSink;

use crate::causes::setting::Settings;
use crate::cluster::ClusterOptions;
use crate::input::{ChunkLimits, JournalSelection, Source};
use crate::model::error::{Error, ErrorKind};
use crate::model::time::Time;
use crate::parse;
use crate::parse::calendar::Hints;
use crate::parse::grammar::Grammars;
use crate::parse::records::Records;
use crate::report::replay::Scenario;
use crate::report::{self, Coverage, Report};
use crate::table::anonymize::Anonymizer;
use crate::table::filter::Filter;
use crate::table::{Budget, SettingLine, Store};
use crate::track::{self, Tracker};
use crate::web;

/// How to analyse.
#[derive(Debug)]
pub struct Options {
    /// What lines mean.
    pub grammars: Grammars,
    /// How many threads parse; at least one.
    pub threads: usize,
    /// How sources are cut into chunks.
    pub chunks: ChunkLimits,
    /// What the user says about times.
    pub hints: Hints,
    /// The node all sources are of; else each host, or each folder of bare files, is one.
    pub node: Option<String>,
    /// The name of nodes that no line names.
    pub default_node: Option<String>,
    /// Which startups count.
    pub filter: Filter,
    /// How many rows are held in memory, and where the others go.
    pub budget: Budget,
    /// How servers are reached, and what is asked of them.
    pub servers: Servers,
    /// What of clusters is read.
    pub cluster: ClusterOptions,
    /// Bounds of the tracker.
    pub limits: track::Limits,
    /// Who hides names; none: they are shown.
    pub anonymizer: Option<Anonymizer>,
    /// Units, or programs by their names, whose entries are read of journal files besides those of kubelets and container runtimes.
    pub units: Vec<String>,
    /// What the user's kubelet configuration sets, on all nodes; flags that a log shows win.
    pub settings: Settings,
    /// What to replay, beside what the causes ask for.
    pub what_if: Vec<Scenario>,
}

/// How servers are reached, and what is asked of those that speak Prometheus' API or store logs.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// Credentials, certificates, limits.
    pub access: web::ClientOptions,
    /// The window: from and to. None: there is no clock, so no server can be asked.
    pub window: Option<(Time, Time)>,
    /// The label that names nodes; none: it is found.
    pub node_label: Option<String>,
    /// Matchers that every query gets. A log store is asked for the lines that they fit, and finds units itself where there are none.
    pub selector: String,
}

impl Options {
    /// The defaults: built-in grammars, as many threads as the machine has, 128 MiB of rows in memory and the rest below
    /// `temp`.
    ///
    /// # Errors
    /// When a built-in grammar is wrong (tests see to it that none is).
    pub fn new(temp: &Path) -> Result<Self, Error> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let grammars = Grammars::load(&[])?;
        let (chunks, hints, limits) = (ChunkLimits::default(), Hints::default(), track::Limits::default());
        let (filter, budget) = (Filter::default(), Budget::under(temp));
        let servers = Servers::default();
        Ok(Options {
            grammars,
            threads,
            chunks,
            hints,
            node: None,
            default_node: None,
            filter,
            budget,
            servers,
            cluster: ClusterOptions::default(),
            limits,
            anonymizer: None,
            units: Vec::new(),
            settings: Settings::default(),
            what_if: Vec::new(),
        })
    }
}

/// Analyses sources. `stop` ends the reading early: the report then says that it is partial.
///
/// # Errors
/// When not one source could be read, rows could not be held, or a figure could not be computed.
pub fn analyze(sources: &[Source], options: &Options, stop: &Arc<AtomicBool>) -> Result<Report, Error> {
    let mut inputs = Inputs::new(&options.budget);
    let (since, until) = (options.filter.since, options.filter.until);
    let selection = Arc::new(JournalSelection::new(&options.units, since, until));
    let select = |source: &Source| source.clone().with_journal_selection(&selection);
    let sources: &[Source] = &sources.iter().map(select).collect::<Vec<_>>();
    // Who owns the pods is known before any pod is.
    let probed: Vec<_> = sources.iter().flat_map(|source| inputs.probe(source, options, stop)).collect();
    let has_journals = inputs.has_node_journals || probed.iter().any(|probed| probed.is_journal);
    if let (Some(unit), false) = (options.units.first(), has_journals) {
        inputs.errors.push(format!(
            "--unit {unit} changes nothing: no input is a journal file. Name the unit to journalctl: journalctl -u {unit} | podlag"
        ));
    }
    let (logs, others): (Vec<_>, Vec<_>) = probed.into_iter().partition(Probed::is_log);
    let logs: Vec<Log> = logs.into_iter().filter_map(|log| inputs.log(log, &options.budget.temp)).collect();
    let owners = Arc::new(std::mem::take(&mut inputs.owners));
    let new_store = || {
        let mut store = Store::new(options.budget.clone(), options.filter.clone());
        store.owners = Arc::clone(&owners);
        store.anonymizer.clone_from(&options.anonymizer);
        store
    };
    let LogsRead { mut store, mut coverage, failed } = read_logs(&logs, &inputs.objects, options, stop, &new_store)?;
    inputs.end_stores();
    for source in others {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        inputs.take(source, stop, &mut store)?;
    }
    let failed = inputs.failed + failed;
    coverage.filters = options.filter.words();
    coverage.partial = stop.load(Ordering::Relaxed);
    coverage.source_errors.append(&mut inputs.errors);
    coverage.unread_sources += (inputs.failed + inputs.damaged) as u64;
    let mut windows = inputs.scrapes.windows(options, &mut coverage, inputs.runs.windows);
    // A page that goes on as it is would show its names.
    let alone = inputs.count == 1 && options.filter.is_empty() && options.anonymizer.is_none();
    let page = inputs.runs.truncated_pages.pop().filter(|_| alone);
    coverage.add(inputs.runs.coverage);
    if let Some(anonymizer) = &options.anonymizer {
        windows.iter_mut().for_each(|window| anonymizer.window(window));
        let names = sources.iter().map(|source| &source.name).chain(&inputs.members);
        let names: Vec<&str> = names.map(String::as_str).collect();
        anonymizer.coverage(&mut coverage, &names);
    }
    if failed > 0 && failed == inputs.count {
        let errors = coverage.source_errors.join("\n");
        return Err(Error::new(ErrorKind::Source, format!("nothing could be read:\n{errors}")));
    }
    let mut scenarios = options.what_if.clone();
    if let Some(anonymizer) = &options.anonymizer {
        scenarios.iter_mut().for_each(|scenario| report::anonymize::scenario(anonymizer, scenario));
    }
    let mut report = Report::of(store.finish()?, windows, options.filter.is_of_nodes(), &scenarios, coverage)?;
    // Else rows show what is set, each for its node.
    if let (true, Some(metrics)) = (report.table.is_empty(), &report.metrics) {
        report.summary.settings = SettingLine::of(&options.settings, metrics.nodes.len() as u64);
    }
    report.page = page;
    Ok(report)
}

/// What reading the logs gave.
struct LogsRead {
    store: Store,
    coverage: Coverage,
    /// How many could not be read at all.
    failed: usize,
}

/// How often reading begins anew with those sources sorted that proved not to be in the order of time; after that all are.
const MAX_RESTARTS: usize = 3;

/// Reads logs in the hope that their lines are in the order of time, which nearly all are. Where they are not, it begins anew
/// and sorts those logs first.
fn read_logs(
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
