//! The causes and their words, in the order they claim: specific before general.

use super::Cause;
use crate::phase::Phase;
use crate::record::{Fact, Field};
use crate::time::{SECOND, Span};

/// Every cause.
pub const CAUSES: &[Cause] = &[
    Cause {
        id: "kubelet-restart",
        title: "The kubelet was down or restarting when the pod was bound.",
        set: "restart kubelets one node at a time, drained",
        price: "slower maintenance",
        text: concat!(
            "What it means\n", "The kubelet process started after the pod was created, or while it was on its way; until then nobody on the node looked at the pod.", "\n\n",
            "How it is recognised\n", "A kubelet start (its version line, or its main loop) lies between the pod's creation and the kubelet taking it, or within its start.", "\n\n",
            "What to do\n", "Look for why the kubelet restarted (crash, update, configuration push); drain the node before planned restarts.", "\n\n",
            "When it misleads\n", "A pod that also waited for the scheduler while the kubelet was down: the log cannot tell the two apart.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::Scheduling, Phase::Unattributed],
        check: |case| case.startup.restarts.first().map(|(_, place)| Some(*place)),
    },
    Cause {
        id: "scheduling-wait",
        title: "Pods waited before a kubelet took them: scheduler, capacity, gates, or a node that was not ready.",
        set: "more capacity or fewer constraints; look at the pod's events for FailedScheduling",
        price: "idle nodes cost money",
        text: concat!(
            "What it means\n", "Between the pod's creation and the kubelet's first line about it. The kubelet plays no part in it, but its SLO value contains it.", "\n\n",
            "How it is recognised\n", "Creation (the API server's clock, whole seconds) to `SyncLoop ADD`. Below 3 s it may be rounding, the watch and admission webhooks.", "\n\n",
            "What to do\n", "Read the FailedScheduling events; look at scheduling gates, unbound volumes, taints, preemption and cluster autoscaling.", "\n\n",
            "When it misleads\n", "Clocks of node and API server that differ add or hide seconds; the creation stamp is cut to whole seconds.", "\n"
        ),
        limit: Span(3 * SECOND),
        phases: &[Phase::Scheduling],
        check: |_| Some(None),
    },
    Cause {
        id: "api-client-throttled",
        title: "The kubelet's own API client held its requests back.",
        set: "kubeAPIQPS: 50, kubeAPIBurst: 100 (the defaults since Kubernetes 1.27)",
        price: "more load on the API server",
        text: concat!(
            "What it means\n", "Status updates, token requests and secret lists wait in the kubelet's client-side rate limiter when many pods start at once.", "\n\n",
            "How it is recognised\n", "A throttling line of the kubelet with half a second or more while the pod was on its way; the time is lost in volumes (tokens, secrets) and in reporting.", "\n\n",
            "What to do\n", "Raise kubeAPIQPS and kubeAPIBurst in the kubelet configuration, or upgrade to 1.27 or later, where they are 50 and 100.", "\n\n",
            "When it misleads\n", "Throttling lines are rate limited themselves: few lines do not mean little throttling, and a line of another request does not prove that this pod waited for it.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::Report, Phase::Volumes, Phase::Scheduling],
        check: |case| case.around(Fact::Throttled).filter(|e| e.length(Field::Delay).is_some_and(|d| d >= Span(SECOND / 2))).map(|e| Some(e.place)),
    },
    Cause {
        id: "volume-object-missing",
        title: "A volume waited for a configMap or secret that did not exist.",
        set: "create configMaps and secrets before the pods that mount them",
        price: "none",
        text: concat!(
            "What it means\n", "The kubelet cannot mount a configMap or secret that is not there and tries again with a growing back-off (0.5 s doubling to 2 min).", "\n\n",
            "How it is recognised\n", "A failed mount whose error says that the object was not found.", "\n\n",
            "What to do\n", "Order the objects (Helm hooks, Argo sync waves), or mark the volume optional if the pod can live without it.", "\n\n",
            "When it misleads\n", "The back-off makes the wait longer than the object was missing: 20 s late became 33 s in a measured case.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::Volumes],
        check: |case| case.says(Fact::VolumeFailed, "not found").map(|e| Some(e.place)),
    },
    Cause {
        id: "volume-mount-slow",
        title: "Volumes took long to be attached or mounted.",
        set: "look at the volume plugin's own log; fsGroupChangePolicy: OnRootMismatch for large volumes",
        price: "ownership of files below the root is no longer enforced at each start",
        text: concat!(
            "What it means\n", "From the first volume work to the moment the sandbox could be asked for. Every pod with a volume pays about 0.3 s, since the kubelet polls.", "\n\n",
            "How it is recognised\n", "More than 2 s of volumes without a more special reason in the log.", "\n\n",
            "What to do\n", "See which volume was last (`podlag chain`); check attach times of the storage provider, CSI node plugin, ownership walks.", "\n\n",
            "When it misleads\n", "On a node that starts many pods at once everything is slow together; then volumes are a symptom.", "\n"
        ),
        limit: Span(2 * SECOND),
        phases: &[Phase::Volumes],
        check: |_| Some(None),
    },
    Cause {
        id: "pull-rate-limited",
        title: "Pulls were refused by the kubelet's own rate limit and waited for their back-off.",
        set: "registryPullQPS: 0 or higher, registryBurst to match",
        price: "bursts reach the registry",
        text: concat!(
            "What it means\n", "registryPullQPS (5, burst 10) fails a pull at once instead of queueing it; the back-off then costs at least 10 s.", "\n\n",
            "How it is recognised\n", "The words `pull QPS exceeded` in the pod's errors.", "\n\n",
            "What to do\n", "Raise or switch off registryPullQPS; with parallel pulls set maxParallelImagePulls as the limit instead.", "\n\n",
            "When it misleads\n", "The limit protects a registry that has limits of its own.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::ImageBackoff, Phase::ImageWait],
        check: |case| case.says(Fact::SyncFailed, "pull QPS exceeded").map(|e| Some(e.place)),
    },
    Cause {
        id: "image-pull-failing",
        title: "Image pulls failed and were tried again after a growing back-off.",
        set: "fix the image name, the credentials or the registry the error names",
        price: "none",
        text: concat!(
            "What it means\n", "Each failed pull is followed by a wait of 10 s, doubling to 5 min.", "\n\n",
            "How it is recognised\n", "ErrImagePull and ImagePullBackOff in the pod's errors; the wait runs from the first failure to the next try that worked.", "\n\n",
            "What to do\n", "Read the error line: wrong tag, missing credentials, or a registry that answers with errors. Push images before the manifests that use them.", "\n\n",
            "When it misleads\n", "A registry that was down for seconds costs minutes here: the back-off, not the outage, is what is counted.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::ImageBackoff],
        check: |case| Some(case.failed_with(&["ErrImagePull", "ImagePullBackOff"]).map(|e| e.place)),
    },
    Cause {
        id: "image-pull-queued",
        title: "Images waited behind other pulls of the node.",
        set: "serializeImagePulls: false with maxParallelImagePulls: 3 (1.27 on; before: serializeImagePulls: false)",
        price: "more disk and network at once on the node",
        text: concat!(
            "What it means\n", "With serialized pulls (the default) a small image waits until the large one before it is done; with parallel ones, until a slot is free.", "\n\n",
            "How it is recognised\n", "The time between the pull being asked for and the runtime beginning the transfer.", "\n\n",
            "What to do\n", "Set maxParallelImagePulls to 2 or more: serializeImagePulls, left unset, then turns itself off (1.27 on). Pre-pull large images.", "\n\n",
            "When it misleads\n", "When disk or network is the bottleneck, parallel pulls share it and the last one ends no earlier.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::ImageWait],
        check: |_| Some(None),
    },
    Cause {
        id: "image-pull-slow",
        title: "Pulling the image itself took long: its size, the registry, or the node's disk and network.",
        set: "smaller images, a registry mirror in the cluster, pre-pulled base layers",
        price: "storage and upkeep of a mirror",
        text: concat!(
            "What it means\n", "Transfer and unpacking in the runtime.", "\n\n",
            "How it is recognised\n", "More than 2 s between the runtime beginning and ending the pull; without the runtime's log it may contain waiting, which the row states as a bound.", "\n\n",
            "What to do\n", "Compare the size with the time: below some ten MB/s look at registry and network, above at the size. Use a mirror close to the nodes, or lazy loading.", "\n\n",
            "When it misleads\n", "Several pulls at once share the bandwidth: each looks slow. Without the runtime's log or events the kubelet's record does not tell waiting from pulling.", "\n"
        ),
        limit: Span(2 * SECOND),
        phases: &[Phase::ImagePull],
        check: |_| Some(None),
    },
    Cause {
        id: "sandbox-cni-failing",
        title: "Setting up the pod's sandbox failed and was tried again.",
        set: "fix what the error names: the CNI plugin, its address pool, its daemon on the node",
        price: "none",
        text: concat!(
            "What it means\n", "RunPodSandbox failed, mostly because the network plugin did; the kubelet waits some 10 s before it tries again.", "\n\n",
            "How it is recognised\n", "CreatePodSandboxError for the pod, or RunPodSandbox failing in the runtime's log, before the pod ran.", "\n\n",
            "What to do\n", "Read the error: an address pool that is full, a CNI daemon that is not ready, a plugin that times out.", "\n\n",
            "When it misleads\n", "A node that has just booted fails for some seconds until its CNI daemon is up.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::Sandbox],
        check: |case| case.failed_with(&["CreatePodSandboxError"]).or(case.startup.first(Fact::SandboxFailed).filter(|e| case.in_time(e))).map(|e| Some(e.place)),
    },
    Cause {
        id: "sandbox-slow",
        title: "Creating the sandbox took long; the network plugin runs inside.",
        set: "look at the CNI plugin's own timing; spread bursts over nodes",
        price: "none",
        text: concat!(
            "What it means\n", "RunPodSandbox: cgroups, the pause image if it is missing, and the network plugin. No line at info level separates them.", "\n\n",
            "How it is recognised\n", "More than 2 s from the ask to the ready sandbox. Without the runtime's log its end is known to the kubelet's relist (about 1 s).", "\n\n",
            "What to do\n", "containerd: `containerd_cri_sandbox_create_network_seconds` tells the network's share. Check the CNI plugin, its API calls, and the node's load.", "\n\n",
            "When it misleads\n", "Many pods at once on few cores make every sandbox slow.", "\n"
        ),
        limit: Span(2 * SECOND),
        phases: &[Phase::Sandbox],
        check: |_| Some(None),
    },
    Cause {
        id: "init-containers",
        title: "Init containers ran before the pod's own containers.",
        set: "shorten or parallelise what the init containers do",
        price: "none",
        text: concat!(
            "What it means\n", "Init containers run one after another; each also costs one detection by the relist (up to 1 s).", "\n\n",
            "How it is recognised\n", "From the start to the end of each init container, by the runtime's lines, the events, or the relist.", "\n\n",
            "What to do\n", "Look at what they wait for; a sidecar with a start-up probe can replace a waiting loop.", "\n\n",
            "When it misleads\n", "Their time is left out of the official SLI, but users wait for it all the same.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::Init],
        check: |_| Some(None),
    },
    Cause {
        id: "network-not-ready",
        title: "The node's network was not ready: no pod could get a sandbox.",
        set: "let the CNI daemon start before the node takes pods (a startup taint)",
        price: "nodes join later",
        text: concat!(
            "What it means\n", "The runtime reports NetworkReady=false, so the kubelet fails each sync at once and tries again.", "\n\n",
            "How it is recognised\n", "`network is not ready` in the pod's errors, every 2 s or so.", "\n\n",
            "What to do\n", "See why the CNI configuration came late: image of the CNI daemon, its own API access. Keep pods away with a taint that the daemon removes.", "\n\n",
            "When it misleads\n", "Pods on the host network do not wait for it.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::RestartBackoff],
        check: |case| case.startup.first(Fact::NetworkNotReady).filter(|e| case.in_time(e)).map(|e| Some(e.place)),
    },
    Cause {
        id: "container-config-error",
        title: "A container could not be configured: what its environment refers to was missing.",
        set: "create the configMap or secret before the pod",
        price: "none",
        text: concat!(
            "What it means\n", "envFrom or env refers to an object that does not exist; the kubelet tries again at its next sync, 10 s and more later.", "\n\n",
            "How it is recognised\n", "CreateContainerConfigError in the pod's errors.", "\n\n",
            "What to do\n", "Order the objects, or mark the reference optional.", "\n\n",
            "When it misleads\n", "The wait is longer than the object was missing, by the time to the next sync.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::RestartBackoff],
        check: |case| case.failed_with(&["CreateContainerConfigError"]).map(|e| Some(e.place)),
    },
    Cause {
        id: "crash-loop",
        title: "A container ended and was started again, with growing waits.",
        set: "read the container's own log",
        price: "none",
        text: concat!(
            "What it means\n", "A container (often an init container) exits with an error; the kubelet waits 10 s, then 20 s, and so on.", "\n\n",
            "How it is recognised\n", "CrashLoopBackOff in the pod's errors, or the same container created again before the pod ran.", "\n\n",
            "What to do\n", "The container's log and exit code say why. Make it wait for what it needs instead of exiting.", "\n\n",
            "When it misleads\n", "Exiting until a dependency is there is a design for some programs.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::RestartBackoff],
        check: |case| case.failed_with(&["CrashLoopBackOff"]).map(|e| Some(e.place)).or((case.breakdown.restarts > 0).then_some(None)),
    },
    Cause {
        id: "container-start-error",
        title: "A container could not be created or started.",
        set: "read the error line: command, mounts, device, runtime class",
        price: "none",
        text: concat!(
            "What it means\n", "The runtime refused to create or start the container; the kubelet tries again.", "\n\n",
            "How it is recognised\n", "RunContainerError, CreateContainerError or PostStartHookError in the pod's errors.", "\n\n",
            "What to do\n", "The error names the reason: a command that does not exist, a mount that fails, a hook that returns an error.", "\n\n",
            "When it misleads\n", "None known.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::RestartBackoff],
        check: |_| Some(None),
    },
    Cause {
        id: "sidecar-startup-probe",
        title: "The containers waited for a sidecar's start-up probe.",
        set: "a shorter periodSeconds or a faster sidecar",
        price: "more probing",
        text: concat!(
            "What it means\n", "A sidecar (restartable init container) with a start-up probe holds back all containers after it until the probe passes.", "\n\n",
            "How it is recognised\n", "A start-up probe that failed before the containers started.", "\n\n",
            "What to do\n", "Make the sidecar ready sooner, and let the probe's period be a second.", "\n\n",
            "When it misleads\n", "The start-up probe of a main container does not hold the start back.", "\n"
        ),
        limit: Span(2 * SECOND),
        phases: &[Phase::Start],
        check: |case| case.says(Fact::ProbeFailed, "tartup").map(|e| Some(e.place)),
    },
    Cause {
        id: "container-start-slow",
        title: "Creating and starting the containers took long in the runtime.",
        set: "look at the node's disk and CPU; spread bursts over nodes",
        price: "none",
        text: concat!(
            "What it means\n", "From CreateContainer to the running process: snapshot, mounts, runtime hooks, relabelling, and postStart hooks where the log shows them.", "\n\n",
            "How it is recognised\n", "More than 2 s for all containers together.", "\n\n",
            "What to do\n", "On SELinux nodes with large volumes look at relabelling (SELinuxMount); else at disk throughput and the number of pods started at once.", "\n\n",
            "When it misleads\n", "Without the runtime's log the end is known to the kubelet's relist only.", "\n"
        ),
        limit: Span(2 * SECOND),
        phases: &[Phase::Start],
        check: |_| Some(None),
    },
    Cause {
        id: "pleg-polling",
        title: "The kubelet noticed late what had already happened in the runtime.",
        set: "Kubernetes 1.36 relists on demand (PLEGOnDemandRelist, on by default); EventedPLEG is alpha again since 1.30",
        price: "none",
        text: concat!(
            "What it means\n", "The kubelet asks the runtime for all containers once a second (plus the time that takes), so each change is noticed up to that much later.", "\n\n",
            "How it is recognised\n", "From a container's start or end in the runtime to the kubelet's PLEG line.", "\n\n",
            "What to do\n", "Upgrade; do not turn on EventedPLEG outside of tests. A relist that takes long points to a slow runtime.", "\n\n",
            "When it misleads\n", "A postStart hook keeps the pod's worker busy after the container has started, and looks the same at -v=2.", "\n"
        ),
        limit: Span(2 * SECOND),
        phases: &[Phase::Detect],
        check: |_| Some(None),
    },
    Cause {
        id: "status-report-slow",
        title: "The pod ran, but the API learned it late.",
        set: "kubeAPIQPS and kubeAPIBurst, if the kubelet throttles itself; else the API server's latency",
        price: "more load on the API server",
        text: concat!(
            "What it means\n", "From the kubelet noticing the last container to the API having accepted the status.", "\n\n",
            "How it is recognised\n", "More than 2 s between the PLEG line and `observedRunningTime`.", "\n\n",
            "What to do\n", "Look for throttling lines at -v=2 and above, and at the API server's latency for status patches.", "\n\n",
            "When it misleads\n", "A postStart hook of the last container ends within this time when only the kubelet's -v=2 log is there.", "\n"
        ),
        limit: Span(2 * SECOND),
        phases: &[Phase::Report],
        check: |_| Some(None),
    },
    Cause {
        id: "watch-artefact",
        title: "The record was written late; the pods themselves were running.",
        set: "nothing: read created → running instead of the kubelet's SLO value",
        price: "none",
        text: concat!(
            "What it means\n", "The kubelet writes its record when its watch shows the running pod; if that comes before its own status write returns, the record waits for the next event of any pod on the node.", "\n\n",
            "How it is recognised\n", "`watchObservedRunningTime` long after `observedRunningTime`.", "\n\n",
            "What to do\n", "Do not chase it. The kubelet's two start histograms contain it; this report's own value does not.", "\n\n",
            "When it misleads\n", "A watch that is really slow looks the same in the log.", "\n"
        ),
        limit: Span(1 * SECOND),
        phases: &[Phase::Watch],
        check: |_| Some(None),
    },
    Cause {
        id: "evidence-missing",
        title: "The log does not tell where the time went.",
        set: "add the runtime's log, or run the kubelet with -v=4 for a while",
        price: "log volume",
        text: concat!(
            "What it means\n", "No line covers these seconds.", "\n\n",
            "How it is recognised\n", "More than 3 s that no phase claims.", "\n\n",
            "What to do\n", "Give podlag the container runtime's log of the same time; raise the kubelet's verbosity on one node.", "\n\n",
            "When it misleads\n", "None: it says what is not known.", "\n"
        ),
        limit: Span(3 * SECOND),
        phases: &[Phase::Unattributed],
        check: |_| Some(None),
    },
];
