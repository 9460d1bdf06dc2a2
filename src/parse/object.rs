//! API objects to records: an event becomes the record that the kubelet's own "Event occurred" line gives, by the same
//! grammars; a pod becomes one that holds its status.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::entry::{Dialect, Entry};
use super::field_buffer::FieldBuffer;
use super::grammar::Grammars;
use super::value::Raw;
use crate::model::fields::Fields;
use crate::model::object::Object;
use crate::model::object_text::{SHOWN_AT, UNCERTAIN};
use crate::model::pod_status::PodStatus;
use crate::model::record::{Fact, Field, MAX_EVIDENCE_BYTES, Record, SourceLine, Value, truncate_text};
use crate::model::time::{Nanos, SECOND, Stamp, Time};

/// A record, its instant, and the node it names.
pub struct DatedRecord {
    /// When.
    pub time: Time,
    /// When what it shows was first seen. Events that were repeated within one second are in the order of their first
    /// occurrences, whatever order they are listed in.
    pub first: Time,
    /// The record.
    pub record: Record,
    /// The node.
    pub node: Option<Box<str>>,
}

/// How an event's name and its stamp may differ: the stamp is cut to whole seconds, and where it is not (the scheduler's)
/// two clock readings lie between them (10 ms in captures).
const STAMPS_APART: Nanos = Nanos(SECOND);
/// What a recorder that has merged events with different messages writes before the newest of them
/// (`aggregateMessage` in client-go tools/record/events_cache.go).
const COMBINED: &str = "(combined from similar events): ";

/// The pod's record. None: it has no name, or no creation, which the API server gives each. A description shows what stands for
/// it.
pub fn pod(object: &Object, place: SourceLine) -> Option<DatedRecord> {
    let status = PodStatus::of(object);
    let (namespace, name) = (object.text(&["metadata", "namespace"]), object.text(&["metadata", "name"]));
    let shown = || Time::from_rfc3339(object.text(&[SHOWN_AT]));
    let time = status.created.or_else(shown).filter(|_| !name.is_empty())?;
    let uid = object.text(&["metadata", "uid"]);
    let mut fields = vec![(Field::Pod, Value::text(&format!("{namespace}/{name}")))];
    if !uid.is_empty() {
        fields.push((Field::Uid, Value::text(uid)));
    }
    let node = status.node.clone();
    let text = format!("Pod {namespace}/{name} phase={}", status.phase);
    let mut record = api_record(time, true, place, Fact::PodObject, fields, &text);
    record.pod_status = Some(Box::new(status));
    Some(DatedRecord { time, first: time, record, node })
}

/// The records of an event about a pod: of its first occurrence, and of its last where it has been repeated. None: it is about
/// something else, or says nothing of a start.
pub fn event(grammars: &Grammars, object: &Object, place: SourceLine) -> Vec<DatedRecord> {
    let about = if object.at(&["regarding"]).is_some() { "regarding" } else { "involvedObject" };
    let of = |key: &str| object.text(&[about, key]);
    if !matches!(of("kind"), "Pod" | "") || of("name").is_empty() {
        return Vec::new();
    }
    let first_of = |paths: &[&[&str]]| {
        paths.iter().map(|path| object.text(path)).find(|text| !text.is_empty()).unwrap_or_default().to_owned()
    };
    let message = first_of(&[&["message"], &["note"]]);
    let (message, combined) = match message.strip_prefix(COMBINED) {
        Some(message) => (message.to_owned(), true),
        None => (message, false),
    };
    let (pod, reason, path) =
        (format!("{}/{}", of("namespace"), of("name")), object.text(&["reason"]), of("fieldPath"));
    let key = |name: &'static str, text| (Cow::Borrowed(name), Raw::Plain(text));
    let entry = Entry {
        dialect: Dialect::Klog,
        pid: None,
        stamp: None,
        offset: None,
        whole_second: false,
        text: Cow::Borrowed("Event occurred"),
        keys: vec![
            key("object", pod.as_str()),
            key("fieldPath", path),
            key("reason", reason),
            key("message", message.as_str()),
        ],
        truncated: false,
    };
    let mut fields = FieldBuffer::default();
    let Some(known) = grammars.recognize(&entry, &mut fields) else { return Vec::new() };
    let mut fields: Vec<(Field, Value)> = fields.all().iter().collect();
    let fact = known.fact;
    status_reason(fact, &message, &mut fields);
    let uid = of("uid");
    if !uid.is_empty() {
        fields.retain(|(field, _)| *field != Field::Uid);
        fields.push((Field::Uid, Value::text(uid)));
    }
    let reported = first_of(&[
        &["source", "component"],
        &["deprecatedSource", "component"],
        &["reportingComponent"],
        &["reportingController"],
    ]);
    let node = match fact {
        Fact::PodScheduled => fields.iter().find_map(|(field, value)| match value {
            Value::Text(text) if *field == Field::Node => Some(text.to_string()),
            _ => None,
        }),
        _ if reported == "kubelet" || reported.is_empty() => {
            Some(first_of(&[&["source", "host"], &["deprecatedSource", "host"], &["reportingInstance"]]))
        }
        _ => None,
    };
    let node = node.filter(|node| !node.is_empty()).map(|node| truncate_text(&node, 253));
    let text = format!("{reason} pod {pod}{}{path}: {message}", if path.is_empty() { "" } else { " " });
    let (first, last, count) = instants(object);
    let dated = |(time, whole_second): Stamped, which: &str, mut fields: Vec<(Field, Value)>| {
        let seconds = object.at(&[UNCERTAIN, which]).and_then(Json::as_i64).filter(|_| whole_second);
        if let Some(seconds) = seconds.map(|seconds| seconds.max(1)) {
            fields.push((Field::Uncertainty, Value::Length(Nanos(seconds.saturating_mul(SECOND)))));
        }
        let record = api_record(time, whole_second, place, fact, fields, &text);
        DatedRecord { time, first: first.map_or(time, |(first, _)| first), record, node: node.clone() }
    };
    let repeated = last.filter(|last| count > 1 && first.is_none_or(|first| last.0 - first.0 >= Nanos(SECOND)));
    // Of merged events only the newest has this message.
    let first = first.filter(|_| !combined || repeated.is_none());
    let mut records: Vec<DatedRecord> = first.map(|first| dated(first, "first", fields.clone())).into_iter().collect();
    if let Some(last) = repeated {
        fields.push((Field::Count, Value::Number(count)));
        records.push(dated(last, "last", fields));
    }
    records
}

