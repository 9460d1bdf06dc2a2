//! Objects of the Kubernetes API in JSON, as `kubectl get -o json` prints them: one after the other, each without what is not
//! needed of it.

use std::cell::Cell;
use std::fmt;
use std::io::{BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The longest text that is kept of a value, bytes: an event's message has at most 1 KiB, a name less.
const MAX_TEXT: usize = 4096;
/// How many values one object keeps. A pod has some hundred, a pod of many containers some thousand.
const MAX_VALUES: usize = 20_000;

/// The keys that are kept, at any depth.
const KEYS: &[&str] = &[
    "annotations",
    "component",
    "conditions",
    "containerRuntimeVersion",
    "containerStatuses",
    "containers",
    "continue",
    "controller",
    "count",
    "creationTimestamp",
    "csi",
    "deletionTimestamp",
    "deprecatedCount",
    "deprecatedFirstTimestamp",
    "deprecatedLastTimestamp",
    "deprecatedSource",
    "ephemeral",
    "eventTime",
    "exitCode",
    "fieldPath",
    "finishedAt",
    "firstTimestamp",
    "host",
    "hostUsers",
    "image",
    "imagePullPolicy",
    "initContainerStatuses",
    "initContainers",
    "initialDelaySeconds",
    "involvedObject",
    "kind",
    "kubeletVersion",
    "kubernetes.io/config.mirror",
    "labels",
    "lastObservedTime",
    "lastState",
    "lastTimestamp",
    "lastTransitionTime",
    "lifecycle",
    "message",
    "metadata",
    "name",
    "namespace",
    "nodeInfo",
    "nodeName",
    "note",
    "openshift.io/deployment-config.name",
    "ownerReferences",
    "periodSeconds",
    "persistentVolumeClaim",
    "phase",
    "pod-template-hash",
    "postStart",
    "readinessGates",
    "readinessProbe",
    "reason",
    "regarding",
    "reportingComponent",
    "reportingController",
    "reportingInstance",
    "resourceClaims",
    "resourceVersion",
    "restartCount",
    "restartPolicy",
    "rollouts-pod-template-hash",
    "running",
    "seLinuxOptions",
    "schedulingGates",
    "securityContext",
    "series",
    "source",
    "spec",
    "startTime",
    "startedAt",
    "startupProbe",
    "state",
    "status",
    "successThreshold",
    "terminated",
    "type",
    "uid",
    "volumes",
    "waiting",
];

/// An object, as far as it is kept.
#[derive(Debug)]
pub struct Object {
    /// The line of the input that it begins on, from 1.
    pub line: u64,
    fields: Value,
}

impl Object {
    /// One that text shows.
    pub(super) fn from_text(line: u64, fields: Value) -> Self {
        Object { line, fields }
    }

    /// The value at a path; null is none.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        at(&self.fields, path)
    }

    /// The text at a path, else none.
    pub fn text(&self, path: &[&str]) -> &str {
        self.at(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// The elements of the list at a path.
    pub fn list(&self, path: &[&str]) -> &[Value] {
        self.at(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Lists as the API server sends them leave out their items' kind; only a pod has `spec.containers`.
    pub fn is_pod(&self) -> bool {
        let kind = self.text(&["kind"]);
        let has_containers = || self.at(&["spec", "containers"]).is_some_and(Value::is_array);
        kind == "Pod" || kind.is_empty() && has_containers()
    }

    /// Only an event says which object it is about.
    pub fn is_event(&self) -> bool {
        let about = |key| self.at(&[key]).is_some_and(Value::is_object);
        matches!(self.text(&["kind"]), "Event" | "") && (about("involvedObject") || about("regarding"))
    }
}

/// The value at a path below a value; null is none.
pub fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(key)).filter(|value| !value.is_null())
}

/// The text at a path below a value, else none.
pub fn text<'v>(value: &'v Value, path: &[&str]) -> &'v str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// Reads any number of JSON documents, one after the other: lists (`kubectl get -o json`, `kubectl get --raw`), single
/// objects, arrays of them (`jq .items`), watch events (`--output-watch-events`). At any time one object is held.
///
/// # Errors
/// When the input is no JSON or cannot be read. The objects that were complete before that place have been given.
pub fn read(reader: impl Read, each: &mut dyn FnMut(Object)) -> Result<(), serde_json::Error> {
    let line = Cell::new(1);
    let lines = CountLines { inner: BufReader::new(reader), line: &line };
    let mut documents = serde_json::Deserializer::from_reader(lines);
    loop {
        match documents.end() {
            Ok(()) => return Ok(()),
            Err(error) if error.is_io() => return Err(error),
            // Something follows.
            Err(_) => {}
        }
        Document { each: &mut *each, line: &line }.deserialize(&mut documents)?;
    }
}

/// Counts the lines that have been taken: the JSON reader takes a byte at a time.
struct CountLines<'l, R> {
    inner: BufReader<R>,
    line: &'l Cell<u64>,
}

impl<R: Read> Read for CountLines<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let newlines = buffer.get(..read).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
        self.line.set(self.line.get() + newlines as u64);
        Ok(read)
    }
}

/// An object, or several in a list: values of any type are welcome anywhere.
pub(super) struct Document<'a> {
    pub(super) each: &'a mut dyn FnMut(Object),
    pub(super) line: &'a Cell<u64>,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a Kubernetes object or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let line = self.line.get();
        let (mut fields, mut left) = (Map::new(), MAX_VALUES);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                // A watch event wraps what it is about.
                "items" | "object" => {
                    map.next_value_seed(Document { each: &mut *self.each, line: self.line })?;
                }
                _ if KEYS.contains(&key.as_str()) => {
                    let value = map.next_value_seed(Tree { left: &mut left })?;
                    fields.insert(key, value);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        (self.each)(Object { line, fields: Value::Object(fields) });
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Document { each: &mut *self.each, line: self.line })?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
}

/// A value with the keys that are kept; what is too much is null.
struct Tree<'l> {
    left: &'l mut usize,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if *self.left == 0 {
            <IgnoredAny as serde::Deserialize>::deserialize(deserializer)?;
            return Ok(Value::Null);
        }
        *self.left -= 1;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if KEYS.contains(&key.as_str()) {
                let value = map.next_value_seed(Tree { left: &mut *self.left })?;
                fields.insert(key, value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Value::Object(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            if *self.left == 0 {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(Value::Array(list));
            }
            match seq.next_element_seed(Tree { left: &mut *self.left })? {
                Some(value) => list.push(value),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        let end = (0..=text.len().min(MAX_TEXT)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        Ok(Value::String(text.get(..end).unwrap_or_default().to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }
}
