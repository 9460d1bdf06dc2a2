//! Values that stores wrap: OpenTelemetry's with their types, lists of keys and values, rows.

use serde_json::{Map, Value};

/// The keys of OpenTelemetry's values with a type.
const TYPED: &[&str] = &["stringValue", "intValue", "doubleValue", "boolValue", "bytesValue"];

/// A value without its types: `{"stringValue":"x"}` is `"x"`, and a list of keys and values an object.
pub(super) fn plain(value: Value) -> Value {
    match value {
        Value::Object(mut object) if object.len() == 1 => {
            let typed = TYPED.iter().find_map(|name| object.remove(*name));
            match (typed, object.remove("kvlistValue"), object.remove("arrayValue")) {
                (Some(value), ..) => value,
                (_, Some(list), _) | (.., Some(list)) => match list {
                    Value::Object(mut list) => plain(list.remove("values").unwrap_or_default()),
                    other => other,
                },
                (None, None, None) => plain_object(object),
            }
        }
        Value::Object(object) => plain_object(object),
        Value::Array(items) => match pairs(&items) {
            Some(object) => plain_object(object),
            None => Value::Array(items.into_iter().map(plain).collect()),
        },
        other => other,
    }
}

fn plain_object(object: Map<String, Value>) -> Value {
    Value::Object(object.into_iter().map(|(key, value)| (key, plain(value))).collect())
}

/// A list of `{"key": …, "value": …}` or `{"field": …, "value": …}` as an object.
fn pairs(items: &[Value]) -> Option<Map<String, Value>> {
    let pair = |item: &Value| {
        let key = item.get("key").or_else(|| item.get("field"))?.as_str()?;
        Some((key.to_owned(), item.get("value")?.clone()))
    };
    let pairs: Option<Map<String, Value>> = items.iter().map(pair).collect();
    pairs.filter(|pairs| !pairs.is_empty())
}

/// The records in an element of a list: `["TIME", "LINE", {…}]` of Loki's, a row of values of a table's, fields and values of
/// CloudWatch's queries, or a line.
pub(super) fn rows(value: Value, columns: &[String]) -> Vec<Map<String, Value>> {
    match value {
        Value::String(line) => vec![Map::from_iter([("line".to_owned(), Value::String(line))])],
        Value::Array(items) if !columns.is_empty() => vec![columns.iter().cloned().zip(items).collect()],
        Value::Array(items) => {
            if let Some(pairs) = pairs(&items) {
                return vec![pairs];
            }
            if let [Value::String(_) | Value::Number(_), Value::String(_), ..] = items.as_slice() {
                let names = ["timestamp", "line", "metadata"].map(str::to_owned);
                return vec![names.into_iter().zip(items).collect()];
            }
            let objects = items.into_iter().filter_map(|item| match item {
                Value::Object(object) => Some(object),
                _ => None,
            });
            objects.collect()
        }
        _ => Vec::new(),
    }
}
