//! Records: what one line proves. A record is a dated fact with every name its line gives and its place, and nothing else.
//!
//! To add a fact: a row in [`FACTS`], and a grammar message that yields it (a test fails until some grammar does).

use serde::{Deserialize, Serialize};

use crate::model::fields::Fields;
use crate::model::names::named_enum;
use crate::model::pod_status::PodStatus;
use crate::model::time::{Nanos, Stamp, Time};

named_enum! {
    /// What a line can prove (grammars say which line proves which).
    Fact FACTS {
        /// The kubelet process started and logged its version.
        KubeletVersion = "kubelet-version",
        /// The kubelet's main loop began.
        KubeletStarted = "kubelet-started",
        /// The container runtime's name and version.
        RuntimeVersion = "runtime-version",
        /// A command line flag's value (the configuration file may override it).
        Flag = "flag",
        /// The node's name in the cluster.
        NodeRegistered = "node-registered",
        /// journald dropped messages.
        MessagesSuppressed = "messages-suppressed",
        /// The pod as its object in the API shows it.
        PodObject = "pod-object",
        /// The scheduler could not place the pod, or an autoscaler says what it does about it.
        SchedulingFailed = "scheduling-failed",
        /// The scheduler bound the pod to a node.
        PodScheduled = "pod-scheduled",
        /// A volume was attached to the node.
        VolumeAttached = "volume-attached",
        /// The kubelet's main loop took pods (may repeat running ones after a restart).
        PodAdded = "pod-added",
        /// The API asks to end the pods.
        PodDeleted = "pod-deleted",
        /// The pods are gone from the API.
        PodRemoved = "pod-removed",
        /// Admission checked the pod.
        PodAdmitted = "pod-admitted",
        /// Admission refused the pod.
        PodRejected = "pod-rejected",
        /// A pod worker began a sync of the pod.
        SyncStarted = "sync-started",
        /// That sync ended.
        SyncFinished = "sync-finished",
        /// The sync waits for volumes.
        VolumesAwaited = "volumes-awaited",
        /// A volume is wanted and its attachment is being verified.
        VolumeVerifyStarted = "volume-verify-started",
        /// A volume's mount began.
        VolumeMountStarted = "volume-mount-started",
        /// A volume's device is mounted on the node.
        VolumeDeviceMounted = "volume-device-mounted",
        /// A volume is mounted for the pod.
        VolumeMounted = "volume-mounted",
        /// All volumes of the pod are there.
        VolumesReady = "volumes-ready",
        /// A volume operation failed and will be tried again.
        VolumeFailed = "volume-failed",
        /// A volume is being unmounted: the pod has ended.
        VolumeUnmounted = "volume-unmounted",
        /// A volume's ownership is set file by file.
        VolumeOwnership = "volume-ownership",
        /// The sync found that the pod has no sandbox: printed before and after the volumes.
        SandboxNeeded = "sandbox-needed",
        /// The pod's sandbox is there but not ready: it is made anew (or the pod is ending).
        SandboxRecreated = "sandbox-recreated",
        /// The kubelet begins to prepare the devices that the pod claims (dynamic resource allocation).
        DynamicResourcesRequested = "dynamic-resources-requested",
        /// A driver on the node has prepared claimed devices, or has failed to. Names no pod.
        DynamicResourcesPrepared = "dynamic-resources-prepared",
        /// The claimed devices could not be prepared; the kubelet tries again at its next sync of the pod.
        DynamicResourcesFailed = "dynamic-resources-failed",
        /// `RunPodSandbox` began.
        SandboxRequested = "sandbox-requested",
        /// The runtime says which pod a sandbox is of, with its uid.
        SandboxNamed = "sandbox-named",
        /// `RunPodSandbox` returned a sandbox.
        SandboxReady = "sandbox-ready",
        /// `RunPodSandbox` failed.
        SandboxFailed = "sandbox-failed",
        /// The pod's sandbox is being removed.
        SandboxRemoved = "sandbox-removed",
        /// The pod's network is set up.
        NetworkReady = "network-ready",
        /// The kubelet decided to pull (queue and rate limit still ahead).
        PullRequested = "pull-requested",
        /// A pull succeeded, as the kubelet saw it.
        PullFinished = "pull-finished",
        /// The image was there already.
        ImagePresent = "image-present",
        /// A pull failed, as the kubelet saw it.
        PullFailed = "pull-failed",
        /// A pull waits for its back-off.
        PullBackoff = "pull-backoff",
        /// The runtime began a pull.
        TransferStarted = "transfer-started",
        /// The runtime ended a pull well.
        TransferFinished = "transfer-finished",
        /// The runtime's pull failed.
        TransferFailed = "transfer-failed",
        /// A registry host did not serve the runtime's pull; it asks the next one.
        RegistryHostFailed = "registry-host-failed",
        /// `CreateContainer` began.
        ContainerRequested = "container-requested",
        /// `CreateContainer` returned a container.
        ContainerCreated = "container-created",
        /// `StartContainer` began.
        ContainerStarting = "container-starting",
        /// The container runs.
        ContainerStarted = "container-started",
        /// The container ended.
        ContainerExited = "container-exited",
        /// The runtime was asked to stop the container, which ran until then.
        ContainerStopping = "container-stopping",
        /// A container could not be created or started.
        ContainerFailed = "container-failed",
        /// The kubelet's relist noticed a container's change.
        PlegEvent = "pleg-event",
        /// A sync failed and will be tried again.
        SyncFailed = "sync-failed",
        /// A sync failed because the node's network is not ready.
        NetworkNotReady = "network-not-ready",
        /// An API request waited in the client's rate limiter (a sample: lines are rate limited too).
        Throttled = "throttled",
        /// The API accepted the status in which all containers run.
        RunningMarked = "running-marked",
        /// A status was written to the API.
        StatusPatched = "status-patched",
        /// The pod startup latency tracker's record.
        StartupObserved = "startup-observed",
        /// A probe changed a container's state.
        ProbeResult = "probe-result",
        /// A probe failed.
        ProbeFailed = "probe-failed",
        /// The sync loop is stuck.
        PlegUnhealthy = "pleg-unhealthy",
        /// Housekeeping held the sync loop up.
        HousekeepingLate = "housekeeping-late",
        /// Images are being removed to free disk.
        ImageGc = "image-gc",
        /// A credential provider failed for an image. Names no pod.
        CredentialsFailed = "credentials-failed",
        /// An image that is mounted as a volume was pulled, as the kubelet saw it.
        ImageVolumePulled = "image-volume-pulled",
        /// A pull secret is missing.
        PullSecretMissing = "pull-secret-missing",
        /// The container runtime started: requests before it have no answer.
        RuntimeStarted = "runtime-started",
        /// The runtime says that an earlier request is still under way.
        RuntimeStalled = "runtime-stalled",
    }
}

