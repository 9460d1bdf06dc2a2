//! The grammar from the function to the bound. Values depend on what the column before them holds, so names are looked
//! up while reading, and the first mistake from the left is the one that is reported.

use nom::Parser;
use nom::branch::alt;
use nom::character::complete::char;
use nom::combinator::{all_consuming, cond, consumed, eof, opt, peek, value as constant, verify};
use nom::multi::{many0, separated_list1};
use nom::sequence::{preceded, terminated};

use super::error::{SyntaxError, quoted};
use super::lexical::{Parsed, blank, comparator, comparison, decimal, expected, lexeme, name, number, symbol, token};
use super::value::{Unit, quantity, value};
use super::{Bound, Column, ColumnType, Expression, Function, Test};
use crate::model::nearest::nearest;

type Columns<'c> = &'c [(&'c str, ColumnType)];

const FUNCTIONS: &str = "the functions are pN, min, max, mean, sum, count and share";
const COLUMNS: &str = "podlag check --columns lists them";
const EXPRESSION: &str = "an expression such as p99(slo_s) > 5s";
const FILTER: &str = "a filter such as namespace=shop";

/// Names other tools have for the functions here.
const ALIASES: &[(&str, &str)] = &[("avg", "mean"), ("average", "mean"), ("median", "p50")];

/// The whole expression, with nothing left behind it.
pub(super) fn expression<'a>(columns: Columns<'_>, text: &'a str) -> Parsed<'a, Expression> {
    let (input, _) = blank(text)?;
    if input.is_empty() {
        let nothing = format!("expected {EXPRESSION}, found nothing");
        return SyntaxError::new(input, nothing).stop();
    }
    let (input, (called, function)) = function(columns, input)?;
    let (input, _) = expected(&format!("\"(\" after {called}"), symbol('(')).parse(input)?;

    let of_column = !matches!(function, Function::Count | Function::Share);
    let (input, column) = cond(of_column, |input| figure(columns, called, input)).parse(input)?;
    let condition = |input| test(columns, "a condition such as slo_s > 5s", input);
    let (input, condition) = cond(function == Function::Share, condition).parse(input)?;
    let filter = || move |input| test(columns, FILTER, input);
    let (input, filters) = if function == Function::Count {
        alt((constant(Vec::new(), peek(symbol(')'))), separated_list1(symbol(','), filter()))).parse(input)?
    } else {
        many0(preceded(symbol(','), filter())).parse(input)?
    };
    let (input, _) = close(input)?;

    let (input, (_, comparison)) = expected("a comparison such as >", comparator).parse(input)?;
    let (input, bound) = bound(Unit::of_figure(function, column.as_ref()), input)?;
    match eof::<_, SyntaxError<'_>>(input) {
        Ok((end, _)) => {
            let text = text.into();
            Ok((end, Expression { text, function, column, condition, filters, comparison, bound }))
        }
        Err(_) => {
            let and = "an expression is one comparison; put filters inside the parentheses";
            conjunction(SyntaxError::expected("the end of the expression", input), and, input).stop()
        }
    }
}

/// The function, and what it is called here.
fn function<'a>(columns: Columns<'_>, input: &'a str) -> Parsed<'a, (&'a str, Function)> {
    let (rest, called) = expected(EXPRESSION, lexeme(name)).parse(input)?;
    let function = match called {
        "min" => Function::Min,
        "max" => Function::Max,
        "mean" => Function::Mean,
        "sum" => Function::Sum,
        "count" => Function::Count,
        "share" => Function::Share,
        _ => match all_consuming(preceded(char('p'), consumed(decimal))).parse(called) {
            Ok((_, (at, percent))) => {
                let share = percent.shifted(-2);
                if share <= 0.0 || share > 1.0 {
                    let range = format!("expected a quantile above 0 and at most 100, found {}", quoted(at));
                    return SyntaxError::new(at, range).stop();
                }
                Function::Quantile(share)
            }
            Err(nom::Err::Failure(fault)) => return fault.stop(),
            Err(_) => return unknown(columns, called).stop(),
        },
    };
    Ok((rest, (called, function)))
}

/// Why this is no function.
fn unknown<'a>(columns: Columns<'_>, called: &'a str) -> SyntaxError<'a> {
    if columns.iter().any(|(column, _)| *column == called) {
        let message = format!("expected a function such as p99, found the column {called}");
        return SyntaxError::new(called, message).help(format!("write p99({called}) or max({called})"));
    }
    let alias = ALIASES.iter().find(|(alias, _)| *alias == called).map(|(_, function)| *function);
    let near = alias.or_else(|| nearest(called, ["p99", "min", "max", "mean", "sum", "count", "share"].into_iter()));
    let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
    SyntaxError::new(called, format!("unknown function {}", quoted(called))).help(near + FUNCTIONS)
}

/// The column of this name.
fn column<'a>(columns: Columns<'_>, called: &'a str) -> Result<Column, SyntaxError<'a>> {
    if let Some((name, kind)) = columns.iter().find(|(name, _)| *name == called) {
        return Ok(Column { name: (*name).into(), kind: *kind });
    }
    let near = nearest(called, columns.iter().map(|(name, _)| *name));
    let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
    Err(SyntaxError::new(called, format!("unknown column {}", quoted(called))).help(near + COLUMNS))
}

/// The column a figure is of, alone.
fn figure<'a>(columns: Columns<'_>, function: &str, input: &'a str) -> Parsed<'a, Column> {
    let (rest, called) = expected(&format!("a column for {function}"), lexeme(name)).parse(input)?;
    let column = column(columns, called).map_err(nom::Err::Failure)?;
    let holds = match column.kind {
        ColumnType::Text | ColumnType::Texts => "text",
        ColumnType::Bool => "true or false",
        ColumnType::Time => "times",
        ColumnType::Seconds | ColumnType::Bytes | ColumnType::Number => "",
    };
    if !holds.is_empty() {
        let message = format!("expected a column of durations, sizes or numbers for {function}: {called} has {holds}");
        return SyntaxError::new(called, message).help(COLUMNS).stop();
    }
    if let Ok((_, (at, _))) = consumed(comparison).parse(rest) {
        let message = format!("expected \",\" or \")\" after {called}, found {}", quoted(at));
        let help = format!("a filter follows a comma, as in {function}({called}, namespace=shop)");
        return SyntaxError::new(at, message).help(help + "; share(CONDITION) takes a condition").stop();
    }
    Ok((rest, column))
}

/// One condition on a startup.
fn test<'a>(columns: Columns<'_>, what: &str, input: &'a str) -> Parsed<'a, Test> {
    let (rest, called) = expected(what, lexeme(name)).parse(input)?;
    let column = column(columns, called).map_err(nom::Err::Failure)?;
    let (rest, (at, comparison)) = match comparator(rest) {
        Err(nom::Err::Error(_)) => {
            let fault = SyntaxError::expected(&format!("a comparison after {called}"), rest);
            return fault.help(format!("add =VALUE, as in {called}=VALUE")).stop();
        }
        other => other?,
    };
    if matches!(column.kind, ColumnType::Text | ColumnType::Texts | ColumnType::Bool) && !comparison.is_equality() {
        let holds = if column.kind == ColumnType::Bool { "true or false" } else { "text" };
        let message = format!("expected = or !=, found {}: {called} has {holds}", quoted(at));
        return SyntaxError::new(at, message).stop();
    }
    let (rest, value) = value(column.kind, comparison, rest)?;
    Ok((rest, Test { column, comparison, value }))
}

/// The end of what the function is given.
fn close(input: &str) -> Parsed<'_, char> {
    match symbol(')').parse(input) {
        Err(nom::Err::Error(_)) => {
            let and = "filters are separated by commas, and all must pass";
            conjunction(SyntaxError::expected("\",\" or \")\"", input), and, input).stop()
        }
        other => other,
    }
}

