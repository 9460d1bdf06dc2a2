//! The cells of one field of many rows, one after another: a row costs a field no memory of its own, a query reads the fields it
//! names, and what is written to the temporary folder is what is held.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use polars_core::prelude::*;

use super::columns::{NextField, column_of, list_column};
use super::row::Place;
use super::row_file::unpack;
use crate::model::error::Error;

/// The columns that are wanted: all, or these.
pub(crate) type Wanted<'a> = Option<&'a [&'a str]>;

/// The cells of a field.
pub(crate) trait Cells: Clone + Default + std::fmt::Debug + Send + Sync {
    /// One of them.
    type Cell;
    /// Whether a cell has columns of its own.
    const IS_TABLE: bool = false;

    /// Adds a cell.
    fn push(&mut self, cell: &Self::Cell);
    /// A cell; as an empty one where there is none.
    fn cell(&self, at: usize) -> Self::Cell;
    /// The wanted columns of some cells, which may lie in different places.
    fn gather(name: &str, wanted: Wanted<'_>, picks: &[(&Self, usize)]) -> Self;
    /// Adds them to the columns of a frame.
    fn write(&self, name: &str, wanted: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()>;
    /// Adds the bytes of each of its columns. Only the same program reads them.
    fn pack<'a>(&'a self, into: &mut Vec<Cow<'a, [u8]>>);
    /// So many cells from these bytes; of columns that are not wanted, none.
    fn unpack(name: &str, wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error>;
    /// None, with memory for about as many as these.
    fn with_room_of(others: &Self) -> Self;
    /// Whether the columns of a field of this name are among these.
    fn is_among(name: &str, columns: &[&str]) -> bool {
        columns.contains(&name)
    }
}

/// Nothing is wanted.
pub(crate) const NOTHING: Wanted<'_> = Some(&[]);

fn are_wanted(wanted: Wanted<'_>) -> bool {
    wanted != NOTHING
}

/// A value that needs no memory of its own.
pub(crate) trait Plain:
    Copy + Default + std::fmt::Debug + Send + Sync + bitcode::Encode + bitcode::DecodeOwned
{
    /// See [`Cells::write`].
    fn write(name: &str, cells: &[Self], wanted: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()>;
    /// See [`Cells::is_among`].
    fn is_among(name: &str, columns: &[&str]) -> bool {
        columns.contains(&name)
    }
}

impl<T: Plain> Cells for Vec<T> {
    type Cell = T;

    fn push(&mut self, cell: &T) {
        Vec::push(self, *cell);
    }

    fn cell(&self, at: usize) -> T {
        self.get(at).copied().unwrap_or_default()
    }

    fn gather(_: &str, _: Wanted<'_>, picks: &[(&Self, usize)]) -> Self {
        picks.iter().map(|(cells, at)| cells.cell(*at)).collect()
    }

    fn write(&self, name: &str, wanted: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        T::write(name, self, wanted, into)
    }

    fn pack<'a>(&'a self, into: &mut Vec<Cow<'a, [u8]>>) {
        into.push(Cow::Owned(bitcode::encode(self)));
    }

    fn unpack(_: &str, wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        next(are_wanted(wanted))?.map_or(Ok(Vec::new()), |bytes| unpack(&bytes, count))
    }

    fn with_room_of(others: &Self) -> Self {
        Vec::with_capacity(others.len())
    }

    fn is_among(name: &str, columns: &[&str]) -> bool {
        T::is_among(name, columns)
    }
}

/// Where each of some things that lie one after another ends.
#[derive(Clone, Debug, Default)]
struct Ends(Vec<u32>);

impl Ends {
    fn with_room_of(others: &Self) -> Self {
        Ends(Vec::with_capacity(others.0.len()))
    }

    /// The next one ends here. A group of rows has far less than 4 GiB of anything.
    fn push(&mut self, end: usize) {
        self.0.push(u32::try_from(end).unwrap_or(u32::MAX));
    }

    fn range(&self, at: usize) -> Range<usize> {
        let end = |at: usize| self.0.get(at).map_or(0, |end| *end as usize);
        at.checked_sub(1).map_or(0, end)..end(at)
    }

    fn ranges(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        (0..self.0.len()).map(|at| self.range(at))
    }

    /// How many things there are in all.
    fn total(&self) -> usize {
        self.0.last().map_or(0, |end| *end as usize)
    }
}

/// Texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    ends: Ends,
    text: String,
}

impl Texts {
    fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// A text.
    pub(super) fn str(&self, at: usize) -> &str {
        self.text.get(self.ends.range(at)).unwrap_or_default()
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.ends.ranges().map(|range| self.text.get(range).unwrap_or_default())
    }
}

impl Cells for Texts {
    type Cell = Box<str>;

    fn push(&mut self, cell: &Box<str>) {
        self.push_str(cell);
    }

    fn cell(&self, at: usize) -> Box<str> {
        self.str(at).into()
    }

    fn gather(_: &str, _: Wanted<'_>, picks: &[(&Self, usize)]) -> Self {
        let mut all = Texts::default();
        picks.iter().for_each(|(texts, at)| all.push_str(texts.str(*at)));
        all
    }

    fn write(&self, name: &str, _: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        into.push(StringChunked::from_iter_values(name.into(), self.iter()).into_column());
        Ok(())
    }

    fn pack<'a>(&'a self, into: &mut Vec<Cow<'a, [u8]>>) {
        self.ends.0.pack(into);
        into.push(Cow::Borrowed(self.text.as_bytes()));
    }

    fn unpack(_: &str, wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        let ends = Vec::<u32>::unpack("", wanted, count, next)?;
        let text = next(are_wanted(wanted))?.unwrap_or_default();
        let text = String::from_utf8(text).map_err(super::row_file::unreadable)?;
        Ok(Texts { ends: Ends(ends), text })
    }

    fn with_room_of(others: &Self) -> Self {
        Texts { ends: Ends::with_room_of(&others.ends), text: String::with_capacity(others.text.len()) }
    }
}

/// Texts that may be missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct OptionalTexts {
    known: Vec<bool>,
    texts: Texts,
}

impl OptionalTexts {
    /// A text, if there is one.
    pub(super) fn str(&self, at: usize) -> Option<&str> {
        self.known.cell(at).then(|| self.texts.str(at))
    }
}

impl Cells for OptionalTexts {
    type Cell = Option<Box<str>>;

    fn push(&mut self, cell: &Option<Box<str>>) {
        self.known.push(cell.is_some());
        self.texts.push_str(cell.as_deref().unwrap_or_default());
    }

    fn cell(&self, at: usize) -> Option<Box<str>> {
        self.str(at).map(Into::into)
    }

    fn gather(_: &str, _: Wanted<'_>, picks: &[(&Self, usize)]) -> Self {
        let mut all = OptionalTexts::default();
        for (cells, at) in picks {
            let text = cells.str(*at);
            all.known.push(text.is_some());
            all.texts.push_str(text.unwrap_or_default());
        }
        all
    }

    fn write(&self, name: &str, _: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        let texts = self.known.iter().zip(self.texts.iter()).map(|(known, text)| known.then_some(text));
        into.push(StringChunked::from_iter_options(name.into(), texts).into_column());
        Ok(())
    }

    fn pack<'a>(&'a self, into: &mut Vec<Cow<'a, [u8]>>) {
        self.known.pack(into);
        self.texts.pack(into);
    }

    fn unpack(name: &str, wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        let known = Vec::unpack(name, wanted, count, next)?;
        Ok(OptionalTexts { known, texts: Texts::unpack(name, wanted, count, next)? })
    }

    fn with_room_of(others: &Self) -> Self {
        OptionalTexts { known: Cells::with_room_of(&others.known), texts: Texts::with_room_of(&others.texts) }
    }
}

