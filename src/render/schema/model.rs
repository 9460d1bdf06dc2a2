//! The schemas of the model's types, kept here so that the rooms below know nothing of schemas.

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject};

use crate::causes::evidence::{EVIDENCES, Evidence};
use crate::causes::setting::{SETTINGS, Setting};
use crate::metrics::components::{COMPONENTS, Component};
use crate::metrics::reconcile::{FIGURE_UNITS, FigureUnit};
use crate::model::phase::{PHASES, Phase};
use crate::model::precision::{PRECISIONS, Precision};
use crate::model::record::{RECORD_FORMATS, RecordFormat};
use crate::model::startup::{STATES, State};
use crate::model::time::Time;
use crate::report::compare::{LINE_KINDS, LineKind, VERDICTS, Verdict};
use crate::report::gate::{ON_UNKNOWN, OUTCOMES, OnUnknown, Outcome};

/// Enums that are written by their names.
macro_rules! written_by_name {
    ($($type:ident $table:ident,)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> String {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                super::words($table.iter().map(|(_, name)| *name)).into()
            }
        }
    )*};
}

written_by_name! {
    Component COMPONENTS,
    FigureUnit FIGURE_UNITS,
    Evidence EVIDENCES,
    LineKind LINE_KINDS,
    Outcome OUTCOMES,
    OnUnknown ON_UNKNOWN,
    Phase PHASES,
    Precision PRECISIONS,
    RecordFormat RECORD_FORMATS,
    Setting SETTINGS,
    State STATES,
    Verdict VERDICTS,
}

impl JsonSchema for Time {
    fn schema_name() -> String {
        "Time".into()
    }

    fn is_referenceable() -> bool {
        false
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            instance_type: Some(InstanceType::String.into()),
            format: Some("date-time".into()),
            ..Default::default()
        }
        .into()
    }
}
