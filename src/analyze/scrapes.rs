//! Scrapes among the inputs: pages of metrics, each put to its node and exporter, and what came between them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Options;
use crate::input::Source;
use crate::metrics::exposition::Boundary;
use crate::metrics::families::Exporter;
use crate::metrics::prometheus::{self, Endpoint, QueryOptions, saved_response};
use crate::metrics::{Scrape, ScrapeCollector, Window, exposition, families, window};
use crate::model::error::{Error, ErrorKind};
use crate::model::time::Time;
use crate::report::Coverage;
use crate::stores::{self, StoreQuery, StoreText};
use crate::web::{Body, Client, ClientOptions, HttpError};

/// The pages of all inputs.
#[derive(Default)]
pub(super) struct Scrapes {
    pages: Vec<Scraped>,
    coverage: Coverage,
    client: Option<Client>,
    /// What servers counted, and what is to be said of how.
    asked: Vec<Window>,
    remarks: Vec<String>,
    /// Inputs whose samples say nothing of starts, and how many samples each had.
    of_no_start: Vec<(String, u64)>,
}

/// What an address has to be read.
pub(super) enum Answer {
    Page(Body),
    Store(Box<StoreText>),
}

/// A page, and where it comes from.
struct Scraped {
    folder: Option<PathBuf>,
    source: String,
    page: Scrape,
}

