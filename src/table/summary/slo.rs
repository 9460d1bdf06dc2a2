//! The values that the SLO is about.

use crate::model::error::Error;
use crate::model::phase::Phase;
use crate::model::startup::State;
use crate::table::phase_seconds::phase_column;
use crate::table::query::micros;
use crate::table::startups::Table;

/// The SLO values of startups that are not known to be stateful.
#[derive(Default)]
pub(super) struct SloValues {
    pub values: Vec<f64>,
    /// How many have none because they did not come up.
    pub did_not_come_up: usize,
    /// Microseconds that the values leave out.
    pub pulls: i64,
    pub init: i64,
}

/// Of all startups.
pub(super) fn collect(table: &Table) -> Result<SloValues, Error> {
    let mut all = SloValues { values: Vec::with_capacity(table.len()), ..SloValues::default() };
    let ended = State::DID_NOT_COME_UP.map(State::name);
    let pulls = [Phase::ImageWait, Phase::ImagePull, Phase::ImageBackoff].map(phase_column);
    let init = phase_column(Phase::Init);
    let mut columns = vec!["slo_s", "stateful", "state", &init];
    columns.extend(pulls.iter().map(String::as_str));
    table.scan(&columns, &mut |batch| {
        let rows = batch.seconds("slo_s")?.iter().zip(batch.flags("stateful")?.iter());
        let mut counts = vec![false; batch.len()];
        for (((slo, stateful), state), counts) in rows.zip(batch.text("state")?.iter()).zip(&mut counts) {
            if stateful != Some(true) {
                all.values.extend(slo);
                *counts = slo.is_some();
                let ended = state.is_some_and(|state| ended.contains(&state));
                all.did_not_come_up += usize::from(slo.is_none() && ended);
            }
        }
        let sum = |column: &str| -> Result<i64, Error> {
            let values = batch.seconds(column)?;
            let counted = values.iter().zip(&counts).filter(|(_, counts)| **counts);
            Ok(counted.filter_map(|(value, _)| value).fold(0, |sum, value| sum.saturating_add(micros(value))))
        };
        for column in &pulls {
            all.pulls = all.pulls.saturating_add(sum(column)?);
        }
        all.init = all.init.saturating_add(sum(&init)?);
        Ok(())
    })?;
    Ok(all)
}
