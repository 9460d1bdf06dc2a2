//! Causes: rules that claim seconds of one startup, with evidence. Each claims only phases that its evidence touches, and
//! only seconds no earlier rule of the table has claimed: specific ones stand before general ones.
//!
//! To add a cause: a file here, with its text under the four headings, and its place in [`CAUSES`] (in [`METRIC_CAUSES`], if only
//! metrics prove it); `explain`, the summary and the page print the same words. Tests check ids, headings, advice and that
//! every phase has a cause.

mod admission_wait;
mod advice;
mod api_client_throttled;
mod case;
mod clock_skew;
mod container_config_error;
mod container_start_error;
mod cpu_throttled;
mod crash_loop;
mod credential_provider_slow;
pub mod evidence;
mod image_gc_repull;
mod image_large;
mod image_pull_always;
mod image_pull_failing;
mod image_pull_queued;
mod image_pull_slow;
mod image_pull_unresolved;
mod init_containers;
mod kubelet_restart;
mod memory_high_throttled;
mod network_not_ready;
mod node_overloaded;
mod pleg_relist_delay;
mod post_start_hook;
mod pull_rate_limited;
mod record_late;
mod registry_slow;
mod runtime_slow;
mod sandbox_cni_failing;
mod sandbox_cni_slow;
mod scheduling_wait;
mod selinux_relabel;
pub mod setting;
mod sidecar_startup_probe;
mod status_report_slow;
mod unexplained;
mod volume_attach_slow;
mod volume_fsgroup_chown;
mod volume_mount_slow;
mod volume_object_missing;

pub(crate) use advice::minor;
pub use advice::{Advice, Advised};
pub(crate) use case::is_with_others;
pub use case::{Case, Match};

use crate::breakdown::Span;
use crate::causes::evidence::Evidence;
use crate::model::phase::{PHASES, Phase};
use crate::model::record::SourceLine;
use crate::model::time::Nanos;

/// Every cause of logs, in the order they claim: specific before general.
pub const CAUSES: &[Cause] = &[
    clock_skew::CAUSE,
    kubelet_restart::CAUSE,
    scheduling_wait::CAUSE,
    admission_wait::CAUSE,
    volume_object_missing::CAUSE,
    volume_fsgroup_chown::CAUSE,
    volume_attach_slow::CAUSE,
    api_client_throttled::CAUSE,
    volume_mount_slow::CAUSE,
    pull_rate_limited::CAUSE,
    image_pull_failing::CAUSE,
    image_gc_repull::CAUSE,
    image_pull_always::CAUSE,
    image_pull_queued::CAUSE,
    image_pull_unresolved::CAUSE,
    registry_slow::CAUSE,
    image_large::CAUSE,
    image_pull_slow::CAUSE,
    init_containers::CAUSE,
    network_not_ready::CAUSE,
    container_config_error::CAUSE,
    container_start_error::CAUSE,
    crash_loop::CAUSE,
    sidecar_startup_probe::CAUSE,
    post_start_hook::CAUSE,
    sandbox_cni_failing::CAUSE,
    node_overloaded::CAUSE,
    sandbox_cni_slow::CAUSE,
    selinux_relabel::CAUSE,
    runtime_slow::CAUSE,
    pleg_relist_delay::CAUSE,
    status_report_slow::CAUSE,
    record_late::CAUSE,
    unexplained::CAUSE,
];

/// Causes that only metrics prove: in logs they claim nothing. What each needs to be judged stands in `metrics::judge`.
pub const METRIC_CAUSES: &[Cause] =
    &[cpu_throttled::CAUSE, memory_high_throttled::CAUSE, credential_provider_slow::CAUSE];

/// A rule, and what it means.
#[derive(Debug)]
pub struct Cause {
    /// Its id, as users type it; it names the trouble, not the remedy.
    pub id: &'static str,
    /// One sentence for the summary.
    pub title: &'static str,
    /// What to do about it, by version, the oldest first.
    pub advice: &'static [Advice],
    /// The four headings.
    pub text: &'static str,
    /// What a healthy start spends in these phases: only what lies beyond is lost.
    pub baseline: Nanos,
    /// It claims nothing below this loss.
    pub threshold: Nanos,
    /// How reference and limit were found.
    pub rationale: &'static str,
    /// What can show it. With none of these it is not guessed, but named among what could not be judged.
    pub shown_by: &'static [Evidence],
    /// The phases it may claim; none: it explains, and claims no seconds.
    pub phases: &'static [Phase],
    /// Whether its seconds are lost to the pod. Not where only the kubelet's record is late: that delays no pod.
    pub counts_as_loss: bool,
    /// Whether it is there, and what shows it.
    pub check: fn(&Case<'_>) -> Option<Match>,
}

/// A cause's claim on seconds of one startup.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which cause.
    pub cause: &'static str,
    /// How much it cost beyond its reference.
    pub lost: Nanos,
    /// How much of it is certain.
    pub certain: Nanos,
    /// A line that shows it.
    pub evidence: Option<SourceLine>,
    /// Whom or what was waited for, when that is known.
    pub about: Option<Box<str>>,
}

