//! Causes: rules that claim seconds of a startup, with evidence. A rule claims only phases that its evidence touches, and
//! only seconds that no earlier rule of [`CAUSES`] has claimed: specific causes come before general ones.
//!
//! To add a cause: its file here (rule over logs, rule over metrics, thresholds with their rationale, advice by version, text),
//! its line in [`CAUSES`], and its cases in `tests/causes/cases.toml`. `explain`, the summary and the page print the same words.
//! A test names what is missing: a rule for the evidence it lists, a heading, advice for a version, a case.

mod admission_wait;
mod advice;
mod api_client_throttled;
mod case;
mod clock_skew;
mod container_config_error;
mod container_start_error;
mod cpu_throttled;
mod crash_loop;
mod dra_prepare_failing;
mod dra_prepare_slow;
mod error_reason;
pub mod evidence;
mod image_credentials_slow;
mod image_gc_repull;
mod image_large;
mod image_pull_always;
mod image_pull_failing;
mod image_pull_queued;
mod image_pull_slow;
mod image_pull_unresolved;
mod image_volume_pull;
mod init_containers;
mod kubelet_restart;
mod memory_high_throttled;
pub mod metric_rules;
mod network_not_ready;
mod node_overloaded;
mod pleg_relist_delay;
mod post_start_hook;
mod pull_rate_limited;
mod readiness_slow;

mod registry_mirror_failing;
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
mod userns_chown;
mod volume_attach_slow;
mod volume_fsgroup_chown;
mod volume_mount_slow;
mod volume_object_missing;
mod volume_object_not_synced;

pub(crate) use advice::minor;
pub use advice::{Advice, Advised};
pub use case::{Case, Match};

use crate::breakdown::{Anomaly, Span};
use crate::causes::evidence::Evidence;
use crate::causes::metric_rules::MetricRule;
use crate::model::nearest::nearest;
use crate::model::phase::{PHASES, Phase};
use crate::model::record::{Field, SourceLine};
use crate::model::startup::State;
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;

/// Every cause. Log rules claim in this order: specific before general.
pub const CAUSES: &[Cause] = &[
    clock_skew::CAUSE,
    kubelet_restart::CAUSE,
    scheduling_wait::CAUSE,
    admission_wait::CAUSE,
    volume_object_missing::CAUSE,
    volume_fsgroup_chown::CAUSE,
    volume_attach_slow::CAUSE,
    api_client_throttled::CAUSE,
    volume_object_not_synced::CAUSE,
    volume_mount_slow::CAUSE,
    pull_rate_limited::CAUSE,
    image_pull_failing::CAUSE,
    registry_mirror_failing::CAUSE,
    image_volume_pull::CAUSE,
    image_credentials_slow::CAUSE,
    image_gc_repull::CAUSE,
    image_pull_always::CAUSE,
    image_pull_queued::CAUSE,
    image_pull_unresolved::CAUSE,
    registry_slow::CAUSE,
    image_large::CAUSE,
    image_pull_slow::CAUSE,
    init_containers::CAUSE,
    network_not_ready::CAUSE,
    dra_prepare_failing::CAUSE,
    dra_prepare_slow::CAUSE,
    container_config_error::CAUSE,
    container_start_error::CAUSE,
    crash_loop::CAUSE,
    sidecar_startup_probe::CAUSE,
    post_start_hook::CAUSE,
    sandbox_cni_failing::CAUSE,
    node_overloaded::CAUSE,
    sandbox_cni_slow::CAUSE,
    selinux_relabel::CAUSE,
    userns_chown::CAUSE,
    runtime_slow::CAUSE,
    pleg_relist_delay::CAUSE,
    status_report_slow::CAUSE,
    unexplained::CAUSE,
    readiness_slow::CAUSE,
    // Only metrics show these.
    cpu_throttled::CAUSE,
    memory_high_throttled::CAUSE,
];

/// The id of the cause of a container that is started again and again.
pub const CRASH_LOOP: &str = crash_loop::CAUSE.id;
/// The id of the cause of seconds that no evidence explains.
pub const UNEXPLAINED: &str = unexplained::CAUSE.id;
pub(crate) use unexplained::change as change_of_unexplained;
/// Waiting for other pulls: where it is and no pulls ran beside each other, they are serial.
pub const IMAGE_PULL_QUEUED: &str = image_pull_queued::CAUSE.id;

