//! podlag reads what a cluster already writes (the kubelet's journal, the container runtime's log) and tells which pods
//! start slowly, where the time goes and what causes it.
//!
//! ```text
//! bytes --source--> Chunk --parse--> Record --track--> Startup --breakdown--> Piece --cause--> Finding --table--> Report --> output
//!                     N threads, pure     one thread      pure             pure            columns, polars      many writers
//! ```
//!
//! Memory: about a MiB for each chunk in flight (twice as many as threads), what open startups hold (at most
//! [`track::Limits::open`] of them, sixty events a fact), and rows of finished startups up to [`table::Budget::memory`], beyond
//! which they lie in a temporary folder. What still grows with their number is sixteen bytes each, and the one column that a
//! figure is made of. The length of the log does not count.
//!
//! ```
//! use std::sync::{Arc, atomic::AtomicBool};
//!
//! let (sources, errors) = podlag::input::list(&["samples/s01-cached/in".into()]);
//! assert!(errors.is_empty());
//! let options = podlag::analyze::Options::new(&std::env::temp_dir())?;
//! let report = podlag::analyze::analyze(&sources, &options, &Arc::new(AtomicBool::new(false)))?;
//! assert_eq!(report.table.len(), 20);
//! # Ok::<(), podlag::model::error::Error>(())
//! ```

pub mod analyze;
pub mod breakdown;
pub mod causes;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod input;
pub mod metrics;
pub mod model;
pub mod parse;
pub mod render;
pub mod report;
pub mod table;
pub mod track;
pub mod web;
