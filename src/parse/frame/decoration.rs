//! What people and tools put around framed lines: indentation, Markdown, colours, grep's file names, prefixes in
//! brackets, a pager's mark of truncation. A decoration counts only if something known follows it, which `frame` checks.

use std::borrow::Cow;

use memchr::{memchr, memmem, memrchr};

use super::header::{self, Layer};
use super::{envelope, program, stamp};

/// How far a file name in front of a line may reach, in bytes.
const MAX_FILE_PREFIX: usize = 256;
/// Longer lines are not shortened by `systemctl status` on any usual terminal, in bytes.
const MAX_TERMINAL_WIDTH: usize = 600;

/// Takes one wrapping off; `None` when there is none. `framed` says that a frame was found before, which leaves less
/// room for guesses: text with blanks is then a program's message.
pub(super) fn strip(text: &[u8], framed: bool) -> Option<Layer<'_>> {
    decoration(text, framed)
        .map(Layer::bare)
        .or_else(|| if framed { None } else { origin(text) })
        .or_else(|| bracket(text).or_else(|| export_length(text)).or_else(|| event_array(text)).map(Layer::bare))
        .or_else(|| labels(text))
        .or_else(|| date(text))
        .or_else(|| node(text))
        .or_else(|| file(text, framed).map(Layer::bare))
}

/// Whether a frame or a program's line begins here; cheap, and without looking behind further wrappings.
fn known(text: &[u8]) -> bool {
    program::is_log_line(text)
        || text.starts_with(b"MESSAGE=")
        || envelope::looks_like_object(text)
        || header::layer(text).is_some()
}

/// Indentation, Markdown's marks, single quotes, a byte order mark, and the marks of `json-seq` and `json-sse`. Inside
/// a frame backticks and quotes are a message's own.
fn decoration(text: &[u8], framed: bool) -> Option<&[u8]> {
    let mut rest = text;
    let mut code = false;
    loop {
        let shorter = match rest {
            [b'`', tail @ ..] if !framed => {
                code = true;
                tail
            }
            [b' ' | b'\t' | b'>' | 0x1e, tail @ ..]
            | [b'*' | b'-' | b'+' | b'|', b' ' | b'\t', tail @ ..]
            | [0xEF, 0xBB, 0xBF, tail @ ..]
            | [b'd', b'a', b't', b'a', b':', tail @ ..] => tail,
            [b'\'', tail @ .., b'\''] if !framed => tail,
            _ => numbered(rest).unwrap_or(rest),
        };
        if shorter.len() == rest.len() {
            break;
        }
        rest = shorter;
    }
    while let Some(shorter) = rest.strip_suffix(b"`").filter(|_| code) {
        rest = shorter;
    }
    (rest.len() < text.len()).then_some(rest)
}

/// The rest behind `12. ` or `12) `.
fn numbered(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    let rest = text.get(digits..).filter(|_| digits > 0)?;
    rest.strip_prefix(b". ").or_else(|| rest.strip_prefix(b") "))
}

/// Where a tool says that a line is from, one node or pod of several: `10.5.0.2: ` (talosctl, pdsh), `node-1 | ` (Compose),
/// `[pod/NAME/CONTAINER] ` (`kubectl logs --prefix`), `NAME CONTAINER ` (stern).
fn origin(text: &[u8]) -> Option<Layer<'_>> {
    if let Some(inner) = text.strip_prefix(b"[pod/") {
        let (name, rest) =
            inner.split_at_checked(inner.iter().take(MAX_FILE_PREFIX).position(|byte| *byte == b'/')?)?;
        let rest = rest.get(memchr(b']', rest)? + 1..)?.trim_ascii_start();
        let host = std::str::from_utf8(name).ok().filter(|name| header::is_host(name))?;
        return known(rest).then(|| Layer { host: Some(host), ..Layer::bare(rest) });
    }
    let (name, rest) = header::word(text)?;
    let rest = rest.trim_ascii_start();
    let (name, rest) = match (name.strip_suffix(':'), header::word(rest)) {
        // talosctl says it twice where several nodes were asked through one.
        (Some(name), Some((again, behind))) if again.strip_suffix(':') == Some(name) => (name, behind),
        (Some(name), _) => (name, rest),
        (None, Some(("|", behind))) => (name, behind.trim_ascii_start()),
        (None, Some((container, behind))) if is_label(name) && is_label(container) => (name, behind),
        _ => return None,
    };
    const FILES: [&str; 7] = [".log", ".txt", ".out", ".gz", ".zst", ".xz", ".bz2"];
    let is_host = header::is_host(name) && !name.contains('/') && !FILES.iter().any(|end| name.ends_with(end));
    (is_host && !is_program(name) && known(rest)).then(|| Layer { host: Some(name), ..Layer::bare(rest) })
}

