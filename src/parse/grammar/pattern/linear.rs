//! Patterns that are plain texts, runs of characters, choices and optional parts, one after the other, where the next byte always
//! decides what comes: most of what messages need. They are read as the expression says, in one pass without
//! its engine.

mod expression;

use memchr::{memchr, memchr2};

use crate::model::record::Field;
use crate::parse::field_buffer::FieldBuffer;

/// The parts of such a pattern, from the beginning of the text.
#[derive(Debug)]
pub(super) struct Linear(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(String),
    /// As many bytes of a class as there are; what they are is a field's value.
    Run {
        class: Class,
        at_least: usize,
        field: Option<Field>,
    },
    /// What stands between quotes, with escapes, up to the first quote that is not one.
    Escaped(Option<Field>),
    /// One of these texts; none begins as another does.
    OneOf(Vec<String>, Option<Field>),
    /// One letter of a class of ASCII.
    Letter(Class),
    /// Parts whose text is a field's value.
    Named(Field, Vec<Part>),
    /// Parts of one of several kinds, by what they begin with.
    Choice(Vec<(First, Vec<Part>)>),
    /// Parts that may be left out.
    Optional(First, Vec<Part>),
    /// The end of the text.
    End,
}

/// The bytes that something can begin with, and whether it can be empty.
#[derive(Clone, Debug)]
struct First {
    bytes: Box<[bool; 256]>,
    is_empty: bool,
}

impl First {
    fn nothing() -> Self {
        First { bytes: Box::new([false; 256]), is_empty: true }
    }

    /// Of parts behind which nothing stands.
    fn of(parts: &[Part]) -> Self {
        parts.iter().rev().fold(First::nothing(), First::before)
    }

    fn add(&mut self, other: &First) {
        self.bytes.iter_mut().zip(other.bytes.iter()).for_each(|(mine, other)| *mine |= *other);
    }

    fn overlaps(&self, other: &First) -> bool {
        self.bytes.iter().zip(other.bytes.iter()).any(|(mine, other)| *mine && *other)
    }

    /// Of a part with this behind it.
    fn before(mut self, part: &Part) -> Self {
        match part {
            Part::End => First { is_empty: false, ..First::nothing() },
            Part::Text(text) => {
                let mut first = First { is_empty: false, ..First::nothing() };
                text.bytes().take(1).for_each(|byte| first.bytes[usize::from(byte)] = true);
                first
            }
            Part::Run { class, at_least, .. } => {
                let rest = if *at_least == 0 { self } else { First { is_empty: false, ..First::nothing() } };
                let mut first = rest;
                for byte in 0..=u8::MAX {
                    first.bytes[usize::from(byte)] |= class.has(byte);
                }
                first
            }
            Part::Escaped(_) => {
                self.bytes.iter_mut().enumerate().for_each(|(byte, is_first)| *is_first |= byte != usize::from(b'"'));
                self
            }
            Part::OneOf(texts, _) => {
                let mut first = First { is_empty: false, ..First::nothing() };
                texts
                    .iter()
                    .flat_map(|text| text.bytes().next())
                    .for_each(|byte| first.bytes[usize::from(byte)] = true);
                first
            }
            Part::Letter(class) => {
                let mut first = First { is_empty: false, ..First::nothing() };
                (0..=u8::MAX).for_each(|byte| first.bytes[usize::from(byte)] = class.has(byte));
                first
            }
            Part::Named(_, parts) => parts.iter().rev().fold(self, First::before),
            Part::Choice(ways) => {
                let mut any = First { is_empty: false, ..First::nothing() };
                ways.iter().for_each(|(first, _)| any.add(first));
                any
            }
            Part::Optional(first, _) => {
                self.add(first);
                self
            }
        }
    }
}