/// The fault, with advice for those who know "and" and "or" from other languages.
fn conjunction<'a>(fault: SyntaxError<'a>, and: &str, input: &str) -> SyntaxError<'a> {
    match token(input).to_ascii_lowercase().as_str() {
        "and" | "&" => fault.help(and),
        "or" | "|" => fault.help("give --fail-if once for each expression: the check fails if any of them is true"),
        _ => fault,
    }
}

/// What the figure, counted in this unit, is compared with.
fn bound(unit: Unit, input: &str) -> Parsed<'_, Bound> {
    let baseline = || lexeme(verify(name, |name: &str| name == "baseline"));
    let factor = || consumed(number);
    if let (rest, Some((at, before))) = opt(terminated(factor(), (blank, symbol('*')))).parse(input)? {
        let (rest, _) = expected("baseline after \"*\"", baseline()).parse(rest)?;
        return shifted(unit, positive(at, before)?, true, rest);
    }
    if let (rest, Some(_)) = opt(baseline()).parse(input)? {
        let (rest, after) =
            opt(preceded(symbol('*'), expected("a number after \"*\"", lexeme(factor())))).parse(rest)?;
        let after = after.map(|(at, after)| positive(at, after)).transpose()?;
        return shifted(unit, after.unwrap_or(1.0), after.is_some(), rest);
    }
    let (name, example) = unit.example();
    let (rest, value) = quantity(unit, &format!("{name} such as {example}, or baseline"), input)?;
    Ok((rest, Bound::Value(value)))
}

