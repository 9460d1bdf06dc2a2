//! Causes with their evidence, what to change and what that would save; estimates that were asked for; causes that could not be checked.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::{Page, named, plural};
use crate::causes::{self, Advised, Cause};
use crate::model::phase::Phase;
use crate::model::text::sanitize;
use crate::render::{cause_parts, estimate, file_names, format_duration, format_range, wrap};
use crate::report::replay::Change;
use crate::table::{CauseLine, Quantiles, Summary};

/// How many causes are shown.
const CAUSES: usize = 6;
/// The columns a label takes.
const LABEL: usize = 10;
/// How many are shown in full: with evidence, what to change and an estimate.
const IN_FULL: usize = 3;
/// How many things that startups waited for are named.
const PARTS: usize = 3;

impl Page<'_> {
    pub(super) fn causes(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        if summary.causes.is_empty() {
            let some = if self.report.not_checked.is_empty() { "no cause" } else { "no cause that could be checked" };
            return writeln!(out, "{}\n", self.strong(&format!("{some} exceeded its threshold")));
        }
        let phases = summary
            .phases
            .iter()
            .filter(|line| Phase::from_name(line.phase).is_some_and(|phase| phase.is_in_total() && phase.delays_pod()));
        let all: f64 = phases.map(|line| line.lost_s).sum();
        let explained = summary.causes.iter().filter(|line| {
            line.cause != causes::UNEXPLAINED && causes::named(&line.cause).is_some_and(Cause::delays_running)
        });
        let explained: f64 = explained.map(|line| line.lost_s).sum();
        let of_all = match explained < all {
            true => format!(": {} of {}", format_duration(explained), format_duration(all)),
            false => String::new(),
        };
        // What nothing explains is no cause to act on: it comes last however long it is.
        let last =
            if summary.causes.iter().any(|line| line.cause == causes::UNEXPLAINED) { "; unexplained last" } else { "" };
        writeln!(
            out,
            "{}",
            self.strong(&format!("causes, by likely time lost{of_all} (a pod can have several{last})"))
        )?;
        for (number, line) in summary.causes.iter().take(self.many(CAUSES)).enumerate() {
            let Some(cause) = causes::named(&line.cause) else { continue };
            let in_full = number < self.many(IN_FULL);
            let nodes = if line.nodes > 1 { format!(" on {} nodes", line.nodes) } else { String::new() };
            let after = if cause.delays_running() { "" } else { " after running" };
            let head = format!(
                "  {}  {}  {}{after}   {}{nodes}{}",
                number + 1,
                self.strong(cause.id),
                estimate::time_lost(line),
                plural(line.pods as usize, "pod", "pods"),
                // An estimate replays the queue too: a second figure would contradict it.
                if in_full && estimate::exists(self.report, cause.id) {
                    String::new()
                } else {
                    without(&summary.running, &line.without)
                }
            );
            writeln!(out, "{head}")?;
            if in_full {
                self.in_full(cause, line, out)?;
            }
        }
        if summary.causes.len() > self.many(CAUSES) {
            let rest: Vec<&str> = summary.causes.iter().skip(CAUSES).map(|line| line.cause.as_str()).collect();
            self.words(out, "     ", &format!("and {}", rest.join(", ")))?;
        }
        if summary.causes.iter().take(self.many(CAUSES)).any(|line| !line.is_certain()) {
            writeln!(out, "     (a range: from what is certain to the most it can be; its middle ranks)")?;
        }
        writeln!(out)?;
        self.best_change(out)
    }

    fn in_full(&self, cause: &Cause, line: &CauseLine, out: &mut dyn Write) -> io::Result<()> {
        self.words(out, "     ", cause.title)?;
        for part in parts(line).into_iter().take(self.many(PARTS)) {
            writeln!(out, "     {}", self.clipped_by(5, &part))?;
        }
        if let Some(worst) = &line.example {
            let named = named(worst);
            let about = if named.is_empty() { named } else { format!(" ({named})") };
            let lost = worst.cause_s.map_or(String::new(), format_duration);
            let text = format!("{}{} {lost}{about}", label("example"), sanitize(&worst.pod));
            writeln!(out, "     {}", self.clipped_by(5, &text))?;
            if let Some(place) = &worst.evidence {
                let file = file_names::unique(&place.source, &self.report.coverage.sources);
                let head = format!("{}{}:{} ", label("evidence"), sanitize(file), place.line);
                let room = if self.clips { self.width.saturating_sub(5 + head.width()) } else { usize::MAX };
                let text = wrap::error_end(&sanitize(&worst.text), room);
                writeln!(out, "     {}", self.clipped_by(5, &format!("{head}{text}")))?;
            }
        }
        self.advised(&line.advised, out)?;
        if let Some(what_if) = estimate::of_cause(self.report, cause.id) {
            self.labelled("estimate", &sanitize(&what_if), out)?;
        }
        match &line.advised.side_effect {
            Some(side_effect) => self.labelled("trade-off", side_effect, out),
            None => Ok(()),
        }
    }

    /// Of all changes that were replayed, the one that surely saves most of the slow starts.
    fn best_change(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(best) = estimate::best(self.report) else { return Ok(()) };
        self.words(out, "", &format!("best single change: {}", sanitize(&best)))?;
        writeln!(out)
    }

    /// The current settings, what to change, and the lines to add.
    pub(super) fn advised(&self, advised: &Advised, out: &mut dyn Write) -> io::Result<()> {
        if !advised.already.is_empty() {
            self.labelled("current", &sanitize(&advised.already.join(", ")), out)?;
        }
        self.labelled("change", &advised.set, out)?;
        // The words mostly contain the very line to add.
        let said = advised.yaml.iter().all(|yaml| advised.set.contains(yaml.as_str()));
        let lines = advised.yaml.iter().filter(|_| !said);
        lines
            .enumerate()
            .try_for_each(|(at, yaml)| writeln!(out, "     {}{yaml}", label(if at == 0 { "add" } else { "" })))
    }

    /// Words behind a label; further lines stand below the words.
    pub(super) fn labelled(&self, name: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
        let indent = format!("     {}", label(""));
        self.words_after(out, &format!("     {}", label(name)), &indent, text)
    }

    /// Settings that are known and conflict with each other.
    pub(super) fn conflicts(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        for conflict in summary.known().conflicts() {
            self.words(out, "", &format!("conflicting settings: {conflict}"))?;
            writeln!(out)?;
        }
        Ok(())
    }

    /// The estimates the user asked for; those of causes are shown with them.
    pub(super) fn what_ifs(&self, out: &mut dyn Write) -> io::Result<()> {
        let requested = estimate::requested(self.report);
        if requested.is_empty() {
            return Ok(());
        }
        writeln!(out, "{}", self.strong("what if"))?;
        for what_if in requested {
            if let Some(reason) = &what_if.not_estimated_because {
                self.words(out, "  ", &format!("{}: no estimate: {}", sanitize(&what_if.setting), sanitize(reason)))?;
                continue;
            }
            let pods = plural(what_if.pods as usize, "pod", "pods");
            self.words(out, "  ", &format!("{}   changes {pods}", self.strong(&sanitize(&what_if.setting))))?;
            let lines = [
                ("p50", &what_if.p50),
                ("p95", &what_if.p95),
                ("p99", &what_if.p99),
                ("max", &what_if.max),
                ("total", &what_if.total),
            ];
            for (name, Change { before, low, high, likely_low, likely_high }) in lines {
                let (likely, outside) = (format_range(*likely_low, *likely_high), format_range(*low, *high));
                let outside = if likely == outside { String::new() } else { format!("  full range {outside}") };
                writeln!(out, "    {name:<7}{:>8} → {likely:<10}{outside}", format_duration(*before))?;
            }
            self.words(out, "    ", &what_if.bounds)?;
        }
        writeln!(out)
    }
}

/// What startups waited for; what all of them waited for stands on the example's line.
fn parts(line: &CauseLine) -> Vec<String> {
    let parts = cause_parts::of(line);
    let on_example = parts.len() == 1 && line.parts.len() == 1 && line.parts[0].pods == line.pods;
    if line.pods == 1 || on_example { Vec::new() } else { parts }
}

/// A label, as wide as the widest of them.
fn label(name: &str) -> String {
    format!("{name:<LABEL$}")
}

/// How the slow starts would be without it, where that differs.
fn without(all: &Quantiles, left: &Quantiles) -> String {
    let same = |a: f64, b: f64| format_duration(a) == format_duration(b);
    if left.count == 0 || same(all.p95, left.p95) && same(all.p99, left.p99) {
        return String::new();
    }
    format!("   if removed: p95 {}, p99 {}", format_duration(left.p95), format_duration(left.p99))
}
