//! Pseudonyms for everything that identifies a cluster: `--anonymize`.
//!
//! ```text
//! Row ──────────────┐                  ┌─ name (columns: the kind is known)
//! Window (metrics) ─┼─> Anonymizer ────┤
//! Coverage ─────────┘                  └─ text (lines, errors, remarks: everything but known words is hidden)
//! ```
//!
//! A pseudonym is a keyed hash of the name (SipHash-2-4), so it is the same wherever and whenever the name comes up under one
//! key, and cannot be found by guessing names without the key. Rows pass here at one door ([`crate::table::Store::push`]), after
//! the filters; metrics and coverage when the report is made. Figures, times, versions, causes and plugins are left as they are.

mod name;
mod path;
#[cfg(test)]
mod tests;
mod text;
mod words;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::causes;
use crate::input::SourceError;
use crate::metrics::{Window, families};
use crate::model::error::{Error, ErrorKind};
use crate::model::phase::Phase;
use crate::model::waited_for::WaitedFor;
use crate::table::{Coverage, Row};
pub use name::Kind;
use text::Known;

/// A key file shorter than this could be guessed.
const SHORTEST: usize = 16;

/// Gives names their pseudonyms.
#[derive(Clone)]
pub struct Anonymizer {
    key: [u8; 16],
    /// The key goes with the run: no other report has these pseudonyms.
    ephemeral: bool,
}

/// The key is a secret.
impl std::fmt::Debug for Anonymizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Anonymizer").field("key", &self.key_id()).field("ephemeral", &self.ephemeral).finish()
    }
}