named_enum! {
    /// What a line can say in addition to its fact.
    Field FIELDS {
        /// `namespace/name`.
        Pod = "pod",
        /// Several of them.
        Pods = "pods",
        /// Where the kubelet has a pod from: api, file, http.
        Source = "source",
        /// A pod's namespace.
        Namespace = "namespace",
        /// A pod's name.
        Name = "name",
        /// A pod's uid.
        Uid = "uid",
        /// A node's name.
        Node = "node",
        /// A sandbox id.
        Sandbox = "sandbox",
        /// A container id.
        ContainerId = "container_id",
        /// A container's name.
        Container = "container",
        /// An image reference.
        Image = "image",
        /// The id of a request to the runtime (CRI-O).
        Request = "request",
        /// A volume's name.
        Volume = "volume",
        /// A volume plugin's name.
        Plugin = "plugin",
        /// A driver's name (CSI, DRA).
        Driver = "driver",
        /// A resource claim's name in its pod.
        Claim = "claim",
        /// An error's text.
        Error = "error",
        /// A reason in one word.
        Reason = "reason",
        /// How long it took.
        Duration = "duration",
        /// How long it took with the waiting before it.
        Waited = "waited",
        /// How long until the next try, or how long a request was held.
        Delay = "delay",
        /// A size in bytes.
        Bytes = "bytes",
        /// The number of an attempt, from 0.
        Attempt = "attempt",
        /// An exit code.
        ExitCode = "exit_code",
        /// A registry's host, with its port.
        Host = "host",
        /// A URL.
        Url = "url",
        /// An HTTP verb.
        Verb = "verb",
        /// A version.
        Version = "version",
        /// A runtime's name.
        Runtime = "runtime",
        /// A flag's name.
        Flag = "flag",
        /// A flag's value.
        Value = "value",
        /// A probe's type.
        Probe = "probe",
        /// A status in one word.
        Status = "status",
        /// A pod's Ready condition that is true, as the kubelet sent it: JSON without what the API has already.
        Ready = "ready",
        /// A type in one word.
        Type = "type",
        /// Free text.
        Message = "message",
        /// A number of things.
        Count = "count",
        /// By how much later than its stamp an instant may be, where that is more than a second.
        Uncertainty = "uncertainty",
    }
}

