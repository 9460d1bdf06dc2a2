//! What is wrong with an expression, where, and what to write instead.

use std::fmt;

use nom::Offset;
use nom::error::ErrorKind;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::lexical::{Parsed, token};

/// How much of a found word a message repeats; the carets show the rest.
const LONGEST: usize = 40;

/// The first mistake in an expression.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParseError {
    /// Where it is: bytes from the beginning of the text.
    pub at: usize,
    /// How many bytes it spans; 0 when something is missing at the end.
    pub length: usize,
    /// What was expected and what was found; one line, safe to print.
    pub message: String,
    /// What to write instead; one line, safe to print.
    pub help: Option<String>,
}

impl ParseError {
    /// The text, carets under the mistake with the message, and the help: two or three lines without a line end.
    /// Characters that would move the cursor or reorder the line are replaced, so the carets stand right.
    pub fn show(&self, text: &str) -> String {
        let from = text.floor_char_boundary(self.at);
        let to = text.floor_char_boundary(self.at.saturating_add(self.length)).max(from);
        let (before, span) = (text.get(..from).unwrap_or(text), text.get(from..to).unwrap_or(""));
        let (mut indent, mut carets) = (clean(before).width(), clean(span).width());
        if carets == 0 {
            // A mark without a width of its own is drawn over the character before it.
            indent = if span.is_empty() { indent } else { indent.saturating_sub(1) };
            carets = 1;
        }
        let help = self.help.as_ref().map_or(String::new(), |help| format!("\nhelp: {help}"));
        format!("{}\n{}{} {}{help}", clean(text), " ".repeat(indent), "^".repeat(carets), self.message)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

/// A mistake while parsing. Its place is a piece of the parsed text itself, so that no parser has to count.
#[derive(Debug)]
pub(super) struct SyntaxError<'a> {
    at: &'a str,
    message: String,
    help: Option<String>,
}

impl<'a> SyntaxError<'a> {
    /// A fault under this piece of the text.
    pub(super) fn new(at: &'a str, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: None }
    }

    /// A fault under the next token: something else was expected there.
    pub(super) fn expected(what: &str, rest: &'a str) -> Self {
        let at = token(rest);
        Self::new(at, format!("expected {what}, found {}", quoted(at)))
    }

    /// The same with advice.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The end of parsing: no other reading is tried.
    pub(super) fn stop<T>(self) -> Parsed<'a, T> {
        Err(nom::Err::Failure(self))
    }

    /// The mistake, placed in the text that was parsed.
    pub(super) fn within(self, text: &str) -> ParseError {
        let message =
            if self.message.is_empty() { format!("did not expect {}", quoted(self.at)) } else { self.message };
        ParseError { at: text.offset(self.at), length: self.at.len(), message, help: self.help }
    }
}

/// Only for trying other readings: every reading that counts says itself what it expects.
impl<'a> nom::error::ParseError<&'a str> for SyntaxError<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Self::new(at, "")
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// A piece of the text as messages repeat it.
pub(super) fn quoted(piece: &str) -> String {
    if piece.is_empty() {
        return "the end".into();
    }
    let mark = if piece.contains('"') { '\'' } else { '"' };
    let mut short: String = piece.chars().take(LONGEST).collect();
    if short.len() < piece.len() {
        short.push('…');
    }
    format!("{mark}{}{mark}", clean(&short))
}

/// The text with as many characters, none of which moves the cursor, reorders the line, or cannot be seen.
fn clean(text: &str) -> String {
    let seen = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        '\u{ad}' | '\u{61c}' | '\u{feff}' => char::REPLACEMENT_CHARACTER,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() || c.width().is_none() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(seen).collect()
}
