//! The components that no family counts by itself: other work of the kubelet, and what lies outside of it.

use super::{Component, Estimate, Remark, Split};
use crate::metrics::families::name;
use crate::metrics::startup_stats::StartupStats;
use crate::model::phase::Phase;

const OUTSIDE: [Phase; 3] = [Phase::Scheduling, Phase::StatusUpdate, Phase::Watch];

impl Split<'_> {
    pub(super) fn remainder(&mut self, stats: &StartupStats) {
        let known: f64 = self.components.iter().map(|one| one.mean_s).sum();
        // First seen → Running, less the needless sample of each pod's first sync, which is as long as that took to begin.
        let running = self.per_pod(name::POD_START, "").filter(|_| self.existing_pods().is_none());
        let running = running.map(|all| all.seconds - self.seconds(name::WORKER_START, ""));
        let Some(total) = self.total(stats, running) else { return };
        if let Some(running) = running {
            let rest = (running.min(total) - known).max(0.0);
            let estimate = Estimate { low: 0.0, mean: rest, high: rest };
            let (phases, remarks) = self.other_kubelet_work();
            let families = [name::POD_START, name::WORKER_START];
            self.push(Component::OtherKubelet, phases, estimate, &families, remarks);
            let outside = (total - running.max(known)).max(0.0);
            // The pods that got a sandbox, of which this is the mean, need not be those that were recorded.
            let least = self.of_recorded(running, self.pods).low.max(0.0);
            let estimate = Estimate { low: 0.0, mean: outside, high: (total - least).max(outside) };
            let remarks = self.outside_remarks();
            let families = [name::TOTAL, name::POD_START];
            self.push(Component::OutsideKubelet, OUTSIDE.to_vec(), estimate, &families, remarks);
        }
        self.unattributed(total, running.is_some());
    }

    /// The mean start.
    fn total(&self, stats: &StartupStats, running: Option<f64>) -> Option<f64> {
        let pulling = |one: &Component| matches!(one, Component::ImageWait | Component::ImagePull);
        let pulling: f64 = self.components.iter().filter(|one| pulling(&one.component)).map(|one| one.mean_s).sum();
        match (stats.mean_s, stats.mean_is_exact) {
            (Some(total), true) => Some(total),
            // 1.27 and 1.28: the SLI leaves out the span from the first pull's begin to the last one's end.
            // With failed pulls that span holds the back-off, which the kubelet's own time to Running does too.
            (Some(sli), false) => Some((sli + pulling).max(running.unwrap_or(0.0))),
            (None, _) => running,
        }
    }

    /// What the other components leave of the total, or count too much.
    fn unattributed(&mut self, total: f64, split: bool) {
        let left = total - self.components.iter().map(|one| one.mean_s).sum::<f64>();
        let (mut phases, mut remarks) = (vec![Phase::Unattributed], Vec::new());
        if !split {
            let (other, other_remarks) = self.other_kubelet_work();
            phases.extend(other.into_iter().filter(|phase| *phase != Phase::Unattributed));
            phases.extend(OUTSIDE);
            remarks = other_remarks;
        }
        remarks.extend(self.existing_pods().map(|synced| Remark::ExistingPods { synced, new: self.pods }));
        if left < -0.05 * total.abs() {
            remarks.push(Remark::MoreThanRecorded);
        }
        let estimate = Estimate { low: left.min(0.0), mean: left, high: left.max(0.0) };
        self.push(Component::Unattributed, phases, estimate, &[], remarks);
    }

    /// The phases that may lie in the kubelet's other work, and why.
    fn other_kubelet_work(&self) -> (Vec<Phase>, Vec<Remark>) {
        let mut phases =
            vec![Phase::Init, Phase::ImageBackoff, Phase::RetryBackoff, Phase::Detection, Phase::Unattributed];
        let mut remarks = Vec::new();
        let (sandboxes, pulls) = (self.errors("run_podsandbox"), self.errors("pull_image"));
        if sandboxes > 0.0 {
            phases.push(Phase::Sandbox);
            remarks.push(Remark::SandboxRetryWaits(sandboxes));
        }
        if pulls > 0.0 {
            remarks.push(Remark::PullBackoff(pulls));
        }
        let init = self.window.counter(name::CONTAINERS, "init_container").filter(|count| *count > 0.0);
        remarks.extend(init.map(Remark::InitContainers));
        remarks.extend(self.mean_value(name::RELIST_INTERVAL).map(Remark::RelistInterval));
        (phases, remarks)
    }

    /// What is known of the time outside the kubelet's work.
    fn outside_remarks(&self) -> Vec<Remark> {
        let waited = self.seconds(name::LIMITER, "");
        let mut remarks = Vec::new();
        if waited > 0.05 {
            remarks.push(Remark::ClientRateLimit(waited));
        }
        remarks.extend(self.mean_value(name::STATUS_SYNC).map(Remark::StatusSync));
        remarks
    }
}
