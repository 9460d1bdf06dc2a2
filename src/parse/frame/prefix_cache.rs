//! Lines whose frame is that of a line shortly before but for its date: nearly all lines of a journal.

use std::borrow::Cow;

use memchr::memchr;

use super::{Frame, decoration, open, program, stamp};

/// How many prefixes are remembered: a kubelet's and its runtime's, and those of some other nodes in a log of several.
const PREFIXES: usize = 6;

/// Takes frames off the lines of one text, and remembers the last prefixes: if host, identifier and process are the same, only
/// the date is read. Gives what [`open`] gives.
#[derive(Debug, Default)]
pub struct FrameReader<'a> {
    /// The last used one first.
    last: Vec<CachedPrefix<'a>>,
}

/// What is between a journal's date and the program's line.
#[derive(Debug)]
struct CachedPrefix<'a> {
    text: &'a [u8],
    host: Option<&'a str>,
    identifier: Option<&'a str>,
    pid: Option<u32>,
}

impl<'a> FrameReader<'a> {
    /// As [`open`].
    pub fn open(&mut self, line: &'a [u8]) -> Frame<'a> {
        let Some((behind, stamp)) = stamp::precise(line) else { return open(line) };
        let mut known = self.last.iter().enumerate();
        if let Some((at, prefix, body)) =
            known.find_map(|(at, prefix)| Some((at, prefix, behind.strip_prefix(prefix.text)?)))
            && program::is_log_line(body)
            && memchr(0x1b, body).is_none()
        {
            let frame = Frame {
                stamp: Some(stamp),
                host: prefix.host.map(Cow::Borrowed),
                identifier: prefix.identifier.map(Cow::Borrowed),
                pid: prefix.pid,
                body: Cow::Borrowed(decoration::without_line_end(body)),
                truncated: false,
            };
            self.last.get_mut(..=at).unwrap_or_default().rotate_right(1);
            return frame.without_truncation_mark().without_line_end();
        }
        let frame = open(line);
        if let Some(prefix) = (frame.stamp == Some(stamp)).then(|| CachedPrefix::of(&frame, behind)).flatten() {
            self.last.truncate(PREFIXES - 1);
            self.last.insert(0, prefix);
        }
        frame
    }
}

impl<'a> CachedPrefix<'a> {
    /// The prefix of a frame, if it means the same before every line: it ends the search for each of its
    /// parts, and nothing in it has to be decoded.
    fn of(frame: &Frame<'a>, behind: &'a [u8]) -> Option<Self> {
        let Cow::Borrowed(body) = frame.body else { return None };
        let text = behind.get(..body.as_ptr().addr().checked_sub(behind.as_ptr().addr())?)?;
        let plain = text.ends_with(b": ") && !text.iter().any(|byte| matches!(byte, b'"' | b'{' | b'\'' | 0x1b));
        let part = |part: &Option<Cow<'a, str>>| match part {
            None => Some(None),
            Some(Cow::Borrowed(part)) => Some(Some(*part)),
            Some(Cow::Owned(_)) => None,
        };
        (plain && !frame.truncated && program::is_log_line(body)).then_some(())?;
        Some(CachedPrefix { text, host: part(&frame.host)?, identifier: part(&frame.identifier)?, pid: frame.pid })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(lines: &[String]) {
        let mut reader = FrameReader::default();
        for line in lines {
            assert_eq!(reader.open(line.as_bytes()), open(line.as_bytes()), "{line:?} of {lines:?}");
        }
    }

    #[test]
    fn a_line_is_opened_from_the_one_before() {
        let line = |second, body: &str| format!("Nov 23 19:08:{second}.000001 n1 kubelet[9]: {body}");
        let klog = "I1123 19:08:24.000001       9 kubelet.go:1] \"x\"";
        same(&[
            line(24, klog),
            line(25, klog),
            line(26, "prose"),
            line(27, klog),
            line(28, &klog.replace("\"x\"", "\"x…")),
            line(29, klog).replace("kubelet[9]", "containerd[8]"),
            line(30, klog),
            line(31, klog).replace("kubelet[9]", "containerd[8]"),
            line(32, klog).replace("n1", "n2"),
            line(33, klog),
        ]);
        let mut reader = FrameReader::default();
        let first = line(24, klog);
        let found = reader.open(first.as_bytes());
        assert_eq!(found.host.as_deref(), Some("n1"));
        assert_eq!(reader.last.first().map(|prefix| prefix.text), Some(&b" n1 kubelet[9]: "[..]));
    }

    proptest! {
        #[test]
        fn any_lines_are_opened_as_by_themselves(
            lines in prop::collection::vec(
                prop::collection::vec(
                    prop::sample::select(vec![
                        "Nov 23 19:08:24 ", "Nov  3 19:08:24.123456 ", "n1 ", "kubelet[9]: ", "kubelet: ", "x[a: ", ": ", ":", "-", "[", "]",
                        "stderr F ", "stderr P ", "<30>", "\u{1b}[0m", "`", "'", "\"", "{", "…", ">", "...", "\r", "\n", "2026-11-23T19:08:24Z ",
                        "I1123 19:08:24.000001       9 k.go:1] \"x\"", "time=\"2026-11-23T19:08:24Z\"", "{\"ts\":1", "prose ",
                    ]),
                    0..9,
                ),
                1..5,
            ),
        ) {
            let lines: Vec<String> = lines.iter().map(|parts| parts.concat()).collect();
            // The same line again, and its body behind another's front.
            let twice: Vec<String> = lines.iter().flat_map(|line| {
                let usual = format!("Nov 23 19:08:24 n1 kubelet[9]: {line}");
                [line.clone(), line.clone(), usual.clone(), usual]
            }).collect();
            same(&twice);
        }
    }
}
