//! Saved scrapes in the Prometheus text format and in OpenMetrics text, also several in one file, read sample by
//! sample. What a sample means, and which samples make a histogram, is for others to say.
//!
//! Wider than Prometheus' own parsers where a saved file is (CR LF, byte order mark, blanks at the end of a line, pages
//! behind `# EOF`, junk between lines), and as strict in what a number, a name or a label is: a line that Prometheus
//! would refuse for one of those is counted as bad, and never guessed at.
//!
//! A last line without its line end is never a sample: `12` may be the rest of `1234`, and no form of the format shows it.
//! The linter of Prometheus refuses such a page too, its scraper would take the line as it is.

mod detect;
mod lines;
mod number;
mod plain;
mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::{self, BufRead};

pub use detect::is_exposition;
use lines::Line;
use plain::Plain;
use scan::Series;

use crate::model::text::sanitize;

/// How many bad lines are kept to be shown, and how many characters of each.
const MAX_INVALID_SHOWN: usize = 5;
const MAX_LINE_SHOWN: usize = 80;

/// A label's name and its value, unescaped.
pub type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

/// One sample as exposed.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The metric's name, suffixes such as `_bucket` included.
    pub name: &'a str,
    /// In the order written, `le` and `quantile` included; no name occurs twice.
    pub labels: &'a [Label<'a>],
    /// Its value.
    pub value: f64,
    /// Nanoseconds since the epoch, when the line has a timestamp; scrapes of a kubelet have none, cAdvisor's have.
    pub at: Option<i64>,
    /// Its name is a label, as in a dump of a database (`promtool tsdb dump`), where the samples of one series follow each other.
    pub dumped: bool,
}

impl Sample<'_> {
    /// The value of a label.
    #[cfg(any(test, feature = "internals"))]
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }
}

/// A line that is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLine {
    /// Its number, from 1.
    pub number: u64,
    /// Its first 80 characters, fit for a terminal.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// What was read and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadStats {
    /// Bytes of the whole text.
    pub bytes: u64,
    /// Lines of every kind, a last one without its end included.
    pub lines: u64,
    /// Samples passed to the caller.
    pub samples: u64,
    /// Samples whose names are not wanted; their labels were not read.
    pub skipped: u64,
    /// Invalid lines.
    pub invalid: u64,
    /// The first five of them.
    pub invalid_lines: Vec<InvalidLine>,
    /// A `# EOF` was seen, which only OpenMetrics has.
    pub openmetrics: bool,
    /// The last line has no end and was not read, or pages that end with `# EOF` are followed by one that does not.
    /// A page of the Prometheus format that was cut between two lines shows nothing of it.
    pub truncated: bool,
}

/// What separates pages between samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary<'a> {
    /// The type of a family, which a page shows once.
    Type(&'a str),
    /// The end of a page of OpenMetrics.
    End,
}

/// Reads a text to its end and hands on each sample whose name is `wanted`, and what distinguishes pages. Only reading itself can fail.
///
/// # Errors
/// What `reader` fails with, other than an interruption.
pub fn read(
    reader: impl BufRead,
    mut wanted: impl FnMut(&str) -> bool,
    mut sink: impl FnMut(Result<&Sample<'_>, Boundary<'_>>),
) -> io::Result<ReadStats> {
    let mut reading = Reader::default();
    reading.stats.bytes = lines::each(reader, |line| reading.line(line, &mut wanted, &mut sink))?;
    reading.stats.truncated |= reading.stats.openmetrics && reading.open;
    Ok(reading.stats)
}

/// A text while it is read.
#[derive(Default)]
struct Reader {
    stats: ReadStats,
    /// A page goes on after the last `# EOF`.
    open: bool,
    labels: Vec<Label<'static>>,
    plain: Plain,
}

impl Reader {
    fn line(
        &mut self,
        line: Line<'_>,
        wanted: &mut impl FnMut(&str) -> bool,
        sink: &mut impl FnMut(Result<&Sample<'_>, Boundary<'_>>),
    ) {
        self.stats.lines += 1;
        let text = line.stripped();
        if line.too_long() {
            self.stats.truncated |= !line.ended;
            return self.invalid(text, "longer than 1 MiB");
        }
        match text.first() {
            None => {}
            Some(b'#') if text == b"# EOF" => {
                (self.stats.openmetrics, self.open) = (true, false);
                sink(Err(Boundary::End));
            }
            Some(_) if !line.ended => self.stats.truncated = true,
            Some(b'#') => {
                self.open = true;
                let rest = text.strip_prefix(b"# TYPE ").and_then(|rest| std::str::from_utf8(rest).ok());
                if let Some(family) = rest.and_then(|rest| rest.split_whitespace().next()) {
                    sink(Err(Boundary::Type(family)));
                }
            }
            Some(_) => match self.sample(text, wanted, sink) {
                Ok(()) => self.open = true,
                Err(reason) => self.invalid(text, reason),
            },
        }
    }

    fn sample(
        &mut self,
        text: &[u8],
        wanted: &mut impl FnMut(&str) -> bool,
        sink: &mut impl FnMut(Result<&Sample<'_>, Boundary<'_>>),
    ) -> Result<(), &'static str> {
        let (name, rest) = scan::name(text);
        if !name.is_empty() && !wanted(name) {
            scan::is_plausible(rest)?;
            self.stats.skipped += 1;
            return Ok(());
        }
        let text = std::str::from_utf8(text).map_err(|_| "not UTF-8")?;
        let series = Series::scan(text, reuse_memory(std::mem::take(&mut self.labels)))?;
        if name.is_empty() && !wanted(&series.name) {
            self.stats.skipped += 1;
        } else {
            let (value, at) = self.plain.read(&series)?;
            self.stats.samples += 1;
            let dumped = series.dumped;
            sink(Ok(&Sample { name: &series.name, labels: &series.labels, value, at, dumped }));
        }
        self.labels = reuse_memory(series.labels);
        Ok(())
    }

    fn invalid(&mut self, text: &[u8], reason: &'static str) {
        self.stats.invalid += 1;
        if self.stats.invalid_lines.len() < MAX_INVALID_SHOWN {
            // No character has more than four bytes.
            let text = String::from_utf8_lossy(text.get(..MAX_LINE_SHOWN * 4).unwrap_or(text));
            let text = sanitize(&text.chars().take(MAX_LINE_SHOWN).collect::<String>());
            self.stats.invalid_lines.push(InvalidLine { number: self.stats.lines, text, reason });
        }
    }
}

/// The same room for the labels of another line: collecting what came from a vector keeps its memory.
fn reuse_memory<'b>(mut labels: Vec<Label<'_>>) -> Vec<Label<'b>> {
    labels.clear();
    labels.into_iter().map_while(|_| None).collect()
}
