//! Random samples, and a writer of both formats that owes nothing to the reader.

use proptest::prelude::*;

use super::Kept;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    Prometheus,
    /// With blanks, commas and line ends that Prometheus' format leaves free.
    Loose,
    OpenMetrics,
}

/// Text that is hard on a scanner.
pub(super) fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => any::<char>().prop_map(String::from),
        2 => "[a-z0-9 ]{1,4}",
        4 => prop::sample::select(vec![
            "\"", "\\", "\n", "\r", ",", "=", "{", "}", "#", " # {", "\"} 1", "# EOF", "\\\"", "\\n", "\t", "\u{feff}",
            "\u{a0}", "\u{0}", "le=\"", "\",", "\u{2028}", "💥", "\u{b}",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn name(plain: &'static str, quoted: bool) -> BoxedStrategy<String> {
    let some = nasty().prop_filter("a name is not empty", |text| !text.is_empty());
    if quoted { prop_oneof![2 => plain, 1 => some].boxed() } else { plain.boxed() }
}

pub(super) fn value() -> impl Strategy<Value = f64> {
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, -2.2e-308, f64::MAX, f64::MIN_POSITIVE];
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        prop::sample::select(special.to_vec()),
        (0..1000_i32).prop_map(f64::from)
    ]
}

/// Times that the form can write, whole seconds and milliseconds of the size that shows which they are.
fn at(form: Form) -> BoxedStrategy<Option<i64>> {
    let time = match form {
        Form::OpenMetrics => any::<i64>().boxed(),
        _ => (100_000_000_000..9_000_000_000_000_i64, any::<bool>())
            .prop_map(|(milliseconds, past)| milliseconds * if past { -1_000_000 } else { 1_000_000 })
            .boxed(),
    };
    prop::option::of(time).boxed()
}

/// One sample; with `quoted`, also of names that only Prometheus 3 has.
pub(super) fn sample(form: Form, quoted: bool) -> impl Strategy<Value = Kept> {
    let labels = prop::collection::btree_map(name("[a-zA-Z][a-zA-Z0-9_]{0,6}", quoted), nasty(), 0..5);
    let labels = labels.prop_map(|labels| labels.into_iter().collect::<Vec<_>>()).prop_shuffle();
    (name("[a-zA-Z_:][a-zA-Z0-9_:]{0,9}", quoted), labels, value(), at(form))
        .prop_map(|(name, labels, value, at)| Kept { name, labels, value, at })
}

pub(super) fn page(form: Form) -> impl Strategy<Value = Vec<Kept>> {
    prop::collection::vec(sample(form, true), 0..6)
}

pub(super) fn written(samples: &[Kept], form: Form) -> String {
    let mut text = String::new();
    for (index, sample) in samples.iter().enumerate() {
        line(&mut text, sample, form, index);
        text.push_str(if form == Form::Loose { [" \r\n", "\n\n", "\n# x\n"][index % 3] } else { "\n" });
    }
    if form == Form::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

fn line(text: &mut String, sample: &Kept, form: Form, index: usize) {
    let plain = |name: &str, mark| {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || (mark && c == ':');
        name.chars().all(good) && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    let (blank, comma) = if form == Form::Loose { ("\t ", ",") } else { ("", "") };
    let mut pairs = Vec::new();
    text.push_str(blank);
    if plain(&sample.name, true) {
        text.push_str(&sample.name);
    } else {
        pairs.push(quoted(&sample.name));
    }
    for (name, value) in &sample.labels {
        let name = if plain(name, false) { name.clone() } else { quoted(name) };
        pairs.push(format!("{name}{blank}={blank}{}", quoted(value)));
    }
    if !pairs.is_empty() {
        let inside = pairs.join(&format!("{blank},{blank}"));
        text.push_str(&format!("{blank}{{{blank}{inside}{blank}{comma}{blank}}}"));
    }
    let value = match sample.value {
        value if value.is_infinite() => (if value > 0.0 { "+Inf" } else { "-Inf" }).to_owned(),
        value if value.is_nan() => "NaN".to_owned(),
        value if index.is_multiple_of(2) => format!("{value:e}"),
        value => value.to_string(),
    };
    text.push_str(&format!(" {value}"));
    match sample.at {
        Some(at) if form == Form::OpenMetrics => text.push_str(&seconds(at)),
        Some(at) => text.push_str(&format!("{blank} {}", at / 1_000_000)),
        None => {}
    }
    if form == Form::OpenMetrics && index.is_multiple_of(2) {
        // Prometheus reads a zero byte in a label, but takes it for the end of the text in an exemplar.
        let value = sample.labels.first().map_or("} # {".into(), |(_, value)| value.replace('\0', "}"));
        text.push_str(&format!(" # {{trace_id={}}} 0.5{}", quoted(&value), if index == 0 { " 123.4" } else { "" }));
    }
}

/// Every digit of a timestamp, and no point where there is nothing behind it.
fn seconds(at: i64) -> String {
    let (sign, at) = (if at < 0 { "-" } else { "" }, at.unsigned_abs());
    match (at / 1_000_000_000, at % 1_000_000_000) {
        (whole, 0) => format!(" {sign}{whole}"),
        (whole, nanos) => format!(" {sign}{whole}.{nanos:09}"),
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
