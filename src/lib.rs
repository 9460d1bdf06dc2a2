//! podlag reads what a cluster already writes (the kubelet's journal, the container runtime's log) and tells which pods
//! start slowly, where the time goes and what causes it.
//!
//! ```text
//! bytes --source--> Chunk --parse--> Record --track--> Startup --breakdown--> Piece --cause--> Finding --table--> Report --> output
//!                     N threads, pure     one thread      pure             pure            columns, polars      many writers
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
