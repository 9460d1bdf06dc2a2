//! podlag reads what a cluster already writes (the kubelet's journal, the container runtime's log) and tells which pods
//! start slowly, where the time goes and what causes it.
//!
//! ```text
//! bytes --source--> Chunk --parse--> Record --track--> Startup --breakdown--> Piece --cause--> Finding --table--> Report --> output
//!                     N threads, pure     one thread      pure             pure            columns, polars      many writers
//! ```
//!
//! Memory: about a MiB for each chunk in flight (twice as many as threads), what open startups hold (at most
//! [`track::Limits::open`] of them, sixty events a fact), and a row for each finished startup, which is the only part that
//! grows with the number of pods. The length of the log does not count.
//!
//! ```no_run
//! use std::sync::{Arc, atomic::AtomicBool};
//!
//! let (sources, errors) = podlag::source::list(&["kubelet.log".into(), "containerd.log".into()]);
//! assert!(errors.is_empty());
//! let report = podlag::analyze::analyze(&sources, &podlag::analyze::Options::new()?, &Arc::new(AtomicBool::new(false)))?;
//! println!("{} pod starts", report.rows.len());
//! # Ok::<(), podlag::error::Error>(())
//! ```

pub mod analyze;
pub mod breakdown;
pub mod cause;
pub mod clock;
pub mod error;
pub mod grammar;
pub mod output;
pub mod parse;
pub mod phase;
pub mod pull;
pub mod record;
pub mod report;
pub mod source;
pub mod startup;
pub mod table;
pub mod time;
pub mod track;