/// The id of the cause of a pod that ran and was not ready.
pub const READINESS_SLOW: &str = readiness_slow::CAUSE.id;

/// A rule over a startup's log: whether the cause is there, and what shows it.
pub type LogRule = fn(&Case<'_>) -> Option<Match>;

/// A cause: its rules, and what it means.
#[derive(Debug)]
pub struct Cause {
    /// Its id, as users type it; it names the problem, not the remedy.
    pub id: &'static str,
    /// Its title in the summary.
    pub title: &'static str,
    /// What to do about it, by version, the oldest first.
    pub advice: &'static [Advice],
    /// The text under the four headings.
    pub text: &'static str,
    /// What a healthy start spends in these phases: only the time above it is lost.
    pub baseline: Nanos,
    /// Below this loss it claims nothing.
    pub threshold: Nanos,
    /// The reason for baseline and threshold.
    pub rationale: &'static str,
    /// The input that can show it. Without any of it the cause is not guessed, but listed as not checked.
    pub shown_by: &'static [Evidence],
    /// The phases it may claim; none: it explains, and claims no seconds.
    pub phases: &'static [Phase],
    /// Its rule over logs; none if only metrics show it.
    pub logs: Option<LogRule>,
    /// Its rule over metrics; none if only logs show it.
    pub metrics: Option<MetricRule>,
}

impl Cause {
    /// Whether what it costs is lost before the pod runs, and not only before it is ready.
    pub fn delays_running(&self) -> bool {
        self.phases.is_empty() || self.phases.iter().any(|phase| phase.is_in_total())
    }
}

/// A cause's claim on seconds of one startup.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which cause.
    pub cause: &'static str,
    /// How much it cost beyond its baseline.
    pub lost: Nanos,
    /// How much of it is certain.
    pub certain: Nanos,
    /// A line that shows it.
    pub evidence: Option<SourceLine>,
    /// What was waited for, if known.
    pub waited_for: Option<WaitedFor>,
    /// The reason in the error that shows it, shortened.
    pub error: Option<Box<str>>,
    /// It keeps the pod from running: a line says that a step failed, and none that the pod came up.
    pub blocks: bool,
}

/// An event whose age is short is known to this, whatever recorded it; one of more is known by a coarse age.
const COARSE_AGE: Nanos = Nanos(3 * SECOND);

/// The state of a startup by what was found: one that is still on its way fails to start if a step of it failed, or a container
/// waits to be started again. The others are only young.
pub fn state(case: &Case<'_>, findings: &[Finding]) -> State {
    let state = case.breakdown.state;
    let loops = || case.breakdown.anomalies.contains(&Anomaly::CrashLoop);
    let fails = || findings.iter().any(|finding| finding.blocks) || loops();
    if state == State::Starting && fails() { State::Failing } else { state }
}

