//! Structs as columns: how a field of a row becomes a column and comes back. A struct declared with [`columns!`] is a table's
//! schema, its documentation and its JSON at once; adding a column is adding a field.

use std::sync::Arc;

use polars_arrow::array::ListArray;
use polars_arrow::offset::{Offsets, OffsetsBuffer};
use polars_core::prelude::*;

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
    /// The columns it takes, of which most types take one.
    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>);
    /// Writes cells as columns: all, or those of these.
    fn write(name: &str, cells: &[&Self], columns: Option<&[&str]>, into: &mut Vec<Column>) -> PolarsResult<()>;
    /// Reads cells back; a column that is missing gives what null gives.
    fn read(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error>;
    /// Whether the columns of a field of this name are among these.
    fn is_among(name: &str, columns: &[&str]) -> bool {
        columns.contains(&name)
    }
}

/// Gives the bytes of the next field, if it is wanted.
pub(crate) type NextField<'a> = &'a mut dyn FnMut(bool) -> Result<Option<Vec<u8>>, Error>;

/// A struct whose fields are columns.
pub(crate) trait Columns: Default {
    /// Its columns, in their order.
    fn describe() -> Vec<Described>;
    /// Rows as columns: all, or those of fields that have one of these. `spans.phase` is the column `spans` with its column `phase` alone.
    fn write(rows: &[&Self], columns: Option<&[&str]>) -> PolarsResult<Vec<Column>>;
    /// Rows of a frame.
    fn read(frame: &DataFrame) -> Result<Vec<Self>, Error>;
    /// The bytes of each field, taken out of the rows. Only the same program reads them.
    fn pack(rows: &mut [Box<Self>]) -> Vec<Vec<u8>>;
    /// So many rows from the bytes of their fields, which `next` gives one after another if they are wanted.
    fn unpack(rows: usize, next: NextField<'_>) -> Result<Vec<Self>, Error>;
    /// The columns of fields that have one of these, as [`Columns::write`] makes them, from their bytes.
    fn write_packed(rows: usize, columns: &[&str], next: NextField<'_>) -> Result<Vec<Column>, Error>;
}

/// Declares a struct whose fields are columns, with their meaning.
macro_rules! columns {
    ($(#[$meta:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty = $about:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, bitcode::Encode, bitcode::Decode)]
        #[serde(default)]
        pub struct $name { $(#[doc = $about] $(#[$attribute])* pub $field: $type,)* }

        impl $crate::table::columns::Columns for $name {
            fn describe() -> Vec<$crate::table::columns::Described> {
                let mut all = Vec::new();
                $(<$type as $crate::table::columns::Cell>::describe(stringify!($field), $about, &mut all);)*
                all
            }

            fn write(
                rows: &[&Self],
                columns: Option<&[&str]>,
            ) -> polars_core::prelude::PolarsResult<Vec<polars_core::prelude::Column>> {
                let mut all = Vec::new();
                $(if columns.is_none_or(|columns| <$type as $crate::table::columns::Cell>::is_among(stringify!($field), columns)) {
                    let cells: Vec<&$type> = rows.iter().map(|row| &row.$field).collect();
                    <$type as $crate::table::columns::Cell>::write(stringify!($field), &cells, columns, &mut all)?;
                })*
                Ok(all)
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

            fn pack(rows: &mut [Box<Self>]) -> Vec<Vec<u8>> {
                vec![$({
                    let cells: Vec<$type> = rows.iter_mut().map(|row| std::mem::take(&mut row.$field)).collect();
                    bitcode::encode(&cells)
                }),*]
            }

            fn unpack(
                count: usize,
                next: $crate::table::columns::NextField<'_>,
            ) -> Result<Vec<Self>, $crate::model::error::Error> {
                let mut rows = Vec::new();
                rows.resize_with(count, Self::default);
                $(if let Some(bytes) = next(true)? {
                    let cells: Vec<$type> = $crate::table::row_file::unpack(&bytes, count)?;
                    rows.iter_mut().zip(cells).for_each(|(row, cell)| row.$field = cell);
                })*
                Ok(rows)
            }

            fn write_packed(
                count: usize,
                columns: &[&str],
                next: $crate::table::columns::NextField<'_>,
            ) -> Result<Vec<polars_core::prelude::Column>, $crate::model::error::Error> {
                let mut all = Vec::new();
                $(if let Some(bytes) = next(<$type as $crate::table::columns::Cell>::is_among(stringify!($field), columns))? {
                    let cells: Vec<$type> = $crate::table::row_file::unpack(&bytes, count)?;
                    let cells: Vec<&$type> = cells.iter().collect();
                    <$type as $crate::table::columns::Cell>::write(stringify!($field), &cells, Some(columns), &mut all)
                        .map_err($crate::table::columns::failed)?;
                })*
                Ok(all)
            }
        }
    };
}
pub(crate) use columns;

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

/// A type that is one value of a column: how polars holds it, from and to.
macro_rules! plain {
    ($type:ty, $dtype:expr, $array:ident, |$cell:ident| $write:expr, |$value:ident| $read:expr) => {
        impl Cell for $type {
            fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
                into.push(Described { name: name.into(), dtype: $dtype, about });
            }

            fn write(name: &str, cells: &[&Self], _: Option<&[&str]>, into: &mut Vec<Column>) -> PolarsResult<()> {
                let values: Vec<_> = cells.iter().map(|$cell| $write).collect();
                into.push(Series::new(name.into(), values).into_column());
                Ok(())
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

plain!(Option<Box<str>>, DataType::String, str, |cell| cell.as_deref(), |value| value.map(Into::into));
// Names of inputs, which many cells share.
plain!(Option<Arc<str>>, DataType::String, str, |cell| cell.as_deref(), |value| value.map(Into::into));
plain!(Arc<str>, DataType::String, str, |cell| &***cell, |value| value.unwrap_or_default().into());
plain!(Box<str>, DataType::String, str, |cell| &***cell, |value| value.unwrap_or_default().into());
// A number that is none is not known; other tools write it for null.
plain!(Option<f64>, DataType::Float64, f64, |cell| **cell, |value| value.filter(|value| value.is_finite()));
plain!(f64, DataType::Float64, f64, |cell| **cell, |value| value.filter(|value| value.is_finite()).unwrap_or_default());
plain!(Option<i64>, DataType::Int64, i64, |cell| **cell, |value| value);
plain!(i64, DataType::Int64, i64, |cell| **cell, |value| value.unwrap_or_default());
plain!(Option<bool>, DataType::Boolean, bool, |cell| **cell, |value| value);

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

impl Cell for Option<Time> {
    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
        into.push(Described { name: name.into(), dtype: instant(), about });
    }

    fn write(name: &str, cells: &[&Self], _: Option<&[&str]>, into: &mut Vec<Column>) -> PolarsResult<()> {
        let values = cells.iter().map(|cell| cell.map(|time| time.0));
        let numbers = Int64Chunked::from_iter_options(name.into(), values);
        // Not by a cast: see `instants`. In memory they have no zone; files are written with that of `instant`.
        into.push(numbers.into_datetime(TimeUnit::Nanoseconds, None).into_column());
        Ok(())
    }

    fn read(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error> {
        instants(name, frame, put)
    }
}

impl Cell for Time {
    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
        <Option<Time> as Cell>::describe(name, about, into);
    }

    fn write(name: &str, cells: &[&Self], columns: Option<&[&str]>, into: &mut Vec<Column>) -> PolarsResult<()> {
        let some: Vec<Option<Time>> = cells.iter().map(|cell| Some(**cell)).collect();
        <Option<Time> as Cell>::write(name, &some.iter().collect::<Vec<_>>(), columns, into)
    }

    fn read(name: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error> {
        instants(name, frame, &mut |at, time| put(at, time.unwrap_or_default()))
    }
}

/// Types with a name in outputs are text.
macro_rules! word {
    ($type:ty) => {
        impl Cell for $type {
            fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
                into.push(Described { name: name.into(), dtype: DataType::String, about });
            }

            fn write(name: &str, cells: &[&Self], _: Option<&[&str]>, into: &mut Vec<Column>) -> PolarsResult<()> {
                let values: Vec<&str> = cells.iter().map(|cell| cell.name()).collect();
                into.push(Series::new(name.into(), values).into_column());
                Ok(())
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
    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
        into.push(Described { name: name.into(), dtype: DataType::List(Box::new(DataType::String)), about });
    }

    fn write(name: &str, cells: &[&Self], _: Option<&[&str]>, into: &mut Vec<Column>) -> PolarsResult<()> {
        let words: Vec<&str> = cells.iter().flat_map(|cell| cell.iter().map(|word| &**word)).collect();
        into.push(list(name, Series::new(name.into(), words), cells.iter().map(|cell| cell.len()))?);
        Ok(())
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
    fn describe(name: &str, about: &'static str, into: &mut Vec<Described>) {
        let fields = T::describe().into_iter().map(|inner| Field::new(inner.name.into(), inner.dtype)).collect();
        let dtype = DataType::List(Box::new(DataType::Struct(fields)));
        into.push(Described { name: name.into(), dtype, about });
    }

    fn is_among(name: &str, columns: &[&str]) -> bool {
        columns.iter().any(|column| column_of(column) == name)
    }

    fn write(name: &str, cells: &[&Self], columns: Option<&[&str]>, into: &mut Vec<Column>) -> PolarsResult<()> {
        let all: Vec<&T> = cells.iter().flat_map(|cell| cell.iter()).collect();
        let within = columns.filter(|columns| !columns.contains(&name)).map(|columns| {
            let within = columns.iter().filter_map(|column| column.strip_prefix(name)?.strip_prefix('.'));
            within.collect::<Vec<_>>()
        });
        let inner =
            DataFrame::new(all.len(), T::write(&all, within.as_deref())?)?.into_struct(name.into()).into_series();
        into.push(list(name, inner, cells.iter().map(|cell| cell.len()))?);
        Ok(())
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

fn list(name: &str, values: Series, lengths: impl Iterator<Item = usize>) -> PolarsResult<Column> {
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
