//! The command line: flags in, one call of the library, an exit code out. One file per verb.
//!
//! To add a verb: a variant of `args::Verb`, its file here, and its arm in `run`.

mod args;
mod blame;
mod chain;
mod check;
mod completions;
mod diff;
mod explain;
mod grammar;
mod interrupt;
mod man;
mod messages;
mod progress;
mod read;
mod schema;
mod summary;

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::FromArgMatches;

use crate::model::error::{Error, ErrorKind};
use crate::model::text::{sanitize, sanitize_lines};
use args::{Cli, Verb};
use interrupt::Interrupt;

/// Exit codes, as `podlag --help` lists them.
mod code {
    pub(super) const OK: u8 = 0;
    pub(super) const USAGE: u8 = 2;
    pub(super) const NO_STARTUPS: u8 = 3;
    pub(super) const INTERRUPTED_TWICE: i32 = 130;
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    hide_caught_panics();
    let cli = match completions::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        // A file name that a shell took for a flag may hold control characters.
        Err(wrong) if wrong.use_stderr() => {
            // The flags of a mistyped command are unknown before the command is.
            let mistyped =
                std::env::args_os().nth(1).filter(|_| wrong.kind() == clap::error::ErrorKind::UnknownArgument);
            if let Some((word, meant)) = mistyped.and_then(|word| unknown_command(word.to_str()?)) {
                messages::print_error(&Error::new(ErrorKind::Source, word).help(meant).to_string());
                return ExitCode::from(code::USAGE);
            }
            let _ = io::stderr().write_all(sanitize_lines(&wrong.to_string()).as_bytes());
            return ExitCode::from(code::USAGE);
        }
        Err(help) => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        // The reader of our output has closed the pipe: that is success.
        Err(error) if error.kind() == ErrorKind::Closed => ExitCode::SUCCESS,
        Err(error) => {
            messages::print_error(&error.to_string());
            ExitCode::from(code::USAGE)
        }
    }
}

/// What is said of a word that is like a command, where no input has that name.
fn unknown_command(word: &str) -> Option<(String, String)> {
    let verb = completions::nearest_command(word).filter(|_| !Path::new(word).exists())?;
    Some((format!("{}: no command and no input", sanitize(word)), format!("did you mean the command {verb}?")))
}

/// A damaged table is an error of its own; only what is not caught is printed as a panic.
fn hide_caught_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::table::catches_panics() {
            print(panic);
        }
    }));
}

fn run(cli: &Cli) -> Result<u8, Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    let interrupt = Interrupt::listen();
    let code = match &cli.verb {
        None => summary::run(cli, &interrupt, &mut out),
        Some(Verb::Chain(args)) => chain::run(args, &interrupt, &mut out),
        Some(Verb::Blame(args)) => blame::run(args, &interrupt, &mut out),
        Some(Verb::Diff(args)) => diff::run(args, &interrupt, &mut out),
        Some(Verb::Check(args)) => check::run(args, &interrupt, &mut out),
        Some(Verb::Explain { cause }) => explain::run(cause.as_deref(), &mut out),
        Some(Verb::Grammar { what }) => grammar::run(what, &mut out),
        Some(Verb::Schema { format }) => schema::run(format.as_deref(), &mut out),
        Some(Verb::Completions { shell }) => completions::run(*shell, &mut out),
        Some(Verb::Man { folder }) => man::run(folder.as_deref(), &mut out),
    }?;
    match out.flush().map_err(Error::from) {
        // What the verb found holds, also when the reader of the output has left.
        Err(error) if error.kind() != ErrorKind::Closed => Err(error),
        _ => Ok(code),
    }
}
