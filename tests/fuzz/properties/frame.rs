//! A line and what stands around it.

use podlag::internals::parse::frame::open;

/// A line that every frame leaves as it is.
const HEADER: &[u8] = b"I1123 19:08:24.991703   30893 a.go:277] ";
/// Frames, each of another form.
const FRAMES: [&str; 6] = [
    "Nov 23 19:08:24 n1 kubelet[9]: ",
    "2026-11-23T19:08:24.991853+05:30 n1 kubelet[9]: ",
    "Mon 2026-11-23 19:08:24 CET n1 kubelet[9]: ",
    "1795460904.991853 n1 kubelet[9]: ",
    "<30>Nov  3 19:08:24 n1 kubelet[9]: ",
    "2026-11-23T19:08:24.5Z stdout F Nov 23 19:08:24 n1 kubelet[9]: ",
];

pub fn holds(data: &[u8]) {
    let (number, data) = super::led(data);
    for line in data.split(|byte| *byte == b'\n') {
        let found = open(line);
        assert!(found.body.len() <= line.len(), "a body is not longer than its line");
        assert!(!found.body.ends_with(b"\r") && !found.body.ends_with(b"\n"), "the line end is no part of the body");
        assert_eq!(found, open(line));
        framed(FRAMES[usize::from(number) % FRAMES.len()], line);
    }
}

/// What the program wrote comes out of a frame as it went in, whatever it is, or up to the mark of a cut.
fn framed(frame: &str, text: &[u8]) {
    // Colours are taken out, and blanks at the end are nothing to lose.
    if text.contains(&0x1b) || text.trim_ascii_end() != text {
        return;
    }
    let line = [HEADER, text].concat();
    let whole = [frame.as_bytes(), &line].concat();
    let found = open(&whole);
    let marked = text.ends_with(b">") || text.ends_with(b"...") || String::from_utf8_lossy(text).contains('…');
    let kept = if found.truncated && marked { found.body.len() } else { line.len() };
    assert_eq!(String::from_utf8_lossy(&found.body), String::from_utf8_lossy(&line[..kept]), "behind {frame:?}");
    assert_eq!((found.host.as_deref(), found.identifier.as_deref(), found.pid), (Some("n1"), Some("kubelet"), Some(9)));
}
