//! Properties over made-up lines: nothing panics, and a framed line comes out as it went in. Real lines are in `tests`.

use proptest::prelude::*;

use super::tests::{JSON, KLOG};
use super::{decoration, open};

/// Text that a generated line is made of: parts of every form, so that random lines get past the first byte.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let parts: Vec<Vec<u8>> = [
        "Nov 23 19:08:24 ",
        "2026-11-23T19:08:24Z ",
        "Mon 2026-11-23 19:08:24 UTC ",
        "[1.2 <0.1>] ",
        "1795460904.9 ",
        "n1 ",
        "kubelet[9]: ",
        "<30>1 ",
        "stderr F ",
        "{\"MESSAGE\":",
        "{\"log\":\"",
        "\\u",
        "\\ud83d",
        "\\",
        "\"",
        "\u{1b}[0m",
        "\u{1b}]",
        ">",
        "…",
        "[pod/x] ",
        "data: ",
        "`",
        "MESSAGE=",
        "a.log:1:",
        "[73,",
        "}",
        ",",
        ":",
        "-",
        " ",
        "\r",
        "{\"ts\":1",
        "time=\"2",
        KLOG,
        JSON,
    ]
    .iter()
    .map(|part| part.as_bytes().to_vec())
    .chain([vec![0xff], vec![0; 8], vec![0xE2, 0x80]])
    .collect();
    prop::collection::vec(prop::sample::select(parts), 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_opened(line in prop::collection::vec(any::<u8>(), 0..300)) {
        let found = open(&line);
        prop_assert!(found.body.len() <= line.len());
        let _ = decoration::before_truncation_mark(&line);
    }

    #[test]
    fn any_mixture_is_opened(line in pieces()) {
        let _ = open(&line);
    }

    #[test]
    fn a_framed_line_comes_out_as_it_was(
        host in "[a-z0-9]([a-zA-Z0-9.-]{0,30}[a-z0-9])?",
        identifier in "[a-zA-Z][a-zA-Z0-9._@-]{0,20}",
        pid in proptest::option::of(1u32..),
        text in "[ -~]{0,60}[a-z0-9\"]",
        front in 0usize..8,
        around in 0usize..6,
    ) {
        let line = format!("I1123 19:08:24.991703   30893 a.go:277] {text}");
        let tag = pid.map_or_else(|| format!("{identifier}: "), |pid| format!("{identifier}[{pid}]: "));
        let date = ["Nov 23 19:08:24", "Nov 23 19:08:24.991853", "2026-11-23T19:08:24+0000", "2026-11-23T19:08:24.991853+05:30",
            "Mon 2026-11-23 19:08:24 CET", "[ 9.302745]", "1795460904.991853", "<30>Nov  3 19:08:24"][front];
        let framed = format!("{date} {host} {tag}{line}");
        let escaped = framed.replace('\\', "\\\\").replace('"', "\\\"");
        let framed = [
            framed.clone(), format!("2026-11-23T19:08:24.5Z stdout F {framed}"), format!("    {framed}\r"),
            format!("logs/a.log:12:{framed}"), format!("{{\"stream\":\"stderr\",\"log\":\"{escaped}\\n\"}}"), format!("[pod/a/b] {framed}"),
        ][around].clone();
        let found = open(framed.as_bytes());
        prop_assert_eq!(&*found.body, line.as_bytes());
        prop_assert_eq!(found.host.as_deref(), Some(host.as_str()));
        prop_assert_eq!(found.identifier.as_deref(), Some(identifier.as_str()));
        prop_assert_eq!(found.pid, pid);
    }
}
