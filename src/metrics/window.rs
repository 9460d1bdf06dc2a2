//! From scrapes to what came between them: counters begin anew with their process, and only differences count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::families::{Exporter, FAMILIES, Family, Shape};
use super::histogram::Histogram;
use super::scrape::{Scrape, SeriesKey, SeriesValues};
use super::startup_stats::StartupStats;
use crate::model::time::Time;

/// What one series counted within a window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SeriesDelta {
    /// What a counter counted.
    pub value: f64,
    /// Over how many seconds, where both ends are known: for counters of seconds, of which a share of the time is asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seconds: Option<f64>,
    /// What a histogram counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub histogram: Option<Histogram>,
}

/// What one node's metrics say of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Window {
    /// The node's name.
    pub node: String,
    /// The kubelet's versions, in the order of their scrapes: several where it was upgraded between them, or where several
    /// clusters' nodes have one name.
    pub kubelet_versions: Vec<Box<str>>,
    /// Where the counting begins: the first scrape, or the process' start.
    pub from: Option<Time>,
    /// The last scrape, or shortly before it.
    pub to: Option<Time>,
    /// How many scrapes it is made of; one counts since the process' start.
    pub scrapes: u64,
    /// How often the kubelet restarted between them: what came between the last scrape before and the restart is in none.
    pub restarts: u64,
    /// The series, by family and kept label.
    pub series: Vec<(String, String, SeriesDelta)>,
    /// What is to be said of how the metrics came.
    pub remarks: Vec<String>,
    /// The same of each process of a kubelet, where it is made of several, without the buckets: means of different processes
    /// cannot be set against each other.
    #[serde(default)]
    pub processes: Vec<Window>,
}

/// So many processes are kept apart.
const MAX_PROCESSES: usize = 1_000;

impl Window {
    /// The histograms of a family whose kept label is this (any, where it is empty), as one.
    #[must_use]
    pub fn histogram(&self, family: &str, label: &str) -> Option<Histogram> {
        self.all(family, label).filter_map(|(_, counted)| counted.histogram.clone()).reduce(|all, one| all.plus(&one))
    }

    /// The sum and count of them.
    #[must_use]
    pub fn sum(&self, family: &str, label: &str) -> Option<(f64, f64)> {
        self.histogram(family, label).map(|histogram| (histogram.sum, histogram.count))
    }

    /// A counter, over all labels or of one.
    #[must_use]
    pub fn counter(&self, family: &str, label: &str) -> Option<f64> {
        self.all(family, label).map(|(_, counted)| counted.value).reduce(|all, one| all + one)
    }

