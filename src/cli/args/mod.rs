//! The flags, and their turn into the library's options.

mod analysis;
mod cluster;
mod servers;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::model::error::{Error, ErrorKind};
use crate::render;
use crate::render::schema::SCHEMAS;
use crate::report::gate::{ON_UNKNOWN, OnUnknown};
use crate::table::{KEYS, Key};

pub(super) use analysis::{AnalysisArgs, read_grammar};

/// Shows which pods start slowly, where the time goes, what causes it, and what would fix it.
///
/// Reads the pods and events of a cluster, the logs of kubelets and container runtimes, scraped metrics, servers with Prometheus'
/// HTTP API, and log stores (Loki, VictoriaLogs, Elasticsearch). Without INPUT it reads standard input; as kubectl podlag,
/// without a pipe, the cluster.
#[derive(Debug, Parser)]
#[command(name = "podlag", version = env!("PODLAG_VERSION"), args_conflicts_with_subcommands = true, max_term_width = 100)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
    #[command(flatten)]
    pub(super) input: InputArgs,
    /// Output format
    #[arg(long, value_parser = possible_values(render::FORMATS.iter().filter(|form| form.readable).map(|form| form.name)))]
    #[arg(default_value = "text")]
    pub(super) format: String,
    /// In text: all causes in full, what metrics say, what was not checked, and everything that was counted
    #[arg(long)]
    pub(super) details: bool,
    /// Also write the report to FILE (repeatable); the extension selects the format: .html (a page), .md (for a ticket), .json, .ndjson,
    /// .csv, .parquet, .trace.json (for Perfetto) or .txt. FOLDER/ gets all tables, partitioned by date and node
    #[arg(short, long = "output", value_name = "FILE")]
    pub(super) output: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Show one startup step by step: times, durations, what it waited for, and the log lines
    Chain(ChainArgs),
    /// Group startups, one line per group: count, quantiles, time lost, and the phase that took most
    Blame(BlameArgs),
    /// Compare two sets of startups: what got slower or faster, and whether it is more than noise
    Diff(DiffArgs),
    /// CI gate: fail when a threshold is exceeded, and report when there is not enough data
    Check(CheckArgs),
    /// Explain a cause: what it means, how it is detected, what to do, when it misleads
    Explain {
        /// ID of the cause; lists all if omitted
        cause: Option<String>,
    },
    /// List the known log messages, or check a grammar file of your own
    Grammar {
        #[command(subcommand)]
        what: GrammarVerb,
    },
    /// Print the JSON Schema of podlag's JSON output
    Schema {
        /// Format to print; lists all if omitted
        #[arg(value_parser = possible_values(SCHEMAS.iter().map(|schema| schema.name)))]
        format: Option<String>,
    },
    /// Print shell completions
    Completions {
        /// Shell
        shell: Shell,
    },
    /// Print the man page, or write the man pages of all commands into a folder
    Man {
        /// Folder for podlag.1 and one page per command
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct ChainArgs {
    /// Pod: namespace/name, name, or UID
    #[arg(value_name = "POD")]
    pub(super) startup: String,
    /// Also write it to FILE: .svg (a waterfall) or .txt (repeatable)
    #[arg(short, long = "output", value_name = "FILE")]
    pub(super) output: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) input: InputArgs,
}

#[derive(Debug, Args)]
pub(super) struct BlameArgs {
    /// What to group by; several keys separated by commas: namespace,cause
    #[arg(long, value_name = "KEY", value_parser = keys(), value_delimiter = ',', default_value = "pod")]
    by: Vec<Key>,
    /// Duration column to summarise (running_s, slo_s, total_s, or a phase column such as image_pull_s)
    #[arg(long, value_name = "COLUMN", default_value = "running_s")]
    pub(super) of: String,
    /// Maximum rows in text output
    #[arg(long, value_name = "N", default_value_t = render::TOP)]
    pub(super) top: usize,
    /// Output format
    #[arg(long, value_parser = possible_values(render::BLAME_FORMATS.iter().copied()), default_value = "text")]
    pub(super) format: String,
    #[command(flatten)]
    pub(super) input: InputArgs,
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// Logs, tables or reports from before the change: a file or a folder
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The same from after the change; with --after, more of them from before it
    #[arg(value_name = "AFTER", required_unless_present = "after")]
    more: Vec<PathBuf>,
    /// Several inputs from after the change; all others are then from before it: podlag diff old/* --after new/*
    #[arg(long, value_name = "AFTER", num_args = 1..)]
    after: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_parser = possible_values(render::DIFF_FORMATS.iter().copied()), default_value = "text")]
    pub(super) format: String,
    #[command(flatten)]
    pub(super) options: AnalysisArgs,
}

