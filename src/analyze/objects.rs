//! The records of API objects, kept until the logs beside them are read: in memory as far as they fit there, else in temporary
//! files. They may be read more than once.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use super::Options;
use super::nodes::Nodes;
use super::reorder::Dated;
use super::sorter::{self, Sorter};
use crate::input::Source;
use crate::model::error::Error;
use crate::model::object::{self, Object};
use crate::model::object_text::{self, Gaps};
use crate::model::object_yaml;
use crate::model::record::{Field, Record, SourceLine};
use crate::model::time::Time;
use crate::model::workload::Owners;
use crate::parse;
use crate::parse::object::DatedRecord;

/// What the records that are held in memory may weigh, in bytes.
const MEMORY: usize = 32 << 20;

/// How objects are written.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Json,
    Yaml,
    /// For people: `kubectl describe`, `kubectl get events`.
    Text,
}

/// How a source was read.
pub(super) struct Outcome {
    /// What of it was not used, or is not well known.
    pub remarks: Vec<String>,
    /// Why it could not be read to its end, or the temporary folder not be written; what came before is kept.
    pub failed: Option<String>,
}

/// When a text was written at the latest: a file's last change, else now.
fn written(source: &Source, now: Option<Time>) -> Time {
    let since = source.modified().and_then(|changed| changed.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_nanos()).ok()).map(Time).or(now).unwrap_or_default()
}

fn remarks(gaps: Gaps) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut not_used = |count: u64, why: &str| {
        if count > 0 {
            remarks.push(format!("{count} event{} not used: {why}", if count == 1 { "" } else { "s" }));
        }
    };
    not_used(gaps.nameless, "nothing names the pod");
    not_used(gaps.timeless, "the time is not shown");
    if gaps.undated {
        remarks.push("it has ages and no instant: taken as written when the file was last changed, or now".to_owned());
    }
    remarks
}

/// What the API server answered in place of objects.
fn refusal(object: &Object) -> Option<String> {
    let is_refusal = object.text(&["kind"]) == "Status" && object.text(&["status"]) == "Failure";
    is_refusal.then(|| format!("it is an error of the API server: {}", object.text(&["message"])))
}

/// When, when first, the source, the node and the record.
type Kept = (i64, i64, u32, Option<Box<str>>, Record);

/// See the module.
pub(super) struct ObjectRecords {
    temp: PathBuf,
    /// The names of the sources that had some.
    pub sources: Vec<String>,
    held: Vec<Kept>,
    weight: usize,
    files: Vec<File>,
    /// Of each source, the number of its last object's line.
    last: Vec<u64>,
    /// What nodes' objects show.
    pub nodes: Nodes,
    /// Sources of which only the events of selected pods count, and the uids of these.
    limited: BTreeSet<u32>,
    selected: BTreeSet<Box<str>>,
    /// How many pods and events were read.
    pub pods: u64,
    pub events: u64,
}

impl ObjectRecords {
    pub(super) fn new(temp: &Path) -> Self {
        ObjectRecords {
            temp: temp.into(),
            sources: Vec::new(),
            held: Vec::new(),
            weight: 0,
            files: Vec::new(),
            last: Vec::new(),
            nodes: Nodes::default(),
            limited: BTreeSet::new(),
            selected: BTreeSet::new(),
            pods: 0,
            events: 0,
        }
    }

    /// Reads a source; its pods' owners go to `owners`.
    pub(super) fn read(
        &mut self,
        source: &Source,
        form: Form,
        reader: impl std::io::Read,
        options: &Options,
        owners: &mut Owners,
    ) -> Outcome {
        let number = self.begin(source.name.clone());
        let (mut failed, mut refused) = (None, None);
        let mut each = |object: Object| {
            self.count(&object);
            refused = refused.take().or_else(|| refusal(&object));
            if failed.is_none() {
                failed = self.add(&object, number, options, owners).err();
            }
        };
        let read = match form {
            Form::Json => object::read(reader, &mut each).map(|()| Gaps::default()).map_err(|error| error.to_string()),
            Form::Yaml => object_yaml::read(reader, &mut each).map(|()| Gaps::default()),
            Form::Text => object_text::read(reader, written(source, options.hints.now), &mut each)
                .map_err(|error| error.to_string()),
        };
        let remarks = read.as_ref().map(|gaps| remarks(*gaps)).unwrap_or_default();
        Outcome { remarks, failed: failed.map(|error| error.to_string()).or(read.err()).or(refused) }
    }

