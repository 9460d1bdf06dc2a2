//! The fields of one line: what it says in addition to its fact.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::model::record::{Field, Value};
use crate::model::time::Nanos;

/// Every name and figure a line gives, in its order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fields(Vec<(Field, Value)>);

impl Fields {
    /// A field's text.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.values(field).find_map(|value| if let Value::Text(text) = value { Some(&**text) } else { None })
    }

    /// A field's length of time.
    pub fn length(&self, field: Field) -> Option<Nanos> {
        self.values(field).find_map(|value| if let Value::Length(span) = value { Some(*span) } else { None })
    }

    /// A field's number.
    pub fn number(&self, field: Field) -> Option<i64> {
        self.values(field).find_map(|value| if let Value::Number(number) = value { Some(*number) } else { None })
    }

    /// Takes the first list of pods out of them, and drops all others.
    pub fn take_pods(&mut self) -> Box<[Box<str>]> {
        let mut lists = self.0.extract_if(.., |(field, _)| *field == Field::Pods).map(|(_, value)| value);
        let first = lists.next();
        lists.for_each(drop);
        if let Some(Value::Pods(pods)) = first { pods } else { Box::default() }
    }

    fn values(&self, field: Field) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |(known, _)| *known == field).map(|(_, value)| value)
    }
}

impl From<Vec<(Field, Value)>> for Fields {
    fn from(fields: Vec<(Field, Value)>) -> Self {
        Fields(fields)
    }
}

impl Deref for Fields {
    type Target = [(Field, Value)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