/// Whether a word can be the name of a pod or a container, and no other word of a sentence: a name that was made has a dash or
/// a digit.
fn is_label(word: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    word.bytes().all(allowed) && (is_program(word) || word.bytes().any(|byte| byte.is_ascii_digit() || byte == b'-'))
}

/// Whether a word is the name of a program that writes these logs, and so no node's.
fn is_program(word: &str) -> bool {
    const PROGRAMS: &[&str] = &[
        "kubelet",
        "hyperkube",
        "containerd",
        "crio",
        "cri-o",
        "docker",
        "cri-dockerd",
        "k3s",
        "rke2",
        "k0s",
        "kubelite",
        "microk8s",
        "microshift",
        "systemd",
        "kubenswrapper",
        "stdout",
        "stderr",
    ];
    PROGRAMS
        .iter()
        .any(|program| word.strip_prefix(program).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphabetic())))
        || word == "dockerd"
}

/// Anything in brackets.
fn bracket(text: &[u8]) -> Option<&[u8]> {
    let inner = text.strip_prefix(b"[")?;
    let end = inner.iter().take(MAX_FILE_PREFIX).position(|byte| matches!(byte, b']' | b'"'))?;
    inner.get(end..)?.strip_prefix(b"] ")
}

/// The eight bytes of length in front of a field that `journalctl -o export` writes as binary.
fn export_length(text: &[u8]) -> Option<&[u8]> {
    let (length, rest) = text.split_first_chunk::<8>()?;
    let length = u64::from_le_bytes(*length);
    (length < 1 << 24 && length >= u64::try_from(rest.len()).ok()?).then_some(rest)
}

/// A date alone (`kubectl logs --timestamps`, `docker logs -t`, the logs of a CI run).
fn date(text: &[u8]) -> Option<Layer<'_>> {
    let (rest, dated) = stamp::any(text)?;
    Some(Layer { stamp: dated.stamp, ..Layer::bare(rest.trim_ascii_start()) })
}

/// The node's name that `oc adm node-logs` puts in front of each journal line.
fn node(text: &[u8]) -> Option<Layer<'_>> {
    let (name, rest) = header::word(text)?;
    let rest = rest.trim_ascii_start();
    if envelope::looks_like_object(rest) {
        // Where a record is from: the stream of `aws logs tail`, the tag of fluentd's files.
        let host = envelope::stream_host(name).filter(|name| !is_program(name));
        return Some(Layer { host, ..Layer::bare(rest) });
    }
    header::layer(rest)?;
    let host = (header::is_host(name) && name.bytes().any(|byte| byte.is_ascii_alphabetic())).then_some(name);
    Some(Layer { host, ..Layer::bare(rest) })
}

/// The record in `TAG: [TIME, {…}]` or `TAG: [[TIME, {}], {…}]`, as Fluent Bit writes events.
fn event_array(text: &[u8]) -> Option<&[u8]> {
    let front = text.get(..text.len().min(MAX_FILE_PREFIX))?;
    let at = memmem::find(front, b": [")?;
    let rest = text.get(at + 2..)?;
    let begin = memmem::find(rest.get(..rest.len().min(80))?, b"{\"")?;
    let (time, record) = rest.split_at_checked(begin)?;
    let tag = text.get(..at)?;
    let plain = tag.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'{'));
    let is_time = |byte: &u8| byte.is_ascii_digit() || b".,[]{} -:TZ+".contains(byte);
    (plain && time.iter().all(is_time)).then_some(record)
}

/// Labels in front of a line: logcli's default form.
fn labels(text: &[u8]) -> Option<Layer<'_>> {
    let (labels, rest) = envelope::labels(text)?;
    let rest = rest.strip_prefix(b" ")?.trim_ascii_start();
    let host = match labels.host {
        Some(Cow::Borrowed(host)) => Some(host),
        _ => None,
    };
    Some(Layer { host, pid: labels.pid, ..Layer::bare(rest) })
}

