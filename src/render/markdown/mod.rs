//! The report for a ticket: Markdown as GitHub, GitLab and Jira read it. It is bounded, for a comment holds 65,536 characters.
//!
//! What a log wrote is set in code spans: in them nothing is markup, a mention, a reference or a link.

mod metrics;
mod span;

use std::io::Write;

use super::grid::markdown as words;
use super::sentences::{UNUSED, covered, plural, slo_did_not_come_up, slo_p99, startups, unused_lines, unused_sources};
use super::text::{named_once, others};
use super::{
    TextOptions, cause_parts, estimate, file_names, format_at_least, format_count, format_duration, format_percent,
};
use crate::causes;
use crate::model::error::Error;
use crate::model::phase::Phase;
use crate::model::startup::State;
use crate::report::Report;
use crate::table::{CauseLine, Example, Incidents, Quantiles, Summary};
use span::{cell, line, name, said};

/// How many causes, parts of one, slowest startups and errors of inputs are shown.
const CAUSES: usize = 6;
const PARTS: usize = 3;
/// How many pods that did not come up, or were restarted, are named.
const INCIDENTS: usize = 5;
const SLOWEST: usize = 10;
const ERRORS: usize = 10;

/// Writes a report as Markdown.
///
/// # Errors
/// When writing fails.
pub(super) fn write(report: &Report, _: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    let summary = &report.summary;
    if summary.startups > 0 {
        head(summary, out)?;
        phases(summary, out)?;
        causes(report, out)?;
        slowest(summary, out)?;
    } else if report.is_empty() {
        writeln!(out, "## podlag: no pod startups found\n")?;
    }
    if let Some(metrics) = &report.metrics {
        metrics::write(metrics, &summary.known(), summary.startups == 0, out)?;
    }
    not_checked(report, out)?;
    coverage(report, out)
}

