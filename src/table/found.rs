//! Rows that queries over parts find, before they are read as rows.

use std::cmp::Ordering;

use polars::prelude::*;

use super::cell::failed;
use super::query::BEGAN;
use super::row::Row;
use super::store::Table;
use crate::model::error::Error;

/// A row that a query found: where it is, how it compares to others, and what decides between equal ones. Rows as a whole
/// are read once it is known which few are wanted.
pub(super) struct Found {
    part: usize,
    row: usize,
    /// How it compares.
    seconds: f64,
    /// As [`Row::order`].
    order: (Option<i64>, [String; 4]),
}

impl Found {
    const NAMES: [&str; 4] = ["namespace", "pod", "uid", "node"];
    pub(super) const COLUMNS: [&str; 6] = ["row", BEGAN, "namespace", "pod", "uid", "node"];

    /// What a query must give, and what else it is to give.
    pub(super) fn columns(more: &[Expr]) -> Vec<Expr> {
        Self::COLUMNS.iter().map(|name| col(*name)).chain(more.iter().cloned()).collect()
    }

    /// The row at a place of a collected frame, whose columns have a word before their names.
    pub(super) fn of(frame: &DataFrame, at: usize, part: usize, seconds: f64, before: &str) -> Result<Self, Error> {
        let get =
            |name: &str| frame.column(&format!("{before}{name}")).and_then(|column| column.get(at)).map_err(failed);
        let text = |name: &str| Ok::<_, Error>(get(name)?.get_str().unwrap_or_default().to_owned());
        let [namespace, pod, uid, node] = Self::NAMES;
        let names = [text(namespace)?, text(pod)?, text(uid)?, text(node)?];
        let row = get("row")?.try_extract::<usize>().map_err(failed)?;
        Ok(Found { part, row, seconds, order: (get(BEGAN)?.try_extract::<i64>().ok(), names) })
    }

    /// The longer one is first, of two equal ones the first in the order of rows.
    pub(super) fn cmp(&self, other: &Found) -> Ordering {
        other.seconds.total_cmp(&self.seconds).then_with(|| self.order.cmp(&other.order))
    }

    /// Whether it is the one to show of two.
    pub(super) fn before(&self, other: &Found) -> bool {
        self.cmp(other).is_lt()
    }

    /// The whole rows, each group of rows read once.
    pub(super) fn rows(all: &[&Found], table: &Table) -> Result<Vec<Row>, Error> {
        table.at(&all.iter().map(|found| (found.part, found.row)).collect::<Vec<_>>())
    }
}
