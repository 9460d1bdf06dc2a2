//! Pages of the captures as the tests read them: by lines, without podlag.

use std::path::Path;

use crate::support::text;

/// A page's samples: name and labels as written, and value.
pub type Samples = Vec<(String, f64)>;

/// Reads a page.
pub fn samples(path: &Path) -> Samples {
    let page = text(path);
    let lines = page.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').expect("a sample");
        (series.to_owned(), value.parse().expect("a number"))
    };
    lines.map(sample).collect()
}

/// The sum of all samples with a name, and a text among their labels.
pub fn sum(samples: &[(String, f64)], name: &str, label: &str) -> f64 {
    let mine = |(series, _): &&(String, f64)| series.split('{').next() == Some(name) && series.contains(label);
    samples.iter().filter(mine).map(|(_, value)| value).sum()
}

/// What a counter counted between two pages, or since the process' start if they are of two processes.
pub fn counted(before: &[(String, f64)], after: &[(String, f64)], name: &str, label: &str) -> f64 {
    let start = |samples| sum(samples, "process_start_time_seconds", "");
    let earlier = if start(before) == start(after) { sum(before, name, label) } else { 0.0 };
    sum(after, name, label) - earlier
}

/// Both pages of a capture.
pub fn pages(capture: &Path) -> (Samples, Samples) {
    (samples(&capture.join("metrics-before.txt.zst")), samples(&capture.join("metrics-after.txt.zst")))
}
