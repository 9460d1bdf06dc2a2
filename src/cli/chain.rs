//! `podlag chain POD`: one startup step by step.

use std::io::Write;
use std::path::Path;

use super::args::ChainArgs;
use super::interrupt::Interrupt;
use super::messages::{print_error, print_source_errors, warn_if_no_startups, whole_lines};
use super::read::read;
use crate::model::error::Error;
use crate::render::{self, ChainFile};
use crate::report::Report;

pub(super) fn run(args: &ChainArgs, interrupt: &Interrupt, out: &mut dyn Write) -> Result<u8, Error> {
    let files = args.output.iter().map(|path| ChainFile::of(path, &args.input.paths)).collect::<Result<Vec<_>, _>>()?;
    let options = args.input.options.about(&args.startup);
    let read = read(&args.input.paths, &options, interrupt)?;
    let report = &read.report;
    print_source_errors(report, true);
    warn_if_no_startups(report);
    let anonymizer = args.input.options.anonymizer()?;
    let hidden = anonymizer.as_ref().map(|anonymizer| anonymizer.startup(&args.startup));
    let mut found = render::find(report, hidden.as_deref().unwrap_or(&args.startup))?;
    if found.is_empty() && hidden.is_some() {
        // With the same key a pseudonym of an earlier output is asked for as it stands there.
        found = render::find(report, &args.startup)?;
    }
    render::chain(&found, whole_lines(), out)?;
    if found.is_empty() {
        print_error(&unknown(&args.startup, report, anonymizer.is_some())?);
        // There is nothing to draw; a file of an earlier run stays.
        return Ok(read.code(true));
    }
    files.iter().try_for_each(|file| file.write(&found, &interrupt.made))?;
    Ok(read.code(false))
}

/// What to say of a pod that is not there: what the user asked for, in the user's words, and names like it.
fn unknown(pod: &str, report: &Report, anonymized: bool) -> Result<String, Error> {
    let startups = report.table.len();
    let mut words = format!("no startup of a pod named {pod:?} in the input ({startups} startups)");
    let near = render::nearest_pods(report, pod)?;
    if anonymized && startups > 0 {
        // Names that are like it would be pseudonyms, which are like nothing.
        words.push_str("\n  help: give the pod's real name or, with --anonymize-key, its pseudonym");
    } else if !near.is_empty() {
        words.push_str(&format!("\n  help: did you mean {}?", near.join(", ")));
    } else if startups > 0 {
        words.push_str("\n  help: podlag blame lists the pods");
    } else if report.inputs.iter().any(|input| input == "cluster" || input.starts_with("cluster:")) {
        words.push_str("\n  help: kubectl get pods -A lists the pods of all namespaces");
    } else if Path::new(pod).exists() {
        words.push_str(&format!("\n  help: name the pod before the input: podlag chain NAMESPACE/POD {pod}"));
    } else {
        words.push_str(&format!("\n  help: name the node's logs behind the pod: podlag chain {pod} kubelet.log"));
    }
    Ok(words)
}
