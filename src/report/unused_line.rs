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
pub(super) fn keep_first(places: &mut Vec<UnusedLine>) {
    places.sort_unstable();
    places.dedup();
    let (mut why, mut count): (Box<str>, usize) = (Box::default(), 0);
    places.retain(|place| {
        count = if place.why == why { count + 1 } else { 1 };
        why.clone_from(&place.why);
        count <= MAX_EXAMPLES
    });
}

/// The places in words, a line for each kind.
pub(crate) fn words(places: &[UnusedLine]) -> Vec<String> {
    let of = |why: &str, words: &str| {
        let all: Vec<String> = places
            .iter()
            .filter(|place| &*place.why == why)
            .map(|place| format!("{}:{}", place.source, place.line))
            .collect();
        (!all.is_empty()).then(|| format!("{words} {}", all.join(", ")))
    };
    [
        ("unknown_lines", "unrecognised lines, e.g."),
        ("truncated_records", "truncated lines, e.g."),
        ("long_lines", "over-long lines, e.g."),
        ("undated", "lines without a timestamp, e.g."),
    ]
    .iter()
    .filter_map(|(why, words)| of(why, words))
    .collect()
}
