//! Servers that speak Prometheus' HTTP API: Prometheus, Thanos, Mimir, VictoriaMetrics, and what is built on them.
//!
//! A node's window is made of what the server says at its two ends, summed by the server over all labels that are not needed:
//! two values a series, however long the window is, and their difference is exact, which `increase` (it extrapolates to the
//! window's ends, and misses the first value of a new series) is not. Only kubelets that restarted, came or went within the
//! window are asked for more often. Counters of containers come and go too fast for that: there `increase` it is.

mod labels;
mod other_exporters;
mod query;
pub mod response;
pub mod saved_response;
mod server;

use std::collections::{BTreeMap, BTreeSet};

use self::labels::NodeLabels;
use self::response::Labels;
use self::server::Server;
use super::families::Exporter;
use super::scrape::Scrape;
use super::window::Window;
use crate::model::time::{SECOND, Time};
use crate::web::{Body, Client, HttpError, HttpErrorKind};

/// How many nodes one query is for: some 300 series each, which is a few MB of JSON.
const NODES_PER_QUERY: usize = 50;
/// How many nodes that restarted, came or went one query is for.
const UNSTABLE_NODES_PER_QUERY: usize = 10;
/// How many instants one query for those is about, and how far apart these are, in seconds: servers look back five minutes
/// for a value, so none must be farther apart.
const STEPS_PER_QUERY: i64 = 240;
const STEP_RANGE_S: (i64, i64) = (1, 120);
/// The longest stretch that one `changes` or `increase` looks over: servers limit it.
const MAX_RANGE_S: i64 = 86_400;

/// What is asked of a server.
#[derive(Clone, Debug)]
pub struct QueryOptions {
    /// The window, from and to.
    pub window: (Time, Time),
    /// The label that names nodes; none: it is found.
    pub node_label: Option<String>,
    /// Matchers that every query gets, as `cluster="prod"`.
    pub selector: String,
}

/// What an address turned out to be.
#[derive(Debug)]
pub enum Endpoint<T> {
    /// Something to be read as a file would be.
    Page(Body),
    /// The API, below this address.
    Api(String),
    /// Another server.
    Other(T),
}

/// What a server reported.
#[derive(Debug, Default)]
pub struct ServerResult {
    /// The nodes' windows.
    pub windows: Vec<Window>,
    /// What the server warned of, and what it could not answer.
    pub remarks: Vec<String>,
    /// How many series were read.
    pub series: u64,
    /// Of how many bytes.
    pub bytes: u64,
}

