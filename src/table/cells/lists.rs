//! Places of lines, and lists: cells of which each is several.

use std::borrow::Cow;

use polars_core::prelude::*;

use super::texts::{Ends, SharedNames};
use super::{Cells, NOTHING, Wanted, are_wanted};
use crate::model::error::Error;
use crate::table::columns::{NextField, column_of, list_column};
use crate::table::row::Place;

/// Places of lines, which may be missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    sources: SharedNames,
    lines: Vec<Option<i64>>,
}

impl Cells for Places {
    type Cell = Option<Place>;

    fn push(&mut self, cell: &Option<Place>) {
        self.sources.push_name(cell.as_ref().map(|place| &place.source));
        self.lines.push(cell.as_ref().map(|place| place.line));
    }

    fn cell(&self, at: usize) -> Option<Place> {
        self.lines.cell(at).map(|line| Place { source: self.sources.cell(at), line })
    }

    fn gather(name: &str, wanted: Wanted<'_>, picks: &[(&Self, usize)]) -> Self {
        let sources: Vec<_> = picks.iter().map(|(places, at)| (&places.sources, *at)).collect();
        let lines: Vec<_> = picks.iter().map(|(places, at)| (&places.lines, *at)).collect();
        Places { sources: Cells::gather(name, wanted, &sources), lines: Cells::gather(name, wanted, &lines) }
    }

    fn write(&self, name: &str, wanted: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        self.sources.write(&format!("{name}_source"), wanted, into)?;
        Cells::write(&self.lines, &format!("{name}_line"), wanted, into)
    }

    fn pack<'a>(&'a self, into: &mut Vec<Cow<'a, [u8]>>) {
        self.sources.pack(into);
        self.lines.pack(into);
    }

    fn unpack(name: &str, wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        let sources = SharedNames::unpack(name, wanted, count, next)?;
        Ok(Places { sources, lines: Vec::unpack(name, wanted, count, next)? })
    }

    fn with_room_of(others: &Self) -> Self {
        Places { sources: Cells::with_room_of(&others.sources), lines: Cells::with_room_of(&others.lines) }
    }
}

/// Lists of cells, or tables within the rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists<C> {
    ends: Ends,
    /// The items of all lists.
    pub(in crate::table) items: C,
}

/// The columns of a table within the rows that are wanted: `spans.phase` is the column `phase` of the table `spans`.
fn inner_columns<'a>(name: &str, columns: &[&'a str]) -> Option<Vec<&'a str>> {
    let inner = |column: &&'a str| column.strip_prefix(name)?.strip_prefix('.');
    (!columns.contains(&name)).then(|| columns.iter().filter_map(inner).collect())
}

impl<C: Cells> Cells for Lists<C> {
    type Cell = Vec<C::Cell>;

    fn push(&mut self, cell: &Vec<C::Cell>) {
        cell.iter().for_each(|item| self.items.push(item));
        self.ends.push(self.ends.total() + cell.len());
    }

    fn cell(&self, at: usize) -> Vec<C::Cell> {
        self.ends.range(at).map(|at| self.items.cell(at)).collect()
    }

    fn gather(name: &str, wanted: Wanted<'_>, picks: &[(&Self, usize)]) -> Self {
        let inner = wanted.and_then(|columns| inner_columns(name, columns));
        let (mut ends, mut items) = (Ends::default(), Vec::new());
        for (lists, at) in picks {
            items.extend(lists.ends.range(*at).map(|at| (&lists.items, at)));
            ends.push(items.len());
        }
        Lists { ends, items: C::gather(name, inner.as_deref(), &items) }
    }

    fn write(&self, name: &str, wanted: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        let inner = wanted.and_then(|columns| inner_columns(name, columns));
        let mut columns = Vec::new();
        self.items.write(name, inner.as_deref(), &mut columns)?;
        let items = if C::IS_TABLE {
            DataFrame::new(self.ends.total(), columns)?.into_struct(name.into()).into_series()
        } else {
            let items = columns.into_iter().next().map(|column| column.as_materialized_series().clone());
            items.unwrap_or_default()
        };
        into.push(list_column(name, items, self.ends.ranges().map(|range| range.len()))?);
        Ok(())
    }

    fn pack<'a>(&'a self, into: &mut Vec<Cow<'a, [u8]>>) {
        self.ends.0.pack(into);
        self.items.pack(into);
    }

    fn unpack(name: &str, wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        let inner = wanted.filter(|_| are_wanted(wanted)).and_then(|columns| inner_columns(name, columns));
        let inner = if are_wanted(wanted) { inner.as_deref() } else { NOTHING };
        let ends = Ends::unpack(wanted, count, next)?;
        Ok(Lists { items: C::unpack(name, inner, ends.total(), next)?, ends })
    }

    fn with_room_of(others: &Self) -> Self {
        Lists { ends: Ends::with_room_of(&others.ends), items: C::with_room_of(&others.items) }
    }

    fn is_among(name: &str, columns: &[&str]) -> bool {
        columns.iter().any(|column| column_of(column) == name)
    }
}
