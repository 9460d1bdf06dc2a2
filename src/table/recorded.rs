//! The startups that the kubelet recorded, with the few columns that a comparison with its metrics needs.

use polars_core::prelude::*;

use super::phase_seconds::phase_column;
use super::startups::Table;
use crate::metrics::RecordedStartup;
use crate::model::error::Error;
use crate::model::phase::PHASES;
use crate::model::time::Time;

/// The recorded startups of a table, in no order.
///
/// # Errors
/// When a part of the table cannot be read.
pub fn recorded(table: &Table) -> Result<Vec<RecordedStartup>, Error> {
    let phases: Vec<String> = PHASES.iter().map(|(phase, _)| phase_column(*phase)).collect();
    let mut columns = vec!["node", "watched", "total_s", "slo_recorded_s", "stateful"];
    columns.extend(phases.iter().map(String::as_str));
    let mut all = Vec::new();
    table.scan(&columns, &mut |batch| {
        let (nodes, watched, stateful) = (batch.text("node")?, batch.integers("watched")?, batch.flags("stateful")?);
        let (total, sli) = (batch.seconds("total_s")?, batch.seconds("slo_recorded_s")?);
        let phases = phases.iter().map(|name| batch.seconds(name)).collect::<Result<Vec<&Float64Chunked>, _>>()?;
        all.extend((0..batch.len()).filter_map(|row| {
            Some(RecordedStartup {
                node: nodes.get(row).map(str::to_owned),
                at: Time(watched.get(row)?),
                total_s: total.get(row),
                sli_s: Some(sli.get(row)?),
                stateful: stateful.get(row),
                phases: phases.iter().map(|phase| phase.get(row).unwrap_or(0.0)).collect(),
            })
        }));
        Ok(())
    })?;
    Ok(all)
}
