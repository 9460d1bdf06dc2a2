//! Matchers of labels as Prometheus and Loki write them; each store's file turns them into its own query language.

use crate::web::{HttpError, HttpErrorKind};

/// What a label must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    pub label: String,
    pub test: Test,
}

/// What a value must be like. Patterns fit whole values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Test {
    AnyOf(Vec<String>),
    IsNot(String),
    Fits(String),
    FitsNot(String),
}

/// Reads `label="value", other=~"pattern"`. A value without quotes ends at a comma.
pub(super) fn parse(selector: &str) -> Result<Vec<Matcher>, HttpError> {
    let mut matchers = Vec::new();
    let mut rest = selector.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let operator = rest.find(['=', '!', '~']).ok_or_else(|| invalid(selector, "a label without a value"))?;
        let (label, behind) = rest.split_at(operator);
        let label = label.trim().trim_matches(['"', '`']).to_owned();
        if label.is_empty() {
            return Err(invalid(selector, "a matcher without a label"));
        }
        let (make, value): (fn(String) -> Test, &str) = match behind {
            _ if behind.starts_with("=~") => (Test::Fits, &behind[2..]),
            _ if behind.starts_with("!~") => (Test::FitsNot, &behind[2..]),
            _ if behind.starts_with("!=") => (Test::IsNot, &behind[2..]),
            _ if behind.starts_with('=') => (|value| Test::AnyOf(vec![value]), &behind[1..]),
            _ => return Err(invalid(selector, "an operator other than =, !=, =~ and !~")),
        };
        let (value, behind) = value_of(value.trim_start()).ok_or_else(|| invalid(selector, "a quote is not closed"))?;
        matchers.push(Matcher { label, test: make(value) });
        rest = behind.trim_start_matches([' ', ',']);
    }
    Ok(matchers)
}

/// A value, and what follows it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|first| ['"', '\'', '`'].contains(first));
    let Some(quote) = quote else {
        let (value, rest) = text.split_at(text.find(',').unwrap_or(text.len()));
        return Some((value.trim().to_owned(), rest));
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => {
                value.push(if char == 'n' { '\n' } else { char });
                escaped = false;
            }
            '\\' if quote != '`' => escaped = true,
            _ if char == quote => return Some((value, text.get(at + quote.len_utf8()..).unwrap_or_default())),
            _ => value.push(char),
        }
    }
    None
}

fn invalid(selector: &str, what: &str) -> HttpError {
    HttpError::new(
        HttpErrorKind::InvalidOption,
        "--selector",
        format!("{selector:?} has {what}"),
        "Write it as 'unit=~\"kubelet.service|containerd.service\",cluster=\"prod\"'.",
    )
}

/// A text in double quotes, as Go and JavaScript read it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

/// A pattern that any of these texts fits.
pub(super) fn alternatives(texts: &[String]) -> String {
    texts.iter().map(|text| regex::escape(text)).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(label: &str, test: Test) -> Matcher {
        Matcher { label: label.into(), test }
    }

    #[test]
    fn selectors_are_read() {
        let read = parse(r#"unit="kubelet.service", a.b!=`x\y` ,_C=~"p|\"q\"", d!~'e', f=g,"#).unwrap();
        let expected = [
            is("unit", Test::AnyOf(vec!["kubelet.service".into()])),
            is("a.b", Test::IsNot(r"x\y".into())),
            is("_C", Test::Fits("p|\"q\"".into())),
            is("d", Test::FitsNot("e".into())),
            is("f", Test::AnyOf(vec!["g".into()])),
        ];
        assert_eq!(read, expected);
        for wrong in ["unit", "=\"x\"", "unit=\"x", "unit~\"x\"", "é=\"", "a!\"é\""] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.starts_with("--selector: ") && error.contains("Write it as"), "{error}");
        }
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn texts_stay_texts_in_patterns() {
        assert_eq!(quoted("a\"b\\c\n"), r#""a\"b\\c\n""#);
        assert_eq!(alternatives(&["a.b".into(), "c".into()]), r"a\.b|c");
    }
}
