//! The program: flags, sources, one call, exit code. What is done is the library's.

mod args;
mod progress;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use args::{Cli, GrammarVerb, Input, Verb};
use clap::{CommandFactory, Parser};
use podlag::error::{Error, Kind};
use podlag::output::{self, Screen};
use podlag::report::Report;
use podlag::{analyze, cause, grammar, source};

/// Exit codes: see `podlag --help`.
const NOTHING_FOUND: u8 = 3;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        // Whoever reads our output has seen enough: that is success.
        Err(Trouble::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Trouble::Write(error)) => fail(&format!("the output could not be written: {error}")),
        Err(Trouble::Library(error)) => fail(&error.to_string()),
    }
}

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "podlag: {message}");
    ExitCode::from(USAGE)
}

enum Trouble {
    Library(Error),
    Write(io::Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Library(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Trouble::Write(error)
    }
}

fn run(cli: &Cli) -> Result<u8, Trouble> {
    let mut out = BufWriter::new(io::stdout().lock());
    let code = match &cli.verb {
        None => {
            let report = read(&cli.input)?;
            let (_, form) = output::FORMS
                .iter()
                .find(|(name, _)| *name == cli.format.name())
                .ok_or_else(|| Error::new(Kind::Setting, "no such form"))?;
            form(&report, screen(), &mut out)?;
            told(&report, cli.format.name() != "text");
            if report.rows.is_empty() { NOTHING_FOUND } else { 0 }
        }
        Some(Verb::Chain { pod, input }) => {
            let report = read(input)?;
            let found = output::chain(&report, pod, screen(), &mut out)?;
            if found == 0 {
                let _ = writeln!(
                    io::stderr(),
                    "podlag: no startup of a pod named {pod:?} in the input ({} startups)",
                    report.rows.len()
                );
                NOTHING_FOUND
            } else {
                0
            }
        }
        Some(Verb::Explain { cause: None }) => {
            for cause in cause::CAUSES {
                writeln!(out, "{:<24} {}", cause.id, cause.title)?;
            }
            0
        }
        Some(Verb::Explain { cause: Some(id) }) => {
            let Some(cause) = cause::named(id) else {
                return Err(Error::new(Kind::Setting, format!("no cause is named {id:?}"))
                    .help("podlag explain lists them")
                    .into());
            };
            writeln!(
                out,
                "{}: {}\n\n{}\nSet: {}\nPrice: {}",
                cause.id, cause.title, cause.text, cause.set, cause.price
            )?;
            0
        }
        Some(Verb::Grammar { what: GrammarVerb::List }) => {
            for message in grammar::Grammars::load(&[])?.messages() {
                let verbosity = message.verbosity.map_or(String::new(), |v| format!("-v={v}"));
                writeln!(out, "{:<32} {:<22} {verbosity:<5} {}", message.name, message.fact.name(), message.about)?;
            }
            0
        }
        Some(Verb::Grammar { what: GrammarVerb::Check { file } }) => {
            let own = args::grammar(file)?;
            let grammars = grammar::Grammars::load(std::slice::from_ref(&own))?;
            let wrong = grammars.check(&own.0, &own.1);
            wrong.iter().try_for_each(|line| writeln!(out, "{line}"))?;
            if wrong.is_empty() {
                writeln!(out, "{}: every example is its own message and no other", own.0)?;
            }
            u8::from(!wrong.is_empty()) * USAGE
        }
    };
    out.flush()?;
    Ok(code)
}

fn read(input: &Input) -> Result<Report, Trouble> {
    let mut paths = input.paths.clone();
    if paths.is_empty() {
        if io::stdin().is_terminal() {
            let help = Cli::command().render_help();
            return Err(Error::new(
                Kind::Setting,
                format!("nothing to read: give files, or pipe a journal in\n\n{help}"),
            )
            .into());
        }
        paths.push(PathBuf::from("-"));
    }
    let options = input.options()?;
    let (sources, errors) = source::list(&paths);
    for error in &errors {
        let _ = writeln!(io::stderr(), "podlag: {error}");
    }
    if sources.is_empty() {
        return Err(Error::new(Kind::Source, "nothing to read").help("check the paths").into());
    }
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    // A second Ctrl-C ends the program at once; without a handler the first one does, which loses only the partial report.
    let _ = ctrlc::set_handler(move || {
        #[allow(clippy::exit, reason = "the user asked twice")]
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    let bar = progress::Bar::new(&sources);
    let report = analyze::analyze(&sources, &options, &stop);
    bar.end();
    Ok(report?)
}

/// Trouble with sources goes to stderr when the output is for a program.
fn told(report: &Report, by_program: bool) {
    for trouble in report.coverage.source_troubles.iter().filter(|_| by_program) {
        let _ = writeln!(io::stderr(), "podlag: {trouble}");
    }
    if report.coverage.partial {
        let _ = writeln!(io::stderr(), "podlag: stopped before the end of the input: the result is partial");
    }
}

#[allow(clippy::disallowed_methods, reason = "the program, not the library, looks at its surroundings")]
fn screen() -> Screen {
    let terminal = io::stdout().is_terminal();
    let width = indicatif::TermLike::width(&console::Term::stdout());
    let width = if terminal {
        width.into()
    } else {
        std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(80)
    };
    Screen { width, colour: terminal && std::env::var_os("NO_COLOR").is_none() }
}