/// Names of inputs, which many cells share: each is held once.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedNames {
    names: Vec<Arc<str>>,
    numbers: Vec<u32>,
}

/// The number of no name.
const NO_NAME: u32 = u32::MAX;

impl SharedNames {
    fn push_name(&mut self, name: Option<&Arc<str>>) {
        let number = name.map_or(NO_NAME, |name| {
            // Mostly the one before, and the same piece of memory.
            let is_it = |known: &Arc<str>| Arc::ptr_eq(known, name) || **known == **name;
            let at = self.names.iter().rposition(is_it).unwrap_or_else(|| {
                self.names.push(Arc::clone(name));
                self.names.len() - 1
            });
            u32::try_from(at).unwrap_or(NO_NAME)
        });
        self.numbers.push(number);
    }

    fn name(&self, at: usize) -> Option<&Arc<str>> {
        self.names.get(*self.numbers.get(at)? as usize)
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.numbers.iter().map(|number| self.names.get(*number as usize).map(|name| &**name))
    }
}

impl Cells for SharedNames {
    type Cell = Arc<str>;

    fn push(&mut self, cell: &Arc<str>) {
        self.push_name(Some(cell));
    }

    fn cell(&self, at: usize) -> Arc<str> {
        self.name(at).cloned().unwrap_or_default()
    }