/// The longest text a field keeps, in bytes: an error with its causes is some hundred, a hostile line has no bound.
const MAX_TEXT_BYTES: usize = 2048;

/// The longest evidence text a record keeps, in bytes.
pub const MAX_EVIDENCE_BYTES: usize = 400;

/// As much of a text as so many bytes hold, up to a character's end, and whether more followed.
pub fn cut_text(text: &str, bytes: usize) -> (&str, bool) {
    if text.len() <= bytes {
        return (text, false);
    }
    (text.get(..text.floor_char_boundary(bytes)).unwrap_or_default(), true)
}

/// Text of at most so many bytes, cut at a character's end; a mark shows that it was truncated.
pub fn truncate_text(text: &str, bytes: usize) -> Box<str> {
    match cut_text(text, bytes) {
        (whole, false) => whole.into(),
        (start, true) => format!("{start}…").into(),
    }
}

/// As much of a field's text as is kept, and whether it goes on.
pub(crate) fn kept_text(text: &str) -> (&str, bool) {
    cut_text(text, MAX_TEXT_BYTES)
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Text.
    Text(Box<str>),
    /// A list of pods.
    Pods(Box<[Box<str>]>),
    /// A length of time.
    Length(Nanos),
    /// A whole number.
    Number(i64),
}

impl Value {
    /// A text, as much of it as is kept.
    pub(crate) fn text(text: &str) -> Self {
        Value::Text(truncate_text(text, MAX_TEXT_BYTES))
    }
}

impl Fact {
    /// Whether a line that proves it may be shown as evidence. Lines about the end of pods are many, and are never
    /// shown.
    pub fn is_shown(self) -> bool {
        !matches!(self, Fact::VolumeUnmounted | Fact::SandboxRemoved | Fact::ContainerStopping)
    }
}

/// How many lines of each kind are kept as examples of what was not used.
pub const MAX_EXAMPLES: usize = 5;

/// A line's location: the source's number in the run and the line's number in it, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct SourceLine {
    /// The source's number, in the order the sources were given.
    pub source: u32,
    /// The line's number, from 1.
    pub line: u64,
}

/// An instant, and the zone that its program prints in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonedTime {
    /// The instant.
    pub time: Time,
    /// Seconds east of UTC.
    pub offset: i32,
}

