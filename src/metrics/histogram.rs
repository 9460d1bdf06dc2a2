//! Prometheus histograms, classic and native alike: how many values lie at or below a bound, for the bounds that are known.
//!
//! A histogram never shows values, only between which bounds they lie; so a quantile is an interval, and a share is exact
//! only at a bound. The point beside them is what Prometheus' `histogram_quantile` gives: a guess that values spread evenly.

use serde::{Deserialize, Serialize};

/// Counts at bounds. Mergeable, and subtractable from a later one of the same process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Histogram {
    /// Bounds with how many values do not exceed them; both ascend.
    points: Vec<(f64, f64)>,
    /// The sum of all values.
    pub sum: f64,
    /// How many values there are.
    pub count: f64,
}

/// Between what a figure lies, and the interpolated point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Bounds {
    /// It is at least this.
    pub low: f64,
    /// It is at most this; none above the last bound.
    pub high: Option<f64>,
    /// As `histogram_quantile` interpolates it; above the last bound, that bound.
    pub point: f64,
}

impl Histogram {
    /// A classic histogram of its `le` buckets in any order, each counting all values up to its bound. Where a page lacks the
    /// `+Inf` bucket or `_count`, the other is used in its place; a bucket below the one before it (a page that was written while values
    /// came in) is raised to it. Without either total the highest bucket is one.
    #[must_use]
    pub fn classic(buckets: impl IntoIterator<Item = (f64, f64)>, sum: f64, count: Option<f64>) -> Self {
        let mut points: Vec<(f64, f64)> =
            buckets.into_iter().filter(|(le, cum)| !le.is_nan() && !cum.is_nan()).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let infinite = points.iter().find(|(le, _)| *le == f64::INFINITY).map(|(_, count)| *count);
        points.retain(|(le, _)| le.is_finite());
        let highest = points.last().map_or(0.0, |(_, cum)| *cum);
        Histogram { points, sum, count: count.or(infinite).unwrap_or(highest) }.ascending()
    }

    /// A native histogram of its populated buckets, each with its bounds and its own count.
    #[must_use]
    pub fn native(buckets: impl IntoIterator<Item = (f64, f64, f64)>, sum: f64, count: f64) -> Self {
        let mut buckets: Vec<(f64, f64, f64)> = buckets.into_iter().collect();
        buckets.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (mut points, mut below) = (Vec::new(), 0.0);
        for (low, high, own) in buckets {
            for (bound, cum) in [(low, below), (high, below + own)] {
                if bound.is_finite() && points.last().is_none_or(|(last, _)| *last < bound) {
                    points.push((bound, cum));
                }
            }
            below += own;
        }
        Histogram { points, sum, count }.ascending()
    }

    fn ascending(mut self) -> Self {
        // An endless count has no shares; the largest number has.
        let most = |count: f64| if count == f64::INFINITY { f64::MAX } else { count };
        let mut least = 0.0_f64;
        for (_, cum) in &mut self.points {
            least = least.max(most(*cum));
            *cum = least;
        }
        self.count = most(self.count).max(least);
        self.points.dedup_by(|later, first| later.0 == first.0);
        self
    }

