//! The components that families of operations count: volumes, pulls, sandbox and containers.

use super::{Component, Estimate, PerPod, Remark, Split};
use crate::metrics::families::name;
use crate::model::phase::Phase;

impl Split<'_> {
    pub(super) fn operations(&mut self) {
        let pull = self.per_pod(name::RUNTIME, "pull_image").filter(|pull| pull.calls > 0.0);
        let wait = self.counted_image_wait(pull);
        let beside = self.beside_the_runtime(wait);
        let volumes = self.volumes(beside);
        if let Some(volumes) = volumes {
            let remarks = self.existing_pods().map(|pods| Remark::ExistingVolumes { pods }).into_iter().collect();
            let families = [name::VOLUME, name::WORKER];
            self.push(Component::Volumes, vec![Phase::Volumes], volumes, &families, remarks);
        }
        self.image_wait(pull, wait, beside, volumes.unwrap_or_default());
        if let Some(pull) = pull {
            let pulls = self.of_recorded(pull.seconds, pull.calls);
            let low = if self.errors("pull_image") > 0.0 { 0.0 } else { pulls.low };
            let estimate = Estimate { low, ..pulls };
            self.push(Component::ImagePull, vec![Phase::ImagePull], estimate, &[name::RUNTIME], Vec::new());
        }
        self.sandbox();
        self.containers();
    }

    /// The seconds that calls took for the recorded pods: exact where all calls are theirs, as far as counts show it. Each call
    /// beyond theirs can have taken as long as the window, no longer.
    pub(super) fn of_recorded(&self, mean: f64, calls: f64) -> Estimate {
        let others = (self.pods - self.recorded).max(0.0) + (calls - self.pods).max(0.0);
        if !self.mixed && others < 0.5 {
            return Estimate { low: mean, mean, high: mean };
        }
        let sum = mean * self.pods;
        let longest = self.window.from.zip(self.window.to).map(|(from, to)| (to - from).seconds());
        let theirs = longest.map_or(0.0, |longest| (sum - others * longest).max(0.0));
        let recorded = self.recorded.max(1.0);
        // What was done for more pods than got a sandbox here was done before: by another process, or before the first scrape.
        let before = self.max_s.unwrap_or(0.0) * (self.recorded - self.pods).max(0.0) / recorded;
        Estimate { low: (theirs / recorded).min(mean), mean, high: (sum / recorded).max(mean) + before }
    }

    /// The wait for pulls where a family counts it: what the kubelet's pulls took longer than the runtime's. A failed pull is
    /// in the runtime's sum and not in the kubelet's.
    fn counted_image_wait(&self, pull: Option<PerPod>) -> Option<Estimate> {
        let (all, pull) = self.per_pod(name::IMAGE_PULL, "").zip(pull)?;
        let wait = self.of_recorded((all.seconds - pull.seconds).max(0.0), pull.calls);
        let high = if self.errors("pull_image") > 0.0 { wait.high.max(all.seconds) } else { wait.high };
        Some(Estimate { high, ..wait })
    }

    fn image_wait(&mut self, pull: Option<PerPod>, wait: Option<Estimate>, beside: Option<f64>, volumes: Estimate) {
        if let Some(wait) = wait {
            let failed = self.errors("pull_image");
            let remarks = if failed > 0.0 { vec![Remark::FailedPullWaits(failed)] } else { Vec::new() };
            let families = [name::IMAGE_PULL, name::RUNTIME];
            self.push(Component::ImageWait, vec![Phase::ImageWait], wait, &families, remarks);
        } else if let Some(beside) = beside.filter(|_| pull.is_some()) {
            let estimate = Estimate {
                low: (beside - volumes.high).max(0.0),
                mean: (beside - volumes.mean).max(0.0),
                high: beside,
            };
            let phases = vec![Phase::ImageWait, Phase::Unattributed];
            let families = [name::WORKER, name::RUNTIME];
            self.push(Component::ImageWait, phases, estimate, &families, vec![Remark::ImageWaitIsRemainder]);
        }
    }

    fn sandbox(&mut self) {
        let Some(sandbox) = self.per_pod(name::RUNTIME, "run_podsandbox") else { return };
        let estimate = self.of_recorded(sandbox.seconds, sandbox.calls);
        let failed = self.errors("run_podsandbox");
        let retried = Remark::FailedSandboxes { failed, calls: sandbox.calls };
        let mut remarks: Vec<Remark> = (failed > 0.0).then_some(retried).into_iter().collect();
        remarks.extend(self.network());
        self.push(Component::Sandbox, vec![Phase::Sandbox], estimate, &[name::RUNTIME], remarks);
    }

    /// The node's network within the sandbox, where the runtime is scraped.
    fn network(&self) -> Option<Remark> {
        let network = self.per_pod(name::CNI, "").or(self.per_pod(name::CNI_SANDBOXED, ""))?;
        (network.calls > 0.0).then_some(Remark::Network(network.seconds))
    }

    fn containers(&mut self) {
        let (create, start) =
            (self.per_pod(name::RUNTIME, "create_container"), self.per_pod(name::RUNTIME, "start_container"));
        let Some((create, start)) = create.zip(start) else { return };
        let (containers, pods) = (create.calls, self.pods);
        let remark = Remark::ExtraContainers { containers, pods };
        let remarks = if containers - pods >= 0.5 { vec![remark] } else { Vec::new() };
        let estimate = self.of_recorded(create.seconds + start.seconds, containers);
        self.push(Component::Start, vec![Phase::Start], estimate, &[name::RUNTIME], remarks);
    }

    /// What the first sync of a pod holds beside calls to the runtime: volumes, and waits for pulls. It nearly always holds
    /// the sandbox, the pulls and the containers.
    fn beside_the_runtime(&self, wait: Option<Estimate>) -> Option<f64> {
        let sync = self.per_pod(name::WORKER, "create").filter(|_| self.existing_pods().is_none())?;
        let calls = ["run_podsandbox", "pull_image", "create_container", "start_container"];
        let in_runtime: f64 = calls.iter().map(|call| self.seconds(name::RUNTIME, call)).sum();
        Some((sync.seconds - in_runtime - wait.map_or(0.0, |wait| wait.mean)).max(0.0))
    }

    /// How many pods had their first sync, where that is more than got a sandbox: a kubelet that starts syncs all pods of the
    /// node.
    pub(super) fn existing_pods(&self) -> Option<f64> {
        let synced = self.per_pod(name::WORKER, "create")?.calls;
        (synced > 1.1 * self.pods + 1.0).then_some(synced)
    }

    /// Every remount of a volume is in its family again, and volumes are mounted side by side: the sum is only a bound. The
    /// kubelet looks every 300 ms whether all are mounted (volume_manager.go, podAttachAndMountRetryInterval).
    fn volumes(&self, beside: Option<f64>) -> Option<Estimate> {
        let sum = self.per_pod(name::VOLUME, "")?.seconds;
        let mean = match self.existing_pods() {
            Some(existing) => sum * self.pods / existing,
            None => beside.map_or(sum, |beside| beside.min(sum)),
        };
        Some(Estimate { low: 0.0, mean, high: sum + 0.3 })
    }
}
