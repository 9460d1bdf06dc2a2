//! Reads the inputs of a verb into a report.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::args::AnalysisArgs;
use super::interrupt::Interrupt;
use super::messages::print_error;
use super::progress::Bar;
use super::{code, completions};
use crate::analyze;
use crate::input::{self, SourceError};
use crate::model::error::{Error, ErrorKind};
use crate::model::text::sanitize;
use crate::report::Report;

/// The report of some inputs.
pub(super) struct Read {
    pub(super) report: Report,
    /// An input that the user named is not there.
    pub(super) is_missing: bool,
}

impl Read {
    /// The exit code of a verb that shows what was read.
    pub(super) fn code(&self, nothing: bool) -> u8 {
        match nothing {
            _ if self.is_missing => code::USAGE,
            true => code::NO_STARTUPS,
            false => code::OK,
        }
    }
}

/// What is read when nothing is named: what is piped, else as kubectl's plugin the cluster.
fn without_input(args: &AnalysisArgs) -> Result<&'static str, Error> {
    match () {
        () if args.cluster.given().is_some() || completions::is_plugin() && !is_piped() => Ok("cluster"),
        () if io::stdin().is_terminal() => Err(Error::new(ErrorKind::Setting, completions::beginning())),
        () => Ok("-"),
    }
}

/// Whether something is given to standard input: neither a terminal nor /dev/null is.
fn is_piped() -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        use std::os::unix::fs::FileTypeExt;
        let stdin = io::stdin();
        let file = stdin.as_fd().try_clone_to_owned().map(std::fs::File::from);
        file.and_then(|file| file.metadata()).is_ok_and(|about| !about.file_type().is_char_device())
    }
    #[cfg(not(unix))]
    !io::stdin().is_terminal()
}

/// The report of these inputs; standard input where there are none.
pub(super) fn read(paths: &[PathBuf], args: &AnalysisArgs, interrupt: &Interrupt) -> Result<Read, Error> {
    let mut paths = paths.to_vec();
    if paths.is_empty() {
        paths.push(PathBuf::from(without_input(args)?));
    }
    if let Some(context) = &args.cluster.context {
        let bare = |path: &&mut PathBuf| matches!(path.to_str(), Some("cluster" | "cluster:")) && !path.exists();
        let named = paths.iter().any(|path| path.to_str().is_some_and(|path| path.starts_with("cluster:")));
        let mut bare: Vec<&mut PathBuf> = paths.iter_mut().filter(bare).collect();
        if bare.is_empty() && named {
            return Err(Error::new(ErrorKind::Setting, "--context: the input names its context itself")
                .help("name the input cluster, or leave out --context"));
        }
        bare.iter_mut().for_each(|path| **path = PathBuf::from(format!("cluster:{context}")));
    }
    let mut options = args.options()?;
    options.budget.made = interrupt.made.clone();
    let (sources, errors) = input::list(&paths);
    let shown = |error: &SourceError| match &options.anonymizer {
        Some(anonymizer) => anonymizer.source_error(error),
        None => error.to_string(),
    };
    // A mistyped command is read as an input that is not there, and so is what follows it.
    let mistyped = errors.iter().find(|error| paths.first().is_some_and(|first| *first == Path::new(&error.name)));
    if let Some((unknown, meant)) = mistyped.and_then(|error| super::unknown_command(&error.name)) {
        return Err(Error::new(ErrorKind::Source, unknown).help(meant));
    }
    errors.iter().for_each(|error| print_error(&shown(error)));
    if sources.is_empty() {
        return Err(Error::new(ErrorKind::Source, "no input can be read").help("check the paths"));
    }
    if let Some(flag) = args.cluster.given().filter(|_| sources.iter().all(|source| source.cluster().is_none())) {
        return Err(Error::new(ErrorKind::Setting, format!("{flag} is about a cluster, and no input is one"))
            .help("name the input cluster: podlag cluster"));
    }
    if args.servers.insecure && sources.iter().any(|source| source.url().is_some()) {
        print_error("--insecure: TLS CERTIFICATES ARE NOT VERIFIED; the token can be intercepted and answers changed");
    }
    let bar = Bar::new(&sources);
    let report = analyze::analyze(&sources, &options, &interrupt.stop);
    bar.end();
    let mut report = report?;
    // A filter by time that lets all through, or nothing, was mostly meant for another day.
    let (passed, filtered) = (report.summary.startups, report.coverage.filtered);
    if let Some(time) = args.time_without_date().filter(|_| (passed == 0) != (filtered == 0)) {
        print_error(&format!(
            "{time} is a time of today: for startups of another day give its date, such as 2026-11-23T{time}"
        ));
    }
    report.coverage.unread_sources += errors.len() as u64;
    report.inputs = paths.iter().map(|path| path.display().to_string()).collect();
    // What lies in a folder and is no log is skipped; what the user names is meant.
    let named = |error: &SourceError| {
        let is_it = |input: &String| sanitize(input).trim_end_matches('/') == error.name.trim_end_matches('/');
        report.inputs.iter().any(is_it)
    };
    let is_missing = errors.iter().any(|error| !error.is_warning() && named(error));
    // What is not there is no part of a command to paste.
    report.inputs.retain(|input| !errors.iter().any(|error| sanitize(input) == error.name));
    Ok(Read { report, is_missing })
}
