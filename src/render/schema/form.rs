//! The formats that are written in parts and have no type as a whole: here as one type each, for their schema alone.
#![allow(dead_code, reason = "what is written is made elsewhere; a test holds both together")]

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;

use crate::metrics::MetricsReport;
use crate::render::MeasuredLine;
use crate::report::replay::WhatIf;
use crate::report::{Coverage, NotChecked};
use crate::table::{Group, KEYS, Row, Summary};

/// The whole report.
#[derive(JsonSchema)]
pub(super) struct Report {
    /// The version of this format.
    podlag_report: u32,
    /// Identifies this run: the same input gives the same id.
    run: String,
    /// Figures over all startups.
    summary: Summary,
    /// The metrics, if given.
    metrics: Option<MetricsReport>,
    /// Estimates of these starts with other settings.
    what_if: Vec<WhatIf>,
    /// Causes that could not be checked, and the input that would show them.
    not_checked: Vec<NotChecked>,
    /// What was read, and what could not be.
    coverage: Coverage,
    /// The meaning of each anomaly's id.
    anomaly_meanings: BTreeMap<String, String>,
    /// The startups, one row each.
    startups: Vec<Row>,
}

/// A line of NDJSON.
#[derive(JsonSchema)]
#[serde(untagged)]
pub(super) enum Line {
    /// A startup.
    Startup(Box<Row>),
    /// A node's metrics.
    Metrics(MeasuredLine<'static>),
}

/// Groups of startups.
#[derive(JsonSchema)]
pub(super) struct Blame {
    /// What they are grouped by: keys, separated by commas.
    by: String,
    /// The quantiles' column.
    column: String,
    /// The groups, the costliest first.
    groups: Vec<Grouped>,
}

/// A group, whose names are under the words it is grouped by; of causes none has a cause, of a phase none a top phase.
struct Grouped;

impl JsonSchema for Grouped {
    fn schema_name() -> String {
        "Group".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        let mut group = Group::json_schema(of).into_object();
        let fields = std::mem::take(&mut group.object().properties);
        for (name, field) in fields {
            match name.as_str() {
                "names" => {
                    let mut name = Option::<String>::json_schema(of).into_object();
                    name.metadata().description = Some("The group's name by this key, if it is grouped by it.".into());
                    // The column of causes has the group's own where it is grouped by them.
                    let keys = KEYS.iter().filter(|(_, key)| *key != "cause");
                    let keys = keys.map(|(_, key)| if *key == "hour" { "hour_utc" } else { key });
                    group.object().properties.extend(keys.map(|key| (key.to_owned(), name.clone().into())));
                }
                "phase" => drop(group.object().properties.insert("top_phase".into(), field)),
                _ => drop(group.object().properties.insert(name, field)),
            }
        }
        Schema::Object(group)
    }
}
