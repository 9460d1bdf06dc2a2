//! The pieces queries are made of: sums that do not depend on the order of rows, figures by name, values of a column.

use std::collections::BTreeMap;

use polars_core::prelude::*;

use super::phase_seconds::phase_column;
use super::startups::{Keep, Table};
use crate::model::error::Error;
use crate::model::hash::HashMap;
use crate::model::phase::Phase;

/// Seconds as whole microseconds, the nearest: sums of them do not depend on their order.
pub(super) fn micros(seconds: f64) -> i64 {
    let micros = seconds * 1e6 + 0.5;
    // Longer than an age is no length of time.
    if micros.abs() < 9e18 { micros as i64 } else { 0 }
}

/// The sum of a column in whole microseconds.
pub(super) fn sum_micros(column: &Float64Chunked) -> i64 {
    column.iter().flatten().map(micros).fold(0, i64::saturating_add)
}

/// Microseconds as seconds.
pub(super) fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// Something for each name, and for those that have none.
#[derive(Debug)]
pub(super) struct ByName<T> {
    named: HashMap<Box<str>, T>,
    nameless: Option<T>,
}

impl<T: Default> ByName<T> {
    pub(super) fn new() -> Self {
        ByName { named: HashMap::default(), nameless: None }
    }

    pub(super) fn entry(&mut self, name: Option<&str>) -> &mut T {
        let Some(name) = name else { return self.nameless.get_or_insert_default() };
        // The name is copied once, not at every look.
        if !self.named.contains_key(name) {
            self.named.insert(name.into(), T::default());
        }
        self.named.get_mut(name).unwrap_or_else(|| self.nameless.get_or_insert_default())
    }

    /// How many names there are.
    pub(super) fn names(&self) -> usize {
        self.named.len()
    }

    /// Of all names and of those that have none, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.named.values().chain(&self.nameless)
    }

    /// In the order of names, those without one first.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = (Option<Box<str>>, T)> {
        let named: BTreeMap<Box<str>, T> = self.named.into_iter().collect();
        let nameless = self.nameless.map(|value| (None, value));
        nameless.into_iter().chain(named.into_iter().map(|(name, value)| (Some(name), value)))
    }
}

/// Of some phases, in one scan: the sum in microseconds, and the seconds of every startup that has them.
pub(super) fn phase_values(table: &Table, phases: &[(Phase, &str)]) -> Result<Vec<(i64, Vec<f64>)>, Error> {
    let columns: Vec<String> = phases.iter().map(|(phase, _)| phase_column(*phase)).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut all = vec![(0i64, Vec::with_capacity(table.len())); columns.len()];
    table.scan(&columns, &mut |batch| {
        for (name, (sum, values)) in columns.iter().zip(&mut all) {
            let column = batch.seconds(name)?;
            *sum = sum.saturating_add(sum_micros(column));
            values.extend(column.iter().flatten());
        }
        Ok(())
    })?;
    Ok(all)
}

/// The values of a column of numbers, sorted, null left out; with `keep`, of the rows that are wanted by these columns.
///
/// # Errors
/// When a part of the table cannot be read.
pub(crate) fn values(table: &Table, column: &str, keep: Option<(&[&str], Keep<'_>)>) -> Result<Vec<f64>, Error> {
    let sum = [column];
    sums(table, &sum, keep)
}

/// The same of the sum of some columns; where one of them is null, so is the sum.
pub(crate) fn sums(table: &Table, columns: &[&str], keep: Option<(&[&str], Keep<'_>)>) -> Result<Vec<f64>, Error> {
    let mut read = columns.to_vec();
    let looked = keep.map_or(&[][..], |(looked, _)| looked);
    read.extend(looked.iter().filter(|name| !columns.contains(name)));
    let mut all = Vec::new();
    table.scan(&read, &mut |batch| {
        let mut numbers = columns.iter().map(|name| batch.numbers(name)).collect::<Result<Vec<_>, _>>()?.into_iter();
        let mut sum = numbers.next().unwrap_or_default();
        for more in numbers {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.zip(more).map(|(sum, more)| sum + more));
        }
        match keep {
            Some((_, keep)) => {
                all.extend(sum.into_iter().zip(keep(batch)?).filter(|(_, keep)| *keep).filter_map(|(value, _)| value));
            }
            None => all.extend(sum.into_iter().flatten()),
        }
        Ok(())
    })?;
    all.sort_by(f64::total_cmp);
    Ok(all)
}

/// A word of a column, and the sorted values of another column beside it.
pub(crate) type NamedValues = (Option<Box<str>>, Vec<f64>);

/// The values of a column of numbers, sorted, null left out, by the words of another column.
///
/// # Errors
/// When a part of the table cannot be read.
pub(crate) fn values_by(table: &Table, column: &str, by: &str) -> Result<Vec<NamedValues>, Error> {
    let mut groups: ByName<Vec<f64>> = ByName::new();
    table.scan(&[column, by], &mut |batch| {
        let names = batch.text(by)?;
        names.iter().zip(batch.numbers(column)?).for_each(|(name, value)| groups.entry(name).extend(value));
        Ok(())
    })?;
    let sort = |(name, mut values): NamedValues| {
        values.sort_by(f64::total_cmp);
        (name, values)
    };
    Ok(groups.into_sorted().map(sort).collect())
}
