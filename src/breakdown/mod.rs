//! A startup's marks → spans that tile it. Pure: the same startup gives the same spans, on any thread.
//!
//! TimelineSource makes *claims* (a phase, from, to). Where claims overlap the more specific one wins; what no claim covers is
//! `unattributed`. So the spans never overlap and always sum to the total, whatever the evidence says.

mod anomaly;
pub mod bounded_instant;
mod claims;
pub mod container_run;
mod failures;
mod object_claims;
mod object_outcome;
mod object_startup;
mod object_timeline;
mod outcome;
mod partial_runtime_log;
mod pull_claims;
mod pulls;
pub mod readiness;
mod relist;
mod resource_claims;
mod tile;
pub mod timeline;
mod unlogged_exits;
mod whole_seconds;

use crate::model::phase::Phase;
pub use crate::model::precision::Precision;
use crate::model::record::{Fact, Field, RecordFormat, RecordedTime, SourceLine};
use crate::model::startup::{Event, Startup, State};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;
use crate::parse::startup_record::is_overflow;
use crate::track::{ClosedStartup, NodePulls};
pub use anomaly::{ANOMALIES, Anomaly, anomaly};
use bounded_instant::BoundedInstant;
use container_run::ContainerRun;
use timeline::{Timeline, TimelineSource};

/// A phase with its place in one startup.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The phase.
    pub phase: Phase,
    /// Its start.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// How well it is known.
    pub precision: Precision,
    /// It took at least this.
    pub min: Nanos,
    /// It took at most this.
    pub max: Nanos,
    /// The line its end is based on.
    pub place: Option<SourceLine>,
    /// Whom or what it waited for, when that is known.
    pub waited_for: Option<WaitedFor>,
}

/// A startup, broken down.
#[derive(Clone, Debug)]
pub struct Breakdown {
    /// Its state.
    pub state: State,
    /// Created, by the API server's clock.
    pub created: Option<Time>,
    /// From where it is measured: its creation, else its first line.
    pub begin: Time,
    /// First taken by the kubelet.
    pub seen: Option<Time>,
    /// The API accepted "running".
    pub running: Option<Time>,
    /// How long it took until all containers ran, at least and at most, from its creation or else from its first line.
    pub ran: Option<(Nanos, Nanos)>,
    /// All its containers were ready for the first time.
    pub ready: Option<BoundedInstant>,
    /// Seen on the kubelet's watch.
    pub watched: Option<Time>,
    /// From the first to the last instant; `None` when the line that shows it is cut.
    pub total: Option<Nanos>,
    /// Tiles of the total, in order.
    pub spans: Vec<Span>,
    /// From running to ready: no part of the total.
    pub readiness: Option<Span>,
    /// The SLO value as printed.
    pub kubelet_slo: Option<f64>,
    /// Created → running, less pulls and init containers.
    pub slo: Option<f64>,
    /// Pulls that ended well, as far as lines show.
    pub pulls: usize,
    /// Pulls that failed.
    pub pull_failures: usize,
    /// Bytes of the images pulled, where a line shows them.
    pub pulled_bytes: Option<i64>,
    /// Containers that ended and were started again.
    pub restarts: usize,
    /// Its sandbox and containers.
    pub timeline: Timeline,
    /// What is odd about it.
    pub anomalies: Vec<Anomaly>,
}

impl Breakdown {
    /// The seconds of one phase.
    pub fn time_in(&self, phase: Phase) -> Nanos {
        self.spans
            .iter()
            .chain(&self.readiness)
            .filter(|span| span.phase == phase)
            .map(|span| span.to - span.from)
            .sum()
    }
}

/// When the watch gap is worth naming: an undisturbed one is under a millisecond; half a second is a missed event.
const WATCH_GAP: Nanos = Nanos(SECOND / 2);

/// Completes a startup that is over with the pulls that are its own, and breaks it down.
pub fn break_down(mut closed: ClosedStartup, pulls: Option<NodePulls<'_>>) -> (Startup, Breakdown) {
    let partial = partial_runtime_log::leave_out(&mut closed.startup.events);
    let pulls = pulls.filter(|_| !partial);
    let mut startup = without_pulls(closed);
    let mut timeline = timeline::build(&startup);
    if let Some(node) = pulls {
        pulls::assign(&mut startup, &timeline, node);
    }
    whole_seconds::narrow(&startup, &mut timeline);
    let breakdown = tile_startup(&startup, timeline);
    (startup, breakdown)
}

fn without_pulls(closed: ClosedStartup) -> Startup {
    let ClosedStartup { startup: mut open, context, awaits_ready: _ } = closed;
    let shown = object_startup::take(&mut open, &context);
    // A static pod starts when the kubelet reads its file; its mirror in the API comes when the API server is reached.
    let created = open.observed.as_deref().and_then(|observed| observed.created.time());
    let mine = open.static_pod
        && open.events.first().is_some_and(|first| {
            let by_file = first.fact == Fact::PodAdded && first.fields.text(Field::Source) == Some("file");
            by_file || created.is_some_and(|created| first.time < created)
        });
    let mirror = if mine { open.observed.take() } else { None };
    Startup {
        mirror,
        node: open.node,
        pod: open.pod,
        uid: open.uid,
        observed: open.observed,
        observed_at: open.observed_at,
        static_pod: open.static_pod,
        deleted: open.deleted,
        rejected: open.rejected,
        events: open.events,
        restarts: open.restarts,
        last_event: open.last_event,
        context,
        transfers: shown.transfers,
        object: shown.status,
        by_objects: shown.alone,
        scheduling: shown.scheduling,
        parallel_pulls: false,
    }
}

