//! A kubelet's log query (NodeLogQuery). The kubelet ends each answer after 30 seconds without saying so, and some versions take
//! `untilTime` for another time, so what came is checked by its own times: where it does not reach the end of what was asked for,
//! the rest is asked for, until journalctl says that there is no more.

use std::io::{self, BufReader, Write};
use std::ops::Range;

use chrono::{DateTime, SecondsFormat};

use super::Cluster;
use super::error::of_read;
use super::journal_line;
use super::node_log_file::{NodeLogFile, second_of};
use crate::model::text::sanitize;
use crate::model::time::{SECOND, Time};
use crate::web::{HttpError, HttpErrorKind};

/// How much time is asked for at once, in seconds, and how little where answers are cut.
const STEP: i64 = 600;
const MIN_STEP: i64 = 10;
/// How many answers in a row may bring nothing.
const MAX_FAILURES: u32 = 8;
/// What journalctl says where there is nothing; one that was ended says nothing.
const NOTHING: &[u8] = b"-- No entries --";
/// How much of a node's lines is kept, in bytes.
pub(super) const MAX_FILE: u64 = 4 << 30;
/// How much of a sentence is shown, in bytes.
const MAX_SENTENCE: usize = 200;

/// Why a kubelet answers no log query.
pub(super) enum Refusal {
    /// It does not know them, or they are off: it shows the folder instead, or nothing.
    Off,
    /// It has its log in files, of which queries know no times.
    InFiles,
    /// What it said instead.
    Said(String),
    /// Nothing was answered.
    Failed(HttpError),
}

/// A stretch of time whose lines did not all come, and why.
pub(super) struct Gap {
    pub(super) range: Range<Time>,
    pub(super) why: String,
}

/// What an answer held.
#[derive(Default)]
struct Answer {
    /// How many of its lines are of the time that was asked for, and the time of the last.
    lines: u64,
    last: Option<Time>,
    /// A line of the end or later came.
    is_over: bool,
    /// Its last line has no end.
    is_cut: bool,
    /// What it said that is no line.
    sentence: String,
    is_html: bool,
    /// Why no more of it came.
    failed: Option<HttpError>,
    /// It said that there is no line.
    is_nothing: bool,
}

impl Answer {
    /// Why not all lines came, as far as is known.
    fn why(&self) -> String {
        match &self.failed {
            Some(error) => super::error::message(error),
            None => "the kubelet ended its answer early".to_owned(),
        }
    }

    /// Whether it ended as an answer does that was not cut.
    fn is_complete(&self) -> bool {
        self.failed.is_none() && !self.is_cut
    }

    /// Whether asking for less, or once more, changes nothing.
    fn is_final(&self) -> bool {
        self.failed.as_ref().is_some_and(|error| {
            matches!(error.kind, HttpErrorKind::Status(_) | HttpErrorKind::Unreachable | HttpErrorKind::Cancelled)
        })
    }

    fn refusal(self) -> Option<Refusal> {
        if let Some(error) = self.failed {
            let is_off = matches!(error.kind, HttpErrorKind::Status(404 | 405));
            return is_off.then_some(Refusal::Off).or(Some(Refusal::Failed(error)));
        }
        match self.sentence.as_str() {
            _ if self.is_html => Some(Refusal::Off),
            "" => None,
            text if text.contains("resolved to log files") => Some(Refusal::InFiles),
            _ => Some(Refusal::Said(self.sentence)),
        }
    }
}

impl Cluster {
    /// Writes the lines of these services of a node to a file. Returns what of them did not come.
    pub(super) fn query_log(
        &self,
        node: &str,
        services: &[&str],
        range: &Range<Time>,
        file: &mut NodeLogFile,
    ) -> io::Result<Result<Vec<Gap>, Refusal>> {
        let gaps = self.query_windows((node, services), range, true, file)?;
        match gaps {
            // Not one line: its version may take `untilTime` for `sinceTime`.
            Ok(gaps) if gaps.is_empty() && file.is_empty() => self.query_windows((node, services), range, false, file),
            gaps => Ok(gaps),
        }
    }

