//! The program: flags, sources, one call, exit code. What is done is the library's.

mod cli;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::FromArgMatches;
use cli::args::{Cli, GrammarVerb, Reading, Verb};
use podlag::analyze;
use podlag::input;
use podlag::input::SourceError;
use podlag::model::error::{Error, Kind};
use podlag::parse::grammar;
use podlag::render::schema;
use podlag::render::schema::SCHEMAS;
use podlag::render::{self, ChainFile, Screen, Target, explain};
use podlag::report::Report;
use podlag::report::compare;
use podlag::report::gate;
use podlag::table::{self, CleanupList};

/// Records are made on the threads that parse and freed on the one that tracks, which the system's allocator is slow at;
/// and columns come and go, which it keeps hold of.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit codes: see `podlag --help`.
const NOTHING_FOUND: u8 = 3;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match cli::itself::command().try_get_matches().and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => cli,
        // A file's name that a shell took for a flag may hold anything.
        Err(wrong) if wrong.use_stderr() => {
            let _ = io::stderr().write_all(steady(&wrong.to_string()).as_bytes());
            return ExitCode::from(USAGE);
        }
        Err(help) => {
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        // Whoever reads our output has seen enough: that is success.
        Err(error) if error.kind() == Kind::Closed => ExitCode::SUCCESS,
        Err(error) => {
            told(&error.to_string());
            ExitCode::from(USAGE)
        }
    }
}

fn run(cli: &Cli) -> Result<u8, Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    let interrupt = Interrupt::listen();
    let read = |paths: &[PathBuf], reading: &Reading| read(paths, reading, &interrupt);
    let code = match &cli.verb {
        None => summary(cli, &interrupt, &mut out)?,
        Some(Verb::Chain { startup: pod, output, input }) => {
            let files = output.iter().map(|path| ChainFile::of(path, &input.paths)).collect::<Result<Vec<_>, _>>()?;
            let report = read(&input.paths, &input.options)?;
            troubles(&report, true);
            startless(&report);
            let anonymizer = input.options.anonymizer()?;
            let pod = &anonymizer.map_or(pod.clone(), |anonymizer| anonymizer.startup(pod));
            let found = render::find(&report, pod)?;
            render::chain(&found, screen(), &mut out)?;
            if found.is_empty() {
                let startups = report.table.len();
                told(&format!("no startup of a pod named {pod:?} in the input ({startups} startups)"));
            }
            // Of nothing there is no picture; a file of an earlier run stays.
            files.iter().filter(|_| !found.is_empty()).try_for_each(|file| file.write(&found, &interrupt.made))?;
            if found.is_empty() { NOTHING_FOUND } else { 0 }
        }
        Some(Verb::Blame { by, of, top, format, input }) => {
            table::of_seconds(of, *by)?;
            let report = read(&input.paths, &input.options)?;
            troubles(&report, true);
            startless(&report);
            render::blame(&table::groups(&report.table, *by, of)?, format, *top, screen(), &mut out)?;
            render::filtered(&report.coverage, format, &mut out)?;
            if report.table.is_empty() { NOTHING_FOUND } else { 0 }
        }
        Some(Verb::Diff { before, after, format, options }) => {
            let before = read(std::slice::from_ref(before), options)?;
            let after = read(std::slice::from_ref(after), options)?;
            for report in [&before, &after] {
                troubles(report, true);
                startless(report);
            }
            let diff = compare::of(&before, &after)?;
            render::diff(&diff, format, screen(), &mut out)?;
            render::filtered(&after.coverage, format, &mut out)?;
            if before.table.is_empty() || after.table.is_empty() { NOTHING_FOUND } else { 0 }
        }
        Some(Verb::Check { columns: true, .. }) => {
            gate::columns().iter().try_for_each(|(name, about)| writeln!(out, "{name:<20} {about}"))?;
            0
        }
        Some(Verb::Check { fail_if, baseline, format, input, .. }) => {
            let mut limits = gate::limits(fail_if, baseline.is_some())?;
            if let Some(anonymizer) = input.options.anonymizer()? {
                limits.iter_mut().try_for_each(|limit| anonymizer.limit(limit))?;
            }
            // A baseline is of another time: the window is not its own.
            let timeless = Reading { since: None, until: None, ..input.options.clone() };
            let before = baseline.as_ref().map(|path| read(std::slice::from_ref(path), &timeless)).transpose()?;
            let report = read(&input.paths, &input.options)?;
            troubles(&report, true);
            gate::whole(&report)?;
            before.as_ref().map_or(Ok(()), gate::whole)?;
            let verdicts = gate::judge(&limits, &report, before.as_ref())?;
            let printed = render::check(&verdicts, format, screen(), &mut out)
                .and_then(|()| render::filtered(&report.coverage, format, &mut out))
                .and_then(|()| Ok(out.flush()?));
            let code = if report.is_empty() { NOTHING_FOUND } else { verdicts.worst().code() };
            match printed {
                // Whoever reads has seen enough; the verdict holds all the same.
                Err(error) if error.kind() == Kind::Closed => return Ok(code),
                printed => printed?,
            }
            code
        }
        Some(Verb::Explain { cause }) => {
            match cause {
                None => explain::list(&mut out)?,
                Some(id) => explain::one(id, &mut out)?,
            }
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
            let own = cli::args::grammar(file)?;
            let grammars = grammar::Grammars::load(std::slice::from_ref(&own))?;
            let wrong = grammars.check(&own.0, &own.1);
            wrong.iter().try_for_each(|line| writeln!(out, "{line}"))?;
            if wrong.is_empty() {
                writeln!(out, "{}: every example is its own message and no other", own.0)?;
            }
            u8::from(!wrong.is_empty()) * USAGE
        }
        Some(Verb::Schema { form: None }) => {
            SCHEMAS.iter().try_for_each(|schema| writeln!(out, "{:<8} {}", schema.name, schema.about))?;
            0
        }
        Some(Verb::Schema { form: Some(form) }) => {
            out.write_all(schema::named(form)?.text()?.as_bytes())?;
            0
        }
        Some(Verb::Completions { shell }) => {
            cli::itself::completions(*shell, &mut out);
            0
        }
        Some(Verb::Man { folder }) => {
            cli::itself::man(folder.as_deref(), &mut out)?;
            0
        }
    };
    out.flush()?;
    Ok(code)
}

