//! What a rule looks at, and what it finds.

use super::error_reason;
use crate::breakdown::timeline::TimelineSource;
use crate::breakdown::{Breakdown, Span};
use crate::model::phase::Phase;
use crate::model::record::{Fact, Field, SourceLine};
use crate::model::startup::{Event, Startup, State, Transfer};
use crate::model::time::{Nanos, SECOND, Time};
use crate::model::waited_for::WaitedFor;
use crate::model::workload::Traits;

/// What a rule looks at.
pub struct Case<'a> {
    /// The startup.
    pub startup: &'a Startup,
    /// Its breakdown.
    pub breakdown: &'a Breakdown,
    /// What its pod's object shows, if pod objects are given.
    pub traits: Option<Traits>,
}

/// What a rule found: that the cause applies, and what shows it.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// The line that shows it; none: that of the longest claimed span.
    pub place: Option<SourceLine>,
    /// What was waited for; none: what the longest claimed span waited for.
    pub waited_for: Option<WaitedFor>,
    /// It is inferred by exclusion, not shown by a line: nothing of the claim is certain.
    pub likely: bool,
    /// No more of the claim is certain than this.
    pub at_most: Option<Nanos>,
    /// So much of the time may be that its ends were noticed late: it is not claimed.
    pub noticed_late: Nanos,
    /// A line says that a step failed: it is the cause of a start that has not run yet, however little time the log shows.
    pub failing: bool,
    /// The reason, where it is another than that in the line's error.
    pub error: Option<Box<str>>,
    /// The record counts how long its phases took together, however badly their ends are known.
    pub counted: bool,
    /// Phases it claims beside its own: the input cannot divide them from those.
    pub also: &'static [Phase],
    /// Spans that waited for this it claims beside those of its phases, whichever phase they are.
    pub also_waiting: Option<WaitedFor>,
    /// The claim is limited to these time ranges; none: it is not.
    pub within: Vec<(Time, Time)>,
}

impl Match {
    /// A line shows it.
    pub(super) fn at(event: &Event) -> Self {
        Match { place: Some(event.place), ..Match::default() }
    }

    /// A line shows it, which says that a step failed, and mostly of which container.
    pub(super) fn failing(event: &Event) -> Self {
        let container = event.fields.text(Field::Container).map(|name| WaitedFor::Container(name.into()));
        Match { failing: true, waited_for: container, ..Match::at(event) }
    }
}

/// From this many starts at once on, they are a burst: fewer do not make a sandbox slow on two cores (captures); a large node
/// takes many more, but then nothing is slow.
pub(super) const BURST: usize = 8;