/// Applies the rules to a startup: its findings, the costliest first.
pub fn judge(case: &Case<'_>) -> Vec<Finding> {
    // All that is known of it is its mirror, whose times are not those of its start.
    if case.startup.static_pod && case.startup.observed.is_some() {
        return Vec::new();
    }
    let mut free: Vec<&Span> = case.breakdown.spans.iter().chain(&case.breakdown.readiness).collect();
    // Only texts for people have events that are known by their ages.
    let uncertainty = case.startup.age_uncertainty().filter(|_| case.startup.by_objects);
    let mut found = Vec::new();
    for cause in CAUSES {
        let Some(matched) = cause.logs.and_then(|rule| rule(case)) else { continue };
        let mine = |span: &&Span| {
            let inside = |(from, to): &(Time, Time)| span.from >= *from && span.to <= *to;
            let within = matched.within.is_empty() || matched.within.iter().any(inside);
            let waited = matched.also_waiting.is_some() && span.waited_for == matched.also_waiting;
            waited || (cause.phases.contains(&span.phase) || matched.also.contains(&span.phase)) && within
        };
        let beyond = |whole: Nanos| Nanos((whole - cause.baseline).0.max(0));
        let lost = beyond(free.iter().filter(|span| mine(span)).map(|span| span.to - span.from).sum());
        let lost = (lost - matched.noticed_late).max(Nanos(0));
        let blocked = matched.failing && case.breakdown.state != State::Running;
        let least = beyond(free.iter().filter(|span| mine(span)).map(|span| span.min).sum()).min(lost);
        // By times in whole seconds a phase looks up to a second longer or shorter than it was: the middle decides.
        let whole_seconds = case.breakdown.timeline.whole_seconds && !matched.counted;
        let unsure = match uncertainty.is_some() {
            // So it does by ages.
            true => (lost - least).0.max(0) / 2,
            false if whole_seconds => (lost - least).0.clamp(0, SECOND) / 2,
            false => 0,
        };
        // By coarse ages a phase looks as long as its bounds are wide: what is certain decides. So it does of what nothing explains.
        let coarse = uncertainty.is_some_and(|uncertainty| uncertainty > COARSE_AGE || cause.id == UNEXPLAINED);
        let likely = if coarse { least } else { lost - Nanos(unsure) };
        // What keeps the pod from running has its time already.
        let is_said = lost <= Nanos(0) && found.iter().any(|((blocked, _), _)| *blocked);
        if is_said && !cause.phases.is_empty() {
            continue;
        }
        if !blocked && !cause.phases.is_empty() && (likely <= Nanos(0) || likely < cause.threshold) {
            continue;
        }
        let longest = free.iter().filter(|span| mine(span)).max_by_key(|span| span.to - span.from);
        let observed = || case.startup.observed_at.map(|(_, place)| place);
        let failure = matched.place.filter(|_| matched.failing).and_then(|place| case.event_at(place));
        let by_line = || failure.and_then(|event| error_reason::of(event.fields.text(Field::Error)?));
        // By the times of relists alone a burst may look larger than what a phase of its own names.
        let inferred = matches!(matched.waited_for, Some(WaitedFor::Burst { .. }));
        let rank = match (coarse, inferred) {
            (true, _) => least,
            (false, true) => Nanos(least.0.midpoint(lost.0)),
            (false, false) => lost,
        };
        let finding = Finding {
            cause: cause.id,
            error: matched.error.or_else(by_line),
            lost,
            certain: if matched.likely { Nanos(0) } else { least.min(matched.at_most.unwrap_or(least)) },
            evidence: matched.place.or(longest.and_then(|span| span.place)).or_else(observed),
            waited_for: matched.waited_for.or_else(|| {
                longest
                    .and_then(|span| span.waited_for.clone())
                    .filter(|waited| *waited != WaitedFor::DetectionOrUpdate)
            }),
            blocks: blocked,
        };
        // What still fails keeps the pod from running, however much longer something else took before.
        found.push(((blocked, rank), finding));
        free.retain(|span| !mine(span));
    }
    let delays_running = |finding: &Finding| named(finding.cause).is_none_or(Cause::delays_running);
    found.sort_by(|(rank_a, a), (rank_b, b)| {
        (delays_running(b), rank_b).cmp(&(delays_running(a), rank_a)).then(a.cause.cmp(b.cause))
    });
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// All causes.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    CAUSES.iter()
}

/// Where to find the ids of causes, and the one that a word was probably meant to be.
pub fn list_of_causes(word: &str) -> String {
    match nearest(word, all().map(|cause| cause.id)) {
        Some(near) => format!("did you mean {near}? podlag explain lists all causes"),
        None => "podlag explain lists all causes".into(),
    }
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
            let has = |cause: &Cause| cause.logs.is_some() && cause.phases.contains(phase);
            // A record that is written late delays no pod.
            assert!(*phase == Phase::Watch || CAUSES.iter().any(has), "no cause for {name}");
        }
    }

    #[test]
    fn every_cause_has_a_rule_for_the_evidence_it_lists() {
        let of_metrics = |kind: &&Evidence| {
            let metrics = [Evidence::KubeletMetrics, Evidence::ContainerMetrics, Evidence::RuntimeMetrics];
            metrics.contains(kind) || **kind == Evidence::NodeMetrics
        };
        for cause in CAUSES {
            let by_metrics = cause.shown_by.iter().filter(of_metrics).count();
            let by_logs = cause.shown_by.len() - by_metrics;
            assert_eq!(cause.logs.is_some(), by_logs > 0, "{}: its rule over logs and `shown_by`", cause.id);
            assert_eq!(cause.metrics.is_some(), by_metrics > 0, "{}: its rule over metrics and `shown_by`", cause.id);
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
            let headings = ["What it means", "How it is detected", "What to do", "When it misleads"];
            let found: Vec<usize> =
                headings.iter().filter_map(|heading| cause.text.find(&format!("{heading}\n"))).collect();
            assert!(found.len() == 4 && found.is_sorted(), "{}: headings", cause.id);
            assert!(cause.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", cause.id);
        }
    }
}
