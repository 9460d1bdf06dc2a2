use super::super::fixture;
use super::span::{LINE, code, short};
use super::*;
use crate::table::{Finding, Row};

fn markdown(rows: Vec<Row>, text: &str) -> String {
    let mut out = Vec::new();
    write(&fixture::report(rows, text).unwrap(), TextOptions::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A line without its code spans, as CommonMark finds them: a run of backticks ends at the next as long.
fn bare(line: &str) -> String {
    let runs = |text: &str, long: usize| {
        let bytes = text.as_bytes();
        let tick = |at: usize| bytes.get(at) == Some(&b'`');
        (0..text.len())
            .find(|at| (*at == 0 || !tick(at - 1)) && (0..long).all(|next| tick(at + next)) && !tick(at + long))
    };
    let Some(at) = line.find('`').filter(|at| !line[..*at].ends_with('\\')) else { return line.to_owned() };
    let long = line[at..].len() - line[at..].trim_start_matches('`').len();
    let rest = &line[at + long..];
    let end = runs(rest, long).unwrap_or_else(|| panic!("a code span does not end: {line}"));
    format!("{}◌{}", &line[..at], bare(&rest[end + long..]))
}

#[test]
fn a_report_is_this_markdown() {
    fixture::check("fixed.md", &markdown(fixture::fixed(), ""));
}

#[test]
fn a_hostile_log_stays_text() {
    let text = markdown(fixture::hostile(), fixture::HOSTILE);
    let broken = |c: &char| *c != '\n' && c.is_control() || matches!(*c, '\u{200f}' | '\u{202e}');
    assert_eq!(text.chars().find(broken), None);
    let mut columns = None;
    for line in text.lines() {
        let mut rest = bare(line);
        if rest.starts_with('|') {
            // No dialect lets an escaped pipe split a cell; of those in code spans none is left.
            let cells = line.matches('|').count();
            assert!(columns.is_none_or(|columns| columns == cells), "{line}");
            columns = Some(cells);
        } else {
            columns = None;
        }
        for escaped in ["\\[", "\\]", "\\!", "\\#", "\\`", "\\|", "\\\\", "\\_", "\\*"] {
            rest = rest.replace(escaped, "");
        }
        let rest = rest.trim_start_matches('#').replace("<1 %", "");
        assert!(!rest.contains(['<', '[', '`', '#']), "{line}\n{rest}");
        assert!(!rest.contains("@all"), "{line}");
    }
}

#[test]
fn code_spans_hold_any_text() {
    assert_eq!(code("a"), "`a`");
    assert_eq!(code("a``b`c"), "```a``b`c```");
    assert_eq!(code("`a"), "`` `a ``");
    assert_eq!([code(""), code(" \u{20} ")], ["–", "–"]);
    assert_eq!(cell("a\\|b"), "`a\\│b`");
    assert_eq!(short("0123456789", 7), "01…6789");
    assert_eq!(line(&"é".repeat(LINE + 1)), format!("`{}…`", "é".repeat(LINE)));
}

#[test]
fn a_forge_takes_it_whole() {
    let long: String = "&<`|\u{301}".repeat(400);
    let row = |number: usize| {
        let mut row = fixture::hostile().remove(number % 2);
        row.pod = format!("{number}{long}").into();
        row.uid = Some(format!("{number}-0").into());
        row.kubelet_version = Some(format!("{long}{number}").into());
        row.anomalies = crate::breakdown::ANOMALIES.iter().map(|(_, id)| (*id).into()).collect();
        let finding = |cause: &causes::Cause| Finding {
            cause: cause.id.into(),
            lost_s: 1.0,
            waited_for: Some(long.as_str().into()),
            evidence: row.spans.first().and_then(|span| span.evidence.clone()),
            ..Finding::default()
        };
        row.findings = causes::all().map(finding).collect();
        row.lines.iter_mut().for_each(|line| line.text = long.as_str().into());
        row
    };
    let mut report = fixture::report((0..40).map(row).collect(), &long).unwrap();
    report.coverage.source_errors = vec![long.clone(); 100];
    report.coverage.filters = vec![long.clone(); 100];
    let mut out = Vec::new();
    write(&report, TextOptions::default(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.chars().count() < 50_000, "{}", text.chars().count());
    assert!(text.contains("- and 90 more"));
}
