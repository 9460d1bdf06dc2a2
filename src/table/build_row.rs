//! A startup that is over → its row.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::phase_seconds::PhaseSeconds;
use super::row::{Finding, Line, Place, Pull, Row, Span, Volume};
use crate::breakdown::Breakdown;
use crate::causes::evidence::Evidence;
use crate::causes::setting::Settings;
use crate::causes::{self, Cause};
use crate::model::phase::{PHASES, Phase};
use crate::model::record::{Fact, Field, SourceLine, truncate_text};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;

/// How many volumes and pulls of one startup are listed; a pod has a few of either, a hostile log may have any number.
const LISTED: usize = 200;
/// How long an error a volume keeps, bytes.
const ERROR: usize = 300;
/// An image wait ends where the transfer begins; different programs log the two.
const SAME: Nanos = Nanos(SECOND / 20);

/// What a row says beside what the startup says of itself.
pub(crate) struct RowContext<'a> {
    /// The node's name and its kubelet's version.
    pub node: Option<&'a str>,
    pub kubelet: Option<&'a str>,
    /// The names of the sources.
    pub sources: &'a [Arc<str>],
    /// What is known to be set on its kubelet.
    pub settings: &'a Settings,
    /// Its pod was given as an object.
    pub object: bool,
}

/// The row of a startup.
pub(crate) fn build_row(
    startup: &Startup,
    b: &Breakdown,
    findings: &[causes::Finding],
    around: &RowContext<'_>,
) -> Row {
    let nameless: Arc<str> = "".into();
    let source = |at: SourceLine| Arc::clone(around.sources.get(at.source as usize).unwrap_or(&nameless));
    let place = |at: SourceLine| Place { source: source(at), line: i64::try_from(at.line).unwrap_or(i64::MAX) };
    let first = startup.events.first().or(startup.scheduling.first()).map(|event| event.place);
    let location = startup.observed_at.map(|(_, place)| place).or(first).unwrap_or_default();
    let seconds = std::array::from_fn(|at| {
        let (phase, _) = PHASES.get(at)?;
        let known = if phase.is_in_total() { b.total.is_some() } else { b.ready.is_some() };
        known.then(|| b.time_in(*phase).seconds())
    });
    let spans = b.spans.iter().filter_map(|span| span.place);
    // In the order they are referred to: that of their places would show how the log was cut into files.
    let mut shown: Vec<SourceLine> = Vec::new();
    for place in spans.chain(findings.iter().filter_map(|finding| finding.evidence)) {
        if !shown.contains(&place) {
            shown.push(place);
        }
    }
    let lines = shown.into_iter().filter_map(|at| {
        let text = line_text(startup, at)?.into();
        let Place { source, line } = place(at);
        Some(Line { source, line, text })
    });
    let lines = lines.collect();
    let (namespace, pod) = startup.names();
    let workload = crate::model::workload::by_name(pod, around.node);
    let observed = startup.observed.as_deref();
    let mut evidence = Evidence::of(startup, b.timeline.source);
    evidence.extend(around.object.then_some(Evidence::Pods));
    // The costliest comes first; what delays readiness alone, last.
    let delayed = findings.first().filter(|finding| causes::named(finding.cause).is_none_or(Cause::delays_running));
    Row {
        node: around.node.map(Into::into),
        namespace: namespace.into(),
        pod: pod.into(),
        uid: startup.uid.clone(),
        workload: format!("{namespace}/{workload}").into(),
        kubelet_version: around.kubelet.map(Into::into),
        record_format: observed.and_then(|observed| observed.format).map(|format| format.name().into()),
        state: b.state,
        created: b.created,
        seen: b.seen,
        running: b.running,
        watched: b.watched,
        total_s: b.total.map(Nanos::seconds),
        // By two clocks a pod may run before it was created; that is no length of time.
        running_s: known(b.ran.map(|(_, most)| most.seconds())),
        running_min_s: known(b.ran.map(|(least, most)| least.max(Nanos(0)).min(most).seconds())),
        ready: b.ready.map(|ready| ready.at),
        ready_s: known(b.ready.map(|ready| (ready.at - b.begin).seconds())),
        ready_min_s: known(b.ready.map(|ready| (ready.low - b.begin).max(Nanos(0)).seconds())),
        ready_max_s: known(b.ready.map(|ready| (ready.high - b.begin).seconds())),
        slo_recorded_s: b.kubelet_slo,
        slo_s: known(b.slo),
        stateful: observed.and_then(|observed| observed.stateful),
        phases: PhaseSeconds(seconds),
        pulls: count(b.pulls),
        pull_failures: count(b.pull_failures),
        pulled_bytes: b.pulled_bytes,
        sandbox_attempts: count(b.timeline.sandbox_attempts),
        restarts: count(b.restarts),
        cause: delayed.map(|finding| finding.cause.into()),
        cause_s: delayed.map(|finding| finding.lost.seconds()),
        anomalies: b.anomalies.iter().map(|anomaly| anomaly.name().into()).collect(),
        evidence: Evidence::words(&evidence),
        settings: around.settings.words().into(),
        source: source(location),
        line: i64::try_from(location.line).unwrap_or(i64::MAX),
        findings: findings
            .iter()
            .map(|finding| Finding {
                cause: finding.cause.into(),
                lost_s: finding.lost.seconds(),
                lost_min_s: finding.certain.seconds(),
                waited_for: finding.waited_for.as_ref().map(WaitedFor::text),
                error: finding.error.clone(),
                evidence: finding.evidence.map(place),
            })
            .collect(),
        spans: b
            .spans
            .iter()
            .map(|span| Span {
                phase: span.phase,
                from: span.from,
                to: span.to,
                precision: span.precision,
                min_s: span.min.seconds(),
                max_s: span.max.seconds(),
                waited_for: span.waited_for.as_ref().map(WaitedFor::text),
                evidence: span.place.map(place),
            })
            .collect(),
        image_pulls: pulls(startup, b),
        volume_mounts: volumes(startup),
        lines,
    }
}

