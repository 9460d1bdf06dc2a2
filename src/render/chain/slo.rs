//! The SLO value of one startup by us and by the kubelet, and why the two differ.

use super::super::format_duration;
use crate::breakdown::Anomaly;
use crate::model::phase::Phase;
use crate::table::Row;

/// Values that are this close are the same: the kubelet's is printed in nanoseconds, phases end at log lines.
const SAME: f64 = 0.1;

/// Both values with what they are of.
pub(super) fn words(row: &Row) -> String {
    let of = "(created to running without pulls and init containers)";
    let ours = row.slo_s.map_or("SLO value unknown".into(), |slo| format!("SLO value {} {of}", format_duration(slo)));
    match row.slo_recorded_s {
        None => format!("{ours}; no record of the kubelet"),
        Some(recorded) => format!("{ours}; the kubelet recorded {}", recorded_words(row, recorded)),
    }
}

fn recorded_words(row: &Row, recorded: f64) -> String {
    if row.anomalies.iter().any(|id| **id == *Anomaly::SloOverflow.name()) {
        return format!("{recorded:.0} s: the value overflowed (kubernetes #114903, #130432)");
    }
    let value = format_duration(recorded);
    if row.anomalies.iter().any(|id| **id == *Anomaly::CrashLoop.name()) {
        return format!("{value}: it is of the container's first run, which ended soon after");
    }
    let Some(difference) = row.slo_s.map(|slo| recorded - slo) else { return value };
    if difference.abs() < SAME {
        return value;
    }
    let phase = |phase: Phase| row.phases.of(phase).unwrap_or(0.0);
    let (watch, init) = (phase(Phase::Watch), phase(Phase::Init));
    let is = |seconds: f64| (difference - seconds).abs() < SAME;
    let watching = || format!("{} until its own watch saw the pod run", format_duration(watch));
    let initial = || format!("{} of init containers", format_duration(init));
    let reason = if is(watch) {
        format!("it includes {}", watching())
    } else if is(init) {
        format!("it includes {}", initial())
    } else if is(watch + init) {
        format!("it includes {} and {}", initial(), watching())
    } else if difference < 0.0 && row.image_pulls.len() > 1 {
        // Before 1.34.8 it leaves out one interval, from the first pull to the last.
        "it leaves out what lies between pulls, too".into()
    } else {
        "no line shows why they differ".into()
    };
    format!("{value}: {reason}")
}
