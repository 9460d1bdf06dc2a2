//! An event of the trace event format, and what a click on it shows.

use serde::ser::{Serialize, Serializer};

use crate::model::text::sanitize;
use crate::table::{Place, Row};

/// An event, by the format's names.
#[derive(Default, serde::Serialize)]
pub(super) struct Event<'a> {
    pub name: &'a str,
    pub cat: &'static str,
    pub ph: &'static str,
    pub pid: u32,
    pub tid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dur: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bp: Option<&'static str>,
    #[serde(skip_serializing_if = "Args::is_empty")]
    pub args: Args,
}

/// What a click on an event shows.
#[derive(Default)]
pub(super) struct Args(Vec<(&'static str, Arg)>);

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Arg {
    Number(f64),
    Text(String),
}

impl Args {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn text(mut self, name: &'static str, text: Option<&str>) -> Self {
        self.0.extend(text.filter(|text| !text.is_empty()).map(|text| (name, Arg::Text(sanitize(text)))));
        self
    }

    pub(super) fn number(mut self, name: &'static str, number: Option<f64>) -> Self {
        self.0.extend(number.map(|number| (name, Arg::Number(number))));
        self
    }

    pub(super) fn evidence(self, row: &Row, place: Option<&Place>) -> Self {
        let at = place.map(|place| format!("{}:{}", place.source, place.line));
        self.text("evidence", at.as_deref()).text("text", place.map(|place| row.text(place)))
    }
}

impl Serialize for Args {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, arg)| (name, arg)))
    }
}
