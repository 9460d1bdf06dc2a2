//! When a pod was ready for the first time: the kubelet set its Ready condition. By the probes' lines, which are exact; else by
//! the condition in the status that the kubelet sent or in the pod's object; else, for a pod without probes, by what bounds the
//! status that the kubelet makes once all containers run.

use chrono::DateTime;
use serde_json::Value;

use super::bounded_instant::BoundedInstant;
use super::{Anomaly, Breakdown, Precision, Span};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field};
use crate::model::startup::{Event, Startup};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::workload::Traits;
use crate::track::Readiness;

/// A container's readiness probe is told of with the first status of the pod (`UpdatePodStatus` in
/// pkg/kubelet/prober/prober_manager.go triggers it), its startup probe within a period, of which 10 s is the default.
const FIRST_PROBE: Nanos = Nanos(10 * SECOND);
/// A status that comes so much later than the containers were noticed waited for something: its turn, or a postStart hook.
const LATE_STATUS: Nanos = Nanos(2 * SECOND);

/// Notes when a pod was ready, and the phase from running to ready.
pub fn note(startup: &Startup, breakdown: &mut Breakdown, traits: Option<Traits>) {
    let Some((least, most)) = breakdown.ran else { return };
    let begin = breakdown.begin;
    let ran = BoundedInstant::between(begin + least, begin + most, None);
    let Some(ready) = ready(startup, breakdown, traits, ran) else { return };
    breakdown.ready = Some(ready);
    if ready.at > ran.at {
        breakdown.readiness = Some(Span {
            phase: Phase::Readiness,
            from: ran.at,
            to: ready.at,
            precision: if ready.low == ready.high && ran.low == ran.high {
                Precision::Exact
            } else {
                Precision::Bounded
            },
            min: Nanos((ready.low - ran.high).0.max(0)),
            max: ready.high - ran.low,
            place: ready.place,
            waited_for: None,
        });
    }
}

fn ready(
    startup: &Startup,
    breakdown: &Breakdown,
    traits: Option<Traits>,
    ran: BoundedInstant,
) -> Option<BoundedInstant> {
    let probes = Readiness::of(startup.events.iter());
    let gates = traits.is_some_and(|traits| traits.readiness_gates);
    if probes.is_probed() && !gates {
        // A container without a probe may start after those with one are ready.
        return probes.ready().map(|(time, place)| match time >= ran.high {
            true => BoundedInstant::exact(time, place),
            false => {
                unprobed(startup, breakdown, ran).map_or(ran, |last| BoundedInstant { at: last.at.max(time), ..last })
            }
        });
    }
    if let Some(sent) = by_status(startup, breakdown, ran) {
        let estimated = (!probes.is_probed() && !gates).then(|| unprobed(startup, breakdown, ran)).flatten();
        return Some(BoundedInstant { at: estimated.map_or(sent.at, |one| one.at.clamp(sent.low, sent.high)), ..sent });
    }
    let by_object = traits.and_then(|traits| traits.ready).map(|second| {
        let end = second + Nanos(SECOND);
        BoundedInstant::between(second.max(ran.low).min(end), end, None)
    });
    let shows_probes = startup.all(Fact::PodAdded).next().is_some();
    let would_be_told = startup.context.log_end - ran.high >= FIRST_PROBE;
    let free_of_probes = match traits {
        Some(traits) => !traits.probes && !gates,
        None => shows_probes && would_be_told,
    };
    if free_of_probes { unprobed(startup, breakdown, ran) } else { by_object.filter(|ready| ready.high >= ran.low) }
}

/// The condition in a status that the kubelet sent (`-v=3`): within its second, where that is another one than that of the
/// condition before, and before the line that has it.
fn by_status(startup: &Startup, breakdown: &Breakdown, ran: BoundedInstant) -> Option<BoundedInstant> {
    let sent = |event: &Event| event.fields.text(Field::Ready).is_some();
    // In a crash loop the pod was ready for as long as each run lasted: what counts is the one that stays.
    let from = if breakdown.anomalies.contains(&Anomaly::CrashLoop) { ran.low } else { breakdown.begin };
    let sent = startup.all(Fact::StatusPatched).find(|event| sent(event) && event.time >= from)?;
    let condition: Value = serde_json::from_str(sent.fields.text(Field::Ready)?).ok()?;
    let since = condition.get("lastTransitionTime").and_then(Value::as_str);
    let since = since.and_then(|since| DateTime::parse_from_rfc3339(since).ok()?.timestamp_nanos_opt()).map(Time);
    let high = since.map_or(sent.time, |second| (second + Nanos(SECOND)).min(sent.time));
    let low = since.unwrap_or(ran.low).min(high);
    Some(BoundedInstant::between(low, high, Some(sent.place)))
}

/// A pod without probes is ready in the first status that the kubelet makes once it has noticed the last container. A postStart
/// hook delays that status, throttled requests only its way to the API server.
fn unprobed(startup: &Startup, breakdown: &Breakdown, ran: BoundedInstant) -> Option<BoundedInstant> {
    let main = || breakdown.timeline.runs.iter().filter(|run| !run.init);
    let started = main().filter_map(|run| run.started).map(|started| started.low).max();
    let noticed = main().map(|run| run.noticed.map(|(time, _)| time)).collect::<Option<Vec<Time>>>();
    let noticed = noticed.and_then(|all| all.into_iter().max()).filter(|noticed| *noticed <= ran.high);
    let context = &startup.context;
    let others_quick = context.neighbours.is_none_or(|others| others.reported < Nanos(SECOND / 2));
    let throttled = context.events().any(|event| event.fact == Fact::Throttled);
    let at = match noticed {
        Some(noticed) if ran.low < ran.high || ran.high - noticed <= LATE_STATUS => noticed,
        Some(noticed) if throttled || !others_quick => noticed,
        _ => ran.high,
    };
    let low = started.unwrap_or(ran.low).min(at);
    Some(BoundedInstant { at, low, high: ran.high.max(at), inferred: true, place: None })
}
