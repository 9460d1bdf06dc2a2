//! Verdicts as text, as JUnit XML for CI systems, as Markdown for a step summary, as JSON.

use std::io::Write;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::number::format_bytes;
use super::{Cell, Grid, TextOptions, format_duration, grid, json, wrap};
use crate::model::error::{Error, ErrorKind};
use crate::report::gate::{OnUnknown, Outcome, Verdict, Verdicts};

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
                wrap::words(out, screen.width, "  ", &why(verdict))?;
                wrap::words(out, screen.width, "  ", verdict.remark)?;
                // Expressions are copied: they stay on one line.
                wrap::parts(out, screen.width, "  ", &needs(verdict), " ")?;
            }
            Ok(writeln!(out, "{}", overall(verdicts))?)
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
            writeln!(out, "### {} podlag check: {}\n", sign(verdicts.worst()), overall(verdicts))?;
            grid.markdown(out)?;
            for verdict in &verdicts.verdicts {
                let mut told = needs(verdict).join(" ");
                if !verdict.remark.is_empty() {
                    told = [verdict.remark, &told].join(if told.is_empty() { "" } else { "; " });
                }
                if !told.is_empty() {
                    writeln!(out, "\n{}: {}", grid::markdown(&verdict.limit), grid::markdown(&told))?;
                }
            }
            Ok(())
        }
        "json" => json::pretty(out, verdicts),
        "junit" => {
            let mut suite = TestSuite::new("podlag check");
            for verdict in &verdicts.verdicts {
                suite.add_test_case(case(verdict, verdicts.on_unknown));
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

fn case(verdict: &Verdict, on_unknown: OnUnknown) -> TestCase {
    // CI systems show a test case as the exit code has it.
    let status = match (verdict.outcome, on_unknown) {
        (Outcome::Pass, _) => TestCaseStatus::success(),
        (Outcome::Fail, _) | (Outcome::Unknown, OnUnknown::Fail) => test_status(NonSuccessKind::Failure, verdict),
        (Outcome::Unknown, OnUnknown::Unknown) => test_status(NonSuccessKind::Error, verdict),
        (Outcome::Unknown, OnUnknown::Pass) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(verdict.outcome.name()).set_description(told(verdict));
            status
        }
    };
    let mut case = TestCase::new(format!("fails if {}", verdict.limit), status);
    case.set_classname("podlag.check");
    case
}

fn test_status(kind: NonSuccessKind, verdict: &Verdict) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(verdict.outcome.name()).set_description(told(verdict));
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

/// The verdict on all limits, and over what it was found.
fn overall(verdicts: &Verdicts) -> String {
    let worst = verdicts.worst();
    let counts = match (worst, verdicts.on_unknown) {
        (Outcome::Unknown, OnUnknown::Pass) => " (--on-unknown pass: the exit code is 0)",
        (Outcome::Unknown, OnUnknown::Fail) => " (--on-unknown fail: the exit code is 1)",
        _ => "",
    };
    let never = match verdicts.did_not_come_up {
        0 => String::new(),
        never => format!("; {never} of {} did not come up", verdicts.startups),
    };
    let starting = match verdicts.starting {
        0 => String::new(),
        starting => format!("; {starting} still starting"),
    };
    format!("{}{counts}: {}{never}{starting}", worst.name(), starts(verdicts.startups, "pod start"))
}

fn starts(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// What a limit that is not decided needs, and similar ones that are decided: parts of a sentence.
fn needs(verdict: &Verdict) -> Vec<String> {
    if verdict.outcome != Outcome::Unknown {
        return Vec::new();
    }
    let figure = verdict.limit.split('(').next().unwrap_or_default().trim();
    let figure = if figure == "share" { "the share" } else { figure };
    let is_few = |count: usize| verdict.starts_needed.is_some_and(|needed| count < needed);
    let given = verdict.count + verdict.open;
    let mut all = Vec::new();
    if let Some(needed) = verdict.starts_needed.filter(|_| is_few(given) || verdict.baseline_count.is_some_and(is_few))
    {
        let place = if verdict.baseline_count.is_some() { " here and in the baseline" } else { "" };
        all.push(format!("{figure} needs {needed} starts{place} to pass;"));
    }
    let word = |outcome: Outcome| match outcome {
        Outcome::Pass => "passes",
        Outcome::Fail => "fails",
        Outcome::Unknown => "is not decided",
    };
    for (at, other) in verdict.alternatives.iter().enumerate() {
        let lead = if at == 0 { "with these starts " } else { "" };
        all.push(format!("{lead}'{}' {},", other.limit, word(other.outcome)));
    }
    if let Some(last) = all.last_mut() {
        last.pop();
    }
    all
}

/// All there is to say of a verdict.
fn told(verdict: &Verdict) -> String {
    let parts = [why(verdict), verdict.remark.to_owned(), needs(verdict).join(" ")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The figure, its interval and the limit, in a sentence.
fn why(verdict: &Verdict) -> String {
    let read = |value: f64| figure(value, verdict.unit);
    let starts = match verdict.did_not_come_up {
        0 => starts(verdict.count, "start"),
        never => format!("{} ({never} of {} did not come up)", starts(verdict.count, "start"), verdict.count),
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
