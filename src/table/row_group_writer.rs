//! Writes tables as Parquet, a group of rows after another.

use std::io::{self, Write};

use polars_core::prelude::*;
use polars_parquet::read::ParquetError;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, Compressor, DynIter, DynStreamingIterator, Encoding, FallibleStreamingIterator,
    FileWriter, KeyValue, ParquetType, StatisticsOptions, Version, WriteOptions, array_to_columns, get_dtype_encoding,
    schema_to_metadata_key,
};

use super::error_capture::{ErrorCapture, ErrorCapturingWriter};

/// A Parquet file that is being written.
pub(super) struct RowGroupWriter<W: Write> {
    file: FileWriter<ErrorCapturingWriter<W>>,
    encodings: Vec<Vec<Encoding>>,
    options: WriteOptions,
    failure: ErrorCapture,
}

type Pages = DynStreamingIterator<'static, CompressedPage, PolarsError>;

impl<W: Write> RowGroupWriter<W> {
    /// Begins a file of these columns.
    pub(super) fn new(
        out: W,
        fields: impl Iterator<Item = Field>,
        compression: CompressionOptions,
        statistics: StatisticsOptions,
    ) -> io::Result<Self> {
        let schema: ArrowSchema = fields
            .map(|field| (field.name.clone(), field.dtype.to_arrow_field(field.name, CompatLevel::newest())))
            .collect();
        let encodings = schema.iter_values().map(|field| get_dtype_encoding(&field.dtype)).collect();
        let options = WriteOptions { statistics, version: Version::V1, compression, data_page_size: None };
        let failure = ErrorCapture::default();
        let file = FileWriter::try_new(ErrorCapturingWriter::new(out, &failure), schema, options);
        Ok(RowGroupWriter { file: file.map_err(|error| failure.or(error))?, encodings, options, failure })
    }

    /// Writes rows as one group for each of the frame's chunks. Its columns are those that were named first.
    pub(super) fn write(&mut self, frame: &DataFrame) -> io::Result<()> {
        for batch in frame.iter_chunks(CompatLevel::newest(), false).filter(|batch| !batch.is_empty()) {
            let fields = self.file.parquet_schema().fields();
            let columns = batch.columns().iter().zip(fields).zip(&self.encodings);
            let pages = columns.map(|((array, field), encoding)| encode(array, field, encoding, self.options));
            let pages = pages.collect::<PolarsResult<Vec<_>>>().map_err(|error| self.failure.or(error))?;
            let group = DynIter::new(pages.into_iter().flatten().map(Ok));
            self.file.write(batch.len() as u64, group).map_err(|error| self.failure.or(error))?;
        }
        Ok(())
    }

    /// Ends the file, with values of its metadata.
    pub(super) fn finish(&mut self, metadata: Vec<(String, String)>) -> io::Result<()> {
        let pairs = metadata.into_iter().map(|(key, value)| KeyValue { key, value: Some(value) });
        let all = std::iter::once(schema_to_metadata_key(self.file.schema())).chain(pairs).collect();
        self.file.end(Some(all)).map(drop).map_err(|error| self.failure.or(error))
    }
}

/// The pages of a column's leaves, packed as they are taken.
fn encode(
    array: &ArrayRef,
    field: &ParquetType,
    encoding: &[Encoding],
    options: WriteOptions,
) -> PolarsResult<Vec<Pages>> {
    let leaves = array_to_columns(array, field.clone(), options, encoding)?;
    let pack = |pages: DynIter<'static, PolarsResult<_>>| {
        let pages = pages.map(|page| page.map_err(|error| ParquetError::FeatureNotSupported(error.to_string())));
        DynStreamingIterator::new(
            Compressor::new_from_vec(DynIter::new(pages), options.compression, Vec::new()).map_err(PolarsError::from),
        )
    };
    Ok(leaves.into_iter().map(pack).collect())
}
