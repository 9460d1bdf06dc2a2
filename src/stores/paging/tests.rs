//! Stores that hold a few lines and cut their answers in all ways.

use std::io::Read;

use super::super::Line;
use super::*;

/// Lines with their seconds; gives the oldest `limit` of a stretch, and says that it is full only if `tells`.
struct Lines {
    lines: Vec<(i64, &'static str)>,
    limit: usize,
    tells: bool,
    fails: usize,
}

impl Store for Lines {
    fn labels(&mut self) -> Result<Vec<String>, HttpError> {
        Ok(Vec::new())
    }

    fn values(&mut self, _: &str) -> Result<Vec<String>, HttpError> {
        Ok(Vec::new())
    }

    fn page(&mut self, _: &Selection, range: &Range<Time>) -> Result<Page, HttpError> {
        if self.fails > 0 {
            self.fails -= 1;
            return Err(HttpError::new(HttpErrorKind::Timeout, "http://x", "too slow", ""));
        }
        let lines = self.lines.iter().map(|(at, text)| (Time(at * SECOND), *text));
        let lines = lines.filter(|(at, _)| range.contains(at)).take(self.limit);
        let lines: Vec<Line> = lines.map(|(at, text)| Line { at, record: text.into() }).collect();
        let is_full = self.tells && lines.len() == self.limit;
        // Newest first: the order in a page does not count.
        Ok(Page { lines: lines.into_iter().rev().collect(), is_full, warnings: Vec::new() })
    }
}

fn read(store: Lines, seconds: i64) -> (String, StoreOutcome) {
    let window = Time(0)..Time(seconds * SECOND);
    let mut text = StoreText::new(Box::new(store), Selection::default(), window);
    let mut all = String::new();
    text.read_to_string(&mut all).unwrap();
    let outcome = std::mem::take(&mut *text.outcome().lock().unwrap());
    (all.replace('\n', " "), outcome)
}

fn lines(lines: &[(i64, &'static str)], limit: usize, tells: bool) -> Lines {
    Lines { lines: lines.to_vec(), limit, tells, fails: 0 }
}

#[test]
fn all_lines_come_once_however_an_answer_is_cut() {
    let all = [(0, "a"), (5, "b"), (5, "c"), (5, "d"), (6, "e"), (299, "f"), (300, "g"), (4000, "h"), (7199, "i")];
    for limit in 4..12 {
        for tells in [true, false] {
            let (text, outcome) = read(lines(&all, limit, tells), 7200);
            let mut letters: Vec<&str> = text.split_whitespace().collect();
            letters.sort_unstable();
            assert_eq!(letters, ["a", "b", "c", "d", "e", "f", "g", "h", "i"], "{limit} {tells}: {text}");
            assert_eq!((outcome.remarks.len(), outcome.is_incomplete), (0, false), "{:?}", outcome.remarks);
        }
    }
    let (text, _) = read(lines(&[(1, "a"), (2, "b"), (2, "b"), (3, "c")], 3, true), 60);
    assert_eq!(text, "a b b c ", "lines that are the same and were both written");
}

#[test]
fn more_lines_of_one_time_than_a_page_holds_are_told() {
    let (text, outcome) = read(lines(&[(1, "a"), (2, "b"), (2, "c"), (2, "d"), (3, "e")], 2, true), 60);
    assert_eq!(text, "a b c e ");
    assert_eq!(outcome.remarks.len(), 1);
    assert!(outcome.remarks[0].contains("more than 2 lines have the time"), "{:?}", outcome.remarks);
}

#[test]
fn what_fails_is_asked_for_in_smaller_parts_and_then_told() {
    let all = [(0, "a"), (5, "b"), (200, "c"), (299, "d")];
    let (text, outcome) = read(Lines { fails: 3, ..lines(&all, 10, true) }, 300);
    assert_eq!((text.as_str(), outcome.is_incomplete), ("a b c d ", false), "{:?}", outcome.remarks);
    let (text, outcome) = read(Lines { fails: 4, ..lines(&all, 10, true) }, 300);
    assert_eq!((text.as_str(), outcome.is_incomplete), ("", true));
    assert!(outcome.remarks[0].starts_with("nothing was read after 1970-01-01T00:00:00"), "{:?}", outcome.remarks);
    let (_, outcome) = read(lines(&[], 10, true), 300);
    assert!(outcome.remarks[0].contains("no such lines from 1970"), "{:?}", outcome.remarks);
}