/// Spans from the evidence: the same startup gives the same ones.
fn tile_startup(startup: &Startup, timeline: Timeline) -> Breakdown {
    let observed = startup.observed.as_deref();
    let mut anomalies = Vec::new();
    let (created, watched) = start_and_end(startup, &mut anomalies);
    let created = created.or_else(|| object_startup::created(startup));
    let running = startup.running();
    let seen = startup.events.iter().find(|event| event.fact == Fact::PodAdded).map(|event| event.time);
    let outcome = outcome::outcome(startup, &timeline, created, watched, &mut anomalies);
    let end = outcome.end;
    let begin = created.or_else(|| first_line(startup));
    if created.is_none() {
        anomalies.push(Anomaly::CreatedUnknown);
    }
    let begin = begin.unwrap_or(end);
    let total = outcome.end_known.then_some(end - begin);
    let spans = match total {
        Some(total) if total > Nanos(0) && startup.by_objects => {
            let open = created.is_none();
            tile::tile(object_claims::collect(startup, &timeline, begin, outcome.ran, end), begin, end, open)
        }
        Some(total) if total > Nanos(0) => {
            let watched = watched.unwrap_or(end).min(end);
            let running = running.unwrap_or(watched);
            tile::tile(claims::collect(startup, &timeline, begin, running, watched, end), begin, end, false)
        }
        Some(total) => skewed(begin, end, total),
        None => Vec::new(),
    };
    let mut breakdown = Breakdown {
        state: outcome.state,
        created,
        begin,
        seen,
        running,
        ran: outcome.ran.map(|ran| (ran.low - begin, ran.at - begin)),
        ready: None,
        watched,
        total,
        spans,
        readiness: None,
        kubelet_slo: observed.or(startup.mirror.as_deref()).and_then(|observed| observed.slo),
        slo: None,
        pulls: startup.transfers.iter().filter(|transfer| transfer.ok).count(),
        pull_failures: startup.transfers.iter().filter(|transfer| !transfer.ok).count(),
        pulled_bytes: None,
        restarts: 0,
        timeline,
        anomalies,
    };
    count(startup, &mut breakdown);
    name_anomalies(startup, &mut breakdown);
    breakdown.slo = slo(startup, &breakdown);
    breakdown
}

/// Creation and the watch's instant: from the record's times, or, where JSON logging lost those, from its durations.
fn start_and_end(startup: &Startup, anomalies: &mut Vec<Anomaly>) -> (Option<Time>, Option<Time>) {
    if startup.mirror.is_some() {
        return (first_line(startup), None);
    }
    let (Some(observed), Some((written, _))) = (startup.observed.as_deref(), startup.observed_at) else {
        return (None, None);
    };
    if observed.json {
        anomalies.push(Anomaly::JsonTimes);
        // Written the moment the watch was seen; a record without its end-to-end time leaves the creation unknown.
        return (observed.e2e.map(|e2e| written - e2e), Some(written));
    }
    let (created, watched) = (observed.created.time(), observed.watched.time());
    match (created, watched, observed.e2e) {
        (Some(created), None, Some(e2e)) => (Some(created), Some(created + e2e)),
        (None, Some(watched), Some(e2e)) => (Some(watched - e2e), Some(watched)),
        // Written right after the watch was seen; creation is in whole seconds.
        (None, None, Some(e2e)) => {
            let created = Time((written - e2e).0.div_euclid(SECOND) * SECOND);
            (Some(created), Some(created + e2e))
        }
        ends => (ends.0, ends.1),
    }
}

/// The kubelet's first line about it, else the runtime's.
fn first_line(startup: &Startup) -> Option<Time> {
    if startup.by_objects {
        let all = startup.scheduling.iter().chain(startup.events.iter());
        return all.map(|event| BoundedInstant::of(event).at).min();
    }
    let time = |event: &Event| whole_seconds::latest(event.time, event.whole_second);
    let by_kubelet = startup.events.iter().find(|event| !event.from_runtime).map(time);
    // The kubelet's comes first, unless its log begins later.
    by_kubelet.into_iter().chain(startup.events.first().map(time)).min()
}

/// A start that ended before it began, by two clocks: one piece of the whole, its parts cannot be distinguished.
fn skewed(begin: Time, end: Time, total: Nanos) -> Vec<Span> {
    if total == Nanos(0) {
        return Vec::new();
    }
    let bounds = (total, total);
    vec![Span {
        phase: Phase::Unattributed,
        from: begin,
        to: end,
        precision: Precision::Inferred,
        min: bounds.0,
        max: bounds.1,
        place: None,
        waited_for: None,
    }]
}

