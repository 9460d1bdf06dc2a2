//! Why a startup was slow and what to change, in one sentence.

use super::super::format_duration;
use crate::causes::setting::Settings;
use crate::causes::{self, UNEXPLAINED};
use crate::model::phase::PHASES;
use crate::model::startup::State;
use crate::model::text::sanitize;
use crate::table::Row;

/// The sentence that a startup's steps come to.
pub(super) fn words(row: &Row) -> String {
    let what = match row.state {
        State::Running | State::Ended => "slow",
        State::Starting => "still starting",
        State::Failing => "fails to start",
        State::Failed | State::Gone => "did not come up",
    };
    let first = row.findings.iter().find(|finding| &*finding.cause != UNEXPLAINED).or(row.findings.first());
    let Some(finding) = first else {
        return match row.state {
            State::Running | State::Ended if row.user_latency_s().is_none() => {
                "how long it took is unknown: the input does not show all of its start".into()
            }
            State::Running | State::Ended => longest(row),
            _ => format!("{what}: the input does not show why"),
        };
    };
    let all = row.user_latency_s().filter(|all| *all >= finding.lost_s);
    let of = all.map_or(String::new(), |all| format!(" of {}", format_duration(all)));
    let named = [&finding.waited_for, &finding.error].into_iter().flatten();
    let about: String = named.map(|named| format!(", {}", sanitize(named))).collect();
    // A clock that is wrong costs no time.
    let lost = match finding.lost_s > 0.0 {
        true => format!(" ({}{of}{about})", format_duration(finding.lost_s)),
        false => String::new(),
    };
    let what = if row.total_s.is_some_and(|total| total < 0.0) { "its duration is unknown" } else { what };
    let Some(cause) = causes::named(&finding.cause) else {
        return format!("{what} because of {}{lost}", sanitize(&finding.cause));
    };
    let change = cause.advised(row.kubelet_version.as_deref(), &Settings::read(&row.settings)).set;
    format!("{what} because: {}{lost}; change: {change}", cause.title)
}

/// What to say of a startup without a cause: where most of its time went, which is below what counts as slow.
fn longest(row: &Row) -> String {
    let phases = PHASES.iter().filter(|(phase, _)| phase.is_in_total() && phase.delays_pod());
    let seconds = phases.filter_map(|(phase, _)| Some((row.phases.of(*phase)?, phase.words().label)));
    match seconds.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((most, label)) if most > 0.0 => {
            format!("no cause: no phase exceeded its threshold; the longest is {label} with {}", format_duration(most))
        }
        _ => "no cause: no phase exceeded its threshold".into(),
    }
}
