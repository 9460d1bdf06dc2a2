//! Pods and events in the forms that kubectl writes for people: `kubectl describe pods`, `kubectl get events`, `kubectl events`,
//! and the table of events that was cut out of a description. They become objects as the API gives them, so that all that
//! follows is one way. What the text has as ages gets bounds: see `clock`.

mod age;
mod batch;
mod bounds;
mod clock;
mod columns;
mod container;
mod describe;
mod event_containers;
mod lines;
mod pod;
mod row;
#[cfg(test)]
mod tests;

use std::io::Read;

use batch::Batch;
use columns::Columns;
use describe::Description;
use lines::Lines;

use super::object::Object;
use super::time::Time;

/// Where a pod's object has the instant that stands for its creation, which a description does not show.
pub const SHOWN_AT: &str = "podlag/shown-at";
/// Where it has the instant at which it was described.
pub const READ_AT: &str = "podlag/read-at";
/// Where an event has how many seconds its first and its last stamp may be too early.
pub const UNCERTAIN: &str = "podlag/uncertain";

/// How many lines may stand before the first that is known: a prompt, a fence, a warning.
const LEAD: usize = 10;
/// Within so many lines a pod's description names its node.
const POD_HEAD: usize = 40;

/// What was read, besides the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Events that nothing says the pod of.
    pub nameless: u64,
    /// Events whose time is not shown.
    pub timeless: u64,
    /// Nothing in some of the text tells when it was written: the instants of its ages are no better known than that.
    pub undated: bool,
}

/// Whether text that begins with this is one of the forms.
pub fn is_text(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.trim_start_matches(lines::MARK).lines().map(str::trim_end).filter(|line| !line.is_empty());
    for _ in 0..LEAD {
        let Some(line) = lines.next() else { return false };
        if Columns::of_head(line).is_some() {
            return true;
        }
        if describe::is_name(line) {
            // Others than pods have a name and a namespace, too.
            return lines.next().is_some_and(describe::is_namespace)
                && lines.take(POD_HEAD).any(|line| line.starts_with("Node:") || line.starts_with("Containers:"));
        }
    }
    false
}

/// Reads any number of them, one after the other. `written` is when the text was written at the latest.
///
/// # Errors
/// When the input cannot be read. The objects that were complete before that place have been given.
pub fn read(reader: impl Read, written: Time, each: &mut dyn FnMut(Object)) -> std::io::Result<Gaps> {
    let mut text = Text { batch: Batch::new(written), at: At::Outside, held: None };
    let mut lines = Lines::new(reader);
    let failed = loop {
        match lines.next() {
            Ok(Some((number, line))) => text.take(number, line),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
        text.batch.give_if_full(each);
    };
    text.end_pod();
    let gaps = text.batch.finish(each);
    failed.map_or(Ok(gaps), Err)
}

/// Where in the text the reader is.
enum At {
    Outside,
    Pod(Box<Description>),
    Events(Columns),
}

struct Text {
    batch: Batch,
    at: At,
    /// A line that begins a pod's description if a namespace follows; else it is one of a container's message.
    held: Option<(u64, String)>,
}

impl Text {
    fn take(&mut self, number: u64, line: String) {
        if let Some((at, name)) = self.held.take() {
            if describe::is_namespace(&line) {
                self.end_pod();
                self.at = At::Pod(Box::new(Description::new(at, &name, &line)));
                return;
            }
            self.line(at, &name);
        }
        if describe::is_name(&line) {
            self.held = Some((number, line));
        } else {
            self.line(number, &line);
        }
    }

    fn line(&mut self, number: u64, line: &str) {
        let columns = Columns::of_head(line);
        match (&mut self.at, columns) {
            (At::Pod(pod), columns) if columns.as_ref().is_none_or(|columns| columns.of_description) => {
                pod.line(number, line, columns);
            }
            (_, Some(columns)) => {
                self.end_pod();
                self.batch.begin_table();
                self.at = At::Events(columns);
            }
            (At::Events(columns), None) => self.batch.table_line(number, line, columns),
            _ => {}
        }
    }

    fn end_pod(&mut self) {
        if let At::Pod(pod) = std::mem::replace(&mut self.at, At::Outside) {
            self.batch.describe(*pod);
        }
    }
}