/// What parts can begin with where the next byte always decides: no run can take what follows it, and what is optional begins as
/// nothing does that may follow. `None` where it does not decide.
fn decided(parts: &[Part], behind: First) -> Option<First> {
    let mut follows = behind;
    for part in parts.iter().rev() {
        let takes_more = match part {
            Part::Run { class, .. } => (0..=u8::MAX).any(|byte| class.has(byte) && follows.bytes[usize::from(byte)]),
            // Where nothing need follow, an optional part that fails is left out, whatever it begins with.
            Part::Optional(first, inside) => {
                follows.is_empty || first.overlaps(&follows) || decided(inside, follows.clone()).is_none()
            }
            Part::Escaped(_) => {
                follows.is_empty || (0..=u8::MAX).any(|byte| byte != b'"' && follows.bytes[usize::from(byte)])
            }
            Part::Named(_, inside) => decided(inside, follows.clone()).is_none(),
            Part::Choice(ways) => ways.iter().any(|(_, inside)| decided(inside, follows.clone()).is_none()),
            Part::Text(_) | Part::OneOf(..) | Part::Letter(_) | Part::End => false,
        };
        if takes_more {
            return None;
        }
        follows = follows.before(part);
    }
    Some(follows)
}

/// Which bytes belong to a class. Bytes of a character beyond ASCII are in all or none: a run ends at a character's end.
#[derive(Debug)]
enum Class {
    /// All but this one.
    Not(u8),
    /// Those that are set.
    Of(Box<[bool; 256]>),
}

impl Class {
    fn has(&self, byte: u8) -> bool {
        match self {
            Class::Not(other) => byte != *other,
            Class::Of(set) => set[usize::from(byte)],
        }
    }

    fn run(&self, text: &str) -> usize {
        let end = match self {
            Class::Not(byte) => memchr(*byte, text.as_bytes()),
            Class::Of(set) => text.bytes().position(|byte| !set[usize::from(byte)]),
        };
        end.unwrap_or(text.len())
    }
}

impl Linear {
    /// The parts of an expression; `None` if it is no such pattern.
    pub(super) fn of(source: &str) -> Option<Self> {
        let parts = expression::whole(source.strip_prefix('^')?)?;
        let ends_last = !parts.iter().rev().skip(1).any(|part| matches!(part, Part::End));
        // Behind the last part nothing need follow: if it may be left out and what is there is something else, it is.
        let (front, last) = match parts.split_last() {
            Some((Part::Optional(first, inside), front)) => {
                decided(inside, First::nothing())?;
                let mut first = first.clone();
                first.is_empty = true;
                (front, first)
            }
            _ => (&*parts, First::nothing()),
        };
        (ends_last && decided(front, last).is_some()).then_some(Linear(parts))
    }

    /// The plain text with which every text begins that matches; empty where there is none.
    pub(super) fn prefix(&self) -> &str {
        if let Some(Part::Text(text)) = self.0.first() { text } else { "" }
    }

    /// Adds the fields of a text that matches, else gives `None`.
    pub(super) fn read(&self, text: &str, fields: &mut FieldBuffer) -> Option<()> {
        let since = fields.mark();
        let (front, last) = match self.0.split_last() {
            Some((Part::Optional(_, inside), front)) => (front, Some(inside)),
            _ => (&*self.0, None),
        };
        let Some(rest) = read(front, text, fields) else {
            fields.take_back(since);
            return None;
        };
        let since = fields.mark();
        if last.is_some_and(|last| read(last, rest, fields).is_none()) {
            fields.take_back(since);
        }
        Some(())
    }
}

