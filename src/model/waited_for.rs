//! Whom or what a startup waited for. Tables and reports store it as text: here it becomes one, and is read back.

use std::fmt;

use crate::model::startup::BURST_WINDOW;
use crate::model::time::SECOND;

/// What was waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitedFor {
    /// An image's own pull.
    Image(Box<str>),
    /// The pull of another image, ahead in the node's queue.
    PullAhead(Box<str>),
    /// A registry mirror that did not serve an image.
    Mirror(Box<str>),
    /// A container.
    Container(Box<str>),
    /// A driver that prepares claimed devices (dynamic resource allocation).
    DraDriver(Box<str>),
    /// Devices that the pod claims, where no line names their driver.
    ResourceClaim(Box<str>),
    /// The node's network.
    NodeNetwork,
    /// The relist that notices the container, or the status update after it: no line separates them.
    DetectionOrUpdate,
    /// The pod's volumes or its sandbox: no object of the API separates them.
    VolumesOrSandbox,
    /// The kubelet, which has not acknowledged the pod yet that is bound to its node.
    UnacknowledgedByKubelet,
    /// The same, of a node that is not ready.
    NodeNotReady,
    /// The kubelet, which took the pod late: by its event it was bound before.
    LateKubelet,
    /// The kubelet's own list of its pods, a request that waited in its rate limit.
    ThrottledList,
    /// The beginning of the log: what came before is not shown.
    LogBegin,
    /// A readiness probe: the seconds that its settings take at the least, and its period.
    ReadinessProbe {
        /// Initial delay, and a period for each further success that it asks for.
        least: u64,
        /// Seconds from one try to the next.
        period: u64,
    },
    /// Others that started on the node at the same time.
    Burst {
        /// How many.
        others: usize,
    },
}

const AHEAD: &str = "behind ";
const MIRROR: &str = "mirror ";
const DRIVER: &str = "DRA driver ";
const CLAIM: &str = "resource claim ";
const NETWORK: &str = "the node's network";
const PROBE: &str = "a readiness probe with at least ";
const VOLUMES_OR_SANDBOX: &str = "volumes or sandbox: no event separates them";
const UNACKNOWLEDGED: &str = "the kubelet: the pod is bound to its node, and not acknowledged yet";
const NODE_NOT_READY: &str = "its node, which is not ready: the kubelet has not acknowledged the pod";
const LATE_KUBELET: &str = "a kubelet that took the pod late: it was bound to its node before";
const THROTTLED_LIST: &str = "the kubelet's list of its pods, held back by its own rate limit";
const LOG_BEGIN: &str = "before the log begins";
const DETECTION_OR_UPDATE: &str = "or status update: no line separates them";

impl WaitedFor {
    /// Whether it is devices that a pod claims.
    pub fn is_claimed_device(&self) -> bool {
        matches!(self, WaitedFor::DraDriver(_) | WaitedFor::ResourceClaim(_))
    }

    /// Reads a stored text. A name alone does not say whose it is: with a slash or a colon it is an image's, else it is
    /// taken for a container's.
    pub fn from_text(text: &str) -> Self {
        if let Some(image) = text.strip_prefix(AHEAD) {
            return WaitedFor::PullAhead(image.into());
        }
        if let Some(host) = text.strip_prefix(MIRROR) {
            return WaitedFor::Mirror(host.into());
        }
        if let Some(driver) = text.strip_prefix(DRIVER) {
            return WaitedFor::DraDriver(driver.into());
        }
        if let Some(claim) = text.strip_prefix(CLAIM) {
            return WaitedFor::ResourceClaim(claim.into());
        }
        if text == NETWORK {
            return WaitedFor::NodeNetwork;
        }
        if text == VOLUMES_OR_SANDBOX {
            return WaitedFor::VolumesOrSandbox;
        }
        if text == UNACKNOWLEDGED {
            return WaitedFor::UnacknowledgedByKubelet;
        }
        if text == NODE_NOT_READY {
            return WaitedFor::NodeNotReady;
        }
        if text == LATE_KUBELET {
            return WaitedFor::LateKubelet;
        }
        if text == THROTTLED_LIST {
            return WaitedFor::ThrottledList;
        }
        if text == LOG_BEGIN {
            return WaitedFor::LogBegin;
        }
        if text == DETECTION_OR_UPDATE {
            return WaitedFor::DetectionOrUpdate;
        }
        if let Some((least, period)) =
            text.strip_prefix(PROBE).and_then(|rest| rest.split_once(" s of delay and a period of "))
            && let (Ok(least), Some(Ok(period))) = (least.parse(), period.strip_suffix(" s").map(str::parse))
        {
            return WaitedFor::ReadinessProbe { least, period };
        }
        let others = text.strip_prefix("with ").and_then(|rest| rest.split(' ').next()?.parse().ok());
        let burst = others.map(|others| WaitedFor::Burst { others });
        match burst.filter(|burst| burst.to_string() == text) {
            Some(burst) => burst,
            None if text.contains(['/', ':']) => WaitedFor::Image(text.into()),
            None => WaitedFor::Container(text.into()),
        }
    }

