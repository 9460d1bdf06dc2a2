//! What surrounds a program's log line: journald, syslog, container runtimes, log agents, tools and people.
//!
//! Each line is read by itself, so every form may be mixed with and nested in every other. Nothing here reads
//! what the program wrote: klog, logrus and JSON lines are only recognised by their first bytes.

mod decoration;
mod envelope;
mod header;
mod json;
mod keys;
mod prefix_cache;
mod program;
#[cfg(test)]
mod properties;
mod stamp;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::model::time::Stamp;
use envelope::{Envelope, Object};
use header::Layer;
pub use prefix_cache::FrameReader;

/// How many frames and wrappings may be nested; more than any tool chain seen puts around a line.
const MAX_DEPTH: usize = 8;
/// How many words may precede a program's line without being understood.
const MAX_UNKNOWN_WORDS: usize = 8;

/// A log line and what its frames say about it. With nested frames the inner one counts, as it is nearer to the
/// program; only a date that names its zone or year is kept over an inner one that does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When the line was written, by whoever framed it; `None` without a date, or with one since boot.
    pub stamp: Option<Stamp>,
    /// The node's name as the journal, syslog or agent has it.
    pub host: Option<Cow<'a, str>>,
    /// Syslog identifier (`kubelet`, `kubenswrapper`, `microk8s.daemon-kubelite`), or the unit's name where
    /// `journalctl -o with-unit` prints that.
    pub identifier: Option<Cow<'a, str>>,
    /// The process that wrote the line.
    pub pid: Option<u32>,
    /// What the program wrote, without newline or carriage return; bytes, as logs may hold broken UTF-8.
    pub body: Cow<'a, [u8]>,
    /// The end of the body is known to be missing: a pager's `>`, a terminal's `…` (these marks are not in the body),
    /// a container runtime's partial line, or JSON that stops inside the message.
    pub truncated: bool,
}

/// Takes the frame off one line (without its newline), whatever put it there.
///
/// Never fails: a line in no known frame is its own body. Allocates only for text that has to be decoded (JSON with
/// escapes, colours). A program's line that is quoted inside another one's message is left there.
#[must_use]
pub fn open(line: &[u8]) -> Frame<'_> {
    if let Some(plain) = decoration::without_colours(line) {
        return strip_frames(&plain, MAX_DEPTH, Origin::Line).frame.into_owned();
    }
    strip_frames(line, MAX_DEPTH, Origin::Line).frame
}

/// Whether a JSON object holds a line under a key that is known, or is a program's own line.
#[must_use]
pub fn is_record(object: &[u8]) -> bool {
    !matches!(envelope::object(object), Object::Other)
}

/// Whether a line has labels behind its date, as logcli prints them.
#[must_use]
pub fn has_labels(line: &[u8]) -> bool {
    let rest = stamp::any(line).map(|(rest, _)| rest.trim_ascii_start());
    rest.and_then(envelope::labels).is_some()
}

/// Whether a line is a row of values in which a program's line is one; which of the others is the host is not known.
#[must_use]
pub fn is_csv_row(line: &[u8]) -> bool {
    envelope::csv_row(line).is_some()
}

/// The keys under which a line is looked for.
pub fn message_keys() -> impl Iterator<Item = &'static str> {
    keys::names(keys::Part::Message)
}

/// A frame, and whether anything was recognised at all.
struct Stripped<'a> {
    frame: Frame<'a>,
    known: bool,
}

/// Where a text comes from: how freely it may be guessed at, and whether a pager can have chopped it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The line itself.
    Line,
    /// A line that was one quoted string.
    Quoted,
    /// The message inside a frame that was decoded.
    Message,
}

