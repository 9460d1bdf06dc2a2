//! Causes by metrics: what a node's families prove of why starts are slow. A claim is of mean seconds of a start, between two
//! bounds; where metrics prove that there is a trouble but not what it cost, the lower bound is 0.
//!
//! To add a rule: a row in [`RULES`]; its words are those of the cause in `cause`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::components::MeanComponent;
use super::families::name;
use super::startup_stats::StartupStats;
use super::window::Window;
use crate::model::phase::Phase;

/// What a rule looks at.
pub struct Case<'a> {
    /// The node's metrics.
    pub window: &'a Window,
    /// Its starts.
    pub starts: &'a StartupStats,
    /// The parts of the mean start.
    pub parts: &'a [MeanComponent],
}

/// A cause's claim on seconds of the mean start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MetricFinding {
    /// Which cause.
    pub cause: String,
    /// It cost at least this, mean seconds of a start.
    pub low_s: f64,
    /// It cost at most this.
    pub high_s: f64,
    /// The figures it stands on, in words.
    pub seen: String,
}

/// A rule: the cause's id, and its claim.
type Rule = (&'static str, fn(&Case<'_>) -> Option<(f64, f64, String)>);

/// Mean seconds of a start below which a cause is not worth a line: a tenth of the SLO's bound.
const LEAST: f64 = 0.5;
/// MB/s below which a registry is slow: see the cause's text.
const SLOW_MB: f64 = 10.0;
/// A share of CPU periods from which on a container is held back.
const THROTTLED: f64 = 0.25;
/// A share of the time in which some task waited, from which on a node is short of what it waited for.
const PRESSED: f64 = 0.2;

impl Case<'_> {
    /// Pods the seconds of a family are shared by.
    fn per(&self) -> f64 {
        self.starts.pods()
    }

    fn mean(&self, family: &str, label: &str) -> Option<(f64, f64)> {
        let (sum, count) = self.window.sum(family, label)?;
        (count > 0.0 && self.per() > 0.0).then(|| (sum / self.per(), count))
    }

    fn part(&self, of: Phase) -> Option<&MeanComponent> {
        self.parts.iter().find(|part| part.phases.first() == Some(&of))
    }

    /// MB/s of pulls, the mean, and of how many.
    fn rate(&self) -> Option<(f64, f64)> {
        let (sum, count) = self.window.sum(name::THROUGHPUT, "").filter(|(_, count)| *count > 0.0)?;
        Some((sum / count, count))
    }

    fn errors(&self, operation: &str) -> f64 {
        self.window.counter(name::RUNTIME_ERRORS, operation).unwrap_or(0.0)
    }

    fn container_errors(&self, codes: &[&str]) -> f64 {
        codes.iter().filter_map(|code| self.window.counter(name::CONTAINER_ERRORS, code)).sum()
    }

    /// What the kubelet's work holds beside its known parts.
    fn rest(&self) -> f64 {
        self.part(Phase::Init).map_or(0.0, |part| part.high_s)
    }
}

