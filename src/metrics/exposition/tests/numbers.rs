//! Values, timestamps and exemplars.

use super::{all, bad, kept, one};

#[test]
fn numbers_in_every_spelling() {
    let value = |text: &str| one(&format!("a_b {text}")).value;
    for text in ["+Inf", "INF", "inf", "Infinity", "+infinity"] {
        assert_eq!(value(text), f64::INFINITY, "{text}");
    }
    assert_eq!(value("-iNf"), f64::NEG_INFINITY);
    assert!(["NaN", "nan", "NAN"].iter().all(|text| value(text).is_nan()));
    assert_eq!(value("-0").to_bits(), (-0.0_f64).to_bits());
    assert_eq!(value("5e-324").to_bits(), 1);
    assert_eq!((value("1e-400"), value(".5"), value("5."), value("+1E+3")), (0.0, 0.5, 5.0, 1000.0));
    assert_eq!(one(r#"a_bucket{le="+Inf"} 1.7976931348623157e308"#), kept("a_bucket", &[("le", "+Inf")], f64::MAX));
}

#[test]
fn what_is_no_number() {
    // The last four are Go's, but not Prometheus'.
    for text in ["x", "1x", "--1", "1,5", "+nan", "1e400", "-1e400", ".", "e5", "0x10", "0x1p3", "1_000", "0x_1p0"] {
        assert_eq!(bad(&format!("a_b {text}")), "invalid value", "{text}");
    }
    assert_eq!(bad("a_b "), "no value");
    assert_eq!(bad("a_b"), "no value");
    assert_eq!(bad(r#"a_b{c="d"}"#), "no value");
    assert_eq!(bad("a_b 1 2 3"), "more than a value and a timestamp");
    for odd in ["1\u{b}2", "1\u{a0}2", "1 2\u{2003}3", "1 2\u{c}3", "１"] {
        assert_eq!(bad(&format!("a_b {odd}")), "more than a value and a timestamp", "{odd:?}");
    }
}

#[test]
fn timestamps_of_both_formats() {
    let at = |text: &str| one(&format!("a_b{{c=\"d\"}} 1 {text}")).at;
    assert_eq!(at("1700000000123"), Some(1_700_000_000_123_000_000));
    assert_eq!(at("1700000000"), Some(1_700_000_000_000_000_000));
    assert_eq!(at("1700000000.123456789"), Some(1_700_000_000_123_456_789));
    assert_eq!(at("1700000000.1234567891"), Some(1_700_000_000_123_456_789));
    assert_eq!(at("1.700000000123e+09"), Some(1_700_000_000_123_000_000));
    assert_eq!(at("1.7e9"), Some(1_700_000_000_000_000_000));
    assert_eq!(
        (at("0"), at("1e-99"), at("-1.5"), at("-5")),
        (Some(0), Some(0), Some(-1_500_000_000), Some(-5_000_000_000))
    );
    assert_eq!((at("1700000000."), at(".25")), (Some(1_700_000_000_000_000_000), Some(250_000_000)));
    for text in
        ["NaN", "+Inf", "9223372036854775807", "1e99", "1e2147483647", "1.5e-2147483648", ".", "1.5.5", "1e", "x"]
    {
        assert_eq!(bad(&format!("a_b 1 {text}")), "invalid timestamp", "{text}");
    }
}

#[test]
fn exemplars_are_left() {
    let plain = kept("a_bucket", &[("le", "1")], 17.0);
    assert_eq!(one(r##"a_bucket{le="1"} 17 # {trace_id="x"} 0.5 123.4"##), plain);
    assert_eq!(one(r##"a_bucket{le="1"} 17 # {trace_id="x"} 0.5"##), plain);
    assert_eq!(one(r##"a_bucket{le="1"} 17 # {} 0.5"##), plain);
    assert_eq!(one(r##"a_bucket{le="1"} 17 # {a="}, # {b=\"c\"} 1 2",d="{"} 0.5 123"##), plain);
    assert_eq!(one(r##"a_total 17 # {a="}"} 0.5"##), kept("a_total", &[], 17.0));
    let dated = one(r##"a_total 17 1700000000.5 # {a="}"} 0.5 1.6e9"##);
    assert_eq!((dated.value, dated.at), (17.0, Some(1_700_000_000_500_000_000)));
    for odd in ["# hi", "#", "# {a=\"b\"}", "# {a=\"b\"} x", "# {a=\"b\"} 1 2 3", "# {\"a\"} 1", "# {a=\"b} 1"] {
        assert_eq!(bad(&format!("a_total 17 {odd}")), "invalid exemplar", "{odd}");
    }
    assert_eq!(bad("a_total 17# {} 1"), "invalid exemplar");
    assert_eq!(bad("a_total # {} 1"), "no value");
}

#[test]
fn an_openmetrics_page() {
    let page = "# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds Text.\na_seconds_total 2.0\n\
                a_seconds_created 1.7e9\n# EOF\n";
    let (samples, seen) = all(page);
    assert_eq!(samples, [kept("a_seconds_total", &[], 2.0), kept("a_seconds_created", &[], 1.7e9)]);
    assert_eq!((seen.lines, seen.samples, seen.invalid, seen.openmetrics, seen.truncated), (6, 2, 0, true, false));
}
