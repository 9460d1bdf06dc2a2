//! Why a startup was slow and what to change, in one sentence.

use super::super::format_duration;
use crate::causes::setting::Settings;
use crate::causes::{self, UNEXPLAINED};
use crate::model::startup::State;
use crate::model::text::sanitize;
use crate::table::Row;

/// The sentence that a startup's steps come to.
pub(super) fn words(row: &Row) -> String {
    let what = match row.state {
        State::Running | State::Ended => "slow",
        State::Starting => "still starting",
        State::Failed | State::Gone => "did not run",
    };
    let first = row.findings.iter().find(|finding| &*finding.cause != UNEXPLAINED).or(row.findings.first());
    let Some(finding) = first else {
        return match row.state {
            State::Running | State::Ended if row.user_latency_s().is_none() => {
                "how long it took is unknown: the input does not show all of its start".into()
            }
            State::Running | State::Ended => "not slow: no phase took longer than usual".into(),
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
