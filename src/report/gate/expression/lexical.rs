//! The smallest pieces of an expression: names, words, quotes, numbers and signs.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{anychar, char, digit1, one_of};
use nom::combinator::{consumed, opt, recognize, value};
use nom::multi::{many0, separated_list1};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use super::Comparison;
use super::error::{SyntaxError, quoted as shown};

/// What a parser here gives: an error lets another reading be tried, a failure is the mistake.
pub(super) type Parsed<'a, T> = IResult<&'a str, T, SyntaxError<'a>>;

/// White space, or none.
pub(super) fn blank(input: &str) -> Parsed<'_, &str> {
    take_while(char::is_whitespace).parse(input)
}

/// A piece and the white space after it.
pub(super) fn lexeme<'a, O>(
    piece: impl Parser<&'a str, Output = O, Error = SyntaxError<'a>>,
) -> impl Parser<&'a str, Output = O, Error = SyntaxError<'a>> {
    terminated(piece, blank)
}

/// A sign and the white space after it.
pub(super) fn symbol<'a>(sign: char) -> impl Parser<&'a str, Output = char, Error = SyntaxError<'a>> {
    lexeme(char(sign))
}

/// A piece that must come here: the mistake is that it does not.
pub(super) fn expected<'a, O>(
    what: &str,
    mut piece: impl Parser<&'a str, Output = O, Error = SyntaxError<'a>>,
) -> impl Parser<&'a str, Output = O, Error = SyntaxError<'a>> {
    move |input| match piece.parse(input) {
        Err(nom::Err::Error(_)) => SyntaxError::expected(what, input).stop(),
        other => other,
    }
}

/// A function's or a column's name.
pub(super) fn name(input: &str) -> Parsed<'_, &str> {
    take_while1(|c: char| c.is_alphanumeric() || "._-".contains(c)).parse(input)
}

/// Whether a text can stand without quotes for as much as this character says. Signs that languages like this one use
/// for "and", "or" and patterns are left out: they must be a mistake and not a part of a name.
pub(super) fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || ".-_/:@*?%+".contains(c)
}

/// A text without quotes.
pub(super) fn word(input: &str) -> Parsed<'_, &str> {
    take_while1(is_bare).parse(input)
}

/// A text in quotes of either kind; a doubled one represents itself.
pub(super) fn quoted(input: &str) -> Parsed<'_, String> {
    let (opening, mark) = one_of("\"'").parse(input)?;
    let plain = take_while1(move |c: char| c != mark && !c.is_control());
    let (rest, pieces) = many0(alt((plain, preceded(char(mark), recognize(char(mark)))))).parse(opening)?;
    if let Ok((rest, _)) = char::<_, SyntaxError<'_>>(mark).parse(rest) {
        return Ok((rest, pieces.concat()));
    }
    match recognize(anychar::<_, SyntaxError<'_>>).parse(rest) {
        Ok((_, control)) => SyntaxError::new(control, "control characters are not allowed").stop(),
        Err(_) => {
            let (_, at) = recognize(one_of("\"'")).parse(input)?;
            SyntaxError::new(at, "unclosed quote").help(format!("add {mark} after the text")).stop()
        }
    }
}

/// A number as it is written, so that a hundredth of 99.9 is exactly 0.999: quantiles turn on it.
#[derive(Debug)]
pub(super) struct Decimal {
    digits: String,
    power: i32,
}

impl Decimal {
    /// The number times ten to this power, rounded once.
    pub(super) fn shifted(&self, power: i32) -> f64 {
        let power = self.power.saturating_add(power);
        format!("{}e{power}", self.digits).parse().unwrap_or(f64::INFINITY)
    }
}

/// A number, finite and not negative.
pub(super) fn decimal(input: &str) -> Parsed<'_, Decimal> {
    let digits = || recognize(separated_list1(char('_'), digit1));
    let whole = recognize((digits(), opt((char('.'), digits()))));
    let part = recognize((char('.'), digits()));
    let exponent = preceded(one_of("eE"), recognize((opt(one_of("+-")), digits())));
    let (rest, (text, (digits, power))) = consumed((alt((whole, part)), opt(exponent))).parse(input)?;
    let plain = |text: &str| text.replace('_', "");
    // A power beyond all bounds is as good as the bound: the number is 0 or too large.
    let beyond = |power: &str| if power.starts_with('-') { i32::MIN } else { i32::MAX };
    let power = power.map_or(0, |power| plain(power).parse().unwrap_or_else(|_| beyond(power)));
    let decimal = Decimal { digits: plain(digits), power };
    match decimal.shifted(0).is_finite() {
        true => Ok((rest, decimal)),
        false => SyntaxError::new(text, format!("{} is too large a number", shown(text))).stop(),
    }
}

/// A plain number.
pub(super) fn number(input: &str) -> Parsed<'_, f64> {
    decimal.map(|decimal| decimal.shifted(0)).parse(input)
}

/// A sign of comparison.
pub(super) fn comparison(input: &str) -> Parsed<'_, Comparison> {
    alt((
        value(Comparison::Equal, tag("==")),
        value(Comparison::Equal, tag("=")),
        value(Comparison::Unequal, tag("!=")),
        value(Comparison::AtMost, tag("<=")),
        value(Comparison::Less, tag("<")),
        value(Comparison::AtLeast, tag(">=")),
        value(Comparison::Greater, tag(">")),
    ))
    .parse(input)
}

/// Signs that other languages have, and what is written here.
const FOREIGN: &[(&str, &str)] = &[
    ("=>", "write >="),
    ("=<", "write <="),
    ("<>", "write !="),
    ("=~", "write = with a glob: * is any text, ? one character"),
    ("!~", "write != with a glob: * is any text, ? one character"),
];

/// A sign of comparison with its text; one of another language is the mistake.
pub(super) fn comparator(input: &str) -> Parsed<'_, (&str, Comparison)> {
    for (sign, help) in FOREIGN {
        if let (_, Some(at)) = opt(tag(*sign)).parse(input)? {
            return SyntaxError::new(at, format!("unknown comparison {}", shown(at))).help(*help).stop();
        }
    }
    lexeme(consumed(comparison)).parse(input)
}

/// The next piece of any sort, to point at; empty at the end.
pub(super) fn token(input: &str) -> &str {
    let any = recognize(anychar::<_, SyntaxError<'_>>);
    let mut pieces = alt((recognize(quoted_whole), recognize(comparison), word, any));
    pieces.parse(input).map_or(input, |(_, piece)| piece)
}

/// A text in quotes, when it is one: pointing at a token must not find further mistakes in it.
fn quoted_whole(input: &str) -> Parsed<'_, String> {
    quoted(input).map_err(|_| nom::Err::Error(SyntaxError::new(input, "")))
}
