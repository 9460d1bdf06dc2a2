//! The metrics on the first screen: how many starts, how long, where the time went, causes, worst nodes, and how logs agree.

use std::io::{self, Write};

use super::{Page, plural};
use crate::breakdown::Anomaly;
use crate::causes;
use crate::metrics::reconcile::FigureUnit;
use crate::metrics::{Bounds, MetricsReport, NodeMetrics, Reconciliation};
use crate::model::text::sanitize;
use crate::render::{format_count, format_duration, format_percent, format_range, wrap};
use crate::table::Summary;

/// How many causes and nodes are shown.
const CAUSES: usize = 5;
const NODES: usize = 5;
/// How many figures that differ are shown.
const DIFFERENCES: usize = 8;

/// An interval: `4.0–5.0 s`, `over 10 s`.
pub(in crate::render) fn between(between: &Bounds) -> String {
    match between.high {
        None => format!("over {}", format_duration(between.low)),
        Some(high) if format_duration(high) == format_duration(between.low) => format_duration(high),
        Some(high) => format_range(between.low, high),
    }
}

fn quantile(name: &str, quantile: Option<&Bounds>) -> Option<String> {
    Some(format!("{name} {}", between(quantile?)))
}

/// A share between two: `97 %`, `55–60 %`.
pub(in crate::render) fn shares((low, high): (f64, f64)) -> String {
    let (low, high) = (format_percent(low), format_percent(high));
    if low == high { high } else { format!("{}–{high}", low.trim_end_matches(" %")) }
}