/// Judges a startup: its findings, the costliest first.
pub fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut free: Vec<&Span> = case.breakdown.spans.iter().collect();
    let mut found = Vec::new();
    for cause in CAUSES {
        let Some(sign) = (cause.check)(case) else { continue };
        let mine = |span: &&Span| {
            let within = sign.within.is_none_or(|(from, to)| span.from >= from && span.to <= to);
            cause.phases.contains(&span.phase) && within
        };
        let beyond = |whole: Nanos| Nanos((whole - cause.baseline).0.max(0));
        let lost = beyond(free.iter().filter(|span| mine(span)).map(|span| span.to - span.from).sum());
        if !cause.phases.is_empty() && (lost <= Nanos(0) || lost < cause.threshold) {
            continue;
        }
        let least = beyond(free.iter().filter(|span| mine(span)).map(|span| span.min).sum());
        let longest = free.iter().filter(|span| mine(span)).max_by_key(|span| span.to - span.from);
        let observed = || case.startup.observed_at.map(|(_, place)| place);
        found.push(Finding {
            cause: cause.id,
            lost,
            certain: if sign.likely { Nanos(0) } else { least.min(sign.at_most.unwrap_or(least)) },
            evidence: sign.place.or(longest.and_then(|span| span.place)).or_else(observed),
            about: sign.about.or_else(|| longest.and_then(|span| span.about.clone())),
        });
        free.retain(|span| !mine(span));
    }
    found.sort_by(|a, b| b.lost.cmp(&a.lost).then(a.cause.cmp(b.cause)));
    found
}

/// All causes: those of logs, then those that only metrics prove.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    CAUSES.iter().chain(METRIC_CAUSES)
}

/// All causes by the group of the phase they claim first, in the order of the phases; what claims no seconds comes last.
pub fn by_group() -> Vec<(&'static str, Vec<&'static Cause>)> {
    const CLOCKS: &str = "clocks";
    let group = |cause: &Cause| match cause.phases.first() {
        Some(Phase::Unattributed) => "between the phases",
        Some(phase) => phase.words().group,
        None => CLOCKS,
    };
    let mut groups: Vec<(&str, Vec<&Cause>)> = Vec::new();
    let order = PHASES.iter().map(|(phase, _)| phase.words().group).chain(["between the phases", CLOCKS]);
    for name in order {
        let mine: Vec<&Cause> = all().filter(|cause| group(cause) == name).collect();
        if !mine.is_empty() && !groups.iter().any(|(known, _)| *known == name) {
            groups.push((name, mine));
        }
    }
    groups
}

/// Whether the seconds that a cause claims are lost to the pod.
pub(crate) fn counts_as_loss(id: &str) -> bool {
    named(id).is_none_or(|cause| cause.counts_as_loss)
}

/// The cause with this id.
pub fn named(id: &str) -> Option<&'static Cause> {
    all().find(|cause| cause.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_has_a_cause_that_needs_no_further_evidence() {
        for (phase, name) in PHASES {
            assert!(CAUSES.iter().any(|cause| cause.phases.contains(phase)), "no cause for {name}");
        }
    }

    #[test]
    fn every_cause_is_in_one_group() {
        let listed: usize = by_group().iter().map(|(_, causes)| causes.len()).sum();
        assert_eq!(listed, all().count());
    }

    #[test]
    fn ids_are_unique_and_texts_have_their_headings() {
        let mut ids: Vec<&str> = all().map(|cause| cause.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all().count());
        for cause in all() {
            let headings = ["What it means", "How it is recognised", "What to do", "When it misleads"];
            let found: Vec<usize> =
                headings.iter().filter_map(|heading| cause.text.find(&format!("{heading}\n"))).collect();
            assert!(found.len() == 4 && found.is_sorted(), "{}: headings", cause.id);
            assert!(cause.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", cause.id);
        }
    }
}
