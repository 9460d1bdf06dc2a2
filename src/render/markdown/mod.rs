//! The report for a ticket: Markdown as GitHub, GitLab and Jira read it. It is bounded, for a comment holds 65,536 characters.
//!
//! What a log wrote stands in code spans: in them nothing is markup, a mention, a reference or a link.

mod measured;
mod span;

use std::io::Write;

use super::grid::markdown as words;
use super::text::{covered, startups};
use super::{TextOptions, grouped, length, share};
use crate::breakdown::anomaly;
use crate::causes;
use crate::model::error::Error;
use crate::model::phase::Phase;
use crate::model::startup::State;
use crate::report::{Report, places};
use crate::table::{CauseLine, Example, Quantiles, Summary};
use span::{cell, line, name, said};

/// How many causes, slowest startups and troubles with inputs are shown.
const CAUSES: usize = 6;
const SLOWEST: usize = 10;
const TROUBLES: usize = 10;

/// Writes a report as Markdown.
///
/// # Errors
/// When writing fails.
pub(super) fn write(report: &Report, _: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    let summary = &report.summary;
    if summary.startups > 0 {
        head(summary, out)?;
        phases(summary, out)?;
        causes(summary, out)?;
        slowest(summary, out)?;
    } else if report.is_empty() {
        writeln!(out, "## podlag: no pod startups found\n")?;
    }
    if let Some(metrics) = &report.metrics {
        measured::write(metrics, &summary.known(), summary.startups == 0, out)?;
    }
    unjudged(report, out)?;
    coverage(report, out)
}

