//! The stages behind the parser, as benches run them one by one.

use podlag::internals::model::record::Record;
use podlag::internals::parse::calendar::{Clock, Hints};
use podlag::internals::track::{self, ClosedStartup, Tracker};
use podlag::internals::{breakdown, causes};

/// Records in the order of their lines, of one node → the startups that are over.
pub fn track(records: Vec<Record>) -> (Tracker, Vec<ClosedStartup>) {
    let (mut tracker, mut clock) = (Tracker::new(track::Limits::default()), Clock::new(Hints::default()));
    let node = tracker.node("node", Some("node"));
    for record in records {
        clock.learn(&record);
        if let Some(time) = clock.time(&record) {
            tracker.push(record, time, node);
        }
    }
    tracker.finish();
    let startups = tracker.take();
    (tracker, startups)
}

/// Startups that are over → phases and causes.
pub fn judge((mut tracker, closed): (Tracker, Vec<ClosedStartup>)) {
    for closed in closed {
        let pulls = tracker.pulls_of(&closed.startup);
        let (startup, breakdown) = breakdown::break_down(closed, pulls);
        let case = causes::Case { startup: &startup, breakdown: &breakdown, traits: None };
        std::hint::black_box(causes::judge(&case));
    }
}
