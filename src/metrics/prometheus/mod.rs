//! Servers that speak Prometheus' HTTP API: Prometheus, Thanos, Mimir, VictoriaMetrics, and what is built on them.
//!
//! A node's window is made of what the server says at its two ends, summed by the server over all labels that are not needed:
//! two values a series, however long the window is, and their difference is exact, which `increase` (it extrapolates to the
//! window's ends, and misses the first value of a new series) is not. Only kubelets that restarted, came or went within the
//! window are asked for more often. Counters of containers come and go too fast for that: there `increase` it is.

mod answer;
mod labels;
mod query;

use std::collections::{BTreeMap, BTreeSet};

use self::answer::{Labels, Matrix, Series};
use self::labels::Found;
use self::query::Scope;
use super::families::{Exporter, Shape, name};
use super::histogram::Histogram;
use super::page::Page;
use super::window::{Counted, Window, between};
use crate::time::{SECOND, Time};
use crate::web::{Body, Client, Kind, Trouble};

/// How many nodes one query is for: some 300 series each, which is a few MB of JSON.
const NODES: usize = 50;
/// How many nodes that restarted, came or went one query is for.
const RESTLESS: usize = 10;
/// How many instants those are asked for, at most, and how far apart they are, at least.
const INSTANTS: i64 = 240;
const STEP: i64 = 1;
/// The longest stretch that one `changes` or `increase` looks over: servers limit it.
const STRETCH: i64 = 86_400;

/// What is asked of a server.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The window, from and to.
    pub window: (Time, Time),
    /// The label that names nodes; none: it is found.
    pub node_label: Option<String>,
    /// Matchers that every query gets, as `cluster="prod"`.
    pub selector: String,
}

/// What an address turned out to be.
#[derive(Debug)]
pub enum Endpoint {
    /// Something to be read as a file would be.
    Page(Body),
    /// The API, below this address.
    Api(String),
}

/// What a server told.
#[derive(Debug, Default)]
pub struct Told {
    /// The nodes' windows.
    pub windows: Vec<Window>,
    /// What the server warned of, and what it could not answer.
    pub remarks: Vec<String>,
    /// How many series were read.
    pub series: u64,
    /// Of how many bytes.
    pub bytes: u64,
}

/// Finds out what an address is, by asking.
///
/// # Errors
/// When it cannot be reached, or is neither.
pub fn detect(client: &Client, address: &str) -> Result<Endpoint, Trouble> {
    let bare = address.split(['?', '#']).next().unwrap_or(address).trim_end_matches('/');
    let page = bare.ends_with("/metrics") || bare.contains("/metrics/") || bare != address.trim_end_matches('/');
    let mut first = None;
    if page {
        match client.get(address, &[], false) {
            Ok(body) if !is_html(&body) => return Ok(Endpoint::Page(body)),
            Ok(_) => {}
            Err(trouble) if trouble.kind == Kind::Refused(404) => first = Some(trouble),
            Err(trouble) => return Err(trouble),
        }
    }
    // What people copy from their browser.
    let pages = ["/api/v1/query_range", "/api/v1/query", "/api/v1", "/graph", "/query", "/vmui", "/targets"];
    let base = pages.iter().find_map(|page| bare.strip_suffix(page)).unwrap_or(bare);
    let path = base.split_once("://").map_or("", |(_, rest)| rest).contains('/');
    let below: &[&str] =
        if path { &["", "/prometheus"] } else { &["", "/prometheus", "/api/prom", "/select/0/prometheus"] };
    for below in below {
        let api = format!("{base}{below}");
        match client.get(&format!("{api}/api/v1/query"), &[("query", "1")], false) {
            Ok(body) => match answer::read::<serde::de::IgnoredAny>(&body) {
                Ok(_) => return Ok(Endpoint::Api(api)),
                Err(trouble) if !is_html(&body) && body.bytes.starts_with(b"{") => return Err(trouble),
                Err(trouble) => first = first.or(Some(trouble)),
            },
            Err(trouble) if answer::refused(&trouble).is_some() => return Ok(Endpoint::Api(api)),
            Err(trouble) if matches!(trouble.kind, Kind::Refused(400 | 404 | 405 | 422)) => {
                first = first.or(Some(trouble))
            }
            Err(trouble) => return Err(trouble),
        }
    }
    match client.get(address, &[], false) {
        Ok(body) if !is_html(&body) && !page => Ok(Endpoint::Page(body)),
        Ok(body) => Err(Trouble {
            kind: Kind::Address,
            url: body.url,
            message: "it answers, but neither as Prometheus' API nor with metrics".into(),
            help: "Give the address that /api/v1/query is below (Mimir: /prometheus, Grafana Cloud: /api/prom, VictoriaMetrics \
                   cluster: /select/0/prometheus), or a /metrics page."
                .into(),
            body: String::new(),
        }),
        Err(trouble) => Err(first.unwrap_or(trouble)),
    }
}

