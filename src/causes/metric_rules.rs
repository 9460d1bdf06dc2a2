//! Causes by metrics: what a node's metric families prove about slow starts. A claim is in mean seconds per start, between two
//! bounds; if metrics show that there is a problem but not what it cost, the lower bound is 0. The rules are in the causes' files.

use std::collections::BTreeMap;

use super::case::BURST;
use super::{CAUSES, image_pull_unresolved, unexplained};
use crate::metrics::families::{FAILED, name};
use crate::metrics::{MeanComponent, MetricFinding, MetricsReport, RecordedStartup, StartupStats, Window};
use crate::model::duration::format_duration;
use crate::model::phase::Phase;
use crate::model::time::Nanos;

/// What a rule looks at.
pub struct MetricCase<'a> {
    /// The node's metrics.
    pub window: &'a Window,
    /// Its starts.
    pub starts: &'a StartupStats,
    /// The parts of the mean start.
    pub parts: &'a [MeanComponent],
}

/// A cause's claim on seconds of the mean start.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricClaim {
    /// It cost at least this, mean seconds per start.
    pub low_s: f64,
    /// It cost at most this.
    pub high_s: f64,
    /// The figures it is based on, in words.
    pub observed: String,
}

/// A rule: what a cause claims.
pub type MetricRule = fn(&MetricCase<'_>) -> Option<MetricClaim>;

/// Mean seconds per start below which a cause is not listed: a tenth of the SLO's 5 s.
pub(super) const MIN_MEAN_S: f64 = 0.5;
/// Mean seconds per start below which a part that every start has is not slow: a fifth of the SLO's 5 s.
pub(super) const MIN_PART_S: f64 = 1.0;

/// Mean seconds per start of sandbox and containers together from which on a burst makes them slow, as in the rule over logs.
const MIN_BURST_S: f64 = 4.0;

impl MetricClaim {
    /// The metrics show the problem, and what it cost at most.
    pub(super) fn up_to(high_s: f64, observed: String) -> Self {
        MetricClaim { low_s: 0.0, high_s, observed }
    }

    /// All of a part of the mean start.
    pub(super) fn of(part: &MeanComponent, observed: String) -> Self {
        MetricClaim { low_s: part.low_s, high_s: part.high_s, observed }
    }
}

impl MetricCase<'_> {
    /// The seconds of a family per start, and how many operations it counted.
    pub(super) fn mean(&self, family: &str, label: &str) -> Option<(f64, f64)> {
        let (sum, count) = self.window.sum(family, label)?;
        let pods = self.starts.pods();
        (count > 0.0 && pods > 0.0).then(|| (sum / pods, count))
    }

    /// The part of the mean start that begins with this phase.
    pub(super) fn part(&self, phase: Phase) -> Option<&MeanComponent> {
        self.parts.iter().find(|part| part.phases.first() == Some(&phase))
    }

    /// The same part, if it is long.
    pub(super) fn long_part(&self, phase: Phase) -> Option<&MeanComponent> {
        self.part(phase).filter(|part| part.mean_s >= MIN_PART_S)
    }

    /// The mean transfer rate of pulls in MB/s, and the number of pulls.
    pub(super) fn pull_rate(&self) -> Option<(f64, f64)> {
        let (sum, count) = self.window.sum(name::THROUGHPUT, "").filter(|(_, count)| *count > 0.0)?;
        Some((sum / count, count))
    }

    /// How many runtime operations of a kind failed.
    pub(super) fn runtime_errors(&self, operation: &str) -> f64 {
        self.window.counter(name::RUNTIME_ERRORS, operation).unwrap_or(0.0)
    }

    /// How many containers failed to start with one of these reasons.
    pub(super) fn container_errors(&self, reasons: &[&str]) -> f64 {
        reasons.iter().filter_map(|reason| self.window.counter(name::CONTAINER_ERRORS, reason)).sum()
    }

    /// The seconds of the kubelet's work that no other part of the mean start explains.
    pub(super) fn unexplained_kubelet_work(&self) -> f64 {
        self.part(Phase::Init).map_or(0.0, |part| part.high_s)
    }

    /// How many of the node's starts had their sandbox or containers made at once, on average over the window: at some instant
    /// there were at least as many.
    pub(super) fn at_once(&self) -> Option<f64> {
        let seconds = self.window.from.zip(self.window.to).map(|(from, to)| (to - from).seconds())?;
        let calls = ["run_podsandbox", "create_container", "start_container"];
        let sums = calls.iter().filter_map(|call| self.window.sum(name::RUNTIME, call));
        (seconds > 0.0).then(|| (sums.map(|(sum, _)| sum).sum::<f64>() / seconds).min(self.starts.pods()))
    }

    /// So many starts at once that the node is as likely the reason for slow sandboxes and containers as what makes them: the
    /// sum of their seconds per start, and how many there were.
    pub(super) fn burst(&self) -> Option<(f64, f64)> {
        let at_once = self.at_once().filter(|at_once| *at_once >= BURST as f64)?;
        // A sandbox that is slow because of its network leaves the containers quick.
        let (sandbox, start) = (self.part(Phase::Sandbox)?, self.long_part(Phase::Start)?);
        (sandbox.mean_s + start.mean_s >= MIN_BURST_S).then_some((sandbox.high_s + start.high_s, at_once))
    }

    /// What is to be said of slow sandboxes and containers where several were made at once.
    pub(super) fn beside_others(&self) -> String {
        let several = self.at_once().filter(|at_once| *at_once >= 2.0);
        several.map_or(String::new(), |at_once| {
            format!("; on average {at_once:.0} pods at once had theirs made, which makes a busy node as likely")
        })
    }

    /// How many operations of a kind on volumes failed.
    pub(super) fn storage_failures(&self, operation: &str) -> f64 {
        let failed = format!("{operation}{FAILED}");
        self.window.sum(name::STORAGE, &failed).map_or(0.0, |(_, count)| count)
    }

    /// A claim on an operation on volumes that took long, tries that failed included.
    pub(super) fn storage(&self, operation: &str) -> Option<MetricClaim> {
        let failed = format!("{operation}{FAILED}");
        let both = [operation, failed.as_str()].into_iter().filter_map(|label| self.mean(name::STORAGE, label));
        let (mean, count) = both.reduce(|(mean, count), (more, others)| (mean + more, count + others))?;
        (mean >= MIN_PART_S)
            .then(|| MetricClaim::up_to(mean, format!("{count:.0} × {operation}, {} per start", format_duration(mean))))
    }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Adds the causes to a report of metrics: those of each node, and of all nodes together. `recorded` are the startups in the
/// logs of the same nodes: what they refute is not named.
pub fn add_causes(report: &mut MetricsReport, recorded: &[RecordedStartup]) {
    let alone = report.nodes.len() == 1;
    for node in &mut report.nodes {
        let starts = StartupStats::from_window(&node.window).unwrap_or_default();
        let found = judge(&MetricCase { window: &node.window, starts: &starts, parts: &node.components });
        let of_node = |row: &&RecordedStartup| match &row.node {
            Some(name) => *name == node.window.node,
            None => alone,
        };
        let rows: Vec<&RecordedStartup> = recorded.iter().filter(of_node).collect();
        // Logs of a part of the starts say nothing of the others.
        let covered = !rows.is_empty() && rows.len() as f64 >= COVERED * starts.pods();
        node.causes = if covered { found.into_iter().filter_map(|one| unrefuted(one, &rows)).collect() } else { found };
    }
    report.fleet.causes = match report.nodes.as_slice() {
        [alone] => alone.causes.clone(),
        nodes => {
            let all = nodes.iter().map(|node| (node.window.node.as_str(), node.startups, node.causes.as_slice()));
            aggregate(&all.collect::<Vec<_>>())
        }
    };
}

/// Whether the logs of the same nodes are there: they see each start, metrics only means, so of causes that logs can show the
/// logs decide.
#[must_use]
pub fn logs_decide(measured: &MetricsReport) -> bool {
    measured.nodes.iter().all(|node| node.reconciled.is_some())
}

/// The causes of all nodes' metrics; where the logs decide, those that logs cannot show.
#[must_use]
pub fn added(measured: &MetricsReport, logs_decide: bool) -> Vec<&MetricFinding> {
    let in_logs = |finding: &&MetricFinding| super::named(&finding.cause).is_some_and(|cause| cause.logs.is_some());
    measured.fleet.causes.iter().filter(|finding| !(logs_decide && in_logs(finding))).collect()
}

/// Logs of so many of a node's recorded starts refute what its metrics would name.
const COVERED: f64 = 0.9;

/// What the logs of a node leave of a finding by its metrics, where logs show such causes: none cost more than its phases took,
/// and one that they show in no start, while they name another for the same phases in half of the starts, is not the cause.
fn unrefuted(finding: MetricFinding, rows: &[&RecordedStartup]) -> Option<MetricFinding> {
    let by_id = |id: &str| CAUSES.iter().find(|cause| cause.id == id);
    let cause = by_id(&finding.cause)?;
    if cause.logs.is_none() {
        return Some(finding);
    }
    // In whole nanoseconds: then the order of rows does not show.
    let sum = |phase: Phase| rows.iter().map(|row| Nanos::from_seconds(row.phase(phase))).sum::<Nanos>();
    let mut phases: Vec<Phase> = cause.phases.to_vec();
    // Where no line shows the relist, one span holds detection and status update.
    if phases.contains(&Phase::StatusUpdate) && sum(Phase::StatusUpdate) <= Nanos(0) {
        phases.push(Phase::Detection);
    }
    // Where logs do not divide the pulls, each of their phases may hold the others' seconds.
    const PULL: [Phase; 3] = [Phase::ImageWait, Phase::ImagePull, Phase::RetryBackoff];
    let undivided = |row: &&RecordedStartup| row.cause.as_deref() == Some(image_pull_unresolved::CAUSE.id);
    if phases.iter().any(|phase| PULL.contains(phase)) && rows.iter().any(undivided) {
        phases.extend(PULL);
    }
    // What no line shows may be in the time that no line explains.
    if phases.iter().all(|phase| sum(*phase) <= Nanos(0)) {
        phases.push(Phase::Unattributed);
    }
    phases.sort_unstable();
    phases.dedup();
    let most = phases.into_iter().map(sum).sum::<Nanos>().seconds() / rows.len() as f64;
    let (low_s, high_s) = (finding.low_s.min(most), finding.high_s.min(most));
    let named = rows.iter().any(|row| row.cause.as_deref() == Some(cause.id));
    let others = rows.iter().filter(|row| !undivided(row)).filter_map(|row| by_id(row.cause.as_deref()?));
    let others = others.filter(|other| other.id != unexplained::CAUSE.id);
    let others = others.filter(|other| other.phases.iter().any(|phase| cause.phases.contains(phase))).count();
    let explained = !named && 2 * others >= rows.len();
    (high_s >= MIN_MEAN_S && !explained).then_some(MetricFinding { low_s, high_s, ..finding })
}

/// The causes that a node's metrics prove, the costliest (by the middle of its bounds) first.
#[must_use]
pub fn judge(case: &MetricCase<'_>) -> Vec<MetricFinding> {
    if case.starts.pods() <= 0.0 {
        return Vec::new();
    }
    // No cause costs a start more than it took.
    let most = case.starts.mean_s.filter(|_| case.starts.mean_is_exact).unwrap_or(f64::INFINITY).max(0.0);
    let bound = |seconds: f64| seconds.clamp(0.0, most);
    let rules = CAUSES.iter().filter_map(|cause| Some((cause.id, cause.metrics?)));
    let claims = rules.filter_map(|(id, rule)| Some((id, rule(case)?)));
    let findings = claims.map(|(id, claim)| MetricFinding {
        cause: id.to_owned(),
        low_s: bound(claim.low_s),
        high_s: bound(claim.high_s),
        observed: claim.observed,
    });
    let mut found: Vec<MetricFinding> = findings.collect();
    found.sort_by(costliest);
    found
}

/// The findings of several nodes as one, each node weighted by its recorded starts; the words are those of the node
/// that it costs most.
#[must_use]
pub fn aggregate(nodes: &[(&str, f64, &[MetricFinding])]) -> Vec<MetricFinding> {
    let all: f64 = nodes.iter().map(|(_, pods, _)| pods).sum();
    let mut sum: BTreeMap<&str, (MetricFinding, f64)> = BTreeMap::new();
    for (node, pods, findings) in nodes.iter().filter(|(_, pods, _)| *pods > 0.0) {
        for finding in *findings {
            let (low_s, high_s) = (finding.low_s * pods / all, finding.high_s * pods / all);
            let observed = format!("{node}: {}", finding.observed);
            let (known, most) = sum.entry(&finding.cause).or_insert_with(|| {
                let none = MetricFinding { low_s: 0.0, high_s: 0.0, observed: observed.clone(), ..finding.clone() };
                (none, low_s + high_s)
            });
            known.low_s += low_s;
            known.high_s += high_s;
            if low_s + high_s > *most {
                (known.observed, *most) = (observed, low_s + high_s);
            }
        }
    }
    let mut found: Vec<MetricFinding> = sum.into_values().map(|(finding, _)| finding).collect();
    found.sort_by(costliest);
    found
}

fn costliest(a: &MetricFinding, b: &MetricFinding) -> std::cmp::Ordering {
    (b.low_s + b.high_s).total_cmp(&(a.low_s + a.high_s)).then(a.cause.cmp(&b.cause))
}
