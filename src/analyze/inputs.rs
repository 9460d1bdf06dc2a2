//! Inputs by their format: API objects are read first, then stored tables, reports and metrics; logs wait for their turn.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Options;
use super::formats::{Input, Reader};
use super::objects::{Form, ObjectRecords};
use super::scrapes::{Answer, Scrapes};
use crate::cluster::Cluster;
use crate::input::{self, Export, OpenSource, Rereadable, Source, Spool, Unpacked, UnsupportedText};
use crate::model::error::{Error, ErrorKind};
use crate::model::workload::Owners;
use crate::parse::frame;
use crate::stores::StoreOutcome;
use crate::table::{Budget, CleanupList, ImportedRuns, Store, read_parquet};

/// What to say of a source if no line of it is used: what it looks like, or which keys were seen where the line was looked for.
fn not_used(opened: &mut OpenSource, export: Option<&Export>, name: &str) -> Option<String> {
    let known = UnsupportedText::detect(opened.head());
    let Some(export) = export.filter(|_| known.is_none_or(UnsupportedText::is_vague)) else {
        return known.map(|text| text.remark(name));
    };
    let form = export.form;
    if frame::is_record(&export.record) {
        return Some(format!(
            "{name}: no line used; read as {form}, and none of its lines is known to tell of a pod's start. Export a longer time, and all \
             lines of the kubelet and the container runtime."
        ));
    }
    let keys = export.keys();
    if keys.is_empty() {
        return known.map(|text| text.remark(name));
    }
    Some(format!(
        "{name}: no line used; read as {form}, and none of the keys of its records holds a line: {}. It is looked for under {}. \
         docs/stores.md has a command for each store.",
        keys.join(", "),
        frame::message_keys().collect::<Vec<_>>().join(", ")
    ))
}

/// Inputs that are no logs: stored tables, reports, API objects.
pub(super) struct Inputs {
    /// What stored tables say of the runs that made them.
    pub runs: ImportedRuns,
    /// The owners of pods.
    pub owners: Owners,
    /// Pods and events.
    pub objects: ObjectRecords,
    /// Scrapes.
    pub scrapes: Scrapes,
    /// What could not be read.
    pub errors: Vec<String>,
    /// Of how many nothing could be read.
    pub failed: usize,
    /// How many there are; an archive's members count in its place.
    pub count: usize,
    /// How many could not be read to their ends, besides those.
    pub damaged: usize,
    /// How reading each log store ended, once its lines have been read.
    stores: Vec<(String, Arc<Mutex<StoreOutcome>>)>,
    /// The names of all members of archives, and of the logs of nodes.
    pub members: Vec<String>,
    /// What was read of: the logs of their nodes are in folders of theirs.
    pub(super) clusters: Vec<Cluster>,
    /// Journal files of clusters' nodes were read, which are text here.
    pub(super) has_node_journals: bool,
    /// Where archives are unpacked, once there is one.
    spool: Option<Spool>,
    /// Where what does not fit into memory goes.
    temp: PathBuf,
    /// What is made there under a name.
    made: CleanupList,
}

/// A log.
pub(super) struct Log {
    pub source: Source,
    /// Its text, where that can be had but once.
    pub text: Option<Rereadable>,
    /// What is said if no line of it can be used.
    pub unsupported: Option<String>,
    /// It is an export of a log store: lines of several machines.
    pub is_export: bool,
}

impl Log {
    /// Whether all of it can be had once more.
    pub(super) fn can_be_read_again(&self) -> bool {
        self.text.as_ref().is_none_or(Rereadable::is_kept)
    }
}

/// A source and its format.
pub(super) struct Probed {
    source: Source,
    /// None: a log.
    input: Option<&'static Input>,
    /// Its bytes, where they can be had but once.
    opened: Option<OpenSource>,
    /// It is one of journald's own files.
    pub is_journal: bool,
    unsupported: Option<String>,
    is_export: bool,
}

impl Probed {
    /// Whether it is a log.
    pub(super) fn is_log(&self) -> bool {
        self.input.is_none()
    }
}

impl Inputs {
    /// None yet. What does not fit into memory goes to the folder of this budget.
    pub(super) fn new(budget: &Budget) -> Self {
        let temp = &budget.temp;
        Inputs {
            runs: ImportedRuns::default(),
            owners: Owners::default(),
            objects: ObjectRecords::new(temp),
            scrapes: Scrapes::default(),
            errors: Vec::new(),
            failed: 0,
            count: 0,
            damaged: 0,
            stores: Vec::new(),
            members: Vec::new(),
            clusters: Vec::new(),
            has_node_journals: false,
            spool: None,
            temp: temp.into(),
            made: budget.made.clone(),
        }
    }