impl BlameArgs {
    /// The keys, each once.
    pub(super) fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        self.by.iter().for_each(|key| keys.extend(Some(*key).filter(|key| !keys.contains(key))));
        keys
    }
}

impl DiffArgs {
    /// The inputs of both sides.
    ///
    /// # Errors
    /// When it is not clear which are from after the change.
    pub(super) fn sides(&self) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Error> {
        let before = || std::iter::once(&self.before);
        match (self.more.as_slice(), self.after.as_slice()) {
            ([after], []) => Ok((vec![self.before.clone()], vec![after.clone()])),
            (more, []) => {
                let all: Vec<&PathBuf> = before().chain(more).collect();
                // Of two folders each is one side; else only the last input is known to be from after it.
                let folder = self.before.parent();
                let (mut first, mut rest): (Vec<&PathBuf>, Vec<&PathBuf>) =
                    all.iter().partition(|path| path.parent() == folder);
                if rest.first().is_none_or(|one| rest.iter().any(|path| path.parent() != one.parent())) {
                    first.clone_from(&all);
                    rest = first.pop().into_iter().collect();
                }
                let words = |paths: &[&PathBuf]| {
                    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
                };
                Err(Error::new(ErrorKind::Setting, format!("{} inputs: which are from after the change?", all.len()))
                    .help(format!("put them behind --after: podlag diff {} --after {}", words(&first), words(&rest))))
            }
            (more, after) => Ok((before().chain(more).cloned().collect(), after.to_vec())),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Fail when this holds, e.g. 'p99(slo_s) > 5s' or 'share(state=failed, namespace=shop) > 1%' (repeatable)
    #[arg(long, value_name = "EXPR")]
    pub(super) fail_if: Vec<String>,
    /// Logs, tables or reports to compare with: 'p99(running_s) > baseline + 10%'. Without --fail-if, fail when running_s is
    /// more than 5 % above the baseline at p50, p95 or p99. --since and --until do not apply to it
    #[arg(long, value_name = "INPUT")]
    pub(super) baseline: Option<PathBuf>,
    /// What a check with not enough evidence (such as a p99 of 20 starts) does: unknown exits with 4, pass with 0, fail with 1.
    /// An input without startups exits with 3 in any case
    #[arg(long, value_parser = on_unknown(), default_value = OnUnknown::default().name(), value_name = "VERDICT")]
    pub(super) on_unknown: OnUnknown,
    /// List the columns that an expression can use
    #[arg(long)]
    pub(super) columns: bool,
    /// Output format
    #[arg(long, value_parser = possible_values(render::CHECK_FORMATS.iter().copied()), default_value = "text")]
    pub(super) format: String,
    #[command(flatten)]
    pub(super) input: InputArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum GrammarVerb {
    /// List every known message and the fact it shows
    List,
    /// Check a grammar file: its syntax, and that each example matches its own message and no other
    Check {
        /// Grammar file
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct InputArgs {
    /// Files, folders, or tar and ZIP archives of them: journald output in any -o format, klog, JSON logging, containerd and CRI-O
    /// logs, also compressed with gzip, zstd, xz or bzip2; podlag's own output (.parquet, .json, .ndjson, .html); pods (kubectl get
    /// pods -A -o json); metrics (one scrape; of two, only the startups between them count); URLs of /metrics pages, of
    /// Prometheus servers, and of log stores; cluster, or cluster:CONTEXT, for pods and events of a cluster (needs kubectl); - for standard input
    #[arg(value_name = "INPUT")]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) options: AnalysisArgs,
}

/// A size in bytes, with a unit or without.
fn size(text: &str) -> Result<usize, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err("use bytes, or a number with KiB, MiB or GiB".into()),
    };
    let bytes = number.parse::<usize>().ok().and_then(|number| number.checked_mul(factor));
    bytes.ok_or_else(|| "use bytes, or a number with KiB, MiB or GiB".into())
}

/// The words a flag takes, which are the library's names.
fn possible_values(names: impl IntoIterator<Item = &'static str>) -> PossibleValuesParser {
    PossibleValuesParser::new(names)
}

fn on_unknown() -> impl TypedValueParser<Value = OnUnknown> {
    let names = possible_values(ON_UNKNOWN.iter().map(|(_, name)| *name));
    names.map(|name| OnUnknown::from_name(&name).unwrap_or_default())
}

fn keys() -> impl TypedValueParser<Value = Key> {
    possible_values(KEYS.iter().map(|(_, name)| *name)).map(|name| Key::from_name(&name).unwrap_or_default())
}
