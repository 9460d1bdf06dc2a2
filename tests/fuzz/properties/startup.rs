//! Records, tracked, broken down and judged: what the analysis does between reading and tables, without its threads and queries.

use podlag::internals::breakdown::{self, Breakdown};
use podlag::internals::causes::{self, Case};
use podlag::internals::model::phase::PHASES;
use podlag::internals::model::startup::Startup;
use podlag::internals::model::time::{Nanos, SECOND};
use podlag::internals::parse::calendar::{Clock, Hints};
use podlag::internals::parse::chunk;
use podlag::internals::track::{Limits, Tracker};

use super::record::GRAMMARS;

pub fn holds(data: &[u8]) {
    let (first, text) = super::led(data);
    // Few open startups, so that some leave by the cap, and nothing remembered for long.
    let open = 1 + usize::from(first % 16);
    let limits = Limits {
        open,
        settle: Nanos(30 * SECOND),
        crash_loop: Nanos(60 * SECOND),
        age: Nanos(3600 * SECOND),
        remembered: 4,
    };
    let mut tracker = Tracker::new(limits);
    let mut clock = Clock::new(Hints::default());
    let parsed = chunk(&GRAMMARS, text, text.len(), 0, 1);
    for record in parsed.records {
        clock.learn(&record);
        let Some(time) = clock.time(&record) else { continue };
        let host = record.host.map(|host| parsed.hosts[usize::from(host)].clone());
        let node = tracker.node(host.as_deref().unwrap_or("x"), host.as_deref());
        tracker.push(record, time, node);
        over(&mut tracker);
    }
    tracker.finish();
    over(&mut tracker);
}

/// Completes and checks the startups that are over.
fn over(tracker: &mut Tracker) {
    for closed in tracker.take() {
        let pulls = tracker.pulls_of(&closed.startup);
        let (startup, breakdown) = breakdown::break_down(closed, pulls);
        tiles(&startup, &breakdown);
        judged(&Case { startup: &startup, breakdown: &breakdown, traits: None });
    }
}

/// The pieces cover the whole, in order, without a gap or an overlap, and the phases sum to it.
fn tiles(startup: &Startup, breakdown: &Breakdown) {
    let spans = &breakdown.spans;
    assert!(spans.windows(2).all(|pair| pair[0].to == pair[1].from), "a gap or an overlap: {startup:?}");
    for span in spans {
        let length = span.to - span.from;
        assert!(span.min <= length && length <= span.max, "{span:?} of {startup:?}");
    }
    let Some(total) = breakdown.total else {
        assert!(spans.is_empty(), "pieces of an unknown whole: {startup:?}");
        return;
    };
    if total > Nanos(0) {
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else { panic!("no pieces: {startup:?}") };
        assert_eq!(last.to - first.from, total, "{startup:?}");
        let sum: Nanos =
            PHASES.iter().filter(|(phase, _)| phase.is_in_total()).map(|(phase, _)| breakdown.time_in(*phase)).sum();
        assert_eq!(sum, total, "{startup:?}");
    }
}

/// No second is claimed twice, and no more is certain than lost.
fn judged(case: &Case<'_>) {
    let findings = causes::judge(case);
    let whole: Nanos = case.breakdown.spans.iter().map(|span| span.to - span.from).sum();
    let lost: Nanos = findings.iter().map(|finding| finding.lost).sum();
    // By skewed clocks the whole may be less than nothing.
    assert!(lost <= whole.max(Nanos(0)), "{lost:?} of {whole:?} are claimed: {findings:?}");
    for finding in &findings {
        assert!(Nanos(0) <= finding.certain && finding.certain <= finding.lost, "{finding:?}");
    }
}
