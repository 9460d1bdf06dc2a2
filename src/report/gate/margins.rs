//! How far a figure's interval lies from its limit, and the outcome that follows.

use super::expression::{Comparison, Function};
use super::{CONFIDENCE, Outcome, Sample, Values};
use crate::report::stat::{self, Interval};

/// How far the ends of an interval lie above a bound; unbounded ends as far as can be.
pub(super) fn interval_margins(interval: Interval, bound: f64) -> Option<(f64, f64)> {
    let far = |end: Option<f64>, unbounded: f64| end.map_or(unbounded, |end| end - bound);
    Some((far(interval.low, f64::NEG_INFINITY), far(interval.high, f64::INFINITY)))
}

/// The same against a baseline, which is a sample too: of quantiles the bootstrap gives the difference; of other figures the
/// farthest ends of both intervals do, which is more careful than need be.
pub(super) fn baseline_margins(
    function: Function,
    now: &Sample,
    interval: Interval,
    before: &Sample,
    known: Interval,
    factor: f64,
    plus: f64,
) -> Option<(f64, f64)> {
    if let (Values::Of(now), Values::Of(before), Function::Quantile(q), 0) =
        (&now.values, &before.values, function, now.open + before.open + now.did_not_come_up + before.did_not_come_up)
    {
        let scaled: Vec<f64> = before.iter().map(|value| value * factor).collect();
        let change = stat::quantile_change(&scaled, now, q, CONFIDENCE)?;
        return Some((
            change.low.map_or(f64::NEG_INFINITY, |low| low - plus),
            change.high.map_or(f64::INFINITY, |high| high - plus),
        ));
    }
    let low = interval.low.zip(known.high).map_or(f64::NEG_INFINITY, |(now, before)| now - before * factor - plus);
    let high = interval.high.zip(known.low).map_or(f64::INFINITY, |(now, before)| now - before * factor - plus);
    Some((low, high))
}

/// Fails when the limit is broken wherever in its interval the figure lies, passes when it is broken nowhere.
pub(super) fn outcome(
    comparison: Comparison,
    value: Option<f64>,
    bound: Option<f64>,
    side: Option<(f64, f64)>,
) -> Outcome {
    let (Some(value), Some(bound), Some((low, high))) = (value, bound, side) else { return Outcome::Unknown };
    if [value, bound, low, high].iter().any(|number| number.is_nan()) {
        return Outcome::Unknown;
    }
    let broken = |distance: f64| comparison.holds(distance, 0.0);
    let inside = low <= 0.0 && high >= 0.0;
    match comparison {
        // Equality is a question about one point: an interval around it can neither prove nor exclude it.
        Comparison::Equal | Comparison::Unequal if low < high && inside => Outcome::Unknown,
        Comparison::Equal | Comparison::Unequal => {
            if comparison.holds(value, bound) {
                Outcome::Fail
            } else {
                Outcome::Pass
            }
        }
        _ => match (broken(low), broken(high)) {
            (true, true) => Outcome::Fail,
            (false, false) => Outcome::Pass,
            _ => Outcome::Unknown,
        },
    }
}
