//! Grammars: data files that say which line proves which fact, each with examples that prove the file itself.
//! The format is described in `grammars/README.md`; reading a line's dialect is `parse::entry`'s work.
//!
//! To add messages: edit or add `grammars/<name>.toml` and, for a new file, add its line in [`BUILT_IN`].

mod pattern;

use std::borrow::Cow;
use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use pattern::Pattern;
use serde::Deserialize;

use crate::model::error::{Error, ErrorKind};
use crate::model::hash::HashMap;
use crate::model::record::{Fact, Field, Value};
use crate::parse::entry::{Dialect, Entry};
use crate::parse::prefilter::{Lines, Literals};
use crate::parse::value::{self, Raw};

/// The grammars that come with podlag: file name and text. A test compares the list with the folder.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("containerd.toml", include_str!("../../../grammars/containerd.toml")),
    ("crio.toml", include_str!("../../../grammars/crio.toml")),
    ("kubelet.toml", include_str!("../../../grammars/kubelet.toml")),
];

/// Which program writes a grammar's lines; decides the dialects they may stand in.
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
    fn writes(self, dialect: Dialect) -> bool {
        (self == Component::Kubelet) == (dialect != Dialect::Logrus)
    }
}

/// A grammar file as it is written.
#[derive(Debug, Deserialize)]
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
    /// Text that stands in the raw line in every rendering.
    pub literal: String,
    /// The whole message text, or
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

/// Fields every structured line is asked for, beside those its message names.
const COMMON_FIELDS: &[(Field, &str)] = &[
    (Field::Pod, "pod"),
    (Field::Uid, "podUID"),
    (Field::Error, "err"),
    (Field::Image, "image"),
    (Field::Reason, "reason"),
];

/// A message, ready to match.
#[derive(Debug)]
pub struct Message {
    /// Its name.
    pub name: String,
    /// The file it is from.
    pub file: String,
    /// What it proves.
    pub about: String,
    /// The kubelet's `-v` that prints it.
    pub verbosity: Option<u8>,
    /// The fact it yields.
    pub fact: Fact,
    component: Component,
    text: Result<String, Pattern>,
    r#where: Vec<(String, String)>,
    inside: Vec<(String, Pattern)>,
    fields: Vec<(Field, String)>,
}

/// All grammars of a run.
#[derive(Debug)]
pub struct Grammars {
    messages: Vec<Message>,
    literals: Literals,
    words: Vec<String>,
    by_text: HashMap<String, Vec<usize>>,
    /// The literals of messages with a pattern, and which messages each stands for.
    pattern_literals: AhoCorasick,
    by_literal: Vec<Vec<usize>>,
}

impl Grammars {
    /// The built-in grammars, and the user's own files (name and text) behind them.
    ///
    /// # Errors
    /// A file that is no grammar, with its name and the reason.
    pub fn load(own: &[(String, String)]) -> Result<Self, Error> {
        let mut messages = Vec::new();
        let mut literals = Vec::new();
        let built_in = BUILT_IN.iter().map(|(name, text)| (*name, *text, true));
        for (name, text, known) in built_in.chain(own.iter().map(|(name, text)| (&**name, &**text, false))) {
            for text in read(name, text)?.messages(known)? {
                literals.push(text.1);
                messages.push(text.0);
            }
        }
        let mut by_text: HashMap<String, Vec<usize>> = HashMap::default();
        let mut pattern_literals: Vec<&str> = Vec::new();
        let mut by_literal: Vec<Vec<usize>> = Vec::new();
        for (number, message) in messages.iter().enumerate() {
            match &message.text {
                Ok(text) => by_text.entry(text.clone()).or_default().push(number),
                Err(_) => match pattern_literals.iter().position(|known| *known == literals[number]) {
                    Some(known) => by_literal[known].push(number),
                    None => {
                        pattern_literals.push(&literals[number]);
                        by_literal.push(vec![number]);
                    }
                },
            }
        }
        let search = |words: &[&str]| {
            let built = AhoCorasick::builder().match_kind(MatchKind::Standard).build(words);
            built.map_err(|error| Error::new(ErrorKind::Grammar, format!("cannot build the pattern matcher: {error}")))
        };
        let pattern_literals = search(&pattern_literals)?;
        let mut distinct: Vec<&str> = literals.iter().map(String::as_str).collect();
        distinct.sort_unstable();
        distinct.dedup();
        // A literal that contains another finds nothing that the shorter one does not find.
        let shortest: Vec<&str> = distinct
            .iter()
            .copied()
            .filter(|long| !distinct.iter().any(|short| short != long && long.contains(short)))
            .collect();
        let words = shortest.iter().map(|word| (*word).to_owned()).collect();
        let common: Vec<&str> = BUILT_IN.iter().map(|(_, text)| *text).collect();
        let literals = Literals::new(&shortest, &common)?;
        Ok(Grammars { messages, literals, words, by_text, pattern_literals, by_literal })
    }

