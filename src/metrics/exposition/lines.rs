//! A text as lines, of which none is held that is too long to be one.

use std::io::{self, BufRead, ErrorKind};

use memchr::memchr;

/// Longest line that is read: more than any sample, so that a file without line ends does not fill the memory.
pub(super) const LIMIT: usize = 1 << 20;

/// A line without its line feed; of one that is too long, no more than proves that.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    text: &'a [u8],
    /// There was a line feed.
    pub(super) ended: bool,
}

impl<'a> Line<'a> {
    pub(super) fn too_long(self) -> bool {
        self.text.len() > LIMIT
    }

    /// Without what an editor, a shell or Windows put around it.
    pub(super) fn stripped(self) -> &'a [u8] {
        stripped(self.text)
    }
}

/// A line without blanks around it, carriage returns, or a byte order mark: each of several files that were put into
/// one may have begun with one. What is pasted into a mail or a ticket loses its quotation marks; the fence around it and
/// the command before it are empty lines.
pub(super) fn stripped(text: &[u8]) -> &[u8] {
    let mut text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii();
    while let Some(quoted) = text.strip_prefix(b">") {
        text = quoted.trim_ascii_start();
    }
    if text.starts_with(b"```") || text.starts_with(b"~~~") || is_command(text) { b"" } else { text }
}

/// Whether a line is a shell's prompt, alone or with the command that fetches metrics.
fn is_command(text: &[u8]) -> bool {
    let mut words = text.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let fetches = |word: &[u8]| {
        [&b"kubectl"[..], b"oc", b"curl", b"wget", b"k", b"sudo", b"talosctl", b"promtool"].contains(&word)
    };
    // A sample's labels are no prompt.
    let Some(prompt) = words.next().filter(|word| !word.contains(&b'{') && !word.contains(&b'"')) else { return false };
    // `$`, `root@node:~#`, `[root@node ~]$`, `node%`.
    let ends = |word: &[u8]| word.ends_with(b"$") || word.ends_with(b"#") || word.ends_with(b"%");
    let bracketed = prompt.starts_with(b"[") && prompt.contains(&b'@');
    let (is_prompt, command) = match words.next() {
        Some(second) if bracketed => (ends(second), words.next()),
        second => (
            ends(prompt) && (matches!(prompt, b"$" | b"%") || prompt.contains(&b'@') || second.is_some_and(fetches)),
            second,
        ),
    };
    is_prompt && command.is_none_or(fetches)
}

/// Hands on every line, and returns how many bytes they had.
pub(super) fn each(mut reader: impl BufRead, mut on: impl FnMut(Line<'_>)) -> io::Result<u64> {
    let mut bytes = 0;
    let mut begun = Vec::new();
    loop {
        let held = match reader.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        };
        if held.is_empty() {
            break;
        }
        let mut rest = held;
        while let Some((text, after)) = memchr(b'\n', rest).and_then(|end| rest.split_at_checked(end)) {
            if begun.is_empty() {
                on(Line { text, ended: true });
            } else {
                append(&mut begun, text);
                on(Line { text: &begun, ended: true });
                begun.clear();
            }
            rest = after.get(1..).unwrap_or_default();
        }
        append(&mut begun, rest);
        let taken = held.len();
        bytes += taken as u64;
        reader.consume(taken);
    }
    if !begun.is_empty() {
        on(Line { text: &begun, ended: false });
    }
    Ok(bytes)
}

/// Holds one byte more than a line may have, which is enough to know that it has too many.
fn append(begun: &mut Vec<u8>, more: &[u8]) {
    let room = (LIMIT + 1).saturating_sub(begun.len());
    begun.extend_from_slice(more.get(..room).unwrap_or(more));
}