impl Scrapes {
    /// Asks an address: a server's windows are taken at once, anything else comes back to be read.
    pub(super) fn ask(
        &mut self,
        source: &Source,
        url: &str,
        options: &Options,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<Answer>, HttpError> {
        let servers = &options.servers;
        if self.client.is_none() {
            let access = ClientOptions { stop: Arc::clone(stop), ..servers.access.clone() };
            self.client = Some(Client::new(&access)?);
        }
        let Some(client) = &self.client else { return Ok(None) };
        let store = || {
            let Some(window) = servers.window else { return Ok(None) };
            let (selector, words) = (servers.selector.clone(), options.grammars.words().to_vec());
            let found = stores::detect(client, url, &StoreQuery { window, selector, words })?;
            Ok(found.map(|text| Answer::Store(Box::new(text.with_progress(source)))))
        };
        if stores::is_named(url)
            && let Some(store) = store()?
        {
            return Ok(Some(store));
        }
        let api = match prometheus::detect(client, url, store)? {
            Endpoint::Page(body) => return Ok(Some(Answer::Page(body))),
            Endpoint::Other(store) => return Ok(Some(store)),
            Endpoint::Api(api) => api,
        };
        let Some(window) = servers.window else { return Ok(None) };
        let asked = QueryOptions { window, node_label: servers.node_label.clone(), selector: servers.selector.clone() };
        let result = prometheus::read(client, &api, &asked, &|done, of| source.set_queries(done, of))?;
        self.coverage.sources.push(source.name.clone());
        self.coverage.bytes += result.bytes;
        self.coverage.samples += result.series;
        self.remarks.extend(result.remarks);
        self.asked.extend(result.windows);
        Ok(None)
    }

    /// Reads a text of one scrape or several.
    pub(super) fn read(&mut self, source: &Source, reader: impl Read, errors: &mut Vec<String>) -> Result<(), Error> {
        let mut pages = ScrapeCollector::default();
        let read = exposition::read(
            BufReader::with_capacity(1 << 16, reader),
            |name| families::lookup(name).is_some(),
            |met| match met {
                Ok(sample) => match sample.at.map(Time) {
                    Some(at) if sample.dumped => pages.take_at(sample.name, sample.labels, sample.value, at),
                    at => pages.take(sample.name, sample.labels, sample.value, at),
                },
                Err(Boundary::Type(family)) => pages.begin_family(family),
                Err(Boundary::End) => pages.end(),
            },
        );
        pages.end();
        self.coverage.sources.push(source.name.clone());
        let seen = read.map_err(|error| Error::new(ErrorKind::Source, format!("reading failed: {error}")))?;
        self.coverage.bytes += seen.bytes;
        self.coverage.lines += seen.lines;
        self.coverage.samples += seen.samples;
        self.coverage.invalid_samples += seen.invalid;
        for bad in &seen.invalid_lines {
            errors.push(format!("{}:{}: invalid line: {}: {}", source.name, bad.number, bad.reason, bad.text));
        }
        if seen.truncated {
            errors.push(format!("{}: the metrics are truncated; the last line is ignored", source.name));
        }
        self.put(source, pages, seen.samples + seen.skipped, errors);
        Ok(())
    }

    /// Reads a saved response of the Prometheus API.
    pub(super) fn read_response(
        &mut self,
        source: &Source,
        reader: impl Read,
        errors: &mut Vec<String>,
    ) -> Result<(), Error> {
        let mut pages = ScrapeCollector::default();
        let read = saved_response::read(reader, &mut pages).map_err(|error| Error::new(ErrorKind::Source, error))?;
        pages.end();
        self.coverage.sources.push(source.name.clone());
        self.coverage.bytes += read.bytes;
        self.coverage.samples += read.samples;
        if read.nameless > 0 {
            errors.push(format!(
                "{}: {} series without a metric name: query the metrics themselves, without rate() or sum()",
                source.name, read.nameless
            ));
        }
        self.put(source, pages, read.samples, errors);
        Ok(())
    }

    fn put(&mut self, source: &Source, pages: ScrapeCollector, samples: u64, errors: &mut Vec<String>) {
        if pages.dropped > 0 {
            errors.push(format!("{}: {} scrapes after the first 10,000 ignored", source.name, pages.dropped));
        }
        if pages.done.is_empty() {
            self.of_no_start.push((source.name.clone(), samples));
        }
        let of = |page| Scraped { folder: source.folder.clone(), source: source.name.clone(), page };
        self.pages.extend(pages.done.into_iter().map(of));
    }

    /// What the scrapes count, and what stored reports counted, as far as the filter lets their nodes pass.
    pub(super) fn windows(self, options: &Options, coverage: &mut Coverage, stored: Vec<Window>) -> Vec<Window> {
        coverage.add(self.coverage);
        let by_kubelet = self.pages.iter().any(|scraped| scraped.page.exporter == Some(Exporter::Kubelet));
        coverage.source_errors.extend(without_starts(&self.of_no_start, by_kubelet || !self.asked.is_empty()));
        // A page without its node's name is of the node whose page lies in the same folder, if that is one.
        let mut folders: BTreeMap<Option<PathBuf>, BTreeSet<Box<str>>> = BTreeMap::new();
        for scraped in &self.pages {
            folders.entry(scraped.folder.clone()).or_default().extend(scraped.page.node.clone());
        }
        let name = |scraped: &Scraped| -> String {
            let beside = folders.get(&scraped.folder).filter(|names| names.len() == 1).and_then(|names| names.first());
            let known = options.node.as_deref().or(scraped.page.node.as_deref()).or(beside.map(|name| &**name));
            known.or(options.default_node.as_deref()).unwrap_or(&scraped.source).to_owned()
        };
        let mut nodes: BTreeMap<(String, Option<Exporter>), Vec<Scrape>> = BTreeMap::new();
        for scraped in self.pages {
            nodes.entry((name(&scraped), scraped.page.exporter)).or_default().push(scraped.page);
        }
        let mut windows: Vec<Window> = Vec::new();
        for ((node, _), pages) in nodes {
            let spawn_dedicated = pages.len() == 1;
            windows.push(window::between(&node, pages, spawn_dedicated));
        }
        windows.extend(self.asked);
        windows.extend(stored);
        coverage.source_errors.extend(self.remarks);
        windows.retain(|window| options.filter.passes_node(&window.node));
        windows
    }
}

/// How many inputs without metrics of starts are named.
const NAMED: usize = 3;

/// What to say of inputs whose samples say nothing of starts; where the kubelet's page is, nothing is missing.
fn without_starts(inputs: &[(String, u64)], by_kubelet: bool) -> Option<String> {
    const WHERE: &str = "The kubelet's /metrics has them (kubectl get --raw /api/v1/nodes/NODE/proxy/metrics)";
    let hint = if by_kubelet { String::new() } else { format!(". {WHERE}") };
    match inputs {
        [] => None,
        [(name, samples)] => Some(format!("{name}: {samples} samples, but no pod startup metrics{hint}")),
        several => {
            let named: Vec<&str> = several.iter().take(NAMED).map(|(name, _)| name.as_str()).collect();
            let more = several.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Some(format!(
                "{} inputs have metrics, but no pod startup metrics: {}{more}{hint}",
                several.len(),
                named.join(", ")
            ))
        }
    }
}
