//! What a rule looks at, and what it finds.

use crate::breakdown::timeline::TimelineSource;
use crate::breakdown::{Breakdown, Span};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field, SourceLine};
use crate::model::startup::{BURST_WINDOW, Event, Node, Startup, Transfer};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::workload::Traits;

/// What a rule looks at.
pub struct Case<'a> {
    /// The startup.
    pub startup: &'a Startup,
    /// Its breakdown.
    pub breakdown: &'a Breakdown,
    /// Its node.
    pub node: &'a Node,
    /// What its pod's object tells, where one was given.
    pub traits: Option<Traits>,
}

/// What a check found: that the cause is there, and what shows it.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// The line that shows it; none: that of the longest claimed span.
    pub place: Option<SourceLine>,
    /// Whom or what was waited for; none: what the longest claimed span says.
    pub about: Option<Box<str>>,
    /// It follows from what else it cannot be, not from a line that says so: nothing of the claim is certain.
    pub likely: bool,
    /// No more of the claim is certain than this.
    pub at_most: Option<Nanos>,
    /// The claim is on these instants only.
    pub within: Option<(Time, Time)>,
}

impl Match {
    /// A line shows it.
    pub(super) fn at(event: &Event) -> Self {
        Match { place: Some(event.place), ..Match::default() }
    }
}

/// So many starts at once are a burst: fewer do not make a sandbox slow on two cores (captures), many more are needed on a
/// large node, where then nothing is slow.
pub(super) const BURST: usize = 8;
/// A registry or a node's network that gives less is slow: a gigabit link carries 110 MB/s, and at 10 MB/s an image of 100 MB
/// takes as long as a start may take twice.
pub(super) const SLOW_RATE: f64 = 10e6;

impl Case<'_> {
    /// The first event of a fact whose text holds a word.
    pub(super) fn event_mentioning(&self, fact: Fact, word: &str) -> Option<&Event> {
        self.startup.all(fact).find(|event| self.in_time(event) && event.mentions(word))
    }

    /// A sync that failed with this reason.
    pub(super) fn failed_with(&self, reasons: &[&str]) -> Option<&Event> {
        self.startup
            .all(Fact::SyncFailed)
            .find(|event| self.in_time(event) && event.fields.text(Field::Reason).is_some_and(|r| reasons.contains(&r)))
    }

    /// The first event of its node of this kind while it was on its way.
    pub(super) fn node_event(&self, fact: Fact) -> Option<&Event> {
        self.startup.context.events.iter().find(|event| event.fact == fact)
    }

    /// What happens after the pod runs is none of its start.
    pub(super) fn in_time(&self, event: &Event) -> bool {
        self.breakdown.running.is_none_or(|running| event.time <= running)
    }

    /// The seconds of one phase.
    pub(super) fn seconds(&self, phase: Phase) -> f64 {
        self.breakdown.time_in(phase).seconds()
    }

    /// The pieces of one phase.
    pub(super) fn spans(&self, phase: Phase) -> impl Iterator<Item = &Span> {
        self.breakdown.spans.iter().filter(move |span| span.phase == phase)
    }

    /// Many pods were started at once: then what is slow may be the node, which is the one thing they share.
    pub(super) fn burst(&self) -> bool {
        self.startup.context.concurrent_starts >= BURST
    }

    /// The pull that took longest, of those that ended well.
    pub(super) fn longest_pull(&self) -> Option<&Transfer> {
        self.startup
            .transfers
            .iter()
            .filter(|pull| pull.ok)
            .max_by_key(|pull| (pull.finished - pull.started, pull.place))
    }

    /// By how much the ends of sandbox and start may lie too late: each is known to a relist where only the kubelet's log tells.
    pub(super) fn relist_uncertainty(&self) -> f64 {
        if self.breakdown.timeline.source == TimelineSource::Relist { 2.0 } else { 0.0 }
    }

    /// How long its node's kubelet held requests back while it was on its way, as far as lines tell: they are samples.
    pub(super) fn held(&self) -> Nanos {
        let throttled = self.startup.context.events.iter().filter(|event| event.fact == Fact::Throttled);
        throttled.filter_map(|event| event.fields.length(Field::Delay)).sum()
    }

    /// When the last of its own containers had started.
    pub(super) fn last_started(&self) -> Option<Time> {
        let until = self.breakdown.running.unwrap_or(Time(i64::MAX));
        let steps = &self.breakdown.timeline.runs;
        steps
            .iter()
            .filter(|step| !step.init)
            .filter_map(|step| step.started)
            .map(|m| m.at)
            .filter(|at| *at <= until)
            .max()
    }
}

/// "with 39 other starts within 3 s": what a start shared its node with.
pub(crate) fn with_others(count: usize) -> Box<str> {
    format!("with {count} other starts within {} s", BURST_WINDOW.0 / SECOND).into()
}

/// Whether a text is one of those, and holds no name.
pub(crate) fn is_with_others(about: &str) -> bool {
    let count = about.split(' ').nth(1).and_then(|count| count.parse().ok());
    count.is_some_and(|count| *with_others(count) == *about)
}
