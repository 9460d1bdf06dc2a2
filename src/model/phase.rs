//! The phases a startup is split into: the table every breakdown, column and output is made from.
//!
//! To add a phase: a row here, and the claim in `breakdown` that gives it seconds. The columns follow by themselves.

use crate::model::names::named_enum;

named_enum! {
    /// A kind of interval in a startup.
    #[derive(Default)]
    Phase PHASES {
        /// Created → the kubelet took the pod: scheduler, binding, watch, a kubelet that was down.
        Scheduling = "scheduling",
        /// First volume work → all volumes done.
        Volumes = "volumes",
        /// Pull asked for → transfer begins: the serial queue, the limit of parallel pulls.
        ImageWait = "image_wait",
        /// Transfer and unpacking.
        ImagePull = "image_pull",
        /// Between a failed pull and the next try.
        ImageBackoff = "image_backoff",
        /// Sandbox asked for → ready; network set-up inside, retries counted.
        Sandbox = "sandbox",
        /// Init containers running.
        Init = "init",
        /// Container asked for → started.
        Start = "start",
        /// Waits after a failed try: crashes, configuration errors, a node network that is not ready.
        RestartBackoff = "restart_backoff",
        /// Something ended or started in the runtime → the kubelet notices.
        Detect = "detect",
        /// Noticed → the API accepted the status.
        Report = "report",
        /// Accepted → seen on the kubelet's own watch; often an artefact of the tracker.
        Watch = "watch",
        /// What no evidence covers.
        #[default]
        Unattributed = "unattributed",
    }
}

/// A phase's group, label and meaning, as people read them.
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
            Phase::Scheduling => ("before the kubelet", "scheduling", "created → the kubelet took the pod"),
            Phase::Volumes => ("volumes", "volumes", "first volume work → all volumes done"),
            Phase::ImageWait => ("pulling", "image wait", "pull asked for → transfer begins"),
            Phase::ImagePull => ("pulling", "image pull", "transfer and unpacking"),
            Phase::ImageBackoff => ("pulling", "image back-off", "between a failed pull and the next try"),
            Phase::Sandbox => ("runtime", "sandbox", "sandbox asked for → ready, network inside"),
            Phase::Init => ("runtime", "init", "init containers running"),
            Phase::Start => ("runtime", "start", "container asked for → started"),
            Phase::RestartBackoff => ("runtime", "retry wait", "waits after failed tries"),
            Phase::Detect => ("reporting", "detect", "changed in the runtime → noticed by the kubelet"),
            Phase::Report => ("reporting", "report", "noticed → status accepted by the API"),
            Phase::Watch => ("reporting", "watch", "accepted → seen on the kubelet's own watch"),
            Phase::Unattributed => ("–", "unattributed", "what no evidence covers"),
        };
        Words { group, label, meaning }
    }

    /// Its number in [`PHASES`].
    pub fn index(self) -> usize {
        self as usize
    }
}
