//! The keys under which log stores and shippers keep a line, its time, its host, its unit and its process: one table for all of
//! them. A store with other keys is a row here, with an example.

/// What a value says of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The line, or JSON that holds it.
    Message,
    /// When it was written or stored.
    Time,
    /// The node.
    Host,
    /// Who wrote it.
    Unit,
    /// The process that did.
    Process,
}

/// How many parts there are.
pub(super) const PARTS: usize = 5;

/// A key: its name, of nested objects with dots, and a record that has it. Case does not count, nor do underscores and at-signs in
/// front.
pub(super) struct Key {
    name: &'static str,
    pub(super) part: Part,
    #[cfg_attr(not(test), allow(dead_code, reason = "examples are for the test"))]
    example: &'static str,
}

const fn key(part: Part, name: &'static str, example: &'static str) -> Key {
    Key { name, part, example }
}

/// All of them; of several in one record the one that stands first here counts. In the examples `LINE` is a line, `n1` the host,
/// `kubelet` the unit, 77 the process.
const KEYS: &[Key] = &[
    // journald, and nearly everyone: CloudWatch Insights as `@message`.
    key(Part::Message, "message", r#"{"MESSAGE":"LINE"}"#),
    // GELF; `short_message` is its first line.
    key(Part::Message, "full_message", r#"{"short_message":"x","full_message":"LINE"}"#),
    key(Part::Message, "short_message", r#"{"version":"1.1","short_message":"LINE"}"#),
    // logcli.
    key(Part::Message, "line", r#"{"labels":{},"line":"LINE"}"#),
    // Docker, Fluent Bit.
    key(Part::Message, "log", r#"{"stream":"stderr","log":"LINE\n"}"#),
    // Cloud Logging.
    key(Part::Message, "textPayload", r#"{"insertId":"1","textPayload":"LINE"}"#),
    // Log Analytics.
    key(Part::Message, "SyslogMessage", r#"{"TableName":"Syslog","SyslogMessage":"LINE"}"#),
    // Splunk's search and its collector.
    key(Part::Message, "raw", r#"{"preview":false,"result":{"_raw":"LINE"}}"#),
    key(Part::Message, "event", r#"{"time":1,"event":"LINE"}"#),
    // OpenTelemetry.
    key(Part::Message, "body", r#"{"body":"LINE"}"#),
    key(Part::Message, "stringValue", r#"{"body":{"stringValue":"LINE"}}"#),
    // VictoriaLogs. Where it found no message it puts a sentence there, so all others come first.
    key(Part::Message, "msg", r#"{"_time":"2026-11-23T19:08:24Z","_msg":"LINE"}"#),
    // journald's own times are those of the line; the others may be the shipper's.
    key(
        Part::Time,
        "SOURCE_REALTIME_TIMESTAMP",
        r#"{"MESSAGE":"LINE","_SOURCE_REALTIME_TIMESTAMP":"1795460904991853"}"#,
    ),
    key(Part::Time, "REALTIME_TIMESTAMP", r#"{"MESSAGE":"LINE","__REALTIME_TIMESTAMP":"1795460904991853"}"#),
    key(Part::Time, "timeUnixNano", r#"{"body":"LINE","timeUnixNano":"1795460904991853000"}"#),
    key(Part::Time, "EventTime", r#"{"SyslogMessage":"LINE","EventTime":"2026-11-23T19:08:24.991853Z"}"#),
    // CloudWatch in milliseconds, Elasticsearch with an at-sign.
    key(Part::Time, "timestamp", r#"{"message":"LINE","timestamp":1795460904991}"#),
    key(Part::Time, "time", r#"{"_msg":"LINE","_time":"2026-11-23T19:08:24.991853Z"}"#),
    // Fluent Bit.
    key(Part::Time, "date", r#"{"date":1795460904.991853,"MESSAGE":"LINE"}"#),
    key(Part::Time, "TimeGenerated", r#"{"SyslogMessage":"LINE","TimeGenerated":"2026-11-23T19:08:24.991853Z"}"#),
    key(Part::Time, "ts", r#"{"line":"LINE","ts":"2026-11-23T19:08:24.991853Z"}"#),
    key(Part::Host, "hostname", r#"{"MESSAGE":"LINE","_HOSTNAME":"n1"}"#),
    // filebeat, nested or with a dot.
    key(Part::Host, "host.hostname", r#"{"message":"LINE","host":{"name":"x","hostname":"n1"}}"#),
    key(Part::Host, "host.name", r#"{"message":"LINE","host.name":"n1"}"#),
    key(Part::Host, "k8s.node.name", r#"{"body":"LINE","resource":{"k8s.node.name":"n1"}}"#),
    key(Part::Host, "kubernetes.node.name", r#"{"message":"LINE","kubernetes":{"node":{"name":"n1"}}}"#),
    key(Part::Host, "kubernetes.host", r#"{"log":"LINE","kubernetes":{"host":"n1"}}"#),
    // Cloud Logging, below `resource.labels`.
    key(Part::Host, "node_name", r#"{"textPayload":"LINE","resource":{"labels":{"node_name":"n1"}}}"#),
    // The labels that Alloy's and promtail's examples make.
    key(Part::Host, "nodename", r#"{"labels":{"nodename":"n1"},"line":"LINE"}"#),
    key(Part::Host, "node", r#"{"labels":{"node":"n1"},"line":"LINE"}"#),
    key(Part::Host, "host", r#"{"message":"LINE","host":"n1"}"#),
    key(Part::Host, "Computer", r#"{"SyslogMessage":"LINE","Computer":"n1"}"#),
    key(Part::Host, "instance", r#"{"labels":{"instance":"n1"},"line":"LINE"}"#),
    // Graylog.
    key(Part::Host, "source", r#"{"source":"n1","message":"LINE"}"#),
    // CloudWatch.
    key(Part::Host, "logStreamName", r#"{"logStreamName":"n1-dataplane.systemd.kubelet.service","message":"LINE"}"#),
    key(Part::Host, "logStream", r#"{"@logStream":"n1-dataplane.systemd.kubelet.service","@message":"LINE"}"#),
    key(Part::Unit, "SYSLOG_IDENTIFIER", r#"{"SYSLOG_IDENTIFIER":"kubelet","MESSAGE":"LINE"}"#),
    key(Part::Unit, "syslog.identifier", r#"{"syslog":{"identifier":"kubelet"},"message":"LINE"}"#),
    key(Part::Unit, "log.syslog.appname", r#"{"log.syslog.appname":"kubelet","message":"LINE"}"#),
    key(Part::Unit, "ProcessName", r#"{"ProcessName":"kubelet","SyslogMessage":"LINE"}"#),
    key(Part::Process, "PID", r#"{"_PID":"77","MESSAGE":"LINE"}"#),
    key(Part::Process, "process.pid", r#"{"process":{"pid":77},"message":"LINE"}"#),
    key(Part::Process, "journald.pid", r#"{"journald":{"pid":77},"message":"LINE"}"#),
    key(Part::Process, "ProcessID", r#"{"ProcessID":"77","SyslogMessage":"LINE"}"#),
];

/// The names of the keys of a part.
pub(super) fn names(part: Part) -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter(move |key| key.part == part).map(|key| key.name)
}

/// What an object inside a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapper {
    /// It holds the record itself.
    Record,
    /// It tells of the record, and has no line and no time of it.
    Labels,
}

/// Objects whose keys count as the record's own.
const WRAPPERS: &[(&str, Wrapper)] = &[
    ("message", Wrapper::Record),
    ("jsonPayload", Wrapper::Record),
    ("source", Wrapper::Record),
    ("fields", Wrapper::Record),
    ("result", Wrapper::Record),
    ("event", Wrapper::Record),
    ("body", Wrapper::Record),
    ("content", Wrapper::Record),
    ("attributes", Wrapper::Record),
    ("labels", Wrapper::Labels),
    ("stream", Wrapper::Labels),
    ("metadata", Wrapper::Labels),
    ("structuredMetadata", Wrapper::Labels),
    ("parsed", Wrapper::Labels),
    ("resource", Wrapper::Labels),
];

/// Longer paths are none of the table's.
const MAX_PATH: usize = 48;

/// The place of a key in a record: its name, behind those of the objects around it.
#[derive(Clone, Copy)]
pub(super) struct Path {
    bytes: [u8; MAX_PATH],
    length: usize,
}

impl Path {
    /// That of the record itself.
    pub(super) const ROOT: Path = Path { bytes: [0; MAX_PATH], length: 0 };

    /// The place of a key here; none if it is longer than any that is known.
    pub(super) fn join(&self, key: &[u8]) -> Option<Path> {
        let first = key.iter().position(|byte| !matches!(byte, b'_' | b'@')).unwrap_or(key.len());
        let key = key.get(first..)?;
        let mut path = *self;
        if path.length > 0 {
            *path.bytes.get_mut(path.length)? = b'.';
            path.length += 1;
        }
        path.bytes.get_mut(path.length..)?.get_mut(..key.len())?.copy_from_slice(key);
        path.length += key.len();
        Some(path)
    }

    fn name(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Its row, and how much it counts: the less the more.
    pub(super) fn row(&self) -> Option<(usize, &'static Key)> {
        KEYS.iter().enumerate().find(|(_, key)| key.name.as_bytes().eq_ignore_ascii_case(self.name()))
    }

    /// What an object here is; none if keys inside it have names of their own.
    pub(super) fn wrapper(&self) -> Option<Wrapper> {
        let found = WRAPPERS.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(self.name()));
        found.map(|(_, wrapper)| *wrapper)
    }

    /// Whether a key of the table begins with this one.
    pub(super) fn is_prefix(&self) -> bool {
        let name = self.name();
        KEYS.iter().any(|key| {
            let key = key.name.as_bytes();
            key.get(name.len()) == Some(&b'.')
                && key.get(..name.len()).is_some_and(|front| front.eq_ignore_ascii_case(name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{open, tests::KLOG};
    use super::*;
    use crate::model::time::Stamp;

    #[test]
    fn every_key_has_an_example_that_is_read() {
        for Key { name, part, example } in KEYS {
            assert!(example.contains("LINE"), "{name}: its row in `KEYS` needs an example record");
            let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
            assert!(example.to_ascii_lowercase().contains(&last), "{name}: its example has other keys");
            let record = example.replace("LINE", &KLOG.replace('"', "\\\""));
            let frame = open(record.as_bytes());
            assert_eq!(String::from_utf8_lossy(&frame.body), KLOG, "{name}");
            let right = match part {
                Part::Message => true,
                Part::Time => frame
                    .stamp
                    .is_some_and(|stamp| matches!(stamp, Stamp::Utc(nanos) if nanos / 1_000_000_000 == 1_795_460_904)),
                Part::Host => frame.host.as_deref() == Some("n1"),
                Part::Unit => frame.identifier.as_deref() == Some("kubelet"),
                Part::Process => frame.pid == Some(77),
            };
            assert!(right, "{name}: {frame:?}");
        }
    }

    #[test]
    fn every_wrapper_is_opened() {
        let line = KLOG.replace('"', "\\\"");
        for (name, wrapper) in WRAPPERS {
            let record = match wrapper {
                Wrapper::Record => format!("{{\"{name}\":{{\"message\":\"{line}\",\"hostname\":\"n1\"}}}}"),
                Wrapper::Labels => {
                    format!("{{\"{name}\":{{\"message\":\"x\",\"hostname\":\"n1\"}},\"line\":\"{line}\"}}")
                }
            };
            let frame = open(record.as_bytes());
            assert_eq!(
                (String::from_utf8_lossy(&frame.body).as_ref(), frame.host.as_deref()),
                (KLOG, Some("n1")),
                "{record}"
            );
        }
    }

    #[test]
    fn keys_are_found_in_any_case_nested_or_dotted_and_with_marks_in_front() {
        let line = KLOG.replace('"', "\\\"");
        for record in [
            r#"{"message":"LINE","hostname":"n1"}"#,
            r#"{"Message":"LINE","__HostName":"n1"}"#,
            r#"{"@message":"LINE","HOST":{"HOSTNAME":"n1"}}"#,
            r#"{"host.hostname":"n1","message":"LINE"}"#,
            r#"{"hits":1,"_source":{"message":"LINE","host":{"name":"n1"}}}"#,
            r#"{"fields":{"message":["LINE"],"host.name":["n1"]}}"#,
            r#"{"_msg":"missing _msg field; see https://docs","MESSAGE":"LINE","_stream":"{hostname=\"n1\",unit=\"kubelet.service\"}"}"#,
            r#"{"line":"{\"MESSAGE\":\"LINE2\",\"_HOSTNAME\":\"n1\"}"}"#,
            r#"{"labels":{"message":"x","msg":"x","node":"n1"},"line":"LINE"}"#,
        ] {
            let twice = line.replace('\\', "\\\\").replace('"', "\\\"");
            let record = record.replace("LINE2", &twice).replace("LINE", &line);
            let frame = open(record.as_bytes());
            assert_eq!(
                (String::from_utf8_lossy(&frame.body).as_ref(), frame.host.as_deref()),
                (KLOG, Some("n1")),
                "{record}"
            );
        }
    }
}
