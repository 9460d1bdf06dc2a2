//! The startups table: columns, one row a startup, and the figures every output shows, each a lazy query over it.
//!
//! ```text
//! Startup --of--> Row --Store--> Table --query--> Summary, groups, differences, verdicts
//! Parquet, JSON --stored--> Row ─┘
//! ```

mod allowance;
pub mod anonymize;
mod cell;
mod file;
pub mod filter;
mod found;
mod groups;
mod merge;
mod noted;
mod of;
mod once;
mod page;
mod part;
mod query;
mod recorded;
mod row;
mod store;
mod stored;
mod summary;

pub use cell::{Described, PhaseSeconds, phase_column};
pub use file::{folder, parquet};
pub use merge::Rows;
pub use query::{Group, Groups, KEYS, Key, groups, of_seconds, values};
pub use recorded::{Recorded, recorded};
pub use row::{Finding, Line, Place, Pull, Row, Span, Volume};
pub use store::{Budget, Made, Store, Table};
pub use summary::{CauseLine, Example, PhaseLine, Quantiles, SettingLine, Summary, summary};

pub(crate) use cell::failed;
pub(crate) use of::{RowContext, row as row_of};
pub(crate) use page::read_page;
pub(crate) use stored::{Runs, read_parquet, read_report, read_rows};
