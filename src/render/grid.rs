//! Tables for people and programs: rows of typed cells, as aligned text, Markdown, CSV or JSON.

use std::io::Write;

use unicode_width::UnicodeWidthStr;

use super::{TextOptions, cell, format_duration, wrap};
use crate::model::error::{Error, ErrorKind};
use crate::model::text::sanitize;

/// A value of a grid.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing is known.
    None,
    /// Words.
    Text(String),
    /// Seconds.
    Seconds(f64),
    /// A number of things.
    Count(u64),
}

impl Cell {
    /// A cell of seconds that may be unknown.
    pub fn seconds(seconds: Option<f64>) -> Self {
        seconds.map_or(Cell::None, Cell::Seconds)
    }

    fn read(&self) -> String {
        match self {
            Cell::None => "–".into(),
            Cell::Text(text) => sanitize(text),
            Cell::Seconds(seconds) => format_duration(*seconds),
            Cell::Count(count) => count.to_string(),
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Cell::None => serde_json::Value::Null,
            Cell::Text(text) => text.as_str().into(),
            Cell::Seconds(number) => (*number).into(),
            Cell::Count(count) => (*count).into(),
        }
    }
}

/// Rows under heads.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    heads: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
    unclipped: bool,
}

impl Grid {
    /// An empty grid under these heads. Their names are those of JSON and CSV.
    pub fn new(heads: &[&'static str]) -> Self {
        Grid { heads: heads.to_vec(), rows: Vec::new(), unclipped: false }
    }

    /// The same with all text whole, however wide the screen is.
    #[must_use]
    pub fn unclipped(self) -> Self {
        Grid { unclipped: true, ..self }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// How many rows it has.
    #[cfg(any(test, feature = "internals"))]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The heads as people read them: without the unit that the cells carry.
    fn titles(&self) -> impl Iterator<Item = String> {
        self.heads.iter().map(|head| head.strip_suffix("_s").unwrap_or(head).replace('_', " "))
    }

    /// Aligned text; the first column of words gives way where the screen is too narrow. After `most` rows it says how
    /// many are left.
    ///
    /// # Errors
    /// When writing fails.
    pub fn text(&self, screen: TextOptions, most: usize, out: &mut dyn Write) -> Result<(), Error> {
        let mut lines: Vec<Vec<String>> = vec![self.titles().collect()];
        lines.extend(self.rows.iter().take(most).map(|row| row.iter().map(Cell::read).collect()));
        let mut widths: Vec<usize> = (0..self.heads.len())
            .map(|at| lines.iter().filter_map(|line| line.get(at)).map(|text| text.width()).max().unwrap_or(0))
            .collect();
        let whole: usize = widths.iter().map(|width| width + 2).sum::<usize>().saturating_sub(2);
        if let Some(first) = widths.first_mut().filter(|_| screen.clips && !self.unclipped) {
            *first = first.saturating_sub(whole.saturating_sub(screen.width)).max(12);
        }
        for (number, line) in lines.iter().enumerate() {
            let mut text = String::new();
            for (at, (words, width)) in line.iter().zip(&widths).enumerate() {
                let words = wrap::clip_middle(words, *width, UnicodeWidthStr::width);
                let pad = " ".repeat(width.saturating_sub(words.width()));
                let left = at == 0 || self.rows.iter().any(|row| matches!(row.get(at), Some(Cell::Text(_))));
                text.push_str(&if left { format!("{words}{pad}") } else { format!("{pad}{words}") });
                text.push_str("  ");
            }
            let text = text.trim_end();
            if number == 0 && screen.colour { writeln!(out, "\x1b[1m{text}\x1b[0m")? } else { writeln!(out, "{text}")? }
        }
        if self.rows.len() > most {
            writeln!(out, "… and {} more", self.rows.len() - most)?;
        }
        Ok(())
    }

    /// A Markdown table.
    ///
    /// # Errors
    /// When writing fails.
    pub fn markdown(&self, out: &mut dyn Write) -> Result<(), Error> {
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        writeln!(out, "{}", line(self.titles().collect()))?;
        writeln!(out, "{}", line(self.heads.iter().map(|_| "---".into()).collect()))?;
        for row in &self.rows {
            writeln!(out, "{}", line(row.iter().map(|cell| markdown(&cell.read())).collect()))?;
        }
        Ok(())
    }

    /// CSV: numbers as they are, without units.
    ///
    /// # Errors
    /// When writing fails.
    pub fn csv(&self, out: &mut dyn Write) -> Result<(), Error> {
        let broken = |error: csv::Error| match error.into_kind() {
            csv::ErrorKind::Io(error) => Error::from(error),
            error => Error::new(ErrorKind::Output, format!("cannot write a row as CSV: {error:?}")),
        };
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(&self.heads).map_err(broken)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|value| cell(&value.json()))).map_err(broken)?;
        }
        Ok(writer.flush()?)
    }

    /// The rows as JSON objects.
    pub fn json(&self) -> serde_json::Value {
        let object = |row: &Vec<Cell>| {
            let pairs = self.heads.iter().zip(row).map(|(head, cell)| ((*head).to_owned(), cell.json()));
            serde_json::Value::Object(pairs.collect())
        };
        self.rows.iter().map(object).collect()
    }
}

/// Text for a place in Markdown: nothing in it is markup, a mention or a reference. Forges find mentions and numbers of issues in the
/// finished text, where no backslash is left: only a character between keeps them apart.
pub(crate) fn markdown(text: &str) -> String {
    let mut safe = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '~' | '$' => {
                safe.push('\\');
                safe.push(c);
            }
            '\n' | '\r' => safe.push(' '),
            c => safe.push(c),
        }
        if "@#!~&$%^".contains(c) && rest.peek().is_some_and(|next| next.is_alphanumeric() || "_\"".contains(*next)) {
            safe.push('\u{2060}');
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_markup() {
        assert_eq!(markdown("a|b <i>&`*_"), "a\\|b &lt;i&gt;&amp;\\`\\*\\_");
        assert_eq!(markdown("by @me, #12 & 5 %"), "by @\u{2060}me, \\#\u{2060}12 &amp; 5 %");
    }
}
