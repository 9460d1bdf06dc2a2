//! Instants, each with how well it is known.

use crate::model::record::SourceLine;
use crate::model::startup::Event;
use crate::model::time::{Nanos, Time};

/// An instant, with how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundedInstant {
    /// The instant the breakdown works with: the latest possible one when it is not exact.
    pub at: Time,
    /// It was not before.
    pub low: Time,
    /// It was not after.
    pub high: Time,
    /// It follows from other lines by a rule that is nearly always right, not from a line that says it.
    pub inferred: bool,
    /// The line it is based on.
    pub place: Option<SourceLine>,
}

impl BoundedInstant {
    /// An instant that a line shows.
    pub fn exact(at: Time, place: SourceLine) -> Self {
        BoundedInstant { at, low: at, high: at, inferred: false, place: Some(place) }
    }

    /// An event's instant.
    pub(super) fn of(event: &Event) -> Self {
        if event.whole_second {
            BoundedInstant::between(event.time, event.time + event.uncertainty(), Some(event.place))
        } else {
            BoundedInstant::exact(event.time, event.place)
        }
    }

    /// An instant between two others; it is put at the later one, so that each phase reaches up to the first evidence
    /// of what follows it.
    pub fn between(low: Time, high: Time, place: Option<SourceLine>) -> Self {
        BoundedInstant { at: high, low: low.min(high), high, inferred: false, place }
    }

    /// The same, known from a rule.
    #[must_use]
    pub fn inferred(mut self) -> Self {
        self.inferred = true;
        self
    }

    /// The same line's, earlier by a length of time.
    #[must_use]
    pub fn earlier(self, by: Nanos) -> Self {
        BoundedInstant { at: self.at - by, low: self.low - by, high: self.high - by, ..self }
    }

    /// The same line's, at a known instant.
    #[must_use]
    pub fn moved_to(self, at: Time) -> Self {
        BoundedInstant { at, low: at, high: at, ..self }
    }

    /// No bound of it is later than `end`.
    #[must_use]
    pub fn not_after(self, end: Time) -> Self {
        BoundedInstant { at: self.at.min(end), low: self.low.min(end), high: self.high.min(end), ..self }
    }
}
