//! Expressions as they are written in grammars → the parts of a pattern without choices that the next byte does not decide.

use super::{Class, First, Part, decided};
use crate::model::record::Field;

/// The parts of an expression up to its end, or to the end of the group that it is in; and what follows.
pub(super) fn sequence(source: &str) -> Option<(Vec<Part>, &str)> {
    let (mut rest, mut parts) = (source, Vec::new());
    while !rest.is_empty() && !rest.starts_with(')') {
        let (part, left) = part(rest)?;
        rest = left;
        match (parts.last_mut(), part) {
            (Some(Part::Text(known)), Part::Text(more)) => known.push_str(&more),
            (_, part) => parts.push(part),
        }
    }
    Some((parts, rest))
}

/// The first part of an expression, and what follows it.
fn part(source: &str) -> Option<(Part, &str)> {
    if source == "$" {
        return Some((Part::End, ""));
    }
    if let Some(found) = choice(source) {
        return Some(found);
    }
    if let Some(group) = source.strip_prefix("(?:") {
        let (parts, left) = sequence(group)?;
        let left = left.strip_prefix(")?").filter(|left| !left.starts_with(['?', '*', '+', '{']))?;
        // One within another would be looked at again and again.
        let nested = parts.iter().any(|part| matches!(part, Part::Optional(..)));
        let first = decided(&parts, First::nothing()).filter(|first| !first.is_empty && !nested)?;
        return Some((Part::Optional(first, parts), left));
    }
    if let Some(group) = source.strip_prefix("(?P<") {
        let (name, inside) = group.split_once('>')?;
        if let Some(left) = inside.strip_prefix(ESCAPED).and_then(|left| left.strip_prefix(')')) {
            return Some((Part::Escaped(Some(Field::from_name(name)?)), left));
        }
        let (class, at_least, left) = run(inside)?;
        return Some((Part::Run { class, at_least, field: Some(Field::from_name(name)?) }, left.strip_prefix(')')?));
    }
    if let Some((class, at_least, left)) = run(source) {
        return Some((Part::Run { class, at_least, field: None }, left));
    }
    let (letter, left) = letter(source)?;
    // What is repeated or optional is no plain text.
    (!left.starts_with(['?', '*', '+', '{'])).then(|| (Part::Text(letter.into()), left))
}

/// How patterns say what stands between quotes.
const ESCAPED: &str = r#"(?:[^"\\]|\\.)*"#;

/// A group of plain texts to choose from: `(?P<type>configMap|secret)`, `(?:pod|sandbox)`.
fn choice(source: &str) -> Option<(Part, &str)> {
    let (field, group) = match source.strip_prefix("(?P<") {
        Some(group) => {
            let (name, inside) = group.split_once('>')?;
            (Some(Field::from_name(name)?), inside)
        }
        None => (None, source.strip_prefix("(?:")?),
    };
    let (mut rest, mut texts) = (group, vec![String::new()]);
    loop {
        rest = match rest.chars().next()? {
            ')' => break,
            '|' => {
                texts.push(String::new());
                rest.get(1..)?
            }
            _ => {
                let (letter, left) = letter(rest)?;
                texts.last_mut()?.push(letter);
                left
            }
        };
    }
    let left = rest.strip_prefix(')').filter(|left| !left.starts_with(['?', '*', '+', '{']))?;
    // Of two that begin alike, the expression may go back and take the other.
    let alike = |(number, text): (usize, &String)| {
        texts.iter().enumerate().any(|(other, begin)| other != number && text.starts_with(begin.as_str()))
    };
    let is_choice = texts.len() > 1 && !texts.iter().enumerate().any(alike);
    is_choice.then_some((Part::OneOf(texts, field), left))
}

/// A letter that stands for itself.
fn letter(source: &str) -> Option<(char, &str)> {
    let mut letters = source.chars();
    let letter = letters.next()?;
    match letter {
        '\\' => letters.next().filter(char::is_ascii_punctuation).map(|escaped| (escaped, letters.as_str())),
        '^' | '$' | '.' | '[' | ']' | '(' | ')' | '{' | '}' | '|' | '?' | '*' | '+' => None,
        plain => Some((plain, letters.as_str())),
    }
}

/// A class or a letter that is repeated: `[^"]+`, `[0-9a-f]*`, `.*`, ` +`.
fn run(source: &str) -> Option<(Class, usize, &str)> {
    let (class, left) = if let Some(inside) = source.strip_prefix('[') {
        let (inside, left) = inside.split_once(']')?;
        (class(inside)?, left)
    } else if let Some(left) = source.strip_prefix('.') {
        (Class::Not(b'\n'), left)
    } else {
        let (letter, left) = letter(source)?;
        let mut set = Box::new([false; 256]);
        *set.get_mut(usize::try_from(u32::from(letter)).ok().filter(|_| letter.is_ascii())?)? = true;
        (Class::Of(set), left)
    };
    let (at_least, left) = match left.strip_prefix('+') {
        Some(left) => (1, left),
        None => (0, left.strip_prefix('*')?),
    };
    // As few as possible, or a repetition repeated.
    (!left.starts_with(['?', '*', '+', '{'])).then_some((class, at_least, left))
}

/// What is between the brackets of a class: letters and ranges of ASCII, all or all but them.
fn class(inside: &str) -> Option<Class> {
    let (inside, without) = inside.strip_prefix('^').map_or((inside, false), |inside| (inside, true));
    // Escapes, classes in classes, set operations.
    if inside.is_empty() || !inside.is_ascii() || inside.contains(['\\', '[', '&', '~']) || inside.contains("--") {
        return None;
    }
    if let (true, [byte]) = (without, inside.as_bytes()) {
        return Some(Class::Not(*byte));
    }
    let mut set = Box::new([without; 256]);
    let mut letters = inside.bytes().peekable();
    while let Some(from) = letters.next() {
        let to = match letters.next_if_eq(&b'-') {
            Some(_) => letters.next().filter(|to| *to >= from)?,
            None => from,
        };
        set[usize::from(from)..=usize::from(to)].fill(!without);
    }
    Some(Class::Of(set))
}
