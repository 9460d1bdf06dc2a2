//! Structs as columns: how a field of a row becomes a column and comes back. A struct declared with [`columns!`] is a table's
//! schema, its documentation and its JSON at once; adding a column is adding a field.

use std::sync::Arc;

use polars_arrow::array::ListArray;
use polars_arrow::offset::{Offsets, OffsetsBuffer};
use polars_core::prelude::*;

use super::cells::{Cells, Lists, OptionalTexts, Plain, SharedNames, Texts, Wanted};
use crate::model::error::{Error, ErrorKind};
use crate::model::time::Time;

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
        rows.into_iter().for_each(|row| cells.push(row));
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
fn unreadable(error: PolarsError) -> Error {
    Error::new(ErrorKind::Source, format!("a column cannot be read: {error}"))
}

/// A column of this type, `None` where there is none or nothing in it. A file written by another tool may hold a narrower
/// number or a coarser instant; anything else is not guessed at.
fn column(name: &str, frame: &DataFrame, dtype: &DataType) -> Result<Option<Column>, Error> {
    let Ok(column) = frame.column(name) else { return Ok(None) };
    if column.dtype() == dtype {
        return Ok(Some(column.clone()));
    }
    if column.null_count() == column.len() {
        return Ok(None);
    }
    let alike = (column.dtype().is_primitive_numeric() && dtype.is_primitive_numeric())
        || (column.dtype().is_datetime() && dtype.is_datetime());
    let wrong = || Error::new(ErrorKind::Source, format!("column {name} is {}, not {dtype}", column.dtype()));
    if !alike {
        return Err(wrong());
    }
    column.strict_cast(dtype).map(Some).map_err(|_| wrong())
}

/// A type that is one value of a column: how polars holds it, and what is read back.
macro_rules! plain {
    ($type:ty, $cells:ty, $dtype:expr, $array:ident, |$value:ident| $read:expr) => {
        impl Cell for $type {
            type Cells = $cells;

            fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
                into.push(Described { name: name.into(), dtype: $dtype, about });
            }

            fn read(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error> {
                if let Some(column) = column(name, frame, &$dtype)? {
                    let array = column.$array().map_err(unreadable)?;
                    for (at, $value) in array.iter().enumerate() {
                        put(at, $read);
                    }
                }
                Ok(())
            }
        }
    };
}

plain!(Option<Box<str>>, OptionalTexts, DataType::String, str, |value| value.map(Into::into));
plain!(Box<str>, Texts, DataType::String, str, |value| value.unwrap_or_default().into());
// Names of inputs, which many cells share.
plain!(Arc<str>, SharedNames, DataType::String, str, |value| value.unwrap_or_default().into());
// A number that is none is not known; other tools write it for null.
plain!(Option<f64>, Vec<Self>, DataType::Float64, f64, |value| value.filter(|value| value.is_finite()));
plain!(f64, Vec<Self>, DataType::Float64, f64, |value| value.filter(|value| value.is_finite()).unwrap_or_default());
plain!(Option<i64>, Vec<Self>, DataType::Int64, i64, |value| value);
plain!(i64, Vec<Self>, DataType::Int64, i64, |value| value.unwrap_or_default());
plain!(Option<bool>, Vec<Self>, DataType::Boolean, bool, |value| value);

/// Numbers and marks are written as they are.
macro_rules! numbers {
    ($($type:ty)*) => {
        $(impl Plain for $type {
            fn write(name: &str, cells: &[Self], _: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
                into.push(Series::new(name.into(), cells).into_column());
                Ok(())
            }
        })*
    };
}
numbers!(Option<f64> f64 Option<i64> i64 u64 Option<bool> bool u32);

/// Polars holds instants as whole numbers. A cast of a column without values would make one from the 8 MiB of zeros it keeps for that.
fn instants(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Option<Time>)) -> Result<(), Error> {
    if let Some(column) = column(name, frame, &instant())? {
        let numbers = column.as_materialized_series().to_physical_repr();
        for (at, value) in numbers.i64().map_err(unreadable)?.iter().enumerate() {
            put(at, value.map(Time));
        }
    }
    Ok(())
}

