//! What one line says in addition to its fact. A log has millions of lines, so it is held in one piece of memory: the line as it is
//! shown, and behind it what its fields say in other words; of most fields the text is a part of the line.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::model::record::{Field, Value};
use crate::model::time::Nanos;

/// The line, and every name and figure it gives, in its order.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    text: Box<str>,
    /// How much of the text is the line.
    line: u32,
    entries: SmallVec<[Entry; INLINE]>,
}

/// Most lines have as many fields, or less.
const INLINE: usize = 5;

/// A field, and its value or where its text lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    field: Field,
    kind: Kind,
    value: [u32; 2],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    /// A list of so many pods, which follow as texts of their own.
    List,
    ListedPod,
    Length,
    Number,
}

impl Entry {
    /// A field whose text lies here.
    pub(crate) fn text(field: Field, place: Range<usize>) -> Self {
        Entry { field, kind: Kind::Text, value: halves(place) }
    }

    /// A list of so many pods.
    pub(crate) fn list(field: Field, count: usize) -> Self {
        Entry { field, kind: Kind::List, value: [u32::try_from(count).unwrap_or(u32::MAX), 0] }
    }

    /// One of them.
    pub(crate) fn listed(field: Field, place: Range<usize>) -> Self {
        Entry { field, kind: Kind::ListedPod, value: halves(place) }
    }

    /// A length of time.
    pub(crate) fn length(field: Field, length: Nanos) -> Self {
        Entry { field, kind: Kind::Length, value: [(length.0 >> 32) as u32, length.0 as u32] }
    }

    /// A number.
    pub(crate) fn number(field: Field, number: i64) -> Self {
        Entry { kind: Kind::Number, ..Entry::length(field, Nanos(number)) }
    }

    /// Which field it is.
    pub(crate) fn field(self) -> Field {
        self.field
    }

    fn whole(self) -> i64 {
        let [high, low] = self.value;
        (i64::from(high) << 32) | i64::from(low)
    }

    /// Its text, within that of its line.
    fn within(self, text: &str) -> &str {
        let [from, to] = self.value;
        text.get(from as usize..to as usize).unwrap_or_default()
    }
}

/// Texts of a line are some hundred KiB at most: what a field keeps has a bound.
fn halves(range: Range<usize>) -> [u32; 2] {
    [range.start, range.end].map(|place| u32::try_from(place).unwrap_or(u32::MAX))
}

impl Fields {
    /// Of a line, and these fields.
    pub(crate) fn of(line: &str, fields: impl IntoIterator<Item = (Field, Value)>) -> Self {
        let (mut text, mut entries) = (String::from(line), SmallVec::new());
        let mut add = |added: &str| {
            let from = text.len();
            text.push_str(added);
            from..text.len()
        };
        for (field, value) in fields {
            match value {
                Value::Text(value) => entries.push(Entry::text(field, add(&value))),
                Value::Length(length) => entries.push(Entry::length(field, length)),
                Value::Number(number) => entries.push(Entry::number(field, number)),
                Value::Pods(pods) => {
                    entries.push(Entry::list(field, pods.len()));
                    entries.extend(pods.iter().map(|pod| Entry::listed(field, add(pod))));
                }
            }
        }
        Fields { line: u32::try_from(line.len()).unwrap_or(u32::MAX), text: text.into(), entries }
    }

    /// Of a text that begins with the line, and entries that say where in it fields lie.
    pub(crate) fn within(text: &str, line: usize, entries: &[Entry]) -> Self {
        Fields {
            text: text.into(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            entries: SmallVec::from_slice(entries),
        }
    }

    /// The line as its program wrote it, shortened: evidence to show. Empty where it is never shown.
    pub fn line(&self) -> &str {
        self.text.get(..self.line as usize).unwrap_or_default()
    }

    /// A field's text.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.find(field, Kind::Text).map(|entry| entry.within(&self.text))
    }