    /// The series of a family, by kept label.
    pub fn all<'a>(&'a self, family: &'a str, label: &'a str) -> impl Iterator<Item = (&'a str, &'a SeriesDelta)> {
        let mine = move |(name, kept, _): &&(String, String, SeriesDelta)| {
            name == family && (label.is_empty() || kept == label)
        };
        self.series.iter().filter(mine).map(|(_, kept, counted)| (kept.as_str(), counted))
    }

    /// The share of the time that a counter of seconds counted; none where it is not known over how long it did.
    #[must_use]
    pub fn share(&self, family: &str, label: &str) -> Option<f64> {
        let (mut value, mut seconds) = (0.0, 0.0);
        for (_, counted) in self.all(family, label) {
            value += counted.value;
            seconds += counted.seconds.filter(|seconds| *seconds > 0.0)?;
        }
        (seconds > 0.0).then(|| value / seconds)
    }

    /// Whether another window counts the same: the same time and a family of both.
    #[must_use]
    pub fn overlaps(&self, other: &Window) -> bool {
        let apart = |a: Option<Time>, b: Option<Time>| a.zip(b).is_some_and(|(to, from)| to <= from);
        let same = |(family, label, _): &(String, String, SeriesDelta)| {
            other.series.iter().any(|(theirs, their_label, _)| theirs == family && their_label == label)
        };
        !apart(self.to, other.from) && !apart(other.to, self.from) && self.series.iter().any(same)
    }

    /// The kubelet's versions without the leading `v`.
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        self.kubelet_versions.iter().map(|version| version.trim_start_matches('v'))
    }

    /// Each process of a kubelet that it is made of.
    fn by_process(&self) -> Vec<Window> {
        match self.processes.as_slice() {
            [] if StartupStats::from_window(self).is_some() => vec![self.without_buckets()],
            processes => processes.to_vec(),
        }
    }

    fn without_buckets(&self) -> Window {
        let mut sums = self.clone();
        for (_, _, counted) in &mut sums.series {
            let plain = |all: &Histogram| Histogram::classic(std::iter::empty(), all.sum, Some(all.count));
            counted.histogram = counted.histogram.as_ref().map(plain);
        }
        Window { remarks: Vec::new(), processes: Vec::new(), ..sums }
    }

    /// Takes up another window: of the same node's other exporter, of a later time, or, for the fleet, of another node.
    pub fn merge(&mut self, other: &Window) {
        let processes: Vec<Window> = [&*self, other].into_iter().flat_map(Window::by_process).collect();
        self.processes = if (2..=MAX_PROCESSES).contains(&processes.len()) { processes } else { Vec::new() };
        self.from = self.from.into_iter().chain(other.from).min();
        self.to = self.to.max(other.to);
        for version in &other.kubelet_versions {
            if !self.kubelet_versions.contains(version) {
                self.kubelet_versions.push(version.clone());
            }
        }
        self.scrapes += other.scrapes;
        self.restarts += other.restarts;
        let mut series: BTreeMap<(String, String), SeriesDelta> = std::mem::take(&mut self.series)
            .into_iter()
            .map(|(family, label, counted)| ((family, label), counted))
            .collect();
        for (family, label, counted) in &other.series {
            let mine = series.entry((family.clone(), label.clone())).or_default();
            mine.value += counted.value;
            mine.seconds = mine.seconds.map_or(counted.seconds, |mine| Some(mine + counted.seconds.unwrap_or(0.0)));
            mine.histogram = match (mine.histogram.take(), &counted.histogram) {
                (Some(mine), Some(theirs)) => Some(mine.plus(theirs)),
                (mine, theirs) => mine.or(theirs.clone()),
            };
        }
        self.series = series.into_iter().map(|((family, label), counted)| (family, label, counted)).collect();
        self.remarks
            .extend(other.remarks.iter().filter(|remark| !self.remarks.contains(remark)).cloned().collect::<Vec<_>>());
    }
}

/// What the pages of one exporter of one node count between the first and the last of them; with `since_start` from the start
/// of the first one's process on, which is all that one page alone can show.
#[must_use]
pub fn between(node: &str, mut pages: Vec<Scrape>, since_start: bool) -> Window {
    // By their times, else by their processes and how much these had counted; where nothing shows it, as they were given.
    if pages.iter().all(|page| page.at.is_some()) {
        pages.sort_by(|a, b| {
            (a.at, a.started).cmp(&(b.at, b.started)).then_with(|| a.progress().total_cmp(&b.progress()))
        });
    } else if pages.iter().all(|page| page.started.is_some()) {
        pages.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.progress().total_cmp(&b.progress())));
    }
    let mut window = Window { node: node.into(), scrapes: pages.len() as u64, ..Window::default() };
    let (Some(first), Some(last)) = (pages.first(), pages.last()) else { return window };
    for version in pages.iter().filter_map(|page| page.version.as_ref()) {
        if !window.kubelet_versions.contains(version) {
            window.kubelet_versions.push(version.clone());
        }
    }
    window.to = last.at;
    window.from = if since_start { first.started } else { first.at };
    let mut counted: BTreeMap<SeriesKey, SeriesDelta> = BTreeMap::new();
    let mut before: Option<&Scrape> = if since_start { None } else { Some(first) };
    let mut begins: Vec<usize> = vec![0];
    for (number, page) in pages.iter().enumerate().skip(usize::from(!since_start)) {
        // Containers' and the kernel's counters do not begin anew with the program that exports them.
        let own = !matches!(page.exporter, Some(Exporter::Cadvisor | Exporter::Node));
        let counter_reset = own && before.is_some_and(|before| counter_reset(before, page));
        if counter_reset && counted.is_empty() {
            window.from = page.started.or(window.from);
        }
        if counter_reset && page.exporter == Some(Exporter::Kubelet) {
            window.restarts += 1;
            begins.push(number);
        }
        let known = before.filter(|_| !counter_reset);
        for (key, values) in &page.values {
            let earlier = known.and_then(|known| known.values.get(key));
            take(counted.entry(key.clone()).or_default(), values, earlier);
        }
        before = Some(page);
    }
    let invalid_values: u64 = pages.iter().map(|page| page.invalid_values).sum();
    if invalid_values > 0 {
        window.remarks.push(format!("{node}: {invalid_values} invalid samples ignored (NaN, infinite, negative)"));
    }
    let family = |number: usize| FAMILIES.get(number).map_or("", |family| family.name).to_owned();
    let seconds = first.at.zip(last.at).map(|(from, to)| (to - from).seconds()).filter(|_| !since_start);
    for ((number, label), mut counted) in counted {
        let of_time = |family: &Family| matches!(family.exporter, Exporter::Cadvisor | Exporter::Node);
        counted.seconds = seconds.filter(|_| FAMILIES.get(number).is_some_and(of_time));
        let apart = FAMILIES.get(number).is_some_and(|family| family.sum_over_label);
        match window.series.last_mut() {
            Some((name, _, sum)) if apart && *name == family(number) => sum.value += counted.value,
            _ => window.series.push((family(number), if apart { String::new() } else { label.into() }, counted)),
        }
    }
    window.processes = processes(node, &pages, &begins, since_start);
    window
}

