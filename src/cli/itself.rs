//! What the program says of itself: its command line as help, as completions for shells, as man pages.

use std::io::Write;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use podlag::model::error::{Error, Kind};

use crate::cli::args::Cli;

/// Lines after the help, each led by the name that podlag goes by.
const EXAMPLES: &[&str] = &[
    "kubelet.log containerd.log",
    "logs/ -o startups.parquet",
    "blame --by workload --since 18:00 logs/",
    "before.prom after.prom",
    "https://prometheus.example/ --window 6h",
    "chain shop/checkout-7d9c6b5f4-x2x9k logs/",
    "diff before.parquet after.parquet",
    "check --fail-if 'p99(slo_s) > 5s' logs/",
];

/// The command line under the name it was called by: kubectl runs its plugins as `kubectl-podlag`.
#[allow(clippy::disallowed_methods, reason = "the program, not the library, looks at its surroundings")]
pub fn command() -> Command {
    let called = std::env::args_os().next();
    let plugin = called.as_deref().and_then(|name| Path::new(name).file_stem()).is_some_and(|name| name == PLUGIN);
    named(if plugin { "kubectl podlag" } else { "podlag" })
}

/// The name of kubectl's plugin.
const PLUGIN: &str = "kubectl-podlag";

fn named(name: &'static str) -> Command {
    let mut help = format!("Examples:\n  journalctl -u kubelet -u containerd | {name}\n");
    EXAMPLES.iter().for_each(|line| help.extend(["  ", name, " ", line, "\n"]));
    help.push_str("\nExit codes: 0 fine, 1 a limit was broken, 2 usage, nothing readable, or a result not written,\n");
    help.push_str("3 no startups found, 4 not enough evidence for a verdict,\n");
    help.push_str("130 interrupted twice. The first Ctrl-C (or SIGTERM) ends the reading: what is known so far is told, and that it is partial");
    Cli::command().bin_name(name).after_help(help)
}

/// Writes completions for a shell.
pub fn completions(shell: Shell, out: &mut dyn Write) {
    clap_complete::generate(shell, &mut named("podlag"), "podlag", &mut { out });
}

/// Writes the man page of the whole, or into a folder that of each verb too.
pub fn man(folder: Option<&Path>, out: &mut dyn Write) -> Result<(), Error> {
    let mut all = named("podlag").disable_help_subcommand(true);
    all.build();
    let Some(folder) = folder else { return Ok(page(&all).render(out)?) };
    let told = |trouble: std::io::Error| {
        Error::new(Kind::Output, format!("{} cannot be written: {trouble}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(told)?;
    pages(&all, folder).map_err(told)
}

fn pages(command: &Command, folder: &Path) -> std::io::Result<()> {
    page(command).generate_to(folder)?;
    command.get_subcommands().try_for_each(|verb| pages(verb, folder))
}

/// A page whose foot names the program, not the verb.
fn page(command: &Command) -> Man {
    Man::new(command.clone()).source(concat!("podlag ", env!("PODLAG_VERSION"))).manual("podlag")
}
