//! The first screen: totals, SLO, where the time went, causes ranked, slowest pods, coverage.

mod causes;
mod coverage;
mod incidents;
pub(super) mod metrics;

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

pub(super) use incidents::{named_once, others};

use super::sentences::{plural, slo_did_not_come_up, slo_p99, startups};
use super::{TextOptions, chain, command, format_at_least, format_count, format_duration, format_percent, wrap};
use crate::model::error::Error;
use crate::model::phase::Phase;
use crate::model::startup::State;
use crate::model::text::sanitize;
use crate::report::Report;
use crate::table::{Example, PhaseLine, Summary};

/// Phases of a smaller share are named together.
const SMALL: f64 = 0.01;
/// How many of the slowest pods are shown.
const SLOWEST: usize = 5;

pub(super) fn write(report: &Report, screen: TextOptions, out: &mut dyn Write) -> Result<(), Error> {
    // Of one startup the summary is its steps.
    let one = report.summary.slowest.first().filter(|_| report.summary.startups == 1 && report.metrics.is_none());
    let steps = match one {
        Some(example) if !screen.details => chain::find(report, &example.pod)?,
        _ => Vec::new(),
    };
    if steps.is_empty() {
        return Ok(page(report, screen, out)?);
    }
    chain::write(&steps, screen, out)?;
    writeln!(out)?;
    Ok(Page::of(report, screen).coverage(out)?)
}

fn page(report: &Report, screen: TextOptions, out: &mut dyn Write) -> io::Result<()> {
    let page = Page::of(report, screen);
    let summary = &report.summary;
    if report.is_empty() {
        writeln!(out, "no pod startups found")?;
        page.nothing_found(out)?;
        return page.coverage(out);
    }
    if let Some(metrics) = report.metrics.as_ref().filter(|_| summary.startups == 0) {
        if report.coverage.filtered > 0 {
            let filters = super::only(&report.coverage);
            page.words(out, "", &format!("no pod startups found: {filters}; the metrics below are of all pods"))?;
            writeln!(out)?;
        }
        page.measured(metrics, true, out)?;
        return page.coverage(out);
    }
    page.head(summary, out)?;
    page.phases(summary, out)?;
    page.conflicts(summary, out)?;
    page.causes(summary, out)?;
    page.what_ifs(out)?;
    page.slowest(summary, out)?;
    writeln!(out)?;
    if let Some(metrics) = &report.metrics {
        page.measured(metrics, false, out)?;
    }
    page.coverage(out)
}

struct Page<'a> {
    report: &'a Report,
    width: usize,
    colour: bool,
    clips: bool,
    details: bool,
}

impl<'a> Page<'a> {
    fn of(report: &'a Report, TextOptions { width, colour, clips, details }: TextOptions) -> Self {
        Page { report, width: width.max(60), colour, clips, details }
    }
}

