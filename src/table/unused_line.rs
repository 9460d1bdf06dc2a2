//! The first few lines that were read but not used: a count alone cannot be investigated.

use crate::model::record::MAX_EXAMPLES;

/// A line that was not used, or not wholly.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct UnusedLine {
    /// Why, as the counter beside it is named: `unknown_lines`, `truncated_records`, `long_lines`, `undated`.
    pub why: Box<str>,
    /// The source's name.
    pub source: Box<str>,
    /// The line's number, from 1.
    pub line: u64,
}

/// Keeps the first few of each kind; keeping them in parts and then in the sum of the parts gives the same.
pub(super) fn keep_first(lines: &mut Vec<UnusedLine>) {
    lines.sort_unstable();
    lines.dedup();
    let (mut why, mut count): (Box<str>, usize) = (Box::default(), 0);
    lines.retain(|line| {
        count = if line.why == why { count + 1 } else { 1 };
        why.clone_from(&line.why);
        count <= MAX_EXAMPLES
    });
}
