//! Rows in a file of the temporary folder, a group after another, each field of a group by itself: a query reads the fields it
//! names. To write nested columns as Parquet took 30 % of the time of an analysis (docs/speed.md).
//!
//! The file lives as long as the run, and only the run that wrote it reads it: its form is that of the program.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use lz4::block::CompressionMode;

use super::cells::Wanted;
use super::held_rows::{GROUP, Group, HeldRows, NUMBER};
use super::row::Row;
use crate::model::error::{Error, ErrorKind};

/// How much LZ4 leaves uncompressed to be faster.
const ACCELERATION: i32 = 8;

/// A file of rows.
#[derive(Debug)]
pub(super) struct RowFile {
    path: PathBuf,
    rows: usize,
    groups: Vec<WrittenGroup>,
}

/// Where a group lies.
#[derive(Debug)]
struct WrittenGroup {
    rows: usize,
    /// Where its first field begins. Each follows the one before.
    start: u64,
    fields: Vec<PackedField>,
}

/// How many bytes a field of a group takes.
#[derive(Clone, Copy, Debug)]
struct PackedField {
    packed: u32,
    unpacked: u32,
}

pub(super) fn unwritable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Output, format!("startups could not be written to the temporary folder: {error}"))
        .help("free some space there, name another folder with TMPDIR, or raise --memory")
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Output, format!("startups could not be read back from the temporary folder: {error}"))
        .help("name another folder with TMPDIR, or raise --memory")
}

impl RowFile {
    /// Writes groups of sorted rows, all but the last of which are full, until there is none.
    pub(super) fn write(
        path: PathBuf,
        groups: &mut dyn Iterator<Item = Result<(Group, usize), Error>>,
    ) -> Result<Self, Error> {
        let mut out = BufWriter::new(File::create(&path).map_err(unwritable)?);
        let mut written = RowFile { path, rows: 0, groups: Vec::new() };
        let mut start = 0;
        for group in groups {
            let (group, rows) = group?;
            let group = write_group(&group, rows, start, &mut out)?;
            start += group.fields.iter().map(|field| u64::from(field.packed)).sum::<u64>();
            written.rows += group.rows;
            written.groups.push(group);
        }
        out.flush().map_err(unwritable)?;
        Ok(written)
    }

