//! `podlag diff BEFORE AFTER` and `podlag diff BEFORE... --after AFTER...`: two sets of startups compared.

use std::io::Write;

use super::args::DiffArgs;
use super::interrupt::Interrupt;
use super::messages::{print_source_errors, text_options, warn_if_no_startups};
use super::read::read;
use crate::model::error::Error;
use crate::render;
use crate::report::compare;

pub(super) fn run(args: &DiffArgs, interrupt: &Interrupt, out: &mut dyn Write) -> Result<u8, Error> {
    let (before, after) = args.sides()?;
    let before = read(&before, &args.options, interrupt)?;
    let after = read(&after, &args.options, interrupt)?;
    let reports = [&before.report, &after.report];
    for report in reports {
        print_source_errors(report, true);
        warn_if_no_startups(report);
    }
    render::diff(&compare::of(&before.report, &after.report)?, &args.format, text_options(), out)?;
    render::filtered(&after.report.coverage, &args.format, out)?;
    let nothing = reports.iter().any(|report| report.table.is_empty());
    Ok(if before.is_missing { before.code(nothing) } else { after.code(nothing) })
}