impl Page<'_> {
    fn strong(&self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A line as it fits the screen.
    fn clipped(&self, text: &str) -> String {
        self.clipped_by(0, text)
    }

    /// Whether a line is not longer than the screen is wide; into a pipe any is.
    fn fits(&self, text: &str) -> bool {
        !self.clips || text.width() <= self.width
    }

    /// The same of a line that stands behind an indent.
    fn clipped_by(&self, indent: usize, text: &str) -> String {
        let width = self.width.saturating_sub(indent);
        match wrap::clip_end(text, width) {
            _ if !self.clips => text.to_owned(),
            clipped if clipped == text => clipped,
            _ => wrap::clip_end(&without_registries(text), width),
        }
    }

    /// So many, or with all details all.
    pub(super) fn many(&self, few: usize) -> usize {
        if self.details { usize::MAX } else { few }
    }

    /// Writes parts and breaks the line where the screen ends.
    fn wrapped(&self, out: &mut dyn Write, indent: &str, parts: &[String], between: &str) -> io::Result<()> {
        wrap::parts(out, self.width, indent, parts, between)
    }

    fn words(&self, out: &mut dyn Write, indent: &str, text: &str) -> io::Result<()> {
        wrap::words(out, self.width, indent, text)
    }

    /// Words behind a first indent of their own.
    fn words_after(&self, out: &mut dyn Write, first: &str, indent: &str, text: &str) -> io::Result<()> {
        let mut lines = Vec::new();
        self.words(&mut lines, indent, text)?;
        out.write_all(first.as_bytes())?;
        out.write_all(lines.get(indent.len()..).unwrap_or_default())
    }

    fn head(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        self.wrapped(out, "", &startups(summary), " · ")?;
        self.incidents(summary, out)?;
        let quantiles = |q: &crate::table::Quantiles| {
            vec![
                format!("p50 {}", format_duration(q.p50)),
                format!("p95 {}", format_duration(q.p95)),
                format!("p99 {}", format_duration(q.p99)),
                format!("max {}", format_duration(q.max)),
            ]
        };
        let known_of = |known: u64, all: usize| match (known as usize) < all {
            true => format!("   (known of {})", format_count(known as usize)),
            false => String::new(),
        };
        if summary.running.count > 0 {
            let known = known_of(summary.running.count, summary.startups);
            writeln!(out, "created → running    {}{known}", quantiles(&summary.running).join("   "))?;
        } else {
            writeln!(out, "created → running    unknown (not in this log)")?;
        }
        if summary.ready.count > 0 {
            let known = known_of(summary.ready.count, summary.startups);
            writeln!(out, "created → ready      {}{known}", quantiles(&summary.ready).join("   "))?;
            let (ready, running) = (summary.ready.p50, summary.running.p50);
            let earlier = ready < running && format_duration(ready) != format_duration(running);
            if summary.ready.count == summary.running.count && earlier {
                writeln!(out, "  (ready: set by the kubelet; running: seen by the API server, which was later)")?;
            }
        }
        if summary.slo.count > 0 {
            let verdict = if summary.slo_met() { "met" } else { "missed" };
            let text = format!(
                "SLO (p99 ≤ 5 s)      {}: {verdict}, {} of {} within 5 s{}{}",
                slo_p99(summary),
                format_percent(summary.slo_within),
                format_count(summary.slo_of() as usize),
                slo_did_not_come_up(summary),
                left_out(summary)
            );
            self.words(out, "", &text)?;
        } else if self.report.coverage.records == 0 {
            self.words(out, "", "SLO (p99 ≤ 5 s)      unknown by pods and events: add the kubelet's log")?;
        }
        writeln!(out)
    }

    fn phases(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.strong("where the time went"))?;
        let room = self.width.saturating_sub(17 + 9 + 6 + 13 + 8).clamp(8, 60);
        let delays = |line: &&PhaseLine| Phase::from_name(line.phase).is_none_or(Phase::delays_pod);
        let most = summary.phases.iter().filter(delays).map(|line| line.lost_s).fold(0.0, f64::max);
        let mut legend = false;
        let mut small: Vec<&str> = Vec::new();
        for line in summary.phases.iter().filter(|line| line.lost_s > 0.0005) {
            if !self.details && line.share < SMALL && summary.phases.len() > 1 {
                small.push(Phase::from_name(line.phase).unwrap_or_default().words().label);
                continue;
            }
            let phase = Phase::from_name(line.phase).unwrap_or_default();
            let label = phase.words().label;
            let cells = if most > 0.0 { (line.lost_s / most * room as f64 * 8.0).round() as usize } else { 0 };
            let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
            let bar = match phase.delays_pod() {
                true => format!("{}{}", "█".repeat(cells / 8), eighths.get(cells % 8).unwrap_or(&"")),
                false => wrap::clip_end("no pod waits for it", room),
            };
            let pad = " ".repeat(room.saturating_sub(bar.width()));
            let exact = if line.certain_share >= 0.995 { String::new() } else { format_at_least(line.certain_share) };
            let p99 = format!("p99 {}", format_duration(line.p99_s));
            let text = format!(
                "  {label:<15}{bar}{pad} {:>8}{:>6}  {p99:<11} {exact}",
                format_duration(line.lost_s),
                if phase.is_in_total() { format_percent(line.share) } else { String::new() }
            );
            writeln!(out, "{}", text.trim_end())?;
            legend |= !exact.is_empty();
        }
        if !small.is_empty() {
            self.words(out, "  ", &format!("less than 1 % each: {}", small.join(", ")))?;
        }
        if legend {
            writeln!(out, "  (≥ N %: at least this share of the phase's time is certain)")?;
        }
        writeln!(out)
    }

    /// What to give, where nothing of the input could be used and no line says why.
    fn nothing_found(&self, out: &mut dyn Write) -> io::Result<()> {
        let read = &self.report.coverage;
        if read.records > 0 || read.unread_sources > 0 || !read.source_errors.is_empty() || read.filtered > 0 {
            return Ok(());
        }
        if read.samples > 0 {
            let give = "give a later scrape of the kubelet's /metrics, or its log (journalctl -u kubelet)";
            return self.words(out, "", &format!("the metrics count no pod that started: {give}"));
        }
        let what = if read.lines == 0 && read.events == 0 && read.pods == 0 {
            "the input is empty"
        } else {
            "nothing of it is about pods that start"
        };
        let give = "give the log of a kubelet (journalctl -u kubelet), or pods and events (kubectl get pods,events -A -o json)";
        self.words(out, "", &format!("{what}: {give}"))
    }

    fn slowest(&self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.strong("slowest startups"))?;
        for slow in summary.slowest.iter().take(SLOWEST) {
            let text = format!(
                "  {:>7}  {}  {}",
                slow.seconds.map_or("?".into(), format_duration),
                sanitize(&slow.pod),
                why(slow)
            );
            writeln!(out, "{}", self.clipped(&text))?;
        }
        if let Some(worst) = summary.slowest.first() {
            // A name from a hostile log must not become a command to paste.
            let safe = worst.pod.chars().all(|c| c.is_ascii_alphanumeric() || "./-".contains(c));
            // A pseudonym is no name in the input.
            let safe = safe && self.report.coverage.pseudonyms.is_empty();
            let chain = safe.then(|| command::with_inputs(&format!("podlag chain {}", worst.pod), &self.report.inputs));
            let explain = summary.causes.first().map(|line| format!("podlag explain {}", line.cause));
            let hints: Vec<String> = explain.into_iter().chain(chain).collect();
            writeln!(out)?;
            self.wrapped(out, "", &hints, " · ")?;
        }
        Ok(())
    }
}