/// Takes off layer after layer. `seen` follows the text through wrappings that may turn out to mean nothing; `sure` is
/// what has been proven by a frame or a program's line behind them.
fn strip_frames(line: &[u8], depth: usize, origin: Origin) -> Stripped<'_> {
    let mut chopped = origin == Origin::Line;
    let mut rest = decoration::without_line_end(line);
    let mut sure = Frame::bare(rest);
    let mut seen = Frame::bare(rest);
    let mut known = false;
    for left in (0..depth).rev() {
        let framed = known || origin == Origin::Message;
        if program::is_log_line(rest) {
            (sure, known) = (seen, true);
            break;
        }
        if let Some(layer) = header::layer(rest).or_else(|| rest.strip_prefix(b"MESSAGE=").map(Layer::bare)) {
            rest = layer.rest;
            seen.take(layer);
            (sure, known) = (seen.clone(), true);
            continue;
        }
        let object = if rest.starts_with(b"{") { envelope::object(rest) } else { Object::Other };
        let envelope = match object {
            Object::Program => {
                (sure, known) = (seen, true);
                break;
            }
            Object::Envelope(envelope) => Some(envelope),
            Object::Other => envelope::pretty(rest)
                .or_else(|| envelope::unescaped(rest))
                .or_else(|| if framed { None } else { envelope::csv_row(rest) }),
        };
        if let Some(mut envelope) = envelope {
            match envelope.message.take() {
                Some(Cow::Owned(text)) => return seen.around(envelope, &strip_frames(&text, left, Origin::Message)),
                Some(Cow::Borrowed(text)) => rest = text,
                None => break,
            }
            chopped &= envelope.truncated;
            seen.take_envelope(envelope, Cow::Borrowed(rest));
            (sure, known) = (seen.clone(), true);
            continue;
        }
        // Inside a frame a quoted line is the program's message.
        match if framed { None } else { envelope::quoted_line(rest) } {
            Some(Cow::Borrowed(text)) => {
                rest = text;
                seen.body = Cow::Borrowed(rest);
                continue;
            }
            Some(Cow::Owned(text)) => {
                let inner = strip_frames(&text, left, Origin::Quoted);
                if inner.known {
                    return seen.around(Envelope::default(), &inner);
                }
                break;
            }
            None => {}
        }
        if let Some(layer) = decoration::strip(rest, framed) {
            rest = layer.rest;
            seen.take(layer);
            continue;
        }
        // Inside a frame that is understood only one word is expected: the component that MicroShift puts first.
        if let Some(program) =
            program::find_log_line(rest, if framed { 1 } else { MAX_UNKNOWN_WORDS }).and_then(|at| rest.get(at..))
        {
            seen.body = Cow::Borrowed(program);
            (sure, known) = (seen, true);
        }
        break;
    }
    if chopped && known {
        sure = sure.without_truncation_mark();
    }
    Stripped { frame: sure.without_line_end(), known }
}

impl<'a> Frame<'a> {
    fn bare(line: &'a [u8]) -> Self {
        Self { stamp: None, host: None, identifier: None, pid: None, body: Cow::Borrowed(line), truncated: false }
    }

    /// Without a pager's or a terminal's mark of truncation.
    fn without_truncation_mark(mut self) -> Self {
        if let Cow::Borrowed(body) = self.body
            && let Some(kept) = decoration::before_truncation_mark(body)
        {
            self.body = Cow::Borrowed(kept);
            self.truncated = true;
        }
        self
    }

    /// Without the line end that a message inside a frame had, or that stood before a mark of truncation.
    fn without_line_end(mut self) -> Self {
        match &mut self.body {
            Cow::Borrowed(body) => *body = decoration::without_line_end(body),
            Cow::Owned(body) => body.truncate(decoration::without_line_end(body).len()),
        }
        self
    }

    /// Goes one layer in.
    fn take(&mut self, layer: Layer<'a>) {
        let Layer { stamp, host, identifier, pid, truncated, rest } = layer;
        let (host, identifier) = (host.map(Cow::Borrowed), identifier.map(Cow::Borrowed));
        self.take_envelope(Envelope { stamp, host, identifier, pid, message: None, truncated }, Cow::Borrowed(rest));
    }

    fn take_envelope(&mut self, inner: Envelope<'a>, body: Cow<'a, [u8]>) {
        if inner.stamp.map_or(0, specificity) >= self.stamp.map_or(0, specificity) {
            self.stamp = inner.stamp;
        }
        self.host = inner.host.or(self.host.take());
        self.identifier = inner.identifier.or(self.identifier.take());
        self.pid = inner.pid.or(self.pid);
        self.truncated |= inner.truncated;
        self.body = body;
    }

    /// Goes into an envelope whose decoded message has been peeled.
    fn around(mut self, envelope: Envelope<'a>, inner: &Stripped<'_>) -> Stripped<'a> {
        self.take_envelope(envelope, Cow::Borrowed(b""));
        let Frame { stamp, host, identifier, pid, body, truncated } = inner.frame.clone().into_owned();
        self.take_envelope(Envelope { stamp, host, identifier, pid, message: None, truncated }, body);
        Stripped { frame: self, known: true }
    }

    fn into_owned<'b>(self) -> Frame<'b> {
        Frame {
            stamp: self.stamp,
            host: self.host.map(|host| Cow::Owned(host.into_owned())),
            identifier: self.identifier.map(|identifier| Cow::Owned(identifier.into_owned())),
            pid: self.pid,
            body: Cow::Owned(self.body.into_owned()),
            truncated: self.truncated,
        }
    }
}

/// How much a date says: with its zone, with its year, neither.
fn specificity(stamp: Stamp) -> u8 {
    match stamp {
        Stamp::Utc(_) => 3,
        Stamp::Wall { year: Some(_), .. } => 2,
        Stamp::Wall { year: None, .. } => 1,
    }
}
