//! Values: what a column or a bound can be compared with, by what the other side holds.

use chrono::DateTime;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::combinator::{consumed, verify};
use nom::multi::many1;
use nom::sequence::preceded;

use super::error::{SyntaxError, quoted as shown};
use super::lexical::{Parsed, blank, decimal, expected, lexeme, quoted, word};
use super::{Column, ColumnType, Comparison, Function, Value};

/// What is counted: a figure, a bound or a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unit {
    Seconds,
    Bytes,
    Number,
    Share,
}

/// A unit's name, and what a number of it is multiplied by: a factor, and a power of ten that is taken in decimals.
pub(super) struct Scale(Unit, pub(super) &'static str, f64, i32);

/// All units, the largest first within each sort.
///
/// To add one: a row here, and a word in the grammar.
pub(super) const SCALES: &[Scale] = &[
    Scale(Unit::Seconds, "h", 3600.0, 0),
    Scale(Unit::Seconds, "m", 60.0, 0),
    Scale(Unit::Seconds, "s", 1.0, 0),
    Scale(Unit::Seconds, "ms", 1.0, -3),
    Scale(Unit::Seconds, "us", 1.0, -6),
    Scale(Unit::Seconds, "\u{b5}s", 1.0, -6),
    Scale(Unit::Seconds, "\u{3bc}s", 1.0, -6),
    Scale(Unit::Seconds, "ns", 1.0, -9),
    Scale(Unit::Bytes, "PiB", 1_125_899_906_842_624.0, 0),
    Scale(Unit::Bytes, "PB", 1.0, 15),
    Scale(Unit::Bytes, "TiB", 1_099_511_627_776.0, 0),
    Scale(Unit::Bytes, "TB", 1.0, 12),
    Scale(Unit::Bytes, "GiB", 1_073_741_824.0, 0),
    Scale(Unit::Bytes, "GB", 1.0, 9),
    Scale(Unit::Bytes, "MiB", 1_048_576.0, 0),
    Scale(Unit::Bytes, "MB", 1.0, 6),
    Scale(Unit::Bytes, "KiB", 1024.0, 0),
    Scale(Unit::Bytes, "KB", 1.0, 3),
    Scale(Unit::Bytes, "B", 1.0, 0),
    Scale(Unit::Share, "%", 1.0, -2),
];

impl Scale {
    /// The unit of this name. Sizes are known by any case and as Kubernetes writes them (`Gi`): nobody means bits.
    fn named(name: &str) -> Option<&'static Self> {
        let size = |full: &str| {
            let short = full.strip_suffix('B').filter(|short| short.len() == 2);
            full.eq_ignore_ascii_case(name) || short.is_some_and(|short| short.eq_ignore_ascii_case(name))
        };
        SCALES.iter().find(|scale| scale.1 == name || (scale.0 == Unit::Bytes && size(scale.1)))
    }

    /// How much one of it is.
    pub(super) fn size(&self) -> f64 {
        self.2 * 10_f64.powi(self.3)
    }

    /// Whether this is one of bytes.
    pub(super) fn is_size(&self) -> bool {
        self.0 == Unit::Bytes
    }
}

impl Unit {
    /// What a column of this kind is counted in; none when it is not counted.
    pub(super) fn of(kind: ColumnType) -> Option<Self> {
        match kind {
            ColumnType::Seconds => Some(Self::Seconds),
            ColumnType::Bytes => Some(Self::Bytes),
            ColumnType::Number => Some(Self::Number),
            ColumnType::Text | ColumnType::Texts | ColumnType::Bool | ColumnType::Time => None,
        }
    }

    /// What a figure is counted in.
    pub(super) fn of_figure(function: Function, column: Option<&Column>) -> Self {
        match function {
            Function::Share => Self::Share,
            _ => column.and_then(|column| Self::of(column.kind)).unwrap_or(Self::Number),
        }
    }

    /// What it is called, and one as it is written.
    pub(super) fn example(self) -> (&'static str, &'static str) {
        match self {
            Self::Seconds => ("a duration", "5s"),
            Self::Bytes => ("a size", "20GiB"),
            Self::Number => ("a number", "10"),
            Self::Share => ("a percentage", "5%"),
        }
    }

