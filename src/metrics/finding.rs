//! What metrics prove of a cause: `causes` finds it, and a report of metrics holds it.

use serde::{Deserialize, Serialize};

/// A cause's claim on seconds of the mean start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MetricFinding {
    /// Which cause.
    pub cause: String,
    /// It cost at least this, mean seconds per start.
    pub low_s: f64,
    /// It cost at most this.
    pub high_s: f64,
    /// The figures it is based on, in words.
    pub observed: String,
}