    /// Finds out a source's format; reads API objects at once, which what follows needs. Files are closed again: there may be
    /// more of them than can be open at once. Of an archive these are its members.
    pub(super) fn probe(&mut self, source: &Source, options: &Options, stop: &Arc<AtomicBool>) -> Vec<Probed> {
        if let Some(context) = source.cluster() {
            let logs = self.read_cluster(source, context, options, stop);
            return logs.iter().flat_map(|log| self.probe(log, options, stop)).collect();
        }
        match self.open(source, options, stop) {
            Some(opened) if opened.is_archive() => {
                self.unpack(source, opened).iter().flat_map(|member| self.probe(member, options, stop)).collect()
            }
            opened => {
                self.count += 1;
                opened.and_then(|opened| self.detect(source, opened, options, stop)).into_iter().collect()
            }
        }
    }

    /// Unpacks an archive. Gives its members.
    fn unpack(&mut self, source: &Source, opened: OpenSource) -> Vec<Source> {
        let spool = match self.spool.take().map_or_else(|| Spool::new(&self.temp), Ok) {
            Ok(spool) => self.spool.insert(spool),
            Err(error) => {
                self.count += 1;
                let temp = self.temp.display();
                self.fail(format!(
                    "{}: the archive cannot be unpacked: no file can be made in {temp}: {error}",
                    source.name
                ));
                return Vec::new();
            }
        };
        let Unpacked { members, errors, remarks } = opened.unpack(spool, &self.temp);
        // Without a member it counts itself; it has no errors where reading was stopped.
        let failed = usize::from(members.is_empty() && !errors.is_empty());
        self.count += usize::from(members.is_empty());
        self.failed += failed;
        self.damaged += errors.len() - failed;
        self.errors.extend(errors.iter().map(ToString::to_string));
        self.errors.extend(remarks);
        self.members.extend(members.iter().map(|member| member.name.clone()));
        members
    }

    fn open(&mut self, source: &Source, options: &Options, stop: &Arc<AtomicBool>) -> Option<OpenSource> {
        let opened = match source.url() {
            None => input::open(source, stop).map_err(|error| error.to_string()),
            Some(url) => match self.scrapes.ask(source, url, options, stop) {
                Ok(Some(Answer::Page(page))) => {
                    input::open_with(source, Box::new(Cursor::new(page.bytes))).map_err(|error| error.to_string())
                }
                Ok(Some(Answer::Store(text))) => {
                    self.stores.push((source.name.clone(), text.outcome()));
                    input::open_with(source, text).map_err(|error| error.to_string())
                }
                Ok(None) => return None,
                Err(error) => Err(error.to_string()),
            },
        };
        opened.map_err(|error| self.fail(error)).ok()
    }

    fn detect(
        &mut self,
        source: &Source,
        mut opened: OpenSource,
        options: &Options,
        stop: &Arc<AtomicBool>,
    ) -> Option<Probed> {
        let input = Input::detect(&mut opened);
        if let Some(Input { read: Reader::Objects(form), .. }) = input {
            match opened.text(&self.temp) {
                Ok(text) => self.read_objects(source, *form, text, options, stop),
                Err(error) => self.fail(error.to_string()),
            }
            return None;
        }
        let is_journal = opened.is_journal();
        // Of what a folder holds much is no log, and is only read over; of a journal there may be nothing in a window of time.
        let may_be_empty = is_journal && (options.filter.since.is_some() || options.filter.until.is_some());
        let export = if input.is_none() && !is_journal { opened.export() } else { None };
        let unsupported =
            if source.explicit && !may_be_empty { not_used(&mut opened, export.as_ref(), &source.name) } else { None };
        let is_export = match export {
            Some(export) => frame::is_record(&export.record),
            None => {
                let first = opened.head().split(|byte| *byte == b'\n').next().unwrap_or_default();
                frame::has_labels(first) || frame::is_csv_row(first)
            }
        };
        let opened = Some(opened).filter(|_| source.bytes.is_none());
        Some(Probed { source: source.clone(), input, is_journal, is_export, opened, unsupported })
    }

