//! Grammar files as they are written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::message::{self, Message};
use crate::model::error::{Error, ErrorKind};
use crate::parse::entry::Dialect;

/// Which program writes a grammar's lines; decides their dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// The kubelet: klog text, JSON logging; journald's own remarks as plain text.
    Kubelet,
    /// containerd: logrus.
    Containerd,
    /// CRI-O: logrus.
    Crio,
}

impl Component {
    pub(super) fn writes(self, dialect: Dialect) -> bool {
        (self == Component::Kubelet) == (dialect != Dialect::Logrus)
    }
}

/// A grammar file as it is written.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "the head is for people: it must be there, and nothing is computed from it")]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GrammarFile {
    /// A short title.
    pub title: String,
    /// What the file covers.
    pub description: String,
    /// Where the lines are defined upstream.
    pub defined_in: String,
    /// Versions in which they were seen.
    pub versions: String,
    /// Which program writes them.
    pub component: Component,
    /// The messages.
    pub message: Vec<MessageDefinition>,
}

/// One message as it is written.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "the versions are for people")]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MessageDefinition {
    /// Its name, unique over all grammars.
    pub name: String,
    /// What it proves, and its traps.
    pub about: String,
    /// The kubelet's `-v` that prints it.
    pub verbosity: Option<u8>,
    /// Versions, where they differ from the file's.
    pub versions: Option<String>,
    /// Text that the raw line contains in every rendering.
    pub literal: String,
    /// The complete message text, or
    pub text: Option<String>,
    /// a pattern over it; named groups are fields.
    pub pattern: Option<String>,
    /// Keys that must have these values.
    #[serde(default)]
    pub r#where: BTreeMap<String, String>,
    /// Patterns over the values of keys; named groups are fields.
    #[serde(default)]
    pub inside: Vec<Inside>,
    /// Fields from keys; a dot reaches into a structured value.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// The fact.
    pub yields: String,
    /// Lines that it must match.
    #[serde(default)]
    pub example: Vec<Example>,
    /// Lines that it must not match.
    #[serde(default)]
    pub reject: Vec<Reject>,
}

/// A pattern over one key's value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inside {
    /// The key.
    pub key: String,
    /// The pattern over its text.
    pub pattern: String,
}

/// A line that proves a message, with every field it gives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The line without frame.
    pub line: String,
    /// Its fields.
    #[serde(default)]
    pub gives: toml::Table,
}

/// A line that a message must not match.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// The line without frame.
    pub line: String,
}

/// A file with its name.
pub(super) struct NamedFile {
    name: String,
    pub(super) text: GrammarFile,
}

pub(super) fn read(name: &str, text: &str) -> Result<NamedFile, Error> {
    let file = toml::from_str(text)
        .map_err(|error| Error::new(ErrorKind::Grammar, format!("invalid grammar {name}: {error}")))?;
    Ok(NamedFile { name: name.to_owned(), text: file })
}

/// A grammar without its examples and rejects, which are three quarters of it: they prove a grammar, and those that come with podlag
/// are proved by tests. What is left has the same messages.
pub(super) fn without_examples(text: &str) -> String {
    let mut left = String::with_capacity(text.len() / 2);
    let mut is_example = false;
    for line in text.split_inclusive('\n') {
        if line.starts_with("[[") {
            is_example = line.starts_with("[[message.");
        }
        if !is_example {
            left.push_str(line);
        }
    }
    left
}

impl NamedFile {
    /// `trusted`: the file is one of those that tests have found right.
    pub(super) fn messages(self, trusted: bool) -> Result<Vec<(Message, String)>, Error> {
        let component = self.text.component;
        self.text.message.into_iter().map(|text| message::compile(&self.name, component, text, trusted)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::BUILT_IN;
    use super::*;

    #[test]
    fn examples_are_left_out_and_messages_are_not() {
        for (name, text) in BUILT_IN {
            let mut whole = read(name, text).unwrap().text;
            assert!(whole.message.iter().all(|message| !message.example.is_empty()), "{name}");
            for message in &mut whole.message {
                message.example.clear();
                message.reject.clear();
            }
            let left = read(name, &without_examples(text)).unwrap().text;
            assert_eq!(format!("{left:?}"), format!("{whole:?}"), "{name}");
        }
    }
}
