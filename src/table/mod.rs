//! The startups table: columns, one row a startup, and the figures every output shows, each made of its columns batch by batch.
//!
//! ```text
//! Startup --build_row--> Row --Store--> Table --query--> Summary, groups, differences, verdicts
//! Parquet, JSON --import--> Row ─┘
//! ```
//!
//! Rows are held field by field, or written to a temporary folder and read back; a figure is made by plain loops over those columns that
//! it needs, made as frames of polars batch by batch. polars' own query engine is most of polars, and is left out: see `docs/building.md`.

pub mod anonymize;
mod batch;
mod build_row;
mod cells;
mod columns;
pub mod coverage;
mod dedup;
mod error_capture;
mod field_types;
mod file;
pub mod filter;
mod group_names;
mod groups;
mod held_rows;
mod html_import;
mod import;
mod merge;
mod part;
mod phase_seconds;
mod pull_groups;
mod query;
mod read_limit;
mod recorded;
mod row;
mod row_file;
mod row_group_writer;
mod row_groups;
mod row_ref;
mod spill;
mod startups;
mod store;
mod summary;
mod temporary;
mod unused_line;

pub use columns::Described;
pub use coverage::{Coverage, UnusedLine};
pub use file::{folder, parquet};
pub use groups::{Group, Groups, KEYS, Key, groups, of_seconds};
pub use import::catches_panics;
pub use merge::Rows;
pub use phase_seconds::{PhaseSeconds, phase_column};
pub use recorded::recorded;
pub use row::{Finding, Line, Place, Pull, Row, Span, Volume};
pub use spill::Budget;
pub use startups::Table;
pub use store::Store;
pub use summary::{CauseLine, Example, Incident, Incidents, PhaseLine, Quantiles, SettingLine, Summary, summary};
pub use temporary::CleanupList;

pub(crate) use batch::Batch;
pub(crate) use build_row::{RowContext, build_row};
pub(crate) use html_import::{PAGE_MARK, PAGE_VERSION, read_page};
pub(crate) use import::{ImportedRuns, read_parquet, read_report, read_rows};
pub(crate) use query::{sums, values, values_by};

/// The version of tables and of the JSON formats; names do not change within one.
pub const VERSION: u32 = 1;
