//! The change of the mean start as a sum of the changes of its phases.

use super::{Line, LineKind, Verdict};
use crate::model::phase::Phase;

/// The change of the mean start, all startups included, and what it consists of. Lost and saved seconds both show, also where
/// they cancel out.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct PerStart {
    /// The parts, the largest change first: phases, or the group of phases where one of them is not comparable. The phase
    /// `watch` is left out, as the pod runs by then.
    pub parts: Vec<Part>,
    /// Their sum, seconds.
    pub change_s: f64,
}

/// The change of a phase or group of the mean start.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Part {
    /// Whether it is a phase or a group.
    pub kind: LineKind,
    /// Its name.
    pub name: String,
    /// Mean seconds after − before.
    pub change_s: f64,
}

impl PerStart {
    /// Of the lines of phases and their groups.
    pub(super) fn of(lines: &[Line]) -> Self {
        let group = |line: &Line| Phase::from_name(&line.name).map(|phase| phase.words().group);
        let phases = || lines.iter().filter(|line| line.kind == LineKind::Phase);
        let uncertain =
            |name: &str| phases().any(|line| line.verdict == Verdict::NotComparable && group(line) == Some(name));
        let is_part = |line: &&Line| match line.kind {
            LineKind::Group => uncertain(&line.name),
            LineKind::Phase => line.name != Phase::Watch.name() && !group(line).is_some_and(uncertain),
            _ => false,
        };
        let part = |line: &Line| {
            let change_s = line.mean_after_s? - line.mean_before_s?;
            Some(Part { kind: line.kind, name: line.name.clone(), change_s })
        };
        let mut parts: Vec<Part> = lines.iter().filter(is_part).filter_map(part).collect();
        let change_s = parts.iter().fold(0.0, |sum, part| sum + part.change_s);
        parts.sort_by(|a, b| b.change_s.abs().total_cmp(&a.change_s.abs()));
        PerStart { parts, change_s }
    }
}
