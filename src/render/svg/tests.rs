use std::collections::BTreeSet;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::fixture;
use super::*;

fn svg(rows: &[Row]) -> String {
    let mut out = Vec::new();
    write(rows, TextOptions::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The elements of a picture, which is well-formed.
fn elements(text: &str) -> BTreeSet<String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut found = BTreeSet::new();
    let mut open = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                open += 1;
                start.attributes().for_each(|attribute| drop(attribute.unwrap()));
                found.insert(String::from_utf8(start.name().as_ref().to_vec()).unwrap());
            }
            Event::Empty(start) => {
                found.insert(String::from_utf8(start.name().as_ref().to_vec()).unwrap());
            }
            Event::End(_) => open -= 1,
            Event::Text(text) => drop(text.decode().unwrap()),
            Event::GeneralRef(reference) => {
                let known = ["amp", "lt", "gt", "quot", "#39", "#10"].map(str::as_bytes);
                assert!(known.contains(&&*reference), "{reference:?}");
            }
            Event::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(open, 0);
    found
}

#[test]
fn a_startup_is_this_picture() {
    fixture::check("fixed.svg", &svg(&fixture::fixed()));
}

#[test]
fn a_hostile_log_stays_text() {
    let known = ["defs", "g", "path", "pattern", "rect", "style", "svg", "text", "title", "tspan"].map(str::to_owned);
    assert_eq!(elements(&svg(&fixture::fixed())), BTreeSet::from(known.clone()));
    let text = svg(&fixture::hostile());
    assert_eq!(elements(&text), BTreeSet::from(known));
    let broken = |c: &char| *c != '\n' && c.is_control() || matches!(*c, '\u{200f}' | '\u{202e}' | '\u{fffe}');
    assert_eq!(text.chars().find(broken), None);
    assert!(!text.contains("NaN") && !text.contains("inf\""), "{text}");
}

#[test]
fn it_is_bounded() {
    let mut row = fixture::fixed().remove(0);
    row.spans = row.spans.iter().cycle().take(SPANS * 5).cloned().collect();
    let text = svg(&vec![row; STARTUPS * 5]);
    assert_eq!(text.matches(r#"class="name""#).count(), STARTUPS);
    assert_eq!(text.matches("and 800 more spans").count(), STARTUPS);
    assert!(text.contains("and 80 more startups"));
    elements(&text);
}

#[test]
fn of_nothing_there_is_an_empty_picture() {
    elements(&svg(&[]));
}