fn is_html(body: &Body) -> bool {
    body.bytes.trim_ascii_start().starts_with(b"<")
}

/// Reads a server's windows. `progress` is told how many of how many queries are done.
///
/// # Errors
/// When the server cannot answer, or knows no kubelet's metrics.
pub fn read(client: &Client, api: &str, asked: &Asked, progress: &dyn Fn(u64, u64)) -> Result<Told, Trouble> {
    let mut server = Server { client, api, asked, told: Told::default() };
    let series = server.look()?;
    let found = labels::find(&series, asked.node_label.as_deref()).ok_or_else(|| server.no_such_label(&series))?;
    let nodes: BTreeSet<String> = series.iter().filter_map(|labels| found.name(labels)).collect();
    let nodes: Vec<String> = nodes.into_iter().collect();
    let names = server.names(&found);
    let versions = server.versions(&found);
    let restless = server.restless(&found);
    let mut windows: Vec<Window> = Vec::new();
    let (mut done, mut queries) = (0, nodes.len().div_ceil(NODES) as u64);
    progress(done, queries);
    let length = asked.seconds();
    let mut late: Vec<String> = Vec::new();
    for some in nodes.chunks(NODES) {
        let pages = server.pages(&found, some, length)?;
        for (node, scrapes) in pages.nodes(&found, some) {
            // A kubelet that is not there at both ends, or not the same process, needs a closer look.
            let settled = !restless.contains(&node) && scrapes.values().all(|pages| pages.len() == 2);
            if settled && !scrapes.is_empty() {
                windows.extend(server.window(&node, scrapes, &found))
            } else {
                late.push(node)
            }
        }
        done += 1;
        progress(done, queries);
    }
    queries += late.len().div_ceil(RESTLESS) as u64;
    for some in late.chunks(RESTLESS) {
        let pages = server.pages(&found, some, (length / INSTANTS).max(STEP))?;
        for (node, scrapes) in pages.nodes(&found, some) {
            windows.extend(server.window(&node, scrapes, &found));
        }
        done += 1;
        progress(done, queries);
    }
    for window in &mut windows {
        window.kubelet_version = versions.get(&window.node).map(|version| version.as_str().into());
        window.node = names.get(&window.node).unwrap_or(&window.node).clone();
    }
    windows_of_others(&mut server, &found, &names, &mut windows);
    if windows.iter().all(|window| window.series.is_empty()) {
        return Err(server.empty());
    }
    server.told.windows = windows;
    Ok(server.told)
}

/// The families of other exporters, a window each; a server that cannot answer is told of and passed over.
fn windows_of_others(
    server: &mut Server<'_>,
    found: &Found,
    names: &BTreeMap<String, String>,
    windows: &mut Vec<Window>,
) {
    let scope = Scope { selector: &server.asked.selector, found: Some(found), nodes: &[] };
    let there: BTreeSet<String> = match server.instant(&scope.others()) {
        Ok(series) => series.into_iter().filter_map(|one| one.metric.get("__name__").cloned()).collect(),
        Err(trouble) => return server.told.remarks.push(trouble.to_string()),
    };
    let known: BTreeSet<String> = windows.iter().map(|window| window.node.clone()).collect();
    let mut counted: BTreeMap<(String, String, String), Counted> = BTreeMap::new();
    for (family, series) in query::others() {
        for series in series.iter().filter(|series| there.contains(*series)) {
            let scope = Scope { selector: &server.asked.selector, found: Some(found), nodes: &[] };
            let answers = match server.stretched(|seconds| scope.increase(family, series, seconds)) {
                Ok(answers) => answers,
                Err(trouble) => {
                    server.told.remarks.push(trouble.to_string());
                    continue;
                }
            };
            for one in answers {
                let Some(node) = found.name(&one.metric) else { continue };
                let node = names.get(&node).cloned().unwrap_or(node);
                let label = if family.apart { "" } else { one.metric.get(family.label).map_or("", String::as_str) };
                let sum: f64 = one.numbers().map(|(_, number)| number).sum();
                let counted = counted.entry((node, family.name.to_owned(), label.to_owned())).or_default();
                match (family.shape, series.ends_with("_sum")) {
                    (Shape::Counter | Shape::About, _) => counted.value += sum,
                    (_, true) => counted.histogram = Some(counted.histogram.take().unwrap_or_default().summing(sum)),
                    (_, false) => {
                        let own = counted.histogram.take().map_or(0.0, |histogram| histogram.sum);
                        counted.histogram = Some(Histogram::classic([], own, Some(sum)));
                    }
                }
            }
        }
    }
    let (from, to) = server.asked.window;
    for ((node, family, label), counted) in counted {
        // Other machines than the nodes whose kubelets are scraped are none of our business.
        if known.contains(&node) {
            let series = vec![(family, label, counted)];
            windows.push(Window { node, from: Some(from), to: Some(to), series, ..Window::default() });
        }
    }
}

