//! Rows in a file of the temporary folder, a group after another, each field of a group by itself: a query reads the fields it
//! names. Parquet's nested columns would take most of the time of an analysis that writes rows out.
//!
//! The file lives as long as the run, and only the run that wrote it reads it: its form is that of the program.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::columns::Columns;
use super::part::{BEGAN, NUMBER, NumberedRow};
use super::row::Row;
use crate::model::error::{Error, ErrorKind};

/// Rows of a group: enough for their fields to be packed well, few enough for one row to be read fast.
pub(super) const GROUP: usize = 512;

/// A file of rows.
#[derive(Debug)]
pub(super) struct RowFile {
    path: PathBuf,
    rows: usize,
    groups: Vec<Group>,
}

/// Where a group lies.
#[derive(Debug)]
struct Group {
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

/// Rows of a group, or those fields of them that were named.
#[derive(Debug, Default)]
pub(super) struct RowGroup {
    /// The rows' numbers in the order of arrival.
    pub(super) numbers: Vec<u64>,
    /// As [`Row::began`].
    pub(super) began: Vec<Option<i64>>,
    pub(super) rows: Vec<Row>,
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
    /// Writes sorted rows until there is none.
    pub(super) fn write(
        path: PathBuf,
        rows: &mut dyn Iterator<Item = Result<NumberedRow, Error>>,
    ) -> Result<Self, Error> {
        let mut out = BufWriter::new(File::create(&path).map_err(unwritable)?);
        let mut written = RowFile { path, rows: 0, groups: Vec::new() };
        let mut start = 0;
        loop {
            let group = rows.take(GROUP).collect::<Result<Vec<_>, _>>()?;
            if group.is_empty() {
                break;
            }
            let group = write_group(group, start, &mut out)?;
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

    /// Gives each group in order: all of its fields, or those that have one of these columns.
    pub(super) fn scan(
        &self,
        columns: Option<&[&str]>,
        take: &mut dyn FnMut(RowGroup) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut file = self.open()?;
        self.groups.iter().try_for_each(|group| take(group.read(&mut file, columns)?))
    }

    /// The rows at these places, which are in order. Each group is read once.
    pub(super) fn at(&self, places: &[usize]) -> Result<Vec<Row>, Error> {
        let mut file = self.open()?;
        let mut found = Vec::with_capacity(places.len());
        // Every group but the last is full.
        for within in places.chunk_by(|a, b| a / GROUP == b / GROUP) {
            let Some(group) = within.first().and_then(|place| self.groups.get(place / GROUP)) else { continue };
            let mut rows = group.read(&mut file, None)?.rows;
            found.extend(within.iter().filter_map(|place| rows.get_mut(place % GROUP).map(std::mem::take)));
        }
        Ok(found)
    }

    /// The same rows but those whose number does not stay, in another file.
    pub(super) fn filtered(&self, stays: &dyn Fn(u64) -> bool) -> Result<Self, Error> {
        let mut file = self.open()?;
        let groups = self.groups.iter().map(|group| group.read(&mut file, None));
        let mut rows = groups.flat_map(|group| match group {
            Ok(RowGroup { numbers, rows, .. }) => {
                let rows = numbers.into_iter().zip(rows).filter(|(number, _)| stays(*number));
                rows.map(|(number, row)| Ok((number, Box::new(row)))).collect::<Vec<_>>()
            }
            Err(error) => vec![Err(error)],
        });
        RowFile::write(self.path.with_extension("once"), &mut rows)
    }

    fn open(&self) -> Result<File, Error> {
        File::open(&self.path).map_err(unreadable)
    }
}

fn write_group(group: Vec<NumberedRow>, start: u64, out: &mut dyn Write) -> Result<Group, Error> {
    let began: Vec<Option<i64>> = group.iter().map(|(_, row)| row.began().map(|time| time.0)).collect();
    let (numbers, mut rows): (Vec<u64>, Vec<Box<Row>>) = group.into_iter().unzip();
    let mut fields = vec![bitcode::encode(&numbers), bitcode::encode(&began)];
    fields.extend(Row::pack(&mut rows));
    let mut written = Group { rows: rows.len(), start, fields: Vec::with_capacity(fields.len()) };
    for field in fields {
        let packed = lz4::block::compress(&field, None, false).map_err(unwritable)?;
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

impl Group {
    fn read(&self, file: &mut File, columns: Option<&[&str]>) -> Result<RowGroup, Error> {
        let mut fields = self.fields.iter();
        let mut at = self.start;
        let mut next = |wanted: bool| {
            let Some(field) = fields.next() else { return Err(unreadable("a field is missing")) };
            let start = at;
            at += u64::from(field.packed);
            if wanted { field.read(file, start).map(Some).map_err(unreadable) } else { Ok(None) }
        };
        let named = |name: &str| columns.is_none_or(|columns| columns.contains(&name));
        let mut group = RowGroup::default();
        if let Some(bytes) = next(named(NUMBER))? {
            group.numbers = unpack(&bytes, self.rows)?;
        }
        if let Some(bytes) = next(named(BEGAN))? {
            group.began = unpack(&bytes, self.rows)?;
        }
        group.rows.resize_with(self.rows, Row::default);
        Row::unpack(&mut group.rows, columns, &mut next)?;
        Ok(group)
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
    use super::*;
    use crate::model::time::Time;
    use crate::table::row::Line;

    fn file(folder: &std::path::Path, count: usize) -> (RowFile, Vec<Row>) {
        let line =
            |number: usize| Line { source: "a.log".into(), line: number as i64, text: "x".repeat(number).into() };
        let row = |number: usize| Row {
            pod: format!("p-{number}").into(),
            created: (number % 2 == 0).then_some(Time(number as i64)),
            lines: (0..number % 5).map(line).collect(),
            ..Row::default()
        };
        let rows: Vec<Row> = (0..count).map(row).collect();
        let mut numbered = rows.iter().cloned().zip(0..).map(|(row, number)| Ok((number, Box::new(row))));
        (RowFile::write(folder.join("0"), &mut numbered).unwrap(), rows)
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
        let odd = file.filtered(&|number| number % 2 == 1).unwrap();
        assert_eq!((odd.len(), &odd.at(&[GROUP]).unwrap()[0]), (GROUP + 1, &rows[GROUP * 2 + 1]));
    }

    #[test]
    fn a_scan_reads_the_fields_that_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (file, rows) = file(folder.path(), GROUP + 1);
        let mut groups = Vec::new();
        let take = &mut |group| {
            groups.push(group);
            Ok(())
        };
        file.scan(Some(&["pod", BEGAN]), take).unwrap();
        let found: Vec<&Row> = groups.iter().flat_map(|group| &group.rows).collect();
        assert!(found.iter().zip(&rows).all(|(found, row)| found.pod == row.pod && found.lines.is_empty()));
        let began = groups.iter().flat_map(|group| group.began.clone());
        assert!(began.eq(rows.iter().map(|row| row.began().map(|time| time.0))));
        assert!(groups.iter().all(|group| group.numbers.is_empty()));
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
