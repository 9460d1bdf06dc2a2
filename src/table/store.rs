//! Where finished startups go: rows in, a table out, in four steps that know nothing of each other.
//!
//! ```text
//! Row → owner → filter → anonymize → dedup (its key is noted) → spill (held or written) → Table
//! ```

use std::path::PathBuf;
use std::sync::Arc;

use super::dedup::Dedup;
use super::part::Part;
use super::row::Row;
use super::spill::{Budget, Spill};
use super::startups::Table;
use super::temporary::CleanupList;
use crate::model::error::Error;
use crate::model::workload::Owners;
use crate::table::anonymize::Anonymizer;
use crate::table::filter::Filter;

/// Takes rows.
#[derive(Debug)]
pub struct Store {
    /// Who owns the pods, where objects show it.
    pub owners: Arc<Owners>,
    filter: Filter,
    /// Who hides the rows' names, if they are to be hidden.
    pub anonymizer: Option<Anonymizer>,
    dedup: Dedup,
    spill: Spill,
    filtered: u64,
}

impl Store {
    /// An empty store that keeps what passes the filter.
    pub fn new(budget: Budget, filter: Filter) -> Self {
        Store {
            owners: Arc::default(),
            filter,
            anonymizer: None,
            dedup: Dedup::default(),
            spill: Spill::new(budget),
            filtered: 0,
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// When rows must be written out and cannot be.
    pub fn push(&mut self, mut row: Row) -> Result<(), Error> {
        set_owner(&mut row, &self.owners);
        if !self.filter.passes(&row) {
            self.filtered += 1;
            return Ok(());
        }
        // Filters and owners know real names; nothing behind this does.
        if let Some(anonymizer) = &self.anonymizer {
            anonymizer.row(&mut row);
        }
        let number = self.dedup.note(&row);
        self.spill.push(number, &row)
    }

    /// The table of what was pushed.
    ///
    /// # Errors
    /// When rows must be written out and cannot be.
    pub fn finish(self) -> Result<Table, Error> {
        let (mut parts, folder) = self.spill.finish()?;
        let digest = self.dedup.digest();
        let duplicates = self.dedup.find_duplicates(&parts)?;
        if duplicates.count > 0 {
            parts.iter_mut().try_for_each(|part| part.remove_rows(&duplicates.lost))?;
        }
        let rows = parts.iter().map(Part::len).sum();
        Ok(Table { parts, rows, filtered: self.filtered, duplicates: duplicates.count, digest, _folder: folder })
    }
}

/// The workload is the pod's owner where objects show it, else what its name says.
fn set_owner(row: &mut Row, owners: &Owners) {
    if let Some(owner) = owners.workload(&row.namespace, &row.pod, row.uid.as_deref()) {
        row.workload = format!("{}/{owner}", row.namespace).into();
    }
}

impl Table {
    /// A table of these rows, held in memory.
    ///
    /// # Errors
    /// As [`Store::finish`].
    pub fn from_rows(rows: Vec<Row>) -> Result<Self, Error> {
        let made = CleanupList::default();
        let budget = Budget { memory: usize::MAX, part: Budget::PART, temp: PathBuf::new(), made };
        let mut store = Store::new(budget, Filter::default());
        rows.into_iter().try_for_each(|row| store.push(row))?;
        store.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_filtered_by_its_owner_and_real_name_and_hidden_after() {
        let pods = br#"{"kind":"List","items":[{"kind":"Pod","metadata":{"namespace":"shop","name":"web-1","uid":"u-1",
            "ownerReferences":[{"kind":"StatefulSet","name":"web","controller":true}]}}]}"#;
        let mut filter = Filter::default();
        filter.add("workload", &["shop/web".into()]).unwrap();
        let mut store = Store::new(Budget::under(&std::env::temp_dir()), filter);
        Owners::read(&pods[..], Arc::get_mut(&mut store.owners).unwrap()).unwrap();
        store.anonymizer = Some(Anonymizer::new(*b"0123456789abcdef"));
        for pod in ["web-1", "other"] {
            let uid = (pod == "web-1").then(|| "u-1".into());
            store.push(Row { namespace: "shop".into(), pod: pod.into(), uid, ..Row::default() }).unwrap();
        }
        let table = store.finish().unwrap();
        assert_eq!((table.len(), table.filtered, table.duplicates), (1, 1, 0));
        let row = table.rows().next().unwrap().unwrap();
        assert!(row.pod.len() > 3 && !row.pod.contains("web-1") && !row.workload.contains("shop"), "{row:?}");
    }
}
