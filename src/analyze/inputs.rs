//! Inputs by what they are: stored tables, reports and API objects are read at once, logs wait for their turn.

use std::io::{Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Options;
use super::scrapes::Scrapes;
use crate::input::{self, Content, Opened, Source};
use crate::model::error::{Error, ErrorKind};
use crate::model::workload::Owners;
use crate::table::{ImportedRuns, Store, read_page, read_parquet, read_report, read_rows};

/// Inputs that are no logs: stored tables, reports, API objects.
#[derive(Default)]
pub(super) struct Inputs {
    /// What stored tables say of the runs that made them.
    pub runs: ImportedRuns,
    /// The owners of pods.
    pub owners: Owners,
    /// Scrapes.
    pub scrapes: Scrapes,
    /// What could not be read.
    pub errors: Vec<String>,
    /// Of how many nothing could be read.
    pub failed: usize,
}

/// A log, and its text where that can be read but once.
pub(super) type Log = (Source, Option<Box<dyn Read + Send>>);

/// A source with what it is, and its bytes where those come but once.
pub(super) type Probed<'a> = (&'a Source, Option<Content>, Option<Opened>);

impl Inputs {
    /// Looks at a source; reads it at once when it holds API objects, which what follows needs. Files are closed again: there
    /// may be more of them than can be open at once.
    pub(super) fn probe<'a>(
        &mut self,
        source: &'a Source,
        options: &Options,
        stop: &Arc<AtomicBool>,
    ) -> Option<Probed<'a>> {
        let opened = match &source.url {
            None => input::look(source, stop),
            Some(url) => match self.scrapes.ask(source, url, &options.servers, stop) {
                Ok(Some(page)) => input::look_at(source, Box::new(Cursor::new(page.bytes))),
                Ok(None) => return None,
                Err(error) => {
                    self.failed += 1;
                    self.errors.push(error.to_string());
                    return None;
                }
            },
        };
        match opened {
            Ok(opened) if opened.content == Some(Content::Objects) => {
                self.objects(source, opened.bytes(), stop);
                None
            }
            Ok(opened) => Some((source, opened.content, Some(opened).filter(|_| source.bytes.is_none()))),
            Err(error) => {
                self.failed += 1;
                self.errors.push(error.to_string());
                None
            }
        }
    }

    /// Reads a source that is no log; a log waits for its turn.
    pub(super) fn take(
        &mut self,
        (source, content, opened): Probed<'_>,
        stop: &Arc<AtomicBool>,
        store: &mut Store,
        logs: &mut Vec<Log>,
    ) -> Result<(), Error> {
        let bytes = |opened: Option<Opened>| match opened {
            Some(opened) => Ok(opened.bytes()),
            None => input::look(source, stop)
                .map(Opened::bytes)
                .map_err(|error| Error::new(ErrorKind::Source, error.message)),
        };
        let read = match (content, &source.path, opened) {
            (Some(Content::Parquet), Some(path), None) => read_parquet(path, store, &mut self.runs, stop),
            (Some(Content::Report), _, opened) => {
                bytes(opened).and_then(|bytes| read_report(bytes, store, &mut self.runs))
            }
            (Some(Content::Page), _, opened) => bytes(opened).and_then(|bytes| read_page(bytes, store, &mut self.runs)),
            (Some(Content::Rows), _, opened) => bytes(opened).and_then(|bytes| read_rows(bytes, store, &mut self.runs)),
            (Some(Content::Metrics), _, opened) => {
                bytes(opened).and_then(|bytes| self.scrapes.read(source, bytes, &mut self.errors))
            }
            (_, _, None) => {
                logs.push((source.clone(), None));
                Ok(())
            }
            (_, _, Some(opened)) => match opened.text() {
                Ok(text) => {
                    logs.push((source.clone(), Some(text)));
                    Ok(())
                }
                Err(error) => {
                    self.failed += usize::from(!error.is_remark());
                    self.errors.push(error.to_string());
                    Ok(())
                }
            },
        };
        self.told(source, read, stop)
    }

    fn objects(&mut self, source: &Source, reader: impl Read, stop: &AtomicBool) {
        if let Err(error) = Owners::read(reader, &mut self.owners)
            && !stop.load(Ordering::Relaxed)
        {
            self.errors.push(format!("{}: not all API objects could be read: {error}", source.name));
        }
        if self.owners.left_out() > 0 {
            let count = self.owners.left_out();
            self.errors.push(format!("{}: too many pods; {count} are taken by their names", source.name));
        }
    }

    /// A table that cannot be read is told, and the others go on; rows that cannot be held end the run.
    fn told(&mut self, source: &Source, read: Result<(), Error>, stop: &AtomicBool) -> Result<(), Error> {
        match read {
            // What was stopped in its middle ends early; the report says so.
            Err(error) if error.kind() == ErrorKind::Source && stop.load(Ordering::Relaxed) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Source => {
                self.failed += 1;
                self.errors.push(format!("{}: {error}", source.name));
                Ok(())
            }
            read => read,
        }
    }
}
