//! Options as the library's users set them.

use super::Options;
use crate::causes::setting::Settings;
use crate::model::error::{Error, ErrorKind};
use crate::model::time::Time;
use crate::model::zone::Zone;
use crate::parse::grammar::Grammars;
use crate::report::replay::Scenario;
use crate::table::anonymize::Anonymizer;
use crate::table::filter::KINDS;

impl Options {
    /// Treats all logs as coming from this node. Default: the host or the registered node name in the lines.
    #[must_use]
    pub fn node(mut self, name: &str) -> Self {
        self.node = Some(name.to_owned());
        self
    }

    /// The number of threads that parse. Default: the number of processors.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Bytes of startups held in memory before they are written to the temporary folder. Default: 128 MiB.
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> Self {
        self.budget.memory = bytes;
        self
    }

    /// The time zone of timestamps without one, as a name of the tz database or an offset (`-07:00`). Default: UTC.
    ///
    /// # Errors
    /// When it is neither.
    pub fn time_zone(mut self, name: &str) -> Result<Self, Error> {
        let unknown = || Error::new(ErrorKind::Setting, format!("invalid time zone {name:?}"));
        self.hints.zone = Some(Zone::of(name).ok_or_else(unknown)?);
        Ok(self)
    }

    /// The year of the first line, for logs without a year (klog has none). Default: the latest year that is not in the future,
    /// seen from [`now`](Self::now).
    #[must_use]
    pub fn year(mut self, year: i32) -> Self {
        self.hints.year = Some(year);
        self
    }

    /// The present, in nanoseconds since 1970. The library does not read the clock. Default: unknown.
    #[must_use]
    pub fn now(mut self, unix_nanos: i64) -> Self {
        self.hints.now = Some(Time(unix_nanos));
        self
    }

    /// Keeps only startups that match one of these globs. `kind` is `namespace`, `node`, `pod`, `workload`, `image` or
    /// `cause`. Default: all.
    ///
    /// # Errors
    /// When a pattern is too long, or there is no such kind.
    pub fn filter(mut self, kind: &str, globs: &[String]) -> Result<Self, Error> {
        if !KINDS.iter().any(|(known, _)| *known == kind) {
            let known: Vec<&str> = KINDS.iter().map(|(known, _)| *known).collect();
            return Err(Error::new(ErrorKind::Setting, format!("invalid filter {kind:?}"))
                .help(format!("known: {}", known.join(", "))));
        }
        self.filter.add(kind, globs)?;
        Ok(self)
    }

    /// Reads entries of another unit (with or without `.service`) or program of journal files, besides those of kubelets and
    /// container runtimes. Other inputs are read as they are. Default: none.
    #[must_use]
    pub fn unit(mut self, name: &str) -> Self {
        self.units.push(name.to_owned());
        self
    }

    /// The kubelets' configuration (KubeletConfiguration in YAML or JSON, or what `/configz` answers): advice then skips
    /// settings already in place. Default: what the log shows.
    ///
    /// # Errors
    /// When it is no kubelet configuration.
    pub fn kubelet_config(mut self, text: &str) -> Result<Self, Error> {
        self.settings = Settings::of_config(text)?;
        Ok(self)
    }

    /// Replays the observed pulls with other settings, e.g. `serializeImagePulls=false,maxParallelImagePulls=3`.
    ///
    /// # Errors
    /// When it names an unknown setting or an invalid value.
    pub fn what_if(mut self, settings: &str) -> Result<Self, Error> {
        self.what_if.push(Scenario::of(settings)?);
        Ok(self)
    }

    /// The log messages that are read: the built-in ones, and those of these files (name and text) in the format of
    /// `grammars/`. Default: the built-in ones.
    ///
    /// # Errors
    /// When a file has a mistake; the message names its place.
    pub fn grammars(mut self, own: &[(String, String)]) -> Result<Self, Error> {
        self.grammars = Grammars::load(own)?;
        Ok(self)
    }

    /// Replaces names with pseudonyms that this key makes: the same key gives the same pseudonyms in every run. Default: real
    /// names.
    ///
    /// # Errors
    /// When the key is too short.
    pub fn anonymize(mut self, key: &[u8]) -> Result<Self, Error> {
        self.anonymizer = Some(Anonymizer::of_file(key)?);
        Ok(self)
    }
}
