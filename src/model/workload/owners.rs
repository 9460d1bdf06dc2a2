//! Which workload a pod belongs to, from `kubectl get pods -A -o json`: what the pods' owner references say.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::{ENCODED, without_node, without_schedule};
use crate::model::object::{self, Object};
use crate::model::time::Time;

/// More than three times the pods Kubernetes supports in a cluster (150 000); with what a name may have at most this
/// bounds the memory.
const MAX_PODS: usize = if cfg!(test) { 1000 } else { 500_000 };
/// The longest name the API server accepts (`DNS1123SubdomainMaxLength`).
const MAX_NAME_BYTES: usize = 253;

/// The workloads of the pods of one or several dumps.
///
/// Kept are, for at most 500 000 pods, the pod's name and uid and, once each, the workloads' names; what is longer than
/// a name can be counts as absent.
#[derive(Debug, Default)]
pub struct Owners {
    by_uid: HashMap<Box<str>, KnownPod>,
    by_name: HashMap<Box<str>, KnownPod>,
    workloads: HashSet<Arc<str>>,
    left_out: usize,
}

/// What is kept of a pod.
#[derive(Clone, Debug)]
struct KnownPod {
    workload: Arc<str>,
    traits: Traits,
}

/// What a pod's object shows of its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// A container has a postStart hook.
    pub post_start: bool,
    /// A SELinux label is set.
    pub selinux: bool,
    /// It has a persistent volume.
    pub persistent: bool,
    /// It claims devices (dynamic resource allocation).
    pub resource_claims: bool,
    /// It has a user namespace of its own (`hostUsers: false`).
    pub user_namespace: bool,
    /// A container has a readiness or a startup probe.
    pub probes: bool,
    /// Something other than its containers decides whether it is ready (`spec.readinessGates`).
    pub readiness_gates: bool,
    /// Since when it is ready: its condition's whole second.
    pub ready: Option<Time>,
    /// The readiness probe that takes longest to begin.
    pub readiness_probe: Option<Probe>,
}

/// When a probe is carried out; the API server fills in what a manifest leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// `initialDelaySeconds`.
    pub initial_delay: u32,
    /// `periodSeconds`; 0 if not given, where 10 is meant.
    pub period: u32,
    /// `successThreshold`; 0 if not given, where 1 is meant.
    pub successes: u32,
}

impl Probe {
    fn of(probe: &Value) -> Self {
        let number = |key| object::at(probe, &[key]).and_then(Value::as_u64).unwrap_or(0);
        let number = |key| u32::try_from(number(key)).unwrap_or(u32::MAX);
        Probe {
            initial_delay: number("initialDelaySeconds"),
            period: number("periodSeconds"),
            successes: number("successThreshold"),
        }
    }

    /// A container is ready after this many seconds at the earliest, when its probe succeeds each time.
    pub fn least_seconds(self) -> u64 {
        u64::from(self.initial_delay) + u64::from(self.successes.max(1) - 1) * self.period_seconds()
    }

    /// The period in force.
    pub fn period_seconds(self) -> u64 {
        if self.period == 0 { 10 } else { u64::from(self.period) }
    }
}

impl Traits {
    fn of(pod: &Object) -> Self {
        let containers = pod.list(&["spec", "containers"]);
        let beside = pod.list(&["spec", "initContainers"]);
        let is_set = |value: &Value, path: &[&str]| object::at(value, path).is_some_and(Value::is_object);
        let any = |path: &[&str]| containers.iter().any(|container| is_set(container, path));
        let selinux = pod.at(&["spec", "securityContext", "seLinuxOptions"]).is_some_and(Value::is_object);
        let claims =
            |volume: &Value| ["persistentVolumeClaim", "ephemeral", "csi"].iter().any(|kind| is_set(volume, &[kind]));
        let readiness = containers.iter().chain(beside).filter(|container| is_set(container, &["readinessProbe"]));
        let probes: Vec<Probe> =
            readiness.filter_map(|container| container.get("readinessProbe")).map(Probe::of).collect();
        // Of several that take equally long the first.
        let longest = probes.iter().rev().max_by_key(|probe| probe.least_seconds());
        Traits {
            post_start: any(&["lifecycle", "postStart"]),
            selinux: selinux || any(&["securityContext", "seLinuxOptions"]),
            persistent: pod.list(&["spec", "volumes"]).iter().any(claims),
            resource_claims: !pod.list(&["spec", "resourceClaims"]).is_empty(),
            user_namespace: pod.at(&["spec", "hostUsers"]) == Some(&Value::Bool(false)),
            probes: !probes.is_empty() || any(&["startupProbe"]),
            readiness_gates: pod.list(&["spec", "readinessGates"]).iter().any(Value::is_object),
            ready: condition(pod, "Ready"),
            readiness_probe: longest.copied(),
        }
    }
}

/// Since when a condition of a pod is true: a whole second.
pub fn condition(pod: &Object, kind: &str) -> Option<Time> {
    let is_it = |condition: &&Value| {
        object::text(condition, &["type"]) == kind && object::text(condition, &["status"]) == "True"
    };
    let condition = pod.list(&["status", "conditions"]).iter().rfind(is_it)?;
    Time::from_rfc3339(object::text(condition, &["lastTransitionTime"]))
}

impl Owners {
    /// Reads a dump and adds its pods; returns how many pods it had.
    #[cfg(test)]
    pub fn read(reader: impl std::io::Read, into: &mut Self) -> Result<usize, serde_json::Error> {
        let mut pods = 0;
        object::read(reader, &mut |object| pods += usize::from(into.add(&object)))?;
        Ok(pods)
    }

    /// Adds an object; returns whether it was a pod. A pod already known is replaced.
    pub fn add(&mut self, object: &Object) -> bool {
        object.is_pod() && self.take(&Item::of(object))
    }