    /// The lines of a text worth reading: those that hold a literal.
    pub fn lines<'a>(&'a self, text: &'a [u8]) -> Lines<'a> {
        self.literals.lines(text)
    }

    /// The words that search looks for.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Every message.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The message a line is, with the fields it gives. Examples prove that no line is two messages.
    pub fn recognize(&self, entry: &Entry<'_>) -> Option<(&Message, Vec<(Field, Value)>)> {
        self.candidates(&entry.text).find_map(|number| {
            let message = self.messages.get(number)?;
            Some((message, message.read(entry)?))
        })
    }

    fn candidates<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let exact = self.by_text.get(text).into_iter().flatten().copied();
        let found = self.pattern_literals.find_overlapping_iter(text);
        exact.chain(found.filter_map(|hit| self.by_literal.get(hit.pattern().as_usize())).flatten().copied())
    }

    /// Checks every example and reject of one file against all grammars of this run: each example is its own message
    /// and no other, and gives exactly the fields it says. Returns what is wrong, one sentence each.
    pub fn check(&self, name: &str, text: &str) -> Vec<String> {
        let file = match read(name, text) {
            Ok(file) => file.text,
            Err(error) => return vec![error.to_string()],
        };
        let mut wrong = Vec::new();
        for message in &file.message {
            let mut say = |what: String| wrong.push(format!("{name}: {}: {what}", message.name));
            if message.example.is_empty() {
                say("has no example".into());
            }
            for (number, example) in message.example.iter().enumerate() {
                let number = number + 1;
                if !example.line.contains(&message.literal) {
                    say(format!("example {number} does not contain the literal {:?}", message.literal));
                }
                let entry = Entry::read(&example.line);
                let mut matched: Vec<&str> = Vec::new();
                for candidate in self.candidates(&entry.text) {
                    let Some(known) = self.messages.get(candidate) else { continue };
                    if let Some(fields) = known.read(&entry)
                        && !matched.contains(&known.name.as_str())
                    {
                        matched.push(&known.name);
                        if known.name == message.name {
                            differences(&fields, &example.gives)
                                .into_iter()
                                .for_each(|d| say(format!("example {number}: {d}")));
                        }
                    }
                }
                if matched != [message.name.as_str()] {
                    say(format!("example {number} must match only this message, but matches {matched:?}"));
                }
            }
            for (number, reject) in message.reject.iter().enumerate() {
                let entry = Entry::read(&reject.line);
                let hit = self.messages.iter().any(|known| known.name == message.name && known.read(&entry).is_some());
                if hit && reject.line.contains(&message.literal) {
                    say(format!("reject {} matches", number + 1));
                }
            }
        }
        wrong
    }
}

fn differences(fields: &[(Field, Value)], gives: &toml::Table) -> Vec<String> {
    let mut found = Vec::new();
    for (field, value) in fields {
        let shown = match value {
            Value::Text(text) => toml::Value::String(text.to_string()),
            Value::Pods(pods) => pods.iter().map(|pod| toml::Value::String(pod.to_string())).collect::<Vec<_>>().into(),
            Value::Length(span) => match gives.get(field.name()).and_then(|v| v.as_str()).and_then(value::duration) {
                Some(same) if same == *span => continue,
                _ => toml::Value::Float(span.seconds()),
            },
            Value::Number(number) => toml::Value::Integer(*number),
        };
        let expected = gives.get(field.name());
        // Durations and numbers may be written as they stand in the line.
        let as_text = expected.and_then(|v| v.as_str()) == Some(&shown.to_string());
        if expected != Some(&shown) && !as_text {
            found.push(format!(
                "gives {} = {shown}, not {}",
                field.name(),
                expected.map_or("nothing".into(), ToString::to_string)
            ));
        }
    }
    let names: Vec<&str> = fields.iter().map(|(field, _)| field.name()).collect();
    found.extend(gives.keys().filter(|key| !names.contains(&key.as_str())).map(|key| format!("does not give {key}")));
    found
}

struct NamedFile {
    name: String,
    text: GrammarFile,
}

fn read(name: &str, text: &str) -> Result<NamedFile, Error> {
    let file = toml::from_str(text)
        .map_err(|error| Error::new(ErrorKind::Grammar, format!("invalid grammar {name}: {error}")))?;
    Ok(NamedFile { name: name.to_owned(), text: file })
}

impl NamedFile {
    /// `known`: the file is one of those that tests have found right.
    fn messages(self, known: bool) -> Result<Vec<(Message, String)>, Error> {
        let component = self.text.component;
        self.text.message.into_iter().map(|text| compile(&self.name, component, text, known)).collect()
    }
}

