//! The metrics in a ticket: how many starts, the SLO, the parts of the mean start, the causes they show.

use std::io::Write;

use super::span::{cell, line, name, said};
use super::{table, words};
use crate::causes;
use crate::causes::setting::Settings;
use crate::metrics::{MetricsReport, NodeMetrics};
use crate::model::error::Error;
use crate::render::format_range;
use crate::render::sentences::plural;
use crate::render::text::metrics::{between, shares};
use crate::render::{format_duration, format_percent};

/// How many causes, nodes whose logs are compared, and remarks are shown.
const CAUSES: usize = 5;
const NODES: usize = 5;
const REMARKS: usize = 5;

pub(super) fn write(
    measured: &MetricsReport,
    settings: &Settings,
    alone: bool,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let fleet = &measured.fleet;
    let starts = plural(fleet.startups.round() as usize, "start", "starts");
    let nodes = plural(measured.nodes.len(), "node", "nodes");
    let title = if alone { "## podlag: " } else { "### Metrics: " };
    writeln!(out, "{title}{starts} recorded by the kubelets of {nodes}\n")?;
    slo(fleet, out)?;
    if fleet.startups > 0.0 {
        parts(fleet, out)?;
        proofs(measured, !alone && causes::metric_rules::logs_decide(measured), settings, out)?;
    }
    for node in measured.nodes.iter().take(NODES) {
        let Some(reconciled) = &node.reconciled else { continue };
        let agree = reconciled.figures.iter().filter(|figure| figure.agree).count();
        let (name, all) = (name(&node.window.node), reconciled.figures.len());
        writeln!(out, "Logs and metrics of {name}: {agree} of {all} figures agree.\n")?;
    }
    for remark in fleet.window.remarks.iter().take(REMARKS) {
        writeln!(out, "- {}", line(remark))?;
    }
    if fleet.window.remarks.is_empty() { Ok(()) } else { Ok(writeln!(out)?) }
}

fn slo(fleet: &NodeMetrics, out: &mut dyn Write) -> Result<(), Error> {
    let Some(slo) = fleet.slo_s.as_ref().filter(|slo| slo.count > 0.0) else { return Ok(()) };
    let verdict = match slo.within_5s {
        Some((low, _)) if low >= 0.99 => "met",
        Some((_, high)) if high < 0.99 => "missed",
        _ => "inconclusive",
    };
    let p99 = slo.p99_s.as_ref().map_or("unknown".into(), between);
    let within = slo.within_5s.map_or("an unknown share".into(), shares);
    Ok(writeln!(
        out,
        "**SLO by metrics {verdict}**: p99 of the kubelet's SLI {p99} (limit: 5 s), {within} of {:.0} within the limit. The metric also counts the watch delay, which no pod waits for.\n",
        slo.count
    )?)
}

fn parts(fleet: &NodeMetrics, out: &mut dyn Write) -> Result<(), Error> {
    let mean = fleet.mean_s.unwrap_or(0.0);
    table(&["part of the mean start", " mean", " share", " range"], out)?;
    for part in fleet.components.iter().filter(|part| part.mean_s.abs() > 0.0005) {
        let known =
            if part.high_s - part.low_s < 0.0005 { "exact".into() } else { format_range(part.low_s, part.high_s) };
        let percent = if mean > 0.0 { format_percent((part.mean_s / mean).max(0.0)) } else { "–".into() };
        writeln!(out, "| {} | {} | {percent} | {known} |", said(part.component.name()), format_duration(part.mean_s))?;
    }
    writeln!(out, "| total | {} | | |\n", format_duration(mean))?;
    Ok(())
}

fn proofs(measured: &MetricsReport, by_logs: bool, settings: &Settings, out: &mut dyn Write) -> Result<(), Error> {
    let proofs = causes::metric_rules::added(measured, by_logs);
    if proofs.is_empty() {
        let none =
            if by_logs { "The metrics add no cause to those of the logs." } else { "The metrics show no cause." };
        return Ok(writeln!(out, "{none}\n")?);
    }
    table(&["cause by the metrics", " mean time lost", "evidence", "change"], out)?;
    let known = proofs.into_iter().filter_map(|proof| Some((proof, causes::named(&proof.cause)?)));
    for (proof, cause) in known.take(CAUSES) {
        let lost =
            if proof.high_s <= 0.0 { "unknown".into() } else { format_range(proof.low_s.max(0.0), proof.high_s) };
        let lost = if proof.high_s - proof.low_s < 0.0005 && proof.high_s > 0.0 {
            format_duration(proof.high_s)
        } else {
            lost
        };
        let versions = measured.nodes.iter().flat_map(|node| node.window.versions());
        let set = cause.advised(versions, settings).set;
        writeln!(out, "| **{}** | {lost} | {} | {} |", cause.id, cell(&proof.observed), words(&set))?;
    }
    Ok(writeln!(out)?)
}
