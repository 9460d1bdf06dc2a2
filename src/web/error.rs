//! What can go wrong with a request, said so that the user can act on it.

use std::fmt;

use crate::model::text::sanitize;

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// The address cannot be used; nothing was sent.
    InvalidUrl,
    /// An option makes no sense or its file cannot be used; nothing was sent.
    InvalidOption,
    /// The server, or a proxy before it, answered with this status.
    Status(u16),
    /// A redirect that is not followed.
    Redirect,
    /// There was no connection, or none that lasted until a response.
    Unreachable,
    /// It took longer than allowed.
    Timeout,
    /// The two sides did not agree on a secure connection.
    Tls,
    /// The response is larger than allowed.
    TooLarge,
    /// The response ended early, or was damaged on the way.
    Truncated,
    /// The user or the program cancelled it.
    Cancelled,
}

/// Why one request failed.
///
/// Displayed as one line: address, what happened, what to check. No part of it shows a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    /// For deciding: which exit code, whether to ask another way.
    pub kind: HttpErrorKind,
    /// The address as [`redact_url`](super::redact_url) shows it; with [`HttpErrorKind::InvalidOption`] the file or the option.
    pub url: String,
    /// What happened, as a clause that follows the address: no capital, no full stop.
    pub message: String,
    /// What to check or do, as one or more sentences; empty where there is nothing.
    pub help: String,
    /// With [`HttpErrorKind::Status`], how the response begins: at most 2 KiB, on one line, without control characters.
    pub body: String,
}

impl HttpError {
    /// Text from the server becomes one line that is safe to print.
    pub(crate) fn new(kind: HttpErrorKind, url: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        let [message, help] = [message.into(), help.into()].map(|text| sanitize(&text));
        Self { kind, url: sanitize(url), message, help, body: String::new() }
    }

    /// The same with each of its texts put through `mask`.
    pub(super) fn masked(self, mask: impl Fn(&str) -> String) -> Self {
        Self {
            kind: self.kind,
            url: mask(&self.url),
            message: mask(&self.message),
            help: mask(&self.help),
            body: mask(&self.body),
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}.", self.url, self.message)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, " {}", self.help) }
    }
}

impl std::error::Error for HttpError {}
