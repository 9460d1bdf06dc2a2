//! What servers of Prometheus' API answer.

use podlag::internals::metrics::Histogram;
use podlag::internals::metrics::prometheus::response::{Matrix, read};
use podlag::internals::web::Body;

/// Numbers that are likely to make trouble, as the API writes them.
const NUMBERS: [&str; 16] =
    ["0", "1", "2", "3.5", "-1", "-0.5", "1e-300", "0.1", "5", "10", "1e16", "1e308", "-1e308", "+Inf", "-Inf", "NaN"];

pub fn holds(data: &[u8]) {
    answered(data);
    answered(histograms(data).as_bytes());
}

/// An answer whose native histograms have a bucket for each two bytes, and end at a byte of 0.
fn histograms(data: &[u8]) -> String {
    let number = |byte: u8| NUMBERS[usize::from(byte % 16)];
    let histogram = |(at, bytes): (usize, &[u8])| {
        let bucket = |two: &[u8]| {
            let (low, high, own) = (number(two[0]), number(two[0] / 16), number(two[1]));
            format!("[0,\"{low}\",\"{high}\",\"{own}\"]")
        };
        let buckets: Vec<String> = bytes.chunks_exact(2).map(bucket).collect();
        let (sum, count) = bytes.first().map_or(("0", "0"), |byte| (number(byte / 16), number(*byte)));
        format!(r#"[{at},{{"count":"{count}","sum":"{sum}","buckets":[{}]}}]"#, buckets.join(","))
    };
    let all: Vec<String> = data.split(|byte| *byte == 0).take(8).enumerate().map(histogram).collect();
    format!(r#"{{"status":"success","data":{{"result":[{{"metric":{{}},"histograms":[{}]}}]}}}}"#, all.join(","))
}

fn answered(data: &[u8]) {
    let body = Body { bytes: data.to_vec(), content_type: None, url: "http://x/api/v1/query".into(), status: 200 };
    match read::<Matrix>(&body) {
        Ok((matrix, _)) => {
            let mut last: Option<Histogram> = None;
            for series in &matrix.result {
                series.numbers().for_each(drop);
                for (_, histogram) in series.histograms() {
                    sound(&histogram);
                    if let Some(last) = &last {
                        sound(&histogram.minus(last));
                        sound(&histogram.plus(last));
                    }
                    last = Some(histogram);
                }
            }
        }
        Err(trouble) => {
            super::assert_printable(&trouble.to_string());
            assert!(!trouble.message.is_empty() && !trouble.to_string().contains('\n'), "{trouble}");
        }
    }
}

/// Its bounds and counts ascend, and figures lie between their ends.
fn sound(histogram: &Histogram) {
    let points = histogram.points();
    assert!(points.iter().all(|(bound, count)| bound.is_finite() && !count.is_nan()), "{histogram:?}");
    assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{histogram:?}");
    for q in [0.0, 0.5, 0.99, 1.0] {
        if let Some(between) = histogram.quantile(q) {
            let high = between.high.unwrap_or(f64::INFINITY);
            let inside = between.low <= between.point && between.point <= high;
            assert!(inside, "{q}: {between:?} of {histogram:?}");
        }
    }
    for bound in [0.0, 1.0, 5.0] {
        if let Some((low, high)) = histogram.share_le(bound) {
            assert!(0.0 <= low && low <= high && high <= 1.0, "{bound}: {low} to {high} of {histogram:?}");
        }
    }
}
