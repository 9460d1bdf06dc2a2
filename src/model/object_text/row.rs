//! One row of a table of events.

use super::age::Age;
use super::clock::When;
use super::columns::{Columns, Head};
use crate::model::record::truncate_text;
use crate::model::time::Time;

/// The longest text that is kept of a cell, bytes.
const MAX_TEXT: usize = 4096;

/// An event as its row shows it; what is not shown is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) namespace: String,
    pub(super) kind: String,
    /// The pod's name.
    pub(super) pod: String,
    /// Which of its containers it is about (`spec.containers{app}`).
    pub(super) path: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) component: String,
    pub(super) host: String,
    /// The event's own name, which ends in nanoseconds.
    pub(super) name: String,
    pub(super) first: When,
    pub(super) last: When,
    pub(super) count: i64,
}

impl Row {
    /// From a line. None: it is no row.
    pub(super) fn of(number: u64, line: &str, columns: &Columns) -> Option<Self> {
        let mut row = Row { line: number, count: 1, ..Row::default() };
        for (head, cell) in columns.cells(line) {
            let cell = if matches!(cell, "<none>" | "<nil>" | "<unset>") { "" } else { cell };
            // What is longer is hostile, and is not used.
            let cell = if cell.len() > MAX_TEXT && head != Head::Message { "" } else { cell };
            let text = || truncate_text(cell, MAX_TEXT).into_string();
            match head {
                Head::Last => row.seen(cell),
                Head::First => row.first = row.first.or(when(cell)),
                Head::Count => row.count = cell.parse().unwrap_or(1).max(1),
                Head::Kind => row.kind = text(),
                Head::Reason => row.reason = text(),
                Head::Object => match cell.split_once('/') {
                    Some((kind, name)) => (row.kind, row.pod) = (kind.to_owned(), name.to_owned()),
                    None => row.pod = text(),
                },
                Head::Path => row.path = text(),
                Head::Source => match cell.split_once(", ") {
                    Some((component, host)) => (row.component, row.host) = (component.to_owned(), host.to_owned()),
                    None => row.component = text(),
                },
                Head::Host => row.host = text(),
                Head::Namespace => row.namespace = text(),
                Head::Message => row.message = text(),
                Head::Name => row.name = text(),
                Head::Other => {}
            }
        }
        let is_rule = row.reason.chars().all(|c| c == '-');
        let about_pod = row.kind.is_empty() || row.kind.eq_ignore_ascii_case("pod");
        let named = columns.of_description || !row.pod.is_empty();
        // One that was not repeated has one time.
        row.last = row.last.or(row.first);
        if row.count == 1 || row.first == When::Unknown {
            row.first = row.first.or(row.last);
        }
        (!is_rule && about_pod && named).then_some(row)
    }

    /// An age, of an event that was repeated with how often it was: `3m (x5 over 10m)`.
    fn seen(&mut self, cell: &str) {
        let (last, rest) = cell.split_once(" (x").unwrap_or((cell, ""));
        self.last = self.last.or(when(last));
        if let Some((count, first)) = rest.strip_suffix(')').and_then(|rest| rest.split_once(" over ")) {
            self.count = count.parse().unwrap_or(1).max(1);
            self.first = self.first.or(when(first));
        }
    }

    /// Its stamps are cut to whole seconds before their age is computed (`metav1.Time`), other components' need not be.
    pub(super) fn has_whole_seconds(&self) -> bool {
        self.component == "kubelet"
    }

    /// The second in which it was first recorded, as its name says it.
    pub(super) fn named_second(&self) -> Option<i64> {
        let (_, hex) = self.name.rsplit_once('.')?;
        let nanos = i64::from_str_radix(hex, 16).ok()?;
        (hex.len() == 16).then(|| nanos.div_euclid(crate::model::time::SECOND))
    }

    /// The namespace and the name of the pod that it says was given a node.
    pub(super) fn assigned(&self) -> Option<(&str, &str)> {
        let pod = self.message.strip_prefix("Successfully assigned ")?.split_once(" to ")?.0;
        pod.split_once('/').filter(|_| self.reason == "Scheduled")
    }

    pub(super) fn weight(&self) -> usize {
        let texts = [
            &self.message,
            &self.name,
            &self.pod,
            &self.namespace,
            &self.kind,
            &self.path,
            &self.reason,
            &self.component,
            &self.host,
        ];
        512 + texts.into_iter().map(String::len).sum::<usize>()
    }
}

/// An age or an instant.
fn when(cell: &str) -> When {
    match (Age::of(cell), Time::from_rfc3339(cell)) {
        (Some(age), _) => When::Age(age),
        (None, Some(time)) => When::At(time),
        (None, None) => When::Unknown,
    }
}
