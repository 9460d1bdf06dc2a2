//! One server on its way to being read: what is asked of it, in which words it fails, and what is to be said of its answers.

use std::collections::{BTreeMap, BTreeSet};

use super::labels::NodeLabels;
use super::query::{self, Scope};
use super::response::{self, Labels, Matrix, Series};
use super::{MAX_RANGE_S, QueryOptions, Scrapes, ScrapesByTarget, ServerResult, list_some, seconds};
use crate::metrics::families::name;
use crate::metrics::scrape::Scrape;
use crate::metrics::window::{Window, between};
use crate::model::time::{SECOND, Time};
use crate::web::{Client, HttpError, HttpErrorKind};

pub(super) struct Server<'a> {
    pub client: &'a Client,
    api: &'a str,
    pub options: &'a QueryOptions,
    pub result: ServerResult,
    /// Nodes that are scraped more than once.
    duplicated: Vec<String>,
    /// Nodes of which series are known and no value was.
    pub without_values: Vec<String>,
    /// Series came without their names, which sums by name must keep.
    names_missing: bool,
}

impl<'a> Server<'a> {
    pub(super) fn new(client: &'a Client, api: &'a str, options: &'a QueryOptions) -> Self {
        let (result, duplicated, without_values) = (ServerResult::default(), Vec::new(), Vec::new());
        Server { client, api, options, result, duplicated, without_values, names_missing: false }
    }
}

