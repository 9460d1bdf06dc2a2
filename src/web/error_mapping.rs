//! From errors of the layers below to what they mean for the user. Their own texts are not passed on where they hold addresses.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::error::{HttpError, HttpErrorKind};
use super::tls::describe_tls_error;

/// What an error message says of its request.
#[derive(Clone)]
pub(super) struct RequestContext {
    /// Its address, redacted.
    pub(super) url: String,
    /// The proxy the user named, redacted.
    pub(super) proxy: Option<String>,
    /// Whether there was a client certificate to send.
    pub(super) identity: bool,
    pub(super) timeout: Duration,
    pub(super) attempts: u32,
}

impl RequestContext {
    pub(super) fn error(&self, kind: HttpErrorKind, message: impl Into<String>, help: impl Into<String>) -> HttpError {
        let mut message = message.into();
        if self.attempts > 1 {
            message += &format!(" (tried {} times)", self.attempts);
        }
        HttpError::new(kind, &self.url, message, help)
    }

    /// For an error that came instead of a response.
    pub(super) fn send_error(&self, error: &(dyn Error + 'static)) -> HttpError {
        let chain = ErrorChain::of(error);
        let fail = |kind, message: String, help: &str| self.error(kind, message, help);
        if let Some(tls) = chain.tls {
            let (message, help) = describe_tls_error(tls, self.identity);
            return fail(HttpErrorKind::Tls, message, help);
        }
        let proxy = self.proxy.as_deref().filter(|_| chain.connect);
        let peer = match proxy {
            Some(proxy) => format!("the proxy {proxy}"),
            None if chain.tunnel => "the proxy set in the environment".to_owned(),
            None => "the server".to_owned(),
        };
        let through_proxy = proxy.is_some() || chain.tunnel;
        let help = |direct| if through_proxy { "Check --proxy, or HTTPS_PROXY and HTTP_PROXY." } else { direct };
        match chain.io {
            _ if chain.timeout && chain.connect => {
                let message = format!("cannot connect to {peer} within {:?}", connect_timeout(self.timeout));
                fail(HttpErrorKind::Timeout, message, help("Check host, port and firewall, or raise --timeout."))
            }
            _ if chain.timeout => {
                let message = format!("no response within {:?}", self.timeout);
                fail(HttpErrorKind::Timeout, message, "Raise --timeout, or query a shorter window.")
            }
            _ if chain.dns => {
                let check = "Check the spelling; names that end in .svc resolve only inside the cluster.";
                fail(HttpErrorKind::Unreachable, format!("cannot resolve the host name of {peer} (DNS)"), help(check))
            }
            Some(io::ErrorKind::ConnectionRefused) => {
                let check = "Check the port. Is the server, or the kubectl port-forward to it, running?";
                fail(HttpErrorKind::Unreachable, format!("{peer} refused the connection"), help(check))
            }
            Some(io::ErrorKind::UnexpectedEof) if chain.connect && !chain.tunnel => {
                let check = "Check that the port serves HTTPS; if not, begin the URL with http://.";
                fail(HttpErrorKind::Tls, format!("{peer} closed the connection during the TLS handshake"), help(check))
            }
            _ if chain.connect => fail(
                HttpErrorKind::Unreachable,
                format!("cannot connect to {peer} ({})", chain.last),
                help("Check host, port and firewall."),
            ),
            _ if chain.not_http => {
                let check = "Check the port; if it serves HTTPS, begin the URL with https://.";
                fail(HttpErrorKind::Unreachable, "the server does not speak HTTP".into(), check)
            }
            _ if chain.is_disconnect() => {
                let check = "Check the port and the server's log.";
                fail(HttpErrorKind::Unreachable, "the connection was closed before a response".into(), check)
            }
            _ => fail(HttpErrorKind::Unreachable, format!("the request failed ({})", chain.last), "Check the URL."),
        }
    }

    /// For an error while the response was read.
    pub(super) fn read_error(&self, error: &(dyn Error + 'static)) -> HttpError {
        let chain = ErrorChain::of(error);
        if chain.timeout {
            let message = format!("the response stalled: no data within {:?}", self.timeout);
            return self.error(HttpErrorKind::Timeout, message, "Raise --timeout.");
        }
        let help = "Try again; if it persists, check the server's log and any proxy before it.";
        if chain.is_disconnect() {
            return self.error(HttpErrorKind::Truncated, "the connection was closed before the response ended", help);
        }
        self.error(HttpErrorKind::Truncated, format!("the response is damaged ({})", chain.last), help)
    }
}

/// The share of the timeout in which a connection must be there. Less than all of it, so that the message can say which of
/// the two was missing: connection or response.
pub(super) fn connect_timeout(timeout: Duration) -> Duration {
    timeout / 2
}

/// Whether the same request may succeed a little later. Not after a timeout: that was waiting enough.
pub(super) fn is_transient(error: &reqwest::Error) -> bool {
    let chain = ErrorChain::of(error);
    let permanent = chain.tls.is_some() || chain.dns || chain.timeout;
    let closed = chain.io == Some(io::ErrorKind::UnexpectedEof);
    !permanent && (if chain.connect { !closed } else { chain.is_disconnect() })
}

/// What an error and the errors that caused it say.
#[derive(Default)]
struct ErrorChain<'a> {
    connect: bool,
    dns: bool,
    timeout: bool,
    /// A proxy was asked to connect, and that failed.
    tunnel: bool,
    /// What came is not HTTP.
    not_http: bool,
    incomplete: bool,
    tls: Option<&'a rustls::Error>,
    io: Option<io::ErrorKind>,
    last: String,
}

impl<'a> ErrorChain<'a> {
    fn of(error: &'a (dyn Error + 'static)) -> Self {
        let mut chain = ErrorChain::default();
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<reqwest::Error>() {
                chain.connect |= error.is_connect();
                chain.dns |= error.is_dns();
                chain.timeout |= error.is_timeout();
            } else {
                // Not from reqwest, so without the address that it puts into its texts.
                chain.last = error.to_string();
                chain.tunnel |= chain.last.starts_with("tunnel error");
            }
            if let Some(error) = error.downcast_ref::<hyper::Error>() {
                chain.not_http |= error.is_parse();
                chain.incomplete |= error.is_incomplete_message();
            }
            chain.tls = error.downcast_ref().or(chain.tls);
            // An io::Error passes over what it wraps when asked for its source.
            let io = error.downcast_ref::<io::Error>();
            chain.io = io.map(io::Error::kind).or(chain.io);
            next = match io.and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        chain
    }

    /// Whether the connection ended early.
    fn is_disconnect(&self) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        self.incomplete || matches!(self.io, Some(BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
    }
}
