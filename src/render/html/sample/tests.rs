use super::*;
use crate::model::time::SECOND;
use crate::report::Coverage;
use crate::table::Table;

fn report(count: usize) -> Report {
    let row = |number: usize| Row {
        namespace: "shop".into(),
        pod: format!("web-{number}").into(),
        uid: Some(format!("00000000-0000-4000-8000-{number:012}").into()),
        created: Some(Time(1_700_000_000 * SECOND + number as i64)),
        // Every thousandth takes long.
        state: State::Running,
        running_s: Some(if number.is_multiple_of(1000) { 100.0 } else { 1.0 + (number % 7) as f64 }),
        ..Row::default()
    };
    let table = Table::from_rows((0..count).map(row).collect()).unwrap();
    Report::of(table, Vec::new(), false, &[], Coverage::default()).unwrap()
}

#[test]
fn those_that_never_ran_are_listed_however_short() {
    let count = MAX_LISTED + 8000;
    let mut rows: Vec<Row> = report(count).table.rows().map(Result::unwrap).collect();
    for (number, row) in rows.iter_mut().enumerate() {
        if number % 100 == 7 {
            (row.state, row.running_s, row.total_s) = (State::Starting, None, Some(0.5));
        }
    }
    let never = rows.iter().filter(|row| row.running_s.is_none()).count();
    assert!(never < MAX_NEVER_RAN && never > WHOLE_NEVER_RAN);
    let table = Table::from_rows(rows).unwrap();
    let listed = of_report(&Report::of(table, Vec::new(), false, &[], Coverage::default()).unwrap()).unwrap();
    let sure = listed.sure.unwrap();
    assert_eq!(sure, SLOWEST + never);
    let known = |rows: &[(Startup, Option<usize>)]| rows.iter().filter(|(row, _)| row.running.is_none()).count();
    assert_eq!((known(&listed.rows[..sure]), known(&listed.rows[sure..])), (never, 0));
    assert_eq!(listed.whole.iter().filter(|row| row.running_s.is_none()).count(), WHOLE_NEVER_RAN);
    assert!((listed.weight * (MAX_LISTED - sure) as f64 - (count - sure) as f64).abs() < 1e-6);
}

#[test]
fn few_stand_there_whole() {
    let listed = of_report(&report(FEW)).unwrap();
    assert_eq!((listed.rows.len(), listed.whole.len(), listed.sure), (FEW, FEW, None));
    assert!(listed.rows.iter().enumerate().all(|(at, (_, whole))| *whole == Some(at)), "in the order of the list");
    assert_eq!(listed.rows[0].0.running, Some(100_000_000));
}

#[test]
fn of_many_the_slowest_and_a_fair_sample() {
    let count = MAX_LISTED + 8000;
    let listed = of_report(&report(count)).unwrap();
    assert_eq!((listed.rows.len(), listed.sure, listed.whole.len()), (MAX_LISTED, Some(SLOWEST), WHOLE.0 + WHOLE.1));
    let long = listed.rows.iter().filter(|(row, _)| row.running == Some(100_000_000)).count();
    assert_eq!(long, count / 1000, "all of the slow ones");
    let pods: HashSet<&str> = listed.rows.iter().map(|(row, _)| &*row.pod).collect();
    assert_eq!(pods.len(), MAX_LISTED, "none twice");
    assert!((listed.weight * (MAX_LISTED - SLOWEST) as f64 - (count - SLOWEST) as f64).abs() < 1e-6);
    // The sample is of all lengths alike: an estimate of the mean is near the truth.
    let (slow, rest) = listed.rows.split_at(SLOWEST);
    let sum =
        |rows: &[(Startup, Option<usize>)]| rows.iter().filter_map(|(row, _)| row.running).sum::<i64>() as f64 / 1e6;
    let (estimate, truth) = (
        sum(slow) + listed.weight * sum(rest),
        (0..count).map(|n| if n % 1000 == 0 { 100.0 } else { 1.0 + (n % 7) as f64 }).sum::<f64>(),
    );
    assert!((estimate / truth - 1.0).abs() < 0.02, "{estimate} {truth}");
}
