//! The command line as clap knows it, and `podlag completions`.

use std::io::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::args::Cli;
use super::code;
use crate::model::error::Error;
use crate::model::nearest::nearest;

/// Lines after the help, each behind the name that podlag was called by.
const EXAMPLES: &[&str] = &[
    "kubelet.log containerd.log",
    "logs/ -o startups.parquet",
    "blame --by workload --since 18:00 logs/",
    "cluster -n shop",
    "scrape1.prom scrape2.prom",
    "https://prometheus.example/ --window 6h",
    "chain shop/checkout-7d9c6b5f4-x2x9k logs/",
    "diff before.parquet after.parquet",
    "check --fail-if 'p99(slo_s) > 5s' logs/",
];

/// The name of kubectl's plugin.
const PLUGIN: &str = "kubectl-podlag";

/// Whether it was called by kubectl, which runs its plugins as `kubectl-podlag`.
#[allow(clippy::disallowed_methods, reason = "the program, not the library, looks at its surroundings")]
pub(super) fn is_plugin() -> bool {
    let called = std::env::args_os().next();
    called.as_deref().and_then(|name| Path::new(name).file_stem()).is_some_and(|name| name == PLUGIN)
}

/// The command line under the name it was called by.
pub(super) fn command() -> Command {
    named(if is_plugin() { "kubectl podlag" } else { "podlag" })
}

/// The command line under a name.
pub(super) fn named(name: &'static str) -> Command {
    let mut help = format!("Examples:\n  journalctl -u kubelet -u containerd | {name}\n");
    EXAMPLES.iter().for_each(|line| help.extend(["  ", name, " ", line, "\n"]));
    help.push_str(
        "\nExit codes:\n  0    success\n  1    a threshold is exceeded (check)\n  2    usage or I/O error, or a named \
         input is missing\n  3    no startups found\n  4    not enough evidence for a verdict (check)\n  130  interrupted twice; the first Ctrl-C or SIGTERM prints \
         partial results",
    );
    Cli::command().bin_name(name).after_help(help)
}

/// How to begin, for who gives nothing on a terminal.
pub(super) fn beginning() -> String {
    let command = command();
    let name = command.get_bin_name().unwrap_or("podlag");
    format!(
        "no input: name files or folders, or pipe a journal\n\n  \
         journalctl -u kubelet -u containerd | {name}     on a node: what is slow, and why\n  \
         {name} cluster -n shop                          pods and events, through kubectl\n  \
         {name} logs/ -o report.html                     collected logs, and a page\n  \
         {name} chain NAMESPACE/POD logs/                one startup, step by step\n  \
         {name} blame --by workload logs/                who loses the most time\n  \
         {name} diff before/ after/                      what changed\n  \
         {name} check --fail-if 'p99(slo_s) > 5s' logs/  a check for CI\n\n\
         {name} --help lists all commands and options"
    )
}

/// The command that a word was probably meant to be: a name that is no path.
pub(super) fn nearest_command(word: &str) -> Option<String> {
    let command = command();
    let name = command.get_bin_name().unwrap_or("podlag").to_owned();
    let verbs: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    if verbs.contains(&word) {
        return None;
    }
    let found = nearest(word, verbs.into_iter()).filter(|_| !word.contains(['/', '.']));
    found.map(|verb| format!("{name} {verb}"))
}

/// Writes completions for a shell.
pub(super) fn run(shell: Shell, mut out: &mut dyn Write) -> Result<u8, Error> {
    clap_complete::generate(shell, &mut named("podlag"), "podlag", &mut out);
    Ok(code::OK)
}