    /// A log, to be read; what can be had of it but once is kept in the folder `temp`.
    pub(super) fn log(&mut self, log: Probed, temp: &Path) -> Option<Log> {
        match log.opened.map(|opened| opened.log_text(temp)).transpose() {
            Ok(text) => {
                let text = text.map(|text| Rereadable::new(text, temp));
                return Some(Log { source: log.source, text, unsupported: log.unsupported, is_export: log.is_export });
            }
            Err(error) if error.is_warning() => self.errors.push(error.to_string()),
            Err(error) => self.fail(error.to_string()),
        }
        None
    }

    /// Reads a source that is no log.
    pub(super) fn take(&mut self, probed: Probed, stop: &Arc<AtomicBool>, store: &mut Store) -> Result<(), Error> {
        let Probed { source, input: Some(Input { read, .. }), opened, .. } = probed else { return Ok(()) };
        let source = &source;
        let path = source.path().filter(|_| opened.is_none());
        let bytes = || match opened {
            Some(opened) => opened.text(&self.temp).map_err(|error| Error::new(ErrorKind::Source, error.message)),
            None => input::open(source, stop)
                .and_then(|opened| opened.text(&self.temp))
                .map_err(|error| Error::new(ErrorKind::Source, error.message)),
        };
        let done = match (read, path) {
            (Reader::Parquet, Some(path)) => read_parquet(path, store, &mut self.runs, stop),
            // Whatever reads it opens it by its name, and several times.
            (Reader::Parquet, None) if let Some(copied) = source.copy_from_archive(&self.temp) => copied
                .map_err(|error| {
                    Error::new(ErrorKind::Source, format!("it cannot be copied out of the archive: {error}"))
                })
                .and_then(|copy| {
                    self.made.add(copy.path());
                    read_parquet(copy.path(), store, &mut self.runs, stop)
                }),
            (Reader::Parquet, None) => {
                Err(Error::new(ErrorKind::Source, "it is a Parquet table, which can only be read from a file")
                    .help("name it as a file, not compressed and not through a pipe"))
            }
            (Reader::Rows(read), _) => bytes().and_then(|bytes| read(bytes, store, &mut self.runs)),
            (Reader::ApiResponse, _) => {
                bytes().and_then(|bytes| self.scrapes.read_response(source, bytes, &mut self.errors))
            }
            (Reader::Metrics, _) => bytes().and_then(|bytes| self.scrapes.read(source, bytes, &mut self.errors)),
            // They were read when the source was probed.
            (Reader::Objects(_), _) => Ok(()),
        };
        self.check(source, done, stop)
    }

    /// Takes up what is to be said of log stores whose lines have been read.
    pub(super) fn end_stores(&mut self) {
        for (name, outcome) in std::mem::take(&mut self.stores) {
            let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
            self.damaged += usize::from(outcome.is_incomplete);
            self.errors.extend(outcome.remarks.drain(..).map(|remark| format!("{name}: {remark}")));
        }
    }

    /// Notes that nothing of a source could be read.
    pub(super) fn fail(&mut self, error: String) {
        self.failed += 1;
        self.errors.push(error);
    }

    fn read_objects(&mut self, source: &Source, form: Form, reader: impl Read, options: &Options, stop: &AtomicBool) {
        let read = self.objects.read(source, form, reader, options, &mut self.owners);
        self.errors.extend(read.remarks.into_iter().map(|remark| format!("{}: {remark}", source.name)));
        if let Some(error) = read.failed
            && !stop.load(Ordering::Relaxed)
        {
            let cut = if error.contains("EOF while parsing") { "; the file ends early: fetch it again" } else { "" };
            self.errors.push(format!("{}: not all API objects could be read: {error}{cut}", source.name));
        }
        self.note_left_out(&source.name);
    }

    /// Says of how many pods the owners could not be kept.
    pub(super) fn note_left_out(&mut self, source: &str) {
        let count = self.owners.left_out();
        if count > 0 {
            self.errors.push(format!("{source}: too many pods: the workloads of {count} are derived from their names"));
        }
    }

    /// A table that cannot be read is reported, and the others are still read; rows that cannot be held end the run.
    fn check(&mut self, source: &Source, done: Result<(), Error>, stop: &AtomicBool) -> Result<(), Error> {
        match done {
            // What was stopped in its middle ends early; the report says so.
            Err(error) if error.kind() == ErrorKind::Source && stop.load(Ordering::Relaxed) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Source => {
                self.fail(format!("{}: {error}", source.name));
                Ok(())
            }
            done => done,
        }
    }
}