/// The window of each process, of which the first page is at these places; none where it is but one, or too many.
fn processes(node: &str, pages: &[Scrape], begins: &[usize], since_start: bool) -> Vec<Window> {
    if !(2..=MAX_PROCESSES).contains(&begins.len()) {
        return Vec::new();
    }
    let ends = begins.iter().skip(1).copied().chain([pages.len()]);
    let of = |(number, (begin, end)): (usize, (&usize, usize))| {
        let own = pages.get(*begin..end).unwrap_or_default().to_vec();
        between(node, own, since_start || number > 0).without_buckets()
    };
    begins.iter().zip(ends).enumerate().map(of).collect()
}

fn take(counted: &mut SeriesDelta, values: &SeriesValues, earlier: Option<&SeriesValues>) {
    if let Some(now) = values.histogram() {
        let since = match earlier.and_then(SeriesValues::histogram) {
            Some(earlier) => now.minus(&earlier),
            None => now,
        };
        counted.histogram = Some(match counted.histogram.take() {
            Some(before) => before.plus(&since),
            None => since,
        });
    }
    if let Some(now) = values.value {
        let earlier = earlier.and_then(|earlier| earlier.value).unwrap_or(0.0);
        counted.value += if now < earlier { now } else { now - earlier };
    }
}

/// Whether the process of a page is another than that of the page before: it is another version, a count has gone down, or it
/// says that it started after that. That its start differs is not enough: programs compute it from the kernel's clock, which is set now and then.
fn counter_reset(before: &Scrape, page: &Scrape) -> bool {
    let later = before.at.zip(page.started).is_some_and(|(before, started)| started > before);
    let differs = before.started.zip(page.started).is_none_or(|(before, now)| (now - before).seconds().abs() > 1.0);
    let fell = |key: &SeriesKey, now: Option<f64>, count: fn(&SeriesValues) -> Option<f64>| {
        before.values.get(key).and_then(count).zip(now).is_some_and(|(before, now)| now < before)
    };
    let any_fell = || {
        page.values.iter().any(|(key, values)| {
            let counter = FAMILIES.get(key.0).is_some_and(|family| family.shape == Shape::Counter);
            fell(key, values.count, |values| values.count)
                || (counter && fell(key, values.value, |values| values.value))
        })
    };
    let other_version = before.version.as_ref().zip(page.version.as_ref()).is_some_and(|(before, now)| before != now);
    other_version || differs && (later && before.started.is_some() || any_fell())
}

impl Scrape {
    /// Grows within one process: what puts two of its scrapes in order where neither shows its time.
    fn progress(&self) -> f64 {
        self.values.values().map(|values| values.count.unwrap_or(0.0)).sum()
    }
}
