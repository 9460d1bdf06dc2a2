//! Which workload a pod belongs to, from `kubectl get pods -A -o json`: what the pods' owner references say.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{BufReader, Read};
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{ENCODED, without_node, without_schedule};
use crate::model::time::Time;

/// More than three times the pods Kubernetes supports in a cluster (150 000); with what a name may have at most this
/// bounds the memory.
const MAX_PODS: usize = if cfg!(test) { 1000 } else { 500_000 };
/// The longest name the API server accepts (`DNS1123SubdomainMaxLength`).
const MAX_NAME_BYTES: usize = 253;

/// The workloads of the pods of one or several dumps.
///
/// Kept are, for at most 500 000 pods, the pod's name and uid and, once each, the workloads' names; what is longer than
/// a name can be counts as absent. While reading, a few fields of one item are held besides, and one key or one value
/// of such a field, however long it is.
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
    /// A container is ready after this many seconds at the earliest, when its probe succeeds each time.
    pub fn least_seconds(self) -> u64 {
        u64::from(self.initial_delay) + u64::from(self.successes.max(1) - 1) * self.period_seconds()
    }

    /// The period in force.
    pub fn period_seconds(self) -> u64 {
        if self.period == 0 { 10 } else { u64::from(self.period) }
    }
}

impl Owners {
    /// Reads a dump and adds its pods; returns how many pods it had. A pod already known is replaced.
    ///
    /// A dump is any number of JSON documents, one after the other: lists (`kubectl get -o json`, `kubectl get --raw`),
    /// single objects, arrays of them (`jq .items`), watch events (`--output-watch-events`). What is no pod is skipped.
    ///
    /// # Errors
    /// When the input is no JSON or cannot be read. The pods before that place are kept.
    pub fn read(reader: impl Read, into: &mut Self) -> Result<usize, serde_json::Error> {
        let mut documents = serde_json::Deserializer::from_reader(BufReader::new(reader));
        let mut pods = 0;
        loop {
            match documents.end() {
                Ok(()) => return Ok(pods),
                Err(error) if error.is_io() => return Err(error),
                // Something follows.
                Err(_) => {}
            }
            let mut item = Item::default();
            Walk { owners: into, pods: &mut pods, item: &mut item, location: Location::Object }
                .deserialize(&mut documents)?;
            pods += usize::from(into.take(&item));
        }
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

    /// Adds an item; returns whether it was a pod.
    fn take(&mut self, item: &Item) -> bool {
        if !item.is_pod() {
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
        for uid in [&item.uid, &item.mirror] {
            // A pod may come again and again under new uids.
            if !uid.is_empty() && self.by_uid.len() < 2 * MAX_PODS {
                self.by_uid.insert(uid.as_str().into(), known.clone());
            }
        }
        self.by_name.insert(key, known);
        true
    }
}

/// What matters of an object; an absent field is empty.
#[derive(Debug, Default)]
struct Item {
    kind: String,
    has_containers: bool,
    traits: Traits,
    namespace: String,
    name: String,
    uid: String,
    node: String,
    /// `pod-template-hash`, or what Argo Rollouts has instead.
    hash: String,
    /// `kubernetes.io/config.mirror`: the static pod's uid (`CreateMirrorPod` in `pkg/kubelet/pod/mirror_client.go`).
    mirror: String,
    /// What made the ReplicationController, in OpenShift.
    deployment_config: String,
    owner: Owner,
    /// The owner reference being read.
    reference: Owner,
    /// The condition being read.
    condition: Condition,
    /// The probe being read.
    probe: Probe,
}

#[derive(Debug, Default)]
struct Condition {
    kind: String,
    status: String,
    since: Option<Time>,
}

#[derive(Debug, Default)]
struct Owner {
    kind: String,
    name: String,
    controller: bool,
}

impl Item {
    /// Lists as the API server sends them leave out their items' kind; only a pod has `spec.containers`.
    fn is_pod(&self) -> bool {
        !self.name.is_empty() && (self.kind == "Pod" || self.kind.is_empty() && self.has_containers)
    }

    fn workload(&self) -> &str {
        let owner = self.owner.name.as_str();
        match self.owner.kind.as_str() {
            "Node" => without_node(&self.name, owner).unwrap_or(&self.name),
            // Before 1.17 a mirror pod had no owner.
            _ if !self.mirror.is_empty() => without_node(&self.name, &self.node).unwrap_or(&self.name),
            _ if owner.is_empty() => &self.name,
            "ReplicaSet" => without_hash(owner, &self.hash),
            // Whether a CronJob made the Job is written on the Job only.
            "Job" => without_schedule(owner),
            "ReplicationController" if !self.deployment_config.is_empty() => &self.deployment_config,
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

/// Where in an object a value is, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Location {
    Object,
    Items,
    Kind,
    Metadata,
    Name,
    Namespace,
    Uid,
    Labels,
    Hash,
    Annotations,
    Mirror,
    DeploymentConfig,
    References,
    Reference,
    OwnerKind,
    OwnerName,
    Controller,
    Spec,
    Node,
    Containers,
    Container,
    Lifecycle,
    PostStart,
    Security,
    SeLinux,
    Volumes,
    Volume,
    Claim,
    Sidecars,
    Sidecar,
    StartupProbe,
    ReadinessProbe,
    InitialDelay,
    Period,
    Successes,
    Gates,
    Gate,
    Status,
    Conditions,
    Condition,
    ConditionKind,
    ConditionStatus,
    Since,
    ResourceClaims,
    HostUsers,
}

impl Location {
    fn field(self, key: &str) -> Option<Self> {
        Some(match (self, key) {
            // A watch event wraps what it is about.
            (Self::Object, "items" | "object") => Self::Items,
            (Self::Object, "kind") => Self::Kind,
            (Self::Object, "metadata") => Self::Metadata,
            (Self::Object, "spec") => Self::Spec,
            (Self::Metadata, "name") => Self::Name,
            (Self::Metadata, "namespace") => Self::Namespace,
            (Self::Metadata, "uid") => Self::Uid,
            (Self::Metadata, "labels") => Self::Labels,
            (Self::Metadata, "annotations") => Self::Annotations,
            (Self::Metadata, "ownerReferences") => Self::References,
            (Self::Labels, "pod-template-hash" | "rollouts-pod-template-hash") => Self::Hash,
            (Self::Annotations, "kubernetes.io/config.mirror") => Self::Mirror,
            (Self::Annotations, "openshift.io/deployment-config.name") => Self::DeploymentConfig,
            (Self::Reference, "kind") => Self::OwnerKind,
            (Self::Reference, "name") => Self::OwnerName,
            (Self::Reference, "controller") => Self::Controller,
            (Self::Spec, "nodeName") => Self::Node,
            (Self::Spec, "containers") => Self::Containers,
            (Self::Spec | Self::Container, "securityContext") => Self::Security,
            (Self::Spec, "volumes") => Self::Volumes,
            (Self::Spec, "resourceClaims") => Self::ResourceClaims,
            (Self::Spec, "hostUsers") => Self::HostUsers,
            (Self::Container, "lifecycle") => Self::Lifecycle,
            (Self::Lifecycle, "postStart") => Self::PostStart,
            (Self::Security, "seLinuxOptions") => Self::SeLinux,
            (Self::Spec, "initContainers") => Self::Sidecars,
            (Self::Container | Self::Sidecar, "readinessProbe") => Self::ReadinessProbe,
            (Self::Container, "startupProbe") => Self::StartupProbe,
            (Self::ReadinessProbe, "initialDelaySeconds") => Self::InitialDelay,
            (Self::ReadinessProbe, "periodSeconds") => Self::Period,
            (Self::ReadinessProbe, "successThreshold") => Self::Successes,
            (Self::Spec, "readinessGates") => Self::Gates,
            (Self::Object, "status") => Self::Status,
            (Self::Status, "conditions") => Self::Conditions,
            (Self::Condition, "type") => Self::ConditionKind,
            (Self::Condition, "status") => Self::ConditionStatus,
            (Self::Condition, "lastTransitionTime") => Self::Since,
            (Self::Volume, "persistentVolumeClaim" | "ephemeral" | "csi") => Self::Claim,
            _ => return None,
        })
    }
}

/// Goes through a value and notes what matters. Values of any type are welcome anywhere: an object of another kind may
/// have something else at the same place, and which kind it is may come last.
struct Walk<'a> {
    owners: &'a mut Owners,
    pods: &'a mut usize,
    item: &'a mut Item,
    location: Location,
}

impl Walk<'_> {
    fn at(&mut self, location: Location) -> Walk<'_> {
        Walk { owners: self.owners, pods: self.pods, item: self.item, location }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a Kubernetes object or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if self.location == Location::Items {
            let mut item = Item::default();
            Walk { item: &mut item, location: Location::Object, ..self.at(Location::Object) }.visit_map(map)?;
            *self.pods += usize::from(self.owners.take(&item));
            return Ok(());
        }
        let traits = &mut self.item.traits;
        traits.post_start |= self.location == Location::PostStart;
        traits.selinux |= self.location == Location::SeLinux;
        traits.persistent |= self.location == Location::Claim;
        traits.probes |= matches!(self.location, Location::ReadinessProbe | Location::StartupProbe);
        traits.readiness_gates |= self.location == Location::Gate;
        while let Some(key) = map.next_key::<String>()? {
            match self.location.field(&key) {
                Some(location) => map.next_value_seed(self.at(location))?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match self.location {
            Location::Condition => {
                let Condition { kind, status, since } = std::mem::take(&mut self.item.condition);
                if kind == "Ready" && status == "True" {
                    self.item.traits.ready = since;
                }
            }
            Location::ReadinessProbe => {
                let probe = std::mem::take(&mut self.item.probe);
                let longest = self.item.traits.readiness_probe.get_or_insert(probe);
                if probe.least_seconds() > longest.least_seconds() {
                    *longest = probe;
                }
            }
            _ => {}
        }
        if self.location == Location::Reference {
            let reference = std::mem::take(&mut self.item.reference);
            if reference.controller {
                self.item.owner = reference;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        self.item.has_containers |= self.location == Location::Containers;
        let element = match self.location {
            Location::Object | Location::Items => Location::Items,
            Location::References => Location::Reference,
            Location::Containers => Location::Container,
            Location::Volumes => Location::Volume,
            Location::Sidecars => Location::Sidecar,
            Location::Gates => Location::Gate,
            Location::Conditions => Location::Condition,
            Location::ResourceClaims => {
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    self.item.traits.resource_claims = true;
                }
                return Ok(());
            }
            _ => {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(());
            }
        };
        while seq.next_element_seed(self.at(element))?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let item = self.item;
        let field = match self.location {
            Location::Kind => &mut item.kind,
            Location::Name => &mut item.name,
            Location::Namespace => &mut item.namespace,
            Location::Uid => &mut item.uid,
            Location::Hash => &mut item.hash,
            Location::Mirror => &mut item.mirror,
            Location::DeploymentConfig => &mut item.deployment_config,
            Location::OwnerKind => &mut item.reference.kind,
            Location::OwnerName => &mut item.reference.name,
            Location::Node => &mut item.node,
            Location::ConditionKind => &mut item.condition.kind,
            Location::ConditionStatus => &mut item.condition.status,
            Location::Since => {
                item.condition.since = Time::from_rfc3339(text);
                return Ok(());
            }
            _ => return Ok(()),
        };
        if text.len() <= MAX_NAME_BYTES {
            text.clone_into(field);
        }
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        match self.location {
            Location::Controller => self.item.reference.controller = value,
            Location::HostUsers => self.item.traits.user_namespace = !value,
            _ => {}
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        let probe = &mut self.item.probe;
        let field = match self.location {
            Location::InitialDelay => &mut probe.initial_delay,
            Location::Period => &mut probe.period,
            Location::Successes => &mut probe.successes,
            _ => return Ok(()),
        };
        *field = u32::try_from(value).unwrap_or(u32::MAX);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}
