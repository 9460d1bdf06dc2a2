//! The command line, and its turn into the library's options.

mod servers;

use std::path::PathBuf;
use std::sync::OnceLock;

use chrono::DateTime;
use chrono_tz::Tz;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use podlag::analyze::Options;
use podlag::causes::setting::Settings;
use podlag::model::error::{Error, Kind};
use podlag::model::time::Time;
use podlag::parse::calendar::Hints;
use podlag::parse::grammar::Grammars;
use podlag::render;
use podlag::render::schema::SCHEMAS;
use podlag::report::replay::Scenario;
use podlag::table::anonymize::Anonymizer;
use podlag::table::filter::{Filter, instant};
use podlag::table::{Budget, KEYS, Key};
use rand::TryRng;
use rand::rngs::SysRng;

/// Which pods start slowly, where the time goes, what causes it, and what would fix it: from the logs a cluster already
/// writes. Reads kubelet journals and the container runtime's log beside them, scrapes of metrics, and servers that speak
/// Prometheus' API; with no INPUT it reads standard input.
#[derive(Debug, Parser)]
#[command(name = "podlag", version = env!("PODLAG_VERSION"), args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub input: Input,
    /// The form of what is printed: the summary, one line a startup, the whole report, a report for a ticket, or a trace
    #[arg(long, value_parser = one_of(render::FORMS.iter().filter(|form| form.readable).map(|form| form.name)))]
    #[arg(default_value = "text")]
    pub format: String,
    /// Writes the report to a file too, in the form its extension names: .parquet .csv .ndjson .json .txt .md (for a
    /// ticket) .trace.json (for Perfetto); FOLDER/ takes all tables, partitioned by date and node (repeatable)
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// One startup, step by step: when, how long, whom it waited for, on which line it stands
    Chain {
        /// namespace/name, a name, or a uid
        #[arg(value_name = "POD")]
        startup: String,
        /// Writes it to a file too: .svg (a waterfall) or .txt (repeatable)
        #[arg(short, long = "output", value_name = "FILE")]
        output: Vec<PathBuf>,
        #[command(flatten)]
        input: Input,
    },
    /// Groups of startups, one line each: how many, how long, seconds lost, and to which phase
    Blame {
        /// What to group by
        #[arg(long, value_parser = keys(), default_value = "pod")]
        by: Key,
        /// The column of seconds the quantiles are of (running_s, slo_s, total_s, or a phase as image_pull_s)
        #[arg(long, value_name = "COLUMN", default_value = "running_s")]
        of: String,
        /// Lines of text at most
        #[arg(long, value_name = "N", default_value_t = render::TOP)]
        top: usize,
        /// The form of what is printed
        #[arg(long, value_parser = one_of(render::BLAME_FORMS.iter().copied()), default_value = "text")]
        format: String,
        #[command(flatten)]
        input: Input,
    },
    /// What got slower or faster between two sets of startups, and whether that is more than noise
    Diff {
        /// Logs, tables or reports of before: a file or a folder
        before: PathBuf,
        /// The same of after
        after: PathBuf,
        /// The form of what is printed
        #[arg(long, value_parser = one_of(render::DIFF_FORMS.iter().copied()), default_value = "text")]
        format: String,
        #[command(flatten)]
        options: Reading,
    },
    /// A gate for CI: fails when a limit is broken, and says when there is not enough evidence
    Check {
        /// Fails when this holds, as 'p99(slo_s) > 5s' or 'share(state=failed, namespace=shop) > 1%' (repeatable)
        #[arg(long, value_name = "EXPR")]
        fail_if: Vec<String>,
        /// Logs, tables or reports to compare with: 'p99(running_s) > baseline + 10%'. Without --fail-if, fails when running_s is
        /// more than 5 % above it at p50, p95 or p99. --since and --until do not hold for it
        #[arg(long, value_name = "INPUT")]
        baseline: Option<PathBuf>,
        /// Lists the columns an expression can name
        #[arg(long)]
        columns: bool,
        /// The form of what is printed
        #[arg(long, value_parser = one_of(render::CHECK_FORMS.iter().copied()), default_value = "text")]
        format: String,
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
    /// The JSON Schema of what podlag prints as JSON
    Schema {
        /// Of which form; without it, all are listed
        #[arg(value_parser = one_of(SCHEMAS.iter().map(|schema| schema.name)))]
        form: Option<String>,
    },
    /// Completions for a shell, to standard output
    Completions {
        /// The shell
        shell: Shell,
    },
    /// The man page, to standard output, or the pages of all verbs into a folder
    Man {
        /// Where to write podlag.1 and a page for each verb
        folder: Option<PathBuf>,
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
    /// Files or folders: journal text in any -o form, klog, JSON logging, containerd and CRI-O logs, gzip, zstd, xz, bzip2; tables
    /// and reports of podlag (.parquet, .json); pods as kubectl prints them in JSON; metrics (one scrape, or two for what came
    /// between); addresses of /metrics pages and of Prometheus servers; - is standard input
    #[arg(value_name = "INPUT")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub options: Reading,
}

/// How inputs are read, and which startups count.
#[derive(Clone, Debug, Args)]
pub struct Reading {
    /// Only startups created from this time on: RFC 3339, 2026-11-23, '2026-11-23 18:00', 18:00 (today), or 2h (ago)
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    pub since: Option<String>,
    /// Only startups created before this time
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    pub until: Option<String>,
    /// Only these namespaces (globs, repeatable, as the following)
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    pub namespace: Vec<String>,
    /// Only these nodes; a plain name is also that of logs that name no node
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    pub node: Vec<String>,
    /// Only these pods, by name or namespace/name
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    pub pod: Vec<String>,
    /// Only pods of these workloads, by name or namespace/name
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    pub workload: Vec<String>,
    /// Only startups that pulled these images
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    pub image: Vec<String>,
    /// Only startups that lost time to these causes
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    pub cause: Vec<String>,
    /// The node all logs are of, whatever their lines say
    #[arg(long, value_name = "NAME", help_heading = "Reading")]
    pub node_name: Option<String>,
    /// The zone of clocks that name none, when no line tells it, and of --since and --until (Europe/Berlin)
    #[arg(long, value_name = "ZONE", help_heading = "Reading")]
    pub timezone: Option<String>,
    /// The year of the first line, when no line tells it
    #[arg(long, help_heading = "Reading")]
    pub year: Option<i32>,
    /// A grammar file of your own, beside the built-in ones (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Reading")]
    pub grammar: Vec<PathBuf>,
    /// Shows pseudonyms for pods, namespaces, nodes, workloads, images, volumes, hosts, addresses and files, in every output
    #[arg(long, help_heading = "Reading")]
    pub anonymize: bool,
    /// The secret that pseudonyms are made with: the same file gives the same in every run. Without it they are of one run only
    /// (implies --anonymize)
    #[arg(long, value_name = "FILE", help_heading = "Reading")]
    pub anonymize_key: Option<PathBuf>,
    /// The kubelets' configuration (KubeletConfiguration in YAML or JSON, or what /configz answers), so that advice does not
    /// tell what is set already; flags that a log shows win
    #[arg(long, value_name = "FILE", help_heading = "Reading")]
    pub config: Option<PathBuf>,
    /// Replays the observed starts with other settings: serializeImagePulls, maxParallelImagePulls, kubeAPIQPS,
    /// registryPullQPS, prepull=IMAGE, as name=value with commas between (repeatable)
    #[arg(long, value_name = "SETTINGS", help_heading = "Reading")]
    pub what_if: Vec<String>,
    #[command(flatten)]
    pub servers: servers::Servers,
    /// Threads that parse [default: the machine's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512), help_heading = "Reading")]
    pub threads: Option<u16>,
    /// Memory for startups, as 512MiB; beyond it they lie in a temporary folder [default: 128MiB]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Reading")]
    pub memory: Option<usize>,
    /// Bytes of columns below which no part is written to the temporary folder (the answer does not depend on it)
    #[arg(long, value_name = "SIZE", value_parser = size, hide = true)]
    pub part: Option<usize>,
    /// Bytes of a chunk of input (the answer does not depend on it)
    #[arg(long, value_name = "BYTES", hide = true)]
    pub chunk: Option<usize>,
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
        _ => return Err("give bytes, or a number with KiB, MiB or GiB".into()),
    };
    let bytes = number.parse::<usize>().ok().and_then(|number| number.checked_mul(factor));
    bytes.ok_or_else(|| "give bytes, or a number with KiB, MiB or GiB".into())
}

