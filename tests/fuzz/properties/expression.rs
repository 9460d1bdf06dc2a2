//! Limits as `podlag check` takes them.

use podlag::internals::report::gate::expression::{ColumnType, Expression, parse};
use unicode_width::UnicodeWidthStr;

/// One column of each kind at least, and two names that are near each other.
const COLUMNS: &[(&str, ColumnType)] = &[
    ("namespace", ColumnType::Text),
    ("node", ColumnType::Text),
    ("cause", ColumnType::Texts),
    ("slo_s", ColumnType::Seconds),
    ("image_pull_s", ColumnType::Seconds),
    ("pulled_bytes", ColumnType::Bytes),
    ("restarts", ColumnType::Number),
    ("cold", ColumnType::Bool),
    ("created", ColumnType::Time),
];

pub fn holds(data: &[u8]) {
    let text = &String::from_utf8_lossy(data);
    match parse(text, COLUMNS) {
        Ok(expression) => {
            assert_eq!(&expression.text, text);
            let normal = expression.to_string();
            let again = parse(&normal, COLUMNS).unwrap_or_else(|mistake| panic!("{}", mistake.show(&normal)));
            assert_eq!(again.to_string(), normal);
            assert_eq!(Expression { text: text.to_string(), ..again }, expression, "the normal form is the same");
        }
        Err(mistake) => {
            assert!(text.get(mistake.at..mistake.at + mistake.length).is_some(), "{mistake:?}");
            let shown = mistake.show(text);
            super::assert_printable(&shown);
            let lines: Vec<&str> = shown.split('\n').collect();
            assert_eq!(lines.len(), 2 + usize::from(mistake.help.is_some()), "{shown}");
            let carets = lines[1].strip_suffix(&mistake.message).expect("the message stands there").trim_end();
            assert!(carets.ends_with('^') && carets.width() <= lines[0].width() + 1, "{shown}");
        }
    }
}
