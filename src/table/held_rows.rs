//! Rows in memory: in groups as they came, field by field, and beside them the order they are given in.

use std::borrow::Cow;

use polars_core::prelude::*;

use super::cells::{Cells, NOTHING, Wanted};
use super::columns::{NextField, column_of, failed};
use super::row::{Row, RowCells, SpanCells};
use crate::model::error::Error;
use crate::model::time::Time;

/// Rows of a group: enough for their fields to be packed well, few enough for one row to be read fast.
pub(super) const GROUP: usize = 512;

/// A column that no output shows: the instant a row is filed under, see `Row::began`.
pub(super) const BEGAN: &str = "_began";

/// The same: the number of a row in the order of arrival.
pub(super) const NUMBER: &str = "_number";

/// Some rows, or of some rows the columns that are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Of each row, its number in the order of arrival.
    pub numbers: Vec<u64>,
    began: Vec<Option<Time>>,
    rows: RowCells,
}

/// Whether a column that no output shows is wanted.
fn is_wanted(name: &str, wanted: Wanted<'_>) -> bool {
    wanted.is_none_or(|columns| columns.contains(&name))
}

impl Group {
    fn with_room_of(other: &Self) -> Self {
        let began = Vec::with_capacity(other.began.len());
        Group { numbers: Vec::with_capacity(other.numbers.len()), began, rows: Cells::with_room_of(&other.rows) }
    }

    pub(super) fn push(&mut self, number: u64, row: &Row) {
        self.numbers.push(number);
        self.began.push(row.began());
        self.rows.push(row);
    }

    /// A row.
    pub(super) fn row(&self, at: usize) -> Row {
        self.rows.cell(at)
    }

    /// As [`Row::order`].
    fn order(&self, at: usize) -> (Option<Time>, &str, &str, &str, &str) {
        let RowCells { namespace, pod, uid, node, .. } = &self.rows;
        let (uid, node) = (uid.str(at).unwrap_or_default(), node.str(at).unwrap_or_default());
        (self.began.cell(at), namespace.str(at), pod.str(at), uid, node)
    }

    /// The wanted columns of some rows, which may lie in different groups.
    fn gather(wanted: Wanted<'_>, picks: &[(&Group, usize)]) -> Self {
        let numbers = picks.iter().filter(|_| is_wanted(NUMBER, wanted));
        let began = picks.iter().filter(|_| is_wanted(BEGAN, wanted));
        Group {
            numbers: numbers.map(|(group, at)| group.numbers.cell(*at)).collect(),
            began: began.map(|(group, at)| group.began.cell(*at)).collect(),
            rows: RowCells::gather("", wanted, &picks.iter().map(|(group, at)| (&group.rows, *at)).collect::<Vec<_>>()),
        }
    }

    /// Columns, where there are so many rows. Of a table within the rows it has those columns alone that are named, or all.
    pub(super) fn frame(&self, columns: &[&str], height: usize) -> Result<DataFrame, Error> {
        let mut all = Vec::new();
        self.rows.write("", Some(columns), &mut all).map_err(failed)?;
        if columns.contains(&BEGAN) {
            let began: Vec<Option<i64>> = self.began.iter().map(|began| began.map(|time| time.0)).collect();
            all.push(Series::new(BEGAN.into(), began).into_column());
        }
        let mut outer: Vec<&str> = columns.iter().map(|column| column_of(column)).collect();
        outer.dedup();
        DataFrame::new(height, all).and_then(|frame| frame.select(outer)).map_err(failed)
    }

    /// The spans of all rows.
    pub(super) fn spans(&self) -> &SpanCells {
        &self.rows.spans.items
    }

    /// The bytes of each column.
    pub(super) fn pack(&self) -> Vec<Cow<'_, [u8]>> {
        let mut all = vec![Cow::Owned(bitcode::encode(&self.numbers)), Cow::Owned(bitcode::encode(&self.began))];
        self.rows.pack(&mut all);
        all
    }

    /// The wanted columns of so many rows from their bytes.
    pub(super) fn unpack(wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        let hidden = |name| if is_wanted(name, wanted) { None } else { NOTHING };
        Ok(Group {
            numbers: Vec::unpack(NUMBER, hidden(NUMBER), count, next)?,
            began: Vec::unpack(BEGAN, hidden(BEGAN), count, next)?,
            rows: RowCells::unpack("", wanted, count, next)?,
        })
    }
}

/// Rows, in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldRows {
    groups: Vec<Group>,
    /// Where each row lies: its group, and its place there.
    order: Vec<(u32, u32)>,
}

