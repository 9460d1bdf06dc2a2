//! Row groups of a Parquet file, one at a time: so a file is read in its order, and never held whole.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::io::parquet::read::ParquetReader;
use polars::prelude::*;

/// A Parquet file's groups of rows.
#[derive(Debug)]
pub(super) struct Groups {
    path: PathBuf,
    /// What the file says of itself, without its groups: the reader looks through all that it is told of, wherever it reads.
    head: FileMetadata,
    metadata: FileMetadataRef,
}

impl Groups {
    /// Opens a file and reads what it says of itself.
    pub(super) fn open(path: &Path) -> PolarsResult<Self> {
        let mut reader = ParquetReader::new(File::open(path)?);
        let metadata = reader.get_metadata()?.clone();
        let head = FileMetadata { row_groups: Vec::new(), num_rows: 0, ..(*metadata).clone() };
        Ok(Groups { path: path.into(), head, metadata })
    }

    /// A word the file carries.
    pub(super) fn word(&self, key: &str) -> Option<&str> {
        let pairs = self.metadata.key_value_metadata().as_ref()?;
        pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_deref())
    }

    /// The names of its columns.
    pub(super) fn columns(&self) -> Vec<String> {
        self.metadata.schema_descr.fields().iter().map(|field| field.get_field_info().name.to_string()).collect()
    }

    /// Ranges of rows that can be read at once: each within a group, at most so long.
    pub(super) fn slices(&self, longest: usize) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        let mut at = 0;
        for group in &self.metadata.row_groups {
            let end = at + group.num_rows();
            while at < end {
                let to = end.min(at + longest.max(1));
                all.push(at..to);
                at = to;
            }
        }
        all
    }

    /// Reads rows, of some columns or all; those of other groups are not looked at.
    pub(super) fn read(&self, rows: Range<usize>, columns: Option<&[String]>) -> PolarsResult<DataFrame> {
        let mut found: Option<DataFrame> = None;
        let mut first = 0;
        for group in &self.metadata.row_groups {
            let (from, to) = (rows.start.max(first), rows.end.min(first + group.num_rows()));
            if from < to {
                let metadata =
                    FileMetadata { row_groups: vec![group.clone()], num_rows: group.num_rows(), ..self.head.clone() };
                let mut reader = ParquetReader::new(File::open(&self.path)?);
                reader.set_metadata(Arc::new(metadata));
                let reader = reader
                    .read_parallel(ParallelStrategy::None)
                    .with_slice(Some((from - first, to - from)))
                    .with_columns(columns.map(<[String]>::to_vec));
                let frame = reader.finish()?;
                match &mut found {
                    Some(all) => drop(all.vstack_mut_owned(frame)?),
                    None => found = Some(frame),
                }
            }
            first += group.num_rows();
        }
        match found {
            Some(frame) => Ok(frame),
            None => ParquetReader::new(File::open(&self.path)?).with_slice(Some((0, 0))).finish(),
        }
    }
}