fn summary(cli: &Cli, interrupt: &Interrupt, out: &mut dyn Write) -> Result<u8, Error> {
    // What cannot be written is said before anything is read.
    let targets = cli.output.iter().map(|path| Target::of(path)).collect::<Result<Vec<_>, _>>()?;
    for target in &targets {
        target.spares(&cli.input.paths)?;
    }
    let form = render::form(&cli.format)?;
    let report = read(&cli.input.paths, &cli.input.options, interrupt)?;
    // One full disk does not take the other results along.
    let written: Vec<Error> = targets
        .iter()
        .filter_map(|target| target.write(&report, &interrupt.made).err())
        .filter(|error| error.kind() != Kind::Closed)
        .collect();
    let printed = (form.write)(&report, screen(), out).and_then(|()| Ok(out.flush()?));
    let tables = targets.iter().any(Target::is_table) || matches!(cli.format.as_str(), "csv" | "trace");
    if report.metrics.is_some() && tables {
        told("tables and traces hold startups only: the metrics are in the text, .md, .json and .ndjson forms");
    }
    troubles(&report, cli.format != "text");
    written.iter().for_each(|error| told(&error.to_string()));
    match printed {
        Err(error) if written.is_empty() || error.kind() != Kind::Closed => return Err(error),
        _ if !written.is_empty() => return Ok(USAGE),
        _ => {}
    }
    Ok(if report.is_empty() { NOTHING_FOUND } else { 0 })
}

/// What Ctrl-C does: the first ends the reading and tells what is known; the second ends the program at once, but for the
/// temporary files and folders. Without a handler the first does that, which loses only the partial report.
#[derive(Default)]
struct Interrupt {
    stop: Arc<AtomicBool>,
    made: CleanupList,
}

impl Interrupt {
    fn listen() -> Self {
        let interrupt = Interrupt::default();
        let (stop, made) = (Arc::clone(&interrupt.stop), interrupt.made.clone());
        let _ = ctrlc::set_handler(move || {
            #[allow(clippy::exit, reason = "the user asked twice")]
            if stop.swap(true, Ordering::Relaxed) {
                made.remove();
                std::process::exit(130);
            }
        });
        interrupt
    }
}

fn read(paths: &[PathBuf], reading: &Reading, interrupt: &Interrupt) -> Result<Report, Error> {
    let mut paths = paths.to_vec();
    if paths.is_empty() {
        if io::stdin().is_terminal() {
            let help = cli::itself::command().render_help();
            let nothing = format!("nothing to read: give files, or pipe a journal in\n\n{help}");
            return Err(Error::new(Kind::Setting, nothing));
        }
        paths.push(PathBuf::from("-"));
    }
    let mut options = reading.read()?;
    options.budget.made = interrupt.made.clone();
    let (sources, errors) = input::list(&paths);
    let hidden = |error: &SourceError| match &options.anonymizer {
        Some(anonymizer) => anonymizer.trouble(error),
        None => error.to_string(),
    };
    errors.iter().for_each(|error| told(&hidden(error)));
    if sources.is_empty() {
        return Err(Error::new(Kind::Source, "nothing to read").help("check the paths"));
    }
    if reading.servers.insecure && sources.iter().any(|source| source.url.is_some()) {
        told(
            "--insecure: CERTIFICATES ARE NOT CHECKED; whoever is in between can read the token and change the answers",
        );
    }
    let bar = cli::progress::Bar::new(&sources);
    let report = analyze::analyze(&sources, &options, &interrupt.stop);
    bar.end();
    let mut report = report?;
    report.coverage.unread_sources += errors.len() as u64;
    Ok(report)
}

/// Messages repeat what inputs and servers say, so they are made safe for a terminal line by line.
fn told(message: &str) {
    let _ = writeln!(io::stderr(), "podlag: {}", steady(message));
}

/// Lines without what acts on a terminal: names of files and what logs wrote stand in messages.
fn steady(message: &str) -> String {
    message.split('\n').map(render::plain).collect::<Vec<_>>().join("\n")
}

/// Trouble with sources goes to stderr when the output is for a program.
fn troubles(report: &Report, by_program: bool) {
    report.coverage.source_troubles.iter().filter(|_| by_program).for_each(|trouble| told(trouble));
    if report.coverage.partial {
        told("stopped before the end of the input: the result is partial");
    }
}

/// What verbs over single startups say to metrics.
fn startless(report: &Report) {
    if report.table.is_empty() && report.metrics.is_some() {
        told(
            "the input holds metrics and no startup: `podlag INPUT` and `podlag check` read those, this verb needs logs",
        );
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
