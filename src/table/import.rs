//! Reading back what podlag wrote: startups tables in Parquet, and reports in JSON. Rows enter the store as those of a log do.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use polars_core::prelude::PolarsResult;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::columns::Columns;
use super::file::{STARTUPS, key, node_of_path};
use super::read_limit::ReadLimit;
use super::row::Row;
use super::row_groups::RowGroups;
use super::store::Store;
use super::{Coverage, VERSION};
use crate::metrics::Window;
use crate::model::error::{Error, ErrorKind};

/// Rows that are read at once from files that were not written by podlag, whose row groups may be large.
const SLICE: usize = 8192;

/// Bytes of a report before, between and after its startups, at most: what they hold is held whole. The metrics of some thousand
/// nodes are the largest of it.
const BETWEEN: u64 = 256 << 20;
/// Bytes of one line of rows, at most.
const LINE: u64 = 16 << 20;

/// What stored tables say of the runs that made them; each run counts once, in however many files it lies.
#[derive(Debug, Default)]
pub(crate) struct ImportedRuns {
    known: BTreeSet<String>,
    /// What they read, together.
    pub coverage: Coverage,
    /// What metrics counted for them; the same window twice counts once.
    pub windows: Vec<Window>,
    /// The data of pages that hold fewer startups than they were made of.
    pub truncated_pages: Vec<Box<str>>,
}

impl ImportedRuns {
    fn measured(&mut self, windows: Vec<Window>) {
        for window in windows {
            if !self.windows.contains(&window) {
                self.windows.push(window);
            }
        }
    }

    pub(super) fn add(&mut self, run: &str, coverage: Coverage, windows: Vec<Window>) {
        self.measured(windows);
        let read = serde_json::to_string(&coverage).unwrap_or_default();
        if self.known.insert(format!("{run} {read}")) {
            self.coverage.add(coverage);
        }
    }
}

fn broken(error: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Source, format!("it cannot be read as a table of startups: {error}"))
}

thread_local! {
    static CATCHES_PANICS: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread would be caught and become an error of a file: a program's panic hook need not print it.
pub fn catches_panics() -> bool {
    CATCHES_PANICS.get()
}

/// Runs what reads a file of unknown origin. The reader panics on some that are damaged, or hold types it was built without;
/// for one file of many that is an error as any other.
fn guarded<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, Error> {
    CATCHES_PANICS.set(true);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    CATCHES_PANICS.set(false);
    match result {
        Ok(result) => result.map_err(broken),
        Err(_) => Err(broken("it is damaged, or holds columns of an unknown type")),
    }
}

fn newer(version: &str) -> Error {
    Error::new(ErrorKind::Source, format!("it has version {version}, this podlag knows {VERSION}"))
        .help("use a newer podlag")
}

/// Reads a Parquet file into a store. A table next to a startups table repeats it and is skipped.
pub(crate) fn read_parquet(
    path: &Path,
    store: &mut Store,
    runs: &mut ImportedRuns,
    stop: &Arc<AtomicBool>,
) -> Result<(), Error> {
    let groups = guarded(|| RowGroups::open(path))?;
    if groups.value(key::TABLE).is_some_and(|table| table != STARTUPS) {
        return Ok(());
    }
    if let Some(version) = groups.value(key::SCHEMA)
        && version.parse::<u32>().is_ok_and(|version| version > VERSION)
    {
        return Err(newer(version));
    }
    let columns = groups.columns();
    let needed = ["namespace", "pod", "state", "created", "total_s"].into_iter();
    if let Some(missing) = needed.into_iter().find(|name| !columns.iter().any(|column| column == name)) {
        return Err(Error::new(ErrorKind::Source, format!("it is no table of startups: it has no column {missing:?}"))
            .help("podlag reads the files that -o FILE.parquet and -o FOLDER/ write"));
    }
    let coverage = groups.value(key::COVERAGE).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    runs.add(groups.value(key::RUN).unwrap_or_default(), coverage, Vec::new());
    let known: Vec<String> = Row::described().into_iter().map(|column| column.name).collect();
    // In a partition no column has the node.
    let node = if columns.iter().any(|column| column == "node") {
        None
    } else {
        groups.value(key::NODE).map(str::to_owned).or_else(|| node_of_path(path))
    };
    let wanted: Vec<String> = columns.into_iter().filter(|column| known.contains(column)).collect();
    for rows in groups.slices(SLICE) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        for mut row in Row::read(&guarded(|| groups.read(rows, Some(&wanted)))?)? {
            row.node = row.node.or_else(|| node.as_deref().map(Into::into));
            store.push(tiled(row)?)?;
        }
    }
    Ok(())
}