/// Adds the fields of parts that a text begins with; gives what follows them.
fn read<'a>(parts: &[Part], text: &'a str, fields: &mut FieldBuffer) -> Option<&'a str> {
    let mut rest = text;
    for part in parts {
        rest = match part {
            Part::Text(text) => rest.strip_prefix(text.as_str())?,
            Part::End => rest.is_empty().then_some(rest)?,
            Part::Run { class, at_least, field } => {
                let (run, left) = rest.split_at_checked(class.run(rest))?;
                if let Some(field) = field {
                    fields.push(*field, run);
                }
                (run.len() >= *at_least).then_some(left)?
            }
            Part::Escaped(field) => {
                let (inside, left) = rest.split_at_checked(escaped(rest))?;
                if let Some(field) = field {
                    fields.push(*field, inside);
                }
                left
            }
            Part::OneOf(texts, field) => {
                let text = texts.iter().find(|text| rest.starts_with(text.as_str()))?;
                if let Some(field) = field {
                    fields.push(*field, text);
                }
                rest.get(text.len()..)?
            }
            Part::Letter(class) => {
                let byte = *rest.as_bytes().first()?;
                class.has(byte).then(|| rest.get(1..)).flatten()?
            }
            Part::Named(field, inside) => {
                let since = fields.mark();
                let left = read(inside, rest, fields)?;
                fields.insert(since, *field, rest.get(..rest.len() - left.len())?);
                left
            }
            Part::Choice(ways) => {
                let byte = usize::from(*rest.as_bytes().first()?);
                let (_, inside) = ways.iter().find(|(first, _)| first.bytes[byte])?;
                read(inside, rest, fields)?
            }
            Part::Optional(first, inside) => match rest.as_bytes().first() {
                Some(byte) if first.bytes[usize::from(*byte)] => read(inside, rest, fields)?,
                _ => rest,
            },
        };
    }
    Some(rest)
}

