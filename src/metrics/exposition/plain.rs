//! Sample lines by way of the crate `prometheus-parse`.
//!
//! Its `LineInfo::parse` is a regular expression: `\w+`, then anything up to the first `}`, then two words. On real
//! pages it ends the labels at a `}` inside a value (`path="/{id}"`), does not know names with `:` or in quotes, blanks
//! before the braces, or empty ones, and does not mind what follows the second word; the labels it leaves as text, and
//! the splitting of them that the crate has for itself knows no commas, `=` or escapes in values. So names and labels
//! are read by `scan` and put aside, and the crate is handed a line that says the same in words it cannot mistake:
//!
//! ```text
//! http:rate{path="/{id}",le="+Inf"} 5 1700000000000 # {trace_id="a"} 0.5
//! _{path="0",le="1"} 5 1700000000000
//! ```

use std::fmt::Write;

use prometheus_parse::LineInfo;

use super::number;
use super::scan::{Series, is_plain_name};

/// Stands for a name that the crate would not read.
const STAND_IN: &str = "_";

fn known(name: &str) -> &str {
    if is_plain_name(name) { name } else { STAND_IN }
}

/// The line for the crate, in room that is used again.
#[derive(Default)]
pub(super) struct Plain {
    line: String,
}

impl Plain {
    /// A sample's value and time.
    pub(super) fn read(&mut self, series: &Series<'_>) -> Result<(f64, Option<i64>), &'static str> {
        let (name, labels) = self.write(series);
        match LineInfo::parse(&self.line) {
            LineInfo::Sample { metric_name, labels: read, value, timestamp }
                // Then what was put aside belongs to the numbers that came back.
                if self.line.get(..name) == Some(metric_name) && self.line.get(name + 1..labels) == read =>
            {
                let value = number::value(value).ok_or("invalid value")?;
                let at = timestamp.map(|text| number::time(text).ok_or("invalid timestamp")).transpose()?;
                Ok((value, at))
            }
            _ => Err("rejected by prometheus-parse"),
        }
    }

    /// Returns where the name and the labels end.
    fn write(&mut self, series: &Series<'_>) -> (usize, usize) {
        self.line.clear();
        self.line.push_str(known(&series.name));
        let name = self.line.len();
        for (index, (key, _)) in series.labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            // Writing to a string cannot fail.
            let _ = write!(self.line, "{before}{}=\"{index}\"", known(key));
        }
        // Without labels there are no braces, and from behind the opening one up to here is no text: as the crate has it.
        let labels = if series.labels.is_empty() { name } else { self.line.len() };
        if labels > name {
            self.line.push('}');
        }
        self.line.push(' ');
        self.line.push_str(series.numbers);
        (name, labels)
    }
}
