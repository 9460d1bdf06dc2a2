//! `podlag chain POD`: one startup step by step.

use std::io::Write;

use super::args::ChainArgs;
use super::code;
use super::interrupt::Interrupt;
use super::messages::{print_error, print_source_errors, warn_if_no_startups, whole_lines};
use super::read::read;
use crate::model::error::Error;
use crate::render::{self, ChainFile};

pub(super) fn run(args: &ChainArgs, interrupt: &Interrupt, out: &mut dyn Write) -> Result<u8, Error> {
    let files = args.output.iter().map(|path| ChainFile::of(path, &args.input.paths)).collect::<Result<Vec<_>, _>>()?;
    let report = read(&args.input.paths, &args.input.options, interrupt)?;
    print_source_errors(&report, true);
    warn_if_no_startups(&report);
    let anonymizer = args.input.options.anonymizer()?;
    let pod = &anonymizer.map_or(args.startup.clone(), |anonymizer| anonymizer.startup(&args.startup));
    let found = render::find(&report, pod)?;
    render::chain(&found, whole_lines(), out)?;
    if found.is_empty() {
        let startups = report.table.len();
        print_error(&format!("no startup of a pod named {pod:?} in the input ({startups} startups)"));
        // There is nothing to draw; a file of an earlier run stays.
        return Ok(code::NO_STARTUPS);
    }
    files.iter().try_for_each(|file| file.write(&found, &interrupt.made))?;
    Ok(code::OK)
}
