//! What a description tells of its own time, and of its events' beside their ages.

use super::clock::{Bounds, Now, When};
use super::container::Container;
use super::describe::Description;
use super::row::Row;

/// What a description tells of the second it was written in: at least and at most.
pub(super) fn written(pod: &Description) -> (Option<i64>, Option<i64>) {
    let started = |row: &Row| {
        let container = pod.containers.iter().find(|container| is_of(row, container))?;
        let second = container.state.started.filter(|_| container.restarts == 0 && row.count == 1)?;
        // The event follows the start by milliseconds, so that it may be of the next second.
        Some(Now::of(second, row.first.age().filter(|_| row.reason == "Started")?, false))
    };
    let by_starts = Now::shared(&pod.rows.iter().filter_map(started).collect::<Vec<_>>());
    let ages =
        |wanted: fn(&Row) -> bool| pod.rows.iter().filter(move |row| wanted(row)).filter_map(|row| row.first.age());
    // The kubelet said nothing of the pod before it took it, and took it after it had been assigned.
    let low =
        pod.start.and_then(|start| ages(Row::has_whole_seconds).map(|age| start.saturating_add(age.seconds)).max());
    let high = pod
        .start
        .and_then(|start| ages(|row| row.assigned().is_some()).map(|age| Now::of(start, age, false).high).min());
    match by_starts {
        Some(now) => {
            let low = low.filter(|low| *low <= now.high).unwrap_or(now.low);
            let high = high.filter(|high| *high >= now.low.max(low)).unwrap_or(now.high);
            (Some(low.max(now.low)), Some(high.min(now.high)))
        }
        // By different clocks.
        None if low.zip(high).is_some_and(|(low, high)| low > high) => (low, None),
        None => (low, high),
    }
}

fn is_of(row: &Row, container: &Container) -> bool {
    row.path.split_once('{').and_then(|(_, name)| name.strip_suffix('}')) == Some(&*container.name)
}

/// When each event of a description was first and last, by its ages, by the instants that the description shows, and by the order
/// of its table, which is that of the last time.
pub(super) fn of_rows(pod: &Description, now: Now) -> Vec<(Option<Bounds>, Option<Bounds>)> {
    let bounds = |row: &Row, when: When| {
        let mut bounds = when.bounds(now, row.has_whole_seconds())?;
        let started = pod.containers.iter().find(|container| is_of(row, container) && container.restarts == 0);
        let started = started.and_then(|container| container.state.started);
        if let Some(started) = started.filter(|_| row.reason == "Started" && row.count == 1) {
            clamp(&mut bounds, started, started.saturating_add(2));
        } else if let Some(start) = pod.start {
            if row.assigned().is_some() {
                clamp(&mut bounds, i64::MIN, start.saturating_add(1));
            } else if row.has_whole_seconds() {
                clamp(&mut bounds, start, i64::MAX);
            }
        }
        Some(bounds)
    };
    let mut lasts: Vec<Option<Bounds>> = pod.rows.iter().map(|row| bounds(row, row.last)).collect();
    let (mut low, mut high) = (i64::MIN, i64::MAX);
    for (_, last) in pod.rows.iter().zip(&mut lasts).filter(|(row, _)| row.has_whole_seconds()) {
        let Some(last) = last else { continue };
        clamp(last, low, i64::MAX);
        low = last.low;
    }
    for (_, last) in pod.rows.iter().zip(&mut lasts).rev().filter(|(row, _)| row.has_whole_seconds()) {
        let Some(last) = last else { continue };
        clamp(last, i64::MIN, high);
        high = last.high;
    }
    let first = |(row, last): (&Row, Option<Bounds>)| {
        if row.count == 1 {
            return (last, last);
        }
        let mut first = bounds(row, row.first);
        if let (Some(first), Some(last)) = (&mut first, last) {
            clamp(first, i64::MIN, last.high);
        }
        (first, last)
    };
    pod.rows.iter().zip(lasts).map(first).collect()
}

/// The part of the bounds that is also between two others, if there is one.
fn clamp(bounds: &mut Bounds, low: i64, high: i64) {
    let both = Bounds { low: bounds.low.max(low), high: bounds.high.min(high) };
    if both.low < both.high {
        *bounds = both;
    }
}
