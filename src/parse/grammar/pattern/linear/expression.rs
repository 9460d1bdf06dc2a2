//! Expressions as they are written in grammars → the parts of a pattern without choices that the next byte does not decide.

use super::{Class, First, Part};
use crate::model::record::Field;

/// How deep groups may stand within one another: each is looked at once more for every one around it.
const MAX_DEPTH: usize = 4;

/// The parts of a whole expression.
pub(super) fn whole(source: &str) -> Option<Vec<Part>> {
    let (parts, rest) = sequence(source, 0)?;
    rest.is_empty().then_some(parts)
}

/// The parts of an expression up to its end, or to the end of the choice or the group that it is in; and what follows.
fn sequence(source: &str, depth: usize) -> Option<(Vec<Part>, &str)> {
    let (mut rest, mut parts) = (source, Vec::new());
    let mut push = |part| match (parts.last_mut(), part) {
        (Some(Part::Text(known)), Part::Text(more)) => known.push_str(&more),
        (_, part) => parts.push(part),
    };
    while !rest.is_empty() && !rest.starts_with([')', '|']) {
        if let Some((inside, left)) = plain_group(rest, depth) {
            inside.into_iter().for_each(&mut push);
            rest = left;
            continue;
        }
        let (part, left) = part(rest, depth)?;
        rest = left;
        push(part);
    }
    Some((parts, rest))
}

/// A group that only holds together what is in it: `(?:…)`.
fn plain_group(source: &str, depth: usize) -> Option<(Vec<Part>, &str)> {
    let inside = source.strip_prefix("(?:").filter(|_| depth < MAX_DEPTH)?;
    let (parts, left) = sequence(inside, depth + 1)?;
    Some((parts, not_repeated(left.strip_prefix(')')?)?))
}

/// The first part of an expression, and what follows it.
fn part(source: &str, depth: usize) -> Option<(Part, &str)> {
    if source == "$" {
        return Some((Part::End, ""));
    }
    if let Some(found) = texts(source) {
        return Some(found);
    }
    if source.starts_with('(') {
        return group(source, depth);
    }
    if let Some((class, at_least, left)) = run(source) {
        return Some((Part::Run { class, at_least, field: None }, left));
    }
    if let Some((Class::Of(set), left)) = source.strip_prefix('[').and_then(bracketed) {
        // Of other letters than ASCII's a byte is not one.
        let is_ascii = set.iter().skip(128).all(|has| !has);
        return Some((Part::Letter(Class::Of(set)), not_repeated(left).filter(|_| is_ascii)?));
    }
    let (letter, left) = letter(source)?;
    let text = Part::Text(letter.into());
    match left.strip_prefix('?') {
        Some(left) => Some((optional(vec![text])?, not_repeated(left)?)),
        None => Some((text, not_repeated(left)?)),
    }
}

/// What follows, unless it says how often what is before it stands there.
fn not_repeated(left: &str) -> Option<&str> {
    (!left.starts_with(['?', '*', '+', '{'])).then_some(left)
}

/// Parts that may be left out.
fn optional(parts: Vec<Part>) -> Option<Part> {
    let first = First::of(&parts);
    (!first.is_empty).then_some(Part::Optional(first, parts))
}

/// A group with a name, a choice, or one that may be left out: `(?P<type>…)`, `(?:…|…)`, `(?:…)?`.
fn group(source: &str, depth: usize) -> Option<(Part, &str)> {
    let (field, inside) = match source.strip_prefix("(?P<") {
        Some(named) => {
            let (name, inside) = named.split_once('>')?;
            (Some(Field::from_name(name)?), inside)
        }
        None => (None, source.strip_prefix("(?:")?),
    };
    if field.is_some() {
        if let Some(left) = inside.strip_prefix(ESCAPED).and_then(|left| left.strip_prefix(')')) {
            return Some((Part::Escaped(field), not_repeated(left)?));
        }
        let single = run(inside).and_then(|(class, at_least, left)| Some((class, at_least, left.strip_prefix(')')?)));
        if let Some((class, at_least, left)) = single {
            return Some((Part::Run { class, at_least, field }, not_repeated(left)?));
        }
    }
    let (parts, mut left) = sequence(inside, depth + 1).filter(|_| depth < MAX_DEPTH)?;
    let mut ways = vec![parts];
    while let Some(other) = left.strip_prefix('|') {
        let (parts, rest) = sequence(other, depth + 1)?;
        ways.push(parts);
        left = rest;
    }
    let left = left.strip_prefix(')')?;
    let mut parts = ways.pop()?;
    if !ways.is_empty() {
        ways.push(parts);
        parts = vec![choice(ways)?];
    }
    match (field, left.strip_prefix('?')) {
        (None, Some(left)) => Some((optional(parts)?, not_repeated(left)?)),
        (None, None) => Some((parts.pop().filter(|_| parts.is_empty())?, not_repeated(left)?)),
        (Some(field), _) => Some((Part::Named(field, parts), not_repeated(left)?)),
    }
}

/// One of several ways, by the byte that each begins with.
fn choice(ways: Vec<Vec<Part>>) -> Option<Part> {
    let mut all: Vec<(First, Vec<Part>)> = Vec::new();
    for parts in ways {
        let first = First::of(&parts);
        if first.is_empty || all.iter().any(|(other, _)| first.overlaps(other)) {
            return None;
        }
        all.push((first, parts));
    }
    Some(Part::Choice(all))
}

/// How patterns say what stands between quotes.
const ESCAPED: &str = r#"(?:[^"\\]|\\.)*"#;

/// A group of plain texts to choose from: `(?P<type>configMap|secret)`, `(?:pod|sandbox)`.
fn texts(source: &str) -> Option<(Part, &str)> {
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
    let left = not_repeated(rest.strip_prefix(')')?)?;
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
        bracketed(inside)?
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
    Some((class, at_least, not_repeated(left)?))
}

/// A class behind its opening bracket, and what follows it: letters and ranges of ASCII, all or all but them.
fn bracketed(inside: &str) -> Option<(Class, &str)> {
    let (mut rest, without) = inside.strip_prefix('^').map_or((inside, false), |inside| (inside, true));
    let (mut set, mut count) = (Box::new([without; 256]), 0);
    loop {
        if rest.starts_with(']') {
            break;
        }
        let (from, left) = class_letter(rest)?;
        let (to, left) = match left.strip_prefix('-') {
            Some(left) => class_letter(left).filter(|(to, _)| *to >= from)?,
            None => (from, left),
        };
        set[usize::from(from)..=usize::from(to)].fill(!without);
        (rest, count) = (left, count + 1 + usize::from(to - from));
    }
    let left = rest.get(1..).filter(|_| count > 0)?;
    match (without && count == 1, set.iter().position(|has| !has)) {
        (true, Some(byte)) => Some((Class::Not(u8::try_from(byte).ok()?), left)),
        _ => Some((Class::Of(set), left)),
    }
}

/// A letter within the brackets of a class, and what follows it. What may be a class within or an operation is none.
fn class_letter(source: &str) -> Option<(u8, &str)> {
    let mut letters = source.chars();
    let letter = match letters.next()? {
        '\\' => letters.next().filter(char::is_ascii_punctuation)?,
        '[' | ']' | '&' | '~' => return None,
        '-' if letters.as_str().starts_with('-') => return None,
        plain => plain,
    };
    Some((u8::try_from(letter).ok().filter(u8::is_ascii)?, letters.as_str()))
}
