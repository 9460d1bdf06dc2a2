//! The names of groups: by one key a column's own words, by several a text that holds them all.

use std::fmt::Write;

use polars_core::prelude::*;

use super::batch::Batch;
use super::groups::{Items, Key};
use super::held_rows::BEGAN;
use crate::model::error::Error;
use crate::model::time::{SECOND, Time};

/// Nanoseconds of an hour.
const HOUR: i64 = 3600 * SECOND;

/// The names of the groups that the rows of a batch, or the items within them, belong to.
pub(super) struct Names<'a> {
    keys: Vec<Name<'a>>,
    text: String,
}

/// The names by one key.
enum Name<'a> {
    Pods {
        namespaces: &'a StringChunked,
        pods: &'a StringChunked,
    },
    Hours(Int64Chunked),
    Column(&'a StringChunked),
    /// Of a table within the rows.
    Items(&'a StringChunked),
    Phases,
}

impl<'a> Names<'a> {
    /// The columns that names by these keys are made of, but for tables within the rows.
    pub(super) fn columns(keys: &[Key]) -> Vec<&'static str> {
        let mut columns = Vec::new();
        for key in keys {
            let more = match key {
                Key::Pod => vec!["namespace", "pod"],
                Key::Hour => vec![BEGAN],
                key if key.items() == Items::Startups => vec![key.name()],
                _ => Vec::new(),
            };
            columns.extend(more.into_iter().filter(|name| !columns.contains(name)).collect::<Vec<_>>());
        }
        columns
    }

    /// Of a batch and the items within it.
    pub(super) fn of(batch: &'a Batch, items: &'a Batch, keys: &[Key]) -> Result<Self, Error> {
        let name = |key: &Key| {
            Ok(match key {
                Key::Pod => Name::Pods { namespaces: batch.text("namespace")?, pods: batch.text("pod")? },
                Key::Hour => Name::Hours(batch.integers(BEGAN)?),
                Key::Phase => Name::Phases,
                key if key.items() == Items::Startups => Name::Column(batch.text(key.name())?),
                key => Name::Items(items.text(key.name())?),
            })
        };
        Ok(Names { keys: keys.iter().map(name).collect::<Result<_, Error>>()?, text: String::new() })
    }

    /// The name of the group of a row's item; none where its only key has no name for it.
    pub(super) fn get(&mut self, row: usize, item: usize, phase: &str) -> Option<&str> {
        self.text.clear();
        if let [name] = self.keys.as_slice() {
            return match name {
                Name::Column(names) => names.get(row),
                Name::Items(names) => names.get(item),
                name => name.push(row, item, phase, &mut self.text).map(|()| self.text.as_str()),
            };
        }
        let mut one = String::new();
        for name in &self.keys {
            one.clear();
            // The length before each word tells where it ends, whatever is in it.
            let _ = match name.push(row, item, phase, &mut one) {
                Some(()) => write!(self.text, "{}:{one}", one.len()),
                None => write!(self.text, "-"),
            };
        }
        Some(&self.text)
    }
}

impl Name<'_> {
    fn push(&self, row: usize, item: usize, phase: &str, text: &mut String) -> Option<()> {
        match self {
            Name::Pods { namespaces, pods } => {
                text.push_str(namespaces.get(row)?);
                text.push('/');
                text.push_str(pods.get(row)?);
            }
            Name::Hours(began) => text.push_str(&hour(began.get(row)?)),
            Name::Column(names) => text.push_str(names.get(row)?),
            Name::Items(names) => text.push_str(names.get(item)?),
            Name::Phases => text.push_str(phase),
        }
        Some(())
    }
}

/// An instant as the hour it lies in: `2026-11-23T18:00Z`.
fn hour(nanos: i64) -> String {
    let mut text = Time(nanos.div_euclid(HOUR).saturating_mul(HOUR)).to_string();
    text.truncate(16);
    text + "Z"
}

/// The names that [`Names::get`] made one text of, by so many keys.
pub(super) fn split(name: Option<Box<str>>, keys: usize) -> Vec<Option<String>> {
    if keys == 1 {
        return vec![name.map(String::from)];
    }
    let mut rest = name.as_deref().unwrap_or_default();
    let mut names = Vec::with_capacity(keys);
    for _ in 0..keys {
        let word = rest.split_once(':').and_then(|(length, words)| words.split_at_checked(length.parse().ok()?));
        match word {
            Some((word, after)) if !rest.starts_with('-') => {
                names.push(Some(word.to_owned()));
                rest = after;
            }
            _ => {
                names.push(None);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_as_they_were_put_together() {
        let some = |words: &str| Some(words.to_owned());
        assert_eq!(split(Some("3:a:b-4:-1:c".into()), 3), [some("a:b"), None, some("-1:c")]);
        assert_eq!(split(Some("0:2:ä".into()), 2), [some(""), some("ä")]);
        assert_eq!(split(Some("plain".into()), 1), [some("plain")]);
        assert_eq!(split(None, 1), [None]);
    }
}