/// What the SLO does not count.
fn left_out(summary: &Summary) -> String {
    let parts = [("pulls", summary.slo_without_pulls_s), ("init containers", summary.slo_without_init_s)];
    let parts = parts.into_iter().filter(|(_, seconds)| *seconds > 0.0005);
    let parts: Vec<String> = parts.map(|(name, seconds)| format!("{} of {name}", format_duration(seconds))).collect();
    let without = if parts.is_empty() { String::new() } else { format!("without {}", parts.join(" and ")) };
    let more = |count: usize, what: &str| match count {
        0 => String::new(),
        count => format!("{} more: {what}", format_count(count)),
    };
    // A pod that has no value yet is none that has one and is stateful.
    let uncounted = summary.startups.saturating_sub(summary.slo_of() as usize);
    let starting = uncounted.min(summary.in_state(State::Starting) as usize);
    let uncounted = [more(starting, "still starting"), more(uncounted - starting, "stateful or unknown")];
    let words = std::iter::once(without).chain(uncounted).filter(|words| !words.is_empty());
    let words: Vec<String> = words.collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join("; ")) }
}

/// What an example waited for and the error that shows it: `reg.test/app:v1: not found`; empty if neither is known.
fn named(example: &Example) -> String {
    let both = [&example.waited_for, &example.error].into_iter().flatten();
    both.map(|named| sanitize(named)).collect::<Vec<_>>().join(": ")
}

/// A text with the images in it cut to their last part: what tells them apart is there, not in the registry's name.
fn without_registries(text: &str) -> String {
    let word = |word: &str| {
        let Some((path, image)) = word.rsplit_once('/') else { return word.to_owned() };
        let begin = path.rfind(['(', '"', ' ', ',']).map_or(0, |at| at + 1);
        let (before, path) = path.split_at(begin);
        let host = path.split('/').next().unwrap_or_default();
        if host.contains(['.', ':']) && !path.contains("//") { format!("{before}…/{image}") } else { word.to_owned() }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Where most of a startup's time went, in a few words.
fn why(slow: &Example) -> String {
    let so_far = match (slow.ran, slow.state) {
        (true, _) => "",
        (false, State::Running) => "total, start time unknown; ",
        (false, State::Starting | State::Failing) => "so far; ",
        (false, State::Gone) => "deleted before it came up; ",
        (false, State::Failed) => "refused; ",
        (false, State::Ended) => return "ended".into(),
    };
    let Some(cause) = &slow.cause else { return format!("{so_far}{}", slow.state.words()) };
    let named = named(slow);
    let about = if named.is_empty() { named } else { format!(" ({named})") };
    format!("{so_far}{} {}{about}", sanitize(cause), slow.cause_s.map_or(String::new(), format_duration))
}

#[cfg(test)]
mod tests {
    use super::without_registries;

    #[test]
    fn images_lose_their_registry_and_nothing_else_does() {
        for (text, shown) in [
            ("not found (reg.test:5000/late/app-1:v1, reg.test/team/b:v2)", "not found (…/app-1:v1, …/b:v2)"),
            ("behind reg.test/team/app:v1 38 s", "behind …/app:v1 38 s"),
            ("shop/web-0 so far; https://reg.test/v2/ 1/2", "shop/web-0 so far; https://reg.test/v2/ 1/2"),
        ] {
            assert_eq!(without_registries(text), shown);
        }
    }
}
