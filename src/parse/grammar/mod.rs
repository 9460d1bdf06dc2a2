//! Grammars: data files that say which line proves which fact, each with examples that prove the file itself.
//! The format is described in `grammars/README.md`; reading a line's dialect is `parse::entry`'s work.
//!
//! To add messages: edit or add `grammars/<name>.toml` and, for a new file, add its line in [`BUILT_IN`].

mod check;
mod file;
mod message;
mod pattern;

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::model::error::{Error, ErrorKind};
use crate::model::hash::HashMap;
use crate::parse::entry::Entry;
use crate::parse::field_buffer::FieldBuffer;
use crate::parse::prefilter::{Lines, Literals};
pub use message::Message;

/// The grammars that come with podlag: file name and text. A test compares the list with the folder.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("cluster-events.toml", include_str!("../../../grammars/cluster-events.toml")),
    ("containerd.toml", include_str!("../../../grammars/containerd.toml")),
    ("crio.toml", include_str!("../../../grammars/crio.toml")),
    ("kubelet.toml", include_str!("../../../grammars/kubelet.toml")),
];

/// Lines of kubelets and runtimes, most of them without any literal, in about the proportions of real logs: which bytes are
/// frequent there.
const COMMON_LINES: &str = include_str!("../../../grammars/common-lines.txt");
/// What a line of them counts against a line of the grammars (measured: 1 to 10 differ by a third of the false finds).
const COMMON_LINES_WEIGHT: u16 = 5;

/// By how many of their first bytes messages with a pattern are found.
const PREFIX_LEN: usize = 4;

/// All grammars of a run.
#[derive(Debug)]
pub struct Grammars {
    messages: Vec<Message>,
    literals: Literals,
    words: Vec<String>,
    by_text: HashMap<String, Vec<usize>>,
    longest_text: usize,
    /// The messages with a pattern that begins with a plain text in which their literal is, by its first bytes.
    by_prefix: HashMap<[u8; PREFIX_LEN], Vec<usize>>,
    /// The literals of other messages with a pattern, and the messages of each.
    pattern_literals: AhoCorasick,
    by_literal: Vec<Vec<usize>>,
}

impl Grammars {
    /// The built-in grammars, and the user's own files (name and text) behind them.
    ///
    /// # Errors
    /// An invalid file, with its name and the reason.
    pub fn load(own: &[(String, String)]) -> Result<Self, Error> {
        let mut messages = Vec::new();
        let mut literals = Vec::new();
        let built_in = BUILT_IN.iter().map(|(name, text)| (*name, Cow::Owned(file::without_examples(text)), true));
        let own = own.iter().map(|(name, text)| (&**name, Cow::Borrowed(&**text), false));
        for (name, text, trusted) in built_in.chain(own) {
            for text in file::read(name, &text)?.messages(trusted)? {
                literals.push(text.1);
                messages.push(text.0);
            }
        }
        let mut by_text: HashMap<String, Vec<usize>> = HashMap::default();
        let mut by_prefix: HashMap<[u8; PREFIX_LEN], Vec<usize>> = HashMap::default();
        let mut pattern_literals: Vec<&str> = Vec::new();
        let mut by_literal: Vec<Vec<usize>> = Vec::new();
        for (number, message) in messages.iter().enumerate() {
            match &message.text {
                Ok(text) => by_text.entry(text.clone()).or_default().push(number),
                Err(pattern) => {
                    let prefix = pattern.prefix();
                    if let Some(first) = prefix.as_bytes().first_chunk()
                        && prefix.contains(&literals[number])
                    {
                        by_prefix.entry(*first).or_default().push(number);
                    } else if let Some(known) = pattern_literals.iter().position(|known| *known == literals[number]) {
                        by_literal[known].push(number);
                    } else {
                        pattern_literals.push(&literals[number]);
                        by_literal.push(vec![number]);
                    }
                }
            }
        }
        let longest_text = by_text.keys().map(String::len).max().unwrap_or_default();
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
        let examples = BUILT_IN.iter().map(|(_, text)| (*text, 1));
        let samples: Vec<(&str, u16)> = examples.chain([(COMMON_LINES, COMMON_LINES_WEIGHT)]).collect();
        let literals = Literals::new(&shortest, &samples)?;
        Ok(Grammars { messages, literals, words, by_text, longest_text, by_prefix, pattern_literals, by_literal })
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

    /// The message a line is; the fields it gives are added. Examples prove that no line is two messages.
    pub fn recognize(&self, entry: &Entry<'_>, fields: &mut FieldBuffer) -> Option<&Message> {
        self.candidates(&entry.text).find_map(|number| {
            let message = self.messages.get(number)?;
            message.read(entry, fields).map(|()| message)
        })
    }

    fn candidates<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let exact = if text.len() <= self.longest_text { self.by_text.get(text) } else { None };
        let prefix = text.as_bytes().first_chunk().and_then(|first| self.by_prefix.get(first));
        // Only where those fail: it goes through the whole text.
        let found = std::iter::once(text).flat_map(|text| self.pattern_literals.find_overlapping_iter(text));
        let found = found.filter_map(|hit| self.by_literal.get(hit.pattern().as_usize())).flatten();
        exact.into_iter().flatten().chain(prefix.into_iter().flatten()).chain(found).copied()
    }
}