/// Reads a report in JSON into a store, startup by startup.
pub(crate) fn read_report(reader: impl Read, store: &mut Store, runs: &mut ImportedRuns) -> Result<(), Error> {
    let mut stopped = None;
    let mut head = (String::new(), Coverage::default(), Stored::default());
    let limit = ReadLimit::new(BETWEEN);
    let mut deserializer = serde_json::Deserializer::from_reader(limit.reader(reader));
    let read =
        ReportSeed { store, head: &mut head, stopped: &mut stopped, limit: &limit }.deserialize(&mut deserializer);
    if let Some(error) = stopped {
        return Err(error);
    }
    read.map_err(|error| {
        Error::new(
            ErrorKind::Source,
            format!("it cannot be read as a report (the startups before that are used): {error}"),
        )
    })?;
    runs.add(&head.0, head.1, head.2.windows());
    Ok(())
}

/// A row whose spans follow each other. What a file holds may have been changed by hand.
pub(super) fn tiled(row: Row) -> Result<Row, Error> {
    if row.spans.windows(2).all(|pair| matches!(pair, [span, next] if span.to == next.from)) {
        return Ok(row);
    }
    let name = row.full_name();
    Err(Error::new(ErrorKind::Source, format!("the spans of {name} do not follow each other: the file was changed")))
}

/// Reads rows, a JSON object each, into a store. They show nothing of what was read for them.
pub(crate) fn read_rows(reader: impl Read, store: &mut Store, runs: &mut ImportedRuns) -> Result<(), Error> {
    let limit = ReadLimit::new(LINE);
    let rows = serde_json::Deserializer::from_reader(limit.reader(reader)).into_iter::<Line>();
    for row in rows {
        limit.renew();
        let broken = |error| {
            Error::new(
                ErrorKind::Source,
                format!("it cannot be read as rows of startups (those before that are used): {error}"),
            )
        };
        match row.map_err(broken)? {
            Line::Startup(row) => store.push(tiled(*row)?)?,
            Line::Metrics { window, .. } => runs.measured(vec![*window]),
        }
    }
    Ok(())
}

/// The metrics of a report: the figures are made of the windows again.
#[derive(Default, serde::Deserialize)]
pub(super) struct Stored {
    nodes: Vec<StoredNode>,
}

#[derive(serde::Deserialize)]
struct StoredNode {
    window: Window,
}

impl Stored {
    pub(super) fn windows(self) -> Vec<Window> {
        self.nodes.into_iter().map(|node| node.window).collect()
    }
}

/// A line of rows: a startup, or a node's metrics.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Line {
    Metrics {
        #[serde(rename = "podlag_metrics")]
        _version: u32,
        window: Box<Window>,
    },
    Startup(Box<Row>),
}

struct ReportSeed<'a> {
    store: &'a mut Store,
    head: &'a mut (String, Coverage, Stored),
    /// An error that is none of the text's.
    stopped: &'a mut Option<Error>,
    limit: &'a ReadLimit,
}

impl<'de> DeserializeSeed<'de> for ReportSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ReportSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a podlag report")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut ours = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "podlag_report" => {
                    ours = true;
                    let version: u32 = map.next_value()?;
                    if version > VERSION {
                        *self.stopped = Some(newer(&version.to_string()));
                        return Err(serde::de::Error::custom("a newer version"));
                    }
                }
                "run" => self.head.0 = map.next_value()?,
                "coverage" => self.head.1 = map.next_value()?,
                "metrics" => self.head.2 = map.next_value()?,
                "startups" => {
                    map.next_value_seed(StartupsSeed { store: self.store, stopped: self.stopped, limit: self.limit })?
                }
                _ => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        if ours { Ok(()) } else { Err(serde::de::Error::custom("it has no podlag_report")) }
    }
}

struct StartupsSeed<'a> {
    store: &'a mut Store,
    stopped: &'a mut Option<Error>,
    limit: &'a ReadLimit,
}

impl<'de> DeserializeSeed<'de> for StartupsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for StartupsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of startups")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(row) = list.next_element::<Row>()? {
            self.limit.renew();
            if let Err(error) = tiled(row).and_then(|row| self.store.push(row)) {
                *self.stopped = Some(error);
                return Err(serde::de::Error::custom("the store is full"));
            }
        }
        Ok(())
    }
}
