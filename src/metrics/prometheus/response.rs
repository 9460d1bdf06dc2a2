//! What the HTTP API answers, in JSON (<https://prometheus.io/docs/prometheus/latest/querying/api/>).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::metrics::histogram::Histogram;
use crate::web::{Body, HttpError, HttpErrorKind};

/// Labels of a series, `__name__` among them where the server kept it.
pub type Labels = BTreeMap<String, String>;

#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    // Servers in Go write an empty list as null.
    #[serde(rename = "errorType")]
    kind: Option<String>,
    error: Option<String>,
    warnings: Option<Vec<String>>,
}

/// The data of a query.
#[derive(Default, Deserialize)]
pub struct Matrix {
    /// The series.
    #[serde(default, deserialize_with = "or_none")]
    pub result: Vec<Series>,
}

/// Null is nothing.
fn or_none<'de, T: Default + Deserialize<'de>, D: serde::Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A number: a string, as the API has it, or a number, as some servers do.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Plain(f64),
}

impl Number {
    fn read(&self) -> Option<f64> {
        match self {
            Number::Text(text) => text.parse().ok(),
            Number::Plain(number) => Some(*number),
        }
    }
}

/// A series with its values: one of an instant query, many of a range.
#[derive(Deserialize)]
pub struct Series {
    /// Its labels.
    #[serde(default, deserialize_with = "or_none")]
    pub metric: Labels,
    value: Option<(f64, Number)>,
    #[serde(default, deserialize_with = "or_none")]
    values: Vec<(f64, Number)>,
    histogram: Option<(f64, Native)>,
    #[serde(default, deserialize_with = "or_none")]
    histograms: Vec<(f64, Native)>,
}

/// A native histogram: each bucket with how its ends belong to it, its ends, and its count.
#[derive(Deserialize)]
struct Native {
    count: Number,
    sum: Number,
    #[serde(default, deserialize_with = "or_none")]
    buckets: Vec<(i64, Number, Number, Number)>,
}

impl Series {
    /// Its numbers, with the seconds they are of.
    pub fn numbers(&self) -> impl Iterator<Item = (f64, f64)> {
        let number = |(at, number): &(f64, Number)| number.read().map(|number| (*at, number));
        self.value.iter().chain(&self.values).filter_map(number)
    }

    /// Its native histograms.
    pub fn histograms(&self) -> impl Iterator<Item = (f64, Histogram)> {
        let histogram = |(at, native): &(f64, Native)| native.read().map(|histogram| (*at, histogram));
        self.histogram.iter().chain(&self.histograms).filter_map(histogram)
    }
}

impl Native {
    fn read(&self) -> Option<Histogram> {
        let bucket =
            |(_, low, high, count): &(i64, Number, Number, Number)| Some((low.read()?, high.read()?, count.read()?));
        let buckets: Vec<(f64, f64, f64)> = self.buckets.iter().map(bucket).collect::<Option<_>>()?;
        Some(Histogram::native(buckets, self.sum.read()?, self.count.read()?))
    }
}

/// Reads an answer. Warnings (of a Thanos that lacks a store, say) come beside the data.
///
/// # Errors
/// When it is no answer of the API, or the API's own error.
pub fn read<T: Default + for<'de> Deserialize<'de>>(body: &Body) -> Result<(T, Vec<String>), HttpError> {
    let url = body.url.as_str();
    let envelope: Envelope<T> = serde_json::from_slice(&body.bytes).map_err(|broken| {
        let html = body.bytes.trim_ascii_start().starts_with(b"<");
        let message = match () {
            () if html => "the response is a web page, not the API's JSON".to_owned(),
            () if broken.is_eof() => "the response ends in the middle of the JSON".to_owned(),
            () => format!("the response is not the API's JSON ({broken})"),
        };
        HttpError::new(
            HttpErrorKind::Truncated,
            url,
            message,
            "Check the URL: a login page, a proxy or another service may respond there.",
        )
    })?;
    if envelope.status == "success" {
        return Ok((envelope.data.unwrap_or_default(), envelope.warnings.unwrap_or_default()));
    }
    Err(failed(url, &envelope.kind.unwrap_or_default(), &envelope.error.unwrap_or_default()))
}

fn failed(url: &str, kind: &str, error: &str) -> HttpError {
    let help = match kind {
        "timeout" => "Use a shorter --window, fewer nodes (--selector), or a longer --timeout.",
        "execution" | "unavailable" => "The server could not run the query (its limits or its stores); see its log.",
        "bad_data" => "Check --selector and --node-label.",
        _ => "",
    };
    HttpError::new(HttpErrorKind::Status(422), url, format!("the query failed ({kind}): {error}"), help)
}

/// The API's own error in an answer that was refused, if it is one.
#[must_use]
pub fn refused(error: &HttpError) -> Option<HttpError> {
    let envelope: Envelope<serde::de::IgnoredAny> = serde_json::from_str(&error.body).ok()?;
    (envelope.status == "error")
        .then(|| failed(&error.url, &envelope.kind.unwrap_or_default(), &envelope.error.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Body {
        Body { bytes: text.into(), content_type: None, url: "http://x/api".into(), status: 200 }
    }

    #[test]
    fn numbers_and_native_histograms_are_read() {
        let text = r#"{"status":"success","warnings":["a store is gone"],"data":{"resultType":"matrix","result":[
            {"metric":{"node":"a"},"values":[[1.5,"2"],[2.5,"+Inf"]]},
            {"metric":{},"histogram":[3,{"count":"4","sum":"12.5","buckets":[[0,"1","2","3"],[3,"-0.5","0.5","1"]]}]}]}}"#;
        let (matrix, warnings) = read::<Matrix>(&body(text)).unwrap();
        assert_eq!(warnings, ["a store is gone"]);
        assert_eq!(matrix.result[0].numbers().collect::<Vec<_>>(), [(1.5, 2.0), (2.5, f64::INFINITY)]);
        let (at, histogram) = matrix.result[1].histograms().next().unwrap();
        assert_eq!((at, histogram.count, histogram.sum, histogram.count_le(1.0)), (3.0, 4.0, 12.5, (1.0, 1.0)));
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let result = |text: &str| read::<Matrix>(&body(text)).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(result("<html>").contains("a web page"), "{}", result("<html>"));
        assert!(result(r#"{"status":"succ"#).contains("ends in the middle"));
        assert!(result("[]").contains("not the API's JSON"));
        let error = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
        assert!(result(error).contains("(timeout): query timed out. Use a shorter --window"), "{}", result(error));
        let colours = r#"{"status":"error","errorType":"bad_data","error":"\u001b[31mno\n"}"#;
        assert!(!result(colours).contains(char::is_control), "{:?}", result(colours));
    }
}