impl Page<'_> {
    pub(super) fn measured(&self, measured: &MetricsReport, alone: bool, out: &mut dyn Write) -> io::Result<()> {
        let fleet = &measured.fleet;
        self.counted(measured, out)?;
        // Where the logs of the same nodes are there, they say more: metrics add what logs cannot show.
        let by_logs = !alone && causes::metric_rules::logs_decide(measured);
        if fleet.startups > 0.0 {
            writeln!(out)?;
            if !by_logs || self.details {
                self.parts(fleet, out)?;
            }
            self.proofs(measured, by_logs, out)?;
            self.worst(measured, out)?;
        }
        for node in &measured.nodes {
            if let Some(reconciled) = &node.reconciled {
                self.reconciled(&node.window.node, reconciled, out)?;
            }
        }
        for remark in &fleet.window.remarks {
            self.words(out, "  ", &sanitize(remark))?;
        }
        // What agrees with the logs ends with a blank line of its own.
        let ended = fleet.window.remarks.is_empty() && measured.nodes.iter().any(|node| node.reconciled.is_some());
        if alone || ended { Ok(()) } else { writeln!(out) }
    }

    fn counted(&self, measured: &MetricsReport, out: &mut dyn Write) -> io::Result<()> {
        let fleet = &measured.fleet;
        let window = &fleet.window;
        let mut parts = vec![format!("metrics from {}", plural(measured.nodes.len(), "node", "nodes"))];
        if let (Some(from), Some(to)) = (window.from, window.to) {
            let (from, to) = (from.to_string(), to.to_string());
            let clock = |time: &str| time.get(11..19).unwrap_or(time).to_owned();
            let (first, last) = (from.get(..10).unwrap_or(""), to.get(..10).unwrap_or(""));
            // A day that both are of stands once.
            let last = if first == last { String::new() } else { format!("{last} ") };
            parts.push(format!("{first} {}–{last}{} UTC", clock(&from), clock(&to)));
        }
        if measured.nodes.iter().all(|node| node.window.scrapes == 1) {
            parts.push("single scrape: totals since kubelet start".into());
        }
        if window.restarts > 0 {
            parts.push(plural(window.restarts as usize, "kubelet restart", "kubelet restarts"));
        }
        let versions: std::collections::BTreeSet<&str> =
            measured.nodes.iter().flat_map(|node| node.window.versions()).collect();
        if !versions.is_empty() {
            let all: Vec<&str> = versions.into_iter().collect();
            parts.push(format!("kubelet {}", sanitize(&all.join(", "))));
        }
        self.wrapped(out, "", &parts, " · ")?;
        let stateful = fleet.stateful.filter(|count| *count >= 0.5);
        let stateful = stateful.map_or(String::new(), |count| format!(", {count:.0} of them stateful"));
        writeln!(
            out,
            "{} recorded by the kubelet{stateful}",
            plural(fleet.startups.round() as usize, "start", "starts")
        )?;
        for (name, spread) in [("created → observed", &fleet.total_s), ("SLI, without pulls", &fleet.slo_s)] {
            let Some(spread) = spread.as_ref().filter(|spread| spread.count > 0.0) else { continue };
            let quantiles = [("p50", &spread.p50_s), ("p95", &spread.p95_s), ("p99", &spread.p99_s)];
            let quantiles: Vec<String> = quantiles.iter().filter_map(|(name, q)| quantile(name, q.as_ref())).collect();
            let mut line = vec![name.to_owned()];
            line.extend(quantiles);
            self.wrapped(out, "", &line, "   ")?;
        }
        if let Some(spread) = fleet.slo_s.as_ref().filter(|spread| spread.count > 0.0) {
            let verdict = match spread.within_5s {
                Some((low, _)) if low >= 0.99 => "met",
                Some((_, high)) if high < 0.99 => "missed",
                _ => "inconclusive",
            };
            let within = spread.within_5s.map_or(String::new(), shares);
            let broken = if fleet.overflowed > 0.0 {
                format!(
                    " ({} that overflowed, a known fault of the kubelet, could be above or below 5 s)",
                    plural(fleet.overflowed as usize, "value", "values")
                )
            } else {
                String::new()
            };
            let summary = &self.report.summary;
            let above = match verdict {
                "missed" if summary.startups > 0 && summary.slo_met() => {
                    ": the metric also counts the watch delay, which no pod waits for; the SLO above does not"
                }
                "met" if summary.startups > 0 && !summary.slo_met() && crash_loops(summary) => {
                    ": the metric counts the first run of a pod, also where it crashed; the SLO above counts the run that stays"
                }
                _ => " (with the watch delay)",
            };
            let text = format!(
                "SLO by metrics       {verdict}, {within} of {} within 5 s{above}{broken}",
                format_count(spread.count.round() as usize)
            );
            self.words(out, "", &text)?;
        }
        Ok(())
    }

    fn parts(&self, fleet: &NodeMetrics, out: &mut dyn Write) -> io::Result<()> {
        let mean = fleet.mean_s.unwrap_or(0.0);
        writeln!(out, "{}   mean start {}", self.strong("where the time went, by metrics"), format_duration(mean))?;
        let most = fleet.components.iter().map(|part| part.mean_s).fold(0.0, f64::max);
        let room = self.width.saturating_sub(36 + 10 + 6 + 22).clamp(8, 40);
        for part in fleet.components.iter().filter(|part| part.mean_s.abs() > 0.0005) {
            let cells = if most > 0.0 { (part.mean_s.max(0.0) / most * room as f64).round() as usize } else { 0 };
            let known = if part.high_s - part.low_s < 0.0005 {
                String::new()
            } else {
                format!("  {}", format_range(part.low_s, part.high_s))
            };
            let percent = if mean > 0.0 { format_percent((part.mean_s / mean).max(0.0)) } else { String::new() };
            let bar = format!("{}{}", "█".repeat(cells), " ".repeat(room.saturating_sub(cells)));
            let text = format!(
                "  {:<33} {bar} {:>8} {percent:>5}{known}",
                part.component.name(),
                format_duration(part.mean_s)
            );
            writeln!(out, "{}", text.trim_end())?;
            for remark in &part.remarks {
                self.words(out, "      ", &remark.to_string())?;
            }
        }
        writeln!(out)
    }

    fn proofs(&self, measured: &MetricsReport, by_logs: bool, out: &mut dyn Write) -> io::Result<()> {
        let proofs = causes::metric_rules::added(measured, by_logs);
        if proofs.is_empty() {
            let none =
                if by_logs { "the metrics add no cause to those of the logs" } else { "the metrics show no cause" };
            return writeln!(out, "{}\n", self.strong(none));
        }
        let known = self.report.summary.known();
        writeln!(out, "{}", self.strong("causes, by mean seconds per start (metrics)"))?;
        for (number, proof) in proofs.iter().take(CAUSES).enumerate() {
            let Some(cause) = causes::named(&proof.cause) else { continue };
            let seconds = if proof.high_s <= 0.0 {
                "duration unknown".into()
            } else if proof.high_s - proof.low_s < 0.0005 {
                format_duration(proof.high_s)
            } else if proof.low_s <= 0.0 {
                format!("up to {}", format_duration(proof.high_s))
            } else {
                format_range(proof.low_s, proof.high_s)
            };
            let nodes =
                measured.nodes.iter().filter(|node| node.causes.iter().any(|other| other.cause == proof.cause)).count();
            let nodes = if nodes > 1 { format!("   {nodes} nodes") } else { String::new() };
            writeln!(out, "  {}  {}  {seconds}{nodes}", number + 1, self.strong(cause.id))?;
            self.words(out, "     ", cause.title)?;
            self.labelled("evidence", &sanitize(&proof.observed), out)?;
            let versions = measured.nodes.iter().flat_map(|node| node.window.versions());
            self.advised(&cause.advised(versions, &known), out)?;
        }
        if proofs.len() > CAUSES {
            let rest: Vec<&str> = proofs.iter().skip(CAUSES).map(|proof| proof.cause.as_str()).collect();
            self.words(out, "     ", &format!("and {}", rest.join(", ")))?;
        }
        writeln!(out)
    }

    fn worst(&self, measured: &MetricsReport, out: &mut dyn Write) -> io::Result<()> {
        if measured.nodes.len() < 2 {
            return Ok(());
        }
        writeln!(out, "{}", self.strong("slowest nodes, by mean start"))?;
        for node in measured.nodes.iter().filter(|node| node.startups > 0.0).take(NODES) {
            let largest = node.components.iter().max_by(|a, b| a.mean_s.total_cmp(&b.mean_s));
            let largest = largest
                .map_or(String::new(), |part| format!("{} {}", part.component.name(), format_duration(part.mean_s)));
            let within = node
                .slo_s
                .as_ref()
                .and_then(|slo| slo.within_5s)
                .map_or(String::new(), |within| format!("{} within 5 s", shares(within)));
            let text = format!(
                "  {:>7}  {}  {}  {within}  {largest}",
                node.mean_s.map_or("?".into(), format_duration),
                sanitize(&node.window.node),
                plural(node.startups.round() as usize, "start", "starts"),
            );
            writeln!(out, "{}", wrap::clip_end(&text, self.width))?;
        }
        writeln!(out)
    }

    fn reconciled(&self, node: &str, reconciled: &Reconciliation, out: &mut dyn Write) -> io::Result<()> {
        let agree = reconciled.figures.iter().filter(|figure| figure.agree).count();
        let text =
            format!("logs and metrics of {}: {agree} of {} figures agree", sanitize(node), reconciled.figures.len());
        writeln!(out, "{}", self.strong(&text))?;
        for reason in &reconciled.excluded {
            self.words(out, "  ", &format!("excluded: {reason}"))?;
        }
        let differing: Vec<_> =
            reconciled.figures.iter().filter(|figure| !figure.agree || figure.reason.is_some()).collect();
        let shown = self.many(DIFFERENCES);
        for figure in differing.iter().take(shown) {
            let value = |value: f64| match figure.unit {
                FigureUnit::Startups => format!("{value:.0}"),
                FigureUnit::Share => format_percent(value),
                FigureUnit::Seconds => format_duration(value),
            };
            let logs = figure.logs.map_or("–".into(), value);
            let metrics = figure.metrics.map_or("–".into(), |metrics| match metrics.high {
                Some(high) if value(high) != value(metrics.low) => format!("{}–{}", value(metrics.low), value(high)),
                None => format!("over {}", value(metrics.low)),
                _ => value(metrics.low),
            });
            let sign = if figure.agree { "=" } else { "≠" };
            let why = figure.reason.as_deref().map_or(String::new(), |why| format!(": {}", sanitize(why)));
            self.words(out, "  ", &format!("{sign} {}   logs {logs}, metrics {metrics}{why}", figure.figure))?;
        }
        if differing.len() > shown {
            writeln!(out, "  and {} more", differing.len() - shown)?;
        }
        writeln!(out)
    }
}

/// Whether a pod of the logs crashed after the kubelet had recorded it.
fn crash_loops(summary: &Summary) -> bool {
    summary.anomalies.iter().any(|(anomaly, _)| *anomaly == Anomaly::CrashLoop)
}
