//! One search for all literals of all grammars: which lines of a text hold one. It knows bytes, not what lines mean.
//!
//! More than 64 literals, many with the same beginning, are too many for a vectorised search (measured: 0.45 GB/s by the
//! automaton). So it looks for four bytes of each instead, its *anchor*, picked so that few anchors serve all and
//! are rare in what kubelets write, and compares the whole literal where one is found (1.5 GB/s).

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, Input, MatchKind, Span, packed};
use memchr::memmem::Finder;
use memchr::{memchr, memrchr};

use crate::model::error::{Error, ErrorKind};

/// Bytes of an anchor: as many as the vectorised search distinguishes at once.
const ANCHOR_LEN: usize = 4;
/// Shorter literals are searched for one by one, so many; beyond that the automaton is faster.
const MAX_SHORT_LITERALS: usize = 3;
/// What one more anchor may save in occurrences: with fewer there are more false finds; with more than two in each of the
/// search's 16 buckets it stops at what is none of them (84 literals, a log with few startup lines: 37 anchors 5.3 GB/s, 54
/// anchors 3.1 GB/s, 28 anchors 3.9 GB/s).
const ANCHOR_COST: usize = 80;

/// The search.
#[derive(Debug)]
pub struct Literals {
    strategy: SearchStrategy,
}

#[derive(Debug)]
enum SearchStrategy {
    /// Anchors, the literals of each, and the literals that are too short to have one.
    Anchors { anchors: packed::Searcher, around: Vec<Vec<AnchoredLiteral>>, short: Vec<Finder<'static>> },
    /// If there is no vectorised search for them.
    Automaton(AhoCorasick),
}

/// A literal and the position of the anchor in it.
#[derive(Debug)]
struct AnchoredLiteral {
    offset: usize,
    literal: Box<[u8]>,
}

impl Literals {
    /// A search for these. `sample_texts` is text as it is found around them, which shows rare and common bytes, each with its
    /// weight; it decides about speed alone.
    ///
    /// # Errors
    /// When no search can be made of them.
    pub fn new(literals: &[&str], sample_texts: &[(&str, u16)]) -> Result<Self, Error> {
        if let Some(strategy) = anchored(literals, sample_texts) {
            return Ok(Literals { strategy });
        }
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(literals);
        let built = built
            .map_err(|error| Error::new(ErrorKind::Grammar, format!("cannot build the pattern matcher: {error}")))?;
        Ok(Literals { strategy: SearchStrategy::Automaton(built) })
    }

    /// The lines of `text` that hold a literal.
    pub fn lines<'a>(&'a self, text: &'a [u8]) -> Lines<'a> {
        let short = if let SearchStrategy::Anchors { short, .. } = &self.strategy { short.len() } else { 0 };
        Lines { strategy: &self.strategy, text, from: 0, anchored: Next::Stale, short: vec![Next::Stale; short] }
    }
}

fn anchored(literals: &[&str], sample_texts: &[(&str, u16)]) -> Option<SearchStrategy> {
    let (short, long): (Vec<&str>, Vec<&str>) = literals.iter().partition(|literal| literal.len() < ANCHOR_LEN);
    if short.len() > MAX_SHORT_LITERALS {
        return None;
    }
    let chosen = choose(&long, sample_texts);
    let anchors = packed::Config::new().builder().extend(chosen.iter().map(|(anchor, _)| anchor)).build()?;
    let around = chosen.into_iter().map(|(_, around)| around).collect();
    let short = short.into_iter().map(|literal| Finder::new(literal).into_owned()).collect();
    Some(SearchStrategy::Anchors { anchors, around, short })
}

type Gram = [u8; ANCHOR_LEN];

/// Anchors for all literals: again and again the one that costs least for each literal it serves.
fn choose(literals: &[&str], sample_texts: &[(&str, u16)]) -> Vec<(Gram, Vec<AnchoredLiteral>)> {
    let mut grams: BTreeMap<Gram, Vec<(usize, usize)>> = BTreeMap::new();
    for (number, literal) in literals.iter().enumerate() {
        for (offset, gram) in literal.as_bytes().array_windows::<ANCHOR_LEN>().enumerate() {
            let served = grams.entry(*gram).or_default();
            if served.last().is_none_or(|(last, _)| *last != number) {
                served.push((number, offset));
            }
        }
    }
    let frequency = Frequency::of(sample_texts);
    let mut left: Vec<bool> = vec![true; literals.len()];
    let mut chosen = Vec::new();
    loop {
        let serves = |served: &[(usize, usize)]| served.iter().filter(|(number, _)| left[*number]).count();
        let costs = grams.iter().filter_map(|(gram, served)| {
            let serves = serves(served);
            // Of two fractions, in whole numbers: cost per literal served.
            (serves > 0).then(|| ((frequency.of_gram(gram) + ANCHOR_COST) * 1000 / serves, gram, served))
        });
        let Some((_, gram, served)) = costs.min() else { return chosen };
        let now: Vec<(usize, usize)> = served.iter().copied().filter(|(number, _)| left[*number]).collect();
        let around = now.iter().filter_map(|(number, offset)| {
            Some(AnchoredLiteral { offset: *offset, literal: literals.get(*number)?.as_bytes().into() })
        });
        chosen.push((*gram, around.collect()));
        for (number, _) in now {
            left[number] = false;
        }
    }
}

/// How often each four bytes occur, about: those that share a place in the table are counted together.
struct Frequency(Vec<u16>);

impl Frequency {
    const BITS: u32 = 16;

