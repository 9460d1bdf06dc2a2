//! Which thread reads which log when. A few logs have a thread each; many share some threads and take turns, for as many
//! threads as files would hold more memory than the files are large.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Scope};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::input::{self, Chunk, ChunkLimits, Chunks, MAX_OPEN_FILES, Source, SourceError};
use crate::parse::Parsed;

use super::inputs::Log;

/// A chunk to parse, where the answer goes, and where its text goes to be filled again.
pub(super) type Job = (Chunk, Sender<Parsed>, Sender<Vec<u8>>);

/// What comes of a source.
pub(super) enum ReaderEvent {
    /// A chunk: it will have been parsed.
    Chunk(Receiver<Parsed>),
    /// Reading failed.
    Error(SourceError),
    /// It had its turn. It goes on once it is given back.
    Turn(Box<Reading>),
}

/// Where the answers of one source come, and where it is given back to after its turn.
pub(super) struct ReaderEvents {
    pub answers: Receiver<ReaderEvent>,
    turns: Option<Sender<Box<Reading>>>,
}

impl ReaderEvents {
    /// Lets a source go on.
    pub(super) fn resume(&self, reading: Box<Reading>) {
        // Without readers the run is over.
        let _ = self.turns.as_ref().map(|turns| turns.send(reading));
    }
}

/// A source on its way in.
pub(super) struct Reading {
    source: Source,
    number: u32,
    limits: ChunkLimits,
    /// Where what cannot be read in its order is kept.
    temp: PathBuf,
    text: Option<Box<dyn Read + Send>>,
    chunks: Option<Chunks>,
    out: Sender<ReaderEvent>,
    spare: (Sender<Vec<u8>>, Receiver<Vec<u8>>),
    stop: Arc<AtomicBool>,
    /// Nobody wants it any more.
    abandoned: Arc<AtomicBool>,
}

impl Reading {
    /// Reads one chunk and hands it to those who parse. Whether there may be more.
    fn step(&mut self, jobs: &Sender<Job>) -> bool {
        if self.abandoned.load(Ordering::Relaxed) {
            return false;
        }
        if self.chunks.is_none() {
            let text = match self.text.take() {
                Some(text) => Ok(text),
                None => input::open(&self.source, &self.stop).and_then(|opened| opened.log_text(&self.temp)),
            };
            match text {
                Ok(text) => self.chunks = Some(Chunks::new(self.number, &self.source.name, text, self.limits)),
                Err(error) => {
                    let _ = self.out.send(ReaderEvent::Error(error));
                    return false;
                }
            }
        }
        let Some(chunks) = self.chunks.as_mut() else { return false };
        let sent = match chunks.next() {
            None => false,
            Some(Ok(chunk)) => {
                let (answer, parsed) = bounded(1);
                // Queued before it is parsed, so that the order of chunks is kept.
                self.out.send(ReaderEvent::Chunk(parsed)).is_ok()
                    && jobs.send((chunk, answer, self.spare.0.clone())).is_ok()
            }
            Some(Err(error)) => self.out.send(ReaderEvent::Error(error)).is_ok(),
        };
        // What has been read before the stop is still reported.
        if !sent || self.stop.load(Ordering::Relaxed) || chunks.is_over() {
            return false;
        }
        if let Ok(text) = self.spare.1.try_recv() {
            chunks.recycle(text);
        }
        true
    }
}

/// Starts the threads that read. Gives where the answers of each source come, in the order of the sources.
pub(super) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    sources: &[Log],
    limits: ChunkLimits,
    temp: &Path,
    threads: usize,
    jobs: &Sender<Job>,
    [stop, abandoned]: [&Arc<AtomicBool>; 2],
) -> Vec<ReaderEvents> {
    let depth = (2 * threads).div_ceil(sources.len().max(1)).max(1);
    // As many as may be in flight: those that wait, those that are parsed, the one that is read.
    let spares = (3 * threads + 1).div_ceil(sources.len().max(1)).max(2);
    let many = sources.len() > MAX_OPEN_FILES;
    let (turns, waiting) = unbounded::<Box<Reading>>();
    for _ in 0..if many { threads } else { 0 } {
        let (waiting, jobs) = (waiting.clone(), jobs.clone());
        scope.spawn(move || {
            for mut reading in waiting {
                if reading.step(&jobs) {
                    let out = reading.out.clone();
                    let _ = out.send(ReaderEvent::Turn(reading));
                }
            }
        });
    }
    let mut all = Vec::with_capacity(sources.len());
    for (number, Log { source, text, .. }) in sources.iter().enumerate() {
        // A pipe may be silent for long, and would keep others from their turn.
        let shares = many && source.bytes.is_some();
        let (out, answers) = if shares { unbounded() } else { bounded(depth) };
        let reading = Box::new(Reading {
            source: source.clone(),
            number: u32::try_from(number).unwrap_or(u32::MAX),
            limits,
            temp: temp.into(),
            text: text.as_ref().map(|text| Box::new(text.read_again()) as Box<dyn Read + Send>),
            chunks: None,
            out,
            spare: bounded(spares),
            stop: Arc::clone(stop),
            abandoned: Arc::clone(abandoned),
        });
        if shares {
            let _ = turns.send(reading);
        } else {
            spawn_dedicated(scope, reading, jobs.clone());
        }
        all.push(ReaderEvents { answers, turns: shares.then(|| turns.clone()) });
    }
    all
}

/// Reads a source on a thread of its own.
fn spawn_dedicated<'scope>(scope: &'scope Scope<'scope, '_>, mut reading: Box<Reading>, jobs: Sender<Job>) {
    let (out, name) = (reading.out.clone(), reading.source.name.clone());
    let started = thread::Builder::new().spawn_scoped(scope, move || while reading.step(&jobs) {});
    if let Err(error) = started {
        let _ = out.send(ReaderEvent::Error(SourceError::no_thread(&name, &error)));
    }
}
