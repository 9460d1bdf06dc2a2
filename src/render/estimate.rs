//! Estimates of other settings in words.

use super::{format_duration, format_range};
use crate::report::Report;
use crate::report::replay::{Change, TOLERANCE, WhatIf};
use crate::table::CauseLine;

/// What a cause cost: `25 s`; from what is certain to the most it can be, `16–33 s`; `up to 9.0 s` where nothing is certain.
pub(super) fn time_lost(line: &CauseLine) -> String {
    if line.is_certain() {
        return format_duration(line.lost_s);
    }
    match line.lost_min_s / line.lost_s {
        share if share < 0.005 => format!("up to {}", format_duration(line.lost_s)),
        _ => format_range(line.lost_min_s, line.lost_s),
    }
}

/// The estimate for the advice of a cause.
pub(super) fn of_cause(report: &Report, cause: &str) -> Option<String> {
    report.what_if.iter().find(|what_if| what_if.cause.as_deref() == Some(cause)).map(line)
}

/// Whether the advice of a cause has an estimate, and not only a reason why there is none.
pub(super) fn exists(report: &Report, cause: &str) -> bool {
    let of = |what_if: &&WhatIf| what_if.cause.as_deref() == Some(cause);
    report.what_if.iter().find(of).is_some_and(|what_if| what_if.not_estimated_because.is_none())
}

/// The estimates that the user asked for.
pub(super) fn requested(report: &Report) -> Vec<&WhatIf> {
    report.what_if.iter().filter(|what_if| what_if.cause.is_none()).collect()
}

/// Of the estimates, the one that surely brings p95 down most.
pub(super) fn best(report: &Report) -> Option<String> {
    let saved = |what_if: &WhatIf| what_if.p95.before - what_if.p95.high;
    let gains =
        |what_if: &&WhatIf| what_if.not_estimated_because.is_none() && saved(what_if) > what_if.p95.before * TOLERANCE;
    let best = report.what_if.iter().filter(gains).max_by(|a, b| saved(a).total_cmp(&saved(b)))?;
    // One alone stands with its cause.
    (report.what_if.len() > 1).then(|| format!("{}: {}", best.setting, said(best, "simulated", "simulations")))
}

/// What the settings would save, in a line.
pub(super) fn line(what_if: &WhatIf) -> String {
    let setting = &what_if.setting;
    if let Some(reason) = &what_if.not_estimated_because {
        return format!("no estimate for {setting}: {reason}");
    }
    said(what_if, &format!("simulated: {setting}"), &format!("simulations with {setting}"))
}

/// What a setting would save, where the words say what was simulated.
fn said(what_if: &WhatIf, simulated: &str, simulations: &str) -> String {
    let change = |name: &str, change: &Change| {
        let (before, after) = (format_duration(change.before), format_range(change.likely_low, change.likely_high));
        format!("{name} {before} → {after}")
    };
    let changes = [change("p50", &what_if.p50), change("p95", &what_if.p95), change("max", &what_if.max)];
    let gains = |change: &Change| change.likely_high < change.before * (1.0 - TOLERANCE);
    let likely = [&what_if.p50, &what_if.p95, &what_if.max].into_iter().any(gains);
    let note = if likely { "" } else { "no clear gain: " };
    let range = match beyond_likely(&what_if.p95) {
        true => format!("80 % of {simulations}; p95 of all: {}", format_range(what_if.p95.low, what_if.p95.high)),
        false => simulated.to_owned(),
    };
    format!("{note}{} ({range})", changes.join(", "))
}

/// Whether some simulations gave more or less than the likely range and its tolerance. A real run may be one of them, so a reader
/// must see how far they go.
fn beyond_likely(change: &Change) -> bool {
    change.low < change.likely_low * (1.0 - TOLERANCE) || change.high > change.likely_high * (1.0 + TOLERANCE)
}
