//! What can go wrong with a request, said so that the user can act on it.

use std::fmt;

use crate::model::text::sanitize;

/// What kind of trouble a request gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The address cannot be used; nothing was sent.
    Address,
    /// A setting makes no sense or its file cannot be used; nothing was sent.
    Setting,
    /// The server, or a proxy before it, answered with this status.
    Refused(u16),
    /// A redirect that is not followed.
    Redirected,
    /// There was no connection, or none that lasted until an answer.
    Unreachable,
    /// It took longer than allowed.
    Timeout,
    /// The two sides did not agree on a secure connection.
    Tls,
    /// The answer is larger than allowed.
    TooLarge,
    /// The answer ended before its end, or was damaged on the way.
    Cut,
    /// The user, or the program, wants no more.
    Stopped,
}

/// Trouble with one request.
///
/// Displayed as one line: address, what happened, what to check. No part of it shows a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    /// For deciding: which exit code, whether to ask another way.
    pub kind: Kind,
    /// The address as [`shown`](super::shown); with [`Kind::Setting`] the file or the option.
    pub url: String,
    /// What happened, as a clause that follows the address: no capital, no full stop.
    pub message: String,
    /// What to check or do, as one or more sentences; empty where there is nothing.
    pub help: String,
    /// With [`Kind::Refused`], how the answer begins: at most 2 KiB, on one line, without control characters.
    pub body: String,
}

impl HttpError {
    /// Text of the server's becomes one line that is safe to print.
    pub(crate) fn new(kind: Kind, url: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        let [message, help] = [message.into(), help.into()].map(|text| sanitize(&text));
        Self { kind, url: sanitize(url), message, help, body: String::new() }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}.", self.url, self.message)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, " {}", self.help) }
    }
}

impl std::error::Error for HttpError {}
