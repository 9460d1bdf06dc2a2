//! The one definition of a quantile: the smallest value that at least a share of the values do not exceed.

/// Index of the `q`-quantile among `count` sorted values: the smallest value that at least a share `q` of the values
/// do not exceed (the inverse of the empirical distribution; "nearest rank", type 1 of Hyndman and Fan, 1996).
/// It is always below `count`, except that it is 0 for a `count` of 0.
pub fn rank(count: usize, q: f64) -> usize {
    let exact = count as f64 * q;
    let nearest = exact.round();
    // 100 * 0.07 is a hair above 7 in binary; a share written in decimal must not be rounded up for that.
    let least = if (exact - nearest).abs() <= nearest * 4.0 * f64::EPSILON { nearest } else { exact.ceil() };
    (least as usize).clamp(1, count.max(1)) - 1
}

/// The `q`-quantile of a sorted sample as [`rank`] defines it, hence always a value that was observed; `None` of none.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    sorted.get(rank(sorted.len(), q)).copied()
}

/// The same of values in any order, which it changes; cheaper than sorting them for a few quantiles.
pub fn select_quantile(values: &mut [f64], q: f64) -> Option<f64> {
    let rank = rank(values.len(), q);
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(rank, f64::total_cmp).1)
}