/// Finds out what an address is, by asking. What is no API may be another server, which `other` knows.
///
/// # Errors
/// When it cannot be reached, or is none of them.
pub fn detect<T>(
    client: &Client,
    address: &str,
    other: impl FnOnce() -> Result<Option<T>, HttpError>,
) -> Result<Endpoint<T>, HttpError> {
    let without_query = address.split(['?', '#']).next().unwrap_or(address).trim_end_matches('/');
    let page = without_query.ends_with("/metrics")
        || without_query.contains("/metrics/")
        || without_query != address.trim_end_matches('/');
    let mut first = None;
    if page {
        match client.get(address, &[], false) {
            Ok(body) if !is_html(&body) => return Ok(Endpoint::Page(body)),
            Ok(_) => {}
            Err(error) if error.kind == HttpErrorKind::Status(404) => first = Some(error),
            Err(error) => return Err(error),
        }
    }
    // What people copy from their browser.
    let pages = ["/api/v1/query_range", "/api/v1/query", "/api/v1", "/graph", "/query", "/vmui", "/targets"];
    let base = pages.iter().find_map(|page| without_query.strip_suffix(page)).unwrap_or(without_query);
    let path = base.split_once("://").map_or("", |(_, rest)| rest).contains('/');
    let below: &[&str] =
        if path { &["", "/prometheus"] } else { &["", "/prometheus", "/api/prom", "/select/0/prometheus"] };
    for below in below {
        let api = format!("{base}{below}");
        match client.get(&format!("{api}/api/v1/query"), &[("query", "1")], false) {
            Ok(body) => match response::read::<serde::de::IgnoredAny>(&body) {
                Ok(_) => return Ok(Endpoint::Api(api)),
                Err(error) if !is_html(&body) && body.bytes.starts_with(b"{") => {
                    return Err(client.mask_error(error));
                }
                Err(error) => first = first.or(Some(client.mask_error(error))),
            },
            Err(error) if response::refused(&error).is_some() => return Ok(Endpoint::Api(api)),
            Err(error) if matches!(error.kind, HttpErrorKind::Status(400 | 404 | 405 | 422)) => {
                first = first.or(Some(error))
            }
            Err(error) => return Err(error),
        }
    }
    if !page && let Some(other) = other()? {
        return Ok(Endpoint::Other(other));
    }
    match client.get(address, &[], false) {
        Ok(body) if !is_html(&body) && !page => Ok(Endpoint::Page(body)),
        Ok(body) => Err(HttpError {
            kind: HttpErrorKind::InvalidUrl,
            url: body.url,
            message: "the response is neither the Prometheus API, nor a log store's, nor metrics".into(),
            help: "Pass the base URL of /api/v1/query (Mimir: /prometheus, Grafana Cloud: /api/prom, VictoriaMetrics \
                   cluster: /select/0/prometheus), of Loki, VictoriaLogs or Elasticsearch, or a /metrics endpoint."
                .into(),
            body: String::new(),
        }),
        Err(error) => Err(first.unwrap_or(error)),
    }
}

fn is_html(body: &Body) -> bool {
    body.bytes.trim_ascii_start().starts_with(b"<")
}

/// Reads a server's windows. `progress` gets how many queries are done, and of how many.
///
/// # Errors
/// When the server cannot answer, or knows no kubelet's metrics.
pub fn read(
    client: &Client,
    api: &str,
    options: &QueryOptions,
    progress: &dyn Fn(u64, u64),
) -> Result<ServerResult, HttpError> {
    let mut server = Server::new(client, api, options);
    let series = server.find_kubelet_series()?;
    let found = labels::find(&series, options.node_label.as_deref()).ok_or_else(|| server.no_such_label(&series))?;
    let nodes: BTreeSet<String> = series.iter().filter_map(|labels| found.name(labels)).collect();
    let nodes: Vec<String> = nodes.into_iter().collect();
    let names = server.names(&found);
    let versions = server.versions(&found);
    let unstable = server.unstable(&found);
    let mut windows: Vec<Window> = Vec::new();
    let slices = nodes.len().div_ceil(NODES_PER_QUERY) as u64;
    let (mut done, mut queries) = (0, slices);
    progress(done, queries);
    let length = options.seconds();
    let mut late: Vec<String> = Vec::new();
    for some in nodes.chunks(NODES_PER_QUERY) {
        let pages = server.pages(&found, some, options.window, length)?;
        for (node, scrapes) in pages.nodes(&found, some) {
            // A kubelet that is not there at both ends, or not the same process, needs a closer look.
            let settled = !unstable.contains(&node) && scrapes.values().all(|pages| pages.len() == 2);
            if settled && !scrapes.is_empty() { windows.extend(server.window(&node, scrapes)) } else { late.push(node) }
        }
        done += 1;
        progress(done, queries);
    }
    let step = (length / STEPS_PER_QUERY).clamp(STEP_RANGE_S.0, STEP_RANGE_S.1);
    let parts = (length / step + STEPS_PER_QUERY) / STEPS_PER_QUERY;
    queries += late.len().div_ceil(UNSTABLE_NODES_PER_QUERY) as u64 * parts as u64;
    for some in late.chunks(UNSTABLE_NODES_PER_QUERY) {
        let mut pages = ScrapesByTarget::default();
        for part in 0..parts {
            let from = Time(options.window.0.0 + part * STEPS_PER_QUERY * step * SECOND);
            let to = Time((from.0 + (STEPS_PER_QUERY - 1) * step * SECOND).min(options.window.1.0));
            pages.join(server.pages(&found, some, (from, to), step)?);
            done += 1;
            progress(done, queries);
        }
        // The end itself, which no step may meet.
        pages.join(server.pages(&found, some, (options.window.1, options.window.1), step)?);
        for (node, scrapes) in pages.nodes(&found, some) {
            match server.window(&node, scrapes) {
                Some(window) => windows.push(window),
                None => server.without_values.push(node),
            }
        }
    }
    if !late.is_empty() && step > 15 {
        let nodes = list_some(&late);
        server.result.remarks.push(format!(
            "{nodes} restarted, joined or left within the window: up to {step} s before each end are not counted; a shorter window counts more"
        ));
    }
    server.remarks(&found);
    for window in &mut windows {
        window.kubelet_versions =
            versions.get(&window.node).map(|version| version.as_str().into()).into_iter().collect();
        window.node = names.get(&window.node).unwrap_or(&window.node).clone();
    }
    other_exporters::read(&mut server, &found, &names, &mut windows);
    if windows.iter().all(|window| window.series.is_empty()) {
        return Err(server.empty());
    }
    server.result.windows = windows;
    Ok(server.result)
}

