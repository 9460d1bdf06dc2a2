//! The driver: sources in, report out. Threads and order live only here; the answer depends on neither.

mod analyzer;
mod builder;
mod cluster;
mod duplicate_lines;
mod formats;
mod hosts;
mod inputs;
mod logs;
mod merge;
mod nodes;
mod objects;
mod readers;
mod reorder;
mod row_sink;
mod scrapes;
mod sorter;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use analyzer::Analyzer;
use inputs::{Inputs, Log, Probed};
use logs::{LogsRead, read_logs};

use crate::causes::setting::Settings;
use crate::cluster::ClusterOptions;
use crate::input::{ChunkLimits, JournalSelection, Source};
use crate::model::error::{Error, ErrorKind};
use crate::model::time::Time;
use crate::parse::calendar::Hints;
use crate::parse::grammar::Grammars;
use crate::report::replay::Scenario;
use crate::report::{self, Report};
use crate::table::anonymize::Anonymizer;
use crate::table::filter::Filter;
use crate::table::{Budget, SettingLine, Store};
use crate::track;
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
