//! Verdicts as text, as JUnit XML for CI systems, as Markdown for a step summary, as JSON.

use std::io::Write;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::number::format_bytes;
use super::{Cell, Grid, TextOptions, format_duration, json};
use crate::model::error::{Error, ErrorKind};
use crate::report::gate::{Outcome, Verdict, Verdicts};

/// The formats it has.
pub const FORMATS: &[&str] = &["text", "json", "junit", "markdown"];
/// Writes verdicts in a form: text, json, junit or markdown.
///
/// # Errors
/// When writing fails, or there is no such form.
pub fn write(verdicts: &Verdicts, form: &str, screen: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    match form {
        "text" => {
            for verdict in &verdicts.verdicts {
                let outcome = verdict.outcome.name();
                let colour = match verdict.outcome {
                    Outcome::Pass => "32",
                    Outcome::Fail => "31",
                    Outcome::Unknown => "33",
                };
                let shown =
                    if screen.colour { format!("\x1b[1;{colour}m{outcome}\x1b[0m") } else { outcome.to_owned() };
                writeln!(
                    out,
                    "{shown}{}  fails if {}",
                    " ".repeat(20_usize.saturating_sub(outcome.len())),
                    verdict.limit
                )?;
                writeln!(out, "  {}", why(verdict))?;
            }
            Ok(writeln!(out, "{}: {} pod starts", verdicts.worst().name(), verdicts.startups)?)
        }
        "markdown" => {
            let mut grid = Grid::new(&["verdict", "fails_if", "value", "at_least", "at_most", "starts"]);
            for verdict in &verdicts.verdicts {
                let figure =
                    |value: Option<f64>| value.map_or(Cell::None, |value| Cell::Text(figure(value, verdict.unit)));
                grid.row(vec![
                    Cell::Text(format!("{} {}", sign(verdict.outcome), verdict.outcome.name())),
                    Cell::Text(verdict.limit.clone()),
                    figure(verdict.value),
                    figure(verdict.low),
                    figure(verdict.high),
                    Cell::Count(verdict.count as u64),
                ]);
            }
            writeln!(out, "### {} podlag check: {}\n", sign(verdicts.worst()), verdicts.worst().name())?;
            grid.markdown(out)
        }
        "json" => json::pretty(out, verdicts),
        "junit" => {
            let mut suite = TestSuite::new("podlag check");
            for verdict in &verdicts.verdicts {
                suite.add_test_case(case(verdict));
            }
            let mut report = Junit::new("podlag");
            report.add_test_suite(suite);
            let text = report.to_string();
            let text =
                text.map_err(|error| Error::new(ErrorKind::Output, format!("cannot write JUnit XML: {error}")))?;
            Ok(out.write_all(text.as_bytes())?)
        }
        _ => Err(Error::new(ErrorKind::Setting, format!("check has no format {form:?}"))),
    }
}

fn case(verdict: &Verdict) -> TestCase {
    let status = match verdict.outcome {
        Outcome::Pass => TestCaseStatus::success(),
        Outcome::Fail => test_status(NonSuccessKind::Failure, verdict),
        Outcome::Unknown => test_status(NonSuccessKind::Error, verdict),
    };
    let mut case = TestCase::new(format!("fails if {}", verdict.limit), status);
    case.set_classname("podlag.check");
    case
}

fn test_status(kind: NonSuccessKind, verdict: &Verdict) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(verdict.outcome.name()).set_description(why(verdict));
    status
}

/// A mark that does not stand by colour alone.
fn sign(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "✓",
        Outcome::Fail => "✗",
        Outcome::Unknown => "?",
    }
}

fn figure(value: f64, unit: &str) -> String {
    match unit {
        _ if value.is_infinite() => "unbounded".into(),
        "s" => format_duration(value),
        // Limits are written to the tenth or hundredth of a percent.
        "share" => format!("{} %", (value * 1e4).round() / 100.0),
        "B" => format_bytes(value),
        _ => format!("{value}"),
    }
}

/// The figure, its interval and the limit, in a sentence.
fn why(verdict: &Verdict) -> String {
    let read = |value: f64| figure(value, verdict.unit);
    let starts = if verdict.count == 1 { "1 start".into() } else { format!("{} starts", verdict.count) };
    let starts = match verdict.never_ran {
        0 => starts,
        never => format!("{starts}, {never} of them never ran"),
    };
    let open = if verdict.open > 0 { format!(", {} more still starting", verdict.open) } else { String::new() };
    let Some(value) = verdict.value else { return format!("no start has a value ({starts}{open})") };
    let interval = match (verdict.low, verdict.high) {
        (Some(low), Some(high)) if low == high => {
            return format!("{} of {starts}{open}{}", read(value), bound(verdict));
        }
        (Some(low), Some(high)) => format!("{} to {}", read(low), read(high)),
        (Some(low), None) => format!("at least {}, no upper bound", read(low)),
        (None, Some(high)) => format!("at most {}, no lower bound", read(high)),
        (None, None) => "no bounds".into(),
    };
    format!("{} (95 %: {interval}) of {starts}{open}{}", read(value), bound(verdict))
}

/// What the figure is compared with.
fn bound(verdict: &Verdict) -> String {
    let read = |value: f64| figure(value, verdict.unit);
    let baseline = verdict.baseline.map_or(String::new(), |baseline| format!(" (baseline {})", read(baseline)));
    verdict.bound.map_or(String::new(), |bound| format!("; limit {}{baseline}", read(bound)))
}
