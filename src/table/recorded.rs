//! The startups that the kubelet recorded, with the few columns that a comparison with its metrics needs.

use polars_core::prelude::*;

use super::phase_seconds::phase_column;
use super::startups::Table;
use crate::metrics::RecordedStartup;
use crate::model::error::Error;
use crate::model::phase::{PHASES, Phase};
use crate::model::time::Time;

/// The recorded startups of a table, in no order.
///
/// # Errors
/// When a part of the table cannot be read.
pub fn recorded(table: &Table) -> Result<Vec<RecordedStartup>, Error> {
    let phases: Vec<String> = PHASES.iter().map(|(phase, _)| phase_column(*phase)).collect();
    let mut columns = vec!["node", "created", "watched", "total_s", "slo_recorded_s", "stateful", "cause"];
    columns.extend(phases.iter().map(String::as_str));
    let mut all = Vec::new();
    table.scan(&columns, &mut |batch| {
        let (nodes, watched, stateful) = (batch.text("node")?, batch.integers("watched")?, batch.flags("stateful")?);
        let causes = batch.text("cause")?;
        let (created, sli) = (batch.integers("created")?, batch.seconds("slo_recorded_s")?);
        let measured = batch.seconds("total_s")?;
        let phases = phases.iter().map(|name| batch.seconds(name)).collect::<Result<Vec<&Float64Chunked>, _>>()?;
        all.extend((0..batch.len()).filter_map(|row| {
            let at = Time(watched.get(row)?);
            let total = created.get(row).map(|created| (at - Time(created)).seconds());
            // In a crash loop the start is measured further than it is recorded, up to where its back-off ended.
            let beyond = measured.get(row).zip(total).map_or(0.0, |(measured, total)| (measured - total).max(0.0));
            let seconds = |(phase, column): (&Phase, &&Float64Chunked)| {
                let seconds = column.get(row).unwrap_or(0.0);
                if *phase == Phase::RetryBackoff { (seconds - beyond).max(0.0) } else { seconds }
            };
            Some(RecordedStartup {
                node: nodes.get(row).map(str::to_owned),
                at,
                total_s: total,
                sli_s: Some(sli.get(row)?),
                stateful: stateful.get(row),
                phases: PHASES.iter().map(|(phase, _)| phase).zip(&phases).map(seconds).collect(),
                cause: causes.get(row).map(str::to_owned),
            })
        }));
        Ok(())
    })?;
    Ok(all)
}
