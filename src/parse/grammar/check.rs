//! What a grammar file claims of itself, checked: its examples and rejects.

use super::{Grammars, file};
use crate::model::record::{Field, Value};
use crate::parse::entry::Entry;
use crate::parse::field_buffer::FieldBuffer;
use crate::parse::value;

impl Grammars {
    /// Checks every example and reject of one file against all grammars of this run: each example is its own message
    /// and no other, and gives exactly the fields it says. Returns what is wrong, one sentence each.
    pub fn check(&self, name: &str, text: &str) -> Vec<String> {
        let file = match file::read(name, text) {
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
                    let mut fields = FieldBuffer::default();
                    if known.read(&entry, &mut fields).is_some() && !matched.contains(&known.name.as_str()) {
                        matched.push(&known.name);
                        if known.name == message.name {
                            differences(fields.all().iter(), &example.gives)
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
                let hit = self.messages.iter().any(|known| {
                    known.name == message.name && known.read(&entry, &mut FieldBuffer::default()).is_some()
                });
                if hit && reject.line.contains(&message.literal) {
                    say(format!("reject {} matches", number + 1));
                }
            }
        }
        wrong
    }
}

fn differences(fields: impl Iterator<Item = (Field, Value)>, gives: &toml::Table) -> Vec<String> {
    let (mut found, mut names) = (Vec::new(), Vec::new());
    for (field, value) in fields {
        names.push(field.name());
        let shown = match &value {
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
    found.extend(gives.keys().filter(|key| !names.contains(&key.as_str())).map(|key| format!("does not give {key}")));
    found
}
