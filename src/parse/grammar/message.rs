//! One message: which lines it is, and the fields it gives.

use std::borrow::Cow;

use super::file::{Component, MessageDefinition};
use super::pattern::Pattern;
use crate::model::error::{Error, ErrorKind};
use crate::model::record::{Fact, Field};
use crate::parse::entry::Entry;
use crate::parse::field_buffer::{FieldBuffer, Mark};
use crate::parse::value::Raw;

/// Fields read from every structured line, in addition to those its message names.
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
    pub(super) text: Result<String, Pattern>,
    r#where: Vec<(String, String)>,
    inside: Vec<(String, Pattern)>,
    /// Its own, and those of every line.
    fields: Vec<FieldSource>,
}

/// Where a field is in a line.
#[derive(Debug)]
struct FieldSource {
    field: Field,
    /// The key that holds it, or
    key: String,
    /// the key and its member that do, where the first has a dot.
    within: Option<(String, String)>,
}

impl FieldSource {
    fn new(field: Field, path: &str) -> Self {
        let within = path.split_once('.').map(|(key, member)| (key.to_owned(), member.to_owned()));
        FieldSource { field, key: path.to_owned(), within }
    }
}

/// A message with its literal. `trusted`: tests have found its file right, so its patterns are compiled when they are needed.
pub(super) fn compile(
    file: &str,
    component: Component,
    text: MessageDefinition,
    trusted: bool,
) -> Result<(Message, String), Error> {
    let wrong = |what: String| Error::new(ErrorKind::Grammar, format!("{file}: {}: {what}", text.name));
    let pattern =
        |source: &str| if trusted { Ok(Pattern::trusted(source)) } else { Pattern::checked(source).map_err(&wrong) };
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
        let field = Field::from_name(name).ok_or_else(|| wrong(format!("unknown field {name}")))?;
        Ok(FieldSource::new(field, key))
    });
    let common = COMMON_FIELDS.iter().map(|(field, key)| Ok(FieldSource::new(*field, key)));
    let message = Message {
        fact,
        component,
        text: matcher,
        inside: inside.collect::<Result<_, Error>>()?,
        fields: fields.chain(common).collect::<Result<_, Error>>()?,
        r#where: text.r#where.clone().into_iter().collect(),
        file: file.to_owned(),
        name: text.name.clone(),
        about: text.about.clone(),
        verbosity: text.verbosity,
    };
    Ok((message, text.literal))
}

impl Message {
    /// Adds the fields of a line that is this message, else gives `None`.
    pub(super) fn read(&self, entry: &Entry<'_>, fields: &mut FieldBuffer) -> Option<()> {
        let since = fields.mark();
        let read = self.read_since(since, entry, fields);
        if read.is_none() {
            fields.take_back(since);
        }
        read
    }

    fn read_since(&self, since: Mark, entry: &Entry<'_>, fields: &mut FieldBuffer) -> Option<()> {
        if !self.component.writes(entry.dialect) {
            return None;
        }
        match &self.text {
            Ok(text) if *text == entry.text => {}
            Ok(_) => return None,
            Err(pattern) => pattern.read(&entry.text, fields)?,
        }
        for (key, expected) in &self.r#where {
            if entry.key(key)?.text()? != expected.as_str() {
                return None;
            }
        }
        for (key, pattern) in &self.inside {
            pattern.read(&entry.key(key)?.text()?, fields)?;
        }
        if entry.keys.is_empty() {
            return Some(());
        }
        let mut within = Within::default();
        for source in &self.fields {
            if !fields.has(source.field, since) {
                source.read(entry, &mut within, fields);
            }
        }
        Some(())
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

impl FieldSource {
    /// Adds the field, if the line has it.
    fn read<'m, 'a>(&'m self, entry: &Entry<'a>, within: &mut Within<'m, 'a>, fields: &mut FieldBuffer) -> Option<()> {
        let Some(raw) = entry.key(&self.key) else {
            let (key, member) = self.within.as_ref()?;
            fields.push(self.field, &within.member(entry, key, member)?);
            return Some(());
        };
        match self.field {
            Field::Pods => fields.push_pods(&raw.pods()?),
            Field::Pod => fields.push(self.field, &raw.pod().filter(|pod| !pod.is_empty())?),
            _ => fields.push(self.field, &raw.text()?),
        }
        Some(())
    }
}