impl Anonymizer {
    /// Pseudonyms of a key that is kept.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Anonymizer { key, ephemeral: false }
    }

    /// Pseudonyms of a key that was drawn for this run.
    #[must_use]
    pub fn ephemeral(key: [u8; 16]) -> Self {
        Anonymizer { key, ephemeral: true }
    }

    /// Pseudonyms of a key file. White space at its ends does not count: editors add it.
    ///
    /// # Errors
    /// When it is so short that it could be guessed.
    pub fn of_file(bytes: &[u8]) -> Result<Self, Error> {
        let secret = bytes.trim_ascii();
        if secret.len() < SHORTEST {
            let short =
                format!("the key file has only {} bytes: names could be recovered by guessing it", secret.len());
            return Err(Error::new(ErrorKind::Setting, short)
                .help("head -c 32 /dev/urandom | base64 > FILE makes a strong key"));
        }
        let mut key = [0; 16];
        key.iter_mut().zip(Sha256::digest(secret)).for_each(|(byte, digest)| *byte = digest);
        Ok(Anonymizer::new(key))
    }

    /// Which pseudonyms these are, for the report.
    #[must_use]
    pub fn key_description(&self) -> String {
        let key = self.key_id();
        if self.ephemeral { format!("this run only, {key}") } else { format!("key {key}") }
    }

    /// Hides the names of a row.
    pub fn row(&self, row: &mut Row) {
        let texts = self.known_texts(row);
        let hide = |name: &mut Box<str>, kind| *name = self.name(kind, name).into();
        let (namespace, workload) = row.workload.split_once('/').unwrap_or((&row.namespace, &row.workload));
        row.workload =
            format!("{}/{}", self.name(Kind::Namespace, namespace), self.name(Kind::Workload, workload)).into();
        hide(&mut row.namespace, Kind::Namespace);
        hide(&mut row.pod, Kind::Pod);
        row.node.iter_mut().for_each(|node| hide(node, Kind::Node));
        row.uid.iter_mut().for_each(|uid| hide(uid, Kind::Uid));
        let hide_source = |source: &mut Arc<str>| *source = self.name(Kind::Path, source).into();
        hide_source(&mut row.source);
        for (finding, (about, error)) in row.findings.iter_mut().zip(texts.findings) {
            (finding.waited_for, finding.error) = (about, error);
        }
        row.spans.iter_mut().zip(texts.spans).for_each(|(span, about)| span.waited_for = about);
        let places = row.findings.iter_mut().map(|finding| &mut finding.evidence);
        for place in places.chain(row.spans.iter_mut().map(|span| &mut span.evidence)).flatten() {
            hide_source(&mut place.source);
        }
        for finding in row.findings.iter_mut().filter(|finding| causes::named(&finding.cause).is_none()) {
            hide(&mut finding.cause, Kind::Other);
        }
        for pull in &mut row.image_pulls {
            [&mut pull.image, &mut pull.blocked_by].into_iter().flatten().for_each(|image| hide(image, Kind::Image));
            pull.registry.iter_mut().for_each(|registry| hide(registry, Kind::Registry));
        }
        for (volume, error) in row.volume_mounts.iter_mut().zip(texts.errors) {
            hide(&mut volume.volume, Kind::Volume);
            volume.plugin.iter_mut().for_each(|plugin| *plugin = self.plugin(plugin).into());
            volume.error = error;
        }
        for (line, text) in row.lines.iter_mut().zip(texts.lines) {
            hide_source(&mut line.source);
            line.text = text;
        }
    }

    /// The texts of a row, hidden while its names are still known.
    fn known_texts(&self, row: &Row) -> Texts {
        let mut known = Known::new();
        let images =
            row.image_pulls.iter().flat_map(|pull| [pull.image.as_deref(), pull.blocked_by.as_deref()]).flatten();
        let of_images = row
            .spans
            .iter()
            .filter(|span| matches!(span.phase, Phase::ImagePull | Phase::ImageWait | Phase::ImageBackoff));
        let waited =
            of_images.filter_map(|span| span.waited_for.as_deref()).map(WaitedFor::from_text).collect::<Vec<_>>();
        let workload = row.workload.split_once('/').map_or(&*row.workload, |(_, name)| name);
        let names = row.volume_mounts.iter().map(|volume| (&*volume.volume, Kind::Volume));
        let names =
            names.chain([(workload, Kind::Workload), (&*row.namespace, Kind::Namespace), (&*row.pod, Kind::Pod)]);
        let names = names.chain(row.uid.as_deref().map(|uid| (uid, Kind::Uid)));
        let names = names.chain(row.node.as_deref().map(|node| (node, Kind::Node)));
        let names =
            names.chain(images.chain(waited.iter().filter_map(WaitedFor::name)).map(|image| (image, Kind::Image)));
        known.extend(names.filter(|(name, _)| !name.is_empty()));
        let about = |about: &Option<Box<str>>| about.as_deref().map(|about| self.about(about, &known).into());
        Texts {
            findings: row
                .findings
                .iter()
                .map(|finding| {
                    let error = finding.error.as_deref().map(|error| self.text_with(error, &known).into());
                    (about(&finding.waited_for), error)
                })
                .collect(),
            spans: row.spans.iter().map(|span| about(&span.waited_for)).collect(),
            errors: row
                .volume_mounts
                .iter()
                .map(|volume| Some(self.text_with(volume.error.as_deref()?, &known).into()))
                .collect(),
            lines: row.lines.iter().map(|line| self.text_with(&line.text, &known).into()).collect(),
        }
    }

    /// Whom or what a start waited for: an image, a container, or words.
    fn about(&self, about: &str, known: &Known<'_>) -> String {
        match WaitedFor::from_text(about) {
            WaitedFor::PullAhead(image) => WaitedFor::PullAhead(self.name(Kind::Image, &image).into()).to_string(),
            WaitedFor::Mirror(host) => WaitedFor::Mirror(self.name(Kind::Registry, &host).into()).to_string(),
            WaitedFor::DraDriver(driver) => WaitedFor::DraDriver(self.name(Kind::Host, &driver).into()).to_string(),
            WaitedFor::ResourceClaim(claim) => {
                WaitedFor::ResourceClaim(self.name(Kind::Other, &claim).into()).to_string()
            }
            WaitedFor::Container(name) if known.get(&*name) != Some(&Kind::Image) => self.name(Kind::Container, &name),
            WaitedFor::Image(name) | WaitedFor::Container(name) => self.name(Kind::Image, &name),
            nameless @ (WaitedFor::NodeNetwork
            | WaitedFor::DetectionOrUpdate
            | WaitedFor::VolumesOrSandbox
            | WaitedFor::UnacknowledgedByKubelet
            | WaitedFor::NodeNotReady
            | WaitedFor::LateKubelet
            | WaitedFor::ThrottledList
            | WaitedFor::LogBegin
            | WaitedFor::ReadinessProbe { .. }
            | WaitedFor::Burst { .. }) => nameless.to_string(),
        }
    }

    /// Hides the names in what metrics counted.
    pub fn window(&self, window: &mut Window) {
        let node = std::mem::take(&mut window.node);
        let known = Known::from([(node.as_str(), Kind::Node)]);
        window.remarks.iter_mut().for_each(|remark| *remark = self.text_with(remark, &known));
        window.node = self.name(Kind::Node, &node);
        window.processes.iter_mut().for_each(|process| self.window(process));
        for (family, label, _) in &mut window.series {
            let of = families::FAMILIES.iter().find(|known| known.name == family);
            let plain = of.is_some_and(|of| !of.label_values.is_empty() || words::is_programs_label(of.label));
            if !plain && !words::is_plugin(label) && !words::is_disk(label) {
                *label = self.name(Kind::Other, label);
            }
        }
    }

    /// Hides the names in what is said of the inputs, which these are, and says so.
    pub fn coverage(&self, coverage: &mut Coverage, inputs: &[&str]) {
        let text = coverage.sources.clone();
        let known: Known<'_> =
            text.iter().map(String::as_str).chain(inputs.iter().copied()).map(|name| (name, Kind::Path)).collect();
        coverage.source_errors.iter_mut().for_each(|source_error| *source_error = self.text_with(source_error, &known));
        for source in coverage.sources.iter_mut().chain(&mut coverage.unused_sources) {
            *source = self.name(Kind::Path, source);
        }
        for line in &mut coverage.unused_lines {
            line.source = self.name(Kind::Path, &line.source).into();
        }
        for filter in &mut coverage.filters {
            *filter = self.filter(filter);
        }
        if !coverage.pseudonyms.contains(&self.key_description()) {
            coverage.pseudonyms.push(self.key_description());
        }
    }

    /// An error of an input, for the reader.
    #[must_use]
    pub fn source_error(&self, source_error: &SourceError) -> String {
        self.text_with(&source_error.to_string(), &Known::from([(source_error.name.as_str(), Kind::Path)]))
    }

    /// A filter as text: its kind and its patterns.
    fn filter(&self, words: &str) -> String {
        if let Some(excluded) = words.strip_prefix("not ") {
            return format!("not {}", self.filter(excluded));
        }
        let Some((flag, patterns)) = words.split_once(' ') else { return self.name(Kind::Other, words) };
        if matches!(flag, "since" | "until" | "cause") {
            return words.to_owned();
        }
        let hidden = patterns
            .split(" or ")
            .map(|pattern| self.asked(flag, pattern).unwrap_or_else(|| self.name(Kind::Other, pattern)));
        format!("{flag} {}", hidden.collect::<Vec<_>>().join(" or "))
    }

    /// A startup as the user names it: namespace and name, a name, or a uid.
    #[must_use]
    pub fn startup(&self, startup: &str) -> String {
        if name::is_uuid(startup) || name::is_id(startup) {
            return self.name(Kind::Uid, startup);
        }
        self.asked("pod", startup).unwrap_or_else(|| self.name(Kind::Pod, startup))
    }

    /// The pseudonym of what a user asks for in a column; none where it is a pattern.
    pub(crate) fn asked(&self, column: &str, name: &str) -> Option<String> {
        let kind = match column {
            "namespace" => Kind::Namespace,
            "node" => Kind::Node,
            "pod" => Kind::Pod,
            "workload" => Kind::Workload,
            "image" => Kind::Image,
            "uid" => Kind::Uid,
            "source" => Kind::Path,
            _ => return Some(name.to_owned()),
        };
        match name.split_once('/') {
            _ if name.contains(['*', '?']) => None,
            Some((namespace, name)) if matches!(kind, Kind::Pod | Kind::Workload) => {
                Some(format!("{}/{}", self.name(Kind::Namespace, namespace), self.name(kind, name)))
            }
            _ => Some(self.name(kind, name)),
        }
    }
}

/// What a start waited for, and the error.
type HiddenFinding = (Option<Box<str>>, Option<Box<str>>);

/// The texts of a row, in the order of their rows.
struct Texts {
    findings: Vec<HiddenFinding>,
    spans: Vec<Option<Box<str>>>,
    errors: Vec<Option<Box<str>>>,
    lines: Vec<Box<str>>,
}
