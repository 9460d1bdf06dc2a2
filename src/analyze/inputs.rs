//! Inputs by what they are: stored tables, reports and API objects are read at once, logs wait for their turn.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::error::{Error, Kind};
use crate::source::{self, Content, Source};
use crate::table::{Runs, Store, read_parquet, read_report, read_rows};
use crate::workload::Owners;

/// Inputs that are no logs: stored tables, reports, API objects.
#[derive(Default)]
pub(super) struct Inputs {
    /// What stored tables say of the runs that made them.
    pub runs: Runs,
    /// The owners of pods.
    pub owners: Owners,
    /// What could not be read.
    pub troubles: Vec<String>,
    /// Of how many nothing could be read.
    pub failed: usize,
}

/// A log, and its text where that can be read but once.
pub(super) type Log = (Source, Option<Box<dyn Read + Send>>);

impl Inputs {
    /// Reads a source that is no log; a log waits for its turn.
    pub(super) fn take(
        &mut self,
        source: &Source,
        stop: &Arc<AtomicBool>,
        store: &mut Store,
        logs: &mut Vec<Log>,
    ) -> Result<(), Error> {
        let opened = match source::look(source, stop) {
            Ok(opened) => opened,
            Err(error) => {
                self.failed += 1;
                self.troubles.push(error.to_string());
                return Ok(());
            }
        };
        let read = match (opened.content, &source.path) {
            (Some(Content::Parquet), Some(path)) if source.bytes.is_some() => read_parquet(path, store, &mut self.runs),
            (Some(Content::Report), _) => read_report(opened.bytes(), store, &mut self.runs),
            (Some(Content::Rows), _) => read_rows(opened.bytes(), store),
            (Some(Content::Objects), _) => {
                self.objects(source, opened.bytes());
                Ok(())
            }
            // Files are opened again when they are read: there may be more of them than can be open at once.
            _ if source.bytes.is_some() => {
                logs.push((source.clone(), None));
                Ok(())
            }
            _ => match opened.text() {
                Ok(text) => {
                    logs.push((source.clone(), Some(text)));
                    Ok(())
                }
                Err(error) => {
                    self.failed += usize::from(!error.is_remark());
                    self.troubles.push(error.to_string());
                    Ok(())
                }
            },
        };
        self.told(source, read)
    }

    fn objects(&mut self, source: &Source, reader: impl Read) {
        if let Err(trouble) = Owners::read(reader, &mut self.owners) {
            self.troubles.push(format!("{}: not all API objects could be read: {trouble}", source.name));
        }
    }

    /// A table that cannot be read is told, and the others go on; rows that cannot be held end the run.
    fn told(&mut self, source: &Source, read: Result<(), Error>) -> Result<(), Error> {
        match read {
            Err(error) if error.kind() == Kind::Source => {
                self.failed += 1;
                self.troubles.push(format!("{}: {error}", source.name));
                Ok(())
            }
            read => read,
        }
    }
}
