//! Sentences that the terminal and Markdown share.

use super::{file_names, format_count, format_duration};
use crate::model::startup::State;
use crate::model::text::sanitize;
use crate::report::Coverage;
use crate::table::Summary;
use crate::table::coverage::Counter;

/// So many of something, by its word for one and for several.
pub(super) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", format_count(count), if count == 1 { one } else { many })
}

/// The p99 of the SLO; pods that did not come up have no bound.
pub(super) fn slo_p99(summary: &Summary) -> String {
    summary.slo_p99.map_or("unbounded".into(), format_duration)
}

/// How many of the SLO's startups did not come up, in brackets.
pub(super) fn slo_did_not_come_up(summary: &Summary) -> String {
    match summary.slo_did_not_come_up {
        0 => String::new(),
        count => format!(" ({} did not come up)", format_count(count as usize)),
    }
}

/// The startups that the figures cover.
pub(super) fn startups(summary: &Summary) -> Vec<String> {
    let mut parts = vec![format!(
        "{} on {}",
        plural(summary.startups, "pod start", "pod starts"),
        plural(summary.nodes, "node", "nodes")
    )];
    if let Some((from, to)) = &summary.window {
        let clock = |time: &str| time.get(11..19).unwrap_or(time).to_owned();
        let day = |time: &str| time.get(..10).unwrap_or("").to_owned();
        let (from, to) = (&from.to_string(), &to.to_string());
        let second = if day(from) == day(to) { clock(to) } else { format!("{} {}", day(to), clock(to)) };
        parts.push(format!("{} {}–{second} UTC", day(from), clock(from)));
    }
    if !summary.kubelets.is_empty() {
        parts.push(format!(
            "kubelet {}",
            sanitize(
                &summary.kubelets.iter().map(|version| version.trim_start_matches('v')).collect::<Vec<_>>().join(", ")
            )
        ));
    }
    for (state, one, several) in [
        (State::Starting, "still starting", "still starting"),
        (State::Failing, "fails to start", "fail to start"),
        (State::Failed, "refused", "refused"),
        (State::Gone, "deleted before it came up", "deleted before they came up"),
        (State::Ended, "ended, not known whether it ran", "ended, not known whether they ran"),
    ] {
        match summary.in_state(state) as usize {
            0 => {}
            count => parts.push(plural(count, one, several)),
        }
    }
    if summary.corrected > 0 {
        parts.push(plural(summary.corrected as usize, "corrupt value corrected", "corrupt values corrected"));
    }
    parts
}

/// What was read, and what could not be.
pub(super) fn covered(c: &Coverage) -> Vec<String> {
    let mut parts = match (c.lines, c.samples) {
        (0, 1..) => vec![format!("read {} bytes", format_count(c.bytes as usize))],
        (0, _) if c.events > 0 => Vec::new(),
        // Of metrics the samples are counted.
        (_, 1..) if c.records == 0 => vec![format!("read {}", plural(c.lines as usize, "line", "lines"))],
        _ => vec![
            format!("read {}", plural(c.lines as usize, "line", "lines")),
            format!("{} used", format_count(c.records as usize)),
        ],
    };
    if c.events > 0 || c.pods > 0 && c.lines == 0 {
        let read = if parts.is_empty() { "read " } else { "" };
        let (pods, events) = (plural(c.pods as usize, "pod", "pods"), plural(c.events as usize, "event", "events"));
        parts.push(format!("{read}{pods}, {events}"));
    }
    if c.samples > 0 {
        parts.push(plural(c.samples as usize, "sample of metrics", "samples of metrics"));
    }
    let labelled = c.counters().into_iter().filter(|counter| counter.count > 0 && counter.name != "unread_sources");
    parts.extend(labelled.map(|counter| format!("{} {}", format_count(counter.count as usize), counter.label)));
    if !c.filters.is_empty() {
        parts.push(super::only(c));
    }
    parts.extend(super::pseudonyms(c));
    if c.zone_assumed {
        parts.push("no time zone in the log, assuming UTC (set --timezone)".into());
    }
    if c.partial {
        parts.push("interrupted; results are partial".into());
    }
    parts
}

/// The first lines that were not used, a line for each reason.
pub(super) fn unused_lines(c: &Coverage) -> Vec<String> {
    let examples = |counter: Counter| {
        let lines = c.unused_lines.iter().filter(|line| *line.why == *counter.name);
        let all: Vec<String> = lines.map(|line| format!("{}:{}", line.source, line.line)).collect();
        (!all.is_empty()).then(|| format!("{}, e.g. {}", counter.label, all.join(", ")))
    };
    c.counters().into_iter().filter_map(examples).collect()
}

/// So many inputs are named of which no line was used.
pub(super) const UNUSED: usize = 3;

/// The inputs of which no line was used, so many of them by name; none where nothing at all was used, which is said elsewhere.
pub(super) fn unused_sources(c: &Coverage, named: usize) -> Option<String> {
    let unused = c.unused_sources.as_slice();
    if unused.is_empty() || unused.len() == c.sources.len() {
        return None;
    }
    let names = unused.iter().take(named).map(|name| file_names::unique(name, &c.sources));
    let more = unused.len().saturating_sub(named);
    let more = if more > 0 { format!(" and {} more", format_count(more)) } else { String::new() };
    let inputs = plural(unused.len(), "input", "inputs");
    Some(format!("no line used of {inputs}: {}{more}", names.collect::<Vec<_>>().join(", ")))
}