/// An instant as people write it.
fn seconds(time: Time) -> String {
    format!("{}Z", time.to_string().get(..19).unwrap_or_default())
}

impl Asked {
    fn seconds(&self) -> i64 {
        ((self.window.1 - self.window.0).0 / SECOND).max(1)
    }
}

/// Pages by what was scraped: the values of the labels that tell it apart, in order.
type Scrapes = BTreeMap<Vec<String>, Vec<Page>>;

/// Answers for some nodes, as pages.
#[derive(Default)]
struct Pages(BTreeMap<Vec<(String, String)>, BTreeMap<i64, Page>>);

impl Pages {
    fn at(&mut self, found: &Found, labels: &Labels, seconds: f64) -> &mut Page {
        let own = found.all().map(|label| (label.to_owned(), labels.get(label).cloned().unwrap_or_default())).collect();
        let at = (seconds * SECOND as f64).round() as i64;
        let page = self.0.entry(own).or_default().entry(at).or_default();
        page.exporter = Some(Exporter::Kubelet);
        page
    }

    /// By node; nodes that have no page are there too.
    fn nodes(self, found: &Found, asked: &[String]) -> BTreeMap<String, Scrapes> {
        let mut nodes: BTreeMap<String, Scrapes> = BTreeMap::new();
        for (own, pages) in self.0 {
            let labels: Labels = own.iter().cloned().collect();
            let Some(node) = found.name(&labels) else { continue };
            // An instant at which only the process' start is known is no scrape of its counters.
            let pages: Vec<Page> = pages.into_values().filter(|page| !page.values.is_empty()).collect();
            if !pages.is_empty() {
                nodes.entry(node).or_default().insert(own.into_iter().map(|(_, value)| value).collect(), pages);
            }
        }
        nodes.retain(|node, _| asked.contains(node));
        for node in asked {
            nodes.entry(node.clone()).or_default();
        }
        nodes
    }
}

struct Server<'a> {
    client: &'a Client,
    api: &'a str,
    asked: &'a Asked,
    told: Told,
}

