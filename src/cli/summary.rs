//! `podlag INPUT`: the report on standard output and in files.

use std::io::{self, IsTerminal, Write};

use super::args::Cli;
use super::code;
use super::interrupt::Interrupt;
use super::messages::{print_error, print_note, print_source_errors, text_options};
use super::read::read;
use crate::model::error::{Error, ErrorKind};
use crate::render::{self, Target, TextOptions};

pub(super) fn run(cli: &Cli, interrupt: &Interrupt, out: &mut dyn Write) -> Result<u8, Error> {
    // A target that cannot be written is an error before anything is read.
    let targets = cli.output.iter().map(|path| Target::of(path)).collect::<Result<Vec<_>, _>>()?;
    for target in &targets {
        target.ensure_not_input(&cli.input.paths)?;
    }
    let format = render::form(&cli.format)?;
    let read = read(&cli.input.paths, &cli.input.options, interrupt)?;
    let report = &read.report;
    // One full disk does not take the other results along.
    let not_written: Vec<Error> = targets
        .iter()
        .filter_map(|target| target.write(report, &interrupt.made).err())
        .filter(|error| error.kind() != ErrorKind::Closed)
        .collect();
    let printed = (format.write)(report, TextOptions { details: cli.details, ..text_options() }, out)
        .and_then(|()| Ok(out.flush()?));
    let startups_only = targets.iter().any(Target::is_startups_only) || format.startups_only;
    if report.metrics.is_some() && startups_only {
        print_error("the table or trace has the startups, and no metrics: for these use text, .md, .json or .ndjson");
    }
    print_source_errors(report, !format.terminal);
    not_written.iter().for_each(|error| print_error(&error.to_string()));
    // A script that succeeds says nothing.
    if io::stderr().is_terminal() {
        targets.iter().filter_map(Target::written).for_each(|words| print_note(&words));
    }
    let code = read.code(report.is_empty() || report.table.is_empty() && report.coverage.filtered > 0);
    match printed {
        Err(error) if not_written.is_empty() || error.kind() != ErrorKind::Closed => Err(error),
        _ if !not_written.is_empty() => Ok(code::USAGE),
        _ => Ok(code),
    }
}