    fn gather(_: &str, _: Wanted<'_>, picks: &[(&Self, usize)]) -> Self {
        let mut all = SharedNames::default();
        picks.iter().for_each(|(names, at)| all.push_name(names.name(*at)));
        all
    }

    fn write(&self, name: &str, _: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        into.push(StringChunked::from_iter_options(name.into(), self.iter()).into_column());
        Ok(())
    }

    fn pack<'a>(&'a self, into: &mut Vec<Cow<'a, [u8]>>) {
        into.push(Cow::Owned(bitcode::encode(&self.names)));
        self.numbers.pack(into);
    }

    fn unpack(name: &str, wanted: Wanted<'_>, count: usize, next: NextField<'_>) -> Result<Self, Error> {
        let names = match next(are_wanted(wanted))? {
            Some(bytes) => bitcode::decode(&bytes).map_err(super::row_file::unreadable)?,
            None => Vec::new(),
        };
        Ok(SharedNames { names, numbers: Vec::unpack(name, wanted, count, next)? })
    }

    fn with_room_of(others: &Self) -> Self {
        SharedNames { names: Vec::new(), numbers: Cells::with_room_of(&others.numbers) }
    }
}

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
    pub(super) items: C,
}

/// The columns of a table within the rows that are wanted: `spans.phase` is the column `phase` of the table `spans`.
fn within<'a>(name: &str, columns: &[&'a str]) -> Option<Vec<&'a str>> {
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
        let inner = wanted.and_then(|columns| within(name, columns));
        let (mut ends, mut items) = (Ends::default(), Vec::new());
        for (lists, at) in picks {
            items.extend(lists.ends.range(*at).map(|at| (&lists.items, at)));
            ends.push(items.len());
        }
        Lists { ends, items: C::gather(name, inner.as_deref(), &items) }
    }

    fn write(&self, name: &str, wanted: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        let inner = wanted.and_then(|columns| within(name, columns));
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
        let inner = wanted.filter(|_| are_wanted(wanted)).and_then(|columns| within(name, columns));
        let inner = if are_wanted(wanted) { inner.as_deref() } else { NOTHING };
        let ends = Ends(Vec::unpack(name, wanted, count, next)?);
        Ok(Lists { items: C::unpack(name, inner, ends.total(), next)?, ends })
    }

    fn with_room_of(others: &Self) -> Self {
        Lists { ends: Ends::with_room_of(&others.ends), items: C::with_room_of(&others.items) }
    }

    fn is_among(name: &str, columns: &[&str]) -> bool {
        columns.iter().any(|column| column_of(column) == name)
    }
}