    /// The name of the workload a pod belongs to; `None` for pods no dump had.
    ///
    /// Asked for by `uid` first (a static pod's is the one the kubelet gave it, which its logs name, or the mirror
    /// pod's), then by `namespace` and `name`, since a pod made anew under its old name belongs to the same workload.
    /// A ReplicaSet's pods belong to its Deployment, a CronJob's Job's to the CronJob, as far as the names show; static
    /// pods to what they are called on all nodes; pods without an owner to themselves.
    pub fn workload(&self, namespace: &str, name: &str, uid: Option<&str>) -> Option<&str> {
        self.known(namespace, name, uid).map(|known| &*known.workload)
    }

    /// What a pod's object shows; `None` for pods no dump had.
    pub fn traits(&self, namespace: &str, name: &str, uid: Option<&str>) -> Option<Traits> {
        self.known(namespace, name, uid).map(|known| known.traits)
    }

    fn known(&self, namespace: &str, name: &str, uid: Option<&str>) -> Option<&KnownPod> {
        if self.by_name.is_empty() {
            return None;
        }
        let found = uid.and_then(|uid| self.by_uid.get(uid));
        found.or_else(|| self.by_name.get(format!("{namespace}/{name}").as_str()))
    }

    /// How many pods were left out because there were too many.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Adds a pod; returns whether it has a name.
    fn take(&mut self, item: &Item) -> bool {
        if item.name.is_empty() {
            return false;
        }
        let key = format!("{}/{}", item.namespace, item.name).into_boxed_str();
        if self.by_name.len() >= MAX_PODS && !self.by_name.contains_key(&key) {
            self.left_out += 1;
            return true;
        }
        let name = item.workload();
        let workload = self.workloads.get(name).cloned().unwrap_or_else(|| {
            let new: Arc<str> = name.into();
            self.workloads.insert(Arc::clone(&new));
            new
        });
        let known = KnownPod { workload, traits: item.traits };
        for uid in [item.uid, item.mirror] {
            // A pod may come again and again under new uids.
            if !uid.is_empty() && self.by_uid.len() < 2 * MAX_PODS {
                self.by_uid.insert(uid.into(), known.clone());
            }
        }
        self.by_name.insert(key, known);
        true
    }
}

/// What matters of a pod; an absent field is empty.
#[derive(Debug, Default)]
struct Item<'o> {
    traits: Traits,
    namespace: &'o str,
    name: &'o str,
    uid: &'o str,
    node: &'o str,
    /// `pod-template-hash`, or what Argo Rollouts has instead.
    hash: &'o str,
    /// `kubernetes.io/config.mirror`: the static pod's uid (`CreateMirrorPod` in `pkg/kubelet/pod/mirror_client.go`).
    mirror: &'o str,
    /// What made the ReplicationController, in OpenShift.
    deployment_config: &'o str,
    owner: Owner<'o>,
}

#[derive(Debug, Default)]
struct Owner<'o> {
    kind: &'o str,
    name: &'o str,
}

/// A text that is no longer than a name can be.
fn name(text: &str) -> &str {
    if text.len() <= MAX_NAME_BYTES { text } else { "" }
}

impl<'o> Item<'o> {
    fn of(pod: &'o Object) -> Self {
        let at = |path: &[&str]| name(pod.text(path));
        let label = |key| at(&["metadata", "labels", key]);
        let hash = Some(label("pod-template-hash")).filter(|hash| !hash.is_empty());
        let controls = |reference: &&Value| object::at(reference, &["controller"]) == Some(&Value::Bool(true));
        let owner = pod.list(&["metadata", "ownerReferences"]).iter().rfind(controls);
        let owner = owner.map(|owner| Owner {
            kind: name(object::text(owner, &["kind"])),
            name: name(object::text(owner, &["name"])),
        });
        Item {
            traits: Traits::of(pod),
            namespace: at(&["metadata", "namespace"]),
            name: at(&["metadata", "name"]),
            uid: at(&["metadata", "uid"]),
            node: at(&["spec", "nodeName"]),
            hash: hash.unwrap_or_else(|| label("rollouts-pod-template-hash")),
            mirror: at(&["metadata", "annotations", "kubernetes.io/config.mirror"]),
            deployment_config: at(&["metadata", "annotations", "openshift.io/deployment-config.name"]),
            owner: owner.unwrap_or_default(),
        }
    }

    fn workload(&self) -> &'o str {
        let owner = self.owner.name;
        match self.owner.kind {
            "Node" => without_node(self.name, owner).unwrap_or(self.name),
            // Before 1.17 a mirror pod had no owner.
            _ if !self.mirror.is_empty() => without_node(self.name, self.node).unwrap_or(self.name),
            _ if owner.is_empty() => self.name,
            "ReplicaSet" => without_hash(owner, self.hash),
            // Whether a CronJob made the Job is written on the Job only.
            "Job" => without_schedule(owner),
            "ReplicationController" if !self.deployment_config.is_empty() => self.deployment_config,
            _ => owner,
        }
    }
}

/// A ReplicaSet's name without the hash its pods are labelled with: the Deployment's. From 1.8 to 1.11 the label held
/// the number and the name its encoding.
fn without_hash<'n>(set: &'n str, label: &str) -> &'n str {
    let encode =
        |byte: u8| usize::from(byte).checked_sub(48).and_then(|digit| ENCODED.get(digit)).map(|&c| char::from(c));
    let strip = |hash: &str| set.strip_suffix(hash)?.strip_suffix('-').filter(|base| !base.is_empty());
    if label.is_empty() {
        return set;
    }
    let encoded: Option<String> = label.bytes().map(encode).collect();
    strip(label).or_else(|| strip(&encoded?)).unwrap_or(set)
}