/// An instant as people write it.
fn seconds(time: Time) -> String {
    format!("{}Z", time.to_string().get(..19).unwrap_or_default())
}

impl QueryOptions {
    fn seconds(&self) -> i64 {
        ((self.window.1 - self.window.0).0 / SECOND).max(1)
    }
}

/// Pages by what was scraped: the values of the labels that distinguish it, in order.
type Scrapes = BTreeMap<Vec<String>, Vec<Scrape>>;

/// Answers for some nodes, as pages.
#[derive(Default)]
struct ScrapesByTarget(BTreeMap<Vec<(String, String)>, BTreeMap<i64, Scrape>>);

/// Some names of many: `a, b, c and 7 other_families`.
fn list_some(names: &[String]) -> String {
    let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 3 { format!("{shown} and {} other nodes", names.len() - 3) } else { shown }
}

impl ScrapesByTarget {
    /// Takes up those of another stretch of time.
    fn join(&mut self, other: ScrapesByTarget) {
        for (own, pages) in other.0 {
            self.0.entry(own).or_default().extend(pages);
        }
    }

    fn at(&mut self, found: &NodeLabels, labels: &Labels, seconds: f64) -> &mut Scrape {
        let own = found.all().map(|label| (label.to_owned(), labels.get(label).cloned().unwrap_or_default())).collect();
        let at = (seconds * SECOND as f64).round() as i64;
        let page = self.0.entry(own).or_default().entry(at).or_default();
        page.exporter = Some(Exporter::Kubelet);
        page
    }

    /// By node; nodes that have no page are there too.
    fn nodes(self, found: &NodeLabels, options: &[String]) -> BTreeMap<String, Scrapes> {
        let mut nodes: BTreeMap<String, Scrapes> = BTreeMap::new();
        for (own, pages) in self.0 {
            let labels: Labels = own.iter().cloned().collect();
            let Some(node) = found.name(&labels) else { continue };
            // An instant at which only the process' start is known is no scrape of its counters.
            let dated = |(at, page): (i64, Scrape)| Scrape { at: page.at.or(Some(Time(at))), ..page };
            let pages: Vec<Scrape> = pages.into_iter().map(dated).filter(|page| !page.values.is_empty()).collect();
            if !pages.is_empty() {
                nodes.entry(node).or_default().insert(own.into_iter().map(|(_, value)| value).collect(), pages);
            }
        }
        nodes.retain(|node, _| options.contains(node));
        for node in options {
            nodes.entry(node.clone()).or_default();
        }
        nodes
    }
}
