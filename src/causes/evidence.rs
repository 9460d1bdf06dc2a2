//! The kinds of input that show something of a start. Causes name the kinds that can show them; for input that a run does not
//! have, its causes are listed as not checked.

use crate::breakdown::timeline::TimelineSource;
use crate::model::names::named_enum;
use crate::model::record::Fact;
use crate::model::startup::Startup;

named_enum! {
    /// A kind of input, by what it can show of starts.
    Evidence EVIDENCES {
        /// The tracker's record, printed at any verbosity.
        Record = "record",
        /// Other lines of the kubelet (`-v=2` has all that are needed here).
        KubeletLog = "kubelet-log",
        /// The kubelet's own events in its log (`-v=3`).
        KubeletEvents = "kubelet-events",
        /// The container runtime's log.
        RuntimeLog = "runtime-log",
        /// Pods as `kubectl get -o json` prints them.
        Pods = "pods",
        /// Pods and their events, as `kubectl get -o json` prints them.
        Events = "events",
        /// The kubelet's `/metrics`.
        KubeletMetrics = "kubelet-metrics",
        /// cAdvisor's metrics, which the kubelet serves too.
        ContainerMetrics = "container-metrics",
        /// The runtime's own metrics.
        RuntimeMetrics = "runtime-metrics",
        /// node_exporter's metrics.
        NodeMetrics = "node-metrics",
    }
}

impl Evidence {
    /// How to get it.
    #[must_use]
    pub fn how_to_get(self) -> &'static str {
        match self {
            Evidence::Record | Evidence::KubeletLog => "kubelet log at -v=2",
            Evidence::KubeletEvents => "kubelet log at -v=3",
            Evidence::RuntimeLog => "container runtime log (journalctl -u containerd or -u crio)",
            Evidence::Pods => "pods (kubectl get pods -A -o json)",
            Evidence::Events => "pods and events (kubectl get pods,events -A -o json)",
            Evidence::KubeletMetrics => "two scrapes of the kubelet's /metrics",
            Evidence::ContainerMetrics => "two scrapes of /metrics/cadvisor",
            Evidence::RuntimeMetrics => "two scrapes of containerd's metrics",
            Evidence::NodeMetrics => "two scrapes of node_exporter",
        }
    }

    /// The kinds of lines that a startup and its timeline are based on.
    pub(crate) fn of(startup: &Startup, based_on: TimelineSource) -> Vec<Evidence> {
        if startup.by_objects {
            return vec![Evidence::Events];
        }
        // `-v=2` prints these for every start: with lines of `-v=0` alone, causes cannot be checked.
        let kubelet = |event: &crate::model::startup::Event| {
            !event.from_runtime && matches!(event.fact, Fact::PodAdded | Fact::SandboxNeeded | Fact::PlegEvent)
        };
        let events = startup.events.iter().any(|event| {
            !event.from_runtime
                && matches!(event.fact, Fact::PullRequested | Fact::PullFinished | Fact::ContainerStarted)
        });
        let all = [
            (Evidence::Record, startup.observed.is_some()),
            (Evidence::KubeletLog, startup.events.iter().any(kubelet)),
            (Evidence::KubeletEvents, events),
            (Evidence::RuntimeLog, based_on == TimelineSource::Runtime),
        ];
        all.into_iter().filter(|(_, there)| *there).map(|(kind, _)| kind).collect()
    }

    /// Kinds as one text: their names with blanks between them.
    #[must_use]
    pub fn words(kinds: &[Evidence]) -> Box<str> {
        kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" ").into()
    }

    /// The kinds a text names.
    pub fn read(words: &str) -> impl Iterator<Item = Evidence> {
        words.split(' ').filter_map(Evidence::from_name)
    }
}