impl Server<'_> {
    fn ask<T: for<'de> serde::Deserialize<'de>>(&mut self, path: &str, query: &[(&str, &str)]) -> Result<T, Trouble> {
        let url = format!("{}/api/v1/{path}", self.api);
        let length: usize = query.iter().map(|(_, value)| value.len()).sum();
        // Some gateways let only GET pass, some limit an address to 8 KiB.
        let body = match self.client.get(&url, query, length > 1500) {
            Err(trouble) if matches!(trouble.kind, Kind::Refused(403 | 405)) && length > 1500 => {
                self.client.get(&url, query, false).map_err(|_| trouble)
            }
            body => body,
        };
        let body = body.map_err(|trouble| answer::refused(&trouble).unwrap_or(trouble))?;
        self.told.bytes += body.bytes.len() as u64;
        let (data, warnings) = answer::read(&body)?;
        for warning in warnings {
            let warning = format!("{}: the server warns: {warning}", body.url);
            if !self.told.remarks.contains(&warning) {
                self.told.remarks.push(warning);
            }
        }
        Ok(data)
    }

    fn matrix(&mut self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Series>, Trouble> {
        let matrix: Matrix = self.ask(path, query)?;
        self.told.series += matrix.result.len() as u64;
        Ok(matrix.result)
    }

    fn time(time: Time) -> String {
        format!("{:.3}", time.0 as f64 / SECOND as f64)
    }

    fn instant(&mut self, text: &str) -> Result<Vec<Series>, Trouble> {
        let at = Self::time(self.asked.window.1);
        self.matrix("query", &[("query", text), ("time", &at)])
    }

    fn range(&mut self, text: &str, from: Time, step: i64) -> Result<Vec<Series>, Trouble> {
        let (from, to) = (Self::time(from), Self::time(self.asked.window.1));
        self.matrix("query_range", &[("query", text), ("start", &from), ("end", &to), ("step", &step.to_string())])
    }

    /// A query over a stretch of time, once for each stretch that the window is made of.
    fn stretched(&mut self, text: impl Fn(i64) -> String) -> Result<Vec<Series>, Trouble> {
        let length = self.asked.seconds();
        if length <= STRETCH {
            return self.instant(&text(length));
        }
        let stretches = (length + STRETCH - 1) / STRETCH;
        let stretch = (length + stretches - 1) / stretches;
        let first = Time(self.asked.window.1.0 - (stretches - 1) * stretch * SECOND);
        self.range(&text(stretch), first, stretch)
    }

    /// The kubelets' series within the window.
    fn look(&mut self) -> Result<Vec<Labels>, Trouble> {
        let scope = Scope { selector: &self.asked.selector, found: None, nodes: &[] };
        let (from, to) = (Self::time(self.asked.window.0), Self::time(self.asked.window.1));
        for matcher in scope.look() {
            let series: Vec<Labels> = self.ask("series", &[("match[]", &matcher), ("start", &from), ("end", &to)])?;
            if !series.is_empty() {
                return Ok(series);
            }
        }
        Err(self.nothing())
    }

    fn trouble(&self, message: impl Into<String>, help: impl Into<String>) -> Trouble {
        let (message, help) = (message.into(), help.into());
        Trouble { kind: Kind::Address, url: crate::web::shown(self.api), message, help, body: String::new() }
    }

    /// Why there is nothing to look at: no kubelet at all, or none in this window.
    fn nothing(&mut self) -> Trouble {
        let asked = self.asked;
        let scope = Scope { selector: &asked.selector, found: None, nodes: &[] };
        let earlier = scope.look().into_iter().any(|matcher| {
            let ever: Result<Vec<Labels>, _> = self.ask("series", &[("match[]", &matcher), ("start", "1")]);
            ever.is_ok_and(|series| !series.is_empty())
        });
        if earlier {
            let (from, to) = asked.window;
            return self.trouble(
                format!("it holds kubelet metrics, but none from {} to {}", seconds(from), seconds(to)),
                "Choose another window (--window, --from, --to).",
            );
        }
        let selected = if asked.selector.is_empty() { "" } else { " that --selector lets pass" };
        self.trouble(
            format!("it holds no metrics of kubelets{selected} ({} or {})", query::LOOKED_AT[0], query::LOOKED_AT[1]),
            "Does it scrape the kubelets' /metrics, and keep these families? Every kubelet has the first, those from 1.26 on the second.",
        )
    }

    /// Series are there, yet nothing came of them.
    fn empty(&self) -> Trouble {
        self.trouble("it gave no values for the kubelets it knows", "Choose another window (--window, --from, --to).")
    }

    fn no_such_label(&self, series: &[Labels]) -> Trouble {
        let known: BTreeSet<&str> = series.iter().flat_map(|labels| labels.keys()).map(String::as_str).collect();
        let known: Vec<&str> = known.into_iter().filter(|label| *label != "__name__").collect();
        let message = match &self.asked.node_label {
            Some(own) => format!("no kubelet's series has the label {own:?}"),
            None => "the kubelets' series have no label that names their node".to_owned(),
        };
        self.trouble(message, format!("--node-label NAME chooses it; they have: {}", known.join(", ")))
    }

    /// What an optional query gives; where it cannot be answered, that is told.
    fn optional(&mut self, text: &str) -> Vec<Series> {
        self.instant(text).unwrap_or_else(|trouble| {
            self.told.remarks.push(trouble.to_string());
            Vec::new()
        })
    }

    /// The names of nodes that are known by their addresses.
    fn names(&mut self, found: &Found) -> BTreeMap<String, String> {
        if found.node != "instance" {
            return BTreeMap::new();
        }
        let scope = Scope { selector: &self.asked.selector, found: Some(found), nodes: &[] };
        let series = self.optional(&scope.names());
        let name =
            |one: &Series| Some((found.name(&one.metric)?, one.metric.get("node").filter(|n| !n.is_empty())?.clone()));
        series.iter().filter_map(name).collect()
    }

    fn versions(&mut self, found: &Found) -> BTreeMap<String, String> {
        let scope = Scope { selector: &self.asked.selector, found: Some(found), nodes: &[] };
        let series = self.optional(&scope.versions());
        let version = |one: &Series| Some((found.name(&one.metric)?, one.metric.get("git_version")?.clone()));
        series.iter().filter_map(version).collect()
    }

    /// The nodes whose kubelet restarted within the window.
    fn restless(&mut self, found: &Found) -> BTreeSet<String> {
        let selector = self.asked.selector.clone();
        let scope = Scope { selector: &selector, found: Some(found), nodes: &[] };
        match self.stretched(|seconds| scope.restarts(seconds)) {
            Ok(series) => {
                let restarted = |one: &&Series| one.numbers().any(|(_, changes)| changes > 0.0);
                series.iter().filter(restarted).filter_map(|one| found.name(&one.metric)).collect()
            }
            Err(trouble) => {
                self.told.remarks.push(format!("restarts of kubelets are not known: {trouble}"));
                BTreeSet::new()
            }
        }
    }

    /// What the server says of some nodes, every `step` seconds of the window.
    fn pages(&mut self, found: &Found, nodes: &[String], step: i64) -> Result<Pages, Trouble> {
        let selector = self.asked.selector.clone();
        // With clusters a node's name has its cluster's before it.
        let values: Vec<String> = nodes
            .iter()
            .map(|node| {
                if found.cluster.is_some() { node.rsplit('/').next().unwrap_or(node).to_owned() } else { node.clone() }
            })
            .collect();
        let scope = Scope { selector: &selector, found: Some(found), nodes: &values };
        let from = Time(self.asked.window.1.0 - (self.asked.seconds() / step) * step * SECOND);
        let mut pages = Pages::default();
        for one in self.range(&scope.counted(), from, step)? {
            let sample = one.metric.get("__name__").cloned().unwrap_or_default();
            let label = |name: &str| one.metric.get(name).map(String::as_str);
            for (at, number) in one.numbers() {
                pages.at(found, &one.metric, at).take(&sample, label, number, None);
            }
            for (at, histogram) in one.histograms() {
                pages.at(found, &one.metric, at).take_native(&sample, label, histogram);
            }
        }
        for one in self.range(&scope.started(), from, step)? {
            for (at, number) in one.numbers() {
                pages.at(found, &one.metric, at).take(name::PROCESS_START, |_| None, number, None);
            }
        }
        for one in self.range(&scope.scraped(), from, step)? {
            for (at, number) in one.numbers() {
                pages.at(found, &one.metric, at).at = Some(Time((number * SECOND as f64) as i64));
            }
        }
        Ok(pages)
    }

    /// The window of a node. A node scraped more than once counts once: by the scrape that
    /// was there most often.
    fn window(&mut self, node: &str, mut scrapes: Scrapes, found: &Found) -> Option<Window> {
        let overlap = scrapes.len() > 1
            && scrapes.values().map(Vec::len).sum::<usize>() > scrapes.values().map(Vec::len).max()? + 1;
        if overlap {
            let labels = found.again.join(", ");
            let times = scrapes.len();
            self.told
                .remarks
                .push(format!("{node}: it is scraped {times} times (they differ in {labels}) and counted once"));
            let best = scrapes.iter().max_by_key(|(_, pages)| pages.len()).map(|(own, _)| own.clone())?;
            scrapes.retain(|own, _| *own == best);
        }
        let mut whole: Option<Window> = None;
        for pages in scrapes.into_values() {
            let begun = pages.first().and_then(|page| page.started).is_some_and(|at| at >= self.asked.window.0);
            let window = between(node, pages, begun);
            match &mut whole {
                Some(whole) => whole.merge(&window),
                None => whole = Some(window),
            }
        }
        whole
    }
}
