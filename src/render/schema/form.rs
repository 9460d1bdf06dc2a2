//! The formats that are written in parts and have no type as a whole: here as one type each, for their schema alone.
#![allow(dead_code, reason = "what is written is made elsewhere; a test holds both together")]

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Schema, SchemaObject};

use crate::metrics::MetricsReport;
use crate::render::MeasuredLine;
use crate::report::replay::WhatIf;
use crate::report::{Coverage, NotChecked};
use crate::table::{Group, KEYS, Key, Row, Summary};

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
    /// What they are grouped by.
    by: Key,
    /// The quantiles' column.
    column: String,
    /// The groups, the costliest first.
    groups: Vec<Grouped>,
}

/// A group, whose name is under the word it is grouped by.
struct Grouped;

impl JsonSchema for Grouped {
    fn schema_name() -> String {
        "Group".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        let fields = Group::json_schema(of).into_object().object.map(|object| object.properties).unwrap_or_default();
        let kinds = KEYS.iter().map(|(_, key)| {
            let mut kind = SchemaObject { instance_type: Some(InstanceType::Object.into()), ..Default::default() };
            for (name, field) in &fields {
                let name = match name.as_str() {
                    "name" if *key == "hour" => "hour_utc",
                    "name" => key,
                    "phase" => "top_phase",
                    name => name,
                };
                kind.object().properties.insert(name.into(), field.clone());
            }
            Schema::Object(kind)
        });
        let mut any = SchemaObject::default();
        any.subschemas().any_of = Some(kinds.collect());
        any.into()
    }
}
