//! A response while it is read, within its limits.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::blocking::Response;

use super::error::{HttpError, HttpErrorKind};
use super::error_mapping::RequestContext;

/// A response whose body is not read yet. Reading gives it decompressed; an error within it is a [`HttpError`] in the
/// [`io::Error`], which [`io::Error::downcast`] gets out.
pub struct HttpResponse {
    /// Its status, from 200 to 299.
    pub status: u16,
    /// What the server says that it is, such as `application/json`.
    pub content_type: Option<String>,
    /// Which part it is, where the server gave one: `bytes 0-99/1234`.
    pub content_range: Option<String>,
    /// Where it came from after all redirects, [redacted](super::redact_url).
    pub url: String,
    pub(super) inner: Response,
    pub(super) context: RequestContext,
    /// Bytes that may still come.
    pub(super) remaining: u64,
    pub(super) max_bytes: u64,
    pub(super) stop: Arc<AtomicBool>,
}

/// A complete response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Its bytes, decompressed.
    pub bytes: Vec<u8>,
    /// What the server says that it is, such as `application/json`.
    pub content_type: Option<String>,
    /// Where it came from after all redirects, [redacted](super::redact_url).
    pub url: String,
    /// Its status, from 200 to 299.
    pub status: u16,
}

impl Read for HttpResponse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            let cancelled = self.context.error(HttpErrorKind::Cancelled, "cancelled while reading the response", "");
            return Err(io::Error::other(cancelled));
        }
        let read = match self.inner.read(buffer) {
            // The caller's loops would go round for ever on this one.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            read => read.map_err(|error| io::Error::other(self.context.read_error(&error)))?,
        };
        match self.remaining.checked_sub(read as u64) {
            Some(remaining) => self.remaining = remaining,
            None => return Err(io::Error::other(self.too_large())),
        }
        Ok(read)
    }
}

impl HttpResponse {
    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// When it is too large, ends early, takes too long or is cancelled.
    pub fn into_body(mut self) -> Result<Body, HttpError> {
        let mut bytes = Vec::new();
        match self.read_to_end(&mut bytes) {
            Ok(_) => Ok(Body { bytes, content_type: self.content_type, url: self.url, status: self.status }),
            Err(error) => Err(error.downcast().unwrap_or_else(|error| self.context.read_error(&error))),
        }
    }

    fn too_large(&self) -> HttpError {
        let message = format!("the response is larger than {} bytes", self.max_bytes);
        self.context.error(HttpErrorKind::TooLarge, message, "Query a shorter window, or raise --max-response.")
    }
}