    fn query_windows(
        &self,
        of: (&str, &[&str]),
        range: &Range<Time>,
        bounded: bool,
        file: &mut NodeLogFile,
    ) -> io::Result<Result<Vec<Gap>, Refusal>> {
        let (mut at, mut step, mut gaps) = (second_of(range.start), STEP, Vec::<Gap>::new());
        let mut failures = 0;
        // A second whose lines may not all have come, until it is known that none follow before this end.
        let mut checked: Option<Range<Time>> = None;
        while at < range.end {
            if file.len() > MAX_FILE {
                let why = format!("no more than {} GiB of a node are read", MAX_FILE >> 30);
                gaps.push(Gap { range: at..range.end, why });
                break;
            }
            let until = match &checked {
                Some(checked) => checked.end,
                None if bounded => Time(at.0.saturating_add(step * SECOND)).min(range.end),
                None => range.end,
            };
            let answer = self.query(of, &(at..until), bounded, file)?;
            let begins = file.is_empty() && gaps.is_empty();
            let last = answer.last.map(second_of);
            let mut gap = |range: Range<Time>, why| match gaps.last_mut() {
                Some(before) if before.range.end == range.start && before.why == why => before.range.end = range.end,
                _ => gaps.push(Gap { range, why }),
            };
            if answer.lines == 0 && (answer.is_html || !answer.sentence.is_empty() || answer.is_final()) {
                let why = if answer.sentence.is_empty() { answer.why() } else { answer.sentence.clone() };
                match answer.refusal() {
                    Some(refusal) if begins => return Ok(Err(refusal)),
                    _ => gap(at..range.end, why),
                }
                break;
            }
            if answer.lines > 0
                && let Some(before) = checked.take()
            {
                // Had the answer before not been cut within its only second, these lines would have been in it.
                gap(before.start..at, answer.why());
            }
            let reaches = answer.is_over || last.is_some_and(|last| last.0.saturating_add(SECOND) >= until.0);
            match last {
                _ if answer.is_complete() && (reaches || answer.is_nothing) => {
                    (at, step, checked, failures) = (until, (step * 2).min(STEP), None, 0);
                }
                // More may follow, and within its last second it may have been cut.
                Some(last) if last > at => {
                    file.take_back_second()?;
                    (at, failures) = (last, 0);
                }
                Some(_) if answer.is_complete() => {
                    checked = Some(at..until);
                    at = Time(at.0.saturating_add(SECOND));
                }
                _ => {
                    if answer.lines > 0 {
                        file.take_back_second()?;
                    }
                    checked = None;
                    failures += 1;
                    let is_final = answer.is_final() || failures >= MAX_FAILURES;
                    if bounded && step > MIN_STEP && !is_final {
                        step = (step / 2).max(MIN_STEP);
                    } else {
                        let missing = if is_final { range.end } else { until };
                        gap(at..missing, answer.why());
                        at = missing;
                    }
                }
            }
        }
        Ok(Ok(gaps))
    }

    /// One request.
    fn query(
        &self,
        (node, services): (&str, &[&str]),
        range: &Range<Time>,
        bounded: bool,
        file: &mut NodeLogFile,
    ) -> io::Result<Answer> {
        let [since, until] = [range.start, range.end].map(|time| {
            // The kubelet takes whole seconds.
            let time = Time(time.0.saturating_add(SECOND - 1));
            rfc3339(time)
        });
        let mut query: Vec<(&str, &str)> = services.iter().map(|service| ("query", *service)).collect();
        query.push(("sinceTime", &since));
        if bounded {
            query.push(("untilTime", &until));
        }
        let url = self.kubelet_url(node, "logs/");
        let mut answer = Answer::default();
        match self.client.open(&url, &query, false) {
            Ok(response) => {
                answer.is_html = response.content_type.as_ref().is_some_and(|kind| kind.starts_with("text/html"));
                if !answer.is_html {
                    take_lines(&mut BufReader::new(response), range, file, &mut answer)?;
                }
            }
            Err(error) => answer.failed = Some(error),
        }
        Ok(answer)
    }
}

/// The second of an instant, as in RFC 3339.
pub(super) fn rfc3339(time: Time) -> String {
    DateTime::from_timestamp_nanos(time.0).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Takes the lines of a stretch of time out of an answer.
fn take_lines(
    text: &mut impl io::BufRead,
    range: &Range<Time>,
    file: &mut NodeLogFile,
    answer: &mut Answer,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    // Of the line before: whether it is wanted, and whether it has an end.
    let (mut wanted, mut ended) = (false, true);
    loop {
        let line = match journal_line::next(text, &mut buffer) {
            Ok([]) => break,
            Ok(line) => line,
            Err(error) => {
                answer.failed = Some(of_read(error));
                break;
            }
        };
        let begins = std::mem::replace(&mut ended, line.ends_with(b"\n"));
        match journal_line::dated(line, range.start).filter(|_| begins) {
            Some((time, _)) if time >= range.end => {
                answer.is_over = true;
                return Ok(());
            }
            Some((time, rest)) => {
                wanted = time >= range.start;
                if wanted {
                    answer.lines += 1;
                    // Not the latest: lines of several services are not strictly in order.
                    answer.last = Some(time);
                    file.add(time, rest)?;
                }
            }
            // What a message holds of further lines is indented.
            None if !begins || line.starts_with(b" ") => {
                if wanted {
                    file.write_all(line)?;
                }
            }
            None if line.trim_ascii() == NOTHING => answer.is_nothing = true,
            None if line.starts_with(b"-- ") || line.trim_ascii().is_empty() => {}
            None => {
                answer.is_html |= line.starts_with(b"<");
                let text = sanitize(String::from_utf8_lossy(line).trim());
                if answer.sentence.is_empty() {
                    text.get(..text.floor_char_boundary(MAX_SENTENCE))
                        .unwrap_or_default()
                        .clone_into(&mut answer.sentence);
                }
            }
        }
    }
    answer.is_cut = !ended;
    Ok(())
}
