//! Descriptions and rows as the API's objects.

use serde_json::{Map, Value, json};

use super::clock::Bounds;
use super::container::{Container, ContainerState};
use super::describe::Description;
use super::row::Row;
use super::{READ_AT, SHOWN_AT, UNCERTAIN};
use crate::model::time::{SECOND, Time};

/// A second since 1970 as objects have it; none where it is far beyond any clock.
fn stamp(second: i64) -> Value {
    second.checked_mul(SECOND).map_or(Value::Null, |nanos| Time(nanos).to_string().into())
}

/// A pod's object. `shown` stands for its creation; `read` is when it was described, where the text tells.
pub(super) fn pod(pod: &Description, shown: i64, read: Option<i64>) -> Value {
    let of_kind = |init: bool| pod.containers.iter().enumerate().filter(move |(_, container)| container.init == init);
    let specs =
        |init| -> Vec<Value> { of_kind(init).map(|(at, container)| spec(container, goes_on(pod, at))).collect() };
    let statuses = |init| -> Vec<Value> { of_kind(init).map(|(_, container)| status(container)).collect() };
    let owners = pod.owner.iter().map(|(kind, name)| json!({"kind": kind, "name": name, "controller": true}));
    let texts = |pairs: &[(String, String)]| -> Map<String, Value> {
        pairs.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect()
    };
    let ending = pod.status.starts_with("Terminating");
    json!({
        "kind": "Pod",
        "metadata": {
            "name": pod.name,
            "namespace": pod.namespace,
            "labels": texts(&pod.labels),
            "annotations": texts(&pod.annotations),
            "ownerReferences": owners.collect::<Vec<Value>>(),
            "deletionTimestamp": read.filter(|_| ending).map(stamp),
        },
        "spec": {
            "nodeName": pod.node,
            "initContainers": specs(true),
            "containers": specs(false),
        },
        "status": {
            "phase": if ending { "Running" } else { pod.status.as_str() },
            "reason": pod.reason,
            "message": pod.message,
            "initContainerStatuses": statuses(true),
            "containerStatuses": statuses(false),
        },
        SHOWN_AT: stamp(shown),
        READ_AT: read.map(stamp),
    })
}

/// Whether an init container runs on beside those after it.
fn goes_on(pod: &Description, number: usize) -> bool {
    let runs = |container: &Container| container.state.name == "Running";
    pod.containers.get(number).is_some_and(|container| container.init && runs(container))
        && pod.containers.iter().skip(number + 1).any(|later| later.state.started.is_some())
}

fn spec(container: &Container, goes_on: bool) -> Value {
    json!({
        "name": container.name,
        "image": container.image,
        "restartPolicy": goes_on.then_some("Always"),
        "readinessProbe": container.readiness.as_deref().map(probe),
        "startupProbe": container.startup.as_deref().map(probe),
    })
}

/// `http-get http://:8080/ delay=0s timeout=1s period=10s #success=1 #failure=3`.
fn probe(text: &str) -> Value {
    let number = |key: &str| -> Option<i64> {
        let word = text.split(' ').find_map(|word| word.strip_prefix(key))?;
        word.strip_suffix('s').unwrap_or(word).parse().ok()
    };
    json!({
        "initialDelaySeconds": number("delay="),
        "periodSeconds": number("period="),
        "successThreshold": number("#success="),
    })
}

fn status(container: &Container) -> Value {
    json!({
        "name": container.name,
        "restartCount": container.restarts,
        "state": state(&container.state),
        "lastState": state(&container.last_state),
    })
}

fn state(state: &ContainerState) -> Value {
    match state.name.as_str() {
        "Running" => json!({"running": {"startedAt": state.started.map(stamp)}}),
        "Terminated" => json!({"terminated": {
            "reason": state.reason,
            "exitCode": state.exit_code,
            "startedAt": state.started.map(stamp),
            "finishedAt": state.finished.map(stamp),
        }}),
        "Waiting" => json!({"waiting": {"reason": state.reason, "message": state.message}}),
        _ => json!({}),
    }
}

/// An event's object; `name` is its own where that can be trusted to hold its time.
pub(super) fn event(row: &Row, first: Option<Bounds>, last: Option<Bounds>, name: &str) -> Value {
    let stamp = |bounds: Option<Bounds>| bounds.map_or(Value::Null, |bounds| stamp(bounds.low));
    // A stamp says of itself that it may be a second too early.
    let more = |bounds: Option<Bounds>| bounds.map_or(0, |bounds| bounds.high.saturating_sub(bounds.low));
    json!({
        "kind": "Event",
        "metadata": {"name": name, "namespace": row.namespace},
        "involvedObject": {"kind": "Pod", "namespace": row.namespace, "name": row.pod, "fieldPath": row.path},
        "reason": row.reason,
        "message": row.message,
        "count": row.count,
        "firstTimestamp": stamp(first),
        "lastTimestamp": stamp(last),
        "source": {"component": row.component, "host": row.host},
        UNCERTAIN: {"first": more(first), "last": more(last)},
    })
}