    fn of(texts: &[(&str, u16)]) -> Self {
        let mut counts = vec![0_u16; 1 << Self::BITS];
        for (text, weight) in texts {
            for gram in text.as_bytes().array_windows::<ANCHOR_LEN>() {
                if let Some(count) = counts.get_mut(Self::place(gram)) {
                    *count = count.saturating_add(*weight);
                }
            }
        }
        Frequency(counts)
    }

    fn of_gram(&self, gram: &Gram) -> usize {
        self.0.get(Self::place(gram)).copied().unwrap_or_default().into()
    }

    /// Fibonacci hashing.
    fn place(gram: &Gram) -> usize {
        (u32::from_le_bytes(*gram).wrapping_mul(0x9E37_79B1) >> (32 - Self::BITS)) as usize
    }
}

/// The lines that hold a literal, in order, each as its place in the text without its line feed.
pub struct Lines<'a> {
    strategy: &'a SearchStrategy,
    text: &'a [u8],
    /// The start of the line where the search goes on.
    from: usize,
    anchored: Next,
    short: Vec<Next>,
}

/// The next place where something was found at or behind `from`, while it is there.
#[derive(Clone, Copy)]
enum Next {
    Stale,
    At(usize),
    None,
}

impl Next {
    /// Where it is; searched for only when what was found before is behind.
    fn at(&mut self, from: usize, find: impl FnOnce() -> Option<usize>) -> Option<usize> {
        match self {
            Next::At(at) if *at >= from => {}
            Next::None => {}
            _ => *self = find().map_or(Next::None, Next::At),
        }
        if let Next::At(at) = self { Some(*at) } else { None }
    }
}

impl Iterator for Lines<'_> {
    type Item = std::ops::Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let (text, from) = (self.text, self.from);
        let hit = match self.strategy {
            SearchStrategy::Automaton(automaton) => {
                automaton.find(Input::new(text).range(from..text.len())).map(|hit| hit.start())
            }
            SearchStrategy::Anchors { anchors, around, short } => {
                let mut first = self.anchored.at(from, || find_literal(anchors, around, text, from));
                for (next, finder) in self.short.iter_mut().zip(short) {
                    let found = next.at(from, || Some(from + finder.find(text.get(from..)?)?));
                    first = first.into_iter().chain(found).min();
                }
                first
            }
        }?;
        let start = memrchr(b'\n', text.get(from..hit).unwrap_or_default()).map_or(from, |at| from + at + 1);
        let stop = memchr(b'\n', text.get(hit..).unwrap_or_default()).map_or(text.len(), |at| hit + at);
        self.from = (stop + 1).min(text.len());
        Some(start..stop)
    }
}

/// The next place of an anchor whose literal is there.
fn find_literal(
    anchors: &packed::Searcher,
    around: &[Vec<AnchoredLiteral>],
    text: &[u8],
    from: usize,
) -> Option<usize> {
    let mut at = from;
    loop {
        let found = anchors.find_in(text, Span { start: at, end: text.len() })?;
        let there = |around: &AnchoredLiteral| {
            let start = found.start().checked_sub(around.offset)?;
            text.get(start..)?.starts_with(&around.literal).then_some(())
        };
        if around.get(found.pattern().as_usize())?.iter().any(|around| there(around).is_some()) {
            return Some(found.start());
        }
        at = found.start() + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(search: &Literals, text: &str) -> Vec<String> {
        search.lines(text.as_bytes()).map(|line| text[line].to_owned()).collect()
    }

    #[test]
    fn lines_with_a_literal_come_out_once_and_in_order() {
        let search = Literals::new(&["ync", "Created container", "container finished"], &[]).unwrap();
        assert!(
            matches!(search.strategy, SearchStrategy::Anchors { .. })
                || !cfg!(any(target_arch = "x86_64", target_arch = "aarch64"))
        );
        let text = "a\nsync Created container ync\nCreated containe\n\ncontainer finished\nyn\nync";
        assert_eq!(lines(&search, text), ["sync Created container ync", "container finished", "ync"]);
        assert_eq!(lines(&search, ""), [""; 0]);
        assert_eq!(lines(&search, "\n\n"), [""; 0]);
    }

    #[test]
    fn too_many_literals_and_too_many_short_ones_are_found_too() {
        let many: Vec<String> = (0..500).map(|number| format!("word-{number:03}-{}", number * 7919)).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for literals in [many, vec!["a", "b", "c", "dd", "eee"]] {
            let search = Literals::new(&literals, &[]).unwrap();
            let text: String = literals.iter().map(|literal| format!("x{literal}y\nother\n")).collect();
            let found = lines(&search, &text);
            assert_eq!(found.iter().filter(|line| *line != "other").count(), literals.len());
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(
            literals in proptest::collection::vec("[abc]{1,9}", 1..40),
            text in "[abcd\n]{0,300}",
        ) {
            let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
            let search = Literals::new(&literals, &[("abc", 1)]).unwrap();
            let expected: Vec<&str> =
                text.split('\n').filter(|line| literals.iter().any(|literal| line.contains(literal))).collect();
            prop_assert_eq!(lines(&search, &text), expected);
        }
    }
}
