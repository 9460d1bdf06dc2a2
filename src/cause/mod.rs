//! Causes: rules that claim seconds of one startup, with evidence. Each claims only phases that its evidence touches, and
//! only seconds no earlier rule of the table has claimed: specific ones stand before general ones.
//!
//! To add a cause: a file here, with its text under the four headings, and its place in [`CAUSES`] (in [`MEASURED`], if only
//! metrics prove it); `explain`, the summary and the page print the same words. Tests check ids, headings, advice and that
//! every phase has a cause.

mod advice;
mod api_client_throttled;
mod container_config_error;
mod container_start_error;
mod container_start_slow;
mod cpu_throttled;
mod crash_loop;
mod credential_provider_slow;
mod evidence_missing;
mod image_pull_failing;
mod image_pull_or_queue;
mod image_pull_queued;
mod image_pull_slow;
mod init_containers;
mod kubelet_restart;
mod memory_qos_throttled;
mod network_not_ready;
mod node_overloaded;
mod pleg_polling;
mod pull_rate_limited;
mod sandbox_cni_failing;
mod sandbox_slow;
mod scheduling_wait;
mod sidecar_startup_probe;
mod status_report_slow;
mod volume_attach_slow;
mod volume_mount_slow;
mod volume_object_missing;
mod volume_ownership_walk;
mod watch_artefact;

pub use advice::{Advice, Advised};

use crate::breakdown::{Breakdown, Piece};
use crate::phase::Phase;
use crate::record::{Fact, Field, Place};
use crate::startup::{Event, Node, Startup};
use crate::time::{SECOND, Span};

/// Every cause of logs, in the order they claim: specific before general.
pub const CAUSES: &[Cause] = &[
    kubelet_restart::CAUSE,
    scheduling_wait::CAUSE,
    volume_object_missing::CAUSE,
    api_client_throttled::CAUSE,
    volume_mount_slow::CAUSE,
    pull_rate_limited::CAUSE,
    image_pull_failing::CAUSE,
    image_pull_queued::CAUSE,
    image_pull_or_queue::CAUSE,
    image_pull_slow::CAUSE,
    sandbox_cni_failing::CAUSE,
    sandbox_slow::CAUSE,
    init_containers::CAUSE,
    network_not_ready::CAUSE,
    container_config_error::CAUSE,
    crash_loop::CAUSE,
    container_start_error::CAUSE,
    sidecar_startup_probe::CAUSE,
    container_start_slow::CAUSE,
    pleg_polling::CAUSE,
    status_report_slow::CAUSE,
    watch_artefact::CAUSE,
    evidence_missing::CAUSE,
];

/// Causes that only metrics prove: in logs they claim nothing. What each needs to be judged stands in `metrics::judge`.
pub const MEASURED: &[Cause] = &[
    cpu_throttled::CAUSE,
    memory_qos_throttled::CAUSE,
    node_overloaded::CAUSE,
    volume_attach_slow::CAUSE,
    volume_ownership_walk::CAUSE,
    credential_provider_slow::CAUSE,
];

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
    /// It claims nothing below this: what it is, in seconds, is said with its reason in the text.
    pub limit: Span,
    /// The phases it may claim.
    pub phases: &'static [Phase],
    /// Whether its evidence is there, and the line that shows it.
    pub check: fn(&Case<'_>) -> Option<Option<Place>>,
}

/// What a rule looks at.
pub struct Case<'a> {
    /// The startup.
    pub startup: &'a Startup,
    /// Its breakdown.
    pub breakdown: &'a Breakdown,
    /// Its node.
    pub node: &'a Node,
}

impl Case<'_> {
    /// The first event of a fact whose text holds a word.
    fn says(&self, fact: Fact, word: &str) -> Option<&Event> {
        self.startup.all(fact).find(|event| self.in_time(event) && event.tells(word))
    }

    /// A sync that failed with this reason.
    fn failed_with(&self, reasons: &[&str]) -> Option<&Event> {
        self.startup
            .all(Fact::SyncFailed)
            .find(|event| self.in_time(event) && event.text_of(Field::Reason).is_some_and(|r| reasons.contains(&r)))
    }

    fn around(&self, fact: Fact) -> Option<&Event> {
        self.startup.around.iter().find(|event| event.fact == fact)
    }

    /// What happens after the pod runs is none of its start.
    fn in_time(&self, event: &Event) -> bool {
        self.breakdown.running.is_none_or(|running| event.time <= running)
    }
}

/// A cause's claim on seconds of one startup.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which cause.
    pub cause: &'static str,
    /// How much it cost.
    pub lost: Span,
    /// How much of it is certain.
    pub certain: Span,
    /// A line that shows it.
    pub evidence: Option<Place>,
    /// Whom or what was waited for, when that is known.
    pub about: Option<Box<str>>,
}

/// A start is slow from here on: the bound of SIG Scalability's pod startup SLO.
pub const SLOW: Span = Span(5 * SECOND);

/// Judges a startup: its findings, the costliest first.
pub fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut free: Vec<&Piece> = case.breakdown.pieces.iter().collect();
    let mut found = claims(case, &mut free, true);
    // A slow start whose phases all stay under their limits is named by the longest one.
    let slow = case
        .breakdown
        .running
        .or(case.breakdown.watched)
        .zip(case.breakdown.created)
        .map_or(case.breakdown.total, |(to, from)| Some(to - from));
    if found.is_empty() && slow.is_some_and(|slow| slow > SLOW) {
        found = claims(case, &mut free, false);
        found.sort_by(|a, b| b.lost.cmp(&a.lost).then(a.cause.cmp(b.cause)));
        found.truncate(1);
    }
    found.sort_by(|a, b| b.lost.cmp(&a.lost).then(a.cause.cmp(b.cause)));
    found
}

fn claims(case: &Case<'_>, free: &mut Vec<&Piece>, limited: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    for cause in CAUSES {
        let Some(evidence) = (cause.check)(case) else { continue };
        let mine = |piece: &&Piece| cause.phases.contains(&piece.phase);
        let lost: Span = free.iter().filter(|piece| mine(piece)).map(|piece| piece.to - piece.from).sum();
        if lost <= Span(0) || (limited && lost < cause.limit) {
            continue;
        }
        let certain: Span = free.iter().filter(|piece| mine(piece)).map(|piece| piece.min).sum();
        let longest = free.iter().filter(|piece| mine(piece)).max_by_key(|piece| piece.to - piece.from);
        let place =
            evidence.or(longest.and_then(|piece| piece.place)).or(case.startup.observed_at.map(|(_, place)| place));
        let about = longest.and_then(|piece| piece.about.clone());
        found.push(Finding { cause: cause.id, lost, certain, evidence: place, about });
        free.retain(|piece| !mine(piece));
    }
    found
}

/// All causes: those of logs, then those that only metrics prove.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    CAUSES.iter().chain(MEASURED)
}

/// The cause with this id.
pub fn named(id: &str) -> Option<&'static Cause> {
    all().find(|cause| cause.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phase::PHASES;

    #[test]
    fn every_phase_has_a_cause_that_needs_no_further_evidence() {
        for (phase, name) in PHASES {
            assert!(CAUSES.iter().any(|cause| cause.phases.contains(phase)), "no cause for {name}");
        }
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
