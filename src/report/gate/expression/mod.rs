//! The language of `podlag check --fail-if`: one figure of the startups, compared with one bound.
//!
//! Here an expression is read, checked against the columns there are, and written in a normal form. Nothing is
//! computed: this module knows no table, compiles no glob, and has no columns of its own.
//!
//! ```text
//! expression = figure, comparison, bound ;
//! figure     = ( quantile | "min" | "max" | "mean" | "sum" ), "(", column, { ",", test }, ")"
//!            | "count", "(", [ test, { ",", test } ], ")"
//!            | "share", "(", test, { ",", test }, ")" ;         (* what it is the share of follows the condition *)
//! quantile   = "p", number ;                                    (* above 0, at most 100 *)
//! test       = column, comparison, value ;
//! comparison = "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" ;    (* text and true or false: only = and != *)
//! value      = "null" | text | quantity | "true" | "false" | instant ;          (* as the column's kind wants *)
//! bound      = quantity | base, [ ( "+" | "-" ), quantity ] | "baseline", ( "+" | "-" ), number, "%" ;
//! base       = [ number, "*" ], "baseline" | "baseline", "*", number ;
//! quantity   = number | number, unit, { number, unit } ;        (* units once each, the largest first *)
//! unit       = "h" | "m" | "s" | "ms" | "us" | "ns" | "B" | "KB" | "KiB" | ... | "PiB" | "%" ;
//! number     = digits, [ ".", digits ], [ exponent ] | ".", digits, [ exponent ] ;
//! exponent   = ( "e" | "E" ), [ "+" | "-" ], digits ;
//! digits     = digit, { [ "_" ], digit } ;
//! text       = word | '"', { character | '""' }, '"' | "'", { character | "''" }, "'" ;
//! word       = ( letter | digit | one of . - _ / : @ * ? % + ), { ditto } ;
//! column     = ( letter | digit | one of . - _ ), { ditto } ;
//! instant    = text ;                                           (* RFC 3339 *)
//! ```
//!
//! White space is free between all of these, and between a number and its unit. A percentage behind the baseline is
//! a part of it; of a share that could also mean percentage points, so there it is a mistake.

mod error;
mod lexical;
mod normal;
mod syntax;
#[cfg(test)]
mod tests;
mod value;

use std::cmp::Ordering;

pub use error::ParseError;
use error::SyntaxError;

/// What a column holds, and so what it can be compared with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColumnType {
    /// A word.
    Text,
    /// A list of words; `=` asks whether one of them fits, `!=` whether none does.
    Texts,
    /// A length of time.
    Seconds,
    /// A size.
    Bytes,
    /// A plain number.
    Number,
    /// True or false.
    Bool,
    /// An instant.
    Time,
}

/// A column as an expression names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Column {
    /// Its name, one of those handed to [`parse`].
    pub name: String,
    /// What it holds.
    pub kind: ColumnType,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// `=`, also written `==`.
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Whether values in this order fit.
    pub fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }

    /// Whether `left` compares so with `right`. A NaN is no figure: nothing holds for it, not even `!=`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        left.partial_cmp(&right).is_some_and(|order| self.allows(order))
    }

    /// Whether it asks for equality alone, which is all that values without an order can answer.
    fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::Unequal)
    }
}

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A glob: `*` is any text, `?` one character, everything else itself. Quotes do not change that.
    Text(String),
    /// Seconds, bytes or a plain number, as the column's kind says; never negative, always finite.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// Nothing is known; only compared with `=` and `!=`.
    Null,
    /// Nanoseconds since the epoch, UTC.
    Time(i64),
}

/// A condition on one startup.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// What is looked at.
    pub column: Column,
    /// How it is compared; only `=` and `!=` for text, for true or false, and for null.
    pub comparison: Comparison,
    /// What it is compared with; null, or of the column's kind.
    pub value: Value,
}

/// Which figure is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// The quantile at this share: above 0, at most 1.
    Quantile(f64),
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The arithmetic mean.
    Mean,
    /// The sum.
    Sum,
    /// How many startups pass the filters.
    Count,
    /// Which share of the startups that pass the filters fits the condition, 0 to 1.
    Share,
}

/// What the figure is compared with, in the figure's own unit (a share as 0 to 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// A fixed value; never negative, always finite.
    Value(f64),
    /// The same figure of the baseline, times `factor` (above 0), and `plus` (any sign) added.
    Baseline {
        /// What the baseline is multiplied by: 1.1 for `baseline + 10%`.
        factor: f64,
        /// What is added to it.
        plus: f64,
    },
}

impl Bound {
    /// The bound as a figure; none when it needs a baseline and there is none.
    pub fn over(self, baseline: Option<f64>) -> Option<f64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Baseline { factor, plus } => baseline.map(|baseline| factor * baseline + plus),
        }
    }
}

/// One expression. Its `Display` is the normal form: it parses again to the same, apart from `text`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// As it was given.
    pub text: String,
    /// Which figure.
    pub function: Function,
    /// Of which column (of seconds, bytes or numbers); none for a count or a share.
    pub column: Option<Column>,
    /// What the share is of; only for a share.
    pub condition: Option<Test>,
    /// Which startups count: those that pass all of these.
    pub filters: Vec<Test>,
    /// How the figure is compared with the bound.
    pub comparison: Comparison,
    /// What it is compared with.
    pub bound: Bound,
}

impl Expression {
    /// Whether it says something only next to a baseline.
    pub fn needs_baseline(&self) -> bool {
        matches!(self.bound, Bound::Baseline { .. })
    }
}

/// Reads an expression over these columns; their names must be of letters, digits, `.`, `-` and `_`.
///
/// # Errors
/// The first mistake from the left, with its place.
pub fn parse(text: &str, columns: &[(&str, ColumnType)]) -> Result<Expression, ParseError> {
    match syntax::expression(columns, text) {
        Ok((_, expression)) => Ok(expression),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(fault.within(text)),
        // Only parsers of streams ask for more input.
        Err(nom::Err::Incomplete(_)) => Err(SyntaxError::expected("more", text).within(text)),
    }
}
