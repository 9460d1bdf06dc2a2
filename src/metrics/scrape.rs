//! Pages of an exporter: the samples of one scrape that podlag needs, summed over the labels it does not.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault};

use siphasher::sip::SipHasher13;

use super::families::{Exporter, FAILED, FAMILIES, Family, OUTCOME, SampleKind, Shape, lookup, name};
use super::histogram::Histogram;
use crate::model::time::{SECOND, Time};

/// One series of a page: the family's number, and the value of the label it keeps.
pub type SeriesKey = (usize, Box<str>);

/// The values of one series at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesValues {
    /// A counter's.
    pub value: Option<f64>,
    /// The sum of a histogram.
    pub sum: Option<f64>,
    /// The count of a histogram.
    pub count: Option<f64>,
    /// Its buckets, by bound.
    pub buckets: Vec<(f64, f64)>,
    /// A native histogram of the same; where there are classic buckets too, those count: 5 s is a bound of them.
    pub native: Option<Histogram>,
}

impl SeriesValues {
    /// The histogram they are.
    #[must_use]
    pub fn histogram(&self) -> Option<Histogram> {
        match &self.native {
            Some(native) if self.buckets.is_empty() => Some(native.clone()),
            None if self.count.is_none() && self.buckets.is_empty() => None,
            _ => Some(Histogram::classic(self.buckets.iter().copied(), self.sum.unwrap_or(0.0), self.count)),
        }
    }

    pub(super) fn add(&mut self, part: SampleKind, le: Option<f64>, value: f64) {
        let plus = |old: &mut Option<f64>| *old = Some(old.unwrap_or(0.0) + value);
        match (part, le) {
            (SampleKind::Value, _) => plus(&mut self.value),
            (SampleKind::Sum, _) => plus(&mut self.sum),
            (SampleKind::Count, _) => plus(&mut self.count),
            (SampleKind::Bucket, Some(le)) => match self.buckets.iter().position(|(bound, _)| *bound == le) {
                Some(at) => self.buckets.get_mut(at).into_iter().for_each(|(_, count)| *count += value),
                None if self.buckets.len() < MAX_BUCKETS => self.buckets.push((le, value)),
                None => {}
            },
            (SampleKind::Bucket, None) => {}
        }
    }
}

/// How many buckets of a series are kept: the kubelet's have 25 at most, and each is looked for among the others.
const MAX_BUCKETS: usize = 500;
/// How many series of a page are kept, and how many pages of one text.
const MAX_SERIES: usize = 20_000;
const MAX_SCRAPES: usize = 10_000;

/// What one scrape of one exporter says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scrape {
    /// Whose page it is, by its families; none while it has none that show it.
    pub exporter: Option<Exporter>,
    /// The node's name, where the page shows it.
    pub node: Option<Box<str>>,
    /// The kubelet's version.
    pub version: Option<Box<str>>,
    /// When the process started.
    pub started: Option<Time>,
    /// A time at or shortly before the scrape, from stamps on its samples or in gauges that carry one.
    pub at: Option<Time>,
    /// The values.
    pub values: BTreeMap<SeriesKey, SeriesValues>,
    /// Samples whose value is no number.
    pub invalid_values: u64,
}

/// Seconds since 1970.
fn time(seconds: f64) -> Option<Time> {
    (seconds > 0.0 && seconds < 9.0e9).then_some(Time((seconds * SECOND as f64) as i64))
}

impl Scrape {
    /// Takes a sample; `label` gives the value of a label.
    pub fn take<'a>(&mut self, sample: &str, label: impl Fn(&str) -> Option<&'a str>, value: f64, stamp: Option<Time>) {
        let Some((number, part)) = lookup(sample) else { return };
        let Some(family) = FAMILIES.get(number) else { return };
        if !matches(family, &label) {
            return;
        }
        // Only a sum can be below 0; a count beyond any that is exact is no count.
        if !value.is_finite() || (value < 0.0 && part != SampleKind::Sum) || value.abs() > 9.0e15 {
            self.invalid_values += 1;
            return;
        }
        let bound = if part == SampleKind::Bucket {
            let Some(le) = label("le").and_then(parse_bound) else { return };
            Some(le)
        } else {
            None
        };
        self.record_info(family, &label, value, stamp);
        if family.shape == Shape::Info {
            return;
        }
        let key = (number, kept(family, &label));
        if self.values.len() < MAX_SERIES || self.values.contains_key(&key) {
            self.values.entry(key).or_default().add(part, bound, value);
        } else {
            self.invalid_values += 1;
        }
    }

    /// Takes a native histogram.
    pub fn add_native_histogram<'a>(
        &mut self,
        sample: &str,
        label: impl Fn(&str) -> Option<&'a str>,
        histogram: Histogram,
    ) {
        let Some(number) = FAMILIES.iter().position(|family| family.name == sample) else { return };
        let Some(family) = FAMILIES.get(number).filter(|family| matches(family, &label)) else { return };
        let values = self.values.entry((number, kept(family, &label))).or_default();
        values.native = Some(match values.native.take() {
            Some(known) => known.plus(&histogram),
            None => histogram,
        });
    }

    /// What the page says of itself.
    fn record_info<'a>(
        &mut self,
        family: &Family,
        label: &impl Fn(&str) -> Option<&'a str>,
        value: f64,
        stamp: Option<Time>,
    ) {
        let text = |name: &str| label(name).filter(|text| !text.is_empty()).map(Into::into);
        match family.name {
            name::NODE_NAME => self.node = text("node"),
            name::BUILD => self.version = text("git_version"),
            name::PROCESS_START => self.started = time(value),
            name::LAST_RELIST | name::LAST_GC => self.at = self.at.max(time(value)),
            _ => {}
        }
        self.at = self.at.max(stamp);
        // Every Go program says when it started; the other families show whose page it is.
        if !matches!(family.name, name::PROCESS_START | name::LAST_GC) {
            self.exporter = self.exporter.or(Some(family.exporter));
        }
    }

    /// Whether it says nothing of any start.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exporter.is_none()
    }
}