/// The factor, when there is something left of the baseline.
fn positive(at: &str, factor: f64) -> Result<f64, nom::Err<SyntaxError<'_>>> {
    match factor > 0.0 {
        true => Ok(factor),
        false => Err(nom::Err::Failure(SyntaxError::new(at, "the percentage removes the whole baseline"))),
    }
}

/// What is added to the baseline or taken away; a percentage is one of the baseline.
fn shifted(unit: Unit, factor: f64, factored: bool, input: &str) -> Parsed<'_, Bound> {
    let (rest, Some(sign)) = opt(alt((symbol('+'), symbol('-')))).parse(input)? else {
        return Ok((input, Bound::Baseline { factor, plus: 0.0 }));
    };
    let signed = |value: f64| if sign == '-' { -value } else { value };
    let percent = terminated(decimal, (blank, char('%')));
    if let (after, Some((at, percent))) = opt(lexeme(consumed(percent))).parse(rest)? {
        let (part, percent) = (percent.shifted(-2), percent.shifted(0));
        if factored {
            let both = "expected either a factor or a percentage of the baseline, found both";
            return SyntaxError::new(at, both).stop();
        }
        let factor = positive(at, 1.0 + signed(part))?;
        if unit == Unit::Share {
            let points = format!("baseline {sign} {part} for {percent} percentage points");
            let help = format!("write {factor} * baseline, or {points}");
            return SyntaxError::new(at, "a percentage of a share is ambiguous").help(help).stop();
        }
        return Ok((after, Bound::Baseline { factor, plus: 0.0 }));
    }
    if unit == Unit::Share {
        let (rest, (at, plus)) = consumed(|rest| quantity(Unit::Number, "a share such as 0.01", rest)).parse(rest)?;
        let at = at.trim_end();
        if plus > 1.0 {
            let help = format!("write {} for {plus} percentage points", plus / 100.0);
            return SyntaxError::new(at, format!("a share is at most 1, found {}", quoted(at))).help(help).stop();
        }
        return Ok((rest, Bound::Baseline { factor, plus: signed(plus) }));
    }
    let (what, example) = unit.example();
    let (rest, plus) = quantity(unit, &format!("{what} such as {example}"), rest)?;
    Ok((rest, Bound::Baseline { factor, plus: signed(plus) }))
}
