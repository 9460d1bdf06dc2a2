//! How inputs are read, and which startups count.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chrono::DateTime;
use clap::Args;
use rand::TryRng;
use rand::rngs::SysRng;

use super::{cluster, servers};
use crate::analyze::Options;
use crate::causes::setting::Settings;
use crate::model::error::{Error, ErrorKind};
use crate::model::time::Time;
use crate::model::zone::Zone;
use crate::parse::calendar::Hints;
use crate::parse::grammar::Grammars;
use crate::report::replay::Scenario;
use crate::table::Budget;
use crate::table::anonymize::Anonymizer;
use crate::table::filter::{Filter, instant};

/// How inputs are read, and which startups count.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct AnalysisArgs {
    /// Only startups created at or after this time: RFC 3339, 2026-11-23, '2026-11-23 18:00', 18:00 (today), or 2h (ago)
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    since: Option<String>,
    /// Only startups created before this time (for the time range of Prometheus servers, see --from)
    #[arg(long, value_name = "TIME", help_heading = "Filters")]
    until: Option<String>,
    /// Only these namespaces (all filters with GLOB are repeatable)
    #[arg(short, long, value_name = "GLOB", help_heading = "Filters")]
    namespace: Vec<String>,
    /// Only these nodes. If a log does not contain its node's name, a NAME without wildcards is used for it
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    node: Vec<String>,
    /// Only these pods: name or namespace/name
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    pod: Vec<String>,
    /// Only pods of these workloads: name or namespace/name
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    workload: Vec<String>,
    /// Only startups that pulled these images
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    image: Vec<String>,
    /// Only startups that lost time to these causes
    #[arg(long, value_name = "GLOB", help_heading = "Filters")]
    cause: Vec<String>,
    /// Leave out what fits a filter, e.g. namespace=kube-system: any of namespace, node, pod, workload, image and cause (repeatable)
    #[arg(long, value_name = "KIND=GLOB", help_heading = "Filters")]
    exclude: Vec<String>,
    /// Treat all logs as coming from this node, even if their lines name another one
    #[arg(long, value_name = "NAME", help_heading = "Analysis")]
    node_name: Option<String>,
    /// Journal files: also read this systemd unit (with or without .service) or program, besides kubelets and container
    /// runtimes (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Analysis")]
    unit: Vec<String>,
    /// Time zone for timestamps without one, and for --since and --until, e.g. Europe/Berlin or -07:00 [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, help_heading = "Analysis")]
    timezone: Option<String>,
    /// Year of the first line, for logs without a year [default: the latest that is not in the future]
    #[arg(long, value_parser = clap::value_parser!(i32).range(1970..=2261), help_heading = "Analysis")]
    year: Option<i32>,
    /// File with additional log message patterns, in the format of the built-in grammars (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Analysis")]
    grammar: Vec<PathBuf>,
    /// Replace the names of pods, namespaces, nodes, workloads, images, volumes, hosts, addresses and files with pseudonyms
    #[arg(long, help_heading = "Analysis")]
    anonymize: bool,
    /// Key file for stable pseudonyms; without it they differ on each run (implies --anonymize)
    #[arg(long, value_name = "FILE", help_heading = "Analysis")]
    anonymize_key: Option<PathBuf>,
    /// Kubelet configuration (KubeletConfiguration in YAML or JSON, or the answer of /configz), so that advice skips settings
    /// already in place; flags seen in the log take precedence
    #[arg(long, value_name = "FILE", help_heading = "Analysis")]
    config: Option<PathBuf>,
    /// Estimate the effect of settings by replaying the observed pulls: name=value, separated by commas (repeatable).
    /// Settings: serializeImagePulls, maxParallelImagePulls, kubeAPIQPS, registryPullQPS, prepull=IMAGE
    #[arg(long, value_name = "SETTINGS", help_heading = "Analysis")]
    what_if: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) cluster: cluster::ClusterArgs,
    #[command(flatten)]
    pub(in crate::cli) servers: servers::ServerArgs,
    /// Parser threads [default: number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512), help_heading = "Analysis")]
    threads: Option<u16>,
    /// Memory limit for startups, e.g. 512MiB; above it they are written to a temporary directory [default: 128MiB]
    #[arg(long, value_name = "SIZE", value_parser = super::size, help_heading = "Analysis")]
    memory: Option<usize>,
    /// Bytes of columns below which no part is written to the temporary directory (the answer does not depend on it)
    #[arg(long, value_name = "SIZE", value_parser = super::size, hide = true)]
    part: Option<usize>,
    /// Bytes of a chunk of input (the answer does not depend on it)
    #[arg(long, value_name = "BYTES", hide = true)]
    chunk: Option<usize>,
}

/// Reads a grammar file for the library, which opens no settings itself.
pub(in crate::cli) fn read_grammar(path: &Path) -> Result<(String, String), Error> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(Error::new(ErrorKind::Grammar, format!("{name}: cannot read the grammar: {error}"))),
    }
}

