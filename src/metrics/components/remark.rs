//! What is to be known about a component of the mean start, as data and in words.

use crate::model::duration::format_duration;
use std::fmt;

use serde::{Serialize, Serializer};

/// What is to be known about a component.
#[derive(Clone, Debug, PartialEq)]
pub enum Remark {
    /// A kubelet that starts syncs this many pods, new and old; their volumes are included.
    ExistingVolumes {
        /// Pods synced.
        pods: f64,
    },
    /// A kubelet's start syncs all pods; what it took for the new ones is in no family.
    ExistingPods {
        /// Pods synced.
        synced: f64,
        /// Of these new.
        new: f64,
    },
    /// What failed pulls waited is in no family.
    FailedPullWaits(f64),
    /// The back-off between failed pulls is included.
    PullBackoff(f64),
    /// Before 1.30 no family counts the wait for a pull.
    ImageWaitIsRemainder,
    /// Sandboxes that failed: the waits between attempts are no call.
    FailedSandboxes {
        /// How many.
        failed: f64,
        /// Of how many calls.
        calls: f64,
    },
    /// Sandboxes that failed: the waits between attempts are included.
    SandboxRetryWaits(f64),
    /// The node's network within the sandbox, seconds, by containerd.
    Network(f64),
    /// More containers than pods: init containers and restarts are included.
    ExtraContainers {
        /// Containers created.
        containers: f64,
        /// Pods.
        pods: f64,
    },
    /// How long init containers ran is in no family.
    InitContainers(f64),
    /// The kubelet notices what happens in the runtime at a relist, every so many seconds.
    RelistInterval(f64),
    /// Seconds that the kubelet's API client waited in its own rate limit.
    ClientRateLimit(f64),
    /// Mean seconds from a status change to the API.
    StatusSync(f64),
    /// The operations take longer than the recorded starts.
    MoreThanRecorded,
}

impl Remark {
    /// Whether it says why the component may differ from what logs show, rather than what lies in it.
    #[must_use]
    pub fn explains_difference(&self) -> bool {
        !matches!(self, Remark::RelistInterval(_) | Remark::ClientRateLimit(_) | Remark::StatusSync(_))
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::ExistingVolumes { pods } => {
                write!(f, "includes the volumes of all {pods:.0} pods synced when the kubelet started")
            }
            Remark::ExistingPods { synced, new } => write!(
                f,
                "{synced:.0} pods had their first sync, {new:.0} of them new: a starting kubelet syncs all pods, and no metric \
                 separates the new ones"
            ),
            Remark::FailedPullWaits(pulls) => write!(f, "{pulls:.0} failed pulls: no metric counts their wait"),
            Remark::PullBackoff(pulls) => write!(f, "{pulls:.0} failed pulls: includes the back-off between attempts"),
            Remark::ImageWaitIsRemainder => {
                f.write_str("no metric for it before 1.30: the rest of the first sync after its other components")
            }
            Remark::FailedSandboxes { failed, calls } => {
                write!(f, "{failed:.0} of {calls:.0} failed: excludes the waits between attempts")
            }
            Remark::SandboxRetryWaits(failed) => {
                write!(f, "{failed:.0} failed sandboxes: includes the waits between attempts")
            }
            Remark::Network(seconds) => write!(f, "includes {seconds:.3} s of pod network setup (CNI), by containerd"),
            Remark::ExtraContainers { containers, pods } => {
                write!(f, "{containers:.0} containers for {pods:.0} pods: includes init containers and restarts")
            }
            Remark::InitContainers(count) => write!(f, "{count:.0} init containers ran: no metric for their duration"),
            Remark::RelistInterval(seconds) => {
                write!(f, "the kubelet notices container changes at a relist, every {}", format_duration(*seconds))
            }
            Remark::ClientRateLimit(seconds) => {
                write!(
                    f,
                    "{} per start of client-side throttling in the kubelet's API client",
                    format_duration(*seconds)
                )
            }
            Remark::StatusSync(seconds) => {
                write!(
                    f,
                    "status updates took at most {} to reach the API on average, all pods",
                    format_duration(*seconds)
                )
            }
            Remark::MoreThanRecorded => f.write_str("the operations took longer than the recorded starts"),
        }
    }
}

impl Serialize for Remark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
