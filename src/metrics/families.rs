//! The metric families podlag reads: which labels are kept (all others are summed over), and what a family shows.
//!
//! To add one: a row in [`FAMILIES`]; where it is to say something of a start, its use in `breakdown` or `judge`. A test
//! looks for each in the captured pages, or in the list of those that only other exporters have.

/// Whose page a family is on. A process' counters begin anew with it, so pages of different processes are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exporter {
    /// `/metrics` of the kubelet.
    Kubelet,
    /// `/metrics/cadvisor` of the kubelet.
    Cadvisor,
    /// containerd's metrics address.
    Containerd,
    /// CRI-O's metrics port.
    Crio,
    /// node_exporter.
    Node,
}

/// What shape a family has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A histogram of which buckets are needed.
    Histogram,
    /// A histogram or summary of which sum and count are enough.
    Sum,
    /// A counter.
    Counter,
    /// A gauge about the page itself.
    Info,
}

/// One family.
#[derive(Debug)]
pub struct Family {
    /// Its name as exposed, without `_bucket`, `_sum`, `_count`.
    pub name: &'static str,
    /// Who exposes it.
    pub exporter: Exporter,
    /// Its shape.
    pub shape: Shape,
    /// The label that is kept; empty: none.
    pub label: &'static str,
    /// The values of that label that are wanted; empty: all.
    pub label_values: &'static [&'static str],
    /// A label that must not be empty: cAdvisor gives each container, and again the pod's and the slices' cgroups above it.
    pub required_label: &'static str,
    /// Labels that must have these values.
    pub matchers: &'static [(&'static str, &'static str)],
    /// Operations whose label `status` is not `success` are kept apart: their kept label has [`FAILED`] behind it.
    pub failed_apart: bool,
    /// The kept label only distinguishes series that come and go by themselves; a window sums over it.
    pub sum_over_label: bool,
    /// Which kubelets have it, for readers of the table.
    #[allow(dead_code, reason = "it documents the row")]
    pub since: &'static str,
}

/// Behind the kept label of operations that failed.
pub const FAILED: &str = " failed";
/// The label that says whether an operation failed, and its value where it did not.
pub const OUTCOME: (&str, &str) = ("status", "success");

const fn family(name: &'static str, exporter: Exporter, shape: Shape, since: &'static str) -> Family {
    Family {
        name,
        exporter,
        shape,
        label: "",
        label_values: &[],
        required_label: "",
        matchers: &[],
        failed_apart: false,
        sum_over_label: false,
        since,
    }
}

