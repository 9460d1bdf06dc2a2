use serde_json::Value;

use super::super::fixture;
use super::*;

fn trace(rows: Vec<Row>) -> String {
    let mut out = Vec::new();
    write(&fixture::report(rows, "").unwrap(), TextOptions::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn events(text: &str) -> Vec<Value> {
    let trace: Value = serde_json::from_str(text).unwrap();
    assert_eq!(trace["displayTimeUnit"], "ms");
    trace["traceEvents"].as_array().unwrap().clone()
}

/// Slices of a thread: those that begin later, or stand later in the file, end within the open ones or begin after them.
fn nests(events: &[Value]) {
    let mut threads: HashMap<(u64, u64), Vec<(i64, i64)>> = HashMap::new();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let at = |name: &str| event[name].as_i64().unwrap();
        assert!(at("dur") >= 0, "{event}");
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        threads.entry(thread).or_default().push((at("ts"), at("ts") + at("dur")));
    }
    for slices in threads.values_mut() {
        slices.sort_by_key(|(from, _)| *from);
        let mut open: Vec<i64> = Vec::new();
        for (from, to) in slices.iter() {
            open.retain(|end| *end > *from);
            assert!(open.last().is_none_or(|end| to <= end), "{slices:?}");
            open.push(*to);
        }
    }
}

#[test]
fn a_report_is_this_trace() {
    fixture::check("fixed.trace.json", &trace(fixture::fixed()));
}

#[test]
fn spans_tile_their_startup() {
    let rows = fixture::fixed();
    let events = events(&trace(rows.clone()));
    nests(&events);
    for (row, tid) in rows.iter().zip([2, 3]) {
        let mine = |cat: &str| {
            let mine = events.iter().filter(|event| event["ph"] == "X" && event["tid"] == tid && event["cat"] == cat);
            mine.map(|event| event["dur"].as_i64().unwrap()).sum::<i64>()
        };
        assert_eq!(mine("span"), mine("startup"), "{}", row.pod);
        assert!((mine("span") as f64 - row.total_s.unwrap() * 1e6).abs() <= 1.0, "{}", row.pod);
    }
}

#[test]
fn no_two_processes_or_threads_share_a_number() {
    let events = events(&trace(fixture::hostile()));
    let mut names: Vec<u64> =
        events.iter().filter(|event| event["ph"] == "M").map(|event| event["tid"].as_u64().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, (1..=5).collect::<Vec<u64>>(), "two nodes and three startups; the fourth has no instant");
    assert!(events.iter().all(|event| event["pid"].as_u64() < Some(5) && event["tid"].as_u64() > Some(0)));
}

#[test]
fn a_hostile_log_stays_text_and_its_slices_nest() {
    let text = trace(fixture::hostile());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    assert!(!text.contains("\\u0") && !text.contains(['\u{202e}', '\u{200f}']), "{text}");
    nests(&events(&text));
}

#[test]
fn of_nothing_there_is_an_empty_trace() {
    assert_eq!(events(&trace(Vec::new())), Vec::<Value>::new());
}
