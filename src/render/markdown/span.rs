//! Text of logs in Markdown: code spans, of bounded length.

use crate::model::text::sanitize;
use crate::render::grid::markdown as words;
use crate::render::wrap::clip_middle;

/// How long a name, and a line of a log or any other text may be, characters.
const NAME: usize = 90;
pub(super) const LINE: usize = 240;

/// Text clipped in its middle to so many characters, which forges count.
pub(super) fn short(text: &str, most: usize) -> String {
    clip_middle(text, most, |text| text.chars().count())
}

/// Text of a log, as a code span: a longer run of backticks encloses shorter ones.
pub(super) fn code(text: &str) -> String {
    let text = sanitize(text);
    let text = text.trim();
    if text.is_empty() {
        return "–".into();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A name, short.
pub(super) fn name(text: &str) -> String {
    code(&short(text, NAME))
}

/// A line of a log, cut at its end: what it is comes first.
pub(super) fn line(text: &str) -> String {
    let cut = text.char_indices().nth(LINE).and_then(|(at, _)| text.get(..at));
    cut.map_or_else(|| code(text), |cut| code(&format!("{cut}…")))
}

/// A code span in a table, where a pipe would end the cell, in some dialects even an escaped one: another stroke represents it.
pub(super) fn cell(text: &str) -> String {
    code(&short(text, NAME).replace('|', "│"))
}

/// Our own words, with figures in them that a log may have a part in.
pub(super) fn said(text: &str) -> String {
    words(&sanitize(&short(text, LINE)))
}
