//! The starts that the kubelet recorded, as few columns as a comparison with its metrics needs.

use polars::prelude::*;

use super::cell::failed;
use super::store::Table;
use crate::model::error::Error;
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
    let phases: Vec<String> =
        crate::model::phase::PHASES.iter().map(|(phase, _)| super::phase_column(*phase)).collect();
    let mut columns: Vec<Expr> = ["node", "watched", "total_s", "kubelet_slo_s", "stateful"].map(col).into();
    columns.extend(phases.iter().map(|name| col(name.as_str())));
    let frame = table.select(&columns)?.filter(col("watched").is_not_null().and(col("kubelet_slo_s").is_not_null()));
    let frame = frame.with_column(col("watched").cast(DataType::Int64)).collect().map_err(failed)?;
    let float = |name: &str| -> Result<Float64Chunked, Error> {
        Ok(frame.column(name).map_err(failed)?.f64().map_err(failed)?.clone())
    };
    let nodes = frame.column("node").map_err(failed)?.str().map_err(failed)?;
    let at = frame.column("watched").map_err(failed)?.i64().map_err(failed)?;
    let stateful = frame.column("stateful").map_err(failed)?.bool().map_err(failed)?;
    let (total, sli) = (float("total_s")?, float("kubelet_slo_s")?);
    let phases: Vec<Float64Chunked> = phases.iter().map(|name| float(name)).collect::<Result<_, _>>()?;
    let row = |number: usize| {
        Some(Recorded {
            node: nodes.get(number).map(str::to_owned),
            at: Time(at.get(number)?),
            total_s: total.get(number),
            sli_s: sli.get(number),
            stateful: stateful.get(number),
            phases: phases.iter().map(|phase| phase.get(number).unwrap_or(0.0)).collect(),
        })
    };
    Ok((0..frame.height()).filter_map(row).collect())
}
