//! The library's way in: sources and options in, one report out.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Options, analyze};
use crate::input::Source;
use crate::model::error::Error;
use crate::report::Report;

/// Reads sources and makes one report of them. The order of sources does not change the report.
#[derive(Debug)]
pub struct Analyzer {
    options: Options,
    sources: Vec<Source>,
    stop: Arc<AtomicBool>,
}

impl Analyzer {
    /// An analyzer without sources.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Analyzer { options, sources: Vec::new(), stop: Arc::default() }
    }

    /// Adds a source. It is opened by [`run`](Self::run).
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a builder's verb, and nothing is summed")]
    pub fn add(mut self, source: Source) -> Self {
        self.sources.push(source);
        self
    }

    /// A switch that ends the reading early once it is set, from any thread: the report is then of what was read before, and
    /// its coverage says `partial`.
    #[must_use]
    pub fn stop_switch(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Reads all sources. One that cannot be read does not end the run: the report's coverage names it.
    ///
    /// # Errors
    /// When no source could be read, or the temporary folder could not be written.
    pub fn run(self) -> Result<Report, Error> {
        analyze(&self.sources, &self.options, &self.stop)
    }
}
