//! The JSON that podlag prints, as JSON Schema (draft 7): made of the very types that are printed, so what is documented and what is
//! written cannot part. The files in `docs/schema` are these, and a test holds them against real output.
//!
//! Every object is closed, and every field is there but for a few that have nothing to say.

mod form;
mod model;

use schemars::r#gen::{SchemaGenerator, SchemaSettings};
use schemars::schema::{InstanceType, RootSchema, Schema as Node, SchemaObject};
use schemars::visit::{Visitor, visit_schema_object};

use crate::model::error::{Error, ErrorKind};

/// One of the JSON formats.
#[derive(Debug)]
pub struct Schema {
    /// Its name, that of its file in `docs/schema`.
    pub name: &'static str,
    /// What prints it.
    pub about: &'static str,
    make: fn(SchemaGenerator) -> RootSchema,
}

/// All of them.
pub const SCHEMAS: &[Schema] = &[
    Schema {
        name: "report",
        about: "the complete report: --format json, -o FILE.json",
        make: SchemaGenerator::into_root_schema_for::<form::Report>,
    },
    Schema {
        name: "ndjson",
        about: "one line, a startup or a node's metrics: --format ndjson, -o FILE.ndjson",
        make: SchemaGenerator::into_root_schema_for::<form::Line>,
    },
    Schema {
        name: "blame",
        about: "podlag blame --format json",
        make: SchemaGenerator::into_root_schema_for::<form::Blame>,
    },
    Schema {
        name: "diff",
        about: "podlag diff --format json",
        make: SchemaGenerator::into_root_schema_for::<crate::report::compare::Diff>,
    },
    Schema {
        name: "check",
        about: "podlag check --format json",
        make: SchemaGenerator::into_root_schema_for::<crate::report::gate::Verdicts>,
    },
];

/// Fields that are omitted when empty, with the object that has them; all others are always present.
const OPTIONAL_FIELDS: &[(&str, &str)] = &[
    // Of the keys those that are grouped by.
    ("Group", "pod"),
    ("Group", "workload"),
    ("Group", "namespace"),
    ("Group", "node"),
    ("Group", "image"),
    ("Group", "registry"),
    ("Group", "phase"),
    ("Group", "hour_utc"),
    ("Report", "metrics"),
    ("Coverage", "pseudonyms"),
    ("Figures", "reconciled"),
    ("NodeMetrics", "reconciled"),
    ("MeanComponent", "remarks"),
    ("SeriesDelta", "seconds"),
    ("SeriesDelta", "histogram"),
];

/// The form with this name.
///
/// # Errors
/// When there is none.
pub fn named(name: &str) -> Result<&'static Schema, Error> {
    SCHEMAS.iter().find(|schema| schema.name == name).ok_or_else(|| {
        let known: Vec<&str> = SCHEMAS.iter().map(|schema| schema.name).collect();
        Error::new(ErrorKind::Setting, format!("unknown schema {name:?}")).help(format!("known: {}", known.join(", ")))
    })
}

impl Schema {
    /// The schema as text.
    ///
    /// # Errors
    /// When it cannot be written, which is a defect.
    pub fn text(&self) -> Result<String, Error> {
        let mut root = (self.make)(SchemaSettings::draft07().into_generator());
        let of = root.schema.metadata().title.replace(format!("podlag {}: {}", self.name, self.about));
        DenyUnknown(&of.unwrap_or_default()).visit_schema_object(&mut root.schema);
        for (of, schema) in &mut root.definitions {
            DenyUnknown(of).visit_schema(schema);
        }
        let text = serde_json::to_string_pretty(&root).map_err(std::io::Error::from)?;
        Ok(text + "\n")
    }
}

/// A text that is one of these words.
pub(crate) fn words<'a>(all: impl IntoIterator<Item = &'a str>) -> SchemaObject {
    SchemaObject {
        instance_type: Some(InstanceType::String.into()),
        enum_values: Some(all.into_iter().map(Into::into).collect()),
        ..SchemaObject::default()
    }
}

/// Closes the object of this name, and asks for all of its fields: defaults are for reading, what is written is whole.
struct DenyUnknown<'a>(&'a str);

impl Visitor for DenyUnknown<'_> {
    fn visit_schema_object(&mut self, schema: &mut SchemaObject) {
        if let Some(metadata) = &mut schema.metadata {
            metadata.default = None;
        }
        // Formats of numbers are schemars' own.
        if schema.format.as_deref() != Some("date-time") {
            schema.format = None;
        }
        if let Some(object) = schema.object.as_mut().filter(|object| !object.properties.is_empty()) {
            let always = object.properties.keys().filter(|field| !OPTIONAL_FIELDS.contains(&(self.0, field.as_str())));
            object.required = always.cloned().collect();
            object.additional_properties = Some(Box::new(Node::Bool(false)));
        }
        visit_schema_object(self, schema);
    }
}
