//! Text that is safe to print: logs, file names and servers can hold characters that act on a terminal.

/// Text from outside as it may stand on one line of a terminal. Line breaks and tabs become spaces, so that JSON stays JSON;
/// other control characters, which would move the cursor or change its colours, and marks of direction, which would show text
/// in another order than it has, become U+FFFD.
#[must_use]
pub fn sanitize(text: &str) -> String {
    let safe = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if is_control(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(safe).collect()
}

/// The same of several lines, which stay lines.
#[must_use]
pub fn sanitize_lines(text: &str) -> String {
    text.split('\n').map(sanitize).collect::<Vec<_>>().join("\n")
}

/// Whether a character acts on a terminal instead of being shown: a control character or a mark of direction.
#[must_use]
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_a_terminal() {
        assert_eq!(sanitize("a\u{1b}[2J\u{202e}b\r\n\tc\u{9b}ä😀"), "a\u{fffd}[2J\u{fffd}b   c\u{fffd}ä😀");
        assert_eq!(sanitize_lines("a\u{7}\n  b"), "a\u{fffd}\n  b");
    }
}
