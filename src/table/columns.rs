//! Structs as columns: how a field of a row becomes a column and comes back. A struct declared with [`columns!`] is a table's
//! schema, its documentation and its JSON at once; adding a column is adding a field.

use polars_arrow::array::ListArray;
use polars_arrow::offset::{Offsets, OffsetsBuffer};
use polars_core::prelude::*;

use super::cells::{Cells, Wanted};
use crate::model::error::{Error, ErrorKind};

/// A column as it is documented in a file's metadata and checked when a file is read.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub dtype: DataType,
    /// What it means, its unit, when it is null.
    pub about: &'static str,
}

/// A type that a field of a row can have.
pub(crate) trait Cell: Sized {
    /// How the cells of many rows are held.
    type Cells: Cells<Cell = Self>;
    /// The columns it takes, of which most types take one.
    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>);
    /// Reads cells of a frame; a column that is missing gives what null gives.
    fn read(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error>;
}

/// Gives the bytes of the next column, if it is wanted.
pub(crate) type NextField<'a> = &'a mut dyn FnMut(bool) -> Result<Option<Vec<u8>>, Error>;

/// A struct whose fields are columns.
pub(crate) trait Columns: Clone + Default {
    /// Many of them, field by field.
    type Cells: Cells<Cell = Self>;
    /// Its columns, in their order.
    fn describe() -> Vec<Described>;
    /// Rows of a frame.
    fn read(frame: &DataFrame) -> Result<Vec<Self>, Error>;
    /// The wanted columns of some rows.
    fn write<'a>(rows: impl IntoIterator<Item = &'a Self>, wanted: Wanted<'_>) -> PolarsResult<Vec<Column>>
    where
        Self: 'a,
    {
        let (mut cells, mut all) = (Self::Cells::default(), Vec::new());
        rows.into_iter().for_each(|row| cells.push_wanted(row, wanted));
        cells.write("", wanted, &mut all)?;
        Ok(all)
    }
}

/// Declares a struct whose fields are columns, with their meaning, and the struct that holds many of it.
macro_rules! columns {
    ($(#[$meta:meta])* $name:ident as $cells:ident { $($(#[$attribute:meta])* $field:ident: $type:ty = $about:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default)]
        pub struct $name { $(#[doc = $about] $(#[$attribute])* pub $field: $type,)* }

        #[doc = concat!("Many of [`", stringify!($name), "`], field by field.")]
        #[derive(Clone, Debug, Default)]
        pub(crate) struct $cells { $(pub(super) $field: <$type as $crate::table::columns::Cell>::Cells,)* }

        impl $crate::table::columns::Columns for $name {
            type Cells = $cells;

            fn describe() -> Vec<$crate::table::columns::Described> {
                let mut all = Vec::new();
                $(<$type as $crate::table::columns::Cell>::describe(stringify!($field), $about, &mut all);)*
                all
            }

            fn read(frame: &polars_core::prelude::DataFrame) -> Result<Vec<Self>, $crate::model::error::Error> {
                let mut rows = vec![Self::default(); frame.height()];
                $(<$type as $crate::table::columns::Cell>::read(stringify!($field), frame, &mut |at, cell| {
                    if let Some(row) = rows.get_mut(at) {
                        row.$field = cell;
                    }
                })?;)*
                Ok(rows)
            }
        }

        impl $crate::table::cells::Cells for $cells {
            type Cell = $name;
            const IS_TABLE: bool = true;

            fn push(&mut self, row: &$name) {
                $($crate::table::cells::Cells::push(&mut self.$field, &row.$field);)*
            }

            fn push_wanted(&mut self, row: &$name, wanted: $crate::table::cells::Wanted<'_>) {
                $(if $crate::table::columns::is_wanted::<$type>(stringify!($field), wanted) {
                    $crate::table::cells::Cells::push(&mut self.$field, &row.$field);
                })*
            }

            fn cell(&self, at: usize) -> $name {
                $name { $($field: $crate::table::cells::Cells::cell(&self.$field, at),)* }
            }

            fn gather(_: &str, wanted: $crate::table::cells::Wanted<'_>, picks: &[(&Self, usize)]) -> Self {
                $(let $field = if $crate::table::columns::is_wanted::<$type>(stringify!($field), wanted) {
                    let picks: Vec<_> = picks.iter().map(|(rows, at)| (&rows.$field, *at)).collect();
                    $crate::table::cells::Cells::gather(stringify!($field), wanted, &picks)
                } else {
                    Default::default()
                };)*
                $cells { $($field,)* }
            }

            fn write(
                &self,
                _: &str,
                wanted: $crate::table::cells::Wanted<'_>,
                into: &mut Vec<polars_core::prelude::Column>,
            ) -> polars_core::prelude::PolarsResult<()> {
                $(if $crate::table::columns::is_wanted::<$type>(stringify!($field), wanted) {
                    $crate::table::cells::Cells::write(&self.$field, stringify!($field), wanted, into)?;
                })*
                Ok(())
            }

            fn pack<'a>(&'a self, into: &mut Vec<std::borrow::Cow<'a, [u8]>>) {
                $($crate::table::cells::Cells::pack(&self.$field, into);)*
            }

            fn unpack(
                _: &str,
                wanted: $crate::table::cells::Wanted<'_>,
                count: usize,
                next: $crate::table::columns::NextField<'_>,
            ) -> Result<Self, $crate::model::error::Error> {
                Ok($cells { $($field: {
                    let is_wanted = $crate::table::columns::is_wanted::<$type>(stringify!($field), wanted);
                    let wanted = if is_wanted { wanted } else { $crate::table::cells::NOTHING };
                    $crate::table::cells::Cells::unpack(stringify!($field), wanted, count, next)?
                },)* })
            }

            fn with_room_of(others: &Self) -> Self {
                $cells { $($field: $crate::table::cells::Cells::with_room_of(&others.$field),)* }
            }
        }
    };
}
pub(crate) use columns;

/// Whether a field of this type and name has a column that is wanted.
pub(crate) fn is_wanted<T: Cell>(name: &str, wanted: Wanted<'_>) -> bool {
    wanted.is_none_or(|columns| T::Cells::is_among(name, columns))
}

/// The column of a row that one is, or lies within.
pub(super) fn column_of(column: &str) -> &str {
    column.split_once('.').map_or(column, |(outer, _)| outer)
}

/// An error of polars as one of ours.
pub(crate) fn failed(error: PolarsError) -> Error {
    Error::new(ErrorKind::Output, format!("a table could not be computed: {error}"))
}

/// The type of instants: nanoseconds, UTC.
pub(crate) fn instant() -> DataType {
    DataType::Datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC))
}

