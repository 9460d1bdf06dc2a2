use super::*;
use crate::model::startup::State;
use crate::model::time::{SECOND, Time};
use crate::report::Coverage;
use crate::table::{Finding, Line, Table};

/// The bytes that a page has for its startups, about.
const ROOM: usize = 4_500_000;

fn row(number: usize) -> Row {
    Row {
        namespace: "shop".into(),
        pod: format!("web-{number}").into(),
        uid: Some(format!("00000000-0000-4000-8000-{number:012}").into()),
        created: Some(Time(1_700_000_000 * SECOND + number as i64)),
        state: State::Running,
        // Every thousandth takes long.
        running_s: Some(if number.is_multiple_of(1000) { 100.0 } else { 1.0 + (number % 7) as f64 }),
        ..Row::default()
    }
}

/// A page of these rows, and the bytes it takes for them.
fn fitted(rows: Vec<Row>, room: usize) -> (Sample, usize) {
    let table = Table::from_rows(rows).unwrap();
    let report = Report::of(table, Vec::new(), false, &[], Coverage::default()).unwrap();
    let (mut candidates, mut sums) = (Candidates::new(&report, room), Summing::new());
    for row in report.table.rows() {
        candidates.take(&row.unwrap(), &mut sums).unwrap();
    }
    let sample = candidates.fit(0).unwrap();
    let bytes = crate::render::html::json_bytes(&crate::render::html::data::Data::of(&report, &sample, None)).unwrap();
    let head = crate::render::html::json_bytes(&crate::render::html::data::Data::of(&report, &Sample::default(), None))
        .unwrap();
    (sample, bytes - head)
}

fn rows_of(sample: &Sample) -> Vec<Row> {
    sample.whole.iter().map(|row| serde_json::from_str(row.get()).unwrap()).collect()
}

fn pods(rows: &[Row]) -> HashSet<&str> {
    rows.iter().map(|row| &*row.pod).collect()
}

#[test]
fn what_fits_is_not_cut_however_many_they_are() {
    for count in [1, 400, 1_500] {
        let (sample, bytes) = fitted((0..count).map(row).collect(), ROOM);
        assert_eq!((sample.rows.len(), sample.whole.len()), (count, count));
        assert!(sample.sampled.is_none() && bytes <= ROOM);
        assert!(sample.rows.iter().enumerate().all(|(at, (_, whole))| *whole == Some(at)), "in the order of the list");
        assert_eq!(sample.rows[0].0.running, Some(100_000_000), "the slowest first");
    }
    // Twelve thousand of these do not fit in full, but as a list.
    let (sample, bytes) = fitted((0..12_000).map(row).collect(), ROOM);
    assert_eq!((sample.rows.len(), sample.weight), (12_000, 1.0));
    assert!(sample.sampled.is_none() && sample.whole.len() > 400, "{} in full", sample.whole.len());
    assert!(bytes <= ROOM && bytes > ROOM * 9 / 10, "{bytes} bytes: the room is used");
}

#[test]
fn of_more_than_fit_the_first_and_a_fair_sample() {
    let count = 50_000;
    let (sample, bytes) = fitted((0..count).map(row).collect(), ROOM);
    assert!(bytes <= ROOM && bytes > ROOM * 9 / 10, "{bytes} bytes: the room is used");
    let sampled = sample.sampled.as_ref().unwrap();
    let long = sample.rows.iter().filter(|(row, _)| row.running == Some(100_000_000)).count();
    assert_eq!(long, count / 1000, "all of the slow ones");
    let pods: HashSet<&str> = sample.rows.iter().map(|(row, _)| &*row.pod).collect();
    assert_eq!(pods.len(), sample.rows.len(), "none twice");
    let order: Vec<_> = sample.rows.iter().map(|(row, _)| row.running).collect();
    assert!(order.is_sorted_by(|a, b| a >= b), "the slowest first");
    let weights: f64 = sampled.iter().map(|sampled| if *sampled { sample.weight } else { 1.0 }).sum();
    assert!((weights / count as f64 - 1.0).abs() < 1e-9, "they stand for all");
    // The sample is of all lengths alike: an estimate of the mean is near the truth.
    let running = sample.rows.iter().filter_map(|(row, _)| row.running).zip(sampled);
    let estimate: f64 =
        running.map(|(micros, sampled)| micros as f64 / 1e6 * if *sampled { sample.weight } else { 1.0 }).sum();
    let truth: f64 = (0..count).filter_map(|number| row(number).running_s).sum();
    assert!((estimate / truth - 1.0).abs() < 0.02, "{estimate} {truth}");
}

#[test]
fn the_worst_of_each_cause_and_those_that_did_not_come_up_are_there_in_full() {
    let text = "x".repeat(2_000);
    let finding = |cause: &str, lost_s: f64| Finding { cause: cause.into(), lost_s, ..Finding::default() };
    let rows: Vec<Row> = (0..30_000)
        .map(|number| {
            let mut row = row(number);
            row.lines = vec![Line { source: "kubelet.log".into(), line: 1, text: text.as_str().into() }];
            // Of a cause that costs little none is slow.
            if number % 100 == 1 {
                row.findings = vec![finding("image-large", number as f64 / 1e6)];
            } else if number.is_multiple_of(1000) {
                row.findings = vec![finding("image-pull-queued", 90.0)];
            } else if number % 100 == 7 {
                (row.state, row.running_s, row.total_s) = (State::Gone, None, Some(0.5));
            }
            row
        })
        .collect();
    let worst: Vec<String> = (0..5).map(|at| format!("web-{}", 29_901 - 100 * at)).collect();
    let never: Vec<String> = (0..300).map(|at| format!("web-{}", 100 * at + 7)).collect();
    let mut backwards = rows.clone();
    backwards.reverse();
    let (sample, bytes) = fitted(rows, ROOM);
    assert!(bytes <= ROOM, "{bytes} bytes");
    let whole = rows_of(&sample);
    let found = pods(&whole);
    for pod in worst.iter().chain(&never) {
        assert!(found.contains(pod.as_str()), "{pod} is not there in full");
    }
    assert!(whole.iter().any(|row| &*row.pod == "web-0"), "the slowest");
    let (again, _) = fitted(backwards, ROOM);
    assert_eq!(whole, rows_of(&again), "in whatever order they came");
}

#[test]
fn long_names_and_escapes_do_not_break_the_limit() {
    let rows: Vec<Row> = (0..20_000)
        .map(|number| Row {
            pod: format!("<<\\\"\u{1}\u{1f}{}-{number}", "ü".repeat(60)).into(),
            node: Some(format!("node-{number}").into()),
            workload: format!("shop/{number}<").into(),
            ..row(number)
        })
        .collect();
    let (sample, bytes) = fitted(rows, 2_000_000);
    assert!(bytes <= 2_000_000 && bytes > 1_500_000, "{bytes} bytes");
    assert!(sample.sampled.is_some());
}