fn known(seconds: Option<f64>) -> Option<f64> {
    seconds.filter(|seconds| *seconds >= 0.0)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The text of a line that a startup keeps.
fn line_text(startup: &Startup, at: SourceLine) -> Option<&str> {
    let context = &startup.context;
    let own = startup.events.iter().chain(&startup.scheduling);
    let node = context.events.iter().chain(&context.throttled_list).map(|event| &**event);
    let mut events = own.chain(node).chain(&startup.restarts);
    let transfer = || startup.transfers.iter().find(|transfer| transfer.place == at).map(|transfer| &*transfer.text);
    events.find(|event| event.place == at).map(|event| event.fields.line()).or_else(transfer)
}

/// The pulls: by the runtime's lines, else by the kubelet's events, else the one the record counts.
fn pulls(startup: &Startup, b: &Breakdown) -> Vec<Pull> {
    let waits: Vec<_> = b.spans.iter().filter(|span| span.phase == Phase::ImageWait).collect();
    let asked_before = |began: Time| {
        let wait = waits.iter().find(|wait| (wait.to - began).abs() <= SAME);
        wait.map(|wait| wait.from)
    };
    let mut all: Vec<Pull> = startup
        .transfers
        .iter()
        .map(|transfer| {
            let asked = asked_before(transfer.started).filter(|asked| *asked <= transfer.started);
            pull(Some(&transfer.image), asked, Some(transfer.started), Some(transfer.finished), transfer.ok)
                .with(transfer.bytes, transfer.blocked_by.as_deref())
        })
        .collect();
    if all.is_empty() {
        let ended = startup.all(Fact::PullFinished).filter(|event| !event.from_runtime);
        all = ended
            .filter_map(|event| {
                let took = event.fields.length(Field::Duration)?;
                let waited = event.fields.length(Field::Waited).unwrap_or(took);
                let (asked, began) = (event.time - waited, event.time - took);
                let image = event.fields.text(Field::Image);
                Some(
                    pull(image, Some(asked), Some(began), Some(event.time), true)
                        .with(event.fields.number(Field::Bytes).filter(|bytes| *bytes > 0), None),
                )
            })
            .collect();
    }
    if let (true, Some(observed)) = (all.is_empty(), startup.observed.as_deref())
        && let (Some(asked), Some(ended)) = (observed.first_pull.time(), observed.last_pull.time())
    {
        all.push(pull(None, Some(asked), None, Some(ended), true));
    }
    all.truncate(LISTED);
    all
}

fn pull(image: Option<&str>, requested: Option<Time>, started: Option<Time>, ended: Option<Time>, ok: bool) -> Pull {
    let between = |from: Option<Time>, to: Option<Time>| from.zip(to).map(|(from, to)| (to - from).seconds());
    Pull {
        image: image.map(Into::into),
        registry: image.map(|image| registry(image).into()),
        requested,
        started,
        ended,
        wait_s: between(requested, started),
        pull_s: between(started, ended),
        took_s: between(requested.or(started), ended),
        bytes: None,
        blocked_by: None,
        outcome: if ok { "pulled" } else { "failed" }.into(),
    }
}

impl Pull {
    fn with(self, bytes: Option<i64>, blocked_by: Option<&str>) -> Self {
        Pull { bytes, blocked_by: blocked_by.map(Into::into), ..self }
    }
}

/// The registry in an image's name: its first part when that looks like a host, as the reference grammar has it
/// (distribution/reference: a dot, a colon, or `localhost`), else Docker's.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

/// The volumes, by what the lines before the start's end show of each.
fn volumes(startup: &Startup) -> Vec<Volume> {
    let until = startup.running().unwrap_or(Time(i64::MAX));
    let mut all: BTreeMap<&str, (Volume, i64)> = BTreeMap::new();
    let lines = startup.events.iter().filter(|event| event.time <= until && !event.from_runtime);
    for (event, name) in lines.filter_map(|event| Some((event, event.fields.text(Field::Volume)?))) {
        if !all.contains_key(name) && all.len() >= LISTED {
            continue;
        }
        let (volume, failures) = all.entry(name).or_default();
        volume.volume = name.into();
        if volume.plugin.is_none() {
            let plugin = event.fields.text(Field::Plugin);
            // An inline CSI volume's name holds no driver, but the pod's uid.
            let driver = event.fields.text(Field::Driver).map_or(String::new(), |driver| format!("/{driver}"));
            volume.plugin = plugin.map(|plugin| format!("{plugin}{driver}").into());
        }
        step(volume, failures, event);
    }
    let done = |(volume, failures): (Volume, i64)| {
        // The try that failed last is followed by one that did not, when the volume is there.
        let last = i64::from(volume.mounted.is_some() || failures == 0);
        Volume { attempts: failures + last, ..volume }
    };
    all.into_values().map(done).collect()
}

fn step(volume: &mut Volume, failures: &mut i64, event: &Event) {
    let instant = match event.fact {
        Fact::VolumeVerifyStarted => &mut volume.wanted,
        Fact::VolumeMountStarted => &mut volume.mounting,
        Fact::VolumeDeviceMounted => &mut volume.device,
        Fact::VolumeMounted => &mut volume.mounted,
        Fact::VolumeFailed => {
            *failures += 1;
            volume.error = event.fields.text(Field::Error).map(|error| truncate_text(error, ERROR));
            return;
        }
        _ => return,
    };
    // Remounts come again and again; the first is the start's.
    instant.get_or_insert(event.time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_told_by_the_first_part() {
        let known = [
            ("nginx", "docker.io"),
            ("library/nginx:1.27", "docker.io"),
            ("ghcr.io/a/b@sha256:0", "ghcr.io"),
            ("localhost/a", "localhost"),
            ("reg:5000/a/b:v1", "reg:5000"),
        ];
        for (image, expected) in known {
            assert_eq!(registry(image), expected, "{image}");
        }
    }
}