/// The same type with instants in microseconds, which are what every reader of Parquet knows: Spark refuses nanoseconds.
pub(super) fn in_microseconds(dtype: &DataType) -> DataType {
    match dtype {
        DataType::Datetime(_, zone) => DataType::Datetime(TimeUnit::Microseconds, zone.clone()),
        DataType::List(inner) => DataType::List(Box::new(in_microseconds(inner))),
        DataType::Struct(fields) => {
            let field = |field: &Field| Field::new(field.name.clone(), in_microseconds(&field.dtype));
            DataType::Struct(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

/// A table of someone else's that cannot be read.
pub(super) fn unreadable_column(error: PolarsError) -> Error {
    Error::new(ErrorKind::Source, format!("a column cannot be read: {error}"))
}

/// A column of lists of these values, by their lengths.
pub(super) fn list_column(name: &str, values: Series, lengths: impl Iterator<Item = usize>) -> PolarsResult<Column> {
    let values = values.rechunk().to_arrow(0, CompatLevel::newest());
    let offsets: OffsetsBuffer<i64> = Offsets::try_from_lengths(lengths)?.into();
    let dtype = ListArray::<i64>::default_datatype(values.dtype().clone());
    let lists = ListArray::<i64>::try_new(dtype, offsets, values, None)?;
    Ok(Series::try_from((PlSmallStr::from_str(name), Box::new(lists) as ArrayRef))?.into_column())
}

/// The values of a column of lists one after another, and how many belong to each row.
pub(super) fn unlist(column: &Column) -> Result<(Series, Vec<usize>), Error> {
    let series = column.as_materialized_series().rechunk();
    let lists = series.list().map_err(unreadable_column)?;
    let lengths: Vec<usize> =
        lists.downcast_iter().flat_map(|array| array.offsets().lengths().collect::<Vec<_>>()).collect();
    let values = match lists.downcast_iter().next() {
        // The values may begin before the first offset when the column is a slice.
        Some(array) => {
            let (from, length) = (array.offsets().first(), array.offsets().range());
            lists.get_inner().slice(*from, usize::try_from(length).unwrap_or(0))
        }
        None => lists.get_inner(),
    };
    Ok((values, lengths))
}
