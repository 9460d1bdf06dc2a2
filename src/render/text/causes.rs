//! Causes with their evidence, what to set and what that would save; what was asked to be replayed; what could not be judged.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::{Page, plural};
use crate::causes::{self, Advised};
use crate::model::text::sanitize;
use crate::render::{length, range};
use crate::report::replay::Change;
use crate::table::{CauseLine, Quantiles, Summary};

/// How many causes are shown.
const CAUSES: usize = 6;
/// How many causes are named that the same evidence would show; the JSON form has all.
const BLIND: usize = 4;

impl Page<'_> {
    pub(super) fn causes(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        if summary.causes.is_empty() {
            let some = if self.report.unjudged.is_empty() { "any cause" } else { "the causes that could be judged" };
            return writeln!(out, "{}\n", self.strong(&format!("no start lost time above the limits of {some}")));
        }
        writeln!(out, "{}", self.strong("causes, by time lost"))?;
        for (number, line) in summary.causes.iter().take(CAUSES).enumerate() {
            let Some(cause) = causes::named(&line.cause) else { continue };
            let nodes = if line.nodes > 1 { format!(" on {} nodes", line.nodes) } else { String::new() };
            let head = format!(
                "  {}  {}  {}{}   {}{nodes}{}",
                number + 1,
                self.strong(cause.id),
                length(line.lost_s),
                sure(line),
                plural(line.pods as usize, "pod", "pods"),
                without(&summary.running, &line.without)
            );
            writeln!(out, "{head}")?;
            self.words(out, "     ", cause.title)?;
            if let Some(worst) = &line.worst {
                let about = worst.about.as_deref().map_or(String::new(), |about| format!(" ({})", sanitize(about)));
                let lost = worst.cause_s.map_or(String::new(), length);
                let text = format!("worst  {} {lost}{about}", sanitize(&worst.pod));
                writeln!(out, "     {}", self.clipped(&text, self.width - 5))?;
                if let Some(place) = &worst.evidence {
                    let file = place.source.rsplit('/').next().unwrap_or(&place.source);
                    let head = format!("seen   {}:{} ", sanitize(file), place.line);
                    let text = gist(&sanitize(&worst.text), self.width.saturating_sub(5 + head.width()));
                    writeln!(out, "     {}", self.clipped(&format!("{head}{text}"), self.width - 5))?;
                }
            }
            self.advised(&line.advised, out)?;
            if let Some(what_if) = &line.what_if {
                self.words(out, "     ", &format!("then   {}", sanitize(what_if)))?;
            }
            if let Some(side_effect) = &line.advised.side_effect {
                self.words(out, "     ", &format!("trade-off {side_effect}"))?;
            }
        }
        if summary.causes.len() > CAUSES {
            let rest: Vec<&str> = summary.causes.iter().skip(CAUSES).map(|line| line.cause.as_str()).collect();
            self.words(out, "     ", &format!("and {}", rest.join(", ")))?;
        }
        writeln!(out)
    }

    /// What is set, what to set, and the lines to add.
    pub(super) fn advised(&self, advised: &Advised, out: &mut dyn Write) -> io::Result<()> {
        if !advised.already.is_empty() {
            self.words(out, "     ", &format!("is     {}", sanitize(&advised.already.join(", "))))?;
        }
        self.words(out, "     ", &format!("set    {}", advised.set))?;
        // The words mostly say the very line to add.
        let said = advised.yaml.iter().all(|yaml| advised.set.contains(yaml.as_str()));
        let lines = advised.yaml.iter().filter(|_| !said);
        lines.enumerate().try_for_each(|(at, yaml)| writeln!(out, "     {:<7}{yaml}", if at == 0 { "add" } else { "" }))
    }

    /// Settings that are known and conflict.
    pub(super) fn conflicts(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        for conflict in summary.known().conflicts() {
            self.words(out, "", &format!("conflicting settings: {conflict}"))?;
            writeln!(out)?;
        }
        Ok(())
    }

    /// What the user asked to be replayed; what causes ask for stands with them.
    pub(super) fn what_ifs(&self, out: &mut dyn Write) -> io::Result<()> {
        let asked: Vec<_> = self.report.what_if.iter().filter(|what_if| what_if.cause.is_none()).collect();
        if asked.is_empty() {
            return Ok(());
        }
        writeln!(out, "{}", self.strong("what if"))?;
        for what_if in asked {
            if let Some(reason) = &what_if.withheld {
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
                ("in all", &what_if.total),
            ];
            for (name, Change { before, low, high, likely_low, likely_high }) in lines {
                let (likely, outside) = (range(*likely_low, *likely_high), range(*low, *high));
                let outside = if likely == outside { String::new() } else { format!("  at the outside {outside}") };
                writeln!(out, "    {name:<7}{:>8} → {likely:<10}{outside}", length(*before))?;
            }
            self.words(out, "    ", &what_if.bounds)?;
        }
        writeln!(out)
    }

    /// Causes that could not be judged, by what would show them.
    pub(super) fn unjudged(&self, out: &mut dyn Write) -> io::Result<()> {
        let unjudged = &self.report.unjudged;
        if unjudged.is_empty() {
            return Ok(());
        }
        writeln!(out, "{}", self.strong("not judged, and what would show it"))?;
        for blind in unjudged {
            let some = if blind.startups < self.report.summary.startups as u64 {
                format!(" (of {})", plural(blind.startups as usize, "start", "starts"))
            } else {
                String::new()
            };
            let more = blind.causes.len().saturating_sub(BLIND);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let causes = blind.causes.get(..BLIND.min(blind.causes.len())).unwrap_or_default().join(", ");
            self.words(out, "  ", &format!("{causes}{more}{some}: {}", blind.how_to_get.join(", or ")))?;
        }
        writeln!(out)
    }
}

/// A line cut to a width: of one with an error the end of that, where its reason stands.
fn gist(text: &str, width: usize) -> String {
    let error = text.split_once("err=\"").map(|(_, rest)| rest);
    let Some(error) = error.filter(|_| text.width() > width) else { return text.to_owned() };
    // The value ends at a quote that no backslash stands before.
    let mut ends =
        error.char_indices().filter(|(at, c)| *c == '"' && !error.get(..*at).is_some_and(|b| b.ends_with('\\')));
    let error = ends.next().and_then(|(end, _)| error.get(..end)).unwrap_or(error);
    let chars: Vec<char> = error.chars().collect();
    let tail: String = chars.iter().skip(chars.len().saturating_sub(width.saturating_sub(3))).collect();
    if tail.len() < error.len() { format!("… {tail}") } else { tail }
}

/// How sure a claim is: all of it, some of it, or none.
fn sure(line: &CauseLine) -> String {
    match line.certain_s / line.lost_s {
        share if share >= 0.995 || line.lost_s <= 0.0 => String::new(),
        share if share < 0.005 => " (likely)".into(),
        _ => format!(" (certain: {})", length(line.certain_s)),
    }
}

/// How the slow starts would be without it, where that differs.
fn without(all: &Quantiles, left: &Quantiles) -> String {
    let same = |a: f64, b: f64| length(a) == length(b);
    if left.count == 0 || same(all.p95, left.p95) && same(all.p99, left.p99) {
        return String::new();
    }
    format!("   without any of it p95 {}, p99 {}", length(left.p95), length(left.p99))
}
