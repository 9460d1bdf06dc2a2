//! podlag reads what a cluster already writes (the kubelet's journal, the container runtime's log, metrics) and shows which
//! pods start slowly, where the time goes, what causes it, and what would fix it.
//!
//! ```text
//! bytes ─input→ lines ─parse→ records ─track→ startups ─breakdown→ spans ─causes→ findings ─table→ rows ─report→ Report ─render→ text, JSON, page
//!               N threads, pure        one thread       pure            pure
//! ```
//!
//! An [`Analyzer`] takes [`Options`] and [`Source`]s and gives a [`Report`]; [`write()`] prints it in a [`Format`].
//!
//! ```
//! use podlag::{Analyzer, Options, Source};
//!
//! let options = Options::new(&std::env::temp_dir())?;
//! let report = Analyzer::new(options).add(Source::from_path("samples/s01-cached/in/kubelet.log.zst")).run()?;
//! assert_eq!(report.startup_count(), 20);
//! # Ok::<(), podlag::Error>(())
//! ```
//!
//! Memory: about 1 MiB for each chunk in flight (twice as many as threads), the open startups (at most 65,536, each with at most
//! sixty events of a kind), and the rows of finished startups up to [`Options::memory`], beyond which they are written to a
//! temporary folder. What still grows with the number of startups is sixteen bytes each, and the one column that a figure is
//! made of. The length of the log does not count.
//!
//! The library reads no environment and no clock, prints nothing, and never ends the process. The feature `cli`, on by default,
//! is what only the program needs.

mod analyze;
mod breakdown;
mod causes;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod cluster;
mod input;
mod metrics;
mod model;
mod parse;
mod render;
mod report;
mod stores;
mod table;
mod track;
mod web;

pub use analyze::{Analyzer, Options};
pub use causes::Cause;
pub use input::Source;
pub use model::error::{Error, ErrorKind};
pub use model::phase::Phase;
pub use render::{FORMATS, Format, TextOptions, form as format, write};
pub use report::Report;
pub use table::{
    CauseLine, Example, Finding, Line, PhaseLine, PhaseSeconds, Pull, Quantiles, Row as Startup, Span, Summary, Volume,
};

/// What the project's own tests, benches and fuzz targets use. It is no part of the library's interface: it changes freely.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    macro_rules! rooms {
        ($($room:ident)*) => { $(pub mod $room { pub use crate::$room::*; })* };
    }
    rooms! { analyze breakdown causes cluster input metrics model parse render report stores table track web }
}
