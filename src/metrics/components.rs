//! Where the time of starts went, by metrics: mean seconds of a start. Families count operations, not pods, so most parts
//! are known within bounds only, and some phases only together: each part names the phases it may hold.

use serde::{Deserialize, Serialize};

use super::families::name;
use super::histogram::{Bounds, Histogram};
use super::window::Window;
use crate::breakdown::Precision;
use crate::model::phase::Phase;

/// The tracker's difference between zero times saturates: this much is added to the value of a start whose pull never ended
/// for the tracker (kubernetes issues 114903 and 130432). As it stands in the record: -2^63 ns.
const OVERFLOW: f64 = 9_223_372_036.854_776;

/// A part of the mean start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MeanComponent {
    /// What it is called.
    pub part: String,
    /// The phases that may lie in it.
    pub phases: Vec<Phase>,
    /// Mean seconds of a start.
    pub mean_s: f64,
    /// It is at least this.
    pub low_s: f64,
    /// It is at most this.
    pub high_s: f64,
    /// How well it is known.
    pub precision: Precision,
    /// The families it stands on.
    pub families: Vec<String>,
    /// What is to be known about it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub remarks: Vec<String>,
}

/// The startups that metrics count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StartupStats {
    /// How many the kubelet recorded.
    pub count: f64,
    /// Of these, how many it held for stateful; none where its SLI does not leave them out.
    pub stateful: Option<f64>,
    /// Pods that got a sandbox, recorded or not.
    pub sandboxed: Option<f64>,
    /// Mean seconds from creation to watched.
    pub total_s: Option<f64>,
    /// Whether `total_s` is the kubelet's own, not put together here.
    pub mean_is_exact: bool,
    /// The kubelet's SLI, broken values taken out of its sum.
    pub sli: Option<Histogram>,
    /// Created → watched.
    pub total: Option<Histogram>,
    /// Values of the SLI that are about -9.22e9 s, in its first bucket: their true place is not known.
    pub overflowed: f64,
}

impl StartupStats {
    /// What a window says of them. None where neither family is there.
    #[must_use]
    pub fn of(window: &Window) -> Option<Self> {
        let sli = window.histogram(name::SLI, "");
        let total = window.histogram(name::TOTAL, "");
        if sli.is_none() && total.is_none() {
            return None;
        }
        let negative = sli.as_ref().map_or(0.0, |sli| -sli.sum.min(0.0));
        let overflowed = (negative / OVERFLOW).round();
        let sli = sli.map(|sli| {
            let sum = sli.sum + overflowed * OVERFLOW;
            sli.with_sum(sum)
        });
        let count = total.as_ref().map_or(0.0, |total| total.count).max(sli.as_ref().map_or(0.0, |sli| sli.count));
        let calls = window.sum(name::RUNTIME, "run_podsandbox").map(|(_, count)| count);
        let failed = window.counter(name::RUNTIME_ERRORS, "run_podsandbox").unwrap_or(0.0);
        let mut starts = StartupStats {
            count,
            stateful: total.as_ref().zip(sli.as_ref()).map(|(total, sli)| (total.count - sli.count).max(0.0)),
            sandboxed: calls.map(|calls| (calls - failed).max(0.0)),
            total_s: None,
            mean_is_exact: false,
            sli,
            total,
            overflowed,
        };
        let pulled = window.sum(name::RUNTIME, "pull_image").is_some_and(|(_, count)| count > 0.0);
        if let Some(total) = &starts.total {
            (starts.total_s, starts.mean_is_exact) = (total.mean(), true);
        } else if let Some(sli) = &starts.sli {
            // In 1.26 a start with a pull is broken, and its repaired value is the whole; without pulls the SLI is the whole.
            (starts.total_s, starts.mean_is_exact) = (sli.mean(), !pulled || overflowed > 0.0);
        }
        Some(starts)
    }

    /// The pods that seconds of operations are shared by: those that got a sandbox, else those recorded.
    #[must_use]
    pub fn pods(&self) -> f64 {
        self.sandboxed.filter(|pods| *pods > 0.0).unwrap_or(self.count)
    }

