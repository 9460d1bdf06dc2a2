//! The seconds of all phases as a field of a row: a column each.

use polars_core::prelude::*;

use super::cells::{Plain, Wanted};
use super::columns::{Cell, Described};
use crate::model::error::Error;
use crate::model::phase::{PHASES, Phase};

/// The seconds of every phase, one column each; null where they are unknown: all of the total's together, and the readiness.
#[derive(Clone, Copy, Debug, Default, PartialEq, bitcode::Encode, bitcode::Decode)]
pub struct PhaseSeconds(pub [Option<f64>; PHASES.len()]);

impl PhaseSeconds {
    /// Of one phase.
    pub fn of(&self, phase: Phase) -> Option<f64> {
        self.0.get(phase.index()).copied().flatten()
    }
}

/// The name of a phase's column.
pub fn phase_column(phase: Phase) -> String {
    format!("{}_s", phase.name())
}

impl Plain for PhaseSeconds {
    fn write(_: &str, cells: &[Self], wanted: Wanted<'_>, into: &mut Vec<Column>) -> PolarsResult<()> {
        for (phase, _) in PHASES {
            let name = phase_column(*phase);
            if wanted.is_some_and(|columns| !columns.contains(&name.as_str())) {
                continue;
            }
            let values: Vec<Option<f64>> = cells.iter().map(|cell| cell.of(*phase)).collect();
            into.push(Series::new(name.into(), values).into_column());
        }
        Ok(())
    }

    fn is_among(_: &str, columns: &[&str]) -> bool {
        PHASES.iter().any(|(phase, _)| columns.contains(&phase_column(*phase).as_str()))
    }
}

impl Cell for PhaseSeconds {
    type Cells = Vec<Self>;

    fn describe(_: &str, _: &'static str, into: &mut Vec<Described>) {
        for (phase, _) in PHASES {
            into.push(Described { name: phase_column(*phase), dtype: DataType::Float64, about: phase.words().meaning });
        }
    }

    fn read(_: &str, frame: &DataFrame, put: &mut dyn FnMut(usize, Self)) -> Result<(), Error> {
        let mut all = vec![PhaseSeconds::default(); frame.height()];
        for (phase, _) in PHASES {
            <Option<f64> as Cell>::read(&phase_column(*phase), frame, &mut |at, seconds| {
                if let Some(cell) = all.get_mut(at).and_then(|row| row.0.get_mut(phase.index())) {
                    *cell = seconds;
                }
            })?;
        }
        all.into_iter().enumerate().for_each(|(at, row)| put(at, row));
        Ok(())
    }
}

impl serde::Serialize for PhaseSeconds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(PHASES.iter().map(|(phase, _)| (phase_column(*phase), self.of(*phase))))
    }
}

impl schemars::JsonSchema for PhaseSeconds {
    fn schema_name() -> String {
        "PhaseSeconds".into()
    }

    fn is_referenceable() -> bool {
        false
    }

    /// As the fields of the row it is part of.
    fn json_schema(of: &mut schemars::r#gen::SchemaGenerator) -> schemars::schema::Schema {
        let mut all = schemars::schema::SchemaObject::default();
        for (phase, _) in PHASES {
            let mut seconds = <Option<f64> as schemars::JsonSchema>::json_schema(of).into_object();
            seconds.metadata().description = Some(phase.words().meaning.into());
            all.object().properties.insert(phase_column(*phase), seconds.into());
        }
        all.into()
    }
}

impl<'de> serde::Deserialize<'de> for PhaseSeconds {
    /// From the fields of a flattened row: those of no phase are others'.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = std::collections::HashMap::<String, serde_json::Value>::deserialize(deserializer)?;
        let mut seconds = PhaseSeconds::default();
        for (phase, _) in PHASES {
            let value = fields.remove(&phase_column(*phase)).and_then(|value| value.as_f64());
            if let Some(cell) = seconds.0.get_mut(phase.index()) {
                *cell = value;
            }
        }
        Ok(seconds)
    }
}