/// grep's `FILE:`, `FILE:LINE:`, `LINE:`, and with `-A`, `-B`, `-C` a `-` in their place.
fn file(text: &[u8], framed: bool) -> Option<&[u8]> {
    for (at, byte) in text.iter().enumerate().take(MAX_FILE_PREFIX) {
        match byte {
            b':' | b'-' if at > 0 => {
                let rest = text.get(at + 1..)?.trim_ascii_start();
                if known(rest) {
                    return Some(rest);
                }
            }
            b' ' | b'\t' if framed => return None,
            b'"' | b'\'' | b'`' | b'=' | b'{' => return None,
            _ => {}
        }
    }
    None
}

/// A line without the newlines and carriage returns at its end.
pub(super) fn without_line_end(line: &[u8]) -> &[u8] {
    let mut rest = line;
    while let [shorter @ .., b'\n' | b'\r'] = rest {
        rest = shorter;
    }
    rest
}

/// A copy without the escape sequences of terminals (colours, links); `None` when there are none.
pub(super) fn without_colours(line: &[u8]) -> Option<Vec<u8>> {
    let mut next = Some(memchr(0x1b, line)?);
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((text, escape)) = next.and_then(|at| rest.split_at_checked(at)) {
        plain.extend_from_slice(text);
        rest = escape.get(sequence(escape)..).unwrap_or_default();
        next = memchr(0x1b, rest);
    }
    plain.extend_from_slice(rest);
    Some(plain)
}

/// The length of the sequence that begins with the escape character.
fn sequence(escape: &[u8]) -> usize {
    match escape.get(1) {
        Some(b'[') => {
            let parameters = escape.iter().skip(2).take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
            parameters + 3
        }
        // A link: ends with BEL or ESC \.
        Some(b']') => match escape.iter().skip(2).position(|byte| matches!(byte, 0x07 | 0x1b)) {
            Some(at) if escape.get(at + 2) == Some(&0x07) => at + 3,
            Some(at) => at + 4,
            None => 1,
        },
        Some(b'(' | b')') => 3,
        _ => 1,
    }
}

/// The body before the mark that shows that it was truncated; `None` if there is no such mark.
///
/// `less -S`, journalctl's pager, ends chopped lines with `>`; `systemctl status --no-pager` puts `…` for what it left
/// out before the last tenth, which is useless then.
pub(super) fn before_truncation_mark(body: &[u8]) -> Option<&[u8]> {
    if let Some(text) = body.strip_suffix(b">") {
        return chopped(text).then_some(text);
    }
    if let Some(text) = body.strip_suffix("…".as_bytes()) {
        return Some(text);
    }
    if let Some(text) = body.strip_suffix(b"...") {
        return inside_quotes(text).then_some(text);
    }
    if body.len() > MAX_TERMINAL_WIDTH {
        return None;
    }
    // Hardly a line has the sign's first byte, and looking for that alone needs no preparation.
    memchr(0xE2, body)?;
    let at = memmem::find(body, "…".as_bytes())?;
    let tail = body.get(at + "…".len()..)?;
    // journalctl keeps the first nine tenths of the message's width.
    let share = at * 100 / (at + 1 + tail.len());
    let lone = memmem::find(tail, "…".as_bytes()).is_none();
    (lone && (85..=95).contains(&share)).then(|| body.get(..at)).flatten()
}

/// Whether a `>` behind `text` is the pager's and not the end of `<nil>`, of a tag or of a multi-line value.
fn chopped(text: &[u8]) -> bool {
    if text.trim_ascii().is_empty() {
        return false;
    }
    let named = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b'*');
    let last = memrchr(b'<', text).and_then(|at| text.get(at + 1..));
    if last.is_some_and(|name| name.iter().all(named)) {
        return false;
    }
    let count = |sign| memchr::memchr_iter(sign, text).count();
    inside_quotes(text) || count(b'>') >= count(b'<')
}

/// Whether `text` ends within a quoted string.
fn inside_quotes(text: &[u8]) -> bool {
    let (mut inside, mut escaped) = (false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => inside = !inside,
            _ => {}
        }
    }
    inside
}