fn storage(case: &Case<'_>, operation: &str) -> Option<(f64, f64, String)> {
    let (mean, count) = case.mean(name::STORAGE, operation)?;
    (mean >= 1.0).then(|| (0.0, mean, format!("{count:.0} × {operation}, {mean:.1} s a start")))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// The rules, specific ones first.
pub const RULES: &[Rule] = &[
    ("kubelet-restart", |case| {
        let restarts = case.window.restarts;
        (restarts > 0).then(|| {
            (
                0.0,
                case.part(Phase::Scheduling).map_or(0.0, |part| part.high_s),
                format!("the kubelet restarted {restarts} × between the scrapes"),
            )
        })
    }),
    ("api-client-throttled", |case| {
        let (mean, count) = case.mean(name::LIMITER, "")?;
        let parts: f64 = case
            .parts
            .iter()
            .filter(|part| part.precision != crate::model::precision::Precision::Exact)
            .map(|part| part.high_s.max(0.0))
            .sum();
        (mean >= LEAST).then(|| {
            (
                0.0,
                mean.min(parts),
                format!("{count:.0} requests waited {mean:.1} s a start in the client's own rate limit"),
            )
        })
    }),
    ("image-pull-failing", |case| {
        let failed = case.errors("pull_image");
        (failed > 0.0).then(|| (0.0, case.rest(), format!("{failed:.0} pulls failed")))
    }),
    ("image-pull-queued", |case| {
        let wait = case.part(Phase::ImageWait).filter(|part| part.phases.len() == 1 && part.mean_s >= LEAST)?;
        let credentials = case.mean(name::CREDENTIALS, "").map_or(0.0, |(mean, _)| mean);
        Some((
            (wait.low_s - credentials).max(0.0),
            wait.high_s,
            format!("pulls took {:.1} s a start longer for the kubelet than for the runtime", wait.mean_s),
        ))
    }),
    ("image-pull-unresolved", |case| {
        let wait = case.part(Phase::ImageWait).filter(|part| part.phases.len() > 1 && part.mean_s >= LEAST)?;
        Some((
            0.0,
            wait.high_s,
            format!("{:.1} s a start of the first sync lie beside runtime and volumes", wait.mean_s),
        ))
    }),
    ("credential-provider-slow", |case| {
        let (mean, count) = case.mean(name::CREDENTIALS, "")?;
        (mean >= LEAST).then(|| (mean, mean, format!("{count:.0} runs of a credential provider, {mean:.1} s a start")))
    }),
    ("image-gc-repull", |case| {
        let removed = case.window.counter(name::IMAGE_GC, "").filter(|removed| *removed > 0.0)?;
        let pull = case.part(Phase::ImagePull).filter(|part| part.mean_s >= LEAST)?;
        Some((0.0, pull.high_s, format!("{removed:.0} images were removed to free disk, and images were pulled")))
    }),
    ("image-pull-always", |case| {
        let asked = case.window.counter(name::ENSURE_IMAGE, "always").filter(|asked| *asked > 0.0)?;
        let pull = case.part(Phase::ImagePull)?;
        let most = pull.high_s + case.part(Phase::ImageWait).map_or(0.0, |part| part.high_s);
        (most >= LEAST)
            .then(|| (0.0, most, format!("{asked:.0} images that were there were asked for at the registry")))
    }),
    ("registry-slow", |case| {
        let (rate, count) = case.rate()?;
        let pull = case.part(Phase::ImagePull).filter(|part| part.mean_s >= 1.0)?;
        (rate < SLOW_MB).then(|| (pull.low_s, pull.high_s, format!("{count:.0} pulls at {rate:.1} MB/s on average")))
    }),
    ("image-pull-slow", |case| {
        // With the rate known and low, the registry is the reason.
        if case.rate().is_some_and(|(rate, _)| rate < SLOW_MB) {
            return None;
        }
        let pull = case.part(Phase::ImagePull).filter(|part| part.mean_s >= 1.0)?;
        let (sum, count) = case.window.sum(name::RUNTIME, "pull_image")?;
        Some((pull.low_s, pull.high_s, format!("{count:.0} pulls of {:.1} s each", sum / count)))
    }),
    ("volume-fsgroup-chown", |case| storage(case, "volume_apply_access_control")),
    ("volume-attach-slow", |case| storage(case, "verify_controller_attached_volume")),
    ("volume-mount-slow", |case| {
        let volumes = case.part(Phase::Volumes).filter(|part| part.mean_s >= 1.0)?;
        Some((volumes.low_s, volumes.high_s, format!("volumes took about {:.1} s a start", volumes.mean_s)))
    }),
    ("sandbox-cni-failing", |case| {
        let failed = case.errors("run_podsandbox");
        (failed > 0.0).then(|| {
            (0.0, case.rest(), format!("{failed:.0} sandboxes failed; the runtime's log tells whether the network did"))
        })
    }),
    ("sandbox-cni-slow", |case| {
        let sandbox = case.part(Phase::Sandbox).filter(|part| part.mean_s >= 1.0)?;
        let network = sandbox.remarks.first().map_or(String::new(), |remark| format!("; {remark}"));
        Some((sandbox.low_s, sandbox.high_s, format!("sandboxes took {:.1} s a start{network}", sandbox.mean_s)))
    }),
    ("runtime-slow", |case| {
        let start = case.part(Phase::Start).filter(|part| part.mean_s >= 1.0)?;
        Some((
            start.low_s,
            start.high_s,
            format!("creating and starting containers took {:.1} s a start", start.mean_s),
        ))
    }),
    ("admission-wait", |case| {
        let devices = case.mean(name::DEVICES, "").map_or(0.0, |(mean, _)| mean);
        let mean = devices + case.mean(name::DRA, "").map_or(0.0, |(mean, _)| mean);
        (mean >= LEAST).then(|| (0.0, mean, format!("allocating devices and resources took {mean:.1} s a start")))
    }),
    ("pleg-relist-delay", |case| {
        let (sum, count) = case.window.sum(name::RELIST_INTERVAL, "").filter(|(_, count)| *count > 0.0)?;
        let interval = sum / count;
        (interval >= 2.0).then(|| (0.0, interval - 1.0, format!("from one relist to the next {interval:.1} s")))
    }),
    ("status-report-slow", |case| {
        let (sum, count) = case.window.sum(name::STATUS_SYNC, "").filter(|(_, count)| *count > 0.0)?;
        let limiter = case.mean(name::LIMITER, "").map_or(0.0, |(mean, _)| mean);
        let mean = sum / count;
        // What the client's own rate limit costs is a cause of its own.
        (mean >= 1.0 && limiter < LEAST).then(|| (0.0, mean, format!("a status took {mean:.1} s to be accepted")))
    }),
    ("container-config-error", |case| {
        let failed = case.container_errors(&["CreateContainerConfigError"]);
        (failed > 0.0).then(|| (0.0, case.rest(), format!("{failed:.0} × CreateContainerConfigError")))
    }),
    ("container-start-error", |case| {
        let failed = case.container_errors(&[
            "CreateContainerError",
            "RunContainerError",
            "PostStartHookError",
            "PreStartHookError",
        ]);
        (failed > 0.0).then(|| (0.0, case.rest(), format!("{failed:.0} containers could not be created or started")))
    }),
    ("cpu-throttled", |case| {
        let periods = case.window.counter(name::CFS_PERIODS, "")?;
        let throttled = case.window.counter(name::CFS_THROTTLED, "")?;
        let seconds = case.window.counter(name::CFS_SECONDS, "").unwrap_or(0.0);
        let share = throttled / periods;
        (periods > 0.0 && share >= THROTTLED).then(|| {
            (
                0.0,
                case.rest() + case.part(Phase::Start).map_or(0.0, |part| part.high_s),
                format!(
                    "containers with a CPU limit had used it up in {} of their periods, {seconds:.0} s together",
                    percent(share)
                ),
            )
        })
    }),
    ("memory-high-throttled", |case| {
        let events = case.window.counter(name::MEMORY_HIGH, "")?;
        (events > 0.0).then(|| (0.0, case.rest(), format!("memory.high was met {events:.0} times")))
    }),
    ("node-overloaded", |case| {
        let kinds = [
            ("a CPU", name::PSI_CPU, name::NODE_CPU),
            ("memory", name::PSI_MEMORY, name::NODE_MEMORY),
            ("a disk", name::PSI_IO, name::NODE_IO),
        ];
        let mut seen: Vec<String> = Vec::new();
        for (what, own, node) in kinds {
            let share =
                case.window.share(own, "/").or_else(|| case.window.share(node, "")).filter(|share| *share >= PRESSED);
            seen.extend(
                share.map(|share| format!("something waited for {what} {} of the time", percent(share.min(1.0)))),
            );
        }
        let disks = case
            .window
            .all(name::NODE_DISK, "")
            .filter_map(|(disk, counted)| Some((disk, counted.value / counted.seconds?)));
        let busiest = disks.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, share)| *share >= 0.9);
        seen.extend(
            busiest.map(|(disk, share)| format!("disk {disk} was at work {} of the time", percent(share.min(1.0)))),
        );
        let relist = case.window.sum(name::RELIST, "").filter(|(sum, count)| *count > 0.0 && sum / count >= 1.0);
        seen.extend(relist.map(|(sum, count)| format!("a relist took {:.1} s", sum / count)));
        let runtime: f64 = [Phase::Sandbox, Phase::Start, Phase::ImagePull]
            .iter()
            .filter_map(|phase| case.part(*phase))
            .map(|part| part.high_s)
            .sum();
        (!seen.is_empty()).then(|| (0.0, runtime + case.rest(), seen.join("; ")))
    }),
];