/// The words a flag takes, which are the library's names.
fn one_of(names: impl IntoIterator<Item = &'static str>) -> PossibleValuesParser {
    PossibleValuesParser::new(names)
}

fn keys() -> impl TypedValueParser<Value = Key> {
    one_of(KEYS.iter().map(|(_, name)| *name)).map(|name| Key::named(&name).unwrap_or_default())
}

/// Reads a grammar file for the library, which opens no settings itself.
pub fn grammar(path: &PathBuf) -> Result<(String, String), Error> {
    let text = std::fs::read_to_string(path);
    let text =
        text.map_err(|trouble| Error::new(Kind::Grammar, format!("{} cannot be read: {trouble}", path.display())))?;
    Ok((path.display().to_string(), text))
}

impl Reading {
    /// The library's options.
    pub fn read(&self) -> Result<Options, Error> {
        let own = self.grammar.iter().map(grammar).collect::<Result<Vec<_>, _>>()?;
        let mut options = Options::new(&temp())?;
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
        let zone: Option<Tz> = zone.transpose()?;
        options.hints = Hints { zone, year: self.year, now: now() };
        options.node.clone_from(&self.node_name);
        options.nameless = match self.node.as_slice() {
            [one] if !one.contains(['*', '?']) => Some(one.clone()),
            _ => None,
        };
        options.filter = self.filter(zone.unwrap_or(Tz::UTC))?;
        options.servers = self.servers.read(zone.unwrap_or(Tz::UTC), now())?;
        if let Some(threads) = self.threads {
            options.threads = threads.into();
        }
        if let Some(chunk) = self.chunk {
            options.chunks.chunk = chunk;
        }
        let (memory, part) = (self.memory.unwrap_or(Budget::MEMORY), self.part.unwrap_or(Budget::PART));
        options.budget = Budget { memory, part, ..options.budget };
        options.anonymizer = self.anonymizer()?;
        options.what_if = self.what_if.iter().map(|text| Scenario::of(text)).collect::<Result<_, _>>()?;
        if let Some(path) = &self.config {
            let about = |error: Error| error.about(&format!("--config {}", path.display()));
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|trouble| about(Error::new(Kind::Setting, trouble.to_string())))?;
            options.settings = Settings::of_config(&text).map_err(about)?;
        }
        Ok(options)
    }

    /// Who hides names, where that is asked for.
    pub fn anonymizer(&self) -> Result<Option<Anonymizer>, Error> {
        if let Some(path) = &self.anonymize_key {
            let about = |error: Error| error.about(&format!("--anonymize-key {}", path.display()));
            let bytes = std::fs::read(path).map_err(|trouble| about(Error::new(Kind::Setting, trouble.to_string())))?;
            return Anonymizer::of_file(&bytes).map(Some).map_err(about);
        }
        self.anonymize.then(|| drawn().map(Anonymizer::once)).transpose()
    }

    fn filter(&self, zone: Tz) -> Result<Filter, Error> {
        let time = |flag: &str, text: &Option<String>| {
            text.as_deref().map(|text| instant(text, zone, now()).map_err(|error| error.about(&flag))).transpose()
        };
        let mut filter = Filter::default();
        filter.since = time("--since", &self.since)?;
        filter.until = time("--until", &self.until)?;
        filter.add("namespace", &self.namespace)?;
        filter.add("node", &self.node)?;
        filter.add("pod", &self.pod)?;
        filter.add("workload", &self.workload)?;
        filter.add("image", &self.image)?;
        filter.add("cause", &self.cause)?;
        Ok(filter)
    }
}

#[allow(clippy::disallowed_methods, reason = "the program tells the library what time it is")]
fn now() -> Option<Time> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    DateTime::from_timestamp_secs(i64::try_from(now.as_secs()).ok()?)?.timestamp_nanos_opt().map(Time)
}

/// The run's own key: drawn once, for `diff` and `check` read twice.
fn drawn() -> Result<[u8; 16], Error> {
    static DRAWN: OnceLock<[u8; 16]> = OnceLock::new();
    if let Some(key) = DRAWN.get() {
        return Ok(*key);
    }
    let mut key = [0; 16];
    SysRng.try_fill_bytes(&mut key).map_err(|trouble| {
        Error::new(Kind::Setting, format!("--anonymize: the system gives no random numbers: {trouble}"))
            .help("give a key with --anonymize-key")
    })?;
    Ok(*DRAWN.get_or_init(|| key))
}

fn temp() -> PathBuf {
    std::env::temp_dir()
}