/// The estimates that the user asked for, and what could not be checked.
fn not_checked(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let requested = estimate::requested(report);
    if !requested.is_empty() {
        writeln!(out, "### What if\n")?;
        requested.into_iter().try_for_each(|what_if| writeln!(out, "- {}", self::line(&estimate::line(what_if))))?;
        writeln!(out)?;
    }
    if !report.not_checked.is_empty() {
        writeln!(out, "### Not checked (add this input)\n")?;
        for blind in &report.not_checked {
            writeln!(out, "- {}: {}", blind.causes.join(", "), words(&blind.how_to_get.join(", or ")))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn table(heads: &[&str], out: &mut dyn Write) -> Result<(), Error> {
    // A title that begins with a blank is of a column of figures, which is aligned right.
    let cells: Vec<&str> = heads.iter().map(|head| head.trim()).collect();
    let rule: Vec<&str> = heads.iter().map(|head| if head.starts_with(' ') { "---:" } else { "---" }).collect();
    writeln!(out, "| {} |\n| {} |", cells.join(" | "), rule.join(" | "))?;
    Ok(())
}

fn head(summary: &Summary, out: &mut dyn Write) -> Result<(), Error> {
    let mut parts = startups(summary).into_iter().map(|part| said(&part));
    writeln!(out, "## podlag: {}\n", parts.next().unwrap_or_default())?;
    let rest: Vec<String> = parts.collect();
    if !rest.is_empty() {
        writeln!(out, "{}\n", rest.join(" · "))?;
    }
    let all = plural(summary.startups, "pod", "pods");
    incidents("Did not come up", &summary.did_not_come_up, &all, out)?;
    incidents("Containers restarted", &summary.restarted, &others(summary), out)?;
    let Quantiles { p50, p95, p99, max, count } = summary.running;
    if count > 0 {
        let [p50, p95, p99, max] = [p50, p95, p99, max].map(format_duration);
        let known = if (count as usize) < summary.startups { format!(" (known of {count})") } else { String::new() };
        writeln!(out, "Created → running{known}: p50 {p50}, p95 {p95}, p99 {p99}, max {max}.\n")?;
    }
    let Quantiles { p50, p95, p99, max, count } = summary.ready;
    if count > 0 {
        let [p50, p95, p99, max] = [p50, p95, p99, max].map(format_duration);
        let known = if count < summary.running.count { format!(" (known of {count})") } else { String::new() };
        writeln!(out, "Created → ready{known}: p50 {p50}, p95 {p95}, p99 {p99}, max {max}.\n")?;
    }
    if summary.slo.count > 0 {
        let verdict = if summary.slo_met() { "met" } else { "missed" };
        let (p99, within) = (slo_p99(summary), format_percent(summary.slo_within));
        let count = format!("{}{}", format_count(summary.slo_of() as usize), slo_did_not_come_up(summary));
        writeln!(
            out,
            "**SLO {verdict}**: p99 without pulls and init containers {p99} (limit: 5 s), {within} of {count} within the limit.\n"
        )?;
    }
    Ok(())
}

/// Pods that someone waits for now, with what keeps them.
fn incidents(kind: &str, found: &Incidents, all: &str, out: &mut dyn Write) -> Result<(), Error> {
    if found.count == 0 {
        return Ok(());
    }
    writeln!(out, "**{kind}: {} of {all}**\n", found.count)?;
    let (named, more) = named_once(found, INCIDENTS);
    for (pod, because) in named {
        writeln!(out, "- {}: {}", name(&pod), line(&because))?;
    }
    match more {
        0 => Ok(writeln!(out)?),
        more => Ok(writeln!(out, "- and {} more\n", format_count(more as usize))?),
    }
}

fn phases(summary: &Summary, out: &mut dyn Write) -> Result<(), Error> {
    if summary.phases.iter().all(|line| line.lost_s <= 0.0005) {
        return Ok(());
    }
    writeln!(out, "### Where the time went\n")?;
    table(&["phase", " time", " share", " p99 per start", " certain", "from → to"], out)?;
    for line in summary.phases.iter().filter(|line| line.lost_s > 0.0005) {
        let words = Phase::from_name(line.phase).map(Phase::words);
        let (label, meaning) = words.map_or((line.phase, ""), |words| (words.label, words.meaning));
        let (lost, p99) = (format_duration(line.lost_s), format_duration(line.p99_s));
        let certain = match line.certain_share {
            share if share >= 0.995 => format_percent(share),
            share => format_at_least(share),
        };
        let in_total = Phase::from_name(line.phase).is_none_or(Phase::is_in_total);
        let part = if in_total { format_percent(line.share) } else { "–".into() };
        writeln!(out, "| {label} | {lost} | {part} | {p99} | {certain} | {meaning} |")?;
    }
    Ok(writeln!(out)?)
}

fn causes(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let summary = &report.summary;
    if summary.causes.is_empty() {
        return Ok(writeln!(out, "No cause exceeded its threshold.\n")?);
    }
    writeln!(out, "### Causes, by likely time lost (a pod can have several)\n")?;
    let known = summary.causes.iter().take(CAUSES).filter_map(|line| Some((line, causes::named(&line.cause)?)));
    let known: Vec<(&CauseLine, &causes::Cause)> = known.collect();
    table(&["cause", " time lost", " pods", " nodes", "change", "trade-off"], out)?;
    for (line, cause) in &known {
        let lost = estimate::time_lost(line);
        let (pods, nodes) = (format_count(line.pods as usize), format_count(line.nodes as usize));
        let advised = &line.advised;
        let (id, set) = (cause.id, words(&advised.set));
        let side_effect = advised.side_effect.as_deref().map_or(String::from("–"), words);
        writeln!(out, "| **{id}** | {lost} | {pods} | {nodes} | {set} | {side_effect} |")?;
    }
    writeln!(out)?;
    for (line, cause) in &known {
        writeln!(out, "- **{}**: {}", cause.id, words(cause.title))?;
        for part in cause_parts::of(line).iter().take(PARTS) {
            writeln!(out, "  {}", self::line(part))?;
        }
        if let Some(what_if) = estimate::of_cause(report, cause.id) {
            writeln!(out, "  Estimate: {}", self::line(&what_if))?;
        }
        if !line.advised.yaml.is_empty() {
            let yaml: Vec<String> = line.advised.yaml.iter().map(|line| name(line)).collect();
            writeln!(out, "  Add to the kubelet configuration: {}", yaml.join(", "))?;
        }
        line.example.as_ref().map_or(Ok(()), |found| example(found, &report.coverage.sources, out))?;
    }
    let rest: Vec<String> = summary.causes.iter().skip(CAUSES).map(|line| name(&line.cause)).collect();
    if !rest.is_empty() {
        writeln!(out, "- and {}", rest.join(", "))?;
    }
    Ok(writeln!(out)?)
}

/// The startup that a cause cost the most, and the line that shows it.
fn example(example: &Example, inputs: &[String], out: &mut dyn Write) -> Result<(), Error> {
    let lost = example.cause_s.map_or(String::new(), |lost| format!(" {}", format_duration(lost)));
    let about = example.waited_for.as_deref().map_or(String::new(), |about| format!(", {}", name(about)));
    write!(out, "  Example: {}{lost}{about}", name(&example.pod))?;
    if let Some(place) = &example.evidence {
        let file = file_names::unique(&place.source, inputs);
        write!(out, ". Evidence: {} {}", name(&format!("{file}:{}", place.line)), self::line(&example.text))?;
    }
    Ok(writeln!(out)?)
}

fn slowest(summary: &Summary, out: &mut dyn Write) -> Result<(), Error> {
    writeln!(out, "### Slowest startups\n")?;
    table(&["pod", "node", " took", "state", "top cause", " lost", "waited for"], out)?;
    for slow in summary.slowest.iter().take(SLOWEST) {
        let known = |name: Option<&str>| name.map_or("–".into(), cell);
        let (pod, node) = (cell(&slow.pod), known(slow.node.as_deref()));
        let seconds = |seconds: Option<f64>| seconds.map_or("–".into(), format_duration);
        let state = match (slow.ran, slow.state) {
            (false, State::Running) => "running (start time unknown)",
            (_, state) => state.words(),
        };
        let (cause, about) = (known(slow.cause.as_deref()), known(slow.waited_for.as_deref()));
        let (took, lost) = (seconds(slow.seconds), seconds(slow.cause_s));
        writeln!(out, "| {pod} | {node} | {took} | {state} | {cause} | {lost} | {about} |")?;
    }
    Ok(writeln!(out)?)
}

fn coverage(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let c = &report.coverage;
    if !report.summary.anomalies.is_empty() {
        writeln!(out, "### Anomalies\n")?;
        for (anomaly, count) in &report.summary.anomalies {
            writeln!(out, "- {count} × **{}**: {}", anomaly.name(), words(anomaly.meaning()))?;
        }
        writeln!(out)?;
    }
    let parts: Vec<String> = covered(c).iter().map(|part| said(part)).collect();
    writeln!(out, "{}", parts.join(" · "))?;
    let unused = unused_lines(c);
    if !unused.is_empty() {
        writeln!(out)?;
        unused.iter().try_for_each(|lines| writeln!(out, "- {}", line(lines)))?;
    }
    if let Some(unused) = unused_sources(c, UNUSED) {
        writeln!(out, "\n- {}", line(&unused))?;
    }
    if !c.source_errors.is_empty() {
        writeln!(out, "\nRemarks on inputs:\n")?;
        for error in c.source_errors.iter().take(ERRORS) {
            writeln!(out, "- {}", line(error))?;
        }
        if let Some(more) = c.source_errors.len().checked_sub(ERRORS).filter(|more| *more > 0) {
            writeln!(out, "- and {} more", format_count(more))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