/// The causes that a node's metrics prove, the costliest (by the middle of its bounds) first.
#[must_use]
pub fn judge(case: &Case<'_>) -> Vec<MetricFinding> {
    if case.per() <= 0.0 {
        return Vec::new();
    }
    let proof = |(cause, check): &Rule| {
        // No cause costs a start more than it took.
        let most = case.starts.mean_s.filter(|_| case.starts.mean_is_exact).unwrap_or(f64::INFINITY).max(0.0);
        let bound = |seconds: f64| seconds.clamp(0.0, most);
        check(case).map(|(low, high, seen)| MetricFinding {
            cause: (*cause).to_owned(),
            low_s: bound(low),
            high_s: bound(high),
            seen,
        })
    };
    let mut found: Vec<MetricFinding> = RULES.iter().filter_map(proof).collect();
    found.sort_by(costliest);
    found
}

/// The proofs of several nodes as one, each node with its recorded starts; the words are those of the node
/// that it costs most.
#[must_use]
pub fn aggregate(nodes: &[(&str, f64, &[MetricFinding])]) -> Vec<MetricFinding> {
    let all: f64 = nodes.iter().map(|(_, pods, _)| pods).sum();
    let mut sum: BTreeMap<&str, (MetricFinding, f64)> = BTreeMap::new();
    for (node, pods, proofs) in nodes.iter().filter(|(_, pods, _)| *pods > 0.0) {
        for proof in *proofs {
            let (low_s, high_s) = (proof.low_s * pods / all, proof.high_s * pods / all);
            let words = format!("{node}: {}", proof.seen);
            let (known, most) = sum.entry(&proof.cause).or_insert_with(|| {
                (
                    MetricFinding { cause: proof.cause.clone(), low_s: 0.0, high_s: 0.0, seen: words.clone() },
                    low_s + high_s,
                )
            });
            known.low_s += low_s;
            known.high_s += high_s;
            if low_s + high_s > *most {
                (known.seen, *most) = (words, low_s + high_s);
            }
        }
    }
    let mut found: Vec<MetricFinding> = sum.into_values().map(|(proof, _)| proof).collect();
    found.sort_by(costliest);
    found
}

fn costliest(a: &MetricFinding, b: &MetricFinding) -> std::cmp::Ordering {
    (b.low_s + b.high_s).total_cmp(&(a.low_s + a.high_s)).then(a.cause.cmp(&b.cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes;

    #[test]
    fn every_rule_has_a_cause_and_every_measured_cause_a_rule() {
        for (id, _) in RULES {
            assert!(causes::named(id).is_some(), "{id}: no cause has this id");
        }
        for measured in causes::METRIC_CAUSES {
            assert!(RULES.iter().any(|(id, _)| *id == measured.id), "{}: no rule judges it", measured.id);
        }
    }
}