impl Plain for Option<Time> {
    fn write(name: &str, cells: &[Self], _: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        let values = cells.iter().map(|cell| cell.map(|time| time.0));
        let numbers = Int64Chunked::from_iter_options(name.into(), values);
        // Not by a cast: see `instants`. In memory they have no zone; files are written with that of `instant`.
        into.push(numbers.into_datetime(TimeUnit::Nanoseconds, None).into_column());
        Ok(())
    }
}

impl Cell for Option<Time> {
    type Cells = Vec<Self>;

    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
        into.push(Described { name: name.into(), dtype: instant(), about });
    }

    fn read(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error> {
        instants(name, frame, put)
    }
}

impl Plain for Time {
    fn write(name: &str, cells: &[Self], wanted: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        Plain::write(name, &cells.iter().copied().map(Some).collect::<Vec<_>>(), wanted, into)
    }
}

impl Cell for Time {
    type Cells = Vec<Self>;

    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
        <Option<Time> as Cell>::describe(name, about, into);
    }

    fn read(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error> {
        instants(name, frame, &mut |at, time| put(at, time.unwrap_or_default()))
    }
}

/// Types with a name in outputs are text.
macro_rules! word {
    ($type:ty) => {
        impl Plain for $type {
            fn write(name: &str, cells: &[Self], _: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
                let words = cells.iter().map(|cell| cell.name());
                into.push(StringChunked::from_iter_values(name.into(), words).into_column());
                Ok(())
            }
        }

        impl Cell for $type {
            type Cells = Vec<Self>;

            fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
                into.push(Described { name: name.into(), dtype: DataType::String, about });
            }

            fn read(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error> {
                let Some(column) = column(name, frame, &DataType::String)? else { return Ok(()) };
                for (at, word) in column.str().map_err(unreadable)?.iter().enumerate() {
                    let word = word.unwrap_or("null");
                    let known = Self::from_name(word).ok_or_else(|| {
                        Error::new(
                            ErrorKind::Source,
                            format!("column {name} holds {word:?}, which this version does not know"),
                        )
                        .help("was it written by a newer podlag?")
                    });
                    put(at, known?);
                }
                Ok(())
            }
        }
    };
}
word!(crate::model::startup::State);
word!(crate::breakdown::Precision);
word!(crate::model::phase::Phase);

/// A list of words.
impl Cell for Vec<Box<str>> {
    type Cells = Lists<Texts>;

    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
        into.push(Described { name: name.into(), dtype: DataType::List(Box::new(DataType::String)), about });
    }

    fn read(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error> {
        let dtype = DataType::List(Box::new(DataType::String));
        let Some(column) = column(name, frame, &dtype)? else { return Ok(()) };
        let (values, lengths) = unlist(&column)?;
        let mut words = values.str().map_err(unreadable)?.iter();
        for (at, length) in lengths.into_iter().enumerate() {
            put(at, words.by_ref().take(length).map(|word| word.unwrap_or_default().into()).collect());
        }
        Ok(())
    }
}

/// A list of structs: a table within the row.
impl<T: Columns> Cell for Vec<T> {
    type Cells = Lists<T::Cells>;

    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
        let fields = T::describe().into_iter().map(|inner| Field::new(inner.name.into(), inner.dtype)).collect();
        let dtype = DataType::List(Box::new(DataType::Struct(fields)));
        into.push(Described { name: name.into(), dtype, about });
    }

    fn read(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error> {
        let Ok(column) = frame.column(name) else { return Ok(()) };
        if column.null_count() == column.len() {
            return Ok(());
        }
        let (values, lengths) = unlist(column)?;
        let inner = values.struct_().map_err(unreadable)?.clone().unnest();
        let mut items = T::read(&inner)?.into_iter();
        for (at, length) in lengths.into_iter().enumerate() {
            put(at, items.by_ref().take(length).collect());
        }
        Ok(())
    }
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
    let lists = series.list().map_err(unreadable)?;
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
