//! Where a program's own line begins: the shapes of klog, logrus and the kubelet's JSON. Does not read what they say.

/// The longest text that is believed to be a frame in front of a program's line, in bytes.
const MAX_UNKNOWN_PREFIX: usize = 200;

/// Whether `text` begins as klog text, logrus text or the kubelet's JSON do.
///
/// Only the first bytes are looked at, so lines whose end is cut off are recognised too.
pub(super) fn is_log_line(text: &[u8]) -> bool {
    match text.first() {
        Some(b'I' | b'W' | b'E' | b'F') => klog(text),
        Some(b't') => text.strip_prefix(b"time=\"").is_some_and(digit_first),
        Some(b'{') => text.strip_prefix(b"{\"ts\":").is_some_and(digit_first),
        _ => false,
    }
}

/// The offset of a program's line behind a front that no layer explains.
///
/// The front must be short, of at most `words` words and without any quote: a line quoted inside another program's
/// message is that message's text, not a line of its own.
pub(super) fn find_log_line(text: &[u8], words: usize) -> Option<usize> {
    let mut seen = 0;
    let mut before = b' ';
    for (at, &byte) in text.iter().enumerate().take(MAX_UNKNOWN_PREFIX) {
        let edge = matches!(before, b' ' | b'\t' | b']' | b'|' | b'>' | b':' | b')');
        if at > 0 && edge && text.get(at..).is_some_and(is_log_line) {
            return Some(at);
        }
        if matches!(byte, b'"' | b'\'' | b'`' | b'{') {
            return None;
        }
        if !byte.is_ascii_whitespace() && before.is_ascii_whitespace() {
            seen += 1;
            if seen > words {
                // The next word may only be the program's line itself, and that was looked for above.
                return None;
            }
        }
        before = byte;
    }
    None
}

/// klog's `Lmmdd hh:mm:ss.uuuuuu`; what follows may be lost.
fn klog(text: &[u8]) -> bool {
    const SHAPE: &[u8] = b"L0000 00:00:00.000000";
    text.get(1..SHAPE.len()).is_some_and(|head| {
        head.iter().zip(SHAPE.iter().skip(1)).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == shape,
        })
    })
}

fn digit_first(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit)
}
