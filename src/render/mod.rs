//! Outputs: a report in, bytes out. They format and do not compute.
//!
//! To add one: a file here, and its row in [`FORMATS`].

mod blame;
mod cause_parts;
mod chain;
mod check;
mod command;
mod diff;
mod estimate;
pub mod explain;
mod file_names;
#[cfg(test)]
mod fixture;
mod grid;
pub(crate) mod html;
mod json;
mod markdown;
mod number;
mod palette;
pub mod schema;
mod sentences;
mod svg;
mod target;
mod text;
mod trace;
mod wrap;

use std::io::Write;

use crate::metrics::NodeMetrics;
use crate::model::error::{Error, ErrorKind};
use crate::model::text::sanitize;
use crate::report::{Coverage, Report, VERSION};
use crate::table::{self, Row};

pub use blame::{FORMATS as BLAME_FORMATS, TOP, write as blame};
pub use chain::{ChainFile, find, nearest_pods, write as chain};
pub use check::{FORMATS as CHECK_FORMATS, write as check};
pub use diff::{FORMATS as DIFF_FORMATS, write as diff};
pub use grid::{Cell, Grid};
pub use number::{format_at_least, format_count, format_duration, format_percent, format_range};
pub use target::Target;

/// What the reader's screen can do.
#[derive(Clone, Copy, Debug)]
pub struct TextOptions {
    /// Its columns.
    pub width: usize,
    /// It shows colour.
    pub colour: bool,
    /// Lines that are too long for it are clipped; else only what wraps is fitted to the width.
    pub clips: bool,
    /// All causes in full, and all that was read, checked and counted.
    pub details: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        TextOptions { width: 80, colour: false, clips: false, details: false }
    }
}

/// Writes a report.
pub type Writer = fn(&Report, TextOptions, &mut dyn Write) -> Result<(), Error>;

/// A format of the whole report: for standard output by its name, for files by their extension.
#[derive(Debug)]
pub struct Format {
    /// The name `--format` takes.
    pub name: &'static str,
    /// The extension of its files.
    pub extension: &'static str,
    /// Whether it is text, and so may go to standard output.
    pub readable: bool,
    /// Whether it is for the terminal: it shows the errors of inputs itself.
    pub terminal: bool,
    /// Whether it has the startups only, and neither metrics nor the summary.
    pub startups_only: bool,
    /// Writes it.
    pub write: Writer,
}

impl Format {
    const fn text(name: &'static str, extension: &'static str, write: Writer) -> Self {
        Format { name, extension, readable: true, terminal: false, startups_only: false, write }
    }
}

/// The formats of a report.
pub const FORMATS: &[Format] = &[
    Format { terminal: true, ..Format::text("text", "txt", text::write) },
    Format::text("ndjson", "ndjson", ndjson),
    Format { startups_only: true, ..Format::text("csv", "csv", csv) },
    Format::text("json", "json", |report, _, out| json::pretty(out, report)),
    Format::text("markdown", "md", markdown::write),
    Format { startups_only: true, ..Format::text("trace", "trace.json", trace::write) },
    Format { readable: false, ..Format::text("html", "html", html::write) },
    Format {
        readable: false,
        startups_only: true,
        ..Format::text("parquet", "parquet", |report, _, out| table::parquet(&report.table, &report.coverage, out))
    },
];

/// The format with this name.
///
/// # Errors
/// When there is none.
pub fn form(name: &str) -> Result<&'static Format, Error> {
    FORMATS.iter().find(|form| form.name == name).ok_or_else(|| {
        let known: Vec<&str> = FORMATS.iter().map(|form| form.name).collect();
        Error::new(ErrorKind::Setting, format!("unknown format {name:?}")).help(format!("known: {}", known.join(", ")))
    })
}

/// One line a startup: the rows of the startups table, whole.
fn ndjson(report: &Report, _: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    for row in report.table.rows() {
        json::line(out, &row?)?;
        out.write_all(b"\n")?;
    }
    for node in report.metrics.iter().flat_map(|metrics| &metrics.nodes) {
        let line = MeasuredLine { podlag_metrics: VERSION, node: &node.window.node, figures: node };
        json::line(out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// A node's metrics as a line among those of startups.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "NodeMetrics")]
pub(crate) struct MeasuredLine<'a> {
    /// The version of this format.
    podlag_metrics: u32,
    /// The node's name.
    node: &'a str,
    #[serde(flatten)]
    figures: &'a NodeMetrics,
}

/// The rows of the startups table without the tables within them, which no cell can hold.
fn csv(report: &Report, _: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    let broken = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::from(error),
        error => Error::new(ErrorKind::Output, format!("cannot write a row as CSV: {error:?}")),
    };
    let mut writer = csv::Writer::from_writer(out);
    let names = Row::plain_columns();
    writer.write_record(&names).map_err(broken)?;
    for row in report.table.rows() {
        let row = serde_json::to_value(row?).map_err(std::io::Error::from)?;
        writer.write_record(names.iter().map(|name| cell(&row[name.as_str()]))).map_err(broken)?;
    }
    writer.flush()?;
    Ok(())
}

/// A value as a cell. Text is made safe for terminals, where CSV ends up too; what a spreadsheet would take for a formula is led by an apostrophe, as OWASP advises.
pub(crate) fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            format!("'{}", sanitize(text))
        }
        serde_json::Value::String(text) => sanitize(text),
        serde_json::Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// What the filters left out and whether names are hidden, in a line each; nothing without them, and nothing for programs.
///
/// # Errors
/// When writing fails.
pub fn filtered(coverage: &Coverage, form: &str, out: &mut dyn Write) -> Result<(), Error> {
    if !matches!(form, "text" | "markdown") {
        return Ok(());
    }
    if !coverage.filters.is_empty() {
        writeln!(out, "\n{}", only(coverage))?;
    }
    if let Some(words) = pseudonyms(coverage) {
        writeln!(out, "\n{words}")?;
    }
    Ok(())
}

/// The filters and what they left out, in words.
fn only(coverage: &Coverage) -> String {
    let (without, with): (Vec<&str>, Vec<&str>) =
        coverage.filters.iter().map(String::as_str).partition(|filter| filter.starts_with("not "));
    let lead = if with.is_empty() { "" } else { "only " };
    let (filters, others) = (sanitize(&[with, without].concat().join(", ")), coverage.filtered);
    format!("{lead}{filters}: {others} {} filtered out", if others == 1 { "startup" } else { "startups" })
}

/// Whose pseudonyms names are, in words.
fn pseudonyms(coverage: &Coverage) -> Option<String> {
    let keys = coverage.pseudonyms.join(" and ");
    (!keys.is_empty()).then(|| format!("names are pseudonyms ({})", sanitize(&keys)))
}

/// Writes a report in a format, as `--format` and files do.
///
/// # Errors
/// When writing fails.
pub fn write(format: &Format, report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    (format.write)(report, TextOptions::default(), out)
}
