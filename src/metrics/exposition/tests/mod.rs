mod detect;
mod external;
mod labels;
mod numbers;
mod page;
mod properties;
mod real;
mod writer;

use std::io::{self, BufRead};

use super::{ReadStats, Sample};

/// Only the samples.
fn read(
    reader: impl BufRead,
    wanted: impl FnMut(&str) -> bool,
    mut sink: impl FnMut(&Sample<'_>),
) -> io::Result<ReadStats> {
    super::read(reader, wanted, |met| {
        if let Ok(sample) = met {
            sink(sample);
        }
    })
}

/// A sample that outlives its line.
#[derive(Clone, Debug, PartialEq)]
struct Kept {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
    at: Option<i64>,
}

impl Kept {
    fn of(sample: &Sample<'_>) -> Self {
        let labels = sample.labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Self { name: sample.name.to_owned(), labels, value: sample.value, at: sample.at }
    }

    /// The same to the last bit, but for the bits of a NaN, which have no spelling.
    fn same(&self, other: &Self) -> bool {
        let value = self.value.to_bits() == other.value.to_bits() || (self.value.is_nan() && other.value.is_nan());
        value && (&self.name, &self.labels, self.at) == (&other.name, &other.labels, other.at)
    }
}

fn all(text: impl AsRef<[u8]>) -> (Vec<Kept>, ReadStats) {
    let mut kept = Vec::new();
    let seen = read(text.as_ref(), |_| true, |sample| kept.push(Kept::of(sample))).unwrap();
    (kept, seen)
}

/// The only line's sample.
fn one(line: &str) -> Kept {
    let (mut kept, seen) = all(format!("{line}\n"));
    assert_eq!((kept.len(), seen.invalid_lines), (1, vec![]), "{line}");
    kept.remove(0)
}

/// Why the only line is bad.
fn bad(line: &str) -> &'static str {
    let (kept, seen) = all(format!("{line}\n"));
    assert_eq!((kept, seen.invalid), (vec![], 1), "{line}");
    seen.invalid_lines[0].reason
}

fn kept(name: &str, labels: &[(&str, &str)], value: f64) -> Kept {
    let labels = labels.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Kept { name: name.to_owned(), labels, value, at: None }
}
