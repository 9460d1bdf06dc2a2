//! The fields of lines while they are read: their texts lie one after another, so that a field costs no memory of its own, and
//! what a pattern gave that fails in the end is taken back.

use std::borrow::Cow;
use std::ops::Range;

use crate::model::fields::{Entry, Fields};
use crate::model::record::{Field, MAX_EVIDENCE_BYTES, cut_text, kept_text};
use crate::parse::value;

/// Fields, in the order they were found.
#[derive(Clone, Debug, Default)]
pub struct FieldBuffer {
    entries: Vec<Entry>,
    /// Of each line, the line as it is shown, and texts of fields that are no part of that.
    texts: String,
    line: Line,
}

/// The line that is being read.
#[derive(Clone, Debug, Default)]
struct Line {
    /// Where its texts begin. Its fields' places are counted from there.
    start: usize,
    /// Where the line's program had it: what a reader finds in there needs no copy.
    address: usize,
    kept: usize,
    /// How much of it is shown, with the mark that it goes on.
    shown: usize,
}

/// What was there when something began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    fields: usize,
    texts: usize,
}

/// Where the fields and texts of a line lie, and how much of the texts is the line.
#[derive(Clone, Debug)]
pub(super) struct Place {
    entries: Range<usize>,
    texts: Range<usize>,
    line: usize,
}

impl FieldBuffer {
    /// A line begins: as much of it as is shown.
    pub(super) fn begin(&mut self, line: &str) -> Mark {
        let mark = self.mark();
        let (kept, is_cut) = cut_text(line, MAX_EVIDENCE_BYTES);
        self.texts.push_str(kept);
        self.texts.push_str(if is_cut { "…" } else { "" });
        let shown = self.texts.len() - mark.texts;
        self.line = Line { start: mark.texts, address: line.as_ptr().addr(), kept: kept.len(), shown };
        mark
    }

    /// The line has ended. `is_shown`: its text is evidence.
    pub(super) fn end(&self, since: Mark, is_shown: bool) -> Place {
        let line = if is_shown { self.line.shown } else { 0 };
        Place { entries: since.fields..self.entries.len(), texts: since.texts..self.texts.len(), line }
    }

    /// What is there now.
    pub(super) fn mark(&self) -> Mark {
        Mark { fields: self.entries.len(), texts: self.texts.len() }
    }

    /// Takes back what came since.
    pub(super) fn take_back(&mut self, mark: Mark) {
        self.entries.truncate(mark.fields);
        self.texts.truncate(mark.texts);
    }

    /// Whether a field came since.
    pub(super) fn has(&self, field: Field, since: Mark) -> bool {
        self.entries.get(since.fields..).unwrap_or_default().iter().any(|known| known.field() == field)
    }

    /// Adds a field by its text, as its type; not if the text is no such value (a truncated number is no number).
    pub(super) fn push(&mut self, field: Field, text: &str) {
        let entry = self.read(field, text);
        self.entries.extend(entry);
    }

    /// The same, before those that came since.
    pub(super) fn insert(&mut self, since: Mark, field: Field, text: &str) {
        if let Some(entry) = self.read(field, text) {
            self.entries.insert(since.fields.min(self.entries.len()), entry);
        }
    }

    /// Adds a list of pods.
    pub(super) fn push_pods(&mut self, pods: &[Cow<'_, str>]) {
        self.entries.push(Entry::list(Field::Pods, pods.len()));
        for pod in pods {
            let place = self.push_text(pod, false);
            self.entries.push(Entry::listed(Field::Pods, place));
        }
    }

    /// Where a text lies, counted from the line's first: within the line if it is a part of it.
    fn push_text(&mut self, text: &str, goes_on: bool) -> Range<usize> {
        let Line { start, address, kept, .. } = self.line;
        let within = text.as_ptr().addr().wrapping_sub(address);
        let end = within.saturating_add(text.len());
        if end <= kept && !goes_on {
            debug_assert_eq!(self.texts.get(start + within..start + end), Some(text), "the line was held");
            return within..end;
        }
        let from = self.texts.len();
        self.texts.push_str(text);
        self.texts.push_str(if goes_on { "…" } else { "" });
        from - start..self.texts.len() - start
    }

    fn read(&mut self, field: Field, text: &str) -> Option<Entry> {
        match field {
            Field::Duration | Field::Waited | Field::Delay => {
                value::duration(text).map(|length| Entry::length(field, length))
            }
            Field::Bytes | Field::Attempt | Field::ExitCode | Field::Count => {
                text.parse().ok().map(|number| Entry::number(field, number))
            }
            _ => {
                let (kept, goes_on) = kept_text(text);
                Some(Entry::text(field, self.push_text(kept, goes_on)))
            }
        }
    }

    /// What a line says.
    pub(super) fn fields(&self, place: &Place) -> Fields {
        let entries = self.entries.get(place.entries.clone()).unwrap_or_default();
        Fields::within(self.texts.get(place.texts.clone()).unwrap_or_default(), place.line, entries)
    }

    /// What the one line says that is there.
    pub(super) fn all(&self) -> Fields {
        self.fields(&self.end(Mark::default(), false))
    }

    pub(super) fn clear(&mut self) {
        self.take_back(Mark::default());
        self.line = Line::default();
    }

    pub(super) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
        self.texts.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Value;

    #[test]
    fn what_lies_in_the_line_as_shown_is_not_copied() {
        let line = format!("{}é{}", "x".repeat(MAX_EVIDENCE_BYTES - 4), "y".repeat(10));
        let (inside, beyond) = (&line[..MAX_EVIDENCE_BYTES - 2], &line[4..MAX_EVIDENCE_BYTES + 1]);
        let copy = inside.to_owned();
        let mut buffer = FieldBuffer::default();
        let mark = buffer.begin("another line");
        buffer.push(Field::Error, "not of it");
        buffer.take_back(mark);
        let since = buffer.begin(&line);
        buffer.push(Field::Name, inside);
        let before = buffer.texts.len();
        buffer.push(Field::Error, beyond);
        assert_eq!(buffer.texts.len(), before + beyond.len(), "only what goes beyond it is copied");
        buffer.push(Field::Reason, &copy);
        buffer.push(Field::Status, "");
        let fields = buffer.fields(&buffer.end(since, true));
        let texts = [inside, beyond, inside, ""].map(|text| Value::Text(text.into()));
        assert!(fields.iter().map(|(_, value)| value).eq(texts));
        assert_eq!(fields.line(), format!("{}éyy…", "x".repeat(MAX_EVIDENCE_BYTES - 4)));
        assert_eq!(buffer.fields(&buffer.end(since, false)).line(), "");
    }
}
