//! Tables as files: the startups table as one Parquet file, and all four tables as folders that Spark, Trino, DuckDB and
//! ClickHouse read as partitioned (`date=…/node=…`).

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use polars_core::prelude::*;
use polars_parquet::write::{CompressionOptions, StatisticsOptions, ZstdLevel};

use super::cells::Cells;
use super::columns::{Cell, Columns, Described, failed, in_microseconds};
use super::row::{Finding, Pull, Row, Volume};
use super::row_group_writer::RowGroupWriter;
use super::temporary::{self, CleanupList};
use super::{Coverage, Table, VERSION};
use crate::model::error::{Error, ErrorKind};
use crate::model::time::Time;

/// Keys of a file's metadata.
pub(super) mod key {
    /// The version of the columns.
    pub const SCHEMA: &str = "podlag.schema";
    /// Which table it is.
    pub const TABLE: &str = "podlag.table";
    /// What each column means.
    pub const COLUMNS: &str = "podlag.columns";
    /// What was read for it.
    pub const COVERAGE: &str = "podlag.coverage";
    /// Which run wrote it.
    pub const RUN: &str = "podlag.run";
    /// The node of all its rows, where no column has it.
    pub const NODE: &str = "podlag.node";
}

/// The name of the table that holds everything; the others repeat parts of it for queries.
pub(super) const STARTUPS: &str = "startups";
/// Rows of a row group.
const GROUP: usize = 8192;
/// Rows of all partitions that wait before files are written.
const PARTITIONED: usize = 65_536;
/// What Hive calls a partition without a value.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";
/// The column that is a part of the path instead: engines differ in which of the two they take where both are there.
const PARTITIONED_BY: &str = "node";

/// A table beside the startups table: a list in its rows, one row an item, with the startup's names before it.
pub struct DetailTable {
    /// Its name, and that of its folder.
    pub name: &'static str,
    describe: fn() -> Vec<Described>,
    write: fn(&[Row]) -> PolarsResult<DataFrame>,
}

/// The tables, the startups table first.
pub fn tables() -> [DetailTable; 4] {
    [
        DetailTable { name: STARTUPS, describe: Row::describe, write: startups },
        DetailTable { name: "pulls", describe: described::<Pull>, write: |rows| items(rows, |row| &row.image_pulls) },
        DetailTable {
            name: "volumes",
            describe: described::<Volume>,
            write: |rows| items(rows, |row| &row.volume_mounts),
        },
        DetailTable {
            name: "findings",
            describe: described::<Finding>,
            write: |rows| items(rows, |row| &row.findings),
        },
    ]
}

fn startups(rows: &[Row]) -> PolarsResult<DataFrame> {
    DataFrame::new(rows.len(), Row::write(rows, None)?)
}

/// The names of a startup that stand before each item.
const NAMES: [&str; 5] = ["node", "namespace", "pod", "uid", "workload"];

fn described<T: Columns>() -> Vec<Described> {
    let mut all: Vec<Described> =
        Row::describe().into_iter().filter(|column| NAMES.contains(&column.name.as_str())).collect();
    <Option<Time> as Cell>::describe("created", "the start's creation, else the first instant known of it", &mut all);
    all.extend(T::describe());
    all
}

fn items<T: Columns>(rows: &[Row], list: fn(&Row) -> &Vec<T>) -> PolarsResult<DataFrame> {
    let of: Vec<(&Row, &T)> = rows.iter().flat_map(|row| list(row).iter().map(move |item| (row, item))).collect();
    let mut columns = Row::write(of.iter().map(|(row, _)| *row), Some(&NAMES))?;
    let began: Vec<Option<Time>> = of.iter().map(|(row, _)| row.began()).collect();
    Cells::write(&began, "created", None, &mut columns)?;
    columns.extend(T::write(of.iter().map(|(_, item)| *item), None)?);
    DataFrame::new(of.len(), columns)
}

fn metadata(table: &Table, coverage: &Coverage, detail: &DetailTable) -> Vec<(String, String)> {
    let about: BTreeMap<String, &str> =
        (detail.describe)().into_iter().map(|column| (column.name, column.about)).collect();
    let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
    vec![
        (key::SCHEMA.into(), VERSION.to_string()),
        (key::TABLE.into(), detail.name.into()),
        (key::COLUMNS.into(), json(serde_json::to_string(&about))),
        (key::COVERAGE.into(), json(serde_json::to_string(coverage))),
        (key::RUN.into(), table.run()),
    ]
}

fn unwritable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Output, format!("the table could not be written: {error}"))
}

/// A writer of one table's file.
fn writer<W: Write>(columns: Vec<Described>, out: W) -> Result<RowGroupWriter<W>, std::io::Error> {
    let fields = columns.into_iter().map(|column| Field::new(column.name.into(), column.dtype));
    let compression = CompressionOptions::Zstd(ZstdLevel::try_new(3).ok());
    RowGroupWriter::new(out, fields, compression, StatisticsOptions::default())
}

/// The columns of a file in a partition: without what the path says.
fn partition_columns(table: &DetailTable) -> Vec<Described> {
    let columns = (table.describe)().into_iter().filter(|column| column.name != PARTITIONED_BY);
    columns.map(|column| Described { dtype: in_microseconds(&column.dtype), ..column }).collect()
}

