//! What a pod's object says of its start: whole seconds, and the state it was in when the object was read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::object::{self, Object};
use crate::model::object_text::READ_AT;
use crate::model::record::truncate_text;
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::workload::condition;

/// How many containers of a pod are kept.
const MAX_CONTAINERS: usize = 200;
/// How much of a message is kept, bytes.
const MAX_MESSAGE: usize = 400;

/// What a container is to its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContainerKind {
    /// It runs to its end before the next begins.
    Init,
    /// An init container that goes on (`restartPolicy: Always`).
    Sidecar,
    /// All of these run when the pod runs.
    Main,
}

/// A container, as the status has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerStatus {
    /// Its name.
    pub name: Box<str>,
    /// What it is.
    pub kind: ContainerKind,
    /// The second in which its current or last run began.
    pub started: Option<Time>,
    /// The second in which that run ended.
    pub finished: Option<Time>,
    /// It is running.
    pub running: bool,
    /// How often it was started again.
    pub restarts: i64,
    /// The seconds in which the run before the current one began and ended, or the last run of one that waits.
    pub previous: Option<(Time, Time)>,
    /// Why it waits, in a word and in a sentence.
    pub waiting: Option<(Box<str>, Box<str>)>,
    /// How its last run that is over ended: its exit code, and the reason in a word.
    pub exit: Option<(i64, Box<str>)>,
    /// Its image.
    pub image: Box<str>,
    /// Its image is pulled at each start.
    pub pulls_always: bool,
    /// Another container's start waits for its start-up probe.
    pub startup_probe: bool,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PodStatus {
    /// The second it was created in; a description does not show it.
    pub created: Option<Time>,
    /// When it is to be deleted.
    pub deleted: Option<Time>,
    /// It is the mirror of a static pod with this uid (`kubernetes.io/config.mirror`).
    pub mirror: Option<Box<str>>,
    /// Its node, once it has one.
    pub node: Option<Box<str>>,
    /// Pending, Running, Succeeded, Failed, Unknown.
    pub phase: Box<str>,
    /// Why it is in that phase, in a word and in a sentence.
    pub reason: Option<(Box<str>, Box<str>)>,
    /// The second it was bound to its node in.
    pub scheduled: Option<Time>,
    /// Why it has no node yet, in a word and in a sentence, and since when.
    pub unscheduled: Option<(Box<str>, Box<str>, Option<Time>)>,
    /// The second in which all its containers were ready.
    pub containers_ready: Option<Time>,
    /// A readiness or start-up probe decides when a container is ready.
    pub probed: bool,
    /// A container has a postStart hook.
    pub post_start: bool,
    /// Its containers, in the order they are started in.
    pub containers: Vec<ContainerStatus>,
    /// The latest instant in it: it was read then or later.
    pub latest: Option<Time>,
    /// It has a node, whose kubelet has not said anything of it yet. A description does not show that.
    pub unacknowledged: bool,
    /// Its node is not ready, by the node's object.
    pub node_not_ready: bool,
}

/// What exits within this of its start was not up.
const QUICK_EXIT: Nanos = Nanos(30 * SECOND);

impl ContainerStatus {
    /// Whether it was started again after a run that was too short to count.
    pub fn exited_quickly(&self) -> bool {
        self.restarts > 0 && self.previous.is_some_and(|(started, finished)| finished - started < QUICK_EXIT)
    }
}

