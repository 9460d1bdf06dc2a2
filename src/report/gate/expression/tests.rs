//! Good expressions with their normal forms and trees; wrong ones and arbitrary ones are next door.

mod arbitrary;
mod wrong;

use super::*;

/// One column of each kind at least, and two names that are near each other.
pub(super) const COLUMNS: &[(&str, ColumnType)] = &[
    ("namespace", ColumnType::Text),
    ("node", ColumnType::Text),
    ("state", ColumnType::Text),
    ("cause", ColumnType::Texts),
    ("slo_s", ColumnType::Seconds),
    ("image_pull_s", ColumnType::Seconds),
    ("pulled_bytes", ColumnType::Bytes),
    ("restarts", ColumnType::Number),
    ("cold", ColumnType::Bool),
    ("created", ColumnType::Time),
    ("größe.b-1", ColumnType::Bytes),
];

/// Expressions, and what they are in the normal form; an empty one is the text itself.
const GOOD: &[(&str, &str)] = &[
    ("p99(slo_s) > 5s", ""),
    ("p95(image_pull_s, namespace=shop) > 30s", ""),
    ("p99.9(slo_s, namespace=shop*, node!=gpu-*) >= 1m30s", ""),
    ("max(slo_s) > 5m", ""),
    ("min(slo_s) <= 5m", ""),
    ("mean(restarts) < 2.5", ""),
    ("sum(pulled_bytes, namespace=ml) > 20GiB", ""),
    ("count(state=starting) > 0", ""),
    ("count() > 100", ""),
    ("count(cause=image-pull-queued, namespace=shop) > 10", ""),
    ("share(slo_s > 5s) > 1%", ""),
    ("share(state=failed, namespace=shop) > 0.5 %", "share(state=failed, namespace=shop) > 0.5%"),
    ("p99(slo_s) > baseline + 10%", "p99(slo_s) > 1.1 * baseline"),
    ("p95(slo_s) > 1.5 * baseline", ""),
    ("p50(slo_s) > baseline", ""),
    ("p50(slo_s) > baseline + 2s", ""),
    ("p50(slo_s) > baseline * 2 - 250ms", "p50(slo_s) > 2 * baseline - 0.25s"),
    ("p50(slo_s) < baseline - 10 %", "p50(slo_s) < 0.9 * baseline"),
    ("share(cold=true) > baseline + 0.01", ""),
    ("share(cold=true) > 1.5 * baseline - 0.01", ""),
    ("share(cold=true) > .07", "share(cold=true) > 7%"),
    ("share(cold=true) = 1", "share(cold=true) = 100%"),
    ("\t max ( slo_s , node = a )\r\n>=5 s \u{a0}", "max(slo_s, node=a) >= 5s"),
    ("max(slo_s,node=a,node!=b,cold==false)==5s", "max(slo_s, node=a, node!=b, cold=false) = 5s"),
    // Durations.
    ("max(slo_s) > 90", "max(slo_s) > 1m30s"),
    ("max(slo_s) > 1h 1m 1s 500ms", "max(slo_s) > 3661.5s"),
    ("max(slo_s) > 1.5h", "max(slo_s) > 1h30m"),
    ("max(slo_s) > 10us", "max(slo_s) > 0.00001s"),
    ("max(slo_s) > 10\u{b5}s", "max(slo_s) > 0.00001s"),
    ("max(slo_s) > 100 ns", "max(slo_s) > 1e-7s"),
    ("max(slo_s) > 0", "max(slo_s) > 0s"),
    // Sizes.
    ("sum(pulled_bytes) > 500 MB", "sum(pulled_bytes) > 500MB"),
    ("sum(pulled_bytes) > 20gi", "sum(pulled_bytes) > 20GiB"),
    ("sum(pulled_bytes) > 1.5kib", "sum(pulled_bytes) > 1536B"),
    ("sum(pulled_bytes) > 8000000000", "sum(pulled_bytes) > 8GB"),
    ("sum(größe.b-1) > 0", "sum(größe.b-1) > 0B"),
    // Numbers.
    ("count() != 1_000", "count() != 1000"),
    ("count() > 1e3", "count() > 1000"),
    ("count() > 12E+20", "count() > 1.2e21"),
    // Values of tests.
    ("count(slo_s >= 1.5, pulled_bytes<1MiB) > 0", "count(slo_s >= 1.5s, pulled_bytes < 1MiB) > 0"),
    ("count(image_pull_s = null, node != null) > 0", "count(image_pull_s=null, node!=null) > 0"),
    ("count(node=\"null\") > 0", ""),
    ("count(node='') > 0", "count(node=\"\") > 0"),
    ("count(node='it''s \"b\", c') > 0", "count(node=\"it's \"\"b\"\", c\") > 0"),
    ("count(node='shop') > 0", "count(node=shop) > 0"),
    ("count(node=reg.io:5000/a_b/c@sha256:0?*) > 0", ""),
    ("count(node=50%+1) > 0", ""),
    ("count(node=5s) > 0", ""),
    ("count(node=東京) > 0", ""),
    ("count(created >= 2026-11-23T19:00:00.5+01:00) > 0", "count(created >= 2026-11-23T18:00:00.500Z) > 0"),
    ("count(created < '2026-11-23 18:00:00Z') > 0", "count(created < 2026-11-23T18:00:00Z) > 0"),
];

