//! Reads the inputs of a verb into a report.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use super::args::AnalysisArgs;
use super::completions;
use super::interrupt::Interrupt;
use super::messages::print_error;
use super::progress::Bar;
use crate::analyze;
use crate::input::{self, SourceError};
use crate::model::error::{Error, ErrorKind};
use crate::report::Report;

/// The report of these inputs; standard input where there are none.
pub(super) fn read(paths: &[PathBuf], args: &AnalysisArgs, interrupt: &Interrupt) -> Result<Report, Error> {
    let mut paths = paths.to_vec();
    if paths.is_empty() {
        if io::stdin().is_terminal() {
            let help = completions::command().render_help();
            let nothing = format!("no input: name files, or pipe a journal into podlag\n\n{help}");
            return Err(Error::new(ErrorKind::Setting, nothing));
        }
        paths.push(PathBuf::from("-"));
    }
    let mut options = args.options()?;
    options.budget.made = interrupt.made.clone();
    let (sources, errors) = input::list(&paths);
    let shown = |error: &SourceError| match &options.anonymizer {
        Some(anonymizer) => anonymizer.source_error(error),
        None => error.to_string(),
    };
    errors.iter().for_each(|error| print_error(&shown(error)));
    if sources.is_empty() {
        return Err(Error::new(ErrorKind::Source, "no input can be read").help("check the paths"));
    }
    if args.servers.insecure && sources.iter().any(|source| source.url().is_some()) {
        print_error("--insecure: TLS CERTIFICATES ARE NOT VERIFIED; the token can be intercepted and answers changed");
    }
    let bar = Bar::new(&sources);
    let report = analyze::analyze(&sources, &options, &interrupt.stop);
    bar.end();
    let mut report = report?;
    report.coverage.unread_sources += errors.len() as u64;
    Ok(report)
}