fn compile(file: &str, component: Component, text: MessageDefinition, known: bool) -> Result<(Message, String), Error> {
    let wrong = |what: String| Error::new(ErrorKind::Grammar, format!("{file}: {}: {what}", text.name));
    let pattern =
        |source: &str| if known { Ok(Pattern::known(source)) } else { Pattern::checked(source).map_err(&wrong) };
    if text.literal.is_empty() || text.literal.contains(['"', '\\', '\n']) {
        return Err(wrong("`literal` must be plain text without quotes and backslashes".into()));
    }
    let fact = Fact::from_name(&text.yields).ok_or_else(|| {
        let known: Vec<&str> = crate::model::record::FACTS.iter().map(|(_, name)| *name).collect();
        wrong(format!("unknown fact {:?}", text.yields)).help(format!("known facts: {}", known.join(", ")))
    })?;
    let matcher = match (&text.text, &text.pattern) {
        (Some(exact), None) => Ok(exact.clone()),
        (None, Some(source)) => Err(pattern(source)?),
        _ => return Err(wrong("needs either `text` or `pattern`".into())),
    };
    let inside = text.inside.iter().map(|inside| Ok((inside.key.clone(), pattern(&inside.pattern)?)));
    let fields = text.fields.iter().map(|(name, key)| {
        Ok((Field::from_name(name).ok_or_else(|| wrong(format!("unknown field {name}")))?, key.clone()))
    });
    let message = Message {
        fact,
        component,
        text: matcher,
        inside: inside.collect::<Result<_, Error>>()?,
        fields: fields.collect::<Result<_, Error>>()?,
        r#where: text.r#where.clone().into_iter().collect(),
        file: file.to_owned(),
        name: text.name.clone(),
        about: text.about.clone(),
        verbosity: text.verbosity,
    };
    Ok((message, text.literal))
}

impl Message {
    /// The fields of a line that is this message, else `None`.
    fn read(&self, entry: &Entry<'_>) -> Option<Vec<(Field, Value)>> {
        if !self.component.writes(entry.dialect) {
            return None;
        }
        let mut fields = Vec::with_capacity(4);
        match &self.text {
            Ok(text) if *text == entry.text => {}
            Ok(_) => return None,
            Err(pattern) => pattern.read(&entry.text, &mut fields)?,
        }
        for (key, expected) in &self.r#where {
            if entry.key(key)?.text()? != expected.as_str() {
                return None;
            }
        }
        for (key, pattern) in &self.inside {
            pattern.read(&entry.key(key)?.text()?, &mut fields)?;
        }
        let common = COMMON_FIELDS.iter().map(|(field, key)| (*field, *key));
        let mut within = Within::default();
        for (field, path) in self.fields.iter().map(|(field, key)| (*field, key.as_str())).chain(common) {
            if fields.iter().any(|(known, _)| *known == field) {
                continue;
            }
            if let Some(value) = value_at(entry, field, path, &mut within) {
                fields.push((field, value));
            }
        }
        Some(fields)
    }
}

/// The members of the structured value last reached into: messages that reach into one take several of them.
#[derive(Default)]
struct Within<'m, 'a> {
    key: &'m str,
    members: Option<Vec<(Cow<'a, str>, Raw<'a>)>>,
}

impl<'m, 'a> Within<'m, 'a> {
    fn member(&mut self, entry: &Entry<'a>, key: &'m str, member: &str) -> Option<Cow<'a, str>> {
        if self.key != key {
            *self = Within { key, members: entry.key(key)?.members() };
        }
        self.members.as_ref()?.iter().rev().find(|(name, _)| name == member)?.1.text()
    }
}

fn value_at<'m, 'a>(entry: &Entry<'a>, field: Field, path: &'m str, within: &mut Within<'m, 'a>) -> Option<Value> {
    if let Some(raw) = entry.key(path) {
        return match field {
            Field::Pods => raw.pods().map(|pods| Value::Pods(pods.into_iter().map(Into::into).collect())),
            Field::Pod => raw.pod().filter(|pod| !pod.is_empty()).map(|pod| Value::text(&pod)),
            _ => read_field(field, &raw.text()?),
        };
    }
    let (key, member) = path.split_once('.')?;
    read_field(field, &within.member(entry, key, member)?)
}

/// A field's text as its type; `None` if the text is no such value (a truncated number is no number).
fn read_field(field: Field, text: &str) -> Option<Value> {
    match field {
        Field::Duration | Field::Waited | Field::Delay => value::duration(text).map(Value::Length),
        Field::Bytes | Field::Attempt | Field::ExitCode | Field::Count => text.parse().ok().map(Value::Number),
        _ => Some(Value::text(text)),
    }
}