/// What one line proves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When, as the line says it.
    pub stamp: Option<Stamp>,
    /// The same instant by the frame's clock (journal, syslog), for lines that carry both.
    pub frame_stamp: Option<Stamp>,
    /// The same instant once more, as the line's text gives it, with year and zone.
    pub zoned: Option<ZonedTime>,
    /// Its line.
    pub place: SourceLine,
    /// The host in the line's frame: an index into the chunk's hosts.
    pub host: Option<u16>,
    /// The process id in the line's header.
    pub pid: Option<u32>,
    /// The container runtime wrote it, not the kubelet.
    pub from_runtime: bool,
    /// Its time is known to the second only: it was written within the second that begins then.
    pub whole_second: bool,
    /// What it proves.
    pub fact: Fact,
    /// The line as evidence, and every name and figure it gives.
    pub fields: Fields,
    /// It is an object of the API, not a line of a log.
    pub from_api: bool,
    /// The pod, when it is one's object.
    pub pod_status: Option<Box<PodStatus>>,
    /// The tracker's record, when it is one.
    pub startup_record: Option<Box<StartupRecord>>,
}

named_enum! {
    /// Which keys the record has (pkg/kubelet/util/pod_startup_latency_tracker.go, per version).
    RecordFormat RECORD_FORMATS {
        /// 1.26: `pod.CreationTimestamp`, no end-to-end duration.
        G1 = "1.26",
        /// 1.27, 1.28: `podCreationTimestamp`, no end-to-end duration.
        G2 = "1.27-1.28",
        /// 1.29 to 1.34.7, 1.35.0 to 1.35.4: `podStartE2EDuration`.
        G3 = "1.29-1.35.4",
        /// 1.34.8, 1.35.5, 1.36 on: pulling and init time as durations, no pulling times.
        G4 = "1.34.8-1.37",
    }
}

/// A time in the tracker's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RecordedTime {
    /// The key is absent, truncated, or (JSON logging) meaningless.
    #[default]
    Unknown,
    /// The zero time: it never happened, as far as the tracker knows.
    Never,
    /// The instant.
    At(Time),
}

impl RecordedTime {
    /// The instant, when there is one.
    pub fn time(self) -> Option<Time> {
        if let RecordedTime::At(time) = self { Some(time) } else { None }
    }
}

/// The line `Observed pod startup duration`, as far as it is complete.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StartupRecord {
    /// `podStartSLOduration` in seconds, as printed.
    pub slo: Option<f64>,
    /// `podStartE2EDuration` (1.29 on).
    pub e2e: Option<Nanos>,
    /// `podCreationTimestamp`: the API server's clock, whole seconds.
    pub created: RecordedTime,
    /// `firstStartedPulling` (to 1.35.4).
    pub first_pull: RecordedTime,
    /// `lastFinishedPulling` (to 1.35.4).
    pub last_pull: RecordedTime,
    /// `observedRunningTime`: the status write in which all containers run has returned.
    pub running: RecordedTime,
    /// `watchObservedRunningTime`: the kubelet's own watch showed it.
    pub watched: RecordedTime,
    /// `totalImagesPullingTime` (1.34.8 on).
    pub pulling: Option<Nanos>,
    /// `totalInitContainerRuntime` (1.34.8 on).
    pub init: Option<Nanos>,
    /// `isStatefulPod` (1.34.8 on).
    pub stateful: Option<bool>,
    /// `imagePullSessionsCount` (1.34.8 on).
    pub sessions: Option<i64>,
    /// `imagePullSessionsStartsCount`: pulls that began and never ended well (1.34.8 on).
    pub open_sessions: Option<i64>,
    /// When the kubelet process started by the record's monotonic reading (wall − `m=`).
    pub process_start: Option<Time>,
    /// Seconds east of UTC of the zone the node prints in.
    pub offset: Option<i32>,
    /// Which keys it has.
    pub format: Option<RecordFormat>,
    /// JSON logging: its times are the time of writing (component-base logs/json, every version).
    pub json: bool,
    /// The line is truncated: some keys are missing.
    pub truncated: bool,
    /// Keys this version of podlag does not know, by name.
    pub unknown: Vec<Box<str>>,
}
