//! The command line, and its turn into the library's options.

use std::path::PathBuf;

use chrono::DateTime;
use clap::{Args, Parser, Subcommand, ValueEnum};
use podlag::analyze::Options;
use podlag::clock::Hints;
use podlag::error::{Error, Kind};
use podlag::grammar::Grammars;
use podlag::time::Time;

/// Which pods start slowly, where the time goes, what causes it, and what would fix it: from the logs a cluster already
/// writes. Reads kubelet journals and the container runtime's log beside them; with no INPUT it reads standard input.
#[derive(Debug, Parser)]
#[command(name = "podlag", version, args_conflicts_with_subcommands = true, max_term_width = 100)]
#[command(
    after_help = "Examples:\n  journalctl -u kubelet -u containerd | podlag\n  podlag kubelet.log containerd.log\n  podlag logs/ --format ndjson\n  podlag chain shop/checkout-7d9c6b5f4-x2x9k logs/\n\nExit codes: 0 fine, 2 usage or nothing readable, 3 no startups found"
)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub input: Input,
    /// The form of what is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// One startup, step by step: when, how long, whom it waited for, on which line it stands
    Chain {
        /// namespace/name, a name, or a uid
        pod: String,
        #[command(flatten)]
        input: Input,
    },
    /// What a cause means, how it is recognised, what to do, when it misleads
    Explain {
        /// The cause's id; without it, all are listed
        cause: Option<String>,
    },
    /// The log messages podlag knows; checks your own
    Grammar {
        #[command(subcommand)]
        what: GrammarVerb,
    },
}

#[derive(Debug, Subcommand)]
pub enum GrammarVerb {
    /// Lists every message with what it proves
    List,
    /// Checks a grammar file: its syntax, and that each example is its own message and no other
    Check {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct Input {
    /// Files or folders: journal text in any -o form, klog, JSON logging, containerd and CRI-O logs; gzip, zstd, xz, bzip2; - is standard input
    #[arg(value_name = "INPUT")]
    pub paths: Vec<PathBuf>,
    /// The node all inputs are of
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// The zone of clocks that name none, when no line tells it (Europe/Berlin)
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// The year of the first line, when no line tells it
    #[arg(long)]
    pub year: Option<i32>,
    /// A grammar file of your own, beside the built-in ones (repeatable)
    #[arg(long, value_name = "FILE")]
    pub grammar: Vec<PathBuf>,
    /// Threads that parse [default: the machine's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub threads: Option<u16>,
    /// Bytes of a chunk of input (the answer does not depend on it)
    #[arg(long, value_name = "BYTES", hide = true)]
    pub chunk: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The summary, for reading
    Text,
    /// One line a startup, for other tools
    Ndjson,
    /// The whole report
    Json,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Ndjson => "ndjson",
            Format::Json => "json",
        }
    }
}

/// Reads a grammar file for the library, which opens no settings itself.
pub fn grammar(path: &PathBuf) -> Result<(String, String), Error> {
    let text = std::fs::read_to_string(path);
    let text =
        text.map_err(|trouble| Error::new(Kind::Grammar, format!("{} cannot be read: {trouble}", path.display())))?;
    Ok((path.display().to_string(), text))
}

impl Input {
    /// The library's options.
    #[allow(clippy::disallowed_methods, reason = "the program tells the library what time it is")]
    pub fn options(&self) -> Result<Options, Error> {
        let own = self.grammar.iter().map(grammar).collect::<Result<Vec<_>, _>>()?;
        let mut options = Options::new()?;
        if !own.is_empty() {
            options.grammars = Grammars::load(&own)?;
        }
        let zone = self.timezone.as_deref().map(|name| {
            let unknown = |_| {
                Error::new(Kind::Setting, format!("--timezone: {name:?} is no zone"))
                    .help("use a name of the tz database, as Europe/Berlin or UTC")
            };
            name.parse().map_err(unknown)
        });
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok();
        let now = now
            .and_then(|now| DateTime::from_timestamp_secs(i64::try_from(now.as_secs()).ok()?)?.timestamp_nanos_opt());
        options.hints = Hints { zone: zone.transpose()?, year: self.year, now: now.map(Time) };
        options.node.clone_from(&self.node);
        if let Some(threads) = self.threads {
            options.threads = threads.into();
        }
        if let Some(chunk) = self.chunk {
            options.chunks.chunk = chunk;
        }
        Ok(options)
    }
}