/// Whether a sample is one that the family wants.
fn matches<'a>(family: &Family, label: &impl Fn(&str) -> Option<&'a str>) -> bool {
    let kept = || label(family.label).unwrap_or_default();
    (family.label_values.is_empty() || family.label_values.contains(&kept()))
        && (family.required_label.is_empty() || label(family.required_label).is_some_and(|value| !value.is_empty()))
        && family.matchers.iter().all(|(name, value)| label(name) == Some(value))
}

/// The value of the label that is kept.
fn kept<'a>(family: &Family, label: &impl Fn(&str) -> Option<&'a str>) -> Box<str> {
    let value = label(family.label).unwrap_or_default();
    let (outcome, success) = OUTCOME;
    // Kubelets before 1.21 have no such label.
    let failed = family.failed_apart && label(outcome).is_some_and(|status| !status.is_empty() && status != success);
    if failed { format!("{value}{FAILED}").into() } else { value.into() }
}

/// A bound: `1`, `1.0`, `+Inf`.
pub(super) fn parse_bound(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| !number.is_nan())
}

/// Cuts a stream of samples into pages: several scrapes in one stream show by a sample that comes again, several nodes by the
/// labels that a Prometheus server adds.
#[derive(Default)]
pub struct ScrapeCollector {
    /// The pages that are complete.
    pub done: Vec<Scrape>,
    /// The current page of each node (of what names none, that without a name), and of each instant where those are told apart.
    current: BTreeMap<(Box<str>, Option<Time>), Scrape>,
    /// Families whose type the current page has reported.
    types: HashSet<Box<str>>,
    /// Pages beyond the bound, which are not kept.
    pub dropped: u64,
    /// Hashes of the samples of the current page. Sixteen bytes each: two that collide are not to be expected.
    known: HashSet<u64, BuildHasherDefault<SipHasher13>>,
}

impl ScrapeCollector {
    /// A page says what a family is but once.
    pub fn begin_family(&mut self, family: &str) {
        if self.types.contains(family) {
            self.end();
        }
        if self.types.len() < MAX_SERIES {
            self.types.insert(family.into());
        }
    }

    /// Takes a sample with all its labels.
    pub fn take(
        &mut self,
        sample: &str,
        labels: &[(impl AsRef<str>, impl AsRef<str>)],
        value: f64,
        stamp: Option<Time>,
    ) {
        let whole: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        if !self.known.insert(BuildHasherDefault::<SipHasher13>::default().hash_one((sample, &whole))) {
            let whole_again = BuildHasherDefault::<SipHasher13>::default().hash_one((sample, &whole));
            self.end();
            self.known.insert(whole_again);
        }
        let other = |page: &Scrape| {
            page.node.is_some()
                && page.node.as_deref() != whole.iter().find(|(name, _)| *name == "node").map(|label| label.1)
        };
        if sample == name::NODE_NAME && self.current.get(&("".into(), None)).is_some_and(other) {
            self.end();
        }
        self.put(sample, &whole, value, stamp, None);
    }

    /// Takes a sample of a text that holds the samples of one series after each other: those of one instant are a page.
    pub fn take_at(&mut self, sample: &str, labels: &[(impl AsRef<str>, impl AsRef<str>)], value: f64, at: Time) {
        let whole: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        self.put(sample, &whole, value, Some(at), Some(at));
    }

    fn put(&mut self, sample: &str, labels: &[(&str, &str)], value: f64, stamp: Option<Time>, page: Option<Time>) {
        let label = |name: &str| labels.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        // A kubelet's own page has neither label, but for the metric that says its node's name.
        let named = label("node").filter(|node| !node.is_empty() && sample != name::NODE_NAME);
        let target = label("instance").filter(|instance| !instance.is_empty()).or(named).unwrap_or_default();
        let key = (target.into(), page);
        if !self.current.contains_key(&key) {
            if self.current.len() >= MAX_SCRAPES {
                self.dropped += 1;
                return;
            }
            let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
            let node = Some(host).filter(|host| !host.is_empty()).map(Into::into);
            self.current.insert(key.clone(), Scrape { node, ..Scrape::default() });
        }
        if let Some(page) = self.current.get_mut(&key) {
            if let Some(named) = named {
                page.node = Some(named.into());
            }
            page.take(sample, label, value, stamp);
        }
    }

    /// Ends the current page.
    pub fn end(&mut self) {
        self.known.clear();
        self.types.clear();
        for page in std::mem::take(&mut self.current).into_values().filter(|page| !page.is_empty()) {
            if self.done.len() < MAX_SCRAPES { self.done.push(page) } else { self.dropped += 1 }
        }
    }
}