/// How much of a text is before the first quote that is not escaped, or before a backslash that escapes nothing.
fn escaped(text: &str) -> usize {
    let mut end = 0;
    while let Some(found) = text.as_bytes().get(end..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        end += found;
        let escapes = text.as_bytes().get(end) == Some(&b'\\');
        match text.get(end + 1..).and_then(|rest| rest.chars().next()) {
            Some(letter) if escapes && letter != '\n' => end += 1 + letter.len_utf8(),
            _ => return end,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Compiled;
    use super::*;
    use crate::model::record::Value;

    /// What the parts read, and what the engine reads.
    fn both(source: &str, text: &str) -> [Option<Vec<(Field, Value)>>; 2] {
        let mut fields = FieldBuffer::default();
        let parts = Linear::of(source)
            .unwrap_or_else(|| panic!("{source}"))
            .read(text, &mut fields)
            .map(|()| fields.all().iter().collect());
        let mut fields = FieldBuffer::default();
        [parts, Compiled::of(source).unwrap().read(text, &mut fields).map(|()| fields.all().iter().collect())]
    }

    #[test]
    fn only_patterns_without_choice_are_linear() {
        for source in [
            r#"^a "(?P<pod>[^"]+)"$"#,
            r"^a\.b (?P<error>.*)",
            "^x[0-9a-f]*$",
            "^a +b",
            "^é",
            "^a[0-9]+ +b",
            "^a(?: +b:(?P<attempt>[0-9]+))?$",
            "^a (?: *b:(?P<attempt>[0-9]+) )?c",
            "^a*(?:b)?c",
            r#"^a="(?P<value>(?:[^"\\]|\\.)*)"$"#,
            r"^a (?P<type>b|cd) e",
            r"^a (?:- b\.|bc)(?P<error>.*)",
            r"^a(?: (?:b|c))?d",
            "^(?:a)",
            "^(?:a|b)?c",
            "^a?",
            "^a(?:b)?",
            "^(?P<pod>a)",
            r"^\[?a",
            r"^a[^\] ,]*",
            "^a[A-RT-Z]b",
            r#"^(?:S" for "(?P<container>[^"]+)"|[A-RT-Z][a-z]*" for "[^"]*") with"#,
            "^(?P<value>[^/]+/[^/ ]+) b",
            r"^(?P<type>(?:M(?:ount|ap)|N)V\.[A-Za-z]+|V(?:o|e))(?: [^ ]*)?$",
            "^(?:a(?:b)?)?$",
            "^b(?: ?: (?P<error>.*))?",
        ] {
            assert!(Linear::of(source).is_some(), "{source}");
        }
        for source in [
            "a",
            "^(a|b)",
            r"^\S+",
            "^[a-z]+b",
            "^.*b",
            "^[^a]+[^b]+",
            "^a+?b",
            "^[^\\s]+ ",
            "^a{2}",
            r#"^(?P<value>(?:[^"\\]|\\.)*)a"#,
            r#"^(?P<value>(?:[^"\\]|\\.)*)"#,
            "^(a|b)",
            "^(?:a|ab)c",
            "^(?:a|)c",
            "^(?:a|b)*c",
            "^b*(?:a|b)c",
            "^a(?:b)?b",
            "^a*(?:ab)?c",
            "^(?:a*)?b",
            "^(?:a+)?a$",
            "^(?:a)??b",
            "^(?:a$)?b$",
            "^a[0-9]+[0-9a-f]+",
            "^$a",
            "^[^]]+]",
            "^(?P<colour>[^a]+)",
            "^(?:a|b|)c",
            "^(?:a+|b)a",
            "^(?P<pod>a+)a",
            "^(?:ab|a[c])d",
            "^[^a]b",
            "^a??b",
            "^[a&&b]c",
            "^[a--b]c",
            "^((a|b))",
            "^(?:(?:(?:(?:(?:(?:a|b)c|d)e|f)g|h)i|j)k|l)m",
            "^(?P<pod>a)?b",
            "^é+",
        ] {
            assert!(Linear::of(source).is_none(), "{source}");
        }
    }

    /// Patterns of each kind of part.
    const PATTERNS: [&str; 20] = [
        r#"^Pull "(?P<image>[^"]+)" in (?P<duration>[^ ]+)$"#,
        r#"^Pull "(?P<image>[^"]*)""#,
        r"^Pull(?P<error>.*)",
        r"^Pull(?P<error>.*)$",
        r#"^Pull "[a-f0-9]+" +in (?P<count>[0-9]+)"#,
        r"^(?P<namespace>[^/]+)/(?P<name>[^/]+)/POD$",
        r"^Pull\(\)",
        r#"^Pull "(?P<image>[^"]*)"(?: +in (?P<attempt>[0-9]+))?$"#,
        r#"^Pull "(?P<image>[^"]*)" (?: *in:(?P<attempt>[0-9]+) )?12(?P<error>.*)"#,
        r#"^Pull "(?P<value>(?:[^"\\]|\\.)*)"$"#,
        r#"^Pull "(?P<value>(?:[^"\\]|\\.)*)" in"#,
        r"^Pull(?P<type> in |12|é|\(\))(?P<error>.*)",
        r"^Pull(?: ?: (?P<error>.*))?",
        r"^\(?(?:\))?Pull(?: in (?P<attempt>[0-9]+))?",
        r#"^Pull (?:"(?P<image>[^"]+)"|in [0-9a-f]*s) ?(?P<error>[^ ]+)"#,
        r"^(?P<value>[^/ ]+/(?P<name>[^/ ]*)) in",
        r#"^Pull(?P<type> (?:in|")|(?:1[0-9]|3[s])/?)(?: [^/]*)?$"#,
        r#"^Pull[ /](?:"|in)(?P<pod>[^\]" ]*)"#,
        r"^(?:(?:Pull )?in (?P<duration>[^ ]+))?",
        r"^Pull[^\\/]*(?P<error>\\|/)",
    ];

    proptest! {
        #[test]
        fn any_text_is_read_as_the_expression_says(
            parts in proptest::collection::vec(
                prop::sample::select(vec!["Pull", " \"", "\"", " in ", " in:", "  ", " ", "a1f", "é", "\n", "12", "3s", "/", "POD", "()", "\\"]),
                0..12,
            ),
            begin in prop::sample::select(vec!["Pull \"", "Pull", "a/", ""]),
        ) {
            for source in PATTERNS {
                let [parts, engine] = both(source, &format!("{begin}{}", parts.concat()));
                prop_assert_eq!(parts, engine, "{}", source);
            }
        }
    }
}
