//! Text that a page, a chat or a word processor has escaped: HTML, Markdown, smart quotes, no-break spaces. It is put back before
//! anything else looks at it, as messages are found by their words and blanks.

use std::io::{self, Read};

use aho_corasick::{AhoCorasick, MatchKind};

use super::super::peek_reader::{PeekReader, read_retrying};
use super::{TEXT, has};

/// What to write for what was written, and when.
pub(super) struct Escapes {
    sniff: fn(&[u8]) -> bool,
    table: &'static [(&'static str, &'static str)],
}

/// All of them; the first that fits counts.
const ESCAPES: &[Escapes] = &[
    Escapes { sniff: is_html, table: HTML },
    Escapes { sniff: |head| has(head, "\\_") && has(head, ".go:") && has(head, "\\]"), table: MARKDOWN },
    Escapes { sniff: is_typeset, table: TYPESET },
];

const HTML: &[(&str, &str)] = &[
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#034;", "\""),
    ("&#x22;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&apos;", "'"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

const MARKDOWN: &[(&str, &str)] = &[
    ("\\_", "_"),
    ("\\*", "*"),
    ("\\[", "["),
    ("\\]", "]"),
    ("\\(", "("),
    ("\\)", ")"),
    ("\\#", "#"),
    ("\\+", "+"),
    ("\\-", "-"),
    ("\\.", "."),
    ("\\!", "!"),
    ("\\`", "`"),
    ("\\{", "{"),
    ("\\}", "}"),
    ("\\<", "<"),
    ("\\>", ">"),
    ("\\|", "|"),
    ("\\~", "~"),
    ("\\=", "="),
    ("\\&", "&"),
];

const TYPESET: &[(&str, &str)] = &[
    ("\u{201c}", "\""),
    ("\u{201d}", "\""),
    ("\u{201e}", "\""),
    ("\u{201f}", "\""),
    ("\u{2018}", "'"),
    ("\u{2019}", "'"),
    ("\u{a0}", " "),
    ("\u{202f}", " "),
    ("\u{2007}", " "),
    ("\u{200b}", ""),
];

/// Quotes as entities where a program's line has its own, not in a text that it quotes.
fn is_html(head: &[u8]) -> bool {
    let own = ["] ", "msg=", "time=", "pod="];
    let is_program = has(head, ".go:") || has(head, "level=");
    ["&quot;", "&#34;", "&#034;", "&#x22;"].iter().any(|quote| {
        own.iter().any(|front| has(head, &format!("{front}{quote}")))
            || is_program && has(head, quote) && !head.contains(&b'"')
    })
}

/// A line's own quotes or blanks, not those of a text that it quotes.
fn is_typeset(head: &[u8]) -> bool {
    let marks = [
        "] \u{201c}",
        "]\u{a0}\u{201c}",
        "]\u{a0}\"",
        "msg=\u{201c}",
        "time=\u{201c}",
        "level=info\u{a0}",
        "level=warning\u{a0}",
        "level=error\u{a0}",
    ];
    let is_program = has(head, ".go:") || has(head, "level=");
    marks.iter().any(|mark| has(head, mark))
        || is_program && has(head, "\u{201c}") && !head.contains(&b'"')
        || is_program && head.windows(7).any(is_klog_date_with_blank)
}

/// `I1123` and a no-break space.
fn is_klog_date_with_blank(text: &[u8]) -> bool {
    matches!(text, [b'I' | b'W' | b'E' | b'F', digits @ .., 0xC2, 0xA0] if digits.iter().all(u8::is_ascii_digit))
}

/// How a text is escaped.
pub(super) fn detect(head: &[u8]) -> Option<&'static Escapes> {
    ESCAPES.iter().find(|escapes| (escapes.sniff)(head))
}

/// A text without its escapes.
pub(super) struct Unescaped {
    inner: PeekReader,
    table: &'static [(&'static str, &'static str)],
    search: Option<AhoCorasick>,
    /// The longest of what is looked for.
    longest: usize,
    raw: Vec<u8>,
    text: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl Unescaped {
    pub(super) fn new(inner: PeekReader, escapes: &Escapes) -> Self {
        let written = escapes.table.iter().map(|(written, _)| written);
        Unescaped {
            inner,
            table: escapes.table,
            search: AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(written.clone()).ok(),
            longest: written.map(|written| written.len()).max().unwrap_or(0),
            raw: Vec::new(),
            text: Vec::new(),
            taken: 0,
            ended: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.taken = 0;
        let held = self.raw.len();
        self.raw.resize(held + TEXT, 0);
        let read = read_retrying(&mut self.inner, self.raw.get_mut(held..).unwrap_or_default());
        self.raw.truncate(held + read.as_ref().copied().unwrap_or(0));
        self.ended = read? == 0;
        // What begins near the end may go on behind it.
        let sure = if self.ended { self.raw.len() } else { self.raw.len().saturating_sub(self.longest) };
        let mut from = 0;
        if let Some(search) = &self.search {
            for found in search.find_iter(&self.raw) {
                let Some((_, meant)) = self.table.get(found.pattern().as_usize()).filter(|_| found.start() < sure)
                else {
                    break;
                };
                self.text.extend_from_slice(self.raw.get(from..found.start()).unwrap_or_default());
                self.text.extend_from_slice(meant.as_bytes());
                from = found.end();
            }
        }
        let sure = sure.max(from);
        self.text.extend_from_slice(self.raw.get(from..sure).unwrap_or_default());
        self.raw.drain(..sure);
        Ok(())
    }
}

impl Read for Unescaped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.text.len() && !self.ended {
            self.fill()?;
        }
        let left = self.text.get(self.taken..).unwrap_or_default();
        let count = left.len().min(into.len());
        if let (Some(target), Some(from)) = (into.get_mut(..count), left.get(..count)) {
            target.copy_from_slice(from);
        }
        self.taken += count;
        Ok(count)
    }
}