impl HeldRows {
    pub(super) fn push(&mut self, number: u64, row: &Row) {
        match self.groups.last() {
            // Groups are about as large: memory that grows is copied and cleared again and again.
            Some(full) if full.numbers.len() >= GROUP => self.groups.push(Group::with_room_of(full)),
            Some(_) => {}
            None => self.groups.push(Group::default()),
        }
        let group = self.groups.len() - 1;
        if let Some(last) = self.groups.last_mut() {
            let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            self.order.push((place(group), place(last.numbers.len())));
            last.push(number, row);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Puts them in order; equal ones stay as they came.
    pub(super) fn sort(&mut self) {
        let HeldRows { groups, order } = self;
        let key = |(group, at): &(u32, u32)| groups.get(*group as usize).map(|group| group.order(*at as usize));
        order.sort_by(|a, b| key(a).cmp(&key(b)));
    }

    fn pick(&self, (group, at): (u32, u32)) -> Option<(&Group, usize)> {
        Some((self.groups.get(group as usize)?, at as usize))
    }

    /// The row at a place.
    pub(super) fn row(&self, place: usize) -> Option<Row> {
        let (group, at) = self.pick(*self.order.get(place)?)?;
        Some(group.row(at))
    }

    /// The wanted columns of all rows in order, group by group, each with how many rows it has.
    pub(super) fn groups(&self, wanted: Wanted<'_>) -> impl Iterator<Item = (Group, usize)> {
        self.order.chunks(GROUP).map(move |order| {
            let picks: Vec<_> = order.iter().filter_map(|place| self.pick(*place)).collect();
            (Group::gather(wanted, &picks), picks.len())
        })
    }

    /// Takes out as many of the first rows as make a group, with how many they are; none: there are no rows.
    pub(super) fn take_group(&mut self) -> Option<(Group, usize)> {
        let first = self.groups(None).next()?;
        let mut others = HeldRows::default();
        for place in self.order.get(first.1..).unwrap_or_default() {
            if let Some((group, at)) = self.pick(*place) {
                others.push(group.numbers.cell(at), &group.row(at));
            }
        }
        *self = others;
        Some(first)
    }

    /// The numbers of the rows in the order of arrival.
    pub(super) fn numbers(&self) -> Vec<u64> {
        self.groups(Some(&[NUMBER])).flat_map(|(group, _)| group.numbers).collect()
    }

    /// Removes the rows that do not stay, by their numbers. Their memory goes with the others'.
    pub(super) fn retain(&mut self, stays: impl Fn(u64) -> bool) {
        let HeldRows { groups, order } = self;
        let number = |(group, at): &(u32, u32)| Some(groups.get(*group as usize)?.numbers.cell(*at as usize));
        order.retain(|place| number(place).is_some_and(&stays));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::table::row::{Finding, Place};

    /// Rows as they came, and as they were given.
    pub(in crate::table) fn rows(count: usize) -> (HeldRows, Vec<Row>) {
        let evidence = |number: usize| Some(Place { source: format!("{}.log", number % 3).into(), line: 7 });
        let finding = |number: usize| Finding {
            cause: "image-pull-slow".into(),
            error: number.is_multiple_of(3).then(|| "why".into()),
            evidence: evidence(number).filter(|_| number.is_multiple_of(5)),
            ..Finding::default()
        };
        let row = |number: usize| Row {
            // Every other row is of the same instant.
            created: Some(Time(((number * 7) % count / 2) as i64)),
            pod: format!("p-{}", number % 4).into(),
            findings: (0..number % 3).map(finding).collect(),
            anomalies: (0..number % 2).map(|_| "é".into()).collect(),
            ..Row::default()
        };
        let given: Vec<Row> = (0..count).map(row).collect();
        let mut held = HeldRows::default();
        given.iter().zip(0..).for_each(|(row, number)| held.push(number, row));
        (held, given)
    }

    #[test]
    fn rows_are_sorted_and_come_back_as_they_were() {
        let count = GROUP * 2 + 3;
        let (mut held, mut given) = rows(count);
        held.sort();
        given.sort_by(|a, b| a.order().cmp(&b.order()));
        assert_eq!((0..count).filter_map(|at| held.row(at)).collect::<Vec<_>>(), given);
        let grouped =
            held.groups(None).flat_map(|(group, count)| (0..count).map(|at| group.row(at)).collect::<Vec<_>>());
        assert_eq!(grouped.collect::<Vec<_>>(), given);
        assert!(held.row(count).is_none());
        held.retain(|number| number % 2 == 1);
        assert_eq!(held.len(), count / 2);
        assert!(held.numbers().iter().all(|number| number % 2 == 1));
        let (first, size) = held.take_group().unwrap();
        assert_eq!((size, first.numbers.len(), held.len()), (GROUP, GROUP, count / 2 - GROUP));
    }

    #[test]
    fn a_group_holds_the_columns_that_are_wanted() {
        let (held, given) = rows(5);
        let (group, count) = held.groups(Some(&["findings.error", "pod"])).next().unwrap();
        assert_eq!((count, group.numbers.len(), group.began.len()), (5, 0, 0));
        for (at, given) in given.iter().enumerate() {
            let row = group.row(at);
            assert_eq!((&row.pod, row.created, row.anomalies.len()), (&given.pod, None, 0));
            assert_eq!(row.findings.len(), given.findings.len());
            for (finding, given) in row.findings.iter().zip(&given.findings) {
                assert_eq!((&*finding.cause, &finding.error, &finding.evidence), ("", &given.error, &None));
            }
        }
    }
}
