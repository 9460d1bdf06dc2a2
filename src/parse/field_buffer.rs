//! The fields of lines while they are read: their texts lie one after another, so that a field costs no memory of its own, and
//! what a pattern gave that fails in the end is taken back.

use std::ops::Range;

use crate::model::record::{Field, Value, kept_text};
use crate::parse::value;

/// Fields, in the order they were found.
#[derive(Clone, Debug, Default)]
pub struct FieldBuffer {
    fields: Vec<(Field, Read)>,
    /// The texts of fields, and other texts that lie between them.
    texts: String,
}

/// A value as it is held here.
#[derive(Clone, Debug)]
enum Read {
    /// Where its text lies, and whether it goes on.
    Text(Range<usize>, bool),
    Other(Value),
}

/// What was there when something began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    fields: usize,
    texts: usize,
}

impl FieldBuffer {
    /// What is there now.
    pub(super) fn mark(&self) -> Mark {
        Mark { fields: self.fields.len(), texts: self.texts.len() }
    }

    /// Takes back what came since.
    pub(super) fn take_back(&mut self, mark: Mark) {
        self.fields.truncate(mark.fields);
        self.texts.truncate(mark.texts);
    }

    /// Whether a field came since.
    pub(super) fn has(&self, field: Field, since: Mark) -> bool {
        self.fields.get(since.fields..).unwrap_or_default().iter().any(|(known, _)| *known == field)
    }

    /// Adds a field by its text, as its type; not if the text is no such value (a truncated number is no number).
    pub(super) fn push(&mut self, field: Field, text: &str) {
        let value = self.read(field, text);
        self.fields.extend(value.map(|value| (field, value)));
    }

    /// The same, before those that came since.
    pub(super) fn insert(&mut self, since: Mark, field: Field, text: &str) {
        if let Some(value) = self.read(field, text) {
            self.fields.insert(since.fields.min(self.fields.len()), (field, value));
        }
    }

    /// Adds a list of pods.
    pub(super) fn push_pods(&mut self, pods: Vec<String>) {
        let pods = Value::Pods(pods.into_iter().map(Into::into).collect());
        self.fields.push((Field::Pods, Read::Other(pods)));
    }

    /// Adds a text that is no field's; gives its place.
    pub(super) fn push_text(&mut self, text: &str) -> Range<usize> {
        let from = self.texts.len();
        self.texts.push_str(text);
        from..self.texts.len()
    }

    fn read(&mut self, field: Field, text: &str) -> Option<Read> {
        match field {
            Field::Duration | Field::Waited | Field::Delay => value::duration(text).map(Value::Length).map(Read::Other),
            Field::Bytes | Field::Attempt | Field::ExitCode | Field::Count => {
                text.parse().ok().map(Value::Number).map(Read::Other)
            }
            _ => {
                let (kept, goes_on) = kept_text(text);
                Some(Read::Text(self.push_text(kept), goes_on))
            }
        }
    }

    /// A text at its place.
    pub(super) fn text(&self, place: Range<usize>) -> &str {
        self.texts.get(place).unwrap_or_default()
    }

    /// The values of some of the fields.
    pub(super) fn values(&self, fields: Range<usize>) -> impl ExactSizeIterator<Item = (Field, Value)> {
        let value = |read: &Read| match read {
            Read::Text(place, goes_on) => Value::kept(self.text(place.clone()), *goes_on),
            Read::Other(value) => value.clone(),
        };
        self.fields.get(fields).unwrap_or_default().iter().map(move |(field, read)| (*field, value(read)))
    }

    /// The values of all fields.
    pub(super) fn all(&self) -> Vec<(Field, Value)> {
        self.values(0..self.fields.len()).collect()
    }

    pub(super) fn clear(&mut self) {
        self.take_back(Mark::default());
    }

    pub(super) fn shrink(&mut self) {
        self.fields.shrink_to_fit();
        self.texts.shrink_to_fit();
    }
}

impl Mark {
    /// From this to another, as numbers of fields.
    pub(super) fn fields_to(self, end: Mark) -> Range<usize> {
        self.fields..end.fields
    }
}