impl AnalysisArgs {
    /// The library's options.
    pub(in crate::cli) fn options(&self) -> Result<Options, Error> {
        let own = self.grammar.iter().map(|path| read_grammar(path)).collect::<Result<Vec<_>, _>>()?;
        let mut options = Options::new(&std::env::temp_dir())?;
        if !own.is_empty() {
            options.grammars = Grammars::load(&own)?;
        }
        let zone = self.zone()?;
        options.hints = Hints { zone, year: self.year, now: now() };
        options.node.clone_from(&self.node_name);
        options.units.clone_from(&self.unit);
        options.default_node = match self.node.as_slice() {
            [one] if !one.contains(['*', '?']) => Some(one.clone()),
            _ => None,
        };
        options.filter = self.filter(zone.unwrap_or(Zone::UTC))?;
        options.servers = self.servers.options(zone.unwrap_or(Zone::UTC), now())?;
        options.cluster = self.cluster.options(&self.namespace, &self.node, options.servers.window, &self.unit);
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
            let flag = format!("--config {}", path.display());
            options.settings = Settings::of_config(&read_text(path, &flag)?).map_err(|error| error.about(&flag))?;
        }
        Ok(options)
    }

    /// A time of day that was given without its date.
    pub(crate) fn time_without_date(&self) -> Option<&str> {
        let given = [&self.since, &self.until].into_iter().flatten().map(|time| time.trim());
        given.into_iter().find(|time| time.contains(':') && !time.contains(['-', '/', 'T', ' ']))
    }

    /// The same for a pod that is asked for: of a cluster only its namespace is read.
    pub(in crate::cli) fn about(&self, pod: &str) -> Self {
        AnalysisArgs { cluster: self.cluster.clone().about(pod), ..self.clone() }
    }

    /// The same without --since and --until.
    pub(in crate::cli) fn of_all_times(&self) -> Self {
        AnalysisArgs { since: None, until: None, ..self.clone() }
    }

    fn zone(&self) -> Result<Option<Zone>, Error> {
        let zone = self.timezone.as_deref().map(|name| {
            Zone::of(name).ok_or_else(|| {
                Error::new(ErrorKind::Setting, format!("--timezone: invalid time zone {name:?}"))
                    .help("use a name of the tz database or an offset, e.g. Europe/Berlin, -07:00 or UTC")
            })
        });
        zone.transpose()
    }

    /// The pseudonyms, where they are requested.
    pub(in crate::cli) fn anonymizer(&self) -> Result<Option<Anonymizer>, Error> {
        if let Some(path) = &self.anonymize_key {
            let about = |error: Error| error.about(&format!("--anonymize-key {}", path.display()));
            let bytes =
                std::fs::read(path).map_err(|error| about(Error::new(ErrorKind::Setting, error.to_string())))?;
            return Anonymizer::of_file(&bytes).map(Some).map_err(about);
        }
        self.anonymize.then(|| random_key().map(Anonymizer::ephemeral)).transpose()
    }

    fn filter(&self, zone: Zone) -> Result<Filter, Error> {
        let mut filter = Filter::default();
        filter.since = time("--since", self.since.as_deref(), zone, now())?;
        filter.until = time("--until", self.until.as_deref(), zone, now())?;
        filter.add("namespace", &self.namespace)?;
        filter.add("node", &self.node)?;
        filter.add("pod", &self.pod)?;
        filter.add("workload", &self.workload)?;
        filter.add("image", &self.image)?;
        filter.add("cause", &self.cause)?;
        filter.exclude(&self.exclude)?;
        Ok(filter)
    }
}

/// The instant that a flag names.
pub(super) fn time(flag: &str, text: Option<&str>, zone: Zone, now: Option<Time>) -> Result<Option<Time>, Error> {
    text.map(|text| instant(text, zone, now).map_err(|error| error.about(&flag))).transpose()
}

/// The text of a file that a flag names.
pub(super) fn read_text(path: &Path, flag: &str) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| Error::new(ErrorKind::Setting, error.to_string()).about(&flag))
}

#[allow(clippy::disallowed_methods, reason = "the program hands the clock to the library")]
fn now() -> Option<Time> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    DateTime::from_timestamp_secs(i64::try_from(now.as_secs()).ok()?)?.timestamp_nanos_opt().map(Time)
}

/// The run's own key: drawn once, because `diff` and `check` read twice.
fn random_key() -> Result<[u8; 16], Error> {
    static KEY: OnceLock<[u8; 16]> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(*key);
    }
    let mut key = [0; 16];
    SysRng.try_fill_bytes(&mut key).map_err(|error| {
        Error::new(ErrorKind::Setting, format!("--anonymize: the system provides no random numbers: {error}"))
            .help("pass a key with --anonymize-key")
    })?;
    Ok(*KEY.get_or_init(|| key))
}