    /// The advice that lists the units.
    fn units(self) -> &'static str {
        match self {
            Self::Seconds => "the units are h, m, s, ms, us and ns",
            Self::Bytes => "the units are B, KB, MB, GB, TB, PB, KiB, MiB, GiB, TiB and PiB",
            Self::Number => "a number has no unit",
            Self::Share => "the unit is %",
        }
    }
}

/// The value a column of this kind is compared with, so.
pub(super) fn value<'a>(kind: ColumnType, comparison: Comparison, input: &'a str) -> Parsed<'a, Value> {
    if let Ok((rest, null)) = lexeme(verify(word, |word: &str| word == "null")).parse(input) {
        return match comparison.is_equality() {
            true => Ok((rest, Value::Null)),
            false => SyntaxError::new(null, "null can only be compared with = and !=").stop(),
        };
    }
    match (kind, Unit::of(kind)) {
        (_, Some(unit)) => {
            let (name, example) = unit.example();
            let (rest, number) = quantity(unit, &format!("{name} such as {example}"), input)?;
            Ok((rest, Value::Number(number)))
        }
        (ColumnType::Bool, _) => {
            expected("true or false", lexeme(word.map_opt(|word| word.parse().ok().map(Value::Bool)))).parse(input)
        }
        (ColumnType::Time, _) => instant(input),
        _ => {
            let text = alt((quoted, word.map(String::from)));
            expected("a text such as shop or shop*", lexeme(text)).map(Value::Text).parse(input)
        }
    }
}

/// An instant.
fn instant(input: &str) -> Parsed<'_, Value> {
    const WHAT: &str = "an instant such as 2026-11-23T18:00:00Z";
    let text = lexeme(consumed(alt((quoted, word.map(String::from)))));
    let (rest, (at, text)) = expected(WHAT, text).parse(input)?;
    let Ok(instant) = DateTime::parse_from_rfc3339(&text) else {
        return SyntaxError::new(at, format!("expected {WHAT}, found {}", shown(&text))).stop();
    };
    match instant.timestamp_nanos_opt() {
        Some(nanoseconds) => Ok((rest, Value::Time(nanoseconds))),
        None => SyntaxError::new(at, "this instant is not between the years 1678 and 2261").stop(),
    }
}

/// A number with its units, as the unit's own figure; `what` says what is expected here.
pub(super) fn quantity<'a>(unit: Unit, what: &str, input: &'a str) -> Parsed<'a, f64> {
    let name = || alt((tag("%"), take_while1(char::is_alphabetic)));
    let measured = many1(lexeme((decimal, preceded(blank, name()).map(Some))));
    let bare = lexeme(decimal).map(|number| vec![(number, None)]);
    let (rest, (at, parts)) = expected(what, consumed(alt((measured, bare)))).parse(input)?;
    let at = at.trim_end();

    let (mut sum, mut before) = (0.0, f64::INFINITY);
    for (number, name) in parts {
        let Some(name) = name else {
            sum = number.shifted(0);
            continue;
        };
        let scale = match Scale::named(name) {
            Some(scale) if scale.0 == unit => scale,
            found => return misfit(unit, what, at, name, found).stop(),
        };
        if scale.size() >= before {
            return SyntaxError::new(at, "expected every unit once, the largest first").stop();
        }
        before = scale.size();
        sum += number.shifted(scale.3) * scale.2;
    }
    match sum.is_finite() {
        true if unit == Unit::Share && sum > 1.0 => {
            let fault = SyntaxError::new(at, format!("a share is at most 1, which is 100%, found {}", shown(at)));
            if at.ends_with('%') || sum > 100.0 { fault.stop() } else { fault.help(format!("write {at}%")).stop() }
        }
        true => Ok((rest, sum)),
        false => SyntaxError::new(at, format!("{} is too large", shown(at))).stop(),
    }
}

/// Why this unit cannot stand here.
fn misfit<'a>(unit: Unit, what: &str, at: &'a str, name: &'a str, found: Option<&Scale>) -> SyntaxError<'a> {
    let Some(scale) = found else {
        return SyntaxError::new(name, format!("no unit is named {}", shown(name))).help(unit.units());
    };
    let fault = SyntaxError::new(at, format!("expected {what}, found {}, {}", shown(at), scale.0.example().0));
    match scale.0 {
        Unit::Share => fault.help("percentages are for share(CONDITION) and for baseline + 10%"),
        _ => fault.help(unit.units()),
    }
}
