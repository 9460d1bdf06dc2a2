//! What must hold for any expression and for any text at all.

use proptest::collection::vec;
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::super::*;
use super::{COLUMNS, tree};

fn amount() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0_u32..100_000).prop_map(f64::from),
        (0_u32..100_000).prop_map(|number| f64::from(number) / 1000.0),
        (0_u64..u64::MAX).prop_map(|number| number as f64),
        (0_u64..f64::INFINITY.to_bits()).prop_map(f64::from_bits),
    ]
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0_u32..=1000).prop_map(|number| f64::from(number) / 1000.0),
        (0_u64..=1.0_f64.to_bits()).prop_map(f64::from_bits)
    ]
}

fn equality() -> impl Strategy<Value = Comparison> {
    prop_oneof![Just(Comparison::Equal), Just(Comparison::Unequal)]
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::{AtLeast, AtMost, Greater, Less};
    prop_oneof![equality(), Just(Less), Just(AtMost), Just(Greater), Just(AtLeast)]
}

fn test() -> impl Strategy<Value = Test> {
    let text = || prop_oneof!["[a-z*?%:/@.-]{1,9}", "\\PC{0,9}", Just("null".into()), "[\"' ,=)]{0,4}"];
    (0..COLUMNS.len(), comparison(), equality(), text(), amount(), any::<bool>(), any::<i64>(), 0..9).prop_map(
        |(number, comparison, equality, text, amount, truth, time, null)| {
            let (name, kind) = COLUMNS[number];
            let column = Column { name: name.into(), kind };
            let (comparison, value) = match kind {
                _ if null == 0 => (equality, Value::Null),
                ColumnType::Text | ColumnType::Texts => (equality, Value::Text(text)),
                ColumnType::Bool => (equality, Value::Bool(truth)),
                ColumnType::Time => (comparison, Value::Time(time)),
                ColumnType::Seconds | ColumnType::Bytes | ColumnType::Number => (comparison, Value::Number(amount)),
            };
            Test { column, comparison, value }
        },
    )
}

fn function() -> impl Strategy<Value = Function> {
    prop_oneof![
        share().prop_filter("above 0", |share| *share > 0.0).prop_map(Function::Quantile),
        Just(Function::Min),
        Just(Function::Max),
        Just(Function::Mean),
        Just(Function::Sum),
        Just(Function::Count),
        Just(Function::Share),
    ]
}

prop_compose! {
    fn expression()(
        function in function(), figure in 0..4_usize, condition in test(), filters in vec(test(), 0..4),
        comparison in comparison(), of_baseline in any::<bool>(), fixed in amount(), part in share(),
        factor in amount(), minus in any::<bool>(),
    ) -> Expression {
        let (name, kind) = [("slo_s", ColumnType::Seconds), ("pulled_bytes", ColumnType::Bytes), ("restarts", ColumnType::Number),
            ("größe.b-1", ColumnType::Bytes)][figure];
        let of_column = !matches!(function, Function::Count | Function::Share);
        let value = if function == Function::Share { part } else { fixed };
        let factor = if factor > 0.0 { factor } else { 1.0 };
        Expression {
            text: String::new(),
            function,
            column: of_column.then(|| Column { name: name.into(), kind }),
            condition: (function == Function::Share).then_some(condition),
            filters,
            comparison,
            bound: match of_baseline {
                true => Bound::Baseline { factor, plus: if minus { -value } else { value } },
                false => Bound::Value(value),
            },
        }
    }
}

/// What is parsed or shown, whatever the text is.
fn survives(text: &str) {
    let error = match parse(text, COLUMNS) {
        Ok(parsed) => return assert_eq!(tree(&parsed.to_string()), tree(text)),
        Err(error) => error,
    };
    assert!(text.get(error.at..error.at + error.length).is_some(), "{error:?}");
    let shown = error.show(text);
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    let lines: Vec<&str> = shown.split('\n').collect();
    assert_eq!(lines.len(), 2 + usize::from(error.help.is_some()), "{shown}");
    let carets = lines[1].strip_suffix(&error.message).unwrap().trim_end();
    assert!(carets.ends_with('^') && carets.trim_start().chars().all(|c| c == '^'), "{shown}");
    assert!(carets.width() <= lines[0].width() + 1, "{shown}");
    assert!(!error.message.is_empty() && !error.message.starts_with("did not expect"), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_normal_form_is_the_same_expression(expression in expression()) {
        let normal = expression.to_string();
        let again = tree(&normal);
        prop_assert_eq!(&again, &expression, "{}", normal);
        prop_assert_eq!(again.to_string(), normal);
    }

    #[test]
    fn any_text_is_an_expression_or_a_mistake(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_sequence_of_pieces_is_an_expression_or_a_mistake(
        pieces in vec(prop_oneof![
            "p99|share|count|max|pp|p0",
            "\\(", "\\)", ",", "[=!<>~]{1,2}",
            "slo_s|node|cause|cold|created|pulled_bytes",
            "5s|1m30s|20GiB|1%|1e999|\\.5|2 \\*|\\+|-",
            "baseline|null|true|2026-11-23T18:00:00Z",
            "[\"']", "[ \t]", "\\PC", "é|東|\u{301}|\u{1b}"
        ], 0..14)
    ) {
        survives(&pieces.concat());
    }

    #[test]
    fn any_change_of_an_expression_is_an_expression_or_a_mistake(
        expression in expression(), at in any::<prop::sample::Index>(), removed in 0..3_usize, added in "\\PC{0,2}"
    ) {
        let mut text: Vec<char> = expression.to_string().chars().collect();
        let at = at.index(text.len());
        text.splice(at..(at + removed).min(text.len()), added.chars());
        survives(&text.into_iter().collect::<String>());
    }
}
