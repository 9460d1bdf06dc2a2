//! What must hold for any bytes, a file for each target. libFuzzer looks for bytes for which it does not; `tests/it/fuzz.rs` replays
//! those it once found.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a property that does not hold is told by a panic"
)]

pub mod analysis;
pub mod anonymize;
pub mod answer;
pub mod archive;
pub mod exposition;
pub mod expression;
pub mod frame;
pub mod journal;
pub mod record;
pub mod setting;
pub mod startup;
pub mod value;

/// Panics when what must hold for these bytes does not.
pub type Property = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: &[(&str, Property)] = &[
    ("frame", frame::holds),
    ("record", record::holds),
    ("value", value::holds),
    ("journal", journal::holds),
    ("archive", archive::holds),
    ("startup", startup::holds),
    ("exposition", exposition::holds),
    ("answer", answer::holds),
    ("expression", expression::holds),
    ("setting", setting::holds),
    ("anonymize", anonymize::holds),
    ("analysis", analysis::holds),
];

/// The first byte, which sets something, and the rest. Without any, what an empty input would be read with.
fn led(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}

/// Nothing in it moves a terminal's cursor or changes its colours.
fn assert_printable(text: &str) {
    let control = text.chars().find(|c| c.is_control() && *c != '\n');
    assert!(control.is_none(), "{control:?} in {text:?}");
}