    /// Begins a source; gives its number.
    pub(super) fn begin(&mut self, name: String) -> u32 {
        let number = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        self.sources.push(name);
        self.last.push(0);
        number
    }

    /// Counts an object.
    pub(super) fn count(&mut self, object: &Object) {
        if object.is_pod() && !object.text(&["metadata", "name"]).is_empty() {
            self.pods += 1;
        } else if object.is_event() {
            self.events += 1;
        }
    }

    /// Of this source only pods count that are selected, which are those that it lists.
    pub(super) fn select(&mut self, object: &Object, source: u32) {
        if object.is_pod() {
            self.selected.insert(object.text(&["metadata", "uid"]).into());
        } else {
            self.limited.insert(source);
        }
    }

    /// Takes an object of a source; its pod's owner goes to `owners`.
    ///
    /// # Errors
    /// When the temporary folder could not be written.
    pub(super) fn add(
        &mut self,
        object: &Object,
        source: u32,
        options: &Options,
        owners: &mut Owners,
    ) -> Result<(), Error> {
        owners.add(object);
        if !object.is_pod() && !object.is_event() {
            self.nodes.add(object);
            return Ok(());
        }
        let grammars = &options.grammars;
        let Some(last) = self.last.get_mut(source as usize) else { return Ok(()) };
        // Of a dump on one line each object has a number of its own: a place is that of one.
        *last = object.line.max(*last + 1);
        let place = SourceLine { source, line: *last };
        let records: Vec<DatedRecord> = if object.is_pod() {
            parse::object::pod(object, place).into_iter().collect()
        } else if object.is_event() {
            parse::object::event(grammars, object, place)
        } else {
            Vec::new()
        };
        for DatedRecord { time, first, record, node } in records {
            self.weight += sorter::weight(&record);
            self.held.push((time.0, first.0, source, node, record));
        }
        if self.weight > MEMORY { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> Result<(), Error> {
        let file = tempfile::tempfile_in(&self.temp).map_err(sorter::failed)?;
        let mut writer = BufWriter::new(zstd::Encoder::new(file, 1).map_err(sorter::failed)?);
        for kept in self.held.drain(..) {
            serde_json::to_writer(&mut writer, &kept).map_err(sorter::failed)?;
            writer.write_all(b"\n").map_err(sorter::failed)?;
        }
        let encoder = writer.into_inner().map_err(sorter::failed)?;
        self.files.push(encoder.finish().map_err(sorter::failed)?);
        self.weight = 0;
        Ok(())
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.files.is_empty()
    }

    /// Gives all of them to a sorter, behind `logs` sources.
    pub(super) fn sort_into(&self, sorter: &mut Sorter, logs: usize) -> Result<(), Error> {
        let mut push = |kept: Kept| {
            let (time, first, source, node, mut record) = kept;
            let uid = record.fields.text(Field::Uid).unwrap_or_default();
            if self.limited.contains(&source) && !self.selected.contains(uid) {
                return Ok(());
            }
            let source = logs + source as usize;
            record.place.source = u32::try_from(source).unwrap_or(u32::MAX);
            sorter.push(Dated { time: Time(time), record: Box::new(record), host: node.map(Rc::from), source }, first)
        };
        for file in &self.files {
            let mut file = file.try_clone().map_err(sorter::failed)?;
            file.rewind().map_err(sorter::failed)?;
            for kept in BufReader::new(zstd::Decoder::new(file).map_err(sorter::failed)?).split(b'\n') {
                push(serde_json::from_slice(&kept.map_err(sorter::failed)?).map_err(sorter::failed)?)?;
            }
        }
        self.held.iter().cloned().try_for_each(push)
    }
}
