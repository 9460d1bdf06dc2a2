//! `podlag blame`: groups of startups.

use std::io::Write;

use super::args::BlameArgs;
use super::interrupt::Interrupt;
use super::messages::{print_source_errors, text_options, warn_if_no_startups};
use super::read::read;
use crate::model::error::Error;
use crate::{render, table};

pub(super) fn run(args: &BlameArgs, interrupt: &Interrupt, out: &mut dyn Write) -> Result<u8, Error> {
    let by = args.keys();
    table::of_seconds(&args.of, &by)?;
    let read = read(&args.input.paths, &args.input.options, interrupt)?;
    let report = &read.report;
    print_source_errors(report, true);
    warn_if_no_startups(report);
    let groups = table::groups(&report.table, &by, &args.of)?;
    render::blame(&groups, &args.format, args.top, text_options(), out)?;
    render::filtered(&report.coverage, &args.format, out)?;
    Ok(read.code(report.table.is_empty()))
}
