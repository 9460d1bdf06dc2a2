//! `podlag check`: thresholds for CI.

use std::io::Write;
use std::slice;

use super::args::CheckArgs;
use super::code;
use super::interrupt::Interrupt;
use super::messages::{print_source_errors, text_options};
use super::read::read;
use crate::model::error::{Error, ErrorKind};
use crate::render;
use crate::report::{anonymize, gate};

pub(super) fn run(args: &CheckArgs, interrupt: &Interrupt, out: &mut dyn Write) -> Result<u8, Error> {
    if args.columns {
        gate::columns().iter().try_for_each(|(name, about)| writeln!(out, "{name:<20} {about}"))?;
        return Ok(code::OK);
    }
    let mut limits = gate::limits(&args.fail_if, args.baseline.is_some())?;
    if let Some(anonymizer) = args.input.options.anonymizer()? {
        limits.iter_mut().try_for_each(|limit| anonymize::limit(&anonymizer, limit))?;
    }
    // A baseline is from another time: --since and --until are not meant for it.
    let baseline_args = args.input.options.of_all_times();
    let baseline = args.baseline.as_ref().map(|path| read(slice::from_ref(path), &baseline_args, interrupt));
    let baseline = baseline.transpose()?.map(|read| read.report);
    let report = read(&args.input.paths, &args.input.options, interrupt)?.report;
    print_source_errors(&report, true);
    gate::ensure_complete_input(&report)?;
    baseline.as_ref().map_or(Ok(()), gate::ensure_complete_input)?;
    let verdicts = gate::judge(&limits, &report, baseline.as_ref(), args.on_unknown)?;
    let printed = render::check(&verdicts, &args.format, text_options(), out)
        .and_then(|()| render::filtered(&report.coverage, &args.format, out))
        .and_then(|()| Ok(out.flush()?));
    let verdict = if gate::is_empty(&report) { code::NO_STARTUPS } else { verdicts.code() };
    match printed {
        // The verdict holds, also when the reader of the output has left.
        Err(error) if error.kind() == ErrorKind::Closed => Ok(verdict),
        Err(error) => Err(error),
        Ok(()) => Ok(verdict),
    }
}