/// What the user asked to be replayed, and what could not be judged.
fn unjudged(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let asked: Vec<_> = report.what_if.iter().filter(|what_if| what_if.cause.is_none()).collect();
    if !asked.is_empty() {
        writeln!(out, "### What if\n")?;
        asked.iter().try_for_each(|what_if| writeln!(out, "- {}", self::line(&what_if.words())))?;
        writeln!(out)?;
    }
    if !report.unjudged.is_empty() {
        writeln!(out, "### Not judged, and what would show it\n")?;
        for blind in &report.unjudged {
            writeln!(out, "- {}: {}", blind.causes.join(", "), words(&blind.how_to_get.join(", or ")))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn table(heads: &[&str], out: &mut dyn Write) -> Result<(), Error> {
    // Figures stand to the right: a head that begins with a blank is one's.
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
    let Quantiles { p50, p95, p99, max, .. } = summary.running;
    if summary.running.count > 0 {
        let [p50, p95, p99, max] = [p50, p95, p99, max].map(length);
        writeln!(out, "Created → running: p50 {p50}, p95 {p95}, p99 {p99}, max {max}.\n")?;
    }
    if summary.slo.count > 0 {
        let verdict = if summary.slo.p99 <= 5.0 { "met" } else { "missed" };
        let (p99, within) = (length(summary.slo.p99), share(summary.slo_within));
        let count = grouped(summary.slo.count as usize);
        writeln!(
            out,
            "**SLO {verdict}**: p99 without pulls and init containers {p99} (bound: 5 s), {within} of {count} within it.\n"
        )?;
    }
    Ok(())
}

fn phases(summary: &Summary, out: &mut dyn Write) -> Result<(), Error> {
    if summary.phases.iter().all(|line| line.lost_s <= 0.0005) {
        return Ok(());
    }
    writeln!(out, "### Where the time went\n")?;
    table(&["phase", " time", " share", " p99 of a start", " certain", "from → to"], out)?;
    for line in summary.phases.iter().filter(|line| line.lost_s > 0.0005) {
        let words = Phase::from_name(line.phase).map(Phase::words);
        let (label, meaning) = words.map_or((line.phase, ""), |words| (words.label, words.meaning));
        let (lost, p99) = (length(line.lost_s), length(line.p99_s));
        let (part, certain) = (share(line.share), share(line.certain_share));
        writeln!(out, "| {label} | {lost} | {part} | {p99} | {certain} | {meaning} |")?;
    }
    Ok(writeln!(out)?)
}

fn causes(summary: &Summary, out: &mut dyn Write) -> Result<(), Error> {
    if summary.causes.is_empty() {
        return Ok(writeln!(out, "No start lost time above the limits of any cause.\n")?);
    }
    writeln!(out, "### Causes, by time lost\n")?;
    let known = summary.causes.iter().take(CAUSES).filter_map(|line| Some((line, causes::named(&line.cause)?)));
    let known: Vec<(&CauseLine, &causes::Cause)> = known.collect();
    table(&["cause", " time lost", " certain", " pods", " nodes", "what to set", "trade-off"], out)?;
    for (line, cause) in &known {
        let (lost, certain) = (length(line.lost_s), length(line.certain_s));
        let (pods, nodes) = (grouped(line.pods as usize), grouped(line.nodes as usize));
        let advised = &line.advised;
        let (id, set) = (cause.id, words(&advised.set));
        let side_effect = advised.side_effect.as_deref().map_or(String::from("–"), words);
        writeln!(out, "| **{id}** | {lost} | {certain} | {pods} | {nodes} | {set} | {side_effect} |")?;
    }
    writeln!(out)?;
    for (line, cause) in &known {
        writeln!(out, "- **{}**: {}", cause.id, words(cause.title))?;
        if let Some(what_if) = &line.what_if {
            writeln!(out, "  What if: {}", self::line(what_if))?;
        }
        if !line.advised.yaml.is_empty() {
            let yaml: Vec<String> = line.advised.yaml.iter().map(|line| name(line)).collect();
            writeln!(out, "  In the kubelet's configuration: {}", yaml.join(", "))?;
        }
        line.worst.as_ref().map_or(Ok(()), |worst| seen(worst, out))?;
    }
    let rest: Vec<String> = summary.causes.iter().skip(CAUSES).take(CAUSES).map(|line| name(&line.cause)).collect();
    if !rest.is_empty() {
        writeln!(out, "- and {}", rest.join(", "))?;
    }
    Ok(writeln!(out)?)
}

/// The startup a cause cost the most, and the line that shows it.
fn seen(worst: &Example, out: &mut dyn Write) -> Result<(), Error> {
    let lost = worst.cause_s.map_or(String::new(), |lost| format!(" {}", length(lost)));
    let about = worst.about.as_deref().map_or(String::new(), |about| format!(", {}", name(about)));
    write!(out, "  Worst: {}{lost}{about}", name(&worst.pod))?;
    if let Some(place) = &worst.evidence {
        let file = place.source.rsplit('/').next().unwrap_or(&place.source);
        write!(out, ". Seen in {}: {}", name(&format!("{file}:{}", place.line)), self::line(&worst.text))?;
    }
    Ok(writeln!(out)?)
}

fn slowest(summary: &Summary, out: &mut dyn Write) -> Result<(), Error> {
    writeln!(out, "### Slowest to run\n")?;
    table(&["pod", "node", " took", "state", "mostly", " lost", "about"], out)?;
    for slow in summary.slowest.iter().take(SLOWEST) {
        let known = |name: Option<&str>| name.map_or("–".into(), cell);
        let (pod, node) = (cell(&slow.pod), known(slow.node.as_deref()));
        let seconds = |seconds: Option<f64>| seconds.map_or("–".into(), length);
        let state = match (slow.ran, slow.state) {
            (false, State::Running) => "running, since when is not known",
            (_, state) => state.name(),
        };
        let (cause, about) = (known(slow.cause.as_deref()), known(slow.about.as_deref()));
        let (took, lost) = (seconds(slow.seconds), seconds(slow.cause_s));
        writeln!(out, "| {pod} | {node} | {took} | {state} | {cause} | {lost} | {about} |")?;
    }
    Ok(writeln!(out)?)
}

fn coverage(report: &Report, out: &mut dyn Write) -> Result<(), Error> {
    let c = &report.coverage;
    if !report.summary.anomalies.is_empty() {
        writeln!(out, "### Oddities\n")?;
        for (id, count) in &report.summary.anomalies {
            writeln!(out, "- {count} × **{id}**: {}", words(anomaly(id).unwrap_or_default()))?;
        }
        writeln!(out)?;
    }
    let parts: Vec<String> = covered(c).iter().map(|part| said(part)).collect();
    writeln!(out, "{}", parts.join(" · "))?;
    let places = places(&c.places);
    if !places.is_empty() {
        writeln!(out)?;
        places.iter().try_for_each(|places| writeln!(out, "- {}", line(places)))?;
    }
    if !c.source_troubles.is_empty() {
        writeln!(out, "\nNot read, or not to the end:\n")?;
        for trouble in c.source_troubles.iter().take(TROUBLES) {
            writeln!(out, "- {}", line(trouble))?;
        }
        if let Some(more) = c.source_troubles.len().checked_sub(TROUBLES).filter(|more| *more > 0) {
            writeln!(out, "- and {} more {}", grouped(more), if more == 1 { "input" } else { "inputs" })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
