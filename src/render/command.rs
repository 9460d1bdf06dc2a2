//! Commands to paste, with the inputs that the user gave.

/// More inputs than this make no line to paste.
const MOST: usize = 4;

/// A command with its inputs behind it, as a shell reads them.
pub(super) fn with_inputs(command: &str, inputs: &[String]) -> String {
    let words: Option<Vec<String>> = inputs.iter().map(|input| quoted(input)).collect();
    match (inputs, words) {
        ([stdin], _) if stdin == "-" => format!("… | {command}"),
        ([], _) | (_, None) => format!("{command} INPUT…"),
        (_, Some(words)) if words.len() > MOST => format!("{command} INPUT…"),
        (_, Some(words)) => format!("{command} {}", words.join(" ")),
    }
}

/// A path as one word of a shell; none where it holds what acts on a terminal.
fn quoted(path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('-') || path.chars().any(crate::model::text::is_control) {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-:@%+,=".contains(c);
    Some(if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_words_of_a_shell() {
        let with = |inputs: &[&str]| {
            with_inputs("podlag chain a/b", &inputs.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(with(&["logs/", "a b.log"]), "podlag chain a/b logs/ 'a b.log'");
        assert_eq!(with(&["it's; rm -rf x"]), "podlag chain a/b 'it'\\''s; rm -rf x'");
        assert_eq!(with(&["-"]), "… | podlag chain a/b");
        for unsafe_or_many in [&[][..], &["a\u{1b}[2J"], &["-x"], &["1", "2", "3", "4", "5"]] {
            assert_eq!(with(unsafe_or_many), "podlag chain a/b INPUT…");
        }
    }
}
