//! Outputs: a report in, bytes out. They format and do not compute.
//!
//! To add one: a file here, and its row in [`FORMS`].

mod chain;
mod number;
mod text;

use std::io::{self, Write};

use crate::report::Report;

pub use chain::write as chain;
pub use number::{length, share};

/// What the reader's screen can do.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Its columns.
    pub width: usize,
    /// It shows colour.
    pub colour: bool,
}

impl Default for Screen {
    fn default() -> Self {
        Screen { width: 80, colour: false }
    }
}

/// Writes a report.
pub type Form = fn(&Report, Screen, &mut dyn Write) -> io::Result<()>;

/// The forms standard output can have, by the name `--format` takes.
pub const FORMS: &[(&str, Form)] = &[("text", text::write), ("ndjson", ndjson), ("json", json)];

/// One line a startup: the rows of the startups table, with findings and spans.
fn ndjson(report: &Report, _: Screen, out: &mut dyn Write) -> io::Result<()> {
    for row in &report.rows {
        serde_json::to_writer(&mut *out, row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The whole report.
fn json(report: &Report, _: Screen, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// Text from a log made safe for a terminal: control characters would move the cursor or change its colours.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