/// The tree, without the text it came from.
pub(super) fn tree(text: &str) -> Expression {
    let parsed = parse(text, COLUMNS).unwrap_or_else(|error| panic!("{}", error.show(text)));
    assert_eq!(parsed.text, text);
    Expression { text: String::new(), ..parsed }
}

fn test(name: &str, comparison: Comparison, value: Value) -> Test {
    let (name, kind) = COLUMNS.iter().find(|(column, _)| *column == name).unwrap();
    Test { column: Column { name: (*name).into(), kind: *kind }, comparison, value }
}

#[test]
fn good_expressions_have_one_normal_form() {
    for (text, normal) in GOOD {
        let normal = if normal.is_empty() { text } else { normal };
        assert_eq!(tree(text).to_string(), *normal, "{text}");
        assert_eq!(tree(text), tree(normal), "{text}");
    }
}

#[test]
fn a_quantile_has_a_column_and_filters() {
    let expected = Expression {
        text: String::new(),
        function: Function::Quantile(0.999),
        column: Some(Column { name: "slo_s".into(), kind: ColumnType::Seconds }),
        condition: None,
        filters: vec![
            test("namespace", Comparison::Equal, Value::Text("shop*".into())),
            test("restarts", Comparison::AtLeast, Value::Number(1e3)),
            test("cold", Comparison::Unequal, Value::Bool(true)),
            test("created", Comparison::Less, Value::Time(1_500_000_000)),
            test("cause", Comparison::Equal, Value::Null),
        ],
        comparison: Comparison::AtLeast,
        bound: Bound::Value(90.0),
    };
    let filters = "namespace=shop*, restarts>=1e3, cold!=true, created<1970-01-01T00:00:01.5Z, cause=null";
    let parsed = tree(&format!("p99.9(slo_s, {filters}) >= 1m30s"));
    assert_eq!(parsed, expected);
    assert!(!parsed.needs_baseline());
    assert_eq!(parsed.bound.over(None), Some(90.0));
}

#[test]
fn a_share_has_a_condition_and_filters() {
    let expected = Expression {
        text: String::new(),
        function: Function::Share,
        column: None,
        condition: Some(test("pulled_bytes", Comparison::Greater, Value::Number(5.0 * 1024.0 * 1024.0))),
        filters: vec![test("namespace", Comparison::Equal, Value::Text("shop".into()))],
        comparison: Comparison::Greater,
        bound: Bound::Value(0.01),
    };
    assert_eq!(tree("share(pulled_bytes > 5MiB, namespace=shop) > 1%"), expected);
    let count = tree("count(state=failed) > 3");
    assert_eq!((count.function, count.column, count.condition), (Function::Count, None, None));
    assert_eq!(count.filters, [test("state", Comparison::Equal, Value::Text("failed".into()))]);
}

#[test]
fn bounds_over_a_baseline() {
    for (bound, factor, plus) in [
        ("baseline", 1.0, 0.0),
        ("baseline + 10%", 1.1, 0.0),
        ("baseline - 10%", 0.9, 0.0),
        ("1.5*baseline", 1.5, 0.0),
        ("baseline*1.5", 1.5, 0.0),
        ("baseline+2s", 1.0, 2.0),
        ("2 * baseline - 1m30s", 2.0, -90.0),
    ] {
        let parsed = tree(&format!("p99(slo_s) > {bound}"));
        assert_eq!(parsed.bound, Bound::Baseline { factor, plus }, "{bound}");
        assert!(parsed.needs_baseline());
        assert_eq!(parsed.bound.over(Some(10.0)), Some(factor * 10.0 + plus));
        assert_eq!(parsed.bound.over(None), None);
    }
}

#[test]
fn comparisons_hold_as_they_read() {
    let all = ["=", "!=", "<", "<=", ">", ">="].map(|sign| tree(&format!("count() {sign} 1")).comparison);
    let holds = |left: f64| all.map(|comparison| comparison.holds(left, 1.0));
    assert_eq!(holds(0.0), [false, true, true, true, false, false]);
    assert_eq!(holds(1.0), [true, false, false, true, false, true]);
    assert_eq!(holds(2.0), [false, true, false, false, true, true]);
    assert_eq!(holds(f64::NAN), [false; 6]);
}
