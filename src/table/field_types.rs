//! The types that a field of a row can have: how its cells are held, documented and read from a file.

use std::sync::Arc;

use polars_core::prelude::*;

use super::cells::{Lists, OptionalTexts, Plain, SharedNames, Texts, Wanted};
use super::columns::{Cell, Columns, Described, instant, unlist, unreadable_column};
use crate::model::error::{Error, ErrorKind};
use crate::model::time::Time;

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
                    let array = column.$array().map_err(unreadable_column)?;
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
        for (at, value) in numbers.i64().map_err(unreadable_column)?.iter().enumerate() {
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
                for (at, word) in column.str().map_err(unreadable_column)?.iter().enumerate() {
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
        let mut words = values.str().map_err(unreadable_column)?.iter();
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
        let inner = values.struct_().map_err(unreadable_column)?.clone().unnest();
        let mut items = T::read(&inner)?.into_iter();
        for (at, length) in lengths.into_iter().enumerate() {
            put(at, items.by_ref().take(length).collect());
        }
        Ok(())
    }
}