    /// The bounds with their counts.
    #[must_use]
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// Whether it holds no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count <= 0.0
    }

    /// The mean; none without values, and where their sum is 0: then no sum was exposed.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty() && self.sum != 0.0).then(|| self.sum / self.count)
    }

    /// How many values do not exceed a bound: between these two, which are equal at a known bound and where nothing lies
    /// between the bounds around it.
    #[must_use]
    pub fn count_le(&self, bound: f64) -> (f64, f64) {
        let after = self.points.partition_point(|(known, _)| *known <= bound);
        let low = after.checked_sub(1).and_then(|at| self.points.get(at));
        let below = low.map_or(0.0, |(_, cum)| *cum);
        if low.is_some_and(|(known, _)| *known == bound) {
            return (below, below);
        }
        (below, self.points.get(after).map_or(self.count, |(_, cum)| *cum))
    }

    /// The share of values that do not exceed a bound, 0 to 1; none without values.
    #[must_use]
    pub fn share_le(&self, bound: f64) -> Option<(f64, f64)> {
        let (low, high) = self.count_le(bound);
        (!self.is_empty()).then(|| (low / self.count, high / self.count))
    }

    /// Between what the `q` quantile lies (0 to 1): the bounds of the bucket it falls in. None without values.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Bounds> {
        if self.is_empty() {
            return None;
        }
        // Counts that a server interpolated are no whole numbers: a rank within a billionth of a bucket's edge is on it.
        let rank = (q.clamp(0.0, 1.0) * self.count).max(f64::MIN_POSITIVE) * (1.0 - 1e-9);
        let at = self.points.partition_point(|(_, cum)| *cum < rank);
        let before = at.checked_sub(1).and_then(|at| self.points.get(at)).copied();
        let (low, below) = before.unwrap_or((0.0, 0.0));
        Some(match self.points.get(at) {
            None => Bounds { low, high: None, point: low },
            Some((high, cum)) => {
                let low = low.min(*high);
                let share = if *cum > below { (rank - below) / (cum - below) } else { 1.0 };
                // Bounds may lie further apart than the largest number.
                let width = high - low;
                let point = if width.is_finite() { low + width * share } else { low * (1.0 - share) + high * share };
                Bounds { low, high: Some(*high), point: point.min(*high) }
            }
        })
    }

    /// The same with another sum.
    #[must_use]
    pub fn with_sum(self, sum: f64) -> Self {
        Histogram { sum, ..self }
    }

    /// Values of both.
    #[must_use]
    pub fn plus(&self, other: &Histogram) -> Histogram {
        self.combine(other, 1.0)
    }

    /// The values that came after `earlier`, which is the same histogram at an earlier time.
    #[must_use]
    pub fn minus(&self, earlier: &Histogram) -> Histogram {
        self.combine(earlier, -1.0)
    }

    /// Only bounds at which both counts are known remain.
    fn combine(&self, other: &Histogram, factor: f64) -> Histogram {
        let (sum, count) = (self.sum + factor * other.sum, self.count + factor * other.count);
        let mut bounds: Vec<f64> = self.points.iter().chain(&other.points).map(|(bound, _)| *bound).collect();
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        let known = |bound: f64| {
            let ((mine, at_most), (theirs, their_most)) = (self.count_le(bound), other.count_le(bound));
            (mine == at_most && theirs == their_most).then_some((bound, mine + factor * theirs))
        };
        Histogram { points: bounds.into_iter().filter_map(known).collect(), sum, count }.ascending()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: [f64; 5] = [0.5, 1.0, 2.5, 5.0, 10.0];

    fn of(values: &[f64], bounds: &[f64]) -> Histogram {
        let at_most = |bound: f64| values.iter().filter(|value| **value <= bound).count() as f64;
        let all = bounds.iter().copied().chain([f64::INFINITY]);
        Histogram::classic(all.map(|bound| (bound, at_most(bound))), values.iter().sum(), None)
    }

    #[test]
    fn a_quantile_is_the_bucket_it_falls_in() {
        let histogram = of(&[0.2, 0.7, 0.8, 3.0, 4.0, 20.0], &BOUNDS);
        let between = |q: f64| histogram.quantile(q).map(|b| (b.low, b.high));
        assert_eq!(between(0.0), Some((0.0, Some(0.5))));
        assert_eq!(between(0.5), Some((0.5, Some(1.0))), "the third of six");
        assert_eq!(between(0.51), Some((2.5, Some(5.0))));
        assert_eq!(between(1.0), Some((10.0, None)));
        assert_eq!(histogram.share_le(5.0), Some((5.0 / 6.0, 5.0 / 6.0)));
        assert_eq!(histogram.share_le(3.5), Some((0.5, 5.0 / 6.0)));
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(histogram.mean(), Some(28.7 / 6.0));
    }

    #[test]
    fn what_a_page_lacks_or_tears_is_told_as_far_as_it_can_be() {
        let torn = Histogram::classic([(5.0, 3.0), (1.0, 4.0), (f64::INFINITY, 3.0)], 9.0, None);
        assert_eq!((torn.points(), torn.count), (&[(1.0, 4.0), (5.0, 4.0)][..], 4.0));
        let endless = Histogram::classic([(1.0, 2.0)], 9.0, Some(5.0));
        assert_eq!(endless.quantile(0.9).map(|b| (b.low, b.high)), Some((1.0, None)));
        assert_eq!(Histogram::classic([], 6.0, Some(2.0)).quantile(0.5).map(|b| (b.low, b.high)), Some((0.0, None)));
    }

    #[test]
    fn endless_counts_and_bounds_beyond_all_numbers_have_figures() {
        let endless = Histogram::native([(0.0, 1.0, f64::INFINITY), (1.0, 2.0, 3.0)], 9.0, f64::INFINITY);
        assert_eq!(endless.share_le(1.0), Some((1.0, 1.0)));
        assert_eq!(endless.minus(&endless).share_le(1.0), None);
        let wide = Histogram::native([(-1e308, 1e308, 2.0)], 0.0, 2.0).quantile(0.5).unwrap();
        assert!(wide.low <= wide.point && wide.point <= 1e308, "{wide:?}");
        assert_eq!(Histogram::native([(0.0, 1.0, f64::NAN)], 0.0, 2.0).count, 2.0);
    }

    #[test]
    fn native_buckets_know_the_gaps_between_them() {
        let native = Histogram::native([(1.0, 2.0, 3.0), (4.0, 8.0, 1.0)], 12.0, 4.0);
        assert_eq!(native.count_le(3.0), (3.0, 3.0), "nothing lies between 2 and 4");
        assert_eq!(native.count_le(5.0), (3.0, 4.0));
        assert_eq!(native.quantile(0.99).map(|b| (b.low, b.high)), Some((4.0, Some(8.0))));
        let earlier = Histogram::native([(1.0, 2.0, 2.0)], 3.0, 2.0);
        let since = native.minus(&earlier);
        assert_eq!((since.count, since.count_le(2.0), since.count_le(4.0)), (2.0, (1.0, 1.0), (1.0, 1.0)));
    }

    proptest! {
        #[test]
        fn merging_commutes_and_subtracting_undoes_it(
            a in proptest::collection::vec(0.0..30.0f64, 0..40), b in proptest::collection::vec(0.0..30.0f64, 0..40),
        ) {
            let (left, right) = (of(&a, &BOUNDS), of(&b, &BOUNDS[1..]));
            let (one, other) = (left.plus(&right), right.plus(&left));
            prop_assert_eq!(one.points(), other.points());
            prop_assert_eq!(one.count, (a.len() + b.len()) as f64);
            let back = one.minus(&right);
            for (bound, count) in back.points() {
                prop_assert_eq!(left.count_le(*bound), (*count, *count));
            }
        }

        #[test]
        fn the_true_quantile_lies_within(values in proptest::collection::vec(0.0..30.0f64, 1..60), q in 0.01..1.0f64) {
            let histogram = of(&values, &BOUNDS);
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let truth = sorted[((q * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1];
            let between = histogram.quantile(q).unwrap();
            prop_assert!(between.low <= truth && between.high.is_none_or(|high| truth <= high), "{truth} {between:?}");
            prop_assert!(between.low <= between.point && between.high.is_none_or(|high| between.point <= high));
        }
    }
}