impl Case<'_> {
    /// The first event of a fact whose text contains a word.
    pub(super) fn event_mentioning(&self, fact: Fact, word: &str) -> Option<&Event> {
        self.startup.all(fact).find(|event| self.in_time(event) && event.mentions(word))
    }

    /// A sync, or a container in it, that failed with this reason.
    pub(super) fn failed_with(&self, reasons: &[&str]) -> Option<&Event> {
        let failed = |fact| {
            self.failure(fact, |event| event.fields.text(Field::Reason).is_some_and(|reason| reasons.contains(&reason)))
        };
        failed(Fact::SyncFailed).or_else(|| failed(Fact::ContainerFailed))
    }

    /// Of the failures of a step the one that counts: the first of a pod that came up, else the last that gives a reason. An
    /// error that is over keeps nobody from starting.
    pub(super) fn failure(&self, fact: Fact, is_it: impl Fn(&Event) -> bool) -> Option<&Event> {
        let all = || self.startup.all(fact).filter(|event| self.in_time(event) && is_it(event));
        let reason = |event: &&Event| event.fields.text(Field::Error).and_then(error_reason::of).is_some();
        let present = || if self.breakdown.state == State::Running { None } else { all().rfind(reason) };
        present().or_else(|| all().next())
    }

    /// The startup's event that a line is.
    pub(super) fn event_at(&self, place: SourceLine) -> Option<&Event> {
        self.startup.events.iter().chain(&self.startup.scheduling).find(|event| event.place == place)
    }

    /// Whether the sandbox did not fail, but took so long that the kubelet gave its request up: it says so each time, or the
    /// runtime was still at work when it was asked again (CRI-O).
    pub(super) fn sandbox_given_up(&self) -> bool {
        let stalled = self.startup.all(Fact::RuntimeStalled).any(|event| {
            self.in_time(event) && event.fields.text(Field::Status).is_some_and(|stage| stage.starts_with("sandbox"))
        });
        let failed = |event: &&Event| {
            event.fact == Fact::SandboxFailed || event.fields.text(Field::Reason) == Some("CreatePodSandboxError")
        };
        let mut by_kubelet = self.startup.events.iter().filter(|event| !event.from_runtime).filter(failed).peekable();
        let late = ["code = DeadlineExceeded", "name is reserved", "error reserving pod name"];
        let given_up =
            by_kubelet.peek().is_some() && by_kubelet.all(|event| late.iter().any(|words| event.mentions(words)));
        given_up || stalled
    }

    /// The first event of this kind on its node during the startup.
    pub(super) fn node_event(&self, fact: Fact) -> Option<&Event> {
        self.startup.context.events().find(|event| event.fact == fact)
    }

    /// Events after the pod runs are not part of its startup.
    pub(super) fn in_time(&self, event: &Event) -> bool {
        let ran = self.breakdown.ran.filter(|_| self.startup.by_objects).map(|(_, most)| self.breakdown.begin + most);
        self.breakdown.running.or(ran).is_none_or(|running| event.time <= running)
    }

    /// The seconds of one phase.
    pub(super) fn seconds(&self, phase: Phase) -> f64 {
        self.breakdown.time_in(phase).seconds()
    }

    /// The spans of one phase.
    pub(super) fn spans(&self, phase: Phase) -> impl Iterator<Item = &Span> {
        self.breakdown.spans.iter().filter(move |span| span.phase == phase)
    }

    /// A claim of back-off, and of waits where it is one of those, with the pulls before back-off: they failed, so their time is lost
    /// as well.
    pub(super) fn with_failed_pulls(&self, matched: Match) -> Match {
        let waits: Vec<(Time, Time)> = self.spans(Phase::ImageBackoff).map(|span| (span.from, span.to)).collect();
        let failed = |span: &&Span| waits.iter().any(|(from, _)| span.to == *from);
        let attempts = self.spans(Phase::ImagePull).filter(failed).map(|span| (span.from, span.to));
        let queued = self.spans(Phase::ImageWait).map(|span| (span.from, span.to));
        let within: Vec<(Time, Time)> = attempts.chain(queued).chain(waits.iter().copied()).collect();
        if waits.is_empty() { matched } else { Match { also: &[Phase::ImagePull], within, ..matched } }
    }

    /// Many pods were started at once: then the node may be slow, which is the one thing they share.
    pub(super) fn burst(&self) -> bool {
        self.startup.context.concurrent_starts >= BURST
    }

    /// The longest of the successful pulls.
    pub(super) fn longest_pull(&self) -> Option<&Transfer> {
        self.startup
            .transfers
            .iter()
            .filter(|pull| pull.ok)
            .max_by_key(|pull| (pull.finished - pull.started, pull.started, &pull.image))
    }

    /// By how much the ends of sandbox and start may be too late: with the kubelet log alone, each is known only to the precision
    /// of a relist.
    pub(super) fn relist_uncertainty(&self) -> Nanos {
        if self.breakdown.timeline.source == TimelineSource::Relist { Nanos(2 * SECOND) } else { Nanos(0) }
    }

    /// How long its node's kubelet throttled API requests during the startup, by the lines in the log, which are samples.
    pub(super) fn throttled_time(&self) -> Nanos {
        let throttled = self.startup.context.events().filter(|event| event.fact == Fact::Throttled);
        throttled.filter_map(|event| event.fields.length(Field::Delay)).sum()
    }

    /// The span before the kubelet took the pod in which its request for its pods waited in its own rate limit.
    pub(super) fn throttled_list(&self) -> Option<&Span> {
        self.breakdown.spans.iter().find(|span| span.waited_for == Some(WaitedFor::ThrottledList))
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
