//! The starts that the kubelet recorded, as few columns as a comparison with its metrics needs.

use polars_core::prelude::*;

use super::phase_seconds::phase_column;
use super::startups::Table;
use crate::model::error::Error;
use crate::model::phase::PHASES;
use crate::model::time::Time;

/// A start with a record of the kubelet's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its node.
    pub node: Option<String>,
    /// When it was recorded.
    pub at: Time,
    /// Created → watched, seconds.
    pub total_s: Option<f64>,
    /// The SLI value as the kubelet printed it, which is what its metric got.
    pub sli_s: Option<f64>,
    /// The kubelet holds it for stateful; none before 1.34.8.
    pub stateful: Option<bool>,
    /// Seconds of each phase, in the order of `PHASES`.
    pub phases: Vec<f64>,
}

/// The recorded starts of a table, in no order.
///
/// # Errors
/// When a part of the table cannot be read.
pub fn recorded(table: &Table) -> Result<Vec<Recorded>, Error> {
    let phases: Vec<String> = PHASES.iter().map(|(phase, _)| phase_column(*phase)).collect();
    let mut columns = vec!["node", "watched", "total_s", "slo_recorded_s", "stateful"];
    columns.extend(phases.iter().map(String::as_str));
    let mut all = Vec::new();
    table.scan(&columns, &mut |batch| {
        let (nodes, watched, stateful) = (batch.text("node")?, batch.integers("watched")?, batch.flags("stateful")?);
        let (total, sli) = (batch.seconds("total_s")?, batch.seconds("slo_recorded_s")?);
        let phases = phases.iter().map(|name| batch.seconds(name)).collect::<Result<Vec<&Float64Chunked>, _>>()?;
        all.extend((0..batch.len()).filter_map(|row| {
            Some(Recorded {
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