fn count(startup: &Startup, breakdown: &mut Breakdown) {
    let ended: Vec<_> =
        startup.all(Fact::PullFinished).filter(|event| event.fields.text(Field::Image).is_some()).collect();
    breakdown.pulls = breakdown.pulls.max(ended.len());
    let failed =
        startup.all(Fact::SyncFailed).filter(|event| event.fields.text(Field::Reason) == Some("ErrImagePull")).count();
    let open = startup.observed.as_deref().and_then(|observed| observed.open_sessions).unwrap_or(0);
    breakdown.pull_failures = breakdown.pull_failures.max(failed).max(usize::try_from(open).unwrap_or(0));
    if let Some(sessions) = startup.observed.as_deref().and_then(|observed| observed.sessions) {
        breakdown.pulls = breakdown.pulls.max(usize::try_from(sessions).unwrap_or(0));
    } else if startup.observed.as_deref().is_some_and(|observed| observed.last_pull.time().is_some()) {
        breakdown.pulls = breakdown.pulls.max(1);
    }
    let bytes: Vec<i64> = startup.transfers.iter().filter_map(|transfer| transfer.bytes).collect();
    let by_event: Vec<i64> = ended.iter().filter_map(|event| event.fields.number(Field::Bytes)).collect();
    let bytes = if bytes.is_empty() { by_event } else { bytes };
    breakdown.pulled_bytes = (!bytes.is_empty()).then(|| bytes.iter().sum());
    let runs = &breakdown.timeline.runs;
    let again = |(number, run): &(usize, &ContainerRun)| {
        // What starts after the pod ran is started again; the relist shows no name.
        let nameless = run.name.is_none()
            && run.started.zip(breakdown.running).is_some_and(|(started, running)| started.low > running);
        let same = |later: &ContainerRun| later.name.is_some() && later.name == run.name && later.requested.is_some();
        nameless || runs.iter().skip(number + 1).any(same)
    };
    breakdown.restarts = runs.iter().enumerate().filter(again).count();
}

fn name_anomalies(startup: &Startup, breakdown: &mut Breakdown) {
    let init = breakdown.timeline.runs.iter().filter(|run| run.init).count();
    let observed = startup.observed.as_deref();
    let mut name = |id: Anomaly| {
        if !breakdown.anomalies.contains(&id) {
            breakdown.anomalies.push(id);
        }
    };
    if let Some(observed) = observed {
        if observed.slo.is_some_and(is_overflow) {
            name(Anomaly::SloOverflow);
        }
        if let (Some(running), Some(watched)) = (observed.running.time(), observed.watched.time())
            && watched - running > WATCH_GAP
        {
            name(Anomaly::WatchGap);
        }
        if let (Some(created), Some(running)) = (observed.created.time(), observed.running.time())
            && running < created
            && !startup.static_pod
        {
            name(Anomaly::ClockSkew);
        }
        if observed.format == Some(RecordFormat::G4) && observed.init == Some(Nanos(0)) && init > 0 {
            name(Anomaly::InitNotCounted);
        }
        if observed.truncated {
            name(Anomaly::RecordTruncated);
        }
        if !observed.unknown.is_empty() {
            name(Anomaly::FormatUnknown);
        }
    }
    if startup.static_pod {
        name(Anomaly::MirrorPod);
    }
    if !startup.restarts.is_empty() {
        name(Anomaly::KubeletRestart);
    }
    breakdown.anomalies.sort_unstable_by_key(|anomaly| anomaly.name());
}

/// Our own SLI value: created → running, less pulls (waiting and back-off included, as the official definition leaves
/// image pulling out) and init containers. `None` when the running instant or the pulls are not known, and of a pod that is
/// not known to have stayed: the kubelet records a crashing pod's first run.
fn slo(startup: &Startup, breakdown: &Breakdown) -> Option<f64> {
    let observed = startup.observed.as_deref()?;
    let created = breakdown.created?;
    let (_, ran) = breakdown.ran?;
    // The record of a pod in a crash loop is of its first run.
    let running = if breakdown.anomalies.contains(&Anomaly::CrashLoop) { ran } else { breakdown.running? - created };
    let unknown_end = observed.first_pull.time().is_some()
        && observed.last_pull == RecordedTime::Never
        && breakdown.timeline.source == TimelineSource::Relist;
    if unknown_end {
        return None;
    }
    if breakdown.spans.iter().any(|span| span.waited_for == Some(WaitedFor::LogBegin)) {
        // Init containers may lie before it, and the record counts them badly.
        return None;
    }
    let phases = [Phase::ImageWait, Phase::ImagePull, Phase::ImageBackoff, Phase::Init];
    let left_out: Nanos = phases.into_iter().map(|phase| breakdown.time_in(phase)).sum();
    Some((running - left_out).seconds())
}

/// A mark at both ends of the range: nothing is known but that it lies within.
fn within(low: Time, high: Time) -> BoundedInstant {
    BoundedInstant::between(low, high, None)
}