    /// The share of starts whose SLI value is within 5 s: between these two, which are equal but where values are broken.
    #[must_use]
    pub fn within(&self) -> Option<(f64, f64)> {
        let sli = self.sli.as_ref()?;
        let (low, high) = sli.share_le(5.0)?;
        Some(((low - self.overflowed / sli.count).max(0.0), high))
    }

    /// Between what a quantile of the SLI lies. Broken values stand in the first bucket and may be anything: the bounds hold
    /// for each place they can have, the point leaves them out.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Bounds> {
        let sli = self.sli.as_ref()?;
        let plain = sli.quantile(q)?;
        if self.overflowed <= 0.0 {
            return Some(plain);
        }
        let highest = q * sli.count + self.overflowed;
        let high =
            if highest > sli.count { None } else { sli.quantile(highest / sli.count).and_then(|found| found.high) };
        let sound = (self.overflowed + q * (sli.count - self.overflowed)) / sli.count;
        let point = sli.quantile(sound).map_or(plain.point, |found| found.point);
        Some(Bounds { low: plain.low, high, point })
    }

    /// How many lie within 5 s.
    #[must_use]
    pub fn within_count(&self) -> Option<(f64, f64)> {
        let (low, high) = self.sli.as_ref()?.count_le(5.0);
        Some(((low - self.overflowed).max(0.0), high))
    }
}

/// The seconds of a family in one start, and how many operations it counted.
#[derive(Clone, Copy, Default)]
struct Mean {
    seconds: f64,
    calls: f64,
}

/// Between what a part lies: at least, the mean, at most.
type Estimate = (f64, f64, f64);

/// The names of the parts that are looked for again.
const WAIT: &str = "image wait";
const OTHER: &str = "other work of the kubelet";
const OUTSIDE: &str = "before the kubelet, and reporting";

/// The parts of the mean start. They sum to its total, the last taking up what the others leave or claim too much.
#[must_use]
pub fn of(window: &Window, starts: &StartupStats) -> Vec<MeanComponent> {
    let per = starts.pods();
    if per <= 0.0 {
        return Vec::new();
    }
    let most = starts.total_s.filter(|_| starts.mean_is_exact);
    let mixed = (per - starts.count).abs() >= 0.5;
    let mut parts = Parts { window, per, most, mixed, recorded: starts.count, parts: Vec::new() };
    parts.of_the_kubelet();
    parts.rest(starts);
    parts.parts
}

/// The parts of several nodes as one, each node with its recorded starts: so they sum to the mean of all starts.
#[must_use]
pub fn aggregate(nodes: &[(f64, &[MeanComponent])]) -> Vec<MeanComponent> {
    let all: f64 = nodes.iter().filter(|(_, parts)| !parts.is_empty()).map(|(pods, _)| pods).sum();
    let mut sum: Vec<MeanComponent> = Vec::new();
    for (pods, parts) in nodes.iter().filter(|(pods, _)| *pods > 0.0) {
        for part in *parts {
            let share = pods / all;
            let (mean, low, high) = (part.mean_s * share, part.low_s * share, part.high_s * share);
            match sum.iter_mut().find(|known| known.part == part.part) {
                Some(known) => {
                    known.mean_s += mean;
                    known.low_s += low;
                    known.high_s += high;
                    known.phases.extend(
                        part.phases.iter().filter(|phase| !known.phases.contains(phase)).copied().collect::<Vec<_>>(),
                    );
                }
                None => sum.push(MeanComponent {
                    mean_s: mean,
                    low_s: low,
                    high_s: high,
                    remarks: Vec::new(),
                    ..part.clone()
                }),
            }
        }
    }
    // As on one node: known parts in the order of a start, what is left last.
    let place = |part: &MeanComponent| {
        (part.phases.len() > 2 || part.phases == [Phase::Unattributed], part.phases.first().copied())
    };
    sum.sort_by_key(place);
    for part in &mut sum {
        part.precision = if part.high_s - part.low_s < 1e-9 { Precision::Exact } else { Precision::Bounded };
    }
    sum
}