const fn with_label(family: Family, label: &'static str, label_values: &'static [&'static str]) -> Family {
    Family { label, label_values, ..family }
}

const fn container_counter(name: &'static str, since: &'static str) -> Family {
    Family { required_label: "container", label: "id", sum_over_label: true, ..family(name, Cadvisor, Counter, since) }
}

/// Names used in more than one place.
pub mod name {
    /// The SLI of the kubelet: without pulls (and init containers from 1.34.8 on); from then on stateless pods only.
    pub const SLI: &str = "kubelet_pod_start_sli_duration_seconds";
    /// Created → watched, all recorded pods.
    pub const TOTAL: &str = "kubelet_pod_start_total_duration_seconds";
    /// First seen → Running; also observed once, near 0, for the first sync of each pod (kubernetes issue 132268).
    pub const POD_START: &str = "kubelet_pod_start_duration_seconds";
    /// First seen → first sync.
    pub const WORKER_START: &str = "kubelet_pod_worker_start_duration_seconds";
    /// One sync of a pod.
    pub const WORKER: &str = "kubelet_pod_worker_duration_seconds";
    /// First change of a status → its PATCH.
    pub const STATUS_SYNC: &str = "kubelet_pod_status_sync_duration_seconds";
    /// A call to the runtime.
    pub const RUNTIME: &str = "kubelet_runtime_operations_duration_seconds";
    /// Calls to the runtime that failed.
    pub const RUNTIME_ERRORS: &str = "kubelet_runtime_operations_errors_total";
    /// Successful pulls with their wait in the puller's queue.
    pub const IMAGE_PULL: &str = "kubelet_image_pull_duration_seconds";
    /// A volume from its first request to its mount; remounts are counted too.
    pub const VOLUME: &str = "volume_operation_total_seconds";
    /// One try of an operation on a volume.
    pub const STORAGE: &str = "storage_operation_duration_seconds";
    /// Time in the API client's own rate limiter.
    pub const LIMITER: &str = "rest_client_rate_limiter_duration_seconds";
    /// Requests of the API client, by answer.
    pub const REQUESTS: &str = "rest_client_requests_total";
    /// Containers that could not be started, by reason.
    pub const CONTAINER_ERRORS: &str = "kubelet_started_containers_errors_total";
    /// Containers started, by type.
    pub const CONTAINERS: &str = "kubelet_started_containers_total";
    /// One relist.
    pub const RELIST: &str = "kubelet_pleg_relist_duration_seconds";
    /// From one relist to the next.
    pub const RELIST_INTERVAL: &str = "kubelet_pleg_relist_interval_seconds";
    /// Work on a pod's cgroup.
    pub const CGROUP: &str = "kubelet_cgroup_manager_duration_seconds";
    /// A credential provider's run before a pull.
    pub const CREDENTIALS: &str = "kubelet_credential_provider_plugin_duration";
    /// Allocation of devices during admission.
    pub const DEVICES: &str = "kubelet_device_plugin_alloc_duration_seconds";
    /// Preparing claimed devices (dynamic resource allocation), by whether it failed.
    pub const DRA: &str = "dra_operations_duration_seconds";
    /// Images removed by garbage collection.
    pub const IMAGE_GC: &str = "kubelet_image_garbage_collected_total";
    /// Questions whether an image is there, from 1.35 on: those that ask the registry for one that is.
    pub const ENSURE_IMAGE: &str = "kubelet_image_manager_ensure_image_requests_total";
    /// MB/s of each pull, containerd.
    pub const THROUGHPUT: &str = "containerd_cri_sandboxed_image_pulling_throughput";
    /// CNI within a sandbox, containerd.
    pub const CNI: &str = "containerd_cri_sandbox_create_network_seconds";
    /// The same where containerd 1.7 runs its sandbox server.
    pub const CNI_SANDBOXED: &str = "containerd_cri_sandboxed_sandbox_create_network_seconds";
    /// CRI calls, CRI-O.
    pub const CRIO: &str = "container_runtime_crio_operations_latency_seconds_total";
    /// Retries that met an unfinished sandbox or container, CRI-O.
    pub const CRIO_STALLED: &str = "container_runtime_crio_resources_stalled_at_stage";
    /// On each of cAdvisor's pages: the page was read, also where no container has a limit, and so no counter of throttling.
    pub const CADVISOR: &str = "cadvisor_version_info";
    /// Periods of the CPU quota.
    pub const CFS_PERIODS: &str = "container_cpu_cfs_periods_total";
    /// Periods in which the quota was used up.
    pub const CFS_THROTTLED: &str = "container_cpu_cfs_throttled_periods_total";
    /// Seconds throttled.
    pub const CFS_SECONDS: &str = "container_cpu_cfs_throttled_seconds_total";
    /// Times that memory.high was met.
    pub const MEMORY_HIGH: &str = "container_memory_events_high_total";
    /// PSI of a cgroup: some task waited for a CPU.
    pub const PSI_CPU: &str = "container_pressure_cpu_waiting_seconds_total";
    /// PSI: some task waited for memory.
    pub const PSI_MEMORY: &str = "container_pressure_memory_waiting_seconds_total";
    /// PSI: some task waited for a disk.
    pub const PSI_IO: &str = "container_pressure_io_waiting_seconds_total";
    /// PSI of the node, as node_exporter gives it.
    pub const NODE_CPU: &str = "node_pressure_cpu_waiting_seconds_total";
    /// See [`NODE_CPU`].
    pub const NODE_MEMORY: &str = "node_pressure_memory_waiting_seconds_total";
    /// See [`NODE_CPU`].
    pub const NODE_IO: &str = "node_pressure_io_waiting_seconds_total";
    /// Seconds a disk had work.
    pub const NODE_DISK: &str = "node_disk_io_time_seconds_total";
    /// When the process started, seconds since 1970.
    pub const PROCESS_START: &str = "process_start_time_seconds";
    /// When the kubelet last relisted, seconds since 1970: the scrape is not older.
    pub const LAST_RELIST: &str = "kubelet_pleg_last_seen_seconds";
    /// When the Go process last collected garbage: the scrape is not older.
    pub const LAST_GC: &str = "go_memstats_last_gc_time_seconds";
    /// Its label `node` is the node's name.
    pub const NODE_NAME: &str = "kubelet_node_name";
    /// Its label `git_version` is the kubelet's version.
    pub const BUILD: &str = "kubernetes_build_info";
}

use Exporter::{Cadvisor, Containerd, Crio, Kubelet, Node};
use Shape::{Counter, Histogram, Info, Sum};

/// The calls to the runtime that a start is made of. `run_podsandbox` is read here and not in
/// `kubelet_run_podsandbox_duration_seconds`, whose values are about 0 before 1.35 in the captures.
const CALLS: &[&str] = &["run_podsandbox", "pull_image", "create_container", "start_container"];

/// Every family.
pub const FAMILIES: &[Family] = &[
    family(name::SLI, Kubelet, Histogram, "1.26"),
    family(name::TOTAL, Kubelet, Histogram, "1.29"),
    family(name::POD_START, Kubelet, Sum, "all"),
    family(name::WORKER_START, Kubelet, Sum, "all"),
    with_label(family(name::WORKER, Kubelet, Sum, "all"), "operation_type", &["create"]),
    family(name::STATUS_SYNC, Kubelet, Sum, "1.26"),
    with_label(family(name::RUNTIME, Kubelet, Sum, "all"), "operation_type", CALLS),
    with_label(family(name::RUNTIME_ERRORS, Kubelet, Counter, "all"), "operation_type", CALLS),
    family(name::IMAGE_PULL, Kubelet, Sum, "1.30"),
    with_label(family(name::VOLUME, Kubelet, Sum, "all"), "plugin_name", &[]),
    Family {
        failed_apart: true,
        ..with_label(
            family(name::STORAGE, Kubelet, Sum, "all"),
            "operation_name",
            &["verify_controller_attached_volume", "volume_mount", "volume_apply_access_control"],
        )
    },
    family(name::LIMITER, Kubelet, Sum, "all"),
    with_label(family(name::REQUESTS, Kubelet, Counter, "all"), "code", &["429"]),
    with_label(family(name::CONTAINERS, Kubelet, Counter, "all"), "container_type", &[]),
    with_label(family(name::CONTAINER_ERRORS, Kubelet, Counter, "all"), "code", &[]),
    family(name::RELIST, Kubelet, Sum, "all"),
    family(name::RELIST_INTERVAL, Kubelet, Sum, "all"),
    with_label(family(name::CGROUP, Kubelet, Sum, "all"), "operation_type", &["create"]),
    family(name::CREDENTIALS, Kubelet, Sum, "all"),
    family(name::DEVICES, Kubelet, Sum, "all"),
    Family {
        matchers: &[("operation_name", "PrepareResources")],
        ..with_label(family(name::DRA, Kubelet, Sum, "1.32"), "is_error", &["true", "false"])
    },
    family(name::IMAGE_GC, Kubelet, Counter, "1.29"),
    Family {
        matchers: &[("present_locally", "true"), ("pull_required", "true")],
        ..with_label(family(name::ENSURE_IMAGE, Kubelet, Counter, "1.35"), "pull_policy", &["always"])
    },
    family(name::THROUGHPUT, Containerd, Sum, "containerd 1.7"),
    family(name::CNI, Containerd, Sum, "containerd"),
    family(name::CNI_SANDBOXED, Containerd, Sum, "containerd 1.7"),
    with_label(
        family(name::CRIO, Crio, Sum, "CRI-O"),
        "operation",
        &["RunPodSandbox", "PullImage", "CreateContainer", "StartContainer"],
    ),
    with_label(family(name::CRIO_STALLED, Crio, Counter, "CRI-O"), "stage", &[]),
    family(name::CADVISOR, Cadvisor, Counter, "all"),
    container_counter(name::CFS_PERIODS, "all"),
    container_counter(name::CFS_THROTTLED, "all"),
    container_counter(name::CFS_SECONDS, "all"),
    container_counter(name::MEMORY_HIGH, "all, with cgroup v2"),
    with_label(family(name::PSI_CPU, Cadvisor, Counter, "1.34, with cgroup v2"), "id", &["/"]),
    with_label(family(name::PSI_MEMORY, Cadvisor, Counter, "1.34, with cgroup v2"), "id", &["/"]),
    with_label(family(name::PSI_IO, Cadvisor, Counter, "1.34, with cgroup v2"), "id", &["/"]),
    family(name::NODE_CPU, Node, Counter, "node_exporter"),
    family(name::NODE_MEMORY, Node, Counter, "node_exporter"),
    family(name::NODE_IO, Node, Counter, "node_exporter"),
    with_label(family(name::NODE_DISK, Node, Counter, "node_exporter"), "device", &[]),
    family(name::PROCESS_START, Kubelet, Info, "all"),
    family(name::LAST_RELIST, Kubelet, Info, "all"),
    family(name::LAST_GC, Kubelet, Info, "all"),
    with_label(family(name::NODE_NAME, Kubelet, Info, "all"), "node", &[]),
    with_label(family(name::BUILD, Kubelet, Info, "all"), "git_version", &[]),
];

/// What a sample is of its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SampleKind {
    /// The value of a counter or gauge.
    Value,
    /// How many values.
    Count,
    /// Their sum.
    Sum,
    /// How many up to a bound.
    Bucket,
}

/// The family, by its number, and part that a sample's name means.
#[must_use]
pub fn lookup(sample: &str) -> Option<(usize, SampleKind)> {
    let known = |name: &str| FAMILIES.iter().position(|family| family.name == name);
    let sums = |at: &usize| FAMILIES.get(*at).is_some_and(|family| matches!(family.shape, Histogram | Sum));
    for (suffix, part) in [("_bucket", SampleKind::Bucket), ("_sum", SampleKind::Sum), ("_count", SampleKind::Count)] {
        if let Some(at) = sample.strip_suffix(suffix).and_then(known).filter(sums) {
            let buckets = FAMILIES.get(at).is_some_and(|family| family.shape == Histogram);
            return (buckets || part != SampleKind::Bucket).then_some((at, part));
        }
    }
    known(sample).filter(|at| !sums(at)).map(|at| (at, SampleKind::Value))
}