/// An instant, and whether only its second is known.
type Stamped = (Time, bool);

/// When an event was first recorded and last repeated, and how often it was.
fn instants(event: &Object) -> (Option<Stamped>, Option<Stamped>, i64) {
    let time = |paths: &[&[&str]]| paths.iter().find_map(|path| Time::from_rfc3339(event.text(path)));
    let micros = time(&[&["eventTime"]]);
    let seconds = time(&[&["firstTimestamp"], &["deprecatedFirstTimestamp"]]);
    let created = time(&[&["metadata", "creationTimestamp"]]);
    // client-go ends an event's name in the nanoseconds of its first occurrence (tools/record/event.go); an event that
    // others made may have any name.
    let name = event.text(&["metadata", "name"]);
    let named = name.rsplit_once('.').and_then(|(_, hex)| i64::from_str_radix(hex, 16).ok()).map(Time);
    let stamp = micros.or(seconds).or(created);
    let fits = |named: &Time| {
        stamp.is_some_and(|stamp| *named - stamp >= Nanos(0) - tolerance(micros) && *named - stamp < STAMPS_APART)
    };
    let first = match (named.filter(fits), micros, stamp) {
        // The scheduler's own reading is that of the event itself.
        (_, Some(micros), _) => Some((micros, false)),
        (Some(named), ..) => Some((named, false)),
        (None, None, stamp) => stamp.map(|stamp| (stamp, true)),
    };
    let series = time(&[&["series", "lastObservedTime"]]).map(|last| (last, false));
    let last = series.or_else(|| Some((time(&[&["lastTimestamp"], &["deprecatedLastTimestamp"]])?, true)));
    let counts: [&[&str]; 3] = [&["series", "count"], &["count"], &["deprecatedCount"]];
    let count = counts.iter().find_map(|path| event.at(path).and_then(Json::as_i64)).unwrap_or(1);
    (first, last, count)
}

fn tolerance(micros: Option<Time>) -> Nanos {
    if micros.is_some() { STAMPS_APART } else { Nanos(0) }
}

/// The reason a container's status has meanwhile, by which logs name it (pkg/kubelet/images/types.go and
/// pkg/kubelet/kuberuntime/kuberuntime_container.go): of the event that says "Error: …" only its message tells.
fn status_reason(fact: Fact, message: &str, fields: &mut Vec<(Field, Value)>) {
    let reason = match fact {
        Fact::ContainerFailed if message.starts_with("Back-off restarting failed container") => "CrashLoopBackOff",
        Fact::ContainerFailed => match message.strip_prefix("Error: ") {
            Some(word) if !word.contains(' ') => word,
            Some(error) if is_missing_object(error) => "CreateContainerConfigError",
            Some(_) => "RunContainerError",
            None => return,
        },
        _ => return,
    };
    let reason = (Field::Reason, Value::text(reason));
    fields.retain(|(field, _)| *field != Field::Reason);
    fields.push(reason);
}

/// `configmap "x" not found`, `secret "x" not found`, `couldn't find key x in ConfigMap y`.
fn is_missing_object(error: &str) -> bool {
    let object = error.starts_with("configmap ") || error.starts_with("secret ");
    object && error.ends_with(" not found") || error.starts_with("couldn't find key ")
}

fn api_record(
    time: Time,
    whole_second: bool,
    place: SourceLine,
    fact: Fact,
    fields: Vec<(Field, Value)>,
    text: &str,
) -> Record {
    Record {
        stamp: Some(Stamp::Utc(time.0)),
        frame_stamp: None,
        zoned: None,
        place,
        host: None,
        pid: None,
        from_runtime: false,
        fact,
        fields: Fields::of(&truncate_text(text, MAX_EVIDENCE_BYTES), fields),
        from_api: true,
        whole_second,
        pod_status: None,
        startup_record: None,
    }
}