impl Server<'_> {
    /// What is to be said of many nodes, in one line each.
    pub(super) fn remarks(&mut self, found: &NodeLabels) {
        if !self.duplicated.is_empty() {
            let (nodes, labels) = (list_some(&self.duplicated), found.replica_labels.join(", "));
            self.result.remarks.push(format!("scraped more than once (by {labels}), counted once: {nodes}"));
        }
        if !self.without_values.is_empty() {
            let nodes = list_some(&self.without_values);
            self.result.remarks.push(format!("no values within the window: {nodes}"));
        }
    }

    fn ask<T: Default + for<'de> serde::Deserialize<'de>>(
        &mut self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, HttpError> {
        let url = format!("{}/api/v1/{path}", self.api);
        let length: usize = query.iter().map(|(_, value)| value.len()).sum();
        // Some gateways let only GET pass, some limit an address to 8 KiB.
        let body = match self.client.get(&url, query, length > 1500) {
            // That the path is there was seen by GET.
            Err(error) if matches!(error.kind, HttpErrorKind::Status(400 | 403 | 404 | 405 | 501)) && length > 1500 => {
                self.client.get(&url, query, false).map_err(|_| error)
            }
            body => body,
        };
        // An address with a whole query in it says less than one without.
        let short = |error: HttpError| HttpError { url: without_query(&error.url), ..error };
        let body = body.map_err(|error| short(response::refused(&error).unwrap_or(error)))?;
        self.result.bytes += body.bytes.len() as u64;
        let read = response::read(&body).map_err(|error| short(self.client.mask_error(error)));
        let (data, warnings) = read?;
        for warning in warnings {
            let warning = self.client.mask(&format!("{}: server warning: {warning}", without_query(&body.url)));
            if !self.result.remarks.contains(&warning) {
                self.result.remarks.push(warning);
            }
        }
        Ok(data)
    }

    fn matrix(&mut self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Series>, HttpError> {
        let matrix: Matrix = self.ask(path, query)?;
        self.result.series += matrix.result.len() as u64;
        Ok(matrix.result)
    }

    fn time(time: Time) -> String {
        format!("{:.3}", time.0 as f64 / SECOND as f64)
    }

    pub(super) fn instant(&mut self, text: &str) -> Result<Vec<Series>, HttpError> {
        let at = Self::time(self.options.window.1);
        self.matrix("query", &[("query", text), ("time", &at)])
    }

    fn range(&mut self, text: &str, (from, to): (Time, Time), step: i64) -> Result<Vec<Series>, HttpError> {
        let (from, to) = (Self::time(from), Self::time(to));
        self.matrix("query_range", &[("query", text), ("start", &from), ("end", &to), ("step", &step.to_string())])
    }

    /// A query over a stretch of time, once for each stretch that the window is made of.
    pub(super) fn range_query(&mut self, text: impl Fn(i64) -> String) -> Result<Vec<Series>, HttpError> {
        let length = self.options.seconds();
        if length <= MAX_RANGE_S {
            return self.instant(&text(length));
        }
        let stretches = (length + MAX_RANGE_S - 1) / MAX_RANGE_S;
        let stretch = (length + stretches - 1) / stretches;
        let first = Time(self.options.window.1.0 - (stretches - 1) * stretch * SECOND);
        self.range(&text(stretch), (first, self.options.window.1), stretch)
    }

    /// The kubelets' series within the window.
    pub(super) fn find_kubelet_series(&mut self) -> Result<Vec<Labels>, HttpError> {
        let scope = Scope { selector: &self.options.selector, found: None, nodes: &[] };
        let (from, to) = (Self::time(self.options.window.0), Self::time(self.options.window.1));
        for matcher in scope.find_kubelet_series() {
            let series: Vec<Labels> = self.ask("series", &[("match[]", &matcher), ("start", &from), ("end", &to)])?;
            if !series.is_empty() {
                return Ok(series);
            }
        }
        Err(self.nothing())
    }

    fn error(&self, message: impl Into<String>, help: impl Into<String>) -> HttpError {
        let (message, help) = (message.into(), help.into());
        HttpError {
            kind: HttpErrorKind::InvalidUrl,
            url: crate::web::redact_url(self.api),
            message,
            help,
            body: String::new(),
        }
    }

    /// Why there is nothing to look at: no kubelet at all, or none in this window.
    fn nothing(&mut self) -> HttpError {
        let options = self.options;
        let scope = Scope { selector: &options.selector, found: None, nodes: &[] };
        let earlier = scope.find_kubelet_series().into_iter().any(|matcher| {
            let ever: Result<Vec<Labels>, _> = self.ask("series", &[("match[]", &matcher), ("start", "1")]);
            ever.is_ok_and(|series| !series.is_empty())
        });
        if earlier {
            let (from, to) = options.window;
            return self.error(
                format!("no kubelet metrics from {} to {}", seconds(from), seconds(to)),
                "Choose another window (--window, --from, --to).",
            );
        }
        let selected = if options.selector.is_empty() { "" } else { " that match --selector" };
        self.error(
            format!("no kubelet metrics{selected} ({} or {})", query::PROBE_FAMILIES[0], query::PROBE_FAMILIES[1]),
            "Check that Prometheus scrapes the kubelets' /metrics and keeps these families. Every kubelet has the first, 1.26 and later the second.",
        )
    }

    /// Series are there, yet nothing came of them.
    pub(super) fn empty(&self) -> HttpError {
        if self.names_missing {
            return self.error(
                "the results lack series names (`sum by (__name__, …)` must keep them)",
                "Check for a proxy or an old server in between. Query Prometheus itself, or pass saved scrapes.",
            );
        }
        self.error("no values for the known kubelets", "Choose another window (--window, --from, --to).")
    }

    pub(super) fn no_such_label(&self, series: &[Labels]) -> HttpError {
        let known: BTreeSet<&str> = series.iter().flat_map(|labels| labels.keys()).map(String::as_str).collect();
        let known: Vec<&str> = known.into_iter().filter(|label| *label != "__name__").collect();
        let message = match &self.options.node_label {
            Some(own) => format!("no kubelet series has the label {own:?}"),
            None => "no label of the kubelet series names the node".to_owned(),
        };
        self.error(message, format!("Set --node-label to one of: {}", known.join(", ")))
    }

    /// What an optional query gives; where it cannot be answered, that is reported.
    fn optional(&mut self, text: &str) -> Vec<Series> {
        self.instant(text).unwrap_or_else(|error| {
            self.result.remarks.push(error.to_string());
            Vec::new()
        })
    }

    /// The names of nodes that are known by their addresses.
    pub(super) fn names(&mut self, found: &NodeLabels) -> BTreeMap<String, String> {
        if found.node != "instance" {
            return BTreeMap::new();
        }
        let scope = Scope { selector: &self.options.selector, found: Some(found), nodes: &[] };
        let series = self.optional(&scope.names());
        let name =
            |one: &Series| Some((found.name(&one.metric)?, one.metric.get("node").filter(|n| !n.is_empty())?.clone()));
        series.iter().filter_map(name).collect()
    }

    pub(super) fn versions(&mut self, found: &NodeLabels) -> BTreeMap<String, String> {
        let scope = Scope { selector: &self.options.selector, found: Some(found), nodes: &[] };
        let series = self.optional(&scope.versions());
        let version = |one: &Series| Some((found.name(&one.metric)?, one.metric.get("git_version")?.clone()));
        series.iter().filter_map(version).collect()
    }

    /// The nodes whose kubelet restarted within the window.
    pub(super) fn unstable(&mut self, found: &NodeLabels) -> BTreeSet<String> {
        let selector = self.options.selector.clone();
        let scope = Scope { selector: &selector, found: Some(found), nodes: &[] };
        let mut unstable = BTreeSet::new();
        for query in [Scope::restarts, Scope::resets] {
            match self.range_query(|seconds| query(&scope, seconds)) {
                Ok(series) => {
                    let restarted = |one: &&Series| one.numbers().any(|(_, changes)| changes > 0.0);
                    unstable.extend(series.iter().filter(restarted).filter_map(|one| found.name(&one.metric)));
                }
                Err(error) => self.result.remarks.push(format!("kubelet restarts may be missed: {error}")),
            }
        }
        unstable
    }

    /// What the server says of some nodes, every `step` seconds of the window.
    pub(super) fn pages(
        &mut self,
        found: &NodeLabels,
        nodes: &[String],
        window: (Time, Time),
        step: i64,
    ) -> Result<ScrapesByTarget, HttpError> {
        let selector = self.options.selector.clone();
        // With clusters a node's name has its cluster's before it.
        let values: Vec<String> = nodes
            .iter()
            .map(|node| {
                if found.cluster.is_some() { node.rsplit('/').next().unwrap_or(node).to_owned() } else { node.clone() }
            })
            .collect();
        let scope = Scope { selector: &selector, found: Some(found), nodes: &values };
        let mut pages = ScrapesByTarget::default();
        for one in self.range(&scope.counters(), window, step)? {
            let sample = one.metric.get("__name__").cloned().unwrap_or_default();
            self.names_missing |= sample.is_empty();
            let label = |name: &str| one.metric.get(name).map(String::as_str);
            for (at, number) in one.numbers() {
                pages.at(found, &one.metric, at).take(&sample, label, number, None);
            }
            for (at, histogram) in one.histograms() {
                pages.at(found, &one.metric, at).add_native_histogram(&sample, label, histogram);
            }
        }
        for one in self.range(&scope.started(), window, step)? {
            for (at, number) in one.numbers() {
                pages.at(found, &one.metric, at).take(name::PROCESS_START, |_| None, number, None);
            }
        }
        for one in self.range(&scope.scraped(), window, step)? {
            for (at, number) in one.numbers() {
                pages.at(found, &one.metric, at).at = Some(Time((number * SECOND as f64) as i64));
            }
        }
        Ok(pages)
    }

    /// The window of a node. A node scraped more than once at the same time counts once, by the scrape that was there most
    /// often; scrapes one after another (its labels changed, or its machine) are one.
    pub(super) fn window(&mut self, node: &str, mut scrapes: Scrapes) -> Option<Window> {
        let mut instants: BTreeMap<i64, usize> = BTreeMap::new();
        for pages in scrapes.values() {
            let quarters = |page: &Scrape| page.at.map_or(0, |at| at.0 / (15 * SECOND));
            for quarter in pages.iter().map(quarters).collect::<BTreeSet<i64>>() {
                *instants.entry(quarter).or_default() += 1;
            }
        }
        let both = instants.values().filter(|pages| **pages > 1).count();
        // Where one series takes over from another, both are there for as long as a server looks back.
        if scrapes.len() > 1 && both * 2 > instants.len() {
            self.duplicated.push(node.to_owned());
            let best = scrapes.iter().max_by_key(|(_, pages)| pages.len()).map(|(own, _)| own.clone())?;
            scrapes.retain(|own, _| *own == best);
        }
        let pages: Vec<Scrape> = scrapes.into_values().flatten().collect();
        let first = pages.iter().min_by_key(|page| page.at)?;
        let begun = first.started.is_some_and(|at| at >= self.options.window.0);
        Some(between(node, pages, begun))
    }
}

/// An address without its query.
fn without_query(url: &str) -> String {
    url.split('?').next().unwrap_or(url).to_owned()
}
