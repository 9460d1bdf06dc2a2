//! Row groups of a Parquet file, one at a time: so a file is read in its order, and is never held whole.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use polars_buffer::Buffer;
use polars_core::prelude::*;
use polars_parquet::read::{
    BasicDecompressor, ColumnChunkMetadata, FileMetadata, Filter, PageReader, RowGroupMetadata, column_iter_to_arrays,
    infer_schema, read_metadata,
};

/// A Parquet file's row groups.
#[derive(Debug)]
pub(super) struct RowGroups {
    path: PathBuf,
    schema: ArrowSchema,
    metadata: FileMetadata,
}

/// A file's row groups, with the file open.
pub(super) struct RowGroupReader<'a> {
    groups: &'a RowGroups,
    file: File,
    /// Bytes of the file: a damaged one may say that a column is longer than that.
    length: u64,
}

impl RowGroups {
    /// Opens a file and reads what it says of itself.
    pub(super) fn open(path: &Path) -> PolarsResult<Self> {
        let metadata = read_metadata(&mut File::open(path)?)?;
        Ok(RowGroups { path: path.into(), schema: infer_schema(&metadata)?, metadata })
    }

    /// A value of the file's metadata.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata.key_value_metadata().as_ref()?;
        pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_deref())
    }

    /// The names of its columns.
    pub(super) fn columns(&self) -> Vec<String> {
        self.schema.iter_names().map(ToString::to_string).collect()
    }

    /// The number of rows of each group.
    pub(super) fn heights(&self) -> impl Iterator<Item = usize> {
        self.metadata.row_groups.iter().map(RowGroupMetadata::num_rows)
    }

    /// Ranges of rows that can be read at once: each within a group, at most so long.
    pub(super) fn slices(&self, longest: usize) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        let mut at = 0;
        for height in self.heights() {
            let end = at + height;
            while at < end {
                let to = end.min(at + longest.max(1));
                all.push(at..to);
                at = to;
            }
        }
        all
    }

    /// Opens the file to read groups of it.
    pub(super) fn reader(&self) -> PolarsResult<RowGroupReader<'_>> {
        let file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        Ok(RowGroupReader { groups: self, file, length })
    }

    /// Reads rows, of some columns or all; groups without such rows are not looked at.
    pub(super) fn read(&self, rows: Range<usize>, columns: Option<&[String]>) -> PolarsResult<DataFrame> {
        let mut reader = self.reader()?;
        let columns: Vec<&str> = match columns {
            Some(columns) => columns.iter().map(String::as_str).collect(),
            None => self.schema.iter_names().map(PlSmallStr::as_str).collect(),
        };
        let mut found: Option<DataFrame> = None;
        for (group, within) in overlaps(self.heights(), rows) {
            let frame = reader.read(group, Some(within), &columns)?;
            match &mut found {
                Some(all) => drop(all.vstack_mut_owned(frame)?),
                None => found = Some(frame),
            }
        }
        Ok(found.unwrap_or_default())
    }
}

/// Which of some pieces hold which rows, where each piece has so many rows: the number of the piece, and the rows within it.
fn overlaps(heights: impl Iterator<Item = usize>, rows: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
    let starts = heights.scan(0, |at, height| {
        let first = *at;
        *at += height;
        Some(first..*at)
    });
    starts.enumerate().filter_map(move |(number, piece)| {
        let (from, to) = (rows.start.max(piece.start), rows.end.min(piece.end));
        (from < to).then(|| (number, from - piece.start..to - piece.start))
    })
}

impl RowGroupReader<'_> {
    /// Reads columns of a group, of some of its rows or all.
    pub(super) fn read(
        &mut self,
        group: usize,
        rows: Option<Range<usize>>,
        columns: &[&str],
    ) -> PolarsResult<DataFrame> {
        let Some(group) = self.groups.metadata.row_groups.get(group) else { return Ok(DataFrame::default()) };
        let height = rows.as_ref().map_or(group.num_rows(), ExactSizeIterator::len);
        let read = |name: &&str| self.column(group, rows.clone(), name);
        let columns = columns.iter().map(read).collect::<PolarsResult<Vec<_>>>()?;
        DataFrame::new(height, columns)
    }

    fn column(&self, group: &RowGroupMetadata, rows: Option<Range<usize>>, name: &str) -> PolarsResult<Column> {
        let missing = || polars_err!(ColumnNotFound: "{name}");
        let field = self.groups.schema.get(name).ok_or_else(missing)?;
        let chunks: Vec<&ColumnChunkMetadata> = group.columns_under_root_iter(name).ok_or_else(missing)?.collect();
        let mut pages = Vec::with_capacity(chunks.len());
        let mut types = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let bytes = Cursor::new(Buffer::from(self.bytes(chunk.byte_range())?));
            pages.push(BasicDecompressor::new(PageReader::new(bytes, chunk, Vec::new(), usize::MAX), Vec::new()));
            types.push(&chunk.descriptor().descriptor.primitive_type);
        }
        let filter = rows.map(|rows| Filter::new_ranged(rows.start, rows.end));
        let (arrays, _) = column_iter_to_arrays(pages, types, field.clone(), filter)?;
        Ok(Series::try_from((field, arrays))?.into_column())
    }

    fn bytes(&self, range: Range<u64>) -> PolarsResult<Vec<u8>> {
        let length = range.end.checked_sub(range.start).filter(|_| range.end <= self.length);
        let length = length.ok_or_else(|| polars_err!(ComputeError: "a column lies beyond the end of the file"))?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(range.start))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