    /// The name of the image or the container in it.
    pub fn name(&self) -> Option<&str> {
        match self {
            WaitedFor::Image(name) | WaitedFor::PullAhead(name) | WaitedFor::Container(name) => Some(name),
            WaitedFor::Mirror(_)
            | WaitedFor::DraDriver(_)
            | WaitedFor::ResourceClaim(_)
            | WaitedFor::NodeNetwork
            | WaitedFor::DetectionOrUpdate
            | WaitedFor::VolumesOrSandbox
            | WaitedFor::UnacknowledgedByKubelet
            | WaitedFor::NodeNotReady
            | WaitedFor::LateKubelet
            | WaitedFor::ThrottledList
            | WaitedFor::LogBegin
            | WaitedFor::ReadinessProbe { .. }
            | WaitedFor::Burst { .. } => None,
        }
    }

    /// As it is stored.
    pub fn text(&self) -> Box<str> {
        self.to_string().into()
    }
}

impl fmt::Display for WaitedFor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitedFor::Image(name) | WaitedFor::Container(name) => out.write_str(name),
            WaitedFor::PullAhead(image) => write!(out, "{AHEAD}{image}"),
            WaitedFor::Mirror(host) => write!(out, "{MIRROR}{host}"),
            WaitedFor::DraDriver(driver) => write!(out, "{DRIVER}{driver}"),
            WaitedFor::ResourceClaim(claim) => write!(out, "{CLAIM}{claim}"),
            WaitedFor::NodeNetwork => out.write_str(NETWORK),
            WaitedFor::DetectionOrUpdate => out.write_str(DETECTION_OR_UPDATE),
            WaitedFor::UnacknowledgedByKubelet => out.write_str(UNACKNOWLEDGED),
            WaitedFor::NodeNotReady => out.write_str(NODE_NOT_READY),
            WaitedFor::LateKubelet => out.write_str(LATE_KUBELET),
            WaitedFor::ThrottledList => out.write_str(THROTTLED_LIST),
            WaitedFor::LogBegin => out.write_str(LOG_BEGIN),
            WaitedFor::VolumesOrSandbox => out.write_str(VOLUMES_OR_SANDBOX),
            WaitedFor::ReadinessProbe { least, period } => {
                write!(out, "{PROBE}{least} s of delay and a period of {period} s")
            }
            WaitedFor::Burst { others } => {
                write!(out, "with {others} other starts within {} s", BURST_WINDOW.0 / SECOND)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_text_is_read_back() {
        for known in [
            WaitedFor::Image("reg.test/app:v1".into()),
            WaitedFor::PullAhead("nginx".into()),
            WaitedFor::Mirror("mirror.test:5000".into()),
            WaitedFor::DraDriver("gpu.example.test".into()),
            WaitedFor::ResourceClaim("gpu".into()),
            WaitedFor::Container("init-db".into()),
            WaitedFor::NodeNetwork,
            WaitedFor::DetectionOrUpdate,
            WaitedFor::VolumesOrSandbox,
            WaitedFor::UnacknowledgedByKubelet,
            WaitedFor::NodeNotReady,
            WaitedFor::LateKubelet,
            WaitedFor::ThrottledList,
            WaitedFor::LogBegin,
            WaitedFor::ReadinessProbe { least: 12, period: 2 },
            WaitedFor::Burst { others: 39 },
        ] {
            assert_eq!(WaitedFor::from_text(&known.to_string()), known);
        }
        let name = "with 039 other starts within 3 s";
        assert_eq!(WaitedFor::from_text(name), WaitedFor::Container(name.into()), "only what is written is read");
    }
}
