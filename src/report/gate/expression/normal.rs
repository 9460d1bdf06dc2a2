//! The normal form: one way of writing each expression, that parses again to the same.

use std::fmt;

use chrono::{DateTime, SecondsFormat};

use super::lexical::{decimal, is_bare};
use super::value::{SCALES, Unit};
use super::{Bound, Comparison, Expression, Function, Test, Value};

/// From here on not every whole number is exact, and a sum of units might not be the same number again.
const EXACT: f64 = 9e15;

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = Unit::of_figure(self.function, self.column.as_ref());
        write!(f, "{}(", self.function)?;
        let first = self.column.iter().map(|column| column.name.clone());
        let tests = self.condition.iter().chain(&self.filters).map(ToString::to_string);
        f.write_str(&first.chain(tests).collect::<Vec<_>>().join(", "))?;
        write!(f, ") {} ", self.comparison)?;
        match self.bound {
            Bound::Value(value) => f.write_str(&quantity(unit, value)),
            Bound::Baseline { factor, plus } => {
                if factor != 1.0 {
                    write!(f, "{} * ", number(factor))?;
                }
                f.write_str("baseline")?;
                if plus == 0.0 {
                    return Ok(());
                }
                // After "baseline", a percentage is a part of it and not one of the startups.
                let unit = if unit == Unit::Share { Unit::Number } else { unit };
                write!(f, " {} {}", if plus < 0.0 { '-' } else { '+' }, quantity(unit, plus.abs()))
            }
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quantile(share) => write!(f, "p{}", percent(*share)),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Mean => f.write_str("mean"),
            Self::Sum => f.write_str("sum"),
            Self::Count => f.write_str("count"),
            Self::Share => f.write_str("share"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        })
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.comparison.is_equality() { "" } else { " " };
        write!(f, "{}{space}{}{space}", self.column.name, self.comparison)?;
        match &self.value {
            Value::Text(text) if text != "null" && !text.is_empty() && text.chars().all(is_bare) => f.write_str(text),
            Value::Text(text) => write!(f, "\"{}\"", text.replace('"', "\"\"")),
            Value::Number(value) => f.write_str(&quantity(Unit::of(self.column.kind).unwrap_or(Unit::Number), *value)),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Null => f.write_str("null"),
            Value::Time(nanoseconds) => {
                let instant = DateTime::from_timestamp_nanos(*nanoseconds);
                f.write_str(&instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
        }
    }
}

/// A quantity in units that lose nothing.
fn quantity(unit: Unit, value: f64) -> String {
    let whole = value.fract() == 0.0 && value < EXACT;
    match unit {
        Unit::Number => number(value),
        Unit::Share => percent(value) + "%",
        Unit::Seconds if whole && value >= 60.0 => {
            let seconds = value as u64;
            let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
            parts.iter().filter(|(part, _)| *part > 0).map(|(part, unit)| format!("{part}{unit}")).collect()
        }
        Unit::Seconds => number(value) + "s",
        Unit::Bytes => {
            let fits = |size: f64| whole && value > 0.0 && value % size == 0.0;
            let size = SCALES.iter().filter(|scale| scale.is_size()).find(|scale| fits(scale.size()));
            size.map_or_else(|| number(value) + "B", |size| number(value / size.size()) + size.1)
        }
    }
}

/// The number of percent that is exactly this share.
fn percent(share: f64) -> String {
    let digits = format!("{share:e}");
    let (digits, power) = digits.split_once('e').unwrap_or((&digits, "0"));
    let exact = format!("{digits}e{}", power.parse().unwrap_or(0) + 2);
    let plain = exact.parse().map_or(String::new(), number);
    match decimal(&plain) {
        Ok((_, decimal)) if decimal.shifted(-2) == share => plain,
        _ => exact,
    }
}

/// The shortest text that is this number again.
fn number(number: f64) -> String {
    let plain = number == 0.0 || (1e-6..1e16).contains(&number);
    if plain { number.to_string() } else { format!("{number:e}") }
}
