//! Pods that someone waits for now: those that did not come up, and those of which a container was started again.

use super::Example;
use crate::breakdown::Anomaly;
use crate::causes::CRASH_LOOP;
use crate::model::error::Error;
use crate::model::startup::State;
use crate::table::batch::Batch;
use crate::table::row::Row;
use crate::table::row_ref::{RowRef, RowRefs};
use crate::table::startups::Table;

/// How many of a kind are named.
const NAMED: usize = 10;

/// What a pod's start is to someone who looks at the cluster now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// The pod still fails to start, was refused, or was deleted before it came up.
    DidNotComeUp,
    /// A container of it was started again.
    Restarted,
}

impl Incident {
    /// That of a startup; `restarted`: a container of it was started again.
    fn of(state: State, restarted: bool) -> Option<Self> {
        match state {
            _ if State::DID_NOT_COME_UP.contains(&state) => Some(Incident::DidNotComeUp),
            State::Starting | State::Running if restarted => Some(Incident::Restarted),
            _ => None,
        }
    }

    /// That of a row.
    pub fn of_row(row: &Row) -> Option<Self> {
        let crash_loop = || row.anomalies.iter().any(|id| **id == *Anomaly::CrashLoop.name());
        let waited = || row.findings.iter().any(|finding| *finding.cause == *CRASH_LOOP);
        Incident::of(row.state, row.restarts > 0 || crash_loop() || waited())
    }
}

/// Startups of one kind: how many, and those that took longest.
#[derive(Clone, Debug, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Incidents {
    /// How many.
    pub count: u64,
    /// Those that took longest, at most ten.
    pub of: Vec<Example>,
}

/// A kind while startups are looked at.
#[derive(Default)]
struct Found {
    count: u64,
    longest: Vec<RowRef>,
}

impl Found {
    fn add(&mut self, row: RowRef) {
        self.count += 1;
        let at = self.longest.partition_point(|known| known.cmp(&row).is_le());
        if at < NAMED {
            self.longest.insert(at, row);
            self.longest.truncate(NAMED);
        }
    }

    fn incidents(self, table: &Table) -> Result<Incidents, Error> {
        let rows = RowRef::rows(&self.longest.iter().collect::<Vec<_>>(), table)?;
        Ok(Incidents { count: self.count, of: rows.iter().map(|row| Example::of(row, None)).collect() })
    }
}

/// The incidents of each kind.
pub(super) fn collect(table: &Table) -> Result<(Incidents, Incidents), Error> {
    let (mut did_not_come_up, mut restarted) = (Found::default(), Found::default());
    let mut columns = vec!["state", "total_s", "restarts", "anomalies", "findings.cause"];
    columns.extend(RowRefs::COLUMNS);
    table.scan(&columns, &mut |batch| {
        let (rows, states, totals) = (RowRefs::of(batch)?, batch.text("state")?, batch.seconds("total_s")?);
        let (restarts, mut again) = (batch.integers("restarts")?, rows_with(batch, Anomaly::CrashLoop)?);
        let findings = batch.nested("findings")?;
        // The relist shows no names: that a container waits to be started again shows that it was.
        for (row, cause) in findings.rows.iter().zip(findings.items.text("cause")?.iter()) {
            if let Some(restarted) = again.get_mut(*row).filter(|_| cause == Some(CRASH_LOOP)) {
                *restarted = true;
            }
        }
        for (row, again) in again.into_iter().enumerate() {
            let state = states.get(row).and_then(State::from_name).unwrap_or_default();
            let found = || rows.get(row, totals.get(row).unwrap_or(0.0));
            let restarts = restarts.get(row).unwrap_or(0);
            match Incident::of(state, again || restarts > 0) {
                Some(Incident::DidNotComeUp) => did_not_come_up.add(found()),
                Some(Incident::Restarted) => restarted.add(found()),
                None => {}
            }
        }
        Ok(())
    })?;
    Ok((did_not_come_up.incidents(table)?, restarted.incidents(table)?))
}

/// Which rows have an anomaly.
fn rows_with(batch: &Batch, anomaly: Anomaly) -> Result<Vec<bool>, Error> {
    let (words, lengths) = batch.words("anomalies")?;
    let mut words = words.iter();
    let has = |length: usize| words.by_ref().take(length).filter(|word| *word == Some(anomaly.name())).count() > 0;
    Ok(lengths.into_iter().map(has).collect())
}
