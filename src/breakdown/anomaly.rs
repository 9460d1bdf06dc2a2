//! Anomalies of a startup: each is named in the row and counted in the report.

use crate::model::names::named_enum;

named_enum! {
    /// What is odd about a startup.
    Anomaly ANOMALIES {
        /// The SLO value overflowed.
        SloOverflow = "slo-overflow",
        /// A container exited right after the pod ran.
        CrashLoop = "crash-loop",
        /// The record was written late.
        WatchGap = "watch-gap",
        /// The clocks of the node and of the API server differ.
        ClockSkew = "clock-skew",
        /// The record lacks the init containers.
        InitNotCounted = "init-not-counted",
        /// The record's times are those of writing.
        JsonTimes = "json-times",
        /// The record is truncated.
        RecordTruncated = "record-truncated",
        /// A static pod.
        MirrorPod = "mirror-pod",
        /// There is no record.
        NoRecord = "no-record",
        /// When the pod was created is not known.
        CreatedUnknown = "created-unknown",
        /// The kubelet restarted.
        KubeletRestart = "kubelet-restart",
        /// The record has unknown keys.
        FormatUnknown = "format-unknown",
    }
}

impl Anomaly {
    /// What it means, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Anomaly::SloOverflow => "the kubelet's SLO value overflowed (kubernetes #114903, #130432); corrected",
            Anomaly::CrashLoop => {
                "the kubelet recorded the first run of a container that then exited; measured until it stays up"
            }
            Anomaly::WatchGap => {
                "the kubelet wrote the record late: its end-to-end time is longer than the startup, no pod waited for it"
            }
            Anomaly::ClockSkew => "the pod ran before it was created: node and API server clocks differ",
            Anomaly::InitNotCounted => "the kubelet counted no init time although two or more init containers ran",
            Anomaly::JsonTimes => {
                "JSON logging: the record has the time of writing only; creation is derived from the durations"
            }
            Anomaly::RecordTruncated => "truncated record; readable fields used",
            Anomaly::MirrorPod => {
                "static pod: the record is of its mirror pod, which can be created after the pod runs"
            }
            Anomaly::NoRecord => {
                "the containers run but the kubelet wrote no record (it restarted, or the log ended before)"
            }
            Anomaly::CreatedUnknown => "creation time unknown; measured from the first log line",
            Anomaly::KubeletRestart => "kubelet restarted during startup",
            Anomaly::FormatUnknown => "the record has fields that this version does not know",
        }
    }
}

/// What the anomaly with this id means.
pub fn anomaly(id: &str) -> Option<&'static str> {
    Anomaly::from_name(id).map(Anomaly::meaning)
}