    /// A field's length of time.
    pub fn length(&self, field: Field) -> Option<Nanos> {
        self.find(field, Kind::Length).map(|entry| Nanos(entry.whole()))
    }

    /// A field's number.
    pub fn number(&self, field: Field) -> Option<i64> {
        self.find(field, Kind::Number).map(|entry| entry.whole())
    }

    fn find(&self, field: Field, kind: Kind) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.field == field && entry.kind == kind).copied()
    }

    /// Takes the first list of pods out of them, and drops all others.
    pub fn take_pods(&mut self) -> Box<[Box<str>]> {
        let lists = |(_, value)| if let Value::Pods(pods) = value { Some(pods) } else { None };
        let Some(first) = self.iter().find_map(lists) else { return Box::default() };
        self.entries.retain(|entry| !matches!(entry.kind, Kind::List | Kind::ListedPod));
        if self.text.len() > self.line as usize {
            // Names that are no part of the line may be many.
            *self = Fields::of(self.line(), self.iter());
        }
        first
    }

    /// Each field, with its value.
    pub fn iter(&self) -> impl Iterator<Item = (Field, Value)> {
        let values = |(at, entry): (usize, &Entry)| {
            let value = match entry.kind {
                Kind::Text => Value::Text(entry.within(&self.text).into()),
                Kind::Length => Value::Length(Nanos(entry.whole())),
                Kind::Number => Value::Number(entry.whole()),
                Kind::List => {
                    let [count, _] = entry.value;
                    let pods = self.entries.iter().skip(at + 1).take(count as usize);
                    Value::Pods(pods.map(|pod| pod.within(&self.text).into()).collect())
                }
                Kind::ListedPod => return None,
            };
            Some((entry.field, value))
        };
        self.entries.iter().enumerate().filter_map(values)
    }

    /// How much memory it has of its own, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let beyond = if self.entries.spilled() { self.entries.capacity() * size_of::<Entry>() } else { 0 };
        self.text.len() + beyond
    }

    /// How many there are, and of a list each pod.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Where in memory a text lies does not count.
impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.line() == other.line() && self.iter().eq(other.iter())
    }
}

impl Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.line(), self.iter().collect::<Vec<_>>()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (line, fields) = <(Box<str>, Vec<(Field, Value)>)>::deserialize(deserializer)?;
        Ok(Fields::of(&line, fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_as_they_were_given() {
        let given = [
            (Field::Pod, Value::Text("shop/web".into())),
            (Field::Pods, Value::Pods(["a/b".into(), "c/d".into()].into())),
            (Field::Delay, Value::Length(Nanos(-5))),
            (Field::Count, Value::Number(i64::MAX)),
            (Field::Error, Value::Text("é…".into())),
        ];
        let mut fields = Fields::of("a line", given.clone());
        assert_eq!(fields.iter().collect::<Vec<_>>(), given);
        assert_eq!(
            (fields.line(), fields.text(Field::Error), fields.number(Field::Count)),
            ("a line", Some("é…"), Some(i64::MAX))
        );
        assert_eq!((fields.length(Field::Delay), fields.text(Field::Delay)), (Some(Nanos(-5)), None));
        let json = serde_json::to_string(&fields).unwrap();
        assert_eq!(serde_json::from_str::<Fields>(&json).unwrap(), fields);
        assert_eq!(fields.take_pods(), ["a/b".into(), "c/d".into()].into());
        assert_eq!((fields.len(), fields.text(Field::Pod), fields.line()), (4, Some("shop/web"), "a line"));
        assert_eq!(fields.take_pods(), [].into());
    }

    #[test]
    fn texts_of_fields_may_be_parts_of_the_line() {
        let line = "pod=shop/web and more";
        let fields = Fields::within(line, line.len(), &[Entry::text(Field::Pod, 4..12)]);
        assert_eq!(fields, Fields::of(line, [(Field::Pod, Value::Text("shop/web".into()))]));
        assert_eq!(Fields::within(line, 0, &[]).line(), "");
    }
}
