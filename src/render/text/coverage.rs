//! What was read, what was not checked, and what is odd: a line or two each, all of it with `--details`.

use std::io::{self, Write};

use super::Page;
use crate::model::text::sanitize;
use crate::render::sentences::{UNUSED, covered, plural, unused_lines, unused_sources};

/// How many inputs are named that would show more.
const NEEDED: usize = 2;

impl Page<'_> {
    pub(super) fn coverage(&self, out: &mut dyn Write) -> io::Result<()> {
        let c = &self.report.coverage;
        self.not_checked(out)?;
        self.wrapped(out, "", &covered(c), " · ")?;
        let anomalies = &self.report.summary.anomalies;
        if self.details {
            for (anomaly, number) in anomalies {
                self.words(out, "  ", &format!("{number} × {}: {}", anomaly.name(), anomaly.meaning()))?;
            }
            for lines in unused_lines(c) {
                self.words(out, "  ", &sanitize(&lines))?;
            }
        } else if !anomalies.is_empty() {
            let named = anomalies.iter().map(|(anomaly, number)| format!("{number} × {}", anomaly.name()));
            self.wrapped(out, "", &[vec!["anomalies".to_owned()], named.collect()].concat(), " · ")?;
        }
        if let Some(unused) = unused_sources(c, self.many(UNUSED)) {
            self.words(out, "  ", &sanitize(&unused))?;
        }
        for error in &c.source_errors {
            self.words(out, "  ", &sanitize(error))?;
        }
        if !self.details && self.has_details() {
            writeln!(out, "--details shows all of it")?;
        }
        Ok(())
    }

    fn has_details(&self) -> bool {
        let report = self.report;
        !report.summary.anomalies.is_empty()
            || !report.not_checked.is_empty()
            || report.coverage.unused_sources.len() > UNUSED
            || !unused_lines(&report.coverage).is_empty()
    }

    /// Causes that could not be checked, by the input that would show them.
    fn not_checked(&self, out: &mut dyn Write) -> io::Result<()> {
        let not_checked = &self.report.not_checked;
        if not_checked.is_empty() {
            return Ok(());
        }
        if !self.details {
            // An input that only a few starts lack was given.
            let all = self.report.summary.startups as u64;
            let (most, some): (Vec<_>, Vec<_>) = not_checked.iter().partition(|blind| blind.startups * 2 >= all);
            let (head, shown) =
                if most.is_empty() { ("not checked for some starts", some) } else { ("not checked", most) };
            let causes: usize = shown.iter().map(|blind| blind.causes.len()).sum();
            let mut needed: Vec<&str> =
                shown.iter().filter_map(|blind| blind.how_to_get.first().map(|how| &**how)).collect();
            needed.dedup();
            let more = if needed.len() > NEEDED { "; and more" } else { "" };
            needed.truncate(NEEDED);
            let need = if causes == 1 { "needs" } else { "need" };
            let text =
                format!("{head}: {}, which {need} {}{more}", plural(causes, "cause", "causes"), needed.join("; "));
            return self.words(out, "", &text);
        }
        writeln!(out, "{}", self.strong("not checked (add this input)"))?;
        for blind in not_checked {
            let some = if blind.startups < self.report.summary.startups as u64 {
                format!(" (of {})", plural(blind.startups as usize, "start", "starts"))
            } else {
                String::new()
            };
            let causes = blind.causes.join(", ");
            self.words(out, "  ", &format!("{causes}{some}: {}", blind.how_to_get.join(", or ")))?;
        }
        writeln!(out)
    }
}
