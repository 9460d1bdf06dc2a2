//! Some rows of a table, as columns: what queries read. A batch is at most a row group, so that no query holds a table.

use polars_core::prelude::*;

use super::columns::{failed, unlist};
use crate::model::error::Error;

/// Some columns of some rows that lie one after another in a part.
#[derive(Debug)]
pub(crate) struct Batch {
    frame: DataFrame,
    /// The part they lie in.
    pub part: usize,
    /// The place of the first of them in that part.
    pub first: usize,
}

/// A table within the rows of a batch, as rows of its own.
pub(crate) struct Nested {
    /// Of each item, the number of its row in the batch.
    pub rows: Vec<usize>,
    /// The items.
    pub items: Batch,
}

impl Batch {
    pub(super) fn new(frame: DataFrame, part: usize, first: usize) -> Self {
        Batch { frame, part, first }
    }

    /// How many rows it has.
    pub(crate) fn len(&self) -> usize {
        self.frame.height()
    }

    /// Its columns.
    pub(super) fn frame(&self) -> &DataFrame {
        &self.frame
    }

    fn column(&self, name: &str) -> Result<&Column, Error> {
        self.frame.column(name).map_err(failed)
    }

    /// A column of text.
    pub(crate) fn text(&self, name: &str) -> Result<&StringChunked, Error> {
        self.column(name)?.str().map_err(failed)
    }

    /// A column of seconds.
    pub(crate) fn seconds(&self, name: &str) -> Result<&Float64Chunked, Error> {
        self.column(name)?.f64().map_err(failed)
    }

    /// A column of true and false.
    pub(crate) fn flags(&self, name: &str) -> Result<&BooleanChunked, Error> {
        self.column(name)?.bool().map_err(failed)
    }

    /// A column of whole numbers, or of instants as nanoseconds.
    pub(crate) fn integers(&self, name: &str) -> Result<Int64Chunked, Error> {
        let column = self.column(name)?;
        if column.dtype().is_datetime() {
            return Ok(column.as_materialized_series().to_physical_repr().i64().map_err(failed)?.clone());
        }
        let numbers = column.cast(&DataType::Int64).map_err(failed)?;
        Ok(numbers.i64().map_err(failed)?.clone())
    }

    /// A column of numbers of any kind, of true and false, or of instants, as numbers.
    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<Option<f64>>, Error> {
        Ok(match self.column(name)?.dtype() {
            DataType::Float64 => self.seconds(name)?.iter().collect(),
            DataType::Boolean => self.flags(name)?.iter().map(|flag| flag.map(f64::from)).collect(),
            _ => self.integers(name)?.iter().map(|number| number.map(|number| number as f64)).collect(),
        })
    }

    /// Whether each row has no value in a column.
    pub(crate) fn nulls(&self, name: &str) -> Result<Vec<bool>, Error> {
        Ok(self.column(name)?.is_null().iter().map(|unknown| unknown.unwrap_or(true)).collect())
    }

    /// A column of lists of words, as the words and how many of them belong to each row.
    pub(crate) fn words(&self, name: &str) -> Result<(StringChunked, Vec<usize>), Error> {
        let (values, lengths) = unlist(self.column(name)?)?;
        Ok((values.str().map_err(failed)?.clone(), lengths))
    }

    /// A table within the rows.
    pub(crate) fn nested(&self, name: &str) -> Result<Nested, Error> {
        let (values, lengths) = unlist(self.column(name)?)?;
        let frame = values.struct_().map_err(failed)?.clone().unnest();
        let rows = lengths.iter().enumerate().flat_map(|(row, length)| std::iter::repeat_n(row, *length)).collect();
        Ok(Nested { rows, items: Batch::new(frame, self.part, 0) })
    }
}
