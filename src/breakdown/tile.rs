//! Claims → spans that tile a startup.

use super::bounded_instant::BoundedInstant;
use super::claims::Claim;
use super::{Precision, Span};
use crate::model::phase::Phase;
use crate::model::time::{Nanos, Time};

/// Tiles `begin..end` with claims; the rest is unattributed. `open`: what is measured from may have been earlier than `begin`.
pub(super) fn tile(claims: Vec<Claim>, begin: Time, end: Time, open: bool) -> Vec<Span> {
    let clip = |time: Time| time.max(begin).min(end);
    let mut cuts: Vec<Time> = vec![begin, end];
    cuts.extend(claims.iter().flat_map(|claim| [clip(claim.from.at), clip(claim.to.at)]));
    cuts.sort_unstable();
    cuts.dedup();
    let mut owners: Vec<(Time, Time, Option<usize>)> = Vec::new();
    for pair in cuts.windows(2) {
        let &[from, to] = pair else { continue };
        let covering =
            claims.iter().enumerate().filter(|(_, claim)| clip(claim.from.at) <= from && clip(claim.to.at) >= to);
        let owner = covering.min_by_key(|(number, claim)| (claim.rank, *number)).map(|(number, _)| number);
        match owners.last_mut() {
            Some(last) if last.2 == owner => last.1 = to,
            _ => owners.push((from, to, owner)),
        }
    }
    // A claim whose ends coincide has no seconds, but may have had some: it is kept for its bounds.
    for (number, claim) in claims.iter().enumerate() {
        let (from, to) = (clip(claim.from.at), clip(claim.to.at));
        let empty = to <= from && claim.to.high > claim.from.low && claim.to.high > begin;
        if empty && !owners.iter().any(|(_, _, owner)| *owner == Some(number)) {
            // Never inside another span: at its end.
            let inside = owners.iter().find(|(other, until, _)| *other < from && from < *until);
            let at = inside.map_or(from, |(_, until, _)| *until);
            owners.push((at, at, Some(number)));
        }
    }
    owners.sort_by_key(|(from, to, _)| (*from, *to));
    owners
        .into_iter()
        .map(|(from, to, owner)| match owner.and_then(|number| claims.get(number)) {
            None if open => gap(from, to, &claims),
            claim => span_of(from, to, claim, begin, end, open),
        })
        .collect()
}

/// What no claim covers, as well known as the claims beside it.
fn gap(from: Time, to: Time, claims: &[Claim]) -> Span {
    let widest = |at: Time| {
        let beside = claims.iter().flat_map(|claim| [claim.from, claim.to]).filter(|mark| mark.at == at);
        beside.max_by_key(|mark| mark.high - mark.low).map_or((at, at), |mark| (mark.low, mark.high))
    };
    let (begun, ended) = (widest(from), widest(to));
    let length = to - from;
    let (min, max) = (Nanos((ended.0 - begun.1).0.clamp(0, length.0)), (ended.1 - begun.0).max(length));
    let precision = if min == max { Precision::Exact } else { Precision::Bounded };
    Span { phase: Phase::Unattributed, from, to, precision, min, max, place: None, waited_for: None }
}

fn span_of(from: Time, to: Time, claim: Option<&Claim>, begin: Time, end: Time, open: bool) -> Span {
    let length = to - from;
    let Some(claim) = claim else {
        return Span {
            phase: Phase::Unattributed,
            from,
            to,
            precision: Precision::Exact,
            min: length,
            max: length,
            place: None,
            waited_for: None,
        };
    };
    let clip = |time: Time| time.max(begin).min(end);
    let low = |mark: BoundedInstant| if open { mark.low } else { clip(mark.low) };
    let whole_from = clip(claim.from.at) == from;
    let whole_to = clip(claim.to.at) == to;
    // Another claim may have cut an end off: a sure end is then the cut, an unsure one stays unsure.
    let ends = |mark: BoundedInstant, whole: bool, at: Time| {
        if whole || mark.low < mark.high { (low(mark).min(at), clip(mark.high).max(at)) } else { (at, at) }
    };
    let (from_low, from_high) = ends(claim.from, whole_from, from);
    let (to_low, to_high) = ends(claim.to, whole_to, to);
    let exact = from_low == from_high && to_low == to_high;
    let (mut min, mut max) = (Nanos((to_low - from_high).0.max(0)), to_high - from_low);
    if let (Some((least, most)), true) = (claim.length, whole_from && whole_to) {
        (min, max) = (least, most);
    }
    let inferred = claim.from.inferred || claim.to.inferred;
    let precision = match (inferred, exact && min == max) {
        (false, true) => Precision::Exact,
        (true, _) if min == max => Precision::Inferred,
        (true, true) => Precision::Inferred,
        _ => Precision::Bounded,
    };
    let (min, max) = (min.min(length), max.max(length));
    Span {
        phase: claim.phase,
        from,
        to,
        precision,
        min,
        max,
        place: claim.to.place.or(claim.from.place),
        waited_for: claim.waited_for.clone(),
    }
}