struct Parts<'a> {
    window: &'a Window,
    /// How many pods share the seconds.
    per: f64,
    /// The mean start, where the kubelet tells it: no part of it is longer.
    most: Option<f64>,
    /// The pods whose operations are counted are not the ones that were recorded.
    mixed: bool,
    /// How many were recorded.
    recorded: f64,
    parts: Vec<MeanComponent>,
}

impl Parts<'_> {
    fn mean(&self, family: &str, label: &str) -> Option<Mean> {
        let (sum, calls) = self.window.sum(family, label)?;
        Some(Mean { seconds: sum / self.per, calls })
    }

    fn seconds(&self, family: &str, label: &str) -> f64 {
        self.mean(family, label).map_or(0.0, |mean| mean.seconds)
    }

    fn errors(&self, operation: &str) -> f64 {
        self.window.counter(name::RUNTIME_ERRORS, operation).unwrap_or(0.0)
    }

    fn push(
        &mut self,
        part: &str,
        phases: &[Phase],
        (low, mean, high): Estimate,
        families: &[&str],
        remarks: Vec<String>,
    ) {
        let most = self.most.unwrap_or(f64::INFINITY).max(0.0);
        let (low, mean, high) =
            if mean >= 0.0 { (low.min(most), mean.min(most), high.min(most)) } else { (low, mean, high) };
        let precision = if high - low < 1e-9 { Precision::Exact } else { Precision::Bounded };
        self.parts.push(MeanComponent {
            part: part.into(),
            phases: phases.to_vec(),
            mean_s: mean,
            low_s: low,
            high_s: high,
            precision,
            families: families.iter().map(|family| (*family).to_owned()).collect(),
            remarks,
        });
    }

    /// The bounds of seconds that calls took: exact where they are of the recorded pods and of no other, as far as counts tell.
    /// Each call beyond theirs can have taken as long as the window, no longer.
    fn calls(&self, mean: f64, calls: f64) -> Estimate {
        let others = (self.per - self.recorded).max(0.0) + (calls - self.per).max(0.0);
        if !self.mixed && others < 0.5 {
            return (mean, mean, mean);
        }
        let sum = mean * self.per;
        let longest = self.window.from.zip(self.window.to).map(|(from, to)| (to - from).seconds());
        let theirs = longest.map_or(0.0, |longest| (sum - others * longest).max(0.0));
        let recorded = self.recorded.max(1.0);
        ((theirs / recorded).min(mean), mean, (sum / recorded).max(mean))
    }

    /// Volumes, pulls, sandbox and containers.
    fn of_the_kubelet(&mut self) {
        let pull = self.mean(name::RUNTIME, "pull_image").filter(|pull| pull.calls > 0.0);
        let failed_pulls = self.errors("pull_image");
        // A failed pull is in the runtime's sum and not in the other.
        let wait = self.mean(name::IMAGE_PULL, "").zip(pull).map(|(all, pull)| {
            let least = (all.seconds - pull.seconds).max(0.0);
            let (low, mean, high) = self.calls(least, pull.calls);
            (low, mean, if failed_pulls > 0.0 { high.max(all.seconds) } else { high })
        });
        let beside = self.beside_the_runtime(wait);
        let volumes = self.volumes(beside);
        if let Some(volumes) = volumes {
            let remark = |all: f64| format!("the volumes of all {all:.0} pods that a starting kubelet syncs are in it");
            let remarks = self.existing().map(remark).into_iter().collect();
            self.push("volumes", &[Phase::Volumes], volumes, &[name::VOLUME, name::WORKER], remarks);
        }
        if let Some(wait) = wait {
            let remark = format!("{failed_pulls:.0} pulls failed: what they waited is in no family");
            let remarks = if failed_pulls > 0.0 { vec![remark] } else { Vec::new() };
            self.push(WAIT, &[Phase::ImageWait], wait, &[name::IMAGE_PULL, name::RUNTIME], remarks);
        } else if let Some(beside) = beside.filter(|_| pull.is_some()) {
            let (_, mounted, at_most) = volumes.unwrap_or_default();
            let bounds = ((beside - at_most).max(0.0), (beside - mounted).max(0.0), beside);
            let remark =
                "before 1.30 no family counts it: what the first sync leaves beside its other parts".to_owned();
            let phases = [Phase::ImageWait, Phase::Unattributed];
            self.push(WAIT, &phases, bounds, &[name::WORKER, name::RUNTIME], vec![remark]);
        }
        if let Some(pull) = pull {
            let (low, mean, high) = self.calls(pull.seconds, pull.calls);
            let bounds = (if failed_pulls > 0.0 { 0.0 } else { low }, mean, high);
            self.push("image pull", &[Phase::ImagePull], bounds, &[name::RUNTIME], Vec::new());
        }
        if let Some(sandbox) = self.mean(name::RUNTIME, "run_podsandbox") {
            let bounds = self.calls(sandbox.seconds, sandbox.calls);
            let failed = self.errors("run_podsandbox");
            let retried = format!("{failed:.0} of {:.0} failed: the waits between tries are no call", sandbox.calls);
            let mut remarks: Vec<String> = (failed > 0.0).then_some(retried).into_iter().collect();
            remarks.extend(self.network());
            self.push("sandbox", &[Phase::Sandbox], bounds, &[name::RUNTIME], remarks);
        }
        self.containers();
    }

    /// The node's network within the sandbox, where the runtime is scraped.
    fn network(&self) -> Option<String> {
        let network = self.mean(name::CNI, "").or(self.mean(name::CNI_SANDBOXED, ""))?;
        let words = || format!("of this, the node's network (CNI) {:.3} s, by containerd", network.seconds);
        (network.calls > 0.0).then(words)
    }

    fn containers(&mut self) {
        let (create, start) =
            (self.mean(name::RUNTIME, "create_container"), self.mean(name::RUNTIME, "start_container"));
        let Some((create, start)) = create.zip(start) else { return };
        let both = create.seconds + start.seconds;
        let (calls, per) = (create.calls, self.per);
        let remark = format!("{calls:.0} containers for {per:.0} pods: init containers and restarts are in it");
        let remarks = if calls - per >= 0.5 { vec![remark] } else { Vec::new() };
        let bounds = self.calls(both, calls);
        self.push("start", &[Phase::Start], bounds, &[name::RUNTIME], remarks);
    }

    /// What the first sync of a pod holds beside calls to the runtime: volumes, and waits for pulls. It nearly always holds
    /// the sandbox, the pulls and the containers.
    fn beside_the_runtime(&self, wait: Option<Estimate>) -> Option<f64> {
        let sync = self.mean(name::WORKER, "create").filter(|_| self.existing().is_none())?;
        let calls = ["run_podsandbox", "pull_image", "create_container", "start_container"];
        let in_runtime: f64 = calls.iter().map(|call| self.seconds(name::RUNTIME, call)).sum();
        Some((sync.seconds - in_runtime - wait.map_or(0.0, |wait| wait.1)).max(0.0))
    }

    /// How many pods had their first sync, where that is more than began: a kubelet that starts syncs all pods of the node.
    fn existing(&self) -> Option<f64> {
        let synced = self.mean(name::WORKER, "create")?.calls;
        (synced > 1.1 * self.per + 1.0).then_some(synced)
    }

    /// Every remount of a volume is in its family again, and volumes are mounted side by side: the sum is only a bound. The
    /// kubelet looks every 300 ms whether all are mounted (volume_manager.go, podAttachAndMountRetryInterval).
    fn volumes(&self, beside: Option<f64>) -> Option<Estimate> {
        let sum = self.mean(name::VOLUME, "")?.seconds;
        if let Some(existing) = self.existing() {
            let each = sum * self.per / existing;
            return Some((0.0, each, sum + 0.3));
        }
        Some((0.0, beside.map_or(sum, |beside| beside.min(sum)), sum + 0.3))
    }

    /// What no family names: other work of the kubelet, and what lies outside it.
    fn rest(&mut self, starts: &StartupStats) {
        let known: f64 = self.parts.iter().map(|part| part.mean_s).sum();
        // First seen → Running, less the needless sample of each pod's first sync, which is as long as that took to begin.
        let running = self.mean(name::POD_START, "").filter(|_| self.existing().is_none());
        let running = running.map(|all| all.seconds - self.seconds(name::WORKER_START, ""));
        let pulling: f64 =
            self.parts.iter().filter(|part| matches!(&*part.part, WAIT | "image pull")).map(|part| part.mean_s).sum();
        let total = match (starts.total_s, starts.mean_is_exact) {
            (Some(total), true) => Some(total),
            // 1.27 and 1.28: the SLI leaves out the span from the first pull's begin to the last one's end.
            // With failed pulls that span holds the back-off, which the kubelet's own time to Running does too.
            (Some(sli), false) => Some((sli + pulling).max(running.unwrap_or(0.0))),
            (None, _) => running,
        };
        let Some(total) = total else { return };
        if let Some(running) = running {
            let rest = (running.min(total) - known).max(0.0);
            let (phases, remarks) = self.other();
            self.push(OTHER, &phases, (0.0, rest, rest), &[name::POD_START, name::WORKER_START], remarks);
            let outside = (total - running.max(known)).max(0.0);
            let phases = [Phase::Scheduling, Phase::StatusUpdate, Phase::Watch];
            let remarks = self.outside();
            self.push(OUTSIDE, &phases, (0.0, outside, outside), &[name::TOTAL, name::POD_START], remarks);
        }
        let left = total - self.parts.iter().map(|part| part.mean_s).sum::<f64>();
        let mut remarks = if running.is_none() { self.other().1 } else { Vec::new() };
        if let Some(existing) = self.existing() {
            let per = self.per;
            remarks.push(format!(
                "{existing:.0} pods had their first sync and {per:.0} of them were new: a kubelet's start syncs all, and \
                 what it needed for the new ones is in no family"
            ));
        }
        if left < -0.05 * total.abs() {
            remarks.push("the families hold more than the starts that were recorded".to_owned());
        }
        let bounds = (left.min(0.0), left, left.max(0.0));
        let mut phases = vec![Phase::Unattributed];
        if running.is_none() {
            phases.extend(self.other().0.into_iter().filter(|phase| *phase != Phase::Unattributed));
            phases.extend([Phase::Scheduling, Phase::StatusUpdate, Phase::Watch]);
        }
        self.push("unattributed", &phases, bounds, &[], remarks);
    }

    /// What may lie in the kubelet's other work, and why.
    fn other(&self) -> (Vec<Phase>, Vec<String>) {
        let mut phases =
            vec![Phase::Init, Phase::ImageBackoff, Phase::RetryBackoff, Phase::Detection, Phase::Unattributed];
        let mut remarks = Vec::new();
        let (sandboxes, pulls) = (self.errors("run_podsandbox"), self.errors("pull_image"));
        if sandboxes > 0.0 {
            phases.push(Phase::Sandbox);
            remarks.push(format!("{sandboxes:.0} sandboxes failed: the waits between tries are here"));
        }
        if pulls > 0.0 {
            remarks.push(format!("{pulls:.0} pulls failed: the back-off between tries is here"));
        }
        let initial = self.window.counter(name::CONTAINERS, "init_container").filter(|count| *count > 0.0);
        remarks.extend(initial.map(|count| format!("{count:.0} init containers ran: how long is in no family")));
        if let Some((sum, count)) = self.window.sum(name::RELIST_INTERVAL, "").filter(|(_, count)| *count > 0.0) {
            let interval = sum / count;
            remarks.push(format!("what happens in the runtime is noticed at a relist, every {interval:.1} s"));
        }
        (phases, remarks)
    }

    /// What is known of the time outside the kubelet's work.
    fn outside(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let waited = self.seconds(name::LIMITER, "");
        if waited > 0.05 {
            remarks.push(format!("the kubelet's API client waited {waited:.1} s a start in its own rate limit"));
        }
        if let Some((sum, count)) = self.window.sum(name::STATUS_SYNC, "").filter(|(_, count)| *count > 0.0) {
            let mean = sum / count;
            remarks.push(format!("a status took at most {mean:.1} s from its change to the API on average, all pods"));
        }
        remarks
    }
}