    /// How many rows it has.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Gives some columns of each group in order, and how many rows it has.
    pub(super) fn scan(
        &self,
        columns: &[&str],
        take: &mut dyn FnMut(Group, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut file = self.open()?;
        self.groups.iter().try_for_each(|group| take(group.read(&mut file, Some(columns))?, group.rows))
    }

    /// The numbers of the rows in the order of arrival.
    pub(super) fn numbers(&self) -> Result<Vec<u64>, Error> {
        let mut all = Vec::with_capacity(self.rows);
        self.scan(&[NUMBER], &mut |group, _| {
            all.extend(group.numbers);
            Ok(())
        })?;
        Ok(all)
    }

    /// The rows at these places, which are in order, each once. So each group is read once.
    pub(super) fn at(&self, places: &[usize]) -> Result<Vec<Row>, Error> {
        let mut file = self.open()?;
        let mut found = Vec::with_capacity(places.len());
        // Every group but the last is full.
        for within in places.chunk_by(|a, b| a / GROUP == b / GROUP) {
            let Some(group) = within.first().and_then(|place| self.groups.get(place / GROUP)) else { continue };
            let rows = group.read(&mut file, None)?;
            let there = within.iter().map(|place| place % GROUP).filter(|at| *at < group.rows);
            found.extend(there.map(|at| rows.row(at)));
        }
        Ok(found)
    }

    /// Another file, of the rows that stay by their numbers.
    pub(super) fn filtered(&self, stays: &dyn Fn(u64) -> bool) -> Result<Self, Error> {
        let mut file = self.open()?;
        let mut groups = self.groups.iter();
        let mut left = HeldRows::default();
        let mut next = || {
            while left.len() < GROUP
                && let Some(group) = groups.next()
            {
                let rows = group.read(&mut file, None)?;
                let staying = rows.numbers.iter().enumerate().filter(|(_, number)| stays(**number));
                staying.for_each(|(at, number)| left.push(*number, &rows.row(at)));
            }
            Ok(left.take_group())
        };
        RowFile::write(self.path.with_extension("once"), &mut std::iter::from_fn(|| next().transpose()))
    }

    fn open(&self) -> Result<File, Error> {
        File::open(&self.path).map_err(unreadable)
    }
}

fn write_group(group: &Group, rows: usize, start: u64, out: &mut dyn Write) -> Result<WrittenGroup, Error> {
    let mut written = WrittenGroup { rows, start, fields: Vec::new() };
    for field in group.pack() {
        let packed =
            lz4::block::compress(&field, Some(CompressionMode::FAST(ACCELERATION)), false).map_err(unwritable)?;
        out.write_all(&packed).map_err(unwritable)?;
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(unwritable);
        written.fields.push(PackedField { packed: length(&packed)?, unpacked: length(&field)? });
    }
    Ok(written)
}

/// The cells of a field, one for each row.
pub(super) fn unpack<T: bitcode::DecodeOwned>(bytes: &[u8], rows: usize) -> Result<Vec<T>, Error> {
    let cells: Vec<T> = bitcode::decode(bytes).map_err(unreadable)?;
    if cells.len() == rows { Ok(cells) } else { Err(unreadable("a field has another number of rows")) }
}

impl WrittenGroup {
    /// Its rows, or columns of them.
    fn read(&self, file: &mut File, wanted: Wanted<'_>) -> Result<Group, Error> {
        let mut fields = self.fields.iter();
        let mut at = self.start;
        Group::unpack(wanted, self.rows, &mut |is_wanted| {
            let Some(field) = fields.next() else { return Err(unreadable("a field is missing")) };
            let start = at;
            at += u64::from(field.packed);
            if is_wanted { field.read(file, start).map(Some).map_err(unreadable) } else { Ok(None) }
        })
    }
}

impl PackedField {
    fn read(self, file: &mut File, start: u64) -> std::io::Result<Vec<u8>> {
        let mut packed = vec![0; usize::try_from(self.packed).unwrap_or(usize::MAX)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut packed)?;
        lz4::block::decompress(&packed, Some(i32::try_from(self.unpacked).unwrap_or(i32::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use polars_core::prelude::DataFrame;

    use super::*;
    use crate::model::time::Time;
    use crate::table::columns::Columns;
    use crate::table::held_rows::BEGAN;
    use crate::table::row::Line;

    fn file(folder: &std::path::Path, count: usize) -> (RowFile, Vec<Row>) {
        let line =
            |number: usize| Line { source: "a.log".into(), line: number as i64, text: "x".repeat(number).into() };
        let row = |number: usize| Row {
            pod: format!("p-{number}").into(),
            created: number.is_multiple_of(2).then_some(Time(number as i64)),
            lines: (0..number % 5).map(line).collect(),
            ..Row::default()
        };
        let rows: Vec<Row> = (0..count).map(row).collect();
        let mut held = HeldRows::default();
        rows.iter().zip(0..).for_each(|(row, number)| held.push(number, row));
        let written = RowFile::write(folder.join("0"), &mut held.groups(None).map(Ok)).unwrap();
        (written, rows)
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let (file, rows) = file(folder.path(), GROUP * 2 + 3);
        assert_eq!(file.at(&(0..file.len()).collect::<Vec<_>>()).unwrap(), rows);
        let some = [1, GROUP - 1, GROUP, GROUP * 2 + 2, GROUP * 2 + 3];
        assert_eq!(
            file.at(&some).unwrap(),
            some.iter().filter_map(|place| rows.get(*place).cloned()).collect::<Vec<_>>()
        );
        let (held, given) = crate::table::held_rows::tests::rows(GROUP + 1);
        let varied = RowFile::write(folder.path().join("1"), &mut held.groups(None).map(Ok)).unwrap();
        assert_eq!(varied.at(&(0..=GROUP).collect::<Vec<_>>()).unwrap(), given);
        let odd = file.filtered(&|number| number % 2 == 1).unwrap();
        assert_eq!((odd.len(), &odd.at(&[GROUP]).unwrap()[0]), (GROUP + 1, &rows[GROUP * 2 + 1]));
    }

    #[test]
    fn a_scan_gives_the_columns_that_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (file, rows) = file(folder.path(), GROUP + 1);
        let columns = ["pod", "lines.line", BEGAN];
        let mut all = DataFrame::default();
        let take = &mut |group: Group, count: usize| {
            let group = group.frame(&columns, count).unwrap();
            assert_eq!((group.width(), group.height()), (3, count));
            let before = std::mem::take(&mut all);
            all = if before.width() == 0 { group } else { before.vstack(&group).unwrap() };
            Ok(())
        };
        file.scan(&columns, take).unwrap();
        let row = |at: usize| all.get(at).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
        for (at, expected) in rows.iter().enumerate() {
            let began = expected.began().map_or("null".into(), |time| time.0.to_string());
            let mut values: Vec<String> = Row::write([expected], Some(&["pod", "lines.line"]))
                .unwrap()
                .iter()
                .map(|column| column.get(0).unwrap().to_string())
                .collect();
            values.push(began);
            assert_eq!(row(at), values);
        }
        assert_eq!(file.numbers().unwrap(), (0..rows.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (file, _) = file(folder.path(), GROUP);
        let whole = std::fs::read(&file.path).unwrap();
        let zeros = vec![0; whole.len()];
        for damaged in [&whole[..whole.len() / 2], &zeros, &[]] {
            std::fs::write(&file.path, damaged).unwrap();
            let error = file.at(&[0]).unwrap_err();
            assert!(error.to_string().starts_with("startups could not be read back"), "{error}");
        }
    }
}
