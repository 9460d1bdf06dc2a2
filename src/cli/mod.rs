//! The command line: its flags, help, completions and progress.

pub(crate) mod args;
pub(crate) mod itself;
pub(crate) mod progress;
