//! The cells of one field of many rows, one after another: a row costs a field no memory of its own, a query reads the fields it
//! names, and what is written to the temporary folder is what is held.

mod lists;
mod texts;

use std::borrow::Cow;

pub(super) use lists::{Lists, Places};
use polars_core::prelude::*;
pub(super) use texts::{OptionalTexts, SharedNames, Texts};

use super::columns::NextField;
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
    /// Adds of a cell the columns that are wanted, where it has several.
    fn push_wanted(&mut self, cell: &Self::Cell, _: Wanted<'_>) {
        self.push(cell);
    }
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
