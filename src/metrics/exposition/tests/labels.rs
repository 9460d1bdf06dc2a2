//! Names and labels, above all those that prometheus-parse misreads.

use prometheus_parse::LineInfo;

use super::{bad, kept, one};

#[test]
fn commas_equals_signs_and_braces_in_values() {
    let line = r#"a_total{path="/{id}/x,y=z",b="}",c="{"} 3"#;
    assert_eq!(one(line), kept("a_total", &[("path", "/{id}/x,y=z"), ("b", "}"), ("c", "{")], 3.0));
    let LineInfo::Ignored = LineInfo::parse(line) else { panic!("the crate reads it now: the detour may go") };
}

#[test]
fn numbers_and_hashes_in_values() {
    let line = r##"a_total{b="} 7 8",c=" # {d=\"e\"} 9"} 3"##;
    assert_eq!(one(line), kept("a_total", &[("b", "} 7 8"), ("c", " # {d=\"e\"} 9")], 3.0));
    let LineInfo::Sample { value, .. } = LineInfo::parse(line) else { panic!() };
    assert_eq!(value, "7", "the crate alone gives another number");
}

#[test]
fn escapes() {
    assert_eq!(
        one(r#"a_b{c="\"q\"",d="\\",e="1\n2",f="\\n"} 1"#).labels,
        [
            ("c".into(), "\"q\"".into()),
            ("d".into(), "\\".into()),
            ("e".into(), "1\n2".into()),
            ("f".into(), "\\n".into()),
        ]
    );
    assert_eq!(one(r#"a_b{c="\q\é"} 1"#), kept("a_b", &[("c", r"\q\é")], 1.0));
    assert_eq!(bad(r#"a_b{c="\"} 1"#), "unterminated label value");
    assert_eq!(bad(r#"a_b{c="d\"#), "unterminated label value");
}

#[test]
fn names_with_colons() {
    assert_eq!(one("job:up:sum5m 2"), kept("job:up:sum5m", &[], 2.0));
    assert_eq!(one(r#":{a="b"} 2"#), kept(":", &[("a", "b")], 2.0));
    assert_eq!(bad(r#"a_b{c:d="1"} 2"#), "label without a value");
}

#[test]
fn blanks_wherever_they_may_stand() {
    let expected = kept("a_b", &[("c", " d "), ("e", "f")], 5.0);
    assert_eq!(one(r#"a_b{ c = " d " , e="f" } 5"#), expected);
    assert_eq!(one("  a_b  {\tc\t=\t\" d \"\t,\te\t=\"f\"\t}\t5\t"), expected);
    assert_eq!(one(r#"a_b{c=" d ",e="f"}5"#), expected);
}

#[test]
fn trailing_commas_and_empty_braces() {
    assert_eq!(one(r#"a_b{c="d",} 1"#), kept("a_b", &[("c", "d")], 1.0));
    assert_eq!(one(r#"a_b{c="d" , } 1"#), kept("a_b", &[("c", "d")], 1.0));
    assert_eq!(one("a_b{} 1"), kept("a_b", &[], 1.0));
    assert_eq!(one("a_b { } 1"), kept("a_b", &[], 1.0));
    assert_eq!(one(r#"a_b{c=""} 1"#), kept("a_b", &[("c", "")], 1.0));
    assert_eq!(bad("a_b{,} 1"), "invalid label name");
    assert_eq!(bad(r#"a_b{c="d",,} 1"#), "invalid label name");
    assert_eq!(bad(r#"a_b{c="d" e="f"} 1"#), "no comma between labels");
}

#[test]
fn quoted_names() {
    assert_eq!(one(r#"{"my.metric","label.x"="v"} 1"#), kept("my.metric", &[("label.x", "v")], 1.0));
    assert_eq!(one(r#"{"my.metric"} 1"#), kept("my.metric", &[], 1.0));
    assert_eq!(one(r#"{ c = "d" , "m\"\n\\é" , } 1"#), kept("m\"\n\\é", &[("c", "d")], 1.0));
    assert_eq!(one(r#"a_b{"x,y={}"="v",c="d"} 1"#), kept("a_b", &[("x,y={}", "v"), ("c", "d")], 1.0));
    assert_eq!(bad(r#"a_b{"other"} 1"#), "label without a value");
    assert_eq!(bad(r#"{"a","b"} 1"#), "label without a value");
    assert_eq!(bad(r#"{c="d"} 1"#), "no metric name");
    assert_eq!(bad(r#"{""} 1"#), "empty label name");
    assert_eq!(bad("{} 1"), "no metric name");
}

#[test]
fn a_label_twice() {
    assert_eq!(bad(r#"a_b{c="d",c="d"} 1"#), "duplicate label");
    assert_eq!(bad(r#"a_b{c="d","c"="e"} 1"#), "duplicate label");
    let many = |last| format!("a_b{{{}{last}=\"\"}} 1", (0..50_000).map(|n| format!("l{n}=\"\",")).collect::<String>());
    assert_eq!(bad(&many("l7")), "duplicate label");
    assert_eq!(one(&many("m7")).labels.len(), 50_001);
}

#[test]
fn what_is_no_series() {
    assert_eq!(bad("7 1"), "no metric name");
    assert_eq!(bad("é_b 1"), "no metric name");
    assert_eq!(bad("a-b 1"), "no metric name followed by a value");
    assert_eq!(bad("a_b{"), "unterminated labels");
    assert_eq!(bad("a_b{c"), "label without a value");
    assert_eq!(bad("a_b{c=d} 1"), "label value without quotes");
    assert_eq!(bad("a_b{1c=\"d\"} 1"), "invalid label name");
    assert_eq!(bad("a_b{\"c"), "unterminated label name");
}
