//! Texts with their names hidden.

use podlag::internals::table::anonymize::Anonymizer;

/// A name that no list of harmless words has.
const NAME: &str = "xq7zv-kpw93";
/// What may stand before and behind a name.
const BEFORE: [&str; 8] = [" ", "\"", "=", "/", ":", "(", "[", "{"];
const BEHIND: [&str; 8] = [" ", "\"", "/", ":", ")", "]", "}", ","];

pub fn holds(data: &[u8]) {
    let (first, data) = super::led(data);
    let (at, data) = super::led(data);
    let text = &String::from_utf8_lossy(data);
    let names = Anonymizer::new(*b"0123456789abcdef");
    let hidden = names.text(text);
    assert_eq!(hidden, names.text(text));
    let at = text.floor_char_boundary(text.len() * usize::from(at) / 255);
    let (before, behind) = (BEFORE[usize::from(first % 8)], BEHIND[usize::from(first / 8 % 8)]);
    let planted = format!("{} x{before}{NAME}{behind}x {}", &text[..at], &text[at..]);
    // Files of the kubelet's source keep their names.
    if !planted.contains(".go:") {
        let hidden = names.text(&planted);
        assert!(!hidden.contains(NAME), "{planted:?} gives {hidden:?}");
    }
}
