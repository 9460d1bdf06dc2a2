//! Wrong expressions, with all that is shown for them.

use super::super::*;
use super::COLUMNS;

fn shown(text: &str) -> String {
    match parse(text, COLUMNS) {
        Ok(parsed) => panic!("{text} is understood as {parsed}"),
        Err(error) => error.show(text),
    }
}

#[test]
fn mistakes_are_shown_at_their_place() {
    let blocks = include_str!("wrong.txt").trim_end().split("\n\n");
    for block in blocks {
        // Each begins with the expression itself.
        assert_eq!(shown(block.lines().next().unwrap()), block);
    }
}

#[test]
fn nothing_at_all_is_a_mistake() {
    let message = "^ expected an expression such as p99(slo_s) > 5s, found nothing";
    assert_eq!(shown(""), format!("\n{message}"));
    assert_eq!(shown(" \t "), format!("   \n   {message}"));
}

#[test]
fn what_would_move_the_cursor_is_replaced() {
    let help = "help: did you mean node? podlag check --columns lists them";
    let message = "unknown column \"nod\"";
    assert_eq!(
        shown("p99(slo_s,\t\r\nnod=1) > 5s"),
        format!("p99(slo_s,   nod=1) > 5s\n             ^^^ {message}\n{help}")
    );
    // Joined emoji are drawn differently everywhere, so they are taken apart.
    assert_eq!(
        shown("p99(slo_s, node=\"👩\u{200d}👧\", nod=1) > 5s"),
        format!("p99(slo_s, node=\"👩\u{fffd}👧\", nod=1) > 5s\n                         ^^^ {message}\n{help}")
    );
    assert_eq!(
        shown("count(node=\"a\u{1b}[2Jb\") > 0"),
        "count(node=\"a\u{fffd}[2Jb\") > 0\n             ^ control characters are not allowed"
    );
    assert_eq!(
        shown("count(\u{202e}) > 0"),
        "count(\u{fffd}) > 0\n      ^ expected a filter such as namespace=shop, found \"\u{fffd}\""
    );
    // The accent is drawn over the letter, and so is its caret.
    assert_eq!(
        shown("count(node=e\u{301}) > 0"),
        "count(node=e\u{301}) > 0\n           ^ expected \",\" or \")\", found \"\u{301}\""
    );
    let long = "x".repeat(50);
    assert_eq!(
        shown(&format!("{long}() > 1")),
        format!(
            "{long}() > 1\n{} unknown function \"{}…\"\n\
             help: the functions are pN, min, max, mean, sum, count and share",
            "^".repeat(50),
            "x".repeat(40)
        )
    );
}

#[test]
fn a_mistake_can_be_shown_with_any_text() {
    let error = ParseError { at: 1, length: usize::MAX, message: "m".into(), help: None };
    assert_eq!(error.show("é"), "é\n^ m");
    assert_eq!(ParseError { at: 9, ..error }.show("é"), "é\n ^ m");
}
