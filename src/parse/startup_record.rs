//! The tracker's record `Observed pod startup duration` in all its forms: keys by name in any order, complete values only.

use crate::model::record::{RecordFormat, RecordedTime, StartupRecord};
use crate::parse::value::{self, Raw};

/// The message's text.
pub const MESSAGE: &str = "Observed pod startup duration";

/// Reads the record's keys (without `pod`). `json`: the line is JSON logging, whose time values are all the time of
/// writing and so unknown. `truncated`: the line is known to be truncated.
pub fn read(keys: &[(std::borrow::Cow<'_, str>, Raw<'_>)], json: bool, truncated: bool) -> StartupRecord {
    let mut record = StartupRecord { json, truncated, ..StartupRecord::default() };
    let (mut old_creation, mut e2e_key, mut pulling_key) = (false, false, false);
    for (key, raw) in keys {
        let text = raw.text();
        let text = text.as_deref();
        let span = || text.and_then(value::duration);
        match key.as_ref() {
            "pod" | "ts" | "caller" | "msg" | "v" | "logger" => {}
            "podStartSLOduration" => record.slo = text.and_then(value::float),
            "podStartE2EDuration" => (record.e2e, e2e_key) = (span(), true),
            "pod.CreationTimestamp" | "podCreationTimestamp" => {
                old_creation |= key.starts_with("pod.");
                record.created = recorded_time(text, json, &mut record);
            }
            "firstStartedPulling" => record.first_pull = recorded_time(text, json, &mut record),
            "lastFinishedPulling" => record.last_pull = recorded_time(text, json, &mut record),
            "observedRunningTime" => record.running = recorded_time(text, json, &mut record),
            "watchObservedRunningTime" => record.watched = recorded_time(text, json, &mut record),
            "totalImagesPullingTime" => (record.pulling, pulling_key) = (span(), true),
            "totalInitContainerRuntime" => record.init = span(),
            "isStatefulPod" => record.stateful = text.and_then(|t| t.parse().ok()),
            "imagePullSessionsCount" => record.sessions = text.and_then(|t| t.parse().ok()),
            "imagePullSessionsStartsCount" => record.open_sessions = text.and_then(|t| t.parse().ok()),
            unknown => record.unknown.push(unknown.into()),
        }
    }
    record.format = match (old_creation, e2e_key, pulling_key) {
        (_, _, true) => Some(RecordFormat::G4),
        (true, ..) => Some(RecordFormat::G1),
        (_, true, _) => Some(RecordFormat::G3),
        // Without its last key a truncated line could be of a longer format.
        _ if json || !truncated => Some(RecordFormat::G2),
        _ => None,
    };
    record
}

fn recorded_time(text: Option<&str>, json: bool, record: &mut StartupRecord) -> RecordedTime {
    let Some(read) = text.filter(|_| !json).and_then(value::go_time) else { return RecordedTime::Unknown };
    match read.time {
        None => RecordedTime::Never,
        Some(time) => {
            record.offset = Some(read.offset);
            if let Some(since_start) = read.monotonic {
                record.process_start = Some(time - since_start);
            }
            RecordedTime::At(time)
        }
    }
}

/// What the kubelet's saturated subtraction leaves in `podStartSLOduration` when a pull began but no end was recorded:
/// the end-to-end time less 2^63 ns (kubernetes issues #114903 and #130432).
const OVERFLOW_SECONDS: f64 = 9_223_372_036.854_776;

/// Whether a printed SLO duration is the overflow and not a time.
pub fn is_overflow(slo: f64) -> bool {
    slo < -OVERFLOW_SECONDS / 2.0
}
