//! The phases a startup is split into: the table every breakdown, column and output is made from.
//!
//! To add a phase: a row here, and the claim in `breakdown` that gives it seconds. The columns follow by themselves.

use crate::model::names::named_enum;

named_enum! {
    /// A kind of interval in a startup.
    #[derive(Default, bitcode::Encode, bitcode::Decode)]
    Phase PHASES {
        /// Created → received by the kubelet: scheduler, binding, watch, a kubelet that was down.
        Scheduling = "scheduling",
        /// First volume operation → all volumes mounted.
        Volumes = "volumes",
        /// Pull requested → transfer started: the serial queue, the limit of parallel pulls.
        ImageWait = "image_wait",
        /// Transfer and unpacking.
        ImagePull = "image_pull",
        /// Between a failed pull and the next attempt.
        ImageBackoff = "image_backoff",
        /// Sandbox requested → ready; including claimed devices (DRA) before it, network set-up and retries.
        Sandbox = "sandbox",
        /// Init containers running.
        Init = "init",
        /// Container requested → started.
        Start = "start",
        /// Waits after a failed attempt: crashes, configuration errors, a node network that is not ready.
        RetryBackoff = "retry_backoff",
        /// Something ended or started in the runtime → the kubelet notices.
        Detection = "detection",
        /// Noticed → the API server accepted the status.
        StatusUpdate = "status_update",
        /// Accepted → seen on the kubelet's own watch; often an artefact of the kubelet's tracker.
        Watch = "watch",
        /// All containers run → all are ready. The pod runs already: no part of the total.
        Readiness = "readiness",
        /// Not explained by the input.
        #[default]
        Unattributed = "unattributed",
    }
}

/// A phase's group, label and meaning, as users read them.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The group it belongs to.
    pub group: &'static str,
    /// Its label.
    pub label: &'static str,
    /// From where to where.
    pub meaning: &'static str,
}

impl Phase {
    /// The words for it.
    pub fn words(self) -> Words {
        let (group, label, meaning) = match self {
            Phase::Scheduling => ("before the kubelet", "scheduling", "created → received by the kubelet"),
            Phase::Volumes => ("volumes", "volumes", "first volume operation → all volumes mounted"),
            Phase::ImageWait => ("pulling", "image wait", "pull requested → transfer started"),
            Phase::ImagePull => ("pulling", "image pull", "transfer and unpacking"),
            Phase::ImageBackoff => ("pulling", "image back-off", "failed pull → next attempt"),
            Phase::Sandbox => {
                ("runtime", "sandbox", "requested → ready, including claimed devices and the pod network")
            }
            Phase::Init => ("runtime", "init", "init containers running"),
            Phase::Start => ("runtime", "start", "container requested → started"),
            Phase::RetryBackoff => (
                "runtime",
                "retry back-off",
                "failed attempt → the attempt that stays; short runs in between are part of it",
            ),
            Phase::Detection => ("reporting", "detection", "changed in the runtime → noticed by the kubelet"),
            Phase::StatusUpdate => (
                "reporting",
                "status update",
                "noticed → status accepted by the API server; postStart hooks too, which most logs do not show apart",
            ),
            Phase::Watch => ("reporting", "watch", "accepted → seen on the kubelet's own watch"),
            Phase::Readiness => ("after running", "readiness", "running → all containers ready; not part of the total"),
            Phase::Unattributed => ("–", "unattributed", "not explained by the input"),
        };
        Words { group, label, meaning }
    }

    /// Whether it is a part of the total: what comes after the pod runs is not.
    pub fn is_in_total(self) -> bool {
        self != Phase::Readiness
    }

    /// Whether the pod waits for it: the kubelet's own watch is a part of the total that delays nobody.
    pub fn delays_pod(self) -> bool {
        self != Phase::Watch
    }

    /// Its number in `PHASES`.
    pub fn index(self) -> usize {
        self as usize
    }
}
