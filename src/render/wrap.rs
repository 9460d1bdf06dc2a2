//! Lines broken and text clipped to a width, in one place. The `textwrap` crate breaks at spaces only: here parts that belong
//! together, such as `p95 42 s`, stay on one line, and what is clipped keeps its middle or its end.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// Writes parts with something between them, and breaks the line between parts where the width ends.
pub(super) fn parts(
    out: &mut dyn Write,
    width: usize,
    indent: &str,
    parts: &[String],
    between: &str,
) -> io::Result<()> {
    let mut line = String::new();
    for part in parts {
        let more = line.width() + between.width() + part.width() + indent.width();
        if !line.is_empty() && more > width {
            writeln!(out, "{indent}{}", line.trim_end())?;
            line.clear();
        }
        // Blanks that set figures apart fall away where the line breaks.
        if line.is_empty() && part.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push_str(between);
        }
        line.push_str(part);
    }
    if line.is_empty() { Ok(()) } else { writeln!(out, "{indent}{line}") }
}

/// The same of words.
pub(super) fn words(out: &mut dyn Write, width: usize, indent: &str, text: &str) -> io::Result<()> {
    parts(out, width, indent, &text.split(' ').map(str::to_owned).collect::<Vec<_>>(), " ")
}

/// Text clipped at its end to so many columns.
pub(super) fn clip_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut clipped = String::new();
    for c in text.chars() {
        clipped.push(c);
        if clipped.width() + 1 > width {
            clipped.pop();
            break;
        }
    }
    clipped + "…"
}

/// Text clipped in its middle: names of images and pods differ at their ends. The measure counts what the limit is of: columns of
/// a screen, or characters of a document.
pub(super) fn clip_middle(text: &str, most: usize, measure: fn(&str) -> usize) -> String {
    if measure(text) <= most {
        return text.to_owned();
    }
    let mut head = String::new();
    for c in text.chars() {
        head.push(c);
        if measure(&head) > most.saturating_sub(1) / 3 {
            head.pop();
            break;
        }
    }
    let room = most.saturating_sub(1 + measure(&head));
    let mut from = text.len();
    for (at, _) in text.char_indices().rev() {
        if measure(text.get(at..).unwrap_or_default()) > room {
            break;
        }
        from = at;
    }
    format!("{head}…{}", text.get(from..).unwrap_or_default())
}

/// A line clipped to a width: where it holds an error, the end of that, which has the reason.
pub(super) fn error_end(text: &str, width: usize) -> String {
    // klog's key and logrus'.
    let error = ["err=\"", "error=\""].iter().find_map(|key| Some(text.split_once(key)?.1));
    let Some(error) = error.filter(|_| text.width() > width) else { return text.to_owned() };
    // The value ends at a quote that no backslash is before.
    let mut ends =
        error.char_indices().filter(|(at, c)| *c == '"' && !error.get(..*at).is_some_and(|b| b.ends_with('\\')));
    let error = ends.next().and_then(|(end, _)| error.get(..end)).unwrap_or(error);
    let chars: Vec<char> = error.chars().collect();
    let tail: String = chars.iter().skip(chars.len().saturating_sub(width.saturating_sub(3))).collect();
    if tail.len() < error.len() { format!("… {tail}") } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_clipped() {
        let middle = |text: &str, most: usize| clip_middle(text, most, UnicodeWidthStr::width);
        assert_eq!(middle("registry.example.test/team/app-20:v1", 17), "regis…m/app-20:v1");
        assert_eq!(middle("short", 16), "short");
        assert_eq!(middle("長い名前の画像です", 9), "長…像です");
        assert_eq!(middle("abc", 1), "…");
        assert_eq!(clip_middle("0123456789", 7, |text| text.chars().count()), "01…6789");
        assert_eq!(clip_end("0123456789", 7), "012345…");
        assert_eq!(clip_end("長い名前", 5), "長い…");
    }

    #[test]
    fn lines_break_between_parts() {
        let mut out = Vec::new();
        parts(&mut out, 12, "  ", &["p50 1 s".into(), "p95 2 s".into()], "   ").unwrap();
        words(&mut out, 6, "", "a  b cd  efgh").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "  p50 1 s\n  p95 2 s\na  b\ncd\nefgh\n");
    }
}
