//! A condition of an expression over the columns of a table.

use regex::Regex;

use crate::causes;
use crate::model::error::{Error, ErrorKind};
use crate::model::nearest::nearest;
use crate::model::startup::STATES;
use crate::report::gate::expression::{ColumnType, Comparison, Test, Value};
use crate::table::Batch;
use crate::table::filter;

/// A condition that is ready to be asked. Null fits no condition but those that ask for it, and is unequal to everything.
pub(super) struct Filter<'a> {
    test: &'a Test,
    /// Of a text that it is compared with.
    glob: Option<Regex>,
}

/// Whether a column is a length of time that ends when the pod runs.
pub(super) fn takes_until_running(column: &str) -> bool {
    matches!(column, "running_s" | "running_min_s" | "slo_s") || takes_until_ready(column)
}

/// Whether a column is a length of time that ends when the pod is ready.
pub(super) fn takes_until_ready(column: &str) -> bool {
    matches!(column, "ready_s" | "ready_min_s" | "ready_max_s" | "readiness_s")
}

/// Fails where a column has a fixed set of words and none of them fits: such a condition would never hold.
fn check_word(column: &str, pattern: &str, glob: &Regex) -> Result<(), Error> {
    let words: Vec<&str> = match column {
        "state" => STATES.iter().map(|(_, name)| *name).collect(),
        "cause" => causes::all().map(|cause| cause.id).collect(),
        _ => return Ok(()),
    };
    if words.iter().any(|word| glob.is_match(word)) {
        return Ok(());
    }
    let near = nearest(pattern, words.iter().copied()).map_or(String::new(), |near| format!("did you mean {near}? "));
    let help = if column == "state" {
        format!("states: {}", words.join(", "))
    } else {
        "podlag explain lists the causes".into()
    };
    Err(Error::new(ErrorKind::Setting, format!("unknown {column} {pattern:?}")).help(near + &help))
}

impl<'a> Filter<'a> {
    pub(super) fn new(test: &'a Test) -> Result<Self, Error> {
        let glob = match &test.value {
            Value::Text(pattern) => {
                let glob = filter::glob(pattern)?;
                check_word(&test.column.name, pattern, &glob)?;
                Some(glob)
            }
            _ => None,
        };
        Ok(Filter { test, glob })
    }

    /// The column it looks at.
    pub(super) fn column(&self) -> &'a str {
        &self.test.column.name
    }

    /// Whether a startup that has no value may come to have one once it runs. What null itself answers (text, an inequality, the
    /// question for null) is no such value.
    pub(super) fn comes_with_running(&self) -> bool {
        !matches!(self.test.column.kind, ColumnType::Text | ColumnType::Texts)
            && self.test.value != Value::Null
            && self.test.comparison != Comparison::Unequal
    }

    /// Whether a startup that did not come up fits: it took longer to run than any bound. None: the condition is on something else.
    pub(super) fn fits_unbounded(&self) -> Option<bool> {
        match self.test.value {
            Value::Number(bound) if takes_until_running(self.column()) => {
                Some(self.test.comparison.holds(f64::INFINITY, bound))
            }
            _ => None,
        }
    }

    /// Of each row whether it fits; none: nothing is known.
    pub(super) fn fits(&self, batch: &Batch) -> Result<Vec<Option<bool>>, Error> {
        let (name, comparison) = (self.column(), self.test.comparison);
        let equal = comparison == Comparison::Equal;
        let otherwise = (comparison == Comparison::Unequal).then_some(true);
        Ok(match (&self.test.value, &self.glob) {
            (Value::Null, _) => batch.nulls(name)?.into_iter().map(|unknown| Some(unknown == equal)).collect(),
            (Value::Number(bound), _) => {
                let fits = |value: f64| comparison.holds(value, *bound);
                batch.numbers(name)?.into_iter().map(|value| value.map(fits).or(otherwise)).collect()
            }
            (Value::Bool(bound), _) => {
                let fits = |value: bool| comparison.allows(value.cmp(bound));
                batch.flags(name)?.iter().map(|value| value.map(fits).or(otherwise)).collect()
            }
            (Value::Time(bound), _) => {
                let fits = |value: i64| comparison.allows(value.cmp(bound));
                batch.integers(name)?.iter().map(|value| value.map(fits).or(otherwise)).collect()
            }
            (Value::Text(_), Some(glob)) if self.test.column.kind == ColumnType::Texts => {
                let (words, lengths) = batch.words(name)?;
                let mut words = words.iter();
                let mut any = |length: usize| {
                    words.by_ref().take(length).flatten().filter(|word| glob.is_match(word)).count() > 0
                };
                lengths.into_iter().map(|length| Some(any(length) == equal)).collect()
            }
            (Value::Text(_), glob) => {
                let fits = |word: Option<&str>| word.zip(glob.as_ref()).is_some_and(|(word, glob)| glob.is_match(word));
                batch.text(name)?.iter().map(|word| Some(fits(word) == equal)).collect()
            }
        })
    }
}
