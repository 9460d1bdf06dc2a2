//! Which lines can be compared: the inputs of the two sides may show different things, and a difference would then be theirs, not
//! that of the starts.

use std::collections::BTreeSet;

use super::{Line, LineKind, Verdict};
use crate::causes::evidence::Evidence;
use crate::model::phase::{PHASES, Phase};
use crate::report::Report;

/// Phases of which so much more is certain on one side than on the other are not compared: without the runtime's log the time of
/// one phase is counted in its neighbours, and a difference would show the logs, not the starts.
const MAX_CERTAINTY_GAP: f64 = 0.5;

/// How much the share of starts that only objects show may differ, with both sides still ending alike.
const MAX_OBJECTS_GAP: f64 = 0.1;

/// Whether `running` is another instant on one side: objects show when the kubelet saw that all containers ran, the logs when
/// the API server had accepted that status. Readiness has whole seconds by objects, and the log's precision by logs.
pub(super) fn ends_differ(before: &Report, after: &Report) -> bool {
    let by_objects = |report: &Report| {
        let (mut known, mut objects) = (0, 0);
        for (words, count) in report.summary.evidence.iter().filter(|(words, _)| !words.is_empty()) {
            known += count;
            let of_objects = |kind: Evidence| matches!(kind, Evidence::Events | Evidence::Pods);
            objects += if Evidence::read(words).all(of_objects) { *count } else { 0 };
        }
        (known > 0).then(|| objects as f64 / known as f64)
    };
    by_objects(before).zip(by_objects(after)).is_some_and(|(before, after)| (before - after).abs() > MAX_OBJECTS_GAP)
}

/// The kinds of inputs of a report.
fn kinds(report: &Report) -> BTreeSet<Evidence> {
    report.summary.evidence.iter().flat_map(|(words, _)| Evidence::read(words)).collect()
}

/// Withdraws what is said of phases whose change may be time that one side's input leaves unattributed: the inputs differ in
/// kind, and the unattributed time changed by as much the other way.
pub(super) fn unattributed_elsewhere(lines: &mut [Line], before: &Report, after: &Report) {
    if kinds(before) == kinds(after) {
        return;
    }
    let change = |line: &Line| line.mean_after_s.unwrap_or(0.0) - line.mean_before_s.unwrap_or(0.0);
    let is_unattributed = |line: &&Line| line.kind == LineKind::Phase && line.name == Phase::Unattributed.name();
    let unattributed = lines.iter().find(is_unattributed).map_or(0.0, change);
    let moved = |line: &&mut Line| {
        let change = change(line);
        matches!(line.kind, LineKind::Phase | LineKind::Group)
            && matches!(line.verdict, Verdict::Slower | Verdict::Faster)
            && change * unattributed < 0.0
            && change.abs() <= unattributed.abs()
    };
    for line in lines.iter_mut().filter(moved) {
        (line.p_value, line.verdict) = (None, Verdict::NotComparable);
    }
}

/// The group of a phase, if it has no other.
pub(super) fn only_phase_of(phase: &str) -> Option<&'static str> {
    let group = group_of(phase)?;
    let phases = PHASES.iter().filter(|(phase, _)| phase.words().group == group).count();
    (phases == 1).then_some(group)
}

/// The phases that only one side has, where the inputs of the two are of different kinds, and the other side's time of them lies in
/// what is unattributed there. Where it lies in other phases of their group, the group can be compared.
pub(super) fn shown_by_one_side(lines: &[Line], before: &Report, after: &Report) -> Vec<&'static str> {
    if kinds(before) == kinds(after) {
        return Vec::new();
    }
    let means = |line: &Line| (line.mean_before_s.unwrap_or(0.0), line.mean_after_s.unwrap_or(0.0));
    let phases = || lines.iter().filter(|line| line.kind == LineKind::Phase);
    let unattributed = phases().find(|line| line.name == Phase::Unattributed.name()).map_or((0.0, 0.0), means);
    let is_missing = |line: &&Line| match means(line) {
        (before, 0.0) if before > 0.0 => unattributed.1 - unattributed.0 >= before / 2.0,
        (0.0, after) if after > 0.0 => unattributed.0 - unattributed.1 >= after / 2.0,
        _ => false,
    };
    phases().filter(is_missing).filter_map(|line| Phase::from_name(&line.name)).map(Phase::name).collect()
}

/// The group of a phase.
pub(super) fn group_of(phase: &str) -> Option<&'static str> {
    Phase::from_name(phase).map(|phase| phase.words().group)
}

/// Whether one side knows a phase much better than the other.
pub(super) fn inputs_differ(phase: &str, before: &Report, after: &Report) -> bool {
    let certain = |report: &Report, name: &str| {
        let line = report.summary.phases.iter().find(|line| line.phase == name);
        line.filter(|line| line.lost_s > 0.0).map(|line| line.certain_share)
    };
    // The uncertain part of a phase lies in the others of its group.
    let neighbours = PHASES.iter().filter(|(_, name)| group_of(name) == group_of(phase));
    neighbours
        .filter_map(|(_, name)| certain(before, name).zip(certain(after, name)))
        .any(|(before, after)| (before - after).abs() > MAX_CERTAINTY_GAP)
}
