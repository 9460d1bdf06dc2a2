//! Sends requests: who gets the credentials, which redirects are followed, when to retry.

use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::Response;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RANGE};

use super::address::{is_http, redact_url, strip_userinfo};
use super::client::Client;
use super::credentials::Credentials;
use super::error::{HttpError, HttpErrorKind};
use super::error_mapping::{self, RequestContext};
use super::response::HttpResponse;
use super::retry;
use super::status::describe_status;
use crate::model::text::sanitize;

/// Redirects followed for one request, at most.
const MAX_REDIRECTS: u32 = 5;
/// How much of the body of an error response is kept, in bytes.
const MAX_BODY_KEPT: usize = 2 << 10;
/// How much of it is read: a secret that the server repeats must be complete to be masked.
const MAX_BODY_READ: u64 = 32 << 10;
/// How much of it the message quotes, in bytes.
const MAX_BODY_QUOTED: usize = 200;
/// How soon a wait notices that it is cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);

/// A request, changed by each redirect.
pub(super) struct Request {
    pub(super) url: Url,
    /// What is sent in the body, form-encoded or as JSON; `None` makes it a GET.
    pub(super) form: Option<String>,
    /// The body is JSON.
    pub(super) is_json: bool,
    /// Which part is wanted, as `Range` names it; `None`: all.
    pub(super) range: Option<String>,
    /// The redacted address that redirected to another origin. Nobody gets credentials from then on, not even the first
    /// origin again: by then the other one decides what is requested.
    pub(super) cross_origin: Option<String>,
    pub(super) attempts: u32,
}

