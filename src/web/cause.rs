//! What an error of the layers below means for the user. Their own texts are not passed on where they hold addresses.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::handshake::handshake;
use super::trouble::{HttpError, Kind};

/// What is said of a request besides its error.
#[derive(Clone)]
pub(super) struct About {
    /// Its address, as shown.
    pub(super) url: String,
    /// The proxy the user named, as shown.
    pub(super) proxy: Option<String>,
    /// Whether a client certificate was there to be sent.
    pub(super) identity: bool,
    pub(super) timeout: Duration,
    pub(super) tries: u32,
}

impl About {
    pub(super) fn trouble(&self, kind: Kind, message: impl Into<String>, help: impl Into<String>) -> HttpError {
        let mut message = message.into();
        if self.tries > 1 {
            message += &format!(" (tried {} times)", self.tries);
        }
        HttpError::new(kind, &self.url, message, help)
    }

    /// What is said of an error that came instead of an answer.
    pub(super) fn unanswered(&self, error: &(dyn Error + 'static)) -> HttpError {
        let signs = Signs::of(error);
        let say = |kind, message: String, help: &str| self.trouble(kind, message, help);
        if let Some(tls) = signs.tls {
            let (message, help) = handshake(tls, self.identity);
            return say(Kind::Tls, message, help);
        }
        let proxy = self.proxy.as_deref().filter(|_| signs.connect);
        let who = match proxy {
            Some(proxy) => format!("the proxy {proxy}"),
            None if signs.tunnel => "the proxy of the environment".to_owned(),
            None => "the server".to_owned(),
        };
        let check = if proxy.is_some() || signs.tunnel { "Check --proxy, or HTTPS_PROXY and HTTP_PROXY." } else { "" };
        let or = |help: &'static str| if check.is_empty() { help } else { check };
        match signs.io {
            _ if signs.timeout && signs.connect => {
                let message = format!("no connection to {who} within {:?}", connecting(self.timeout));
                say(Kind::Timeout, message, or("Check host, port and firewall, or allow more time (--timeout)."))
            }
            _ if signs.timeout => {
                let message = format!("no answer within {:?}", self.timeout);
                say(Kind::Timeout, message, "Allow more time (--timeout), or ask for a shorter stretch of time.")
            }
            _ if signs.dns => {
                let help = "Check its spelling; names that end in .svc are known only inside the cluster.";
                say(Kind::Unreachable, format!("the name of {who} is not known (DNS)"), or(help))
            }
            Some(io::ErrorKind::ConnectionRefused) => {
                let help = "Check the port; is it running, or the kubectl port-forward to it?";
                say(Kind::Unreachable, format!("nothing listens at that port of {who} (connection refused)"), or(help))
            }
            Some(io::ErrorKind::UnexpectedEof) if signs.connect && !signs.tunnel => {
                let help = "Check that the port is one for HTTPS; if not, begin the address with http://.";
                say(Kind::Tls, format!("{who} closed the connection while a secure one was being agreed on"), or(help))
            }
            _ if signs.connect => say(
                Kind::Unreachable,
                format!("no connection to {who} ({})", signs.last),
                or("Check host, port and firewall."),
            ),
            _ if signs.foreign => {
                let help = "Check the port; if it is one for HTTPS, begin the address with https://.";
                say(Kind::Unreachable, "what answers there does not speak HTTP".into(), help)
            }
            _ if signs.broken() => {
                let help = "Check that the port is the right one, and the server's log.";
                say(Kind::Unreachable, "the connection was closed before an answer came".into(), help)
            }
            _ => say(Kind::Unreachable, format!("the request failed ({})", signs.last), "Check the address."),
        }
    }

    /// What is said of an error within an answer.
    pub(super) fn cut(&self, error: &(dyn Error + 'static)) -> HttpError {
        let signs = Signs::of(error);
        if signs.timeout {
            let message = format!("the answer broke off: nothing more came within {:?}", self.timeout);
            return self.trouble(Kind::Timeout, message, "Allow more time (--timeout).");
        }
        let help = "Try again; if it stays so, look at the server's log and at proxies before it.";
        if signs.broken() {
            return self.trouble(Kind::Cut, "the connection was closed before the answer's end", help);
        }
        self.trouble(Kind::Cut, format!("the answer is damaged ({})", signs.last), help)
    }
}

/// How much of the time there is for an answer may go by without a connection. Less than all of it, so that it is known
/// which of them is missing.
pub(super) fn connecting(timeout: Duration) -> Duration {
    timeout / 2
}

/// Whether the same request may succeed a little later. Not after a time-out: that was waiting enough.
pub(super) fn passes(error: &reqwest::Error) -> bool {
    let signs = Signs::of(error);
    let settled = signs.tls.is_some() || signs.dns || signs.timeout;
    let closed = signs.io == Some(io::ErrorKind::UnexpectedEof);
    !settled && (if signs.connect { !closed } else { signs.broken() })
}

/// What the layers of an error tell.
#[derive(Default)]
struct Signs<'a> {
    connect: bool,
    dns: bool,
    timeout: bool,
    /// A proxy was asked to connect, and that failed.
    tunnel: bool,
    /// What came is not HTTP.
    foreign: bool,
    incomplete: bool,
    tls: Option<&'a rustls::Error>,
    io: Option<io::ErrorKind>,
    last: String,
}

impl<'a> Signs<'a> {
    fn of(error: &'a (dyn Error + 'static)) -> Self {
        let mut signs = Signs::default();
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<reqwest::Error>() {
                signs.connect |= error.is_connect();
                signs.dns |= error.is_dns();
                signs.timeout |= error.is_timeout();
            } else {
                // Not from reqwest, so without the address that it puts into its texts.
                signs.last = error.to_string();
                signs.tunnel |= signs.last.starts_with("tunnel error");
            }
            if let Some(error) = error.downcast_ref::<hyper::Error>() {
                signs.foreign |= error.is_parse();
                signs.incomplete |= error.is_incomplete_message();
            }
            signs.tls = error.downcast_ref().or(signs.tls);
            // An io::Error passes over what it wraps when asked for its source.
            let io = error.downcast_ref::<io::Error>();
            signs.io = io.map(io::Error::kind).or(signs.io);
            next = match io.and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        signs
    }

    /// Whether the connection ended before its time.
    fn broken(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        self.incomplete || matches!(self.io, Some(BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
    }
}