impl PodStatus {
    /// From the pod's object.
    pub fn of(pod: &Object) -> Self {
        let time = |path: &[&str]| Time::from_rfc3339(pod.text(path));
        let words = |value: &Value| -> Option<(Box<str>, Box<str>)> {
            let reason = object::text(value, &["reason"]);
            let message = truncate_text(object::text(value, &["message"]), MAX_MESSAGE);
            (!reason.is_empty()).then(|| (truncate_text(reason, 100), message))
        };
        let conditions = pod.list(&["status", "conditions"]);
        let unscheduled = conditions.iter().find(|condition| {
            object::text(condition, &["type"]) == "PodScheduled" && object::text(condition, &["status"]) == "False"
        });
        let of_list = |list: &str, statuses: &str, init: bool| -> Vec<ContainerStatus> {
            let statuses = pod.list(&["status", statuses]);
            let named = |name: &str| statuses.iter().find(|status| object::text(status, &["name"]) == name);
            let all = pod.list(&["spec", list]).iter().take(MAX_CONTAINERS);
            all.map(|spec| container(spec, named(object::text(spec, &["name"])), init, &words)).collect()
        };
        let mut containers = of_list("initContainers", "initContainerStatuses", true);
        containers.extend(of_list("containers", "containerStatuses", false));
        let specs = || pod.list(&["spec", "containers"]).iter().chain(pod.list(&["spec", "initContainers"]));
        let has = |path: &[&str]| specs().any(|spec| object::at(spec, path).is_some_and(Value::is_object));
        let node = pod.text(&["spec", "nodeName"]);
        let created = time(&["metadata", "creationTimestamp"]);
        let instants = containers.iter().flat_map(|container| [container.started, container.finished]);
        let changed =
            conditions.iter().map(|condition| Time::from_rfc3339(object::text(condition, &["lastTransitionTime"])));
        PodStatus {
            latest: instants.chain(changed).chain([created, time(&[READ_AT])]).flatten().max(),
            unacknowledged: !node.is_empty()
                && created.is_some()
                && pod.at(&["status"]).is_some()
                && ["startTime", "containerStatuses", "initContainerStatuses"]
                    .iter()
                    .all(|field| pod.at(&["status", field]).is_none()),
            node_not_ready: false,
            created,
            deleted: time(&["metadata", "deletionTimestamp"]),
            mirror: Some(pod.text(&["metadata", "annotations", "kubernetes.io/config.mirror"]))
                .filter(|uid| !uid.is_empty())
                .map(|uid| truncate_text(uid, 253)),
            node: (!node.is_empty()).then(|| truncate_text(node, 253)),
            phase: truncate_text(pod.text(&["status", "phase"]), 20),
            reason: pod.at(&["status"]).and_then(words),
            scheduled: condition(pod, "PodScheduled"),
            unscheduled: unscheduled.and_then(|condition| {
                let (reason, message) = words(condition)?;
                Some((reason, message, Time::from_rfc3339(object::text(condition, &["lastTransitionTime"]))))
            }),
            containers_ready: condition(pod, "ContainersReady"),
            probed: has(&["readinessProbe"]) || has(&["startupProbe"]),
            post_start: has(&["lifecycle", "postStart"]),
            containers,
        }
    }

    /// The containers that run when the pod runs.
    pub fn main(&self) -> impl Iterator<Item = &ContainerStatus> {
        self.containers.iter().filter(|container| container.kind == ContainerKind::Main)
    }

    /// A container by its name.
    pub fn container(&self, name: &str) -> Option<&ContainerStatus> {
        self.containers.iter().find(|container| *container.name == *name)
    }
}

fn container(
    spec: &Value,
    status: Option<&Value>,
    init: bool,
    words: &impl Fn(&Value) -> Option<(Box<str>, Box<str>)>,
) -> ContainerStatus {
    let status = status.unwrap_or(&Value::Null);
    let time = |path: &[&str]| Time::from_rfc3339(object::text(status, path)).filter(|time| time.0 > 0);
    let waiting = object::at(status, &["state", "waiting"]);
    // What waits to be started again shows its last run there.
    let run = if waiting.is_some() { "lastState" } else { "state" };
    let kind = match (init, object::text(spec, &["restartPolicy"])) {
        (true, "Always") => ContainerKind::Sidecar,
        (true, _) => ContainerKind::Init,
        (false, _) => ContainerKind::Main,
    };
    ContainerStatus {
        name: truncate_text(object::text(spec, &["name"]), 253),
        kind,
        started: time(&[run, "running", "startedAt"]).or_else(|| time(&[run, "terminated", "startedAt"])),
        finished: time(&[run, "terminated", "finishedAt"]),
        running: object::at(status, &["state", "running"]).is_some(),
        previous: time(&["lastState", "terminated", "startedAt"])
            .zip(time(&["lastState", "terminated", "finishedAt"]))
            .filter(|(started, finished)| started <= finished),
        restarts: object::at(status, &["restartCount"]).and_then(Value::as_i64).unwrap_or(0),
        waiting: waiting.and_then(words),
        exit: ["state", "lastState"].iter().find_map(|run| {
            let ended = object::at(status, &[run, "terminated"])?;
            let code = object::at(ended, &["exitCode"])?.as_i64()?;
            Some((code, truncate_text(object::text(ended, &["reason"]), 100)))
        }),
        image: truncate_text(object::text(spec, &["image"]), 512),
        pulls_always: object::text(spec, &["imagePullPolicy"]) == "Always",
        startup_probe: object::at(spec, &["startupProbe"]).is_some_and(Value::is_object),
    }
}
