//! Values and timestamps, as Prometheus reads them.

const SECOND: i64 = 1_000_000_000;
const MILLISECOND: i64 = 1_000_000;
/// Whole timestamps below this are seconds: as milliseconds it is March 1973, as seconds the year 5138.
const MILLISECONDS_FROM: u64 = 100_000_000_000;

/// A value. Rust's floats are spelled as Go's with three differences: Go has no signed NaN, says that a number is out
/// of range where Rust makes it infinite, and has hexadecimal floats and underscores, both of which Prometheus refuses.
pub(super) fn value(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let spelled = || !text.bytes().any(|byte| byte.is_ascii_digit());
    let same = if value.is_nan() { text.len() == 3 } else { value.is_finite() || spelled() };
    same.then_some(value)
}

/// A timestamp in nanoseconds since the epoch. Prometheus' format has whole milliseconds, OpenMetrics has seconds, and
/// what a page is can be known only at its end, by its `# EOF`. A point or an exponent shows that it is seconds; a
/// whole number shows by its size, for any time that a cluster has seen.
pub(super) fn time(text: &str) -> Option<i64> {
    if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return seconds(text);
    }
    let whole: i64 = text.parse().ok()?;
    whole.checked_mul(if whole.unsigned_abs() < MILLISECONDS_FROM { SECOND } else { MILLISECOND })
}

/// Decimal seconds to nanoseconds, what is smaller cut off. Not by way of a float: today's dates are
/// a quarter of a microsecond apart there.
fn seconds(text: &str) -> Option<i64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut digits: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
        digits = digits.checked_mul(10)?.checked_add(digit)?;
    }
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?.checked_add(9)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    let nanos = if shift < 0 { power.map_or(0, |power| digits / power) } else { digits.checked_mul(power?)? };
    let nanos = i64::try_from(if mantissa.starts_with('-') { -nanos } else { nanos }).ok()?;
    (!unsigned.is_empty() && unsigned != ".").then_some(nanos)
}