impl Client {
    /// Sends it and follows redirects.
    pub(super) fn follow(&self, mut request: Request, credentials: &Credentials) -> Result<HttpResponse, HttpError> {
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&mut request, credentials)?;
            let status = response.status();
            let target = response.headers().get(LOCATION).filter(|_| matches!(status.as_u16(), 301..=303 | 307 | 308));
            let Some(target) = target else { return self.check_status(&request, credentials, response) };
            request = self.redirect(request, credentials, target, matches!(status.as_u16(), 307 | 308))?;
        }
        let message = format!("more than {MAX_REDIRECTS} redirects");
        Err(self.context(&request).error(
            HttpErrorKind::Redirect,
            message,
            "Check the URL, and whether the server requires a login.",
        ))
    }

    /// The request after a redirect.
    fn redirect(
        &self,
        request: Request,
        credentials: &Credentials,
        target: &HeaderValue,
        keep: bool,
    ) -> Result<Request, HttpError> {
        let refuse = |message, help| Err(self.context(&request).error(HttpErrorKind::Redirect, message, help));
        let check = "Check the URL; pass the one it should redirect to.";
        let Some(mut url) = target.to_str().ok().and_then(|target| request.url.join(target).ok()).filter(is_http)
        else {
            return refuse("the server redirects to an invalid URL".to_owned(), check);
        };
        strip_userinfo(&mut url);
        let secrets = !credentials.headers.is_empty() || self.options.cert.is_some();
        if secrets && request.url.scheme() == "https" && url.scheme() == "http" {
            let message = format!("the server redirects from https to unencrypted {}", redact_url(url.as_str()));
            return refuse(message, check);
        }
        let cross_origin = request.url.origin() != url.origin();
        let cross_origin = request.cross_origin.or_else(|| cross_origin.then(|| redact_url(request.url.as_str())));
        let form = match request.form {
            Some(form) if !keep && !request.is_json => {
                let query: Vec<_> =
                    url.query().into_iter().chain([form.as_str()]).filter(|part| !part.is_empty()).collect();
                let query = query.join("&");
                url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
                None
            }
            form => form,
        };
        Ok(Request { url, form, cross_origin, attempts: 0, ..request })
    }

    /// Sends it until there is a response or a permanent error, or the retries are used up.
    fn send(&self, request: &mut Request, credentials: &Credentials) -> Result<Response, HttpError> {
        loop {
            self.check_cancelled(request)?;
            request.attempts += 1;
            let http = if request.cross_origin.is_some() { &self.without_identity } else { &self.with_identity };
            let content_type = if request.is_json { "application/json" } else { "application/x-www-form-urlencoded" };
            let http_request = match &request.form {
                Some(form) => http.post(request.url.clone()).header(CONTENT_TYPE, content_type).body(form.clone()),
                None => http.get(request.url.clone()),
            };
            let http_request = match &request.range {
                Some(range) => http_request.header(RANGE, range),
                None => http_request,
            };
            let http_request = match request.cross_origin {
                Some(_) => http_request,
                None => http_request.headers(credentials.headers.clone()),
            };
            let result = http_request.send().map_err(reqwest::Error::without_url);
            let is_transient = match &result {
                Ok(response) => retry::is_transient(response.status()),
                Err(error) => error_mapping::is_transient(error),
            };
            if !is_transient || request.attempts > self.options.retries {
                return result.map_err(|error| self.context(request).send_error(&error));
            }
            let retry_after = result.as_ref().ok().and_then(|response| retry::retry_after(response.headers()));
            let pause = retry_after.unwrap_or_else(|| retry::pause(request.attempts));
            if let Some(on_retry) = &self.on_retry {
                let (status, context) = (result.as_ref().map(Response::status), self.context(request));
                let message = match status {
                    Ok(status) => describe_status(status, credentials.login, None).0,
                    Err(error) => context.send_error(error).message,
                };
                on_retry(&credentials.mask(&format!("{}: {message}; retrying in {pause:?}", context.url)));
            }
            self.wait(request, pause)?;
        }
    }

    fn wait(&self, request: &Request, mut remaining: Duration) -> Result<(), HttpError> {
        while !remaining.is_zero() {
            self.check_cancelled(request)?;
            std::thread::sleep(remaining.min(CANCEL_INTERVAL));
            remaining = remaining.saturating_sub(CANCEL_INTERVAL);
        }
        Ok(())
    }

    fn check_cancelled(&self, request: &Request) -> Result<(), HttpError> {
        match self.options.stop.load(Ordering::Relaxed) {
            true => {
                Err(self.context(request).error(HttpErrorKind::Cancelled, "cancelled before there was a response", ""))
            }
            false => Ok(()),
        }
    }

    /// The response if its status is a success, else why it is not.
    fn check_status(
        &self,
        request: &Request,
        credentials: &Credentials,
        response: Response,
    ) -> Result<HttpResponse, HttpError> {
        let status = response.status();
        let mut context = self.context(request);
        context.url = credentials.mask(&context.url);
        let header = |name: HeaderName| response.headers().get(name)?.to_str().ok().map(sanitize);
        let (content_type, content_range) = (header(CONTENT_TYPE), header(CONTENT_RANGE));
        let max_bytes = self.options.max_bytes;
        let mut response = HttpResponse {
            status: status.as_u16(),
            content_type,
            content_range,
            url: context.url.clone(),
            inner: response,
            context,
            remaining: max_bytes,
            max_bytes,
            stop: self.options.stop.clone(),
        };
        if status.is_success() {
            return Ok(response);
        }
        let mut body = Vec::new();
        // What an error response says is a help; that it breaks off is no error of its own.
        let _ = response.by_ref().take(MAX_BODY_READ).read_to_end(&mut body);
        let body = credentials.mask(&sanitize(String::from_utf8_lossy(&body).trim()));
        let (mut message, mut help) = describe_status(status, credentials.login, request.cross_origin.as_deref());
        if !body.is_empty() && !response.content_type.is_some_and(|kind| kind.contains("html")) {
            message += &format!(": {}", truncate(&body, MAX_BODY_QUOTED));
        }
        // As Go's servers and nginx put it.
        if request.url.scheme() == "http" && ["an HTTPS server", "HTTPS port"].iter().any(|words| body.contains(words))
        {
            help = "The port serves HTTPS: begin the URL with https://.".into();
        }
        let error = response.context.error(HttpErrorKind::Status(status.as_u16()), message, help);
        Err(HttpError { body: truncate(&body, MAX_BODY_KEPT).to_owned(), ..error })
    }

    fn context(&self, request: &Request) -> RequestContext {
        RequestContext {
            url: redact_url(request.url.as_str()),
            proxy: self.proxy.clone(),
            identity: self.options.cert.is_some() && request.cross_origin.is_none(),
            timeout: self.options.timeout,
            attempts: request.attempts,
        }
    }
}

/// The first `max` bytes of `text`, or a little less.
fn truncate(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}
