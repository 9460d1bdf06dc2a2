//! Limits over metrics alone: histograms give the bounds that a figure lies between, and only of the kubelet's own values.

use super::{CONFIDENCE, Sample, Values};
use crate::metrics::{Histogram, MetricsReport, StartupStats, Window};
use crate::model::error::{Error, ErrorKind};
use crate::report::gate::expression::{Comparison, Expression, Function, Test, Value};
use crate::report::stat::{self, Interval};
use crate::table::filter;

/// A histogram, and how many of its values are broken: they stand in its first bucket and may be anything.
pub(super) struct Buckets {
    histogram: Histogram,
    overflowed: f64,
}

fn unknown(limit: &Expression) -> Error {
    Error::new(ErrorKind::Setting, format!("--fail-if {}: metrics do not have this value", limit.text)).help(
        "from metrics alone: quantiles of slo_s and total_s, share(slo_s > 5s), count(), each over all nodes or with node=GLOB; \
         everything else needs kubelet logs",
    )
}

impl Sample {
    /// What an expression's figure is of, by metrics.
    pub(super) fn measured(limit: &Expression, measured: &MetricsReport) -> Result<Self, Error> {
        let mut nodes = Vec::new();
        for test in &limit.filters {
            match (&test.value, test.column.name.as_str()) {
                (Value::Text(pattern), "node") => {
                    nodes.push((filter::glob(pattern)?, test.comparison == Comparison::Equal))
                }
                _ => return Err(unknown(limit)),
            }
        }
        let passes = |node: &str| nodes.iter().all(|(glob, equal)| glob.is_match(node) == *equal);
        let mut all = Window::default();
        measured.nodes.iter().filter(|node| passes(&node.window.node)).for_each(|node| all.merge(&node.window));
        let starts = StartupStats::from_window(&all).unwrap_or_default();
        let of = |column: &str| match column {
            "slo_s" | "slo_recorded_s" => starts
                .sli
                .clone()
                .map(|histogram| Buckets { histogram, overflowed: starts.overflowed })
                .ok_or_else(|| unknown(limit)),
            "total_s" => starts
                .total
                .clone()
                .map(|histogram| Buckets { histogram, overflowed: 0.0 })
                .ok_or_else(|| unknown(limit)),
            _ => Err(unknown(limit)),
        };
        match (&limit.function, &limit.column, &limit.condition) {
            (Function::Quantile(_), Some(column), _) => Ok(Sample::of_buckets(of(&column.name)?, None)),
            (Function::Share, _, Some(Test { column, comparison, value: Value::Number(bound) })) => {
                let inverse = match comparison {
                    Comparison::Less | Comparison::AtMost => false,
                    Comparison::Greater | Comparison::AtLeast => true,
                    Comparison::Equal | Comparison::Unequal => return Err(unknown(limit)),
                };
                Ok(Sample::of_buckets(of(&column.name)?, Some((*bound, inverse))))
            }
            (Function::Count, ..) => {
                let mine = measured.nodes.iter().filter(|node| passes(&node.window.node));
                let count = mine.map(|node| node.startups).sum::<f64>().round() as usize;
                Ok(Sample { values: Values::Count(count), count, did_not_come_up: 0, open: 0 })
            }
            _ => Err(unknown(limit)),
        }
    }

    fn of_buckets(buckets: Buckets, share: Option<(f64, bool)>) -> Self {
        let count = buckets.histogram.count.round() as usize;
        Sample { values: Values::Buckets(buckets, share), count, did_not_come_up: 0, open: 0 }
    }
}

impl Buckets {
    /// A quantile's point, and between what it lies: the bounds of the buckets that hold the two order statistics a sample
    /// of as many values would give.
    pub(super) fn quantile(&self, q: f64) -> (Option<f64>, Interval) {
        let count = self.histogram.count.round() as usize;
        let (below, above) = stat::rank_interval(count, q, CONFIDENCE);
        let at = |rank: usize| self.histogram.quantile((rank as f64 + 1.0) / self.histogram.count);
        let low = below.and_then(at).map(|between| between.low);
        // A broken value moves up to anywhere, and all others down by one.
        let high = above.map(|rank| rank + self.overflowed as usize).filter(|rank| *rank < count);
        let high = high.and_then(at).and_then(|between| between.high);
        let all = self.histogram.count;
        let sound = (self.overflowed + q * (all - self.overflowed)) / all;
        (self.histogram.quantile(sound).map(|between| between.point), Interval { low, high })
    }

    /// The share of values at or below a bound (`<` is taken as `<=`: a histogram cannot distinguish them), or above it.
    pub(super) fn share(&self, bound: f64, above: bool) -> (Option<f64>, Interval) {
        let count = self.histogram.count.round() as usize;
        if count == 0 {
            return (None, Interval { low: None, high: None });
        }
        let (low, high) = self.histogram.count_le(bound);
        let (few, many) = ((low - self.overflowed).max(0.0).round() as usize, high.round() as usize);
        let (low, high) =
            (stat::share_interval(few, count, CONFIDENCE).0, stat::share_interval(many, count, CONFIDENCE).1);
        let value = (few as f64 + many as f64) / 2.0 / count as f64;
        if above {
            (Some(1.0 - value), Interval { low: Some(1.0 - high), high: Some(1.0 - low) })
        } else {
            (Some(value), Interval { low: Some(low), high: Some(high) })
        }
    }
}
