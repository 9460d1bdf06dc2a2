//! The forms that are written piece by piece, whose whole is no type: here as one, for their schema alone.
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
    /// The version of this form.
    podlag_report: u32,
    /// Tells this run from others: the same input gives the same.
    run: String,
    /// Figures over all startups.
    summary: Summary,
    /// What metrics say, where some were given.
    metrics: Option<MetricsReport>,
    /// What other settings would have made of these starts.
    what_if: Vec<WhatIf>,
    /// Causes that could not be judged for want of evidence.
    not_checked: Vec<NotChecked>,
    /// What was read, and what could not be.
    coverage: Coverage,
    /// What the ids of oddities mean.
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
    /// What the quantiles are of.
    of: String,
    /// The groups, the costliest first.
    groups: Vec<Grouped>,
}

/// A group, whose name stands under the word it is grouped by.
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
                    "phase" => "mostly",
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
