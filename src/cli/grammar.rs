//! `podlag grammar`: the log messages that podlag knows, and the check of a user's own.

use std::io::Write;
use std::slice;

use super::args::{GrammarVerb, read_grammar};
use super::code;
use crate::model::error::Error;
use crate::parse::grammar::Grammars;

pub(super) fn run(verb: &GrammarVerb, out: &mut dyn Write) -> Result<u8, Error> {
    match verb {
        GrammarVerb::List => {
            for message in Grammars::load(&[])?.messages() {
                let verbosity = message.verbosity.map_or(String::new(), |v| format!("-v={v}"));
                writeln!(out, "{:<32} {:<22} {verbosity:<5} {}", message.name, message.fact.name(), message.about)?;
            }
            Ok(code::OK)
        }
        GrammarVerb::Check { file } => {
            let own = read_grammar(file)?;
            let wrong = Grammars::load(slice::from_ref(&own))?.check(&own.0, &own.1);
            wrong.iter().try_for_each(|line| writeln!(out, "{line}"))?;
            if !wrong.is_empty() {
                return Ok(code::USAGE);
            }
            writeln!(out, "{}: each example matches its own message and no other", own.0)?;
            Ok(code::OK)
        }
    }
}
