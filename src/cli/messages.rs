//! Messages on standard error, and what the terminal can show.

use std::io::{self, IsTerminal, Write};

use crate::model::text::sanitize_lines;
use crate::render::TextOptions;
use crate::report::Report;

/// Prints a message. Messages repeat file names and what inputs and servers say, so control characters are removed.
pub(super) fn print_error(message: &str) {
    let _ = writeln!(io::stderr(), "podlag: {}", sanitize_lines(message));
}

/// Prints what was done.
pub(super) fn print_note(message: &str) {
    let _ = writeln!(io::stderr(), "{}", sanitize_lines(message));
}

/// Prints what could not be read, for outputs that do not show it themselves, and whether the result is partial.
pub(super) fn print_source_errors(report: &Report, machine_readable: bool) {
    report.coverage.source_errors.iter().filter(|_| machine_readable).for_each(|error| print_error(error));
    if report.coverage.partial {
        print_error("interrupted; the result is partial");
    }
}

/// Verbs about single startups cannot use metrics.
pub(super) fn warn_if_no_startups(report: &Report) {
    if report.table.is_empty() && report.metrics.is_some() {
        print_error(
            "the input has metrics but no startups: use `podlag INPUT` or `podlag check` for metrics; this command needs logs",
        );
    }
}

/// The same for lines that are cut where a terminal ends: what goes to a pipe is whole.
#[allow(clippy::disallowed_methods, reason = "the program, not the library, looks at its surroundings")]
pub(super) fn whole_lines() -> TextOptions {
    let cut = io::stdout().is_terminal() || std::env::var_os("COLUMNS").is_some();
    let options = text_options();
    if cut { options } else { TextOptions { width: usize::MAX, ..options } }
}

/// The width and colours of standard output.
#[allow(clippy::disallowed_methods, reason = "the program, not the library, looks at its surroundings")]
pub(super) fn text_options() -> TextOptions {
    let terminal = io::stdout().is_terminal();
    let width = indicatif::TermLike::width(&console::Term::stdout());
    let width = if terminal {
        width.into()
    } else {
        std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(80)
    };
    let clips = terminal || std::env::var_os("COLUMNS").is_some();
    TextOptions { width, colour: terminal && std::env::var_os("NO_COLOR").is_none(), clips, details: false }
}