/// Rows as the columns of a file in a partition. Instants are rounded down.
fn partition_frame(table: &DetailTable, rows: &[Row]) -> PolarsResult<DataFrame> {
    let frame = (table.write)(rows)?;
    let cast = |column: Described| frame.column(&column.name)?.strict_cast(&column.dtype);
    let columns = partition_columns(table).into_iter().map(cast).collect::<PolarsResult<Vec<_>>>()?;
    DataFrame::new(frame.height(), columns)
}

/// Writes the startups table as one Parquet file, with the version of its columns, their meaning and what was read for it
/// as metadata.
///
/// # Errors
/// When writing fails, or the table cannot be read.
pub fn parquet(table: &Table, coverage: &Coverage, out: &mut dyn Write) -> Result<(), Error> {
    let [startups_table, ..] = tables();
    let mut file = writer((startups_table.describe)(), out)?;
    let mut rows = table.rows();
    loop {
        let some: Vec<Row> = rows.by_ref().take(GROUP).collect::<Result<_, _>>()?;
        if some.is_empty() {
            break;
        }
        file.write(&startups(&some).map_err(failed)?)?;
    }
    Ok(file.finish(metadata(table, coverage, &startups_table))?)
}

/// Writes all four tables below a folder, a file for each date (of creation, UTC) and node, with instants in microseconds. Files
/// appear whole or not at all; a second run over the same input replaces its own files, and other files are left alone.
///
/// # Errors
/// When writing fails, or the table cannot be read.
pub fn folder(table: &Table, coverage: &Coverage, path: &Path, made: &CleanupList) -> Result<(), Error> {
    if path.exists() && !path.is_dir() {
        return Err(Error::new(ErrorKind::Setting, "it is a file, not a folder"));
    }
    fs::create_dir_all(path).map_err(unwritable)?;
    let under_way = temporary::folder(".podlag-", path).map_err(unwritable)?;
    made.add(under_way.path());
    let mut written: Vec<(PathBuf, PathBuf)> = Vec::new();
    let mut partitions: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
    let (mut waiting, mut number) = (0, 0);
    let mut flush = |partitions: &mut BTreeMap<(String, String), Vec<Row>>, number: usize| -> Result<(), Error> {
        for ((date, node), rows) in std::mem::take(partitions) {
            for detail in tables() {
                let name = format!("part-{}-{number}.parquet", table.run());
                let to = path.join(detail.name).join(format!("date={date}")).join(format!("node={node}")).join(name);
                let from = under_way.path().join(written.len().to_string());
                let file = fs::File::create(&from).map_err(unwritable)?;
                let mut out = std::io::BufWriter::new(file);
                let mut writer = writer(partition_columns(&detail), &mut out).map_err(unwritable)?;
                for some in rows.chunks(GROUP) {
                    writer.write(&partition_frame(&detail, some).map_err(failed)?).map_err(unwritable)?;
                }
                let mut metadata = metadata(table, coverage, &detail);
                let node = rows.first().and_then(|row| row.node.as_deref());
                metadata.extend(node.map(|node| (key::NODE.into(), node.into())));
                writer.finish(metadata).map_err(unwritable)?;
                drop(writer);
                out.flush().map_err(unwritable)?;
                written.push((from, to));
            }
        }
        Ok(())
    };
    for row in table.rows() {
        let row = row?;
        let date = row.began().map_or(NULL_PARTITION.into(), |time| time.to_string().chars().take(10).collect());
        let node = row.node.as_deref().map_or(NULL_PARTITION.into(), encoded);
        partitions.entry((date, node)).or_default().push(row);
        waiting += 1;
        if waiting >= PARTITIONED {
            flush(&mut partitions, number)?;
            (waiting, number) = (0, number + 1);
        }
    }
    flush(&mut partitions, number)?;
    for (from, to) in written {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(unwritable)?;
        }
        fs::rename(from, to).map_err(unwritable)?;
    }
    Ok(())
}

/// A value as part of a path, as Hive writes it: everything but letters, digits, `-`, `_` and `.` as `%XX`.
fn encoded(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        b'.' => ".".into(),
        _ => format!("%{byte:02X}"),
    };
    let text: String = value.bytes().map(byte).collect();
    if text.is_empty() { NULL_PARTITION.into() } else { text }
}

/// The node that the path of a file in a partition names: what [`encoded`] made of it, or another program.
pub(super) fn node_of_path(path: &Path) -> Option<String> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let value = folder.strip_prefix("node=").filter(|value| *value != NULL_PARTITION)?;
    let decoded = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_node() {
        let node =
            |folder: &str| node_of_path(&Path::new("startups/date=2026-11-23").join(folder).join("part-0.parquet"));
        for name in ["node-1", "a=b ä", "../../etc"] {
            assert_eq!(node(&format!("node={}", encoded(name))).as_deref(), Some(name));
        }
        assert_eq!((node(&format!("node={NULL_PARTITION}")), node("other")), (None, None));
    }

    #[test]
    fn partitions_cannot_leave_their_folder() {
        assert_eq!(encoded("ip-10-0-1-2.ec2.internal"), "ip-10-0-1-2.ec2.internal");
        assert_eq!(encoded("../../etc"), "..%2F..%2Fetc");
        assert_eq!(encoded("a=b ä"), "a%3Db%20%C3%A4");
        assert_eq!(encoded(""), NULL_PARTITION);
    }
}
