use super::super::fixture;
use super::*;
use crate::model::time::Nanos;

#[test]
fn the_words_of_a_line_are_what_its_program_says() {
    for (line, says) in [
        (
            "E1123 19:00:56.02   25917 pod_workers.go:1324] \"Error syncing pod\" err=\"[x] y\"",
            "\"Error syncing pod\" err=\"[x] y\"",
        ),
        ("time=\"2026-11-23T19:01:39Z\" level=error msg=\"PullImage failed\"", "\"PullImage failed\""),
        ("Error: [1] 2", "Error: [1] 2"),
        ("I am [not] klog", "I am [not] klog"),
    ] {
        assert_eq!(message(line), says);
    }
}

#[test]
fn bounds_are_two_figures_or_their_distance() {
    let span = |min_s, max_s, precision| Span { min_s, max_s, precision, ..Span::default() };
    assert_eq!(bounds(&span(30.9, 31.1, Precision::Bounded)), " bounded within 200 ms");
    assert_eq!(bounds(&span(2.1, 4.2, Precision::Bounded)), " bounded 2.1–4.2 s");
    assert_eq!(bounds(&span(2.1, 2.1, Precision::Exact)), "");
    assert_eq!(clock(Time(0) + Nanos(1_234_567_890)), "00:00:01.234");
}

#[test]
fn the_fixed_startups_have_their_chains() {
    let report = fixture::report(fixture::fixed(), "").unwrap();
    let mut text = Vec::new();
    for pod in ["shop/app-1", "app-2"] {
        write(&find(&report, pod).unwrap(), TextOptions::default(), &mut text).unwrap();
    }
    fixture::check("fixed.chain.txt", &String::from_utf8(text).unwrap());
}
